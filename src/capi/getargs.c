/* PyArg_Parse, PyArg_ParseTuple and PyArg_UnpackTuple: arguments to C variables by a format text.
 *
 * Each unit of the format takes its addresses from the caller's va_list. A unit that fails names what is wrong; the caller
 * builds the message around it. What units acquired before (buffers, memory) is undone when a later one fails. */
#include "capi/getargs_private.h"

#include <limits.h>
#include <string.h>

/* ---- cleanup ------------------------------------------------------------------------------------------------------------------------------ */

void args_parse_begin(ArgParse *parse, va_list *targets)
{
    parse->cleanups = parse->inline_cleanups;
    parse->ncleanups = 0;
    parse->room = ARG_CLEANUPS;
    parse->targets = targets;
    parse->levels[0] = 0;
    parse->message[0] = 0;
}

int args_parse_end(ArgParse *parse, int success)
{
    if (!success) {
        for (int i = 0; i < parse->ncleanups; i++) parse->cleanups[i].undo(NULL, parse->cleanups[i].item);
    }
    if (parse->cleanups != parse->inline_cleanups) PyMem_Free(parse->cleanups);
    return success;
}

static int undo_memory(PyObject *Py_UNUSED(self), void *p)
{
    void **address = p;
    PyMem_Free(*address);
    *address = NULL;
    return 0;
}

static int undo_buffer(PyObject *Py_UNUSED(self), void *p)
{
    PyBuffer_Release(p);
    return 0;
}

/* On failure undoes item at once; -1 with MemoryError. */
static int add_cleanup(ArgParse *parse, void *item, int (*undo)(PyObject *, void *))
{
    if (parse->ncleanups == parse->room) {
        bool on_stack = parse->cleanups == parse->inline_cleanups;
        ArgCleanup *larger = PyMem_Realloc(on_stack ? NULL : parse->cleanups, (size_t)parse->room * 2 * sizeof(ArgCleanup));
        if (!larger) {
            PyErr_NoMemory();
            undo(NULL, item);
            return -1;
        }
        if (on_stack) memcpy(larger, parse->inline_cleanups, sizeof parse->inline_cleanups);
        parse->cleanups = larger;
        parse->room *= 2;
    }
    parse->cleanups[parse->ncleanups++] = (ArgCleanup){ item, undo };
    return 0;
}

/* ---- messages --------------------------------------------------------------------------------------------------------------------------------- */

void args_set_error(const int *levels, Py_ssize_t position, const char *wrong, const char *function, const char *message)
{
    if (PyErr_Occurred()) return;
    char text[512];
    if (!message) {
        size_t n = 0;
        if (function) n += (size_t)PyOS_snprintf(text, sizeof text, "%.200s() ", function);
        if (position) {
            n += (size_t)PyOS_snprintf(text + n, sizeof text - n, "argument %zd", position);
            for (int i = 0; i < ARG_LEVELS - 1 && levels[i] > 0 && n < 220; i++)
                n += (size_t)PyOS_snprintf(text + n, sizeof text - n, ", item %d", levels[i] - 1);
        }
        else n += (size_t)PyOS_snprintf(text + n, sizeof text - n, "argument");
        PyOS_snprintf(text + n, sizeof text - n, " %.256s", wrong);
        message = text;
    }
    PyErr_SetString(wrong[0] == '(' ? PyExc_SystemError : PyExc_TypeError, message);
}

