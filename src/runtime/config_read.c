/* From the command line and the environment to a complete PyConfig. Preinitialization (locale, UTF-8 mode) first, because
 * without it no argument can be decoded. Paths are computed in pathconfig.c. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/usage.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define P (&_PyRuntime.runtime)
#define RETURN_IF_EXCEPTION(status) do { PyStatus s_ = (status); if (PyStatus_Exception(s_)) return s_; } while (0)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
int Py_DebugFlag, Py_VerboseFlag, Py_QuietFlag, Py_InteractiveFlag, Py_InspectFlag, Py_OptimizeFlag, Py_NoSiteFlag,
    Py_BytesWarningFlag, Py_FrozenFlag, Py_IgnoreEnvironmentFlag, Py_DontWriteBytecodeFlag, Py_NoUserSiteDirectory,
    Py_UnbufferedStdioFlag, Py_HashRandomizationFlag, Py_IsolatedFlag;
#pragma GCC diagnostic pop

/* ---- the environment -------------------------------------------------------------------------------------------- */

/* NULL when unset or empty. */
static const char *environment_get(int use_environment, const char *name)
{
    if (!use_environment) return NULL;
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *Py_GETENV(const char *name)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return Py_IgnoreEnvironmentFlag ? NULL : getenv(name);
#pragma GCC diagnostic pop
}

static int string_to_int(const char *text, int *result)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*end || errno == ERANGE || value < INT_MIN || value > INT_MAX) return -1;
    *result = (int)value;
    return 0;
}

static int wide_to_int(const wchar_t *text, int *result)
{
    wchar_t *end;
    errno = 0;
    long value = wcstol(text, &end, 10);
    if (*end || errno == ERANGE || value < INT_MIN || value > INT_MAX) return -1;
    *result = (int)value;
    return 0;
}

/* A number raises the flag to it; anything else means 1. */
static void environment_flag(int use_environment, int *flag, const char *name)
{
    const char *text = environment_get(use_environment, name);
    int value;
    if (!text) return;
    if (string_to_int(text, &value) < 0 || value < 0) value = 1;
    if (*flag < value) *flag = value;
}

static PyStatus environment_string(const PyConfig *config, wchar_t **field, const char *name, const char *message)
{
    const char *text = environment_get(config->use_environment, name);
    if (!text || *field) return PyStatus_Ok();
    return config_decode(field, text, message);
}

/* ---- -X --------------------------------------------------------------------------------------------------------- */

/* The last option NAME or NAME=...; NULL when absent. */
static const wchar_t *xoption_find(const PyWideStringList *options, const wchar_t *name)
{
    size_t length = wcslen(name);
    for (Py_ssize_t i = 0; i < options->length; i++) {
        const wchar_t *option = options->items[i], *equals = wcschr(option, L'=');
        size_t n = equals ? (size_t)(equals - option) : wcslen(option);
        if (n == length && wcsncmp(option, name, n) == 0) return option;
    }
    return NULL;
}

static const wchar_t *xoption_value(const wchar_t *option)
{
    const wchar_t *equals = option ? wcschr(option, L'=') : NULL;
    return equals ? equals + 1 : NULL;
}

/* ---- preinitialization ------------------------------------------------------------------------------------------ */

static bool locale_is_c(void)
{
    const char *name = setlocale(LC_CTYPE, NULL);
    return name && (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0);
}

/* What matters before arguments can be decoded: -E -I -X utf8 -X dev. Arguments are those of main, in either form. */
typedef struct EarlyArguments { int isolated, ignore_environment, dev; const char *utf8; char utf8_buffer[64]; } EarlyArguments;

static void early_xoption(EarlyArguments *early, const char *option)
{
    if (strcmp(option, "dev") == 0) early->dev = 1;
    else if (strcmp(option, "utf8") == 0) early->utf8 = "1";
    else if (strncmp(option, "utf8=", 5) == 0) {
        snprintf(early->utf8_buffer, sizeof early->utf8_buffer, "%s", option + 5);
        early->utf8 = early->utf8_buffer;
    }
}

static void early_parse(EarlyArguments *early, Py_ssize_t argc, char *const *argv)
{
    for (Py_ssize_t i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (arg[0] != '-' || !arg[1]) return;
        if (strcmp(arg, "--") == 0) return;
        if (arg[1] == '-') {
            if (strcmp(arg, "--check-hash-based-pycs") == 0) i++;
            continue;
        }
        for (const char *p = arg + 1; *p; p++) {
            if (*p == 'c' || *p == 'm') return;
            if (*p == 'E') early->ignore_environment = 1;
            else if (*p == 'I') early->isolated = early->ignore_environment = 1;
            else if (*p == 'W' || *p == 'X') {
                const char *value = p[1] ? p + 1 : i + 1 < argc ? argv[++i] : "";
                if (*p == 'X') early_xoption(early, value);
                break;
            }
        }
    }
}

static const char *const coercion_targets[] = { "C.UTF-8", "C.utf8", "UTF-8" };

