/* sys: what describes the build (made once) and the configuration (set when it is known). */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "modules/sys_private.h"

#include <float.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- the build -------------------------------------------------------------------------------------------------- */

const unsigned long Py_Version = PY_VERSION_HEX;

const char *Py_GetBuildInfo(void) { return "main, " __DATE__ ", " __TIME__; }
const char *Py_GetCompiler(void) { return "[Taipan " TAIPAN_VERSION "]"; }
const char *Py_GetPlatform(void) { return "linux"; }

const char *Py_GetVersion(void) { return PY_VERSION " (main, " __DATE__ ", " __TIME__ ") [Taipan " TAIPAN_VERSION "]"; }

const char *Py_GetCopyright(void)
{
    return "Copyright (c) 2001-2024 Python Software Foundation.\nAll Rights Reserved.\n\n"
           "Copyright (c) 2000 BeOpen.com.\nAll Rights Reserved.\n\n"
           "Copyright (c) 1995-2001 Corporation for National Research Initiatives.\nAll Rights Reserved.\n\n"
           "Copyright (c) 1991-1995 Stichting Mathematisch Centrum, Amsterdam.\nAll Rights Reserved.";
}

static const char sys_doc[] =
    "Access to objects that the interpreter uses or maintains, and functions that interact with it.\n\n"
    "Dynamic objects:\n\n"
    "argv -- command line arguments; argv[0] is the script pathname if known\n"
    "path -- module search path; path[0] is the script directory, else ''\n"
    "modules -- dictionary of loaded modules\n"
    "displayhook, excepthook -- what shows results and uncaught exceptions\n"
    "stdin, stdout, stderr -- standard streams\n"
    "last_exc -- the last uncaught exception of an interactive session\n\n"
    "Static objects describe the version, the platform and the limits of this interpreter.\n";

/* ---- structseqs ------------------------------------------------------------------------------------------------- */

#define FIELDS(name) static PyStructSequence_Field name[] =

FIELDS(flags_fields) {
    {"debug", "-d"}, {"inspect", "-i"}, {"interactive", "-i"}, {"optimize", "-O or -OO"}, {"dont_write_bytecode", "-B"},
    {"no_user_site", "-s"}, {"no_site", "-S"}, {"ignore_environment", "-E"}, {"verbose", "-v"}, {"bytes_warning", "-b"},
    {"quiet", "-q"}, {"hash_randomization", "-R"}, {"isolated", "-I"}, {"dev_mode", "-X dev"}, {"utf8_mode", "-X utf8"},
    {"warn_default_encoding", "-X warn_default_encoding"}, {"safe_path", "-P"}, {"int_max_str_digits", "-X int_max_str_digits"},
    {"gil", "-X gil"}, {0}
};
FIELDS(version_fields) {
    {"major", "Major release number"}, {"minor", "Minor release number"}, {"micro", "Patch release number"},
    {"releaselevel", "'alpha', 'beta', 'candidate', or 'final'"}, {"serial", "Serial release number"}, {0}
};
FIELDS(float_fields) {
    {"max", "DBL_MAX -- maximum representable finite float"},
    {"max_exp", "DBL_MAX_EXP -- maximum int e such that radix**(e-1) is representable"},
    {"max_10_exp", "DBL_MAX_10_EXP -- maximum int e such that 10**e is representable"},
    {"min", "DBL_MIN -- Minimum positive normalized float"},
    {"min_exp", "DBL_MIN_EXP -- minimum int e such that radix**(e-1) is a normalized float"},
    {"min_10_exp", "DBL_MIN_10_EXP -- minimum int e such that 10**e is a normalized float"},
    {"dig", "DBL_DIG -- maximum number of decimal digits that can be faithfully represented in a float"},
    {"mant_dig", "DBL_MANT_DIG -- mantissa digits"},
    {"epsilon", "DBL_EPSILON -- Difference between 1 and the next representable float"},
    {"radix", "FLT_RADIX -- radix of exponent"}, {"rounds", "FLT_ROUNDS -- rounding mode used for arithmetic operations"}, {0}
};
FIELDS(int_fields) {
    {"bits_per_digit", "size of a digit in bits"}, {"sizeof_digit", "size in bytes of the C type used to represent a digit"},
    {"default_max_str_digits", "maximum string conversion digits limitation"},
    {"str_digits_check_threshold", "minimum positive value for int_max_str_digits"}, {0}
};
FIELDS(hash_fields) {
    {"width", "width of the type used for hashing, in bits"},
    {"modulus", "prime number giving the modulus on which the hash function is based"},
    {"inf", "value to be used for hash of a positive infinity"}, {"nan", "value to be used for hash of a nan"},
    {"imag", "multiplier used for the imaginary part of a complex number"},
    {"algorithm", "name of the algorithm for hashing of str, bytes and memoryviews"},
    {"hash_bits", "internal output size of hash algorithm"}, {"seed_bits", "seed size of hash algorithm"},
    {"cutoff", "small string optimization cutoff"}, {0}
};
FIELDS(hooks_fields) {
    {"firstiter", "Hook to intercept first iteration"}, {"finalizer", "Hook to intercept finalization"}, {0}
};

