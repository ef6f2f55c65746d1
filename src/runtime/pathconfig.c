/* Where things are: the executable, the prefixes, the library, sys.path, and sys.path[0] of a program.
 *
 * The library is looked for in this order: PYTHONHOME; pyvenv.cfg's home; beside the executable (the landmark is os.py in
 * <prefix>/lib/python3.13, for <prefix> the executable's folder and those above it); deps/debian13/usr of the build tree;
 * the folder that the build was configured with. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "modules/sys_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define P (&_PyRuntime.runtime)
#define RETURN_IF_EXCEPTION(status) do { PyStatus s_ = (status); if (PyStatus_Exception(s_)) return s_; } while (0)

typedef struct Path { char text[PATH_MAX]; } Path;

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool path_join(Path *out, const char *a, const char *b)
{
    size_t n = strlen(a);
    int written = snprintf(out->text, sizeof out->text, "%s%s%s", a, n && a[n - 1] == '/' ? "" : "/", b);
    return written > 0 && (size_t)written < sizeof out->text;
}

/* Cuts the last component. False at the root. */
static bool path_up(Path *path)
{
    char *slash = strrchr(path->text, '/');
    if (!slash || (slash == path->text && !slash[1])) return false;
    if (slash == path->text) slash[1] = 0;
    else *slash = 0;
    return true;
}

static wchar_t *wide_from(const char *text)
{
    return Py_DecodeLocale(text, NULL);
}

/* ---- the executable --------------------------------------------------------------------------------------------- */

/* Absolute, links unresolved, as sys.executable wants it. Empty when it cannot be told. */
static void executable_find(const char *program, Path *out)
{
    out->text[0] = 0;
    if (strchr(program, '/')) {
        if (program[0] == '/') snprintf(out->text, sizeof out->text, "%s", program);
        else {
            Path here;
            if (!getcwd(here.text, sizeof here.text)) return;
            while (program[0] == '.' && program[1] == '/') program += 2;
            if (!path_join(out, here.text, program)) out->text[0] = 0;
        }
        return;
    }
    const char *path = getenv("PATH");
    for (const char *end; path && *program; path = end + 1) {
        end = strchrnul(path, ':');
        Path folder;
        size_t n = (size_t)(end - path);
        if (n && n < sizeof folder.text) {
            memcpy(folder.text, path, n);
            folder.text[n] = 0;
            if (path_join(out, folder.text, program) && is_file(out->text) && access(out->text, X_OK) == 0) {
                if (out->text[0] != '/') {
                    Path here, relative = *out;
                    if (getcwd(here.text, sizeof here.text)) path_join(out, here.text, relative.text);
                }
                return;
            }
        }
        if (!*end) break;
    }
    out->text[0] = 0;
}

/* ---- the library ------------------------------------------------------------------------------------------------ */

#define LIBRARY "lib/python3.13"

static bool library_below(const char *prefix, Path *library)
{
    Path landmark;
    return path_join(library, prefix, LIBRARY) && path_join(&landmark, library->text, "os.py") && is_file(landmark.text);
}

static bool prefix_search(const char *executable, Path *prefix, Path *library)
{
    Path folder, deps;
    char *real = realpath(executable, NULL);
    snprintf(folder.text, sizeof folder.text, "%s", real ? real : executable);
    free(real);
    while (path_up(&folder)) {
        if (library_below(folder.text, library)) { *prefix = folder; return true; }
        if (path_join(&deps, folder.text, "deps/debian13/usr") && library_below(deps.text, library)) { *prefix = deps; return true; }
        if (!folder.text[1]) break;
    }
    if (path_join(&deps, TAIPAN_DEPS, "debian13/usr") && library_below(deps.text, library)) { *prefix = deps; return true; }
    return false;
}

/* The value of a key in pyvenv.cfg, or false. */
static bool venv_value(const char *file, const char *key, Path *value)
{
    FILE *f = file_open_cloexec(file, "r");
    if (!f) return false;
    char line[PATH_MAX + 64];
    bool found = false;
    while (!found && fgets(line, sizeof line, f)) {
        char *equals = strchr(line, '='), *name = line + strspn(line, " \t");
        if (!equals) continue;
        char *end = equals;
        while (end > name && (end[-1] == ' ' || end[-1] == '\t')) end--;
        if ((size_t)(end - name) != strlen(key) || strncasecmp(name, key, strlen(key))) continue;
        char *text = equals + 1 + strspn(equals + 1, " \t");
        text[strcspn(text, "\r\n")] = 0;
        snprintf(value->text, sizeof value->text, "%.*s", PATH_MAX - 1, text);
        for (size_t n = strlen(value->text); n && (value->text[n - 1] == ' ' || value->text[n - 1] == '\t'); n--) value->text[n - 1] = 0;
        found = true;
    }
    fclose(f);
    return found;
}