static void locale_coerce(int warn)
{
    const char *all = getenv("LC_ALL");
    if (all && *all) return;
    for (size_t i = 0; i < sizeof coercion_targets / sizeof *coercion_targets; i++) {
        if (!setlocale(LC_CTYPE, coercion_targets[i])) continue;
        const char *codeset = nl_langinfo(CODESET);
        if (!codeset || !*codeset) continue;
        if (setenv("LC_CTYPE", coercion_targets[i], 1)) break;
        if (warn)
            fprintf(stderr, "Python detected LC_CTYPE=C: LC_CTYPE coerced to %.20s (set another locale or "
                            "PYTHONCOERCECLOCALE=0 to disable this locale coercion behavior).\n", coercion_targets[i]);
        P->locale_coerced = true;
        break;
    }
    setlocale(LC_CTYPE, "");
}

static PyStatus preinit_utf8_mode(PyPreConfig *pre, const EarlyArguments *early)
{
    if (pre->utf8_mode >= 0 && !early->utf8) return PyStatus_Ok();
    if (early->utf8) {
        if (strcmp(early->utf8, "1") == 0) pre->utf8_mode = 1;
        else if (strcmp(early->utf8, "0") == 0) pre->utf8_mode = 0;
        else return status_error("preconfig_init_utf8_mode", "invalid -X utf8 option value");
        return PyStatus_Ok();
    }
    const char *text = environment_get(pre->use_environment, "PYTHONUTF8");
    if (text) {
        if (strcmp(text, "1") == 0) pre->utf8_mode = 1;
        else if (strcmp(text, "0") == 0) pre->utf8_mode = 0;
        else return status_error("preconfig_init_utf8_mode", "invalid PYTHONUTF8 environment variable value");
        return PyStatus_Ok();
    }
    pre->utf8_mode = locale_is_c();
    return PyStatus_Ok();
}

static PyStatus preinit_allocators(PyPreConfig *pre)
{
    const char *name = environment_get(pre->use_environment, "PYTHONMALLOC");
    if (pre->allocator == PYMEM_ALLOCATOR_NOT_SET && name && memory_allocators_parse(name, &pre->allocator) < 0)
        return status_error("preconfig_init_allocator", "PYTHONMALLOC: unknown allocator");
    if (pre->allocator == PYMEM_ALLOCATOR_NOT_SET && pre->dev_mode) pre->allocator = PYMEM_ALLOCATOR_DEBUG;
    if (pre->allocator != PYMEM_ALLOCATOR_NOT_SET && memory_allocators_set(pre->allocator) < 0)
        return status_error("_PyPreConfig_Write", "Unexpected allocator");
    return PyStatus_Ok();
}

static PyStatus preinitialize(const PyPreConfig *source, Py_ssize_t argc, char *const *argv)
{
    process_init();
    if (P->preinitialized) return PyStatus_Ok();
    PyPreConfig pre = *source;
    EarlyArguments early = { 0 };
    if (pre.parse_argv && argv) early_parse(&early, argc, argv);
    if (early.isolated) pre.isolated = 1;
    if (pre.isolated < 0) pre.isolated = 0;
    if (pre.isolated > 0) pre.use_environment = 0;
    if (early.ignore_environment) pre.use_environment = 0;
    if (pre.use_environment < 0) pre.use_environment = 1;
    if (pre.configure_locale) setlocale(LC_CTYPE, "");
    if (pre.dev_mode < 0) pre.dev_mode = early.dev || environment_get(pre.use_environment, "PYTHONDEVMODE");
    RETURN_IF_EXCEPTION(preinit_allocators(&pre));
    if (!pre.configure_locale) pre.coerce_c_locale = pre.coerce_c_locale_warn = 0;
    const char *coerce = environment_get(pre.use_environment, "PYTHONCOERCECLOCALE");
    if (coerce) {
        if (strcmp(coerce, "0") == 0) { if (pre.coerce_c_locale < 0) pre.coerce_c_locale = 0; }
        else if (strcmp(coerce, "warn") == 0) { if (pre.coerce_c_locale_warn < 0) pre.coerce_c_locale_warn = 1; }
        else if (pre.coerce_c_locale < 0) pre.coerce_c_locale = 1;
    }
    if (pre.coerce_c_locale < 0 || pre.coerce_c_locale == 1) pre.coerce_c_locale = locale_is_c() ? 2 : 0;
    if (pre.coerce_c_locale_warn < 0) pre.coerce_c_locale_warn = 0;
    if (pre.utf8_mode < 0 || early.utf8) RETURN_IF_EXCEPTION(preinit_utf8_mode(&pre, &early));
    if (pre.coerce_c_locale) locale_coerce(pre.coerce_c_locale_warn);
    if (pre.coerce_c_locale_warn && locale_is_c())
        fprintf(stderr, "Python runtime initialized with LC_CTYPE=C (a locale with default ASCII encoding), which may cause Unicode "
                        "compatibility problems. Using C.UTF-8, C.utf8, or UTF-8 (if available) as alternative Unicode-compatible "
                        "locales is recommended.\n");
    P->preconfig = pre;
    P->preinitialized = true;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    Py_UTF8Mode = pre.utf8_mode;
    Py_IsolatedFlag = pre.isolated;
    Py_IgnoreEnvironmentFlag = !pre.use_environment;
#pragma GCC diagnostic pop
    return PyStatus_Ok();
}