static PyStructSequence_Desc flags_desc = {
    "sys.flags", "sys.flags\n\nFlags provided through command line arguments or environment vars.", flags_fields, 18 };
static PyStructSequence_Desc version_desc = {
    "sys.version_info", "sys.version_info\n\nVersion information as a named tuple.", version_fields, 5 };
static PyStructSequence_Desc float_desc = {
    "sys.float_info", "sys.float_info\n\nWhat the float type can represent, as a named tuple.", float_fields, 11 };
static PyStructSequence_Desc int_desc = {
    "sys.int_info", "sys.int_info\n\nHow integers are represented internally, as a named tuple.", int_fields, 4 };
static PyStructSequence_Desc hash_desc = {
    "sys.hash_info", "hash_info\n\nThe parameters of hashing, as a named tuple.", hash_fields, 9 };
static PyStructSequence_Desc hooks_desc = {
    "sys.asyncgen_hooks", "asyncgen_hooks\n\nThe hooks of asynchronous generators, as a named tuple.", hooks_fields, 2 };

static PyObject *state_extra(void)
{
    RuntimeState *r = &interp_get()->runtime;
    if (!r->extra) r->extra = PyDict_New();
    return r->extra;
}

PyObject *sys_type(const char *name)
{
    PyObject *extra = state_extra();
    PyObject *type = extra ? PyDict_GetItemString(extra, name) : NULL;
    if (!type && !PyErr_Occurred()) PyErr_Format(PyExc_RuntimeError, "lost sys.%s", name);
    return type;
}

/* A structseq type that Python code cannot instantiate when closed. New reference. */
static PyTypeObject *info_type(PyStructSequence_Desc *desc, bool closed)
{
    PyTypeObject *type = PyStructSequence_NewType(desc);
    if (type && closed) {
        type->tp_new = NULL;
        type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
        PyObject *dict = PyType_GetDict(type);
        if (dict && PyDict_Pop(dict, STR(__new__), NULL) < 0) PyErr_Clear();
        Py_XDECREF(dict);
        PyType_Modified(type);
    }
    return type;
}

/* The values are stolen; a NULL among them means an exception. */
static PyObject *info_fill(PyTypeObject *type, PyObject **values, int count)
{
    PyObject *info = type ? PyStructSequence_New(type) : NULL;
    for (int i = 0; i < count; i++) {
        if (info) PyStructSequence_SetItem(info, i, values[i]);
        else Py_XDECREF(values[i]);
    }
    if (info && PyErr_Occurred()) Py_CLEAR(info);
    return info;
}

#define INT(x) PyLong_FromLong((long)(x))
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static PyObject *make_info(PyStructSequence_Desc *desc, bool closed, PyObject **values, int count)
{
    PyTypeObject *type = info_type(desc, closed);
    PyObject *info = info_fill(type, values, count);
    Py_XDECREF(type);
    return info;
}

static PyObject *make_version_info(void)
{
    PyObject *values[] = { INT(PY_MAJOR_VERSION), INT(PY_MINOR_VERSION), INT(PY_MICRO_VERSION),
                           PyUnicode_InternFromString("final"), INT(PY_RELEASE_SERIAL) };
    return make_info(&version_desc, true, values, COUNT(values));
}

static PyObject *make_float_info(void)
{
    PyObject *values[] = { PyFloat_FromDouble(DBL_MAX), INT(DBL_MAX_EXP), INT(DBL_MAX_10_EXP), PyFloat_FromDouble(DBL_MIN),
                           INT(DBL_MIN_EXP), INT(DBL_MIN_10_EXP), INT(DBL_DIG), INT(DBL_MANT_DIG),
                           PyFloat_FromDouble(DBL_EPSILON), INT(FLT_RADIX), INT(1) };
    return make_info(&float_desc, false, values, COUNT(values));
}

