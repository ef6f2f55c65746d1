/* PyRun_*: text, files, .pyc files and the interactive prompt, run in a namespace or in __main__. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"
#include "compile/compile.h"
#include "syntax/syntax.h"

#include <errno.h>
#include <marshal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_EOF = 11 };

static void flush_stream(PyObject *name)
{
    PyObject *file = sys_get(name);
    if (!file || file == Py_None) return;
    Py_INCREF(file);
    PyObject *result = PyObject_CallMethodNoArgs(file, STR(flush));
    if (!result) PyErr_Clear();
    Py_XDECREF(result);
    Py_DECREF(file);
}

static void flush_standard_streams(void)
{
    PyObject *saved = PyErr_GetRaisedException();
    flush_stream(STR(stderr));
    flush_stream(STR(stdout));
    PyErr_SetRaisedException(saved);
}

/* ---- running code ----------------------------------------------------------------------------------------------- */

static PyObject *run_code(PyObject *code, PyObject *globals, PyObject *locals)
{
    if (!globals || !PyDict_Check(globals)) {
        PyErr_SetString(PyExc_SystemError, "globals must be a real dict");
        return NULL;
    }
    int has = PyDict_Contains(globals, STR(__builtins__));
    if (has < 0 || (!has && PyDict_SetItem(globals, STR(__builtins__), interp_get()->runtime.builtins) < 0)) return NULL;
    _PyRuntime.runtime.unhandled_interrupt = false;
    return PyEval_EvalCode(code, globals, locals);
}

/* So that tracebacks can show lines of text that is in no file. */
static void register_source(PyObject *code, PyObject *source, PyObject *name)
{
    PyObject *module = PyImport_ImportModule("linecache");
    PyObject *result = module ? PyObject_CallMethod(module, "_register_code", "OOO", code, source, name) : NULL;
    if (!result) PyErr_Clear();
    Py_XDECREF(result);
    Py_XDECREF(module);
}

static PyObject *run_string(const char *text, PyObject *name, int start, PyObject *globals, PyObject *locals, PyCompilerFlags *flags,
                            bool show_source)
{
    PyObject *code = Py_CompileStringObject(text, name, start, flags, -1);
    if (!code) return NULL;
    if (show_source) {
        PyObject *source = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
        if (source) register_source(code, source, name);
        else PyErr_Clear();
        Py_XDECREF(source);
    }
    if (PySys_Audit("exec", "O", code) < 0) {
        Py_DECREF(code);
        return NULL;
    }
    PyObject *value = run_code(code, globals, locals);
    Py_DECREF(code);
    return value;
}

PyObject *PyRun_StringFlags(const char *text, int start, PyObject *globals, PyObject *locals, PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_InternFromString("<string>");
    PyObject *value = name ? run_string(text, name, start, globals, locals, flags, false) : NULL;
    Py_XDECREF(name);
    return value;
}

int run_simple_string_named(const char *text, PyObject *name, PyCompilerFlags *flags)
{
    PyObject *module = PyImport_AddModuleRef("__main__");
    if (!module) return -1;
    PyObject *dict = PyModule_GetDict(module), *value;
    if (name) value = run_string(text, name, Py_file_input, dict, dict, flags, true);
    else value = PyRun_StringFlags(text, Py_file_input, dict, dict, flags);
    Py_DECREF(module);
    if (!value) {
        PyErr_Print();
        return -1;
    }
    Py_DECREF(value);
    return 0;
}

int PyRun_SimpleStringFlags(const char *text, PyCompilerFlags *flags) { return run_simple_string_named(text, NULL, flags); }

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* What is left of fp, as bytes. */
static PyObject *read_all(FILE *fp, PyObject *filename)
{
    size_t size = 1 << 16, n = 0;
    char *buffer = PyMem_RawMalloc(size);
    if (!buffer) return PyErr_NoMemory();
    for (;;) {
        size_t got;
        int error, failed;
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        got = fread(buffer + n, 1, size - n, fp);
        error = errno;
        failed = ferror(fp);
        Py_END_ALLOW_THREADS
        n += got;
        if (failed) {
            clearerr(fp);
            if (error == EINTR) {
                if (PyErr_CheckSignals() == 0) continue;
            }
            else {
                errno = error;
                PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, filename);
            }
            PyMem_RawFree(buffer);
            return NULL;
        }
        if (n < size) {
            if (feof(fp) || !got) break;
            continue;
        }
        char *grown = PyMem_RawRealloc(buffer, size *= 2);
        if (!grown) {
            PyMem_RawFree(buffer);
            return PyErr_NoMemory();
        }
        buffer = grown;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(buffer, (Py_ssize_t)n);
    PyMem_RawFree(buffer);
    return bytes;
}