PyStatus Py_PreInitialize(const PyPreConfig *source) { return preinitialize(source, 0, NULL); }

PyStatus Py_PreInitializeFromBytesArgs(const PyPreConfig *source, Py_ssize_t argc, char **argv)
{
    return preinitialize(source, argc, argv);
}

/* The early options are ASCII: other characters may become anything that is none of theirs. */
PyStatus Py_PreInitializeFromArgs(const PyPreConfig *source, Py_ssize_t argc, wchar_t **argv)
{
    process_init();
    if (P->preinitialized) return PyStatus_Ok();
    char **bytes = calloc((size_t)argc + 1, sizeof *bytes);
    if (!bytes) return PyStatus_NoMemory();
    PyStatus status = PyStatus_Ok();
    for (Py_ssize_t i = 0; i < argc; i++) {
        size_t length = wcslen(argv[i]);
        if (!(bytes[i] = malloc(length + 1))) { status = PyStatus_NoMemory(); break; }
        for (size_t k = 0; k <= length; k++) bytes[i][k] = argv[i][k] < 0x80 ? (char)argv[i][k] : '?';
    }
    if (!PyStatus_Exception(status)) status = preinitialize(source, argc, bytes);
    for (Py_ssize_t i = 0; i < argc; i++) free(bytes[i]);
    free(bytes);
    return status;
}

/* ---- the command line ------------------------------------------------------------------------------------------- */

static void print_usage(bool error, const wchar_t *program)
{
    FILE *out = error ? stderr : stdout;
    fprintf(out, "usage: %ls [option] ... [-c cmd | -m mod | file | -] [arg] ...\n", program);
    if (error) fprintf(out, "Try `python -h' for more information.\n");
    else fputs(usage_help, out);
}

typedef struct Options {
    Py_ssize_t argc;
    wchar_t *const *argv;
    Py_ssize_t at;                          /* next argument */
    const wchar_t *rest;                    /* of a cluster of short options */
    const wchar_t *value;
} Options;

enum { OPTION_END = -1, OPTION_ERROR = '_', OPTION_CHECK_HASH = 256, OPTION_HELP_ALL, OPTION_HELP_ENV, OPTION_HELP_X };

static int option_long(Options *o, const wchar_t *name)
{
    static const struct { const wchar_t *name; bool argument; int value; } table[] = {
        { L"check-hash-based-pycs", true, OPTION_CHECK_HASH }, { L"help-all", false, OPTION_HELP_ALL },
        { L"help-env", false, OPTION_HELP_ENV }, { L"help-xoptions", false, OPTION_HELP_X },
        { L"help", false, 'h' }, { L"version", false, 'V' },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (wcscmp(table[i].name, name)) continue;
        if (!table[i].argument) return table[i].value;
        if (o->at >= o->argc) {
            fprintf(stderr, "Argument expected for the --%ls options\n", name);
            return OPTION_ERROR;
        }
        o->value = o->argv[o->at++];
        return table[i].value;
    }
    fprintf(stderr, "unknown option --%ls\n", name);
    return OPTION_ERROR;
}

static int option_next(Options *o)
{
    if (!o->rest || !*o->rest) {
        if (o->at >= o->argc) return OPTION_END;
        const wchar_t *arg = o->argv[o->at];
        if (arg[0] != L'-' || !arg[1]) return OPTION_END;
        o->at++;
        if (wcscmp(arg, L"--") == 0) return OPTION_END;
        if (arg[1] == L'-') return option_long(o, arg + 2);
        o->rest = arg + 1;
    }
    wchar_t c = *o->rest++;
    if (c == L'J') {
        fprintf(stderr, "-J is reserved for Jython\n");
        return OPTION_ERROR;
    }
    if (c >= 0x80 || !strchr("bBcdEhiIJmOPqRsStuvVWxX?", (int)c)) {
        fprintf(stderr, "Unknown option: -%c\n", (char)c);
        return OPTION_ERROR;
    }
    if (c == L'c' || c == L'm' || c == L'W' || c == L'X') {
        if (*o->rest) o->value = o->rest;
        else if (o->at < o->argc) o->value = o->argv[o->at++];
        else {
            fprintf(stderr, "Argument expected for the -%c option\n", (char)c);
            return OPTION_ERROR;
        }
        o->rest = NULL;
    }
    return (int)c;
}

static PyStatus exit_after_usage(bool error, const wchar_t *program)
{
    print_usage(error, program);
    return PyStatus_Exit(error ? 2 : 0);
}