static PyObject *make_int_info(void)
{
    PyObject *values[] = { INT(PyLong_SHIFT), INT(sizeof(digit)), INT(4300), INT(640) };
    return make_info(&int_desc, false, values, COUNT(values));
}

static PyObject *make_hash_info(void)
{
    PyHash_FuncDef *function = PyHash_GetFuncDef();
    PyObject *values[] = { INT(8 * sizeof(Py_hash_t)), PyLong_FromSsize_t(PyHASH_MODULUS), INT(PyHASH_INF), INT(0),
                           INT(PyHASH_IMAG), PyUnicode_FromString(function->name), INT(function->hash_bits),
                           INT(function->seed_bits), INT(Py_HASH_CUTOFF) };
    return make_info(&hash_desc, false, values, COUNT(values));
}

/* SimpleNamespace(**dict); dict is stolen. */
static PyObject *namespace_of(PyObject *dict)
{
    PyObject *type = (PyObject *)&_PyNamespace_Type;
    PyObject *result = dict && type ? PyObject_Call(type, EMPTY_TUPLE, dict) : NULL;
    Py_XDECREF(dict);
    return result;
}

static int put(PyObject *dict, const char *name, PyObject *value)     /* value stolen */
{
    int status = -1;
    PyObject *key = value ? PyUnicode_InternFromString(name) : NULL;
    if (key) status = PyDict_SetItem(dict, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return status;
}

static PyObject *make_implementation(PyObject *version_info)
{
    PyObject *dict = PyDict_New();
    if (!dict) return NULL;
    if (put(dict, "name", PyUnicode_InternFromString("cpython")) < 0 ||
        put(dict, "cache_tag", PyUnicode_InternFromString(PyImport_GetMagicTag())) < 0 ||
        put(dict, "version", Py_NewRef(version_info)) < 0 || put(dict, "hexversion", INT(PY_VERSION_HEX)) < 0 ||
        put(dict, "_multiarch", PyUnicode_FromString(TAIPAN_MULTIARCH)) < 0) {
        Py_DECREF(dict);
        return NULL;
    }
    return namespace_of(dict);
}

static PyObject *make_taipan(void)
{
    PyObject *dict = PyDict_New();
    if (!dict) return NULL;
    if (put(dict, "name", PyUnicode_FromString("Taipan")) < 0 ||
        put(dict, "version", PyUnicode_FromString(TAIPAN_VERSION)) < 0 ||
#ifdef NDEBUG
        put(dict, "debug", Py_NewRef(Py_False)) < 0 ||
#else
        put(dict, "debug", Py_NewRef(Py_True)) < 0 ||
#endif
        put(dict, "deps", PyUnicode_FromString(TAIPAN_DEPS)) < 0) {
        Py_DECREF(dict);
        return NULL;
    }
    return namespace_of(dict);
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static PyObject *make_builtin_names(void)
{
    const char *names[512];
    size_t count = 0;
    for (struct _inittab *entry = PyImport_Inittab; entry->name && count < 512; entry++) names[count++] = entry->name;
    qsort(names, count, sizeof *names, compare_names);
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        if (!name) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, name);
    }
    return tuple;
}

static PyObject *make_stdlib_names(void)
{
    static const char *const names[] = {
#define N(x) #x,
#include "modules/stdlib_names.def"
    };
    PyObject *tuple = PyTuple_New(COUNT(names));
    for (int i = 0; tuple && i < COUNT(names); i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        if (!name) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, i, name);
    }
    PyObject *set = tuple ? PyFrozenSet_New(tuple) : NULL;
    Py_XDECREF(tuple);
    return set;
}

static PyModuleDef sys_module = { PyModuleDef_HEAD_INIT, .m_name = "sys", .m_doc = sys_doc, .m_size = -1, .m_methods = sys_methods };