static COLD const char *expected(ArgParse *parse, const char *what, PyObject *arg)
{
    if (what[0] == '(') PyOS_snprintf(parse->message, ARG_MESSAGE, "%.100s", what);
    else
        PyOS_snprintf(parse->message, ARG_MESSAGE, "must be %.50s, not %.50s", what, arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    return parse->message;
}

static const char error_is_set[] = "(exception was set)";

/* ---- numbers -------------------------------------------------------------------------------------------------------------------------------------- */

/* A long between limits; names is what the messages call it. */
static bool ranged(PyObject *arg, long low, long high, const char *names, long *value)
{
    *value = PyLong_AsLong(arg);
    if (*value == -1 && PyErr_Occurred()) return false;
    if (*value < low || *value > high) {
        PyErr_Format(PyExc_OverflowError, "%s is %s than %s", names, *value < low ? "less" : "greater",
                     *value < low ? "minimum" : "maximum");
        return false;
    }
    return true;
}

static const char *convert_number(ArgParse *parse, PyObject *arg, char code)
{
    long value;
    unsigned long bits;
    void *target = va_arg(*parse->targets, void *);
    switch (code) {
    case 'b':
        if (!ranged(arg, 0, UCHAR_MAX, "unsigned byte integer", &value)) return error_is_set;
        *(unsigned char *)target = (unsigned char)value;
        return NULL;
    case 'h':
        if (!ranged(arg, SHRT_MIN, SHRT_MAX, "signed short integer", &value)) return error_is_set;
        *(short *)target = (short)value;
        return NULL;
    case 'i':
        if (!ranged(arg, INT_MIN, INT_MAX, "signed integer", &value)) return error_is_set;
        *(int *)target = (int)value;
        return NULL;
    case 'B': case 'H': case 'I':
        bits = PyLong_AsUnsignedLongMask(arg);
        if (bits == (unsigned long)-1 && PyErr_Occurred()) return error_is_set;
        if (code == 'B') *(unsigned char *)target = (unsigned char)bits;
        else if (code == 'H') *(unsigned short *)target = (unsigned short)bits;
        else *(unsigned int *)target = (unsigned int)bits;
        return NULL;
    case 'k': case 'K':
        if (!PyLong_Check(arg)) return expected(parse, "int", arg);
        *(unsigned long long *)target = PyLong_AsUnsignedLongLongMask(arg);
        return NULL;
    case 'l':
        value = PyLong_AsLong(arg);
        if (value == -1 && PyErr_Occurred()) return error_is_set;
        *(long *)target = value;
        return NULL;
    case 'L': {
        long long wide = PyLong_AsLongLong(arg);
        if (wide == -1 && PyErr_Occurred()) return error_is_set;
        *(long long *)target = wide;
        return NULL;
    }
    case 'n': {
        Py_ssize_t size = -1;
        PyObject *index = PyNumber_Index(arg);
        if (index) {
            size = PyLong_AsSsize_t(index);
            Py_DECREF(index);
        }
        if (size == -1 && PyErr_Occurred()) return error_is_set;
        *(Py_ssize_t *)target = size;
        return NULL;
    }
    case 'f': case 'd': {
        double number = PyFloat_AsDouble(arg);
        if (number == -1.0 && PyErr_Occurred()) return error_is_set;
        if (code == 'f') *(float *)target = (float)number;
        else *(double *)target = number;
        return NULL;
    }
    case 'D': {
        Py_complex number = PyComplex_AsCComplex(arg);
        if (PyErr_Occurred()) return error_is_set;
        *(Py_complex *)target = number;
        return NULL;
    }
    default: {                                /* 'p' */
        int truth = PyObject_IsTrue(arg);
        if (truth < 0) return error_is_set;
        *(int *)target = truth;
        return NULL;
    }
    }
}

static const char *convert_character(ArgParse *parse, PyObject *arg, char code)
{
    void *target = va_arg(*parse->targets, void *);
    if (code == 'C') {
        if (!PyUnicode_Check(arg) || PyUnicode_GET_LENGTH(arg) != 1) return expected(parse, "a unicode character", arg);
        *(int *)target = (int)PyUnicode_READ_CHAR(arg, 0);
        return NULL;
    }
    bool bytes = PyBytes_Check(arg);
    if ((!bytes && !PyByteArray_Check(arg)) || Py_SIZE(arg) != 1) return expected(parse, "a byte string of length 1", arg);
    *(char *)target = bytes ? PyBytes_AS_STRING(arg)[0] : PyByteArray_AS_STRING(arg)[0];
    return NULL;
}

/* ---- strings, buffers -------------------------------------------------------------------------------------------------------------------------- */

/* NULL, or what arg should have been. */
static const char *get_buffer(PyObject *arg, Py_buffer *view)
{
    if (PyObject_GetBuffer(arg, view, PyBUF_SIMPLE) < 0) return "bytes-like object";
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyBuffer_Release(view);
        return "contiguous buffer";
    }
    return NULL;
}