/* Sets *first to the index of what becomes sys.argv[0]. */
static PyStatus parse_command_line(PyConfig *config, PyWideStringList *warn_options, Py_ssize_t *first)
{
    Options o = { .argc = config->argv.length, .argv = config->argv.items, .at = 1 };
    const wchar_t *program = config->program_name ? config->program_name : o.argc ? o.argv[0] : L"python3";
    int version = 0, c;
    while ((c = option_next(&o)) != OPTION_END) {
        if (c == 'c') {
            size_t length = wcslen(o.value);
            PyMem_RawFree(config->run_command);
            if (!(config->run_command = PyMem_RawMalloc((length + 2) * sizeof(wchar_t)))) return PyStatus_NoMemory();
            wmemcpy(config->run_command, o.value, length);
            wcscpy(config->run_command + length, L"\n");
            break;
        }
        if (c == 'm') {
            PyMem_RawFree(config->run_module);
            if (!(config->run_module = wide_copy(o.value))) return PyStatus_NoMemory();
            break;
        }
        switch (c) {
            case OPTION_CHECK_HASH:
                if (wcscmp(o.value, L"always") && wcscmp(o.value, L"never") && wcscmp(o.value, L"default")) {
                    fprintf(stderr, "--check-hash-based-pycs must be one of 'default', 'always', or 'never'\n");
                    return exit_after_usage(true, program);
                }
                RETURN_IF_EXCEPTION(PyConfig_SetString(config, &config->check_hash_pycs_mode, o.value));
                break;
            case OPTION_HELP_ALL:
                print_usage(false, program);
                printf("\n%s\n%s", usage_env, usage_xoptions);
                return PyStatus_Exit(0);
            case OPTION_HELP_ENV: fputs(usage_env, stdout); return PyStatus_Exit(0);
            case OPTION_HELP_X: fputs(usage_xoptions, stdout); return PyStatus_Exit(0);
            case 'b': config->bytes_warning++; break;
            case 'd': config->parser_debug++; break;
            case 'i': config->inspect++; config->interactive++; break;
            case 'E': case 'I':
                if (c == 'I') config->isolated = 1;
                config->use_environment = 0;
                break;
            case 'O': config->optimization_level++; break;
            case 'P': config->safe_path = 1; break;
            case 'B': config->write_bytecode = 0; break;
            case 's': config->user_site_directory = 0; break;
            case 'S': config->site_import = 0; break;
            case 't': break;
            case 'u': config->buffered_stdio = 0; break;
            case 'v': config->verbose++; break;
            case 'x': config->skip_source_first_line = 1; break;
            case 'h': case '?': return exit_after_usage(false, program);
            case 'V': version++; break;
            case 'W': RETURN_IF_EXCEPTION(PyWideStringList_Append(warn_options, o.value)); break;
            case 'X': RETURN_IF_EXCEPTION(PyWideStringList_Append(&config->xoptions, o.value)); break;
            case 'q': config->quiet++; break;
            case 'R': config->use_hash_seed = 0; break;
            default: return exit_after_usage(true, program);
        }
    }
    if (version) {
        printf("Python %s\n", version >= 2 ? Py_GetVersion() : PY_VERSION);
        return PyStatus_Exit(0);
    }
    if (!config->run_command && !config->run_module && o.at < o.argc && wcscmp(o.argv[o.at], L"-") && !config->run_filename) {
        if (!(config->run_filename = wide_copy(o.argv[o.at]))) return PyStatus_NoMemory();
    }
    if (config->run_filename && config->run_filename[0] != L'/') {     /* absolute, so that __file__ survives chdir */
        char here[PATH_MAX];
        wchar_t *folder = getcwd(here, sizeof here) ? Py_DecodeLocale(here, NULL) : NULL;
        if (folder) {
            size_t n = wcslen(folder) + wcslen(config->run_filename) + 2;
            wchar_t *absolute = PyMem_RawMalloc(n * sizeof *absolute);
            if (!absolute) return PyStatus_NoMemory();
            const wchar_t *name = config->run_filename;
            while (name[0] == L'.' && name[1] == L'/') name += 2;
            wcscpy(absolute, folder);
            if (n > 2 && absolute[wcslen(absolute) - 1] != L'/') wcscat(absolute, L"/");
            wcscat(absolute, name);
            PyMem_RawFree(config->run_filename);
            PyMem_RawFree(folder);
            config->run_filename = absolute;
        }
    }
    *first = config->run_command || config->run_module ? o.at - 1 : o.at;
    return PyStatus_Ok();
}

static PyStatus update_argv(PyConfig *config, Py_ssize_t first)
{
    PyWideStringList list = { 0 };
    if (first >= config->argv.length) RETURN_IF_EXCEPTION(PyWideStringList_Append(&list, L""));
    else {
        PyWideStringList slice = { .length = config->argv.length - first, .items = config->argv.items + first };
        RETURN_IF_EXCEPTION(wide_list_copy(&list, &slice));
    }
    const wchar_t *arg0 = config->run_command ? L"-c" : config->run_module ? L"-m" : NULL;
    if (arg0) {
        wchar_t *copy = wide_copy(arg0);
        if (!copy) return PyStatus_NoMemory();
        PyMem_RawFree(list.items[0]);
        list.items[0] = copy;
    }
    wide_list_clear(&config->argv);
    config->argv = list;
    return PyStatus_Ok();
}