static int sys_fill(PyObject *dict)
{
    PyObject *extra = state_extra(), *version_info = make_version_info();
    if (!extra || !version_info) {
        Py_XDECREF(version_info);
        return -1;
    }
    int failed =
        put(dict, "__displayhook__", Py_XNewRef(PyDict_GetItemString(dict, "displayhook"))) ||
        put(dict, "__excepthook__", Py_XNewRef(PyDict_GetItemString(dict, "excepthook"))) ||
        put(dict, "__breakpointhook__", Py_XNewRef(PyDict_GetItemString(dict, "breakpointhook"))) ||
        put(dict, "__unraisablehook__", Py_XNewRef(PyDict_GetItemString(dict, "unraisablehook"))) ||
        put(dict, "version", PyUnicode_FromString(Py_GetVersion())) || put(dict, "hexversion", INT(PY_VERSION_HEX)) ||
        put(dict, "_git", Py_BuildValue("(sss)", "CPython", "", "")) || put(dict, "_framework", PyUnicode_FromString("")) ||
        put(dict, "api_version", INT(PYTHON_API_VERSION)) || put(dict, "copyright", PyUnicode_FromString(Py_GetCopyright())) ||
        put(dict, "platform", PyUnicode_InternFromString("linux")) || put(dict, "maxsize", PyLong_FromSsize_t(PY_SSIZE_T_MAX)) ||
        put(dict, "float_info", make_float_info()) || put(dict, "int_info", make_int_info()) ||
        put(dict, "hash_info", make_hash_info()) || put(dict, "maxunicode", INT(0x10FFFF)) ||
        put(dict, "builtin_module_names", make_builtin_names()) || put(dict, "stdlib_module_names", make_stdlib_names()) ||
        put(dict, "byteorder", PyUnicode_InternFromString(PY_LITTLE_ENDIAN ? "little" : "big")) ||
        put(dict, "abiflags", PyUnicode_InternFromString("")) || put(dict, "version_info", Py_NewRef(version_info)) ||
        put(dict, "implementation", make_implementation(version_info)) || put(dict, "_taipan", make_taipan()) ||
        put(dict, "float_repr_style", PyUnicode_InternFromString("short")) || put(dict, "thread_info", PyThread_GetInfo()) ||
        put(extra, "asyncgen_hooks", (PyObject *)info_type(&hooks_desc, true)) ||
        put(extra, "flags", (PyObject *)info_type(&flags_desc, true));
    Py_DECREF(version_info);
    return failed ? -1 : 0;
}

PyObject *sys_module_new(PyThreadState *ts)
{
    PyObject *module = PyModule_Create2(&sys_module, PYTHON_API_VERSION);
    if (!module) return NULL;
    PyObject *dict = PyModule_GetDict(module);
    ts->interp->runtime.sysdict = Py_NewRef(dict);
    if (sys_fill(dict) < 0) Py_CLEAR(module);
    return module;
}

/* ---- the configuration ------------------------------------------------------------------------------------------ */

static PyObject *wide_or(const wchar_t *text, PyObject *otherwise)
{
    if (!text) return Py_NewRef(otherwise);
    PyObject *value = PyUnicode_FromWideChar(text, -1);
    if (value) PyUnicode_InternInPlace(&value);
    return value;
}

static PyObject *wide_list(const PyWideStringList *list)
{
    PyObject *result = PyList_New(list->length);
    for (Py_ssize_t i = 0; result && i < list->length; i++) {
        PyObject *item = PyUnicode_FromWideChar(list->items[i], -1);
        if (!item) Py_CLEAR(result);
        else PyList_SET_ITEM(result, i, item);
    }
    return result;
}