/* For the forms that keep a pointer without holding the buffer: only objects whose memory stays put may give it. */
static const char *borrow_buffer(PyObject *arg, const void **p, Py_ssize_t *length)
{
    PyBufferProcs *procs = Py_TYPE(arg)->tp_as_buffer;
    Py_buffer view;
    if (procs && procs->bf_releasebuffer) return "read-only bytes-like object";
    const char *wrong = get_buffer(arg, &view);
    if (wrong) return wrong;
    *p = view.buf;
    *length = view.len;
    PyBuffer_Release(&view);
    return NULL;
}

/* s* z* y*: the whole view, held until the caller releases it. */
static const char *convert_view(ArgParse *parse, PyObject *arg, char code)
{
    Py_buffer *view = va_arg(*parse->targets, Py_buffer *);
    if (code == 'z' && arg == Py_None) PyBuffer_FillInfo(view, NULL, NULL, 0, 1, 0);
    else if (code != 'y' && PyUnicode_Check(arg)) {
        Py_ssize_t length;
        const char *text = PyUnicode_AsUTF8AndSize(arg, &length);
        if (!text) return expected(parse, "(UTF-8 conversion error)", arg);
        PyBuffer_FillInfo(view, arg, (void *)(uintptr_t)text, length, 1, 0);
    }
    else {
        const char *wrong = get_buffer(arg, view);
        if (wrong) return expected(parse, wrong, arg);
    }
    return add_cleanup(parse, view, undo_buffer) < 0 ? expected(parse, "(cleanup problem)", arg) : NULL;
}

/* s# z# y#: pointer and length, borrowed from the object. */
static const char *convert_sized(ArgParse *parse, PyObject *arg, char code)
{
    const void **p = va_arg(*parse->targets, const void **);
    Py_ssize_t *length = va_arg(*parse->targets, Py_ssize_t *);
    if (code == 'z' && arg == Py_None) {
        *p = NULL;
        *length = 0;
        return NULL;
    }
    if (code != 'y' && PyUnicode_Check(arg)) {
        *p = PyUnicode_AsUTF8AndSize(arg, length);
        return *p ? NULL : expected(parse, "(UTF-8 conversion error)", arg);
    }
    const char *wrong = borrow_buffer(arg, p, length);
    return wrong ? expected(parse, wrong, arg) : NULL;
}

/* s z y: a C string, without NUL inside. */
static const char *convert_c_string(ArgParse *parse, PyObject *arg, char code)
{
    const void **p = va_arg(*parse->targets, const void **);
    Py_ssize_t length;
    if (code == 'z' && arg == Py_None) {
        *p = NULL;
        return NULL;
    }
    if (code == 'y') {
        const char *wrong = borrow_buffer(arg, p, &length);
        if (wrong) return expected(parse, wrong, arg);
    }
    else {
        if (!PyUnicode_Check(arg)) return expected(parse, code == 'z' ? "str or None" : "str", arg);
        if (!(*p = PyUnicode_AsUTF8AndSize(arg, &length))) return expected(parse, "(UTF-8 conversion error)", arg);
    }
    if (strlen(*p) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, code == 'y' ? "embedded null byte" : "embedded null character");
        return error_is_set;
    }
    return NULL;
}