/* ---- what is wrong with a file before anyone parses it ------------------------------------------------------------ */

/* The encoding in a coding cookie of the first two lines, lower case with dashes; false when there is none. */
static bool find_cookie(const char *p, const char *end, char name[64])
{
    for (int line = 0; line < 2 && p < end; line++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline : end;
        while (p < stop && (*p == ' ' || *p == '\t' || *p == '\f')) p++;
        if (p < stop && *p != '#' && *p != '\r') return false;         /* code: a second line is then no place for it */
        for (; p + 7 < stop; p++) {
            if (memcmp(p, "coding", 6) || (p[6] != ':' && p[6] != '=')) continue;
            const char *q = p + 7;
            size_t n = 0;
            while (q < stop && (*q == ' ' || *q == '\t')) q++;
            for (; q < stop && n < 63 && (Py_ISALNUM(*q) || *q == '-' || *q == '_' || *q == '.'); q++)
                name[n++] = *q == '_' ? '-' : (char)Py_TOLOWER(*q);
            name[n] = 0;
            if (n) return true;
        }
        if (!newline) return false;
        p = newline + 1;
    }
    return false;
}

static bool is_utf8_name(const char *name) { return strcmp(name, "utf-8") == 0 || strncmp(name, "utf-8-", 6) == 0 || strcmp(name, "utf8") == 0; }

/* Length of the well-formed UTF-8 character at p, 0 when it is none. */
static int utf8_length(const unsigned char *p, const unsigned char *end)
{
    int n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (!n || end - p < n) return 0;
    for (int i = 1; i < n; i++) if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return n;
}

static int encoding_problem(const char *name, const char *why)
{
    if (strcmp(name, "latin-1") == 0 || strcmp(name, "iso-8859-1") == 0 || strcmp(name, "iso-latin-1") == 0) name = "iso-8859-1";
    PyErr_Format(PyExc_SyntaxError, "encoding problem: %s%s", name, why);
    return -1;
}

static int null_byte(PyObject *filename, const unsigned char *start, const unsigned char *at, int line)
{
    PyObject *text = PyUnicode_DecodeUTF8((const char *)start, at - start, "replace");
    PyObject *args = text ? Py_BuildValue("(s(OiiOii))", "source code cannot contain null bytes", filename, line, 0, text, line, 0) : NULL;
    if (args) PyErr_SetObject(PyExc_SyntaxError, args);
    Py_XDECREF(text);
    Py_XDECREF(args);
    return -1;
}

/* Errors that CPython reports for files in words of their own: 0, or -1 with SyntaxError. */
static int check_file_source(PyObject *source, PyObject *filename)
{
    const unsigned char *p = (const unsigned char *)PyBytes_AS_STRING(source), *end = p + PyBytes_GET_SIZE(source);
    char name[64] = "utf-8";
    bool bom = end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0;
    if (bom) p += 3;
    bool cookie = find_cookie((const char *)p, (const char *)end, name);
    if (cookie && !is_utf8_name(name)) {
        if (bom) return encoding_problem(name, " with BOM");
        PyObject *text = PyUnicode_Decode((const char *)p, end - p, name, "strict");
        if (!text) {
            if (PyErr_ExceptionMatches(PyExc_MemoryError)) return -1;
            PyErr_Clear();
            return encoding_problem(name, "");
        }
        Py_DECREF(text);
        return 0;
    }
    int line = 1;
    for (const unsigned char *start = p; p < end;) {
        if (*p == 0) return null_byte(filename, start, p, line);
        int n = utf8_length(p, end);
        if (!n) {
            if (cookie || bom) return 0;                 /* said to be UTF-8: the tokenizer tells where it is not */
            PyErr_Format(PyExc_SyntaxError, "Non-UTF-8 code starting with '\\x%.2x' in file %U on line %i, but no encoding declared; "
                         "see https://peps.python.org/pep-0263/ for details", *p, filename, line);
            return -1;
        }
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
        p += n;
    }
    return 0;
}