static PyObject *xoptions_dict(const PyWideStringList *list)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict && i < list->length; i++) {
        const wchar_t *text = list->items[i], *equals = wcschr(text, L'=');
        PyObject *name = PyUnicode_FromWideChar(text, equals ? equals - text : -1);
        PyObject *value = equals ? PyUnicode_FromWideChar(equals + 1, -1) : Py_NewRef(Py_True);
        if (!name || !value || PyDict_SetItem(dict, name, value) < 0) Py_CLEAR(dict);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *make_flags(const PyConfig *c)
{
    const PyPreConfig *pre = &_PyRuntime.runtime.preconfig;
    PyObject *values[] = {
        INT(c->parser_debug != 0), INT(c->inspect), INT(c->interactive), INT(c->optimization_level), INT(!c->write_bytecode),
        INT(!c->user_site_directory), INT(!c->site_import), INT(!c->use_environment), INT(c->verbose), INT(c->bytes_warning),
        INT(c->quiet), INT(c->use_hash_seed == 0 || c->hash_seed != 0), INT(c->isolated), PyBool_FromLong(c->dev_mode),
        INT(pre->utf8_mode), INT(c->warn_default_encoding), PyBool_FromLong(c->safe_path), INT(c->int_max_str_digits), INT(1),
    };
    return info_fill((PyTypeObject *)sys_type("flags"), values, COUNT(values));
}

int sys_set_config(PyThreadState *ts)
{
    const PyConfig *c = &ts->interp->runtime.config;
    PyObject *dict = ts->interp->runtime.sysdict, *empty = EMPTY_STR;
    int failed =
        put(dict, "executable", wide_or(c->executable, empty)) || put(dict, "_base_executable", wide_or(c->base_executable, empty)) ||
        put(dict, "prefix", wide_or(c->prefix, empty)) || put(dict, "base_prefix", wide_or(c->base_prefix, empty)) ||
        put(dict, "exec_prefix", wide_or(c->exec_prefix, empty)) ||
        put(dict, "base_exec_prefix", wide_or(c->base_exec_prefix, empty)) ||
        put(dict, "platlibdir", wide_or(c->platlibdir, empty)) || put(dict, "_home", wide_or(c->home, Py_None)) ||
        put(dict, "pycache_prefix", wide_or(c->pycache_prefix, Py_None)) ||
        put(dict, "_stdlib_dir", wide_or(c->stdlib_dir, Py_None)) || put(dict, "argv", wide_list(&c->argv)) ||
        put(dict, "orig_argv", wide_list(&c->orig_argv)) || put(dict, "warnoptions", wide_list(&c->warnoptions)) ||
        put(dict, "_xoptions", xoptions_dict(&c->xoptions)) || put(dict, "flags", make_flags(c)) ||
        put(dict, "dont_write_bytecode", PyBool_FromLong(!c->write_bytecode));
    if (!failed && c->module_search_paths_set) failed = put(dict, "path", wide_list(&c->module_search_paths));
    if (!failed) ts->interp->objects.numbers.max_str_digits = c->int_max_str_digits >= 0 ? c->int_max_str_digits : 4300;
    return failed ? -1 : 0;
}

PyObject *PySys_GetXOptions(void)
{
    PyObject *options = PySys_GetObject("_xoptions");
    if (!options || !PyDict_Check(options)) {
        options = PyDict_New();
        if (!options) return NULL;
        int status = PySys_SetObject("_xoptions", options);
        Py_DECREF(options);
        if (status < 0) return NULL;
    }
    return options;
}

/* ---- sys.argv and old setters ----------------------------------------------------------------------------------- */

static PyObject *warn_options(void)
{
    PyObject *options = PySys_GetObject("warnoptions");
    if (options && PyList_Check(options)) return options;
    options = PyList_New(0);
    if (!options) return NULL;
    int status = PySys_SetObject("warnoptions", options);
    Py_DECREF(options);
    return status < 0 ? NULL : options;
}

void PySys_ResetWarnOptions(void)
{
    if (!thread_current) return;
    PyObject *options = PySys_GetObject("warnoptions");
    if (options && PyList_Check(options)) PyList_SetSlice(options, 0, PyList_GET_SIZE(options), NULL);
}

/* In the stable ABI, no longer declared. */
PyAPI_FUNC(void) PySys_AddWarnOptionUnicode(PyObject *option);
PyAPI_FUNC(void) PySys_AddWarnOption(const wchar_t *option);
PyAPI_FUNC(int) PySys_HasWarnOptions(void);
PyAPI_FUNC(void) PySys_AddXOption(const wchar_t *option);
PyAPI_FUNC(void) PySys_SetPath(const wchar_t *path);

void PySys_AddWarnOptionUnicode(PyObject *option)
{
    PyObject *options = warn_options();
    if (!options || PyList_Append(options, option) < 0) PyErr_Clear();
}

void PySys_AddWarnOption(const wchar_t *option)
{
    if (!thread_current) return;
    PyObject *text = PyUnicode_FromWideChar(option, -1);
    if (!text) PyErr_Clear();
    else PySys_AddWarnOptionUnicode(text);
    Py_XDECREF(text);
}

int PySys_HasWarnOptions(void)
{
    PyObject *options = PySys_GetObject("warnoptions");
    return options && PyList_Check(options) && PyList_GET_SIZE(options) > 0;
}

void PySys_AddXOption(const wchar_t *option)
{
    if (!thread_current) return;
    PyObject *options = PySys_GetXOptions();
    const wchar_t *equals = wcschr(option, L'=');
    PyObject *name = PyUnicode_FromWideChar(option, equals ? equals - option : -1);
    PyObject *value = equals ? PyUnicode_FromWideChar(equals + 1, -1) : Py_NewRef(Py_True);
    if (!options || !name || !value || PyDict_SetItem(options, name, value) < 0) PyErr_Clear();
    Py_XDECREF(name);
    Py_XDECREF(value);
}

void PySys_SetPath(const wchar_t *path)
{
    PyObject *list = PyList_New(0);
    for (const wchar_t *end; list; path = end + 1) {
        end = wcschr(path, L':');
        PyObject *item = PyUnicode_FromWideChar(path, end ? end - path : -1);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
        if (!end) break;
    }
    if (!list || sys_set(STR(path), list) < 0) _Py_FatalErrorFunc(__func__, "can't assign sys.path");
    Py_DECREF(list);
}

void PySys_SetArgvEx(int argc, wchar_t **argv, int update_path)
{
    wchar_t *nothing[1] = { L"" };
    if (argc < 1 || !argv) {
        argv = nothing;
        argc = 1;
    }
    PyWideStringList list = { .length = argc, .items = argv };
    PyObject *value = wide_list(&list);
    if (!value || sys_set(STR(argv), value) < 0) _Py_FatalErrorFunc(__func__, "can't assign sys.argv");
    Py_DECREF(value);
    if (!update_path) return;
    PyObject *first = NULL, *path = sys_get(STR(path));
    if (main_path_compute(&list, &first) > 0 && path && PyList_Insert(path, 0, first) < 0)
        _Py_FatalErrorFunc(__func__, "can't prepend path0 to sys.path");
    Py_XDECREF(first);
}

void PySys_SetArgv(int argc, wchar_t **argv)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    PySys_SetArgvEx(argc, argv, !interp_config(interp_get())->isolated);
#pragma GCC diagnostic pop
}