/* The folder of a virtual environment and its home, when the executable lies in one. */
static bool venv_find(const char *executable, Path *venv, Path *home)
{
    Path folder, file;
    snprintf(folder.text, sizeof folder.text, "%s", executable);
    for (int up = 0; up < 2 && path_up(&folder); up++) {
        if (!path_join(&file, folder.text, "pyvenv.cfg") || !is_file(file.text)) continue;
        *venv = folder;
        return venv_value(file.text, "home", home);
    }
    return false;
}

static PyStatus set_default(wchar_t **field, const char *text)
{
    if (*field) return PyStatus_Ok();
    *field = wide_from(text);
    return *field ? PyStatus_Ok() : PyStatus_NoMemory();
}

static PyStatus append_bytes(PyWideStringList *list, const char *text)
{
    wchar_t *wide = wide_from(text);
    if (!wide) return PyStatus_NoMemory();
    PyStatus status = PyWideStringList_Append(list, wide);
    PyMem_RawFree(wide);
    return status;
}

static PyStatus append_split(PyWideStringList *list, const wchar_t *path)
{
    for (const wchar_t *end; path; path = end + 1) {
        end = wcschr(path, L':');
        size_t n = end ? (size_t)(end - path) : wcslen(path);
        wchar_t *item = PyMem_RawMalloc((n + 1) * sizeof *item);
        if (!item) return PyStatus_NoMemory();
        wmemcpy(item, path, n);
        item[n] = 0;
        PyStatus status = PyWideStringList_Append(list, item);
        PyMem_RawFree(item);
        RETURN_IF_EXCEPTION(status);
        if (!end) break;
    }
    return PyStatus_Ok();
}

/* ---- a ._pth file beside the program ------------------------------------------------------------------------------ */