/* ---- single settings -------------------------------------------------------------------------------------------- */

static PyStatus read_hash_seed(PyConfig *config)
{
    if (config->use_hash_seed >= 0) return PyStatus_Ok();          /* -R, or an embedder */
    const char *text = environment_get(config->use_environment, "PYTHONHASHSEED");
    if (!text || strcmp(text, "random") == 0) {
        if (config->use_hash_seed < 0) config->use_hash_seed = 0;
        config->hash_seed = 0;
        return PyStatus_Ok();
    }
    char *end;
    errno = 0;
    unsigned long seed = strtoul(text, &end, 10);
    if (*end || seed > 4294967295UL || (errno == ERANGE && seed == ULONG_MAX))
        return status_error("config_init_hash_seed", "PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]");
    config->use_hash_seed = 1;
    config->hash_seed = seed;
    return PyStatus_Ok();
}

static PyStatus read_int_max_str_digits(PyConfig *config)
{
    const char *text = environment_get(config->use_environment, "PYTHONINTMAXSTRDIGITS");
    int value;
    if (text) {
        if (string_to_int(text, &value) < 0 || (value != 0 && value < 640))
            return status_error("config_init_int_max_str_digits",
                                "PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited.");
        config->int_max_str_digits = value;
    }
    const wchar_t *option = xoption_find(&config->xoptions, L"int_max_str_digits");
    if (option) {
        const wchar_t *number = xoption_value(option);
        if (!number || wide_to_int(number, &value) < 0 || (value != 0 && value < 640))
            return status_error("config_init_int_max_str_digits",
                                "-X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited.");
        config->int_max_str_digits = value;
    }
    if (config->int_max_str_digits < 0) config->int_max_str_digits = 4300;
    return PyStatus_Ok();
}

static PyStatus read_cpu_count(PyConfig *config)
{
    const char *text = environment_get(config->use_environment, "PYTHON_CPU_COUNT");
    int value;
    if (text) {
        if (strcmp(text, "default") == 0) config->cpu_count = -1;
        else if (string_to_int(text, &value) < 0 || value < 1)
            return status_error("config_init_cpu_count", "PYTHON_CPU_COUNT=n: n is missing or an invalid number, n must be greater than 0");
        else config->cpu_count = value;
    }
    const wchar_t *option = xoption_find(&config->xoptions, L"cpu_count");
    if (option) {
        const wchar_t *number = xoption_value(option);
        if (number && wcscmp(number, L"default") == 0) config->cpu_count = -1;
        else if (!number || wide_to_int(number, &value) < 0 || value < 1)
            return status_error("config_init_cpu_count", "-X cpu_count=n option: n is missing or an invalid number, n must be greater than 0");
        else config->cpu_count = value;
    }
    return PyStatus_Ok();
}

static PyStatus read_tracemalloc(PyConfig *config)
{
    if (config->tracemalloc >= 0) return PyStatus_Ok();
    int frames = 0;
    const char *text = environment_get(config->use_environment, "PYTHONTRACEMALLOC");
    if (text && (string_to_int(text, &frames) < 0 || frames < 0))
        return status_error("config_init_tracemalloc", "PYTHONTRACEMALLOC: invalid number of frames");
    const wchar_t *option = xoption_find(&config->xoptions, L"tracemalloc");
    if (option) {
        const wchar_t *number = xoption_value(option);
        if (!number) frames = 1;
        else if (wide_to_int(number, &frames) < 0 || frames < 0)
            return status_error("config_init_tracemalloc", "-X tracemalloc=NFRAME: invalid number of frames");
    }
    config->tracemalloc = frames;
    return PyStatus_Ok();
}

static PyStatus read_frozen_modules(PyConfig *config)
{
    static const char message[] = "bad value for option -X frozen_modules (expected \"on\" or \"off\")";
    const char *text = environment_get(config->use_environment, "PYTHON_FROZEN_MODULES");
    if (text) {
        if (strcmp(text, "on") == 0) config->use_frozen_modules = 1;
        else if (strcmp(text, "off") == 0) config->use_frozen_modules = 0;
        else return PyStatus_Error("bad value for PYTHON_FROZEN_MODULES (expected \"on\" or \"off\")");
    }
    const wchar_t *option = xoption_find(&config->xoptions, L"frozen_modules");
    if (option) {
        const wchar_t *value = xoption_value(option);
        if (!value || !*value || wcscmp(value, L"on") == 0) config->use_frozen_modules = 1;
        else if (wcscmp(value, L"off") == 0) config->use_frozen_modules = 0;
        else return PyStatus_Error(message);
    }
    if (config->use_frozen_modules < 0) config->use_frozen_modules = 1;
    return PyStatus_Ok();
}