/* es et es# et#: text in an encoding, in new memory or in the caller's. */
static const char *convert_encoded(ArgParse *parse, PyObject *arg, const char **format)
{
    const char *encoding = va_arg(*parse->targets, const char *);
    bool text_only = **format == 's';
    if (!text_only && **format != 't') return "(unknown parser marker combination)";
    ++*format;
    char **buffer = va_arg(*parse->targets, char **);
    if (!buffer) return "(buffer is NULL)";
    PyObject *bytes;
    char *data;
    Py_ssize_t size;
    if (!encoding) encoding = "utf-8";
    if (!text_only && (PyBytes_Check(arg) || PyByteArray_Check(arg))) {
        bytes = Py_NewRef(arg);
        data = PyBytes_Check(arg) ? PyBytes_AS_STRING(arg) : PyByteArray_AS_STRING(arg);
        size = Py_SIZE(arg);
    }
    else if (PyUnicode_Check(arg)) {
        if (!(bytes = PyUnicode_AsEncodedString(arg, encoding, NULL))) return expected(parse, "(encoding failed)", arg);
        data = PyBytes_AS_STRING(bytes);
        size = PyBytes_GET_SIZE(bytes);
    }
    else return expected(parse, text_only ? "str" : "str, bytes or bytearray", arg);

    const char *wrong = NULL;
    bool sized = **format == '#';
    Py_ssize_t *length = NULL;
    if (sized) {
        ++*format;
        if (!(length = va_arg(*parse->targets, Py_ssize_t *))) {
            wrong = "(buffer_len is NULL)";
            goto done;
        }
    }
    else if (strlen(data) != (size_t)size) {
        wrong = expected(parse, "encoded string without null bytes", arg);
        goto done;
    }
    if (sized && *buffer) {
        if (size + 1 > *length) {
            PyErr_Format(PyExc_ValueError, "encoded string too long (%zd, maximum length %zd)", size, *length - 1);
            wrong = error_is_set;
            goto done;
        }
    }
    else {
        if (!(*buffer = PyMem_Malloc((size_t)size + 1))) {
            PyErr_NoMemory();
            wrong = error_is_set;
            goto done;
        }
        if (add_cleanup(parse, buffer, undo_memory) < 0) {
            wrong = "(cleanup problem)";
            goto done;
        }
    }
    memcpy(*buffer, data, (size_t)size + 1);
    if (sized) *length = size;
done:
    Py_DECREF(bytes);
    return wrong;
}

static const char *convert_string(ArgParse *parse, PyObject *arg, char code, const char **format)
{
    if (**format == '*') {
        ++*format;
        return convert_view(parse, arg, code);
    }
    if (**format == '#') {
        ++*format;
        return convert_sized(parse, arg, code);
    }
    return convert_c_string(parse, arg, code);
}

static const char *convert_writable(ArgParse *parse, PyObject *arg, const char **format)
{
    if (**format != '*') return expected(parse, "(invalid use of 'w' format character)", arg);
    ++*format;
    Py_buffer *view = va_arg(*parse->targets, Py_buffer *);
    if (PyObject_GetBuffer(arg, view, PyBUF_WRITABLE) < 0) {
        PyErr_Clear();
        return expected(parse, "read-write bytes-like object", arg);
    }
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyBuffer_Release(view);
        return expected(parse, "contiguous buffer", arg);
    }
    return add_cleanup(parse, view, undo_buffer) < 0 ? expected(parse, "(cleanup problem)", arg) : NULL;
}

/* ---- objects ------------------------------------------------------------------------------------------------------------------------------------- */

static const char *convert_object(ArgParse *parse, PyObject *arg, const char **format)
{
    if (**format == '!') {
        ++*format;
        PyTypeObject *type = va_arg(*parse->targets, PyTypeObject *);
        PyObject **target = va_arg(*parse->targets, PyObject **);
        if (!PyType_IsSubtype(Py_TYPE(arg), type)) return expected(parse, type->tp_name, arg);
        *target = arg;
        return NULL;
    }
    if (**format == '&') {
        ++*format;
        typedef int Converter(PyObject *, void *);
        Converter *convert = va_arg(*parse->targets, Converter *);
        void *target = va_arg(*parse->targets, void *);
        int status = convert(arg, target);
        if (!status) return expected(parse, "(unspecified)", arg);
        if (status == Py_CLEANUP_SUPPORTED && add_cleanup(parse, target, convert) < 0) return expected(parse, "(cleanup problem)", arg);
        return NULL;
    }
    *va_arg(*parse->targets, PyObject **) = arg;
    return NULL;
}