static PyObject *run_file(FILE *fp, PyObject *filename, int start, PyObject *globals, PyObject *locals, int closeit,
                          PyCompilerFlags *flags)
{
    PyObject *source = read_all(fp, filename);
    if (closeit) fclose(fp);
    if (!source) return NULL;
    PyCompilerFlags plain = _PyCompilerFlags_INIT;
    Arena *arena = arena_new();
    mod_ty tree = arena && check_file_source(source, filename) == 0 ? syntax_parse_file(arena, PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source), filename, start,
                                             flags ? flags : &plain) : NULL;
    PyObject *code = tree ? compile_tree(tree, filename, flags ? flags : &plain, -1, arena) : NULL;
    arena_free(arena);
    Py_DECREF(source);
    PyObject *value = NULL;
    if (code && PySys_Audit("exec", "O", code) == 0) value = run_code(code, globals, locals);
    Py_XDECREF(code);
    flush_standard_streams();
    return value;
}

PyObject *PyRun_FileExFlags(FILE *fp, const char *filename, int start, PyObject *globals, PyObject *locals, int closeit,
                            PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    PyObject *value = name ? run_file(fp, name, start, globals, locals, closeit, flags) : NULL;
    Py_XDECREF(name);
    return value;
}

static uint32_t word_at(const unsigned char *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

/* A file is a .pyc by name, or (when it can be looked at without harm) by its first two bytes. */
static bool is_pyc(FILE *fp, PyObject *filename, int closeit)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(filename);
    PyObject *end = n >= 4 ? PyUnicode_Substring(filename, n - 4, n) : NULL;
    bool named = end && PyUnicode_EqualToUTF8(end, ".pyc");
    Py_XDECREF(end);
    if (named) return true;
    if (!closeit || ftell(fp) != 0) return false;
    unsigned char head[2];
    bool result = fread(head, 1, 2, fp) == 2 && (head[0] | head[1] << 8) == (IMPORT_MAGIC & 0xffff);
    rewind(fp);
    return result;
}

static PyObject *run_pyc(FILE *fp, PyObject *filename, PyObject *globals, PyObject *locals, PyCompilerFlags *flags)
{
    PyObject *bytes = read_all(fp, filename);
    fclose(fp);
    if (!bytes) return NULL;
    PyObject *code = NULL, *value = NULL;
    const unsigned char *p = (const unsigned char *)PyBytes_AS_STRING(bytes);
    if (PyBytes_GET_SIZE(bytes) < 4 || word_at(p) != (uint32_t)IMPORT_MAGIC)
        PyErr_SetString(PyExc_RuntimeError, "Bad magic number in .pyc file");
    else if (PyBytes_GET_SIZE(bytes) < 16) PyErr_SetString(PyExc_EOFError, "EOF read where not expected");
    else code = PyMarshal_ReadObjectFromString((const char *)p + 16, PyBytes_GET_SIZE(bytes) - 16);
    Py_DECREF(bytes);
    if (code && !PyCode_Check(code)) PyErr_SetString(PyExc_RuntimeError, "Bad code object in .pyc file");
    else if (code) value = run_code(code, globals, locals);
    if (value && flags) flags->cf_flags |= ((PyCodeObject *)code)->co_flags & PyCF_MASK;
    Py_XDECREF(code);
    return value;
}

static int set_main_loader(PyObject *dict, PyObject *filename, const char *loader_name)
{
    PyObject *importlib = interp_get()->runtime.importlib;
    if (!importlib) return 0;
    PyObject *external = PyObject_GetAttrString(importlib, "_bootstrap_external"), *type = NULL, *loader = NULL;
    if (external && (type = PyObject_GetAttrString(external, loader_name)))
        loader = PyObject_CallFunction(type, "sO", "__main__", filename);
    int status = loader ? PyDict_SetItem(dict, STR(__loader__), loader) : -1;
    Py_XDECREF(external);
    Py_XDECREF(type);
    Py_XDECREF(loader);
    return status;
}