/* There is a GIL, and it stays. */
static PyStatus read_gil(const PyConfig *config)
{
    const char *text = environment_get(config->use_environment, "PYTHON_GIL");
    const wchar_t *option = xoption_find(&config->xoptions, L"gil"), *value = xoption_value(option);
    bool on = value ? wcscmp(value, L"1") == 0 : !text || strcmp(text, "1") == 0;
    bool off = value ? wcscmp(value, L"0") == 0 : text && strcmp(text, "0") == 0;
    if (off) return status_error("config_read_gil", "Disabling the GIL is not supported by this build");
    if (!on || (option && !value)) return status_error("config_read_gil", "PYTHON_GIL / -X gil must be \"0\" or \"1\"");
    return PyStatus_Ok();
}

static PyStatus read_environment(PyConfig *config)
{
    int use = config->use_environment;
    environment_flag(use, &config->parser_debug, "PYTHONDEBUG");
    environment_flag(use, &config->verbose, "PYTHONVERBOSE");
    environment_flag(use, &config->optimization_level, "PYTHONOPTIMIZE");
    int dont_write = 0, no_user_site = 0, unbuffered = 0, safe_path = 0;
    environment_flag(use, &dont_write, "PYTHONDONTWRITEBYTECODE");
    if (dont_write) config->write_bytecode = 0;
    environment_flag(use, &no_user_site, "PYTHONNOUSERSITE");
    if (no_user_site) config->user_site_directory = 0;
    environment_flag(use, &unbuffered, "PYTHONUNBUFFERED");
    if (unbuffered) config->buffered_stdio = 0;
    if (environment_get(use, "PYTHONSAFEPATH")) safe_path = 1;
    if (safe_path && config->safe_path <= 0) config->safe_path = 1;
    if (environment_get(use, "PYTHONDUMPREFS")) config->dump_refs = 1;
    if (environment_get(use, "PYTHONMALLOCSTATS")) config->malloc_stats = 1;
    RETURN_IF_EXCEPTION(environment_string(config, &config->platlibdir, "PYTHONPLATLIBDIR", "cannot decode PYTHONPLATLIBDIR"));
    RETURN_IF_EXCEPTION(environment_string(config, &config->pythonpath_env, "PYTHONPATH", "cannot decode PYTHONPATH"));
    return environment_string(config, &config->home, "PYTHONHOME", "cannot decode PYTHONHOME");
}

static PyStatus read_complex(PyConfig *config)
{
    int use = config->use_environment;
    if (config->faulthandler < 0) {
        config->faulthandler = environment_get(use, "PYTHONFAULTHANDLER") || xoption_find(&config->xoptions, L"faulthandler") ? 1
                               : config->dev_mode ? 1 : 0;
    }
    if (environment_get(use, "PYTHONPROFILEIMPORTTIME") || xoption_find(&config->xoptions, L"importtime")) config->import_time = 1;
    if (environment_get(use, "PYTHONNODEBUGRANGES") || xoption_find(&config->xoptions, L"no_debug_ranges")) config->code_debug_ranges = 0;
    if (environment_get(use, "PYTHONWARNDEFAULTENCODING") || xoption_find(&config->xoptions, L"warn_default_encoding"))
        config->warn_default_encoding = 1;
    if (xoption_find(&config->xoptions, L"showrefcount")) config->show_ref_count = 1;
    if (config->perf_profiling < 0) config->perf_profiling = 0;
    RETURN_IF_EXCEPTION(read_hash_seed(config));
    RETURN_IF_EXCEPTION(read_tracemalloc(config));
    RETURN_IF_EXCEPTION(read_int_max_str_digits(config));
    RETURN_IF_EXCEPTION(read_cpu_count(config));
    RETURN_IF_EXCEPTION(read_frozen_modules(config));
    RETURN_IF_EXCEPTION(read_gil(config));
    const wchar_t *option = xoption_find(&config->xoptions, L"pycache_prefix");
    if (!config->pycache_prefix) {
        const wchar_t *value = xoption_value(option);
        if (value && *value) {
            if (!(config->pycache_prefix = wide_copy(value))) return PyStatus_NoMemory();
        }
        else if (!option)
            RETURN_IF_EXCEPTION(environment_string(config, &config->pycache_prefix, "PYTHONPYCACHEPREFIX", "cannot decode PYTHONPYCACHEPREFIX"));
    }
    return PyStatus_Ok();
}

/* ---- warnings --------------------------------------------------------------------------------------------------- */