/* ---- printing --------------------------------------------------------------------------------------------------- */

static void stream_write(PyObject *text, PyObject *stream, FILE *otherwise)
{
    if (!text || !stream || stream == Py_None || PyFile_WriteObject(text, stream, Py_PRINT_RAW) < 0) {
        PyErr_Clear();
        const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
        if (utf8) fputs(utf8, otherwise);
        else PyErr_Clear();
    }
    Py_XDECREF(text);
}

/* printf-like, at most 1000 bytes, as documented. */
static void write_bounded(PyObject *name, FILE *otherwise, const char *format, va_list list)
{
    PyObject *saved = PyErr_GetRaisedException();
    char buffer[1001];
    int written = PyOS_vsnprintf(buffer, sizeof buffer, format, list);
    PyObject *stream = Py_XNewRef(sys_get(name));
    stream_write(PyUnicode_FromString(buffer), stream, otherwise);
    if (written < 0 || (size_t)written >= sizeof buffer) stream_write(PyUnicode_FromString("... truncated"), stream, otherwise);
    Py_XDECREF(stream);
    PyErr_SetRaisedException(saved);
}

static void write_formatted(PyObject *name, FILE *otherwise, const char *format, va_list list)
{
    PyObject *saved = PyErr_GetRaisedException();
    PyObject *stream = Py_XNewRef(sys_get(name));
    stream_write(PyUnicode_FromFormatV(format, list), stream, otherwise);
    Py_XDECREF(stream);
    PyErr_SetRaisedException(saved);
}

#define WRITER(function, name, file, how) \
    void function(const char *format, ...) \
    { \
        va_list list; \
        va_start(list, format); \
        how(STR(name), file, format, list); \
        va_end(list); \
    }
WRITER(PySys_WriteStdout, stdout, stdout, write_bounded)
WRITER(PySys_WriteStderr, stderr, stderr, write_bounded)
WRITER(PySys_FormatStdout, stdout, stdout, write_formatted)
WRITER(PySys_FormatStderr, stderr, stderr, write_formatted)

/* ---- perf maps -------------------------------------------------------------------------------------------------- */

/* No code is generated at run time: the map file stays empty, and says so by failing. */
int PyUnstable_PerfMapState_Init(void) { return -1; }
int PyUnstable_WritePerfMapEntry(const void *Py_UNUSED(a), unsigned int Py_UNUSED(s), const char *Py_UNUSED(n)) { return -1; }
void PyUnstable_PerfMapState_Fini(void) { }
int PyUnstable_CopyPerfMapFile(const char *Py_UNUSED(name)) { return -1; }
int PyUnstable_PerfTrampoline_CompileCode(PyCodeObject *Py_UNUSED(code)) { return 0; }
int PyUnstable_PerfTrampoline_SetPersistAfterFork(int Py_UNUSED(enable)) { return 0; }