static const char *convert_typed(ArgParse *parse, PyObject *arg, bool fits, const char *name)
{
    PyObject **target = va_arg(*parse->targets, PyObject **);
    if (!fits) return expected(parse, name, arg);
    *target = arg;
    return NULL;
}

static const char *convert_simple(ArgParse *parse, PyObject *arg, const char **format)
{
    char code = *(*format)++;
    switch (code) {
    case 'b': case 'B': case 'h': case 'H': case 'i': case 'I': case 'l': case 'k': case 'L': case 'K': case 'n':
    case 'f': case 'd': case 'D': case 'p':
        return convert_number(parse, arg, code);
    case 'c': case 'C':
        return convert_character(parse, arg, code);
    case 's': case 'z': case 'y':
        return convert_string(parse, arg, code, format);
    case 'e':
        return convert_encoded(parse, arg, format);
    case 'w':
        return convert_writable(parse, arg, format);
    case 'S':
        return convert_typed(parse, arg, PyBytes_Check(arg), "bytes");
    case 'Y':
        return convert_typed(parse, arg, PyByteArray_Check(arg), "bytearray");
    case 'U':
        return convert_typed(parse, arg, PyUnicode_Check(arg), "str");
    case 'O':
        return convert_object(parse, arg, format);
    default:
        return expected(parse, "(impossible<bad format char>)", arg);
    }
}