static PyStatus read_warn_options(PyConfig *config, const PyWideStringList *command_line)
{
    PyWideStringList all = { 0 };
    if (config->dev_mode) RETURN_IF_EXCEPTION(PyWideStringList_Append(&all, L"default"));
    const char *text = environment_get(config->use_environment, "PYTHONWARNINGS");
    if (text) {
        wchar_t *wide, *state = NULL;
        RETURN_IF_EXCEPTION(config_decode(&wide, text, "cannot decode PYTHONWARNINGS"));
        for (wchar_t *item = wcstok(wide, L",", &state); item; item = wcstok(NULL, L",", &state))
            RETURN_IF_EXCEPTION(PyWideStringList_Append(&all, item));
        PyMem_RawFree(wide);
    }
    for (Py_ssize_t i = 0; i < command_line->length; i++) RETURN_IF_EXCEPTION(PyWideStringList_Append(&all, command_line->items[i]));
    if (config->bytes_warning)
        RETURN_IF_EXCEPTION(PyWideStringList_Append(&all, config->bytes_warning > 1 ? L"error::BytesWarning" : L"default::BytesWarning"));
    for (Py_ssize_t i = 0; i < config->warnoptions.length; i++)
        RETURN_IF_EXCEPTION(PyWideStringList_Append(&all, config->warnoptions.items[i]));
    wide_list_clear(&config->warnoptions);
    config->warnoptions = all;
    return PyStatus_Ok();
}

/* ---- encodings -------------------------------------------------------------------------------------------------- */

/* The codec's name for the usual suspects; others stay and are looked up once codecs can be. Takes ownership. */
static wchar_t *codec_name(wchar_t *name)
{
    const wchar_t *known = NULL;
    if (name && (wcscasecmp(name, L"utf-8") == 0 || wcscasecmp(name, L"utf8") == 0 || wcscasecmp(name, L"utf_8") == 0)) known = L"utf-8";
    else if (name && (wcscasecmp(name, L"ANSI_X3.4-1968") == 0 || wcscasecmp(name, L"ascii") == 0 || wcscasecmp(name, L"us-ascii") == 0)) known = L"ascii";
    else if (name && (wcscasecmp(name, L"iso-8859-1") == 0 || wcscasecmp(name, L"latin-1") == 0 || wcscasecmp(name, L"latin1") == 0)) known = L"iso8859-1";
    if (!known) return name;
    PyMem_RawFree(name);
    return wide_copy(known);
}