/* Runs fp as __main__. -1 after an exception was shown. */
int run_simple_file(FILE *fp, PyObject *filename, int closeit, PyCompilerFlags *flags)
{
    int result = -1;
    bool set_file = false;
    PyObject *value = NULL, *module = PyImport_AddModuleRef("__main__");
    if (!module) return -1;
    PyObject *dict = PyModule_GetDict(module);
    int has = PyDict_Contains(dict, STR(__file__));
    if (has < 0) goto done;
    if (!has) {
        if (PyDict_SetItem(dict, STR(__file__), filename) < 0 || PyDict_SetItem(dict, STR(__cached__), Py_None) < 0) goto done;
        set_file = true;
    }
    if (is_pyc(fp, filename, closeit)) {
        if (closeit) fclose(fp);
        FILE *pyc = _Py_fopen_obj(filename, "rb");
        if (!pyc) {
            fprintf(stderr, "python: Can't reopen .pyc file\n");
            goto done;
        }
        if (set_main_loader(dict, filename, "SourcelessFileLoader") < 0) {
            fprintf(stderr, "python: failed to set __main__.__loader__\n");
            fclose(pyc);
            goto done;
        }
        value = run_pyc(pyc, filename, dict, dict, flags);
    }
    else {
        if (!PyUnicode_EqualToUTF8(filename, "<stdin>") && set_main_loader(dict, filename, "SourceFileLoader") < 0) {
            fprintf(stderr, "python: failed to set __main__.__loader__\n");
            goto done;
        }
        value = run_file(fp, filename, Py_file_input, dict, dict, closeit, flags);
    }
    flush_standard_streams();
    if (!value) {
        Py_CLEAR(module);
        PyErr_Print();
        goto done_no_clear;
    }
    Py_DECREF(value);
    result = 0;
done:
    if (set_file) {
        if (PyDict_PopString(dict, "__file__", NULL) < 0) PyErr_Print();
        if (PyDict_PopString(dict, "__cached__", NULL) < 0) PyErr_Print();
    }
done_no_clear:
    Py_XDECREF(module);
    return result;
}

int PyRun_SimpleFileExFlags(FILE *fp, const char *filename, int closeit, PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    if (!name) return -1;
    int status = run_simple_file(fp, name, closeit, flags);
    Py_DECREF(name);
    return status;
}

/* ---- the prompt ------------------------------------------------------------------------------------------------- */

typedef struct Prompt {
    FILE *fp;
    PyObject *ps1, *ps2, *encoding;         /* str or NULL */
    PyObject *source;                       /* list of the lines read */
    bool end;
} Prompt;

/* str(sys.ps1) in the terminal's encoding, as UTF-8 bytes object; NULL without exception when it has none. */
static PyObject *prompt_text(PyObject *name)
{
    PyObject *value = sys_get(name);
    if (!value) return NULL;
    Py_INCREF(value);
    PyObject *text = PyObject_Str(value);
    Py_DECREF(value);
    if (!text) PyErr_Clear();
    return text;
}

/* What one call of PyOS_Readline gives; "" at the end of the input. */
static PyObject *prompt_read(Prompt *p, PyObject *prompt)
{
    const char *shown = prompt ? PyUnicode_AsUTF8(prompt) : NULL;
    if (!shown) PyErr_Clear();
    char *raw = PyOS_Readline(p->fp ? p->fp : stdin, stdout, shown ? shown : "");
    if (!raw) {
        if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
        PySys_WriteStderr("\n");                           /* as below: what is reported begins on a line of its own */
        return NULL;
    }
    Py_ssize_t length = (Py_ssize_t)strlen(raw);
    if (!length) PySys_WriteStderr("\n");                  /* the end came on the prompt's line */
    const char *encoding = p->encoding ? PyUnicode_AsUTF8(p->encoding) : NULL;
    PyObject *text = encoding ? PyUnicode_Decode(raw, length, encoding, NULL) : PyUnicode_DecodeUTF8(raw, length, "replace");
    PyMem_Free(raw);
    return text;
}

/* A line; "" at the end of the input. When the input ends within a line, that is asked for to its end, as CPython does. */
static PyObject *prompt_read_line(void *context, int more)
{
    Prompt *p = context;
    if (p->end) return PyUnicode_FromString("");
    PyObject *line = prompt_read(p, more ? p->ps2 : p->ps1);
    while (line) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(line);
        if (length && PyUnicode_READ_CHAR(line, length - 1) == '\n') break;
        PyObject *rest = length ? prompt_read(p, p->ps2) : PyUnicode_FromString("");
        if (!rest || PyUnicode_GET_LENGTH(rest) == 0) {
            p->end = rest != NULL;
            if (rest) Py_DECREF(rest);
            else Py_CLEAR(line);
            break;
        }
        PyUnicode_AppendAndDel(&line, rest);
    }
    if (line && PyList_Append(p->source, line) < 0) Py_CLEAR(line);
    return line;
}

