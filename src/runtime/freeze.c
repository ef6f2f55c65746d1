/* What the program does while nothing is frozen in it: it freezes. The build links `taipan-unfrozen`, which compiles the start-up
 * modules of the library with its own front end and writes a copy of itself that holds their marshalled code: one link, no other
 * Python. The room for them is a section of fixed size (import_frozen.c) that is found in the file by what is in it in memory. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"

#include <errno.h>
#include <marshal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const module_files[] = {
#define FROZEN(name, file, origin, is_package, is_test) file,
#include "runtime/frozen_modules.def"
};
static const char *const module_names[] = {
#define FROZEN(name, file, origin, is_package, is_test) name,
#include "runtime/frozen_modules.def"
};
enum { MODULES = ARRAY_LENGTH(module_files) };

static int fail(const char *what, const char *which)
{
    fprintf(stderr, "taipan-unfrozen: %s: %s\n", which, what);
    if (PyErr_Occurred()) {
        PyObject *exc = PyErr_GetRaisedException(), *text = PyObject_Repr(exc);
        const char *shown = text ? PyUnicode_AsUTF8(text) : NULL;
        if (shown) fprintf(stderr, "%s\n", shown);
    }
    return -1;
}

/* The whole file, NUL-terminated, in malloc memory; NULL when it cannot be read. */
static char *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    char *text = NULL;
    if (!file) return NULL;
    if (fstat(fileno(file), &st) == 0 && (text = malloc((size_t)st.st_size + 1))) {
        *size = fread(text, 1, (size_t)st.st_size, file);
        text[*size] = 0;
        if (*size != (size_t)st.st_size) free(text), text = NULL;
    }
    fclose(file);
    return text;
}

static char *module_text(const char *library, const char *file)
{
    char path[4096];
    size_t size;
    if (!file) return strdup("initialized = True\n");
    snprintf(path, sizeof path, "%s/%s.py", library, file);
    char *text = file_read(path, &size);
    if (!text && strncmp(file, "__phello__", 10) == 0) return strdup("");      /* Debian leaves these out of the library */
    return text;
}

/* `<frozen importlib._bootstrap>` of importlib/_bootstrap. */
static PyObject *module_filename(const char *name, const char *file)
{
    char shown[200];
    snprintf(shown, sizeof shown, "<frozen %s", file ? file : name);
    size_t n = strlen(shown), tail = strlen("/__init__");
    if (file && n > tail && strcmp(shown + n - tail, "/__init__") == 0) shown[n - tail] = 0;
    for (char *p = shown; *p; p++) if (*p == '/') *p = '.';
    strcat(shown, ">");
    return PyUnicode_FromString(shown);
}

static PyObject *module_code(const char *library, size_t i)
{
    char *text = module_text(library, module_files[i]);
    if (!text) return NULL;
    PyObject *filename = module_filename(module_names[i], module_files[i]), *bytes = NULL;
    PyObject *code = filename ? Py_CompileStringObject(text, filename, Py_file_input, NULL, 0) : NULL;
    if (code) bytes = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
    Py_XDECREF(code);
    Py_XDECREF(filename);
    free(text);
    return bytes;
}

static int blob_fill(FrozenBlob *blob, const char *library)
{
    size_t used = sizeof *blob + MODULES * sizeof *blob->module;
    blob->count = MODULES;
    for (size_t i = 0; i < MODULES; i++) {
        size_t same = 0;                               /* several names for one file */
        while (same < i && !(module_files[i] && module_files[same] && strcmp(module_files[same], module_files[i]) == 0)) same++;
        if (same < i) {
            blob->module[i] = blob->module[same];
            continue;
        }
        PyObject *bytes = module_code(library, i);
        if (!bytes) return fail("cannot be read or compiled", module_names[i]);
        size_t size = (size_t)PyBytes_GET_SIZE(bytes);
        if (size > FROZEN_ROOM - used) return fail("no room left: raise FROZEN_ROOM", module_names[i]);
        blob->module[i].offset = (uint32_t)used;
        blob->module[i].size = (uint32_t)size;
        memcpy((char *)blob + used, PyBytes_AS_STRING(bytes), size);
        used += size;
        Py_DECREF(bytes);
    }
    return 0;
}

static int write_program(const char *image, size_t size, const char *target)
{
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s.new", target);
    FILE *file = fopen(fresh, "wb");
    if (!file) return fail(strerror(errno), fresh);
    bool good = fwrite(image, 1, size, file) == size && fchmod(fileno(file), 0755) == 0;
    if ((fclose(file) == 0) & good && rename(fresh, target) == 0) return 0;
    fail(strerror(errno), target);
    unlink(fresh);
    return -1;
}

static int freeze(const char *library, const char *target)
{
    size_t size;
    char *image = file_read("/proc/self/exe", &size);
    if (!image) return fail(strerror(errno), "/proc/self/exe");
    char *place = memmem(image, size, &frozen_blob, FROZEN_ROOM);
    if (!place) return fail("the section for frozen modules is not in the file", target);
    return blob_fill((FrozenBlob *)(void *)place, library) < 0 ? -1 : write_program(image, size, target);
}

int freeze_main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s LIBRARY PROGRAM\nCompiles the start-up modules and writes PROGRAM, a copy of this one that has them.\n", argv[0]);
        return 2;
    }
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config._install_importlib = config._init_main = config.site_import = 0;
    PyStatus status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    int failed = freeze(argv[1], argv[2]) < 0;
    fflush(stderr);
    _exit(failed);                                     /* an interpreter without importlib is not worth an orderly end */
}