/* *format stands behind the '('; at success before the matching ')'. */
static const char *convert_tuple(ArgParse *parse, PyObject *arg, const char **format, int *levels)
{
    int level = 0, n = 0;
    for (const char *p = *format;; p++) {
        if (*p == '(') {
            if (level++ == 0) n++;
        }
        else if (*p == ')') {
            if (level-- == 0) break;
        }
        else if (args_format_end(*p)) break;
        else if (level == 0 && args_is_letter(*p) && *p != 'e') n++;
    }
    levels[0] = 0;
    if (!PySequence_Check(arg) || PyBytes_Check(arg)) {
        PyOS_snprintf(parse->message, ARG_MESSAGE, "must be %d-item sequence, not %.50s", n, arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return parse->message;
    }
    Py_ssize_t length = PySequence_Size(arg);
    if (length != n) {
        PyOS_snprintf(parse->message, ARG_MESSAGE, "must be sequence of length %d, not %zd", n, length);
        return parse->message;
    }
    for (int i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(arg, i);
        if (!item) {
            PyErr_Clear();
            levels[0] = i + 1;
            levels[1] = 0;
            return "is not retrievable";
        }
        const char *wrong = args_convert_item(parse, item, format, levels + 1);
        Py_DECREF(item);                      /* the sequence still holds it: what was borrowed stays good */
        if (wrong) {
            levels[0] = i + 1;
            return wrong;
        }
    }
    return NULL;
}

const char *args_convert_item(ArgParse *parse, PyObject *arg, const char **format, int *levels)
{
    const char *wrong, *p = *format;
    if (*p == '(') {
        p++;
        wrong = convert_tuple(parse, arg, &p, levels);
        if (!wrong) p++;
    }
    else {
        wrong = convert_simple(parse, arg, &p);
        if (wrong) levels[0] = 0;
    }
    if (!wrong) *format = p;
    return wrong;
}

/* ---- positional arguments ----------------------------------------------------------------------------------------------------------------------- */

static int parse_positional(PyObject *single, PyObject *const *stack, Py_ssize_t nargs, const char *format, va_list *targets)
{
    const char *function = NULL, *message = NULL, *start = format;
    int min = -1, max = 0, level = 0;
    for (bool end = false; !end;) {
        char c = *format++;
        switch (c) {
        case '(':
            if (level == 0) max++;
            if (++level >= 30) Py_FatalError("too many tuple nesting levels in argument format string");
            break;
        case ')':
            if (level-- == 0) Py_FatalError("excess ')' in getargs format");
            break;
        case '\0': end = true; break;
        case ':': function = format; end = true; break;
        case ';': message = format; end = true; break;
        case '|':
            if (level == 0) min = max;
            break;
        default:
            if (level == 0 && args_is_letter(c) && c != 'e') max++;      /* es and et are one unit */
        }
    }
    if (level != 0) Py_FatalError("missing ')' in getargs format");
    if (min < 0) min = max;
    format = start;

    ArgParse parse;
    args_parse_begin(&parse, targets);
    if (!stack) {                             /* PyArg_Parse: one object against one unit */
        if (max == 0) {
            if (!single) return 1;
            PyErr_Format(PyExc_TypeError, "%.200s%s takes no arguments", function ? function : "function", function ? "()" : "");
            return args_parse_end(&parse, 0);
        }
        if (min != 1 || max != 1) {
            PyErr_SetString(PyExc_SystemError, "old style getargs format uses new features");
            return args_parse_end(&parse, 0);
        }
        if (!single) {
            PyErr_Format(PyExc_TypeError, "%.200s%s takes at least one argument", function ? function : "function", function ? "()" : "");
            return args_parse_end(&parse, 0);
        }
        const char *wrong = args_convert_item(&parse, single, &format, parse.levels);
        if (!wrong) return args_parse_end(&parse, 1);
        args_set_error(parse.levels + 1, parse.levels[0], wrong, function, message);
        return args_parse_end(&parse, 0);
    }
    if (nargs < min || nargs > max) {
        int limit = nargs < min ? min : max;
        if (message) PyErr_SetString(PyExc_TypeError, message);
        else
            PyErr_Format(PyExc_TypeError, "%.150s%s takes %s %d argument%s (%zd given)", function ? function : "function",
                         function ? "()" : "", min == max ? "exactly" : nargs < min ? "at least" : "at most", limit,
                         limit == 1 ? "" : "s", nargs);
        return args_parse_end(&parse, 0);
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (*format == '|') format++;
        const char *wrong = args_convert_item(&parse, stack[i], &format, parse.levels);
        if (wrong) {
            args_set_error(parse.levels, i + 1, wrong, function, message);
            return args_parse_end(&parse, 0);
        }
    }
    if (*format && !args_is_letter(*format) && *format != '(' && *format != '|' && *format != ':' && *format != ';') {
        PyErr_Format(PyExc_SystemError, "bad format string: %.200s", start);
        return args_parse_end(&parse, 0);
    }
    return args_parse_end(&parse, 1);
}

static int parse_tuple(PyObject *args, const char *format, va_list *targets)
{
    if (!args || !PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError, "new style getargs format but argument is not a tuple");
        return 0;
    }
    return parse_positional(NULL, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), format, targets);
}

int PyArg_ParseTuple(PyObject *args, const char *format, ...)
{
    va_list targets;
    va_start(targets, format);
    int status = parse_tuple(args, format, &targets);
    va_end(targets);
    return status;
}

int PyArg_VaParse(PyObject *args, const char *format, va_list targets)
{
    va_list copy;
    va_copy(copy, targets);
    int status = parse_tuple(args, format, &copy);
    va_end(copy);
    return status;
}

int PyArg_Parse(PyObject *arg, const char *format, ...)
{
    va_list targets;
    va_start(targets, format);
    int status = parse_positional(arg, NULL, 0, format, &targets);
    va_end(targets);
    return status;
}