/* A SyntaxError of the compiler cannot read its line from a file that is none: give it the line that was typed. */
static void show_typed_line(Prompt *p)
{
    if (!PyErr_ExceptionMatches(PyExc_SyntaxError)) return;
    PyObject *exception = PyErr_GetRaisedException(), *text = PyObject_GetAttr(exception, STR(text));
    PyObject *lineno = text == Py_None ? PyObject_GetAttr(exception, STR(lineno)) : NULL;
    Py_ssize_t line = lineno && PyLong_Check(lineno) ? PyLong_AsSsize_t(lineno) : 0;
    if (line >= 1 && line <= PyList_GET_SIZE(p->source)) PyObject_SetAttr(exception, STR(text), PyList_GET_ITEM(p->source, line - 1));
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(lineno);
    PyErr_SetRaisedException(exception);
}

static int run_interactive_tree(mod_ty tree, Arena *arena, Prompt *p, PyObject *filename, PyCompilerFlags *flags)
{
    RuntimeState *r = &interp_get()->runtime;
    PyObject *module = PyImport_AddModuleRef("__main__"), *name = NULL, *code = NULL, *value = NULL, *source = NULL, *empty = NULL;
    if (!module) return -1;
    PyObject *dict = PyModule_GetDict(module);
    if (!(name = PyUnicode_FromFormat("%U-%d", filename, r->interactive_count++))) goto done;
    if (!(code = compile_tree(tree, name, flags, -1, arena))) {
        show_typed_line(p);
        goto done;
    }
    if ((empty = PyUnicode_FromString("")) && (source = PyUnicode_Join(empty, p->source))) register_source(code, source, filename);
    if (PySys_Audit("exec", "O", code) < 0) goto done;
    value = run_code(code, dict, dict);
    flush_standard_streams();
done:
    Py_XDECREF(name);
    Py_XDECREF(code);
    Py_XDECREF(source);
    Py_XDECREF(empty);
    Py_DECREF(module);
    Py_XDECREF(value);
    return value ? 0 : -1;
}

/* 0, -1 with an exception, STATUS_EOF. */
static int interactive_one(FILE *fp, PyObject *filename, PyCompilerFlags *flags)
{
    Prompt p = { .fp = fp };
    int status = -1, at_end = 0;
    PyObject *input = sys_get(STR(stdin));
    if (input && input != Py_None && PyObject_GetOptionalAttr(input, STR(encoding), &p.encoding) < 0) PyErr_Clear();
    if (p.encoding && !PyUnicode_Check(p.encoding)) Py_CLEAR(p.encoding);
    p.ps1 = prompt_text(STR(ps1));
    p.ps2 = prompt_text(STR(ps2));
    p.source = PyList_New(0);
    Arena *arena = p.source ? arena_new() : NULL;
    mod_ty tree = arena ? syntax_parse_lines(arena, prompt_read_line, &p, filename, Py_single_input, flags, &at_end) : NULL;
    if (!tree && at_end) {
        PyErr_Clear();
        status = STATUS_EOF;
    }
    else if (tree) status = run_interactive_tree(tree, arena, &p, filename, flags);
    arena_free(arena);
    Py_XDECREF(p.encoding);
    Py_XDECREF(p.ps1);
    Py_XDECREF(p.ps2);
    Py_XDECREF(p.source);
    return status;
}

int PyRun_InteractiveOneObject(FILE *fp, PyObject *filename, PyCompilerFlags *flags)
{
    PyCompilerFlags plain = _PyCompilerFlags_INIT;
    int status = interactive_one(fp, filename, flags ? flags : &plain);
    if (status == -1) {
        PyErr_Print();
        flush_standard_streams();
    }
    return status;
}

int PyRun_InteractiveOneFlags(FILE *fp, const char *filename, PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    if (!name) {
        PyErr_Print();
        return -1;
    }
    int status = PyRun_InteractiveOneObject(fp, name, flags);
    Py_DECREF(name);
    return status;
}

static int default_prompt(PyObject *name, const char *text)
{
    if (sys_get(name)) return 0;
    PyObject *value = PyUnicode_FromString(text);
    int status = value ? sys_set(name, value) : -1;
    Py_XDECREF(value);
    return status;
}