static PyStatus read_encodings(PyConfig *config)
{
    bool c_locale = locale_is_c(), utf8 = P->preconfig.utf8_mode > 0;
    if (!config->filesystem_encoding && !(config->filesystem_encoding = codec_name(locale_encoding_name()))) return PyStatus_NoMemory();
    if (!config->filesystem_errors && !(config->filesystem_errors = wide_copy(L"surrogateescape"))) return PyStatus_NoMemory();
    const char *text = environment_get(config->use_environment, "PYTHONIOENCODING");
    if (text && (!config->stdio_encoding || !config->stdio_errors)) {
        wchar_t *wide;
        RETURN_IF_EXCEPTION(config_decode(&wide, text, "cannot decode PYTHONIOENCODING"));
        wchar_t *colon = wcschr(wide, L':');
        if (colon) *colon = 0;
        if (*wide && !config->stdio_encoding && !(config->stdio_encoding = codec_name(wide_copy(wide)))) return PyStatus_NoMemory();
        const wchar_t *errors = colon && colon[1] ? colon + 1 : *wide ? L"strict" : NULL;
        if (errors && !config->stdio_errors && !(config->stdio_errors = wide_copy(errors))) return PyStatus_NoMemory();
        PyMem_RawFree(wide);
    }
    if (utf8) {
        if (!config->stdio_encoding && !(config->stdio_encoding = wide_copy(L"utf-8"))) return PyStatus_NoMemory();
        if (!config->stdio_errors && !(config->stdio_errors = wide_copy(L"surrogateescape"))) return PyStatus_NoMemory();
    }
    if (!config->stdio_encoding && !(config->stdio_encoding = codec_name(locale_encoding_name()))) return PyStatus_NoMemory();
    if (!config->stdio_errors) {
        const char *locale = setlocale(LC_CTYPE, NULL);
        bool coerced = false;
        for (size_t i = 0; locale && i < sizeof coercion_targets / sizeof *coercion_targets; i++)
            if (strcmp(locale, coercion_targets[i]) == 0) coerced = true;
        if (!(config->stdio_errors = wide_copy(c_locale || coerced ? L"surrogateescape" : L"strict"))) return PyStatus_NoMemory();
    }
    return PyStatus_Ok();
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* A configuration that did not say takes the old global variables. */
static void read_global_flags(PyConfig *c)
{
    if (c->_config_init != 1) return;
#define TAKE(field, flag) if (c->field == -1) c->field = (flag)
    TAKE(isolated, Py_IsolatedFlag);
    TAKE(use_environment, !Py_IgnoreEnvironmentFlag);
    TAKE(bytes_warning, Py_BytesWarningFlag);
    TAKE(inspect, Py_InspectFlag);
    TAKE(interactive, Py_InteractiveFlag);
    TAKE(optimization_level, Py_OptimizeFlag);
    TAKE(parser_debug, Py_DebugFlag);
    TAKE(verbose, Py_VerboseFlag);
    TAKE(quiet, Py_QuietFlag);
    TAKE(buffered_stdio, !Py_UnbufferedStdioFlag);
    TAKE(site_import, !Py_NoSiteFlag);
    TAKE(write_bytecode, !Py_DontWriteBytecodeFlag);
    TAKE(user_site_directory, !Py_NoUserSiteDirectory);
    TAKE(pathconfig_warnings, !Py_FrozenFlag);
    if (Py_HashRandomizationFlag == 0 && c->use_hash_seed == -1 && false) c->use_hash_seed = 1;
#undef TAKE
}

void config_set_global_flags(const PyConfig *c)
{
    Py_IsolatedFlag = c->isolated;
    Py_IgnoreEnvironmentFlag = !c->use_environment;
    Py_BytesWarningFlag = c->bytes_warning;
    Py_InspectFlag = c->inspect;
    Py_InteractiveFlag = c->interactive;
    Py_OptimizeFlag = c->optimization_level;
    Py_DebugFlag = c->parser_debug;
    Py_VerboseFlag = c->verbose;
    Py_QuietFlag = c->quiet;
    Py_UnbufferedStdioFlag = !c->buffered_stdio;
    Py_NoSiteFlag = !c->site_import;
    Py_DontWriteBytecodeFlag = !c->write_bytecode;
    Py_NoUserSiteDirectory = !c->user_site_directory;
    Py_HashRandomizationFlag = c->use_hash_seed == 0 || c->hash_seed != 0;
}

bool inspect_flag(void) { return Py_InspectFlag != 0; }
void inspect_flag_set(int value) { Py_InspectFlag = value; }

#pragma GCC diagnostic pop

PyStatus config_read(PyConfig *config)
{
    PyWideStringList warn_options = { 0 };
    Py_ssize_t first = 0;
    if (config->_config_init == 0) config_init_compat(config);
    RETURN_IF_EXCEPTION(config_preinitialize(config, config->argv.length, NULL, config->argv.items));
    read_global_flags(config);
    if (config->isolated < 0) config->isolated = P->preconfig.isolated;
    if (P->preconfig.isolated > 0 && config->_config_init == 2) config->isolated = P->preconfig.isolated;
    if (config->use_environment < 0) config->use_environment = P->preconfig.use_environment;
    if (config->dev_mode <= 0) config->dev_mode = P->preconfig.dev_mode;
    if (config->orig_argv.length == 0 && !(config->argv.length == 1 && !*config->argv.items[0]))
        RETURN_IF_EXCEPTION(wide_list_copy(&config->orig_argv, &config->argv));
    if (!config->program_name && config->argv.length && config->argv.items[0][0] && config->parse_argv == 1) {
        if (!(config->program_name = wide_copy(config->argv.items[0]))) return PyStatus_NoMemory();
    }
    PyStatus status = PyStatus_Ok();
    if (config->parse_argv == 1) status = parse_command_line(config, &warn_options, &first);
    if (!PyStatus_Exception(status) && config->parse_argv == 1) {
        status = update_argv(config, first);
        config->parse_argv = 2;
    }
    if (PyStatus_Exception(status)) {
        wide_list_clear(&warn_options);
        return status;
    }
    if (config->argv.length == 0) RETURN_IF_EXCEPTION(PyWideStringList_Append(&config->argv, L""));
    if (config->isolated > 0) {
        config->safe_path = 1;
        config->use_environment = 0;
        config->user_site_directory = 0;
    }
    if (!config->check_hash_pycs_mode && !(config->check_hash_pycs_mode = wide_copy(L"default"))) return PyStatus_NoMemory();
    if (config->use_environment) RETURN_IF_EXCEPTION(read_environment(config));
    RETURN_IF_EXCEPTION(read_complex(config));
    RETURN_IF_EXCEPTION(paths_compute(config));
    RETURN_IF_EXCEPTION(read_warn_options(config, &warn_options));
    wide_list_clear(&warn_options);
    RETURN_IF_EXCEPTION(read_encodings(config));
#define DEFAULT(field, value) if (config->field < 0) config->field = (value)
    DEFAULT(site_import, 1);
    DEFAULT(bytes_warning, 0);
    DEFAULT(inspect, 0);
    DEFAULT(interactive, 0);
    DEFAULT(optimization_level, 0);
    DEFAULT(parser_debug, 0);
    DEFAULT(write_bytecode, 1);
    DEFAULT(verbose, 0);
    DEFAULT(quiet, 0);
    DEFAULT(user_site_directory, 1);
    DEFAULT(buffered_stdio, 1);
    DEFAULT(dev_mode, 0);
    DEFAULT(pathconfig_warnings, 1);
    DEFAULT(use_hash_seed, 0);
#undef DEFAULT
    if (!config->buffered_stdio && config->stdio_encoding) { }
    if (config->configure_c_stdio) config->configure_c_stdio = 1;
    return PyStatus_Ok();
}

PyStatus PyConfig_Read(PyConfig *config) { return config_read(config); }