/* The names with _SizeT were once the versions where '#' means Py_ssize_t; extensions built for the stable ABI ask for them. */
PyAPI_FUNC(int) _PyArg_Parse_SizeT(PyObject *, const char *, ...);
PyAPI_FUNC(int) _PyArg_ParseTuple_SizeT(PyObject *, const char *, ...);
PyAPI_FUNC(int) _PyArg_VaParse_SizeT(PyObject *, const char *, va_list);
PyAPI_FUNC(int) _PyArg_ParseStack(PyObject *const *args, Py_ssize_t nargs, const char *format, ...);

int _PyArg_Parse_SizeT(PyObject *arg, const char *format, ...)
{
    va_list targets;
    va_start(targets, format);
    int status = parse_positional(arg, NULL, 0, format, &targets);
    va_end(targets);
    return status;
}

int _PyArg_ParseTuple_SizeT(PyObject *args, const char *format, ...)
{
    va_list targets;
    va_start(targets, format);
    int status = parse_tuple(args, format, &targets);
    va_end(targets);
    return status;
}

int _PyArg_VaParse_SizeT(PyObject *args, const char *format, va_list targets) { return PyArg_VaParse(args, format, targets); }

int _PyArg_ParseStack(PyObject *const *args, Py_ssize_t nargs, const char *format, ...)
{
    static PyObject *const none[1] = { NULL };
    va_list targets;
    va_start(targets, format);
    int status = parse_positional(NULL, args ? args : none, nargs, format, &targets);
    va_end(targets);
    return status;
}

/* ---- PyArg_UnpackTuple ---------------------------------------------------------------------------------------------------------------------------- */

PyAPI_FUNC(int) _PyArg_CheckPositional(const char *name, Py_ssize_t nargs, Py_ssize_t min, Py_ssize_t max);
int _PyArg_CheckPositional(const char *name, Py_ssize_t nargs, Py_ssize_t min, Py_ssize_t max)
{
    assert(min >= 0 && min <= max);
    if (LIKELY(nargs >= min && nargs <= max)) return 1;
    Py_ssize_t limit = nargs < min ? min : max;
    const char *bound = min == max ? "" : nargs < min ? "at least " : "at most ";
    if (name)
        PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", name, bound, limit, limit == 1 ? "" : "s", nargs);
    else
        PyErr_Format(PyExc_TypeError, "unpacked tuple should have %s%zd element%s, but has %zd", bound, limit, limit == 1 ? "" : "s", nargs);
    return 0;
}

int PyArg_UnpackTuple(PyObject *args, const char *name, Py_ssize_t min, Py_ssize_t max, ...)
{
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
        return 0;
    }
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (!_PyArg_CheckPositional(name, nargs, min, max)) return 0;
    va_list targets;
    va_start(targets, max);
    for (Py_ssize_t i = 0; i < nargs; i++) *va_arg(targets, PyObject **) = PyTuple_GET_ITEM(args, i);
    va_end(targets);
    return 1;
}

PyAPI_FUNC(void) _PyArg_BadArgument(const char *function, const char *name, const char *wanted, PyObject *arg);
void _PyArg_BadArgument(const char *function, const char *name, const char *wanted, PyObject *arg)
{
    PyErr_Format(PyExc_TypeError, "%.200s() %.200s must be %.50s, not %.50s", function, name, wanted,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
}

PyAPI_FUNC(int) _PyArg_NoKeywords(const char *function, PyObject *kwargs);
int _PyArg_NoKeywords(const char *function, PyObject *kwargs)
{
    if (!kwargs) return 1;
    if (!PyDict_CheckExact(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyDict_GET_SIZE(kwargs) == 0) return 1;
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", function);
    return 0;
}

PyAPI_FUNC(int) _PyArg_NoPositional(const char *function, PyObject *args);
int _PyArg_NoPositional(const char *function, PyObject *args)
{
    if (!args) return 1;
    if (!PyTuple_CheckExact(args)) {
        PyErr_BadInternalCall();
        return 0;
    }
    if (PyTuple_GET_SIZE(args) == 0) return 1;
    PyErr_Format(PyExc_TypeError, "%.200s() takes no positional arguments", function);
    return 0;
}