static int interactive_loop(FILE *fp, PyObject *filename, PyCompilerFlags *flags)
{
    PyCompilerFlags plain = _PyCompilerFlags_INIT;
    if (!flags) flags = &plain;
    if (default_prompt(STR(ps1), ">>> ") < 0 || default_prompt(STR(ps2), "... ") < 0) PyErr_Clear();
    int errors_without_memory = 0, failed = 0;
    for (;;) {
        int status = interactive_one(fp, filename, flags);
        if (status == STATUS_EOF) break;
        if (status == 0) {
            errors_without_memory = 0;
            continue;
        }
        if (!PyErr_Occurred()) continue;
        if (PyErr_ExceptionMatches(PyExc_MemoryError)) {
            if (++errors_without_memory > 16) {
                PyErr_Clear();
                failed = -1;
                break;
            }
        }
        else errors_without_memory = 0;
        PyErr_Print();
        flush_standard_streams();
    }
    return failed;
}

int PyRun_InteractiveLoopFlags(FILE *fp, const char *filename, PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    if (!name) {
        PyErr_Print();
        return -1;
    }
    int status = interactive_loop(fp, name, flags);
    Py_DECREF(name);
    return status;
}

int run_any_file(FILE *fp, PyObject *filename, int closeit, PyCompilerFlags *flags)
{
    const char *name = PyUnicode_AsUTF8(filename);
    if (!name) PyErr_Clear();
    if (!Py_FdIsInteractive(fp, name ? name : "")) return run_simple_file(fp, filename, closeit, flags);
    int status = interactive_loop(fp, filename, flags);
    if (closeit) fclose(fp);
    return status;
}

int PyRun_AnyFileExFlags(FILE *fp, const char *filename, int closeit, PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename ? filename : "???");
    if (!name) {
        PyErr_Print();
        return -1;
    }
    int status = run_any_file(fp, name, closeit, flags);
    Py_DECREF(name);
    return status;
}

int Py_FdIsInteractive(FILE *fp, const char *filename)
{
    if (isatty(fileno(fp))) return 1;
    if (!thread_current || !interp_config(interp_get())->interactive) return 0;
    return !filename || strcmp(filename, "<stdin>") == 0 || strcmp(filename, "???") == 0;
}

/* ---- the functions behind the macros ---------------------------------------------------------------------------- */

PyObject *(PyRun_String)(const char *text, int start, PyObject *g, PyObject *l) { return PyRun_StringFlags(text, start, g, l, NULL); }
int (PyRun_AnyFile)(FILE *fp, const char *name) { return PyRun_AnyFileExFlags(fp, name, 0, NULL); }
int (PyRun_AnyFileEx)(FILE *fp, const char *name, int closeit) { return PyRun_AnyFileExFlags(fp, name, closeit, NULL); }
int (PyRun_AnyFileFlags)(FILE *fp, const char *name, PyCompilerFlags *flags) { return PyRun_AnyFileExFlags(fp, name, 0, flags); }
int (PyRun_SimpleString)(const char *text) { return PyRun_SimpleStringFlags(text, NULL); }
int (PyRun_SimpleFile)(FILE *fp, const char *name) { return PyRun_SimpleFileExFlags(fp, name, 0, NULL); }
int (PyRun_SimpleFileEx)(FILE *fp, const char *name, int closeit) { return PyRun_SimpleFileExFlags(fp, name, closeit, NULL); }
int (PyRun_InteractiveOne)(FILE *fp, const char *name) { return PyRun_InteractiveOneFlags(fp, name, NULL); }
int (PyRun_InteractiveLoop)(FILE *fp, const char *name) { return PyRun_InteractiveLoopFlags(fp, name, NULL); }

PyObject *(PyRun_File)(FILE *fp, const char *name, int start, PyObject *g, PyObject *l)
{
    return PyRun_FileExFlags(fp, name, start, g, l, 0, NULL);
}

PyObject *(PyRun_FileEx)(FILE *fp, const char *name, int start, PyObject *g, PyObject *l, int closeit)
{
    return PyRun_FileExFlags(fp, name, start, g, l, closeit, NULL);
}

PyObject *(PyRun_FileFlags)(FILE *fp, const char *name, int start, PyObject *g, PyObject *l, PyCompilerFlags *flags)
{
    return PyRun_FileExFlags(fp, name, start, g, l, 0, flags);
}