/* directory/line without "." and ".." components. */
static void path_normalize(Path *out, const char *directory, const char *line)
{
    Path whole;
    if (line[0] == '/') snprintf(whole.text, sizeof whole.text, "%s", line);
    else path_join(&whole, directory, line);
    char *end = out->text, *rest = NULL;
    for (char *part = strtok_r(whole.text, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        if (strcmp(part, ".") == 0) continue;
        if (strcmp(part, "..") == 0) {
            while (end > out->text && *--end != '/');
            continue;
        }
        *end++ = '/';
        end = stpcpy(end, part);
    }
    if (end == out->text) *end++ = '/';
    *end = 0;
}

/* Its lines are sys.path, and the environment and site are left out. False when there is no such file. */
static PyStatus pth_read(PyConfig *config, const char *program, bool *found)
{
    Path path, directory, entry;
    *found = false;
    int length = snprintf(path.text, sizeof path.text, "%s._pth", program);
    FILE *file = length > 0 && (size_t)length < sizeof path.text ? fopen(path.text, "re") : NULL;
    if (!file) return PyStatus_Ok();
    PyStatus status = PyStatus_Ok();
    char line[PATH_MAX];
    directory = path;
    path_up(&directory);
    config->isolated = config->safe_path = 1;
    config->use_environment = config->site_import = config->user_site_directory = 0;
    while (!PyStatus_Exception(status) && fgets(line, sizeof line, file)) {
        line[strcspn(line, "#\r\n")] = 0;
        char *text = line + strspn(line, " \t"), *end = text + strlen(text);
        while (end > text && (end[-1] == ' ' || end[-1] == '\t')) *--end = 0;
        if (!*text) continue;
        if (strcmp(text, "import site") == 0) config->site_import = 1;
        else if (strncmp(text, "import ", 7) == 0) fprintf(stderr, "unsupported 'import' line in ._pth file\n");
        else {
            path_normalize(&entry, directory.text, text);
            status = append_bytes(&config->module_search_paths, entry.text);
        }
    }
    fclose(file);
    *found = true;
    return status;
}

PyStatus paths_compute(PyConfig *config)
{
    Path executable = { "" }, prefix = { "" }, library = { "" }, venv = { "" }, home = { "" }, text;
    if (!config->program_name && !(config->program_name = wide_copy(L"python3"))) return PyStatus_NoMemory();
    if (!config->platlibdir && !(config->platlibdir = wide_copy(L"lib"))) return PyStatus_NoMemory();
    char *program = locale_encode_raw(config->program_name);
    if (!program) return PyStatus_NoMemory();
    if (config->executable) {
        char *given = locale_encode_raw(config->executable);
        if (given) snprintf(executable.text, sizeof executable.text, "%s", given);
        PyMem_RawFree(given);
    }
    else executable_find(program, &executable);
    PyMem_RawFree(program);
    if (!executable.text[0]) {                              /* embedded, or found by nobody: what the kernel says */
        ssize_t n = readlink("/proc/self/exe", text.text, sizeof text.text - 1);
        text.text[n > 0 ? n : 0] = 0;
    }
    else text = executable;
    const Path program_file = text;
    bool in_venv = !config->home && venv_find(text.text, &venv, &home);
    bool found = false;
    if (config->home) {
        char *given = locale_encode_raw(config->home);
        if (!given) return PyStatus_NoMemory();
        char *colon = strchr(given, ':');
        if (colon) *colon = 0;
        snprintf(prefix.text, sizeof prefix.text, "%s", given);
        PyMem_RawFree(given);
        found = true;
        path_join(&library, prefix.text, LIBRARY);
    }
    if (!found && in_venv && home.text[0]) {
        Path below;
        path_join(&below, home.text, "x");
        found = prefix_search(below.text, &prefix, &library);
    }
    if (!found) found = prefix_search(text.text, &prefix, &library);
    if (!found) snprintf(prefix.text, sizeof prefix.text, "%s", "/usr/local"), path_join(&library, prefix.text, LIBRARY);
    RETURN_IF_EXCEPTION(set_default(&config->executable, executable.text));
    if (!config->base_executable) {
        Path base = executable;
        if (in_venv && home.text[0]) {
            const char *name = strrchr(executable.text, '/');
            Path candidate;
            char *real = realpath(executable.text, NULL);
            if (name && path_join(&candidate, home.text, name + 1) && is_file(candidate.text)) base = candidate;
            else if (real) snprintf(base.text, sizeof base.text, "%s", real);
            free(real);
        }
        RETURN_IF_EXCEPTION(set_default(&config->base_executable, base.text));
    }
    RETURN_IF_EXCEPTION(set_default(&config->prefix, prefix.text));
    RETURN_IF_EXCEPTION(set_default(&config->base_prefix, prefix.text));
    RETURN_IF_EXCEPTION(set_default(&config->exec_prefix, prefix.text));
    RETURN_IF_EXCEPTION(set_default(&config->base_exec_prefix, prefix.text));
    if (found) RETURN_IF_EXCEPTION(set_default(&config->stdlib_dir, library.text));
    bool pth = false;
    if (!config->module_search_paths_set && !config->home) {
        wide_list_clear(&config->module_search_paths);
        RETURN_IF_EXCEPTION(pth_read(config, program_file.text, &pth));
        if (pth) config->module_search_paths_set = 1;
    }
    if (!config->module_search_paths_set) {
        wide_list_clear(&config->module_search_paths);
        if (config->pythonpath_env) RETURN_IF_EXCEPTION(append_split(&config->module_search_paths, config->pythonpath_env));
        if (path_join(&text, prefix.text, "lib/python313.zip")) RETURN_IF_EXCEPTION(append_bytes(&config->module_search_paths, text.text));
        RETURN_IF_EXCEPTION(append_bytes(&config->module_search_paths, library.text));
        /* Our own shared objects, beside the program: those of another Python have nothing to do here. */
        char *real = realpath(program_file.text, NULL);
        snprintf(text.text, sizeof text.text, "%s", real ? real : program_file.text);
        free(real);
        Path dynload;
        if (path_up(&text) && path_join(&dynload, text.text, "lib-dynload")) RETURN_IF_EXCEPTION(append_bytes(&config->module_search_paths, dynload.text));
        config->module_search_paths_set = 1;
    }
    (void)is_directory;
    return PyStatus_Ok();
}

/* ---- the old getters and setters -------------------------------------------------------------------------------- */

static wchar_t *config_text(size_t offset)
{
    Interpreter *main = P->main_interpreter;
    return main ? *(wchar_t **)((char *)&main->runtime.config + offset) : NULL;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
wchar_t *Py_GetProgramName(void) { return config_text(offsetof(PyConfig, program_name)); }
wchar_t *Py_GetPythonHome(void) { return config_text(offsetof(PyConfig, home)); }
wchar_t *Py_GetProgramFullPath(void) { return config_text(offsetof(PyConfig, executable)); }
wchar_t *Py_GetPrefix(void) { return config_text(offsetof(PyConfig, prefix)); }
wchar_t *Py_GetExecPrefix(void) { return config_text(offsetof(PyConfig, exec_prefix)); }

/* module_search_paths joined with ':'. */
wchar_t *Py_GetPath(void)
{
    Interpreter *main = P->main_interpreter;
    if (!main) return NULL;
    const PyWideStringList *list = &main->runtime.config.module_search_paths;
    size_t n = 1;
    for (Py_ssize_t i = 0; i < list->length; i++) n += wcslen(list->items[i]) + 1;
    if (!P->joined_path && (P->joined_path = PyMem_RawMalloc(n * sizeof(wchar_t)))) {
        P->joined_path[0] = 0;
        for (Py_ssize_t i = 0; i < list->length; i++) {
            if (i) wcscat(P->joined_path, L":");
            wcscat(P->joined_path, list->items[i]);
        }
    }
    return P->joined_path;
}

static void setting(wchar_t **field, const wchar_t *text)
{
    process_init();
    PyMem_RawFree(*field);
    *field = text && *text ? wide_copy(text) : NULL;
}

void Py_SetProgramName(const wchar_t *name) { setting(&P->set_program_name, name); }
void Py_SetPythonHome(const wchar_t *home) { setting(&P->set_home, home); }
#pragma GCC diagnostic pop
PyAPI_FUNC(void) Py_SetPath(const wchar_t *path);
void Py_SetPath(const wchar_t *path) { setting(&P->set_path, path); }

PyStatus paths_take_settings(PyConfig *config)
{
    if (P->set_program_name && !config->program_name && !(config->program_name = wide_copy(P->set_program_name))) return PyStatus_NoMemory();
    if (P->set_home && !config->home && !(config->home = wide_copy(P->set_home))) return PyStatus_NoMemory();
    if (P->set_path && !config->module_search_paths_set) {
        config->module_search_paths_set = 1;
        return append_split(&config->module_search_paths, P->set_path);
    }
    return PyStatus_Ok();
}

/* ---- sys.path[0] ------------------------------------------------------------------------------------------------ */

int main_path_compute(const PyWideStringList *argv, PyObject **first)
{
    *first = NULL;
    if (argv->length == 0) return 0;
    const wchar_t *arg0 = argv->items[0];
    if (wcscmp(arg0, L"-m") == 0) {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here)) return 0;           /* deleted: nothing that could be imported from */
        *first = PyUnicode_DecodeFSDefault(here);
        return *first ? 1 : -1;
    }
    if (wcscmp(arg0, L"-c") == 0 || !*arg0) {
        *first = PyUnicode_FromString("");
        return *first ? 1 : -1;
    }
    char *bytes = locale_encode_raw(arg0), *link = NULL, target[PATH_MAX], joined[2 * PATH_MAX];
    if (!bytes) return 0;
    ssize_t n = readlink(bytes, target, sizeof target - 1);
    if (n > 0) {                                            /* the folder of what a link leads to */
        target[n] = 0;
        char *slash = strrchr(bytes, '/');
        if (target[0] == '/' || !slash) link = target;
        else {
            snprintf(joined, sizeof joined, "%.*s/%s", (int)(slash - bytes), bytes, target);
            link = joined;
        }
    }
    char *real = realpath(link ? link : bytes, NULL);
    const char *path = real ? real : bytes, *slash = strrchr(path, '/');
    if (slash) *first = PyUnicode_DecodeFSDefaultAndSize(path, slash == path ? 1 : slash - path);
    else *first = PyUnicode_FromString("");
    free(real);
    PyMem_RawFree(bytes);
    return *first ? 1 : -1;
}
