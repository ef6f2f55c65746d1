/* What a codec does with input it cannot convert: the built-in error handlers in place, the others through the registry.
 *
 * Encoders and decoders treat the cheap handlers (ignore, replace, surrogateescape ...) themselves; what reaches the functions
 * here makes an exception object, calls the handler, and checks what it returned. */
#include "objects/unicode_private.h"

ErrorHandler errors_kind(const char *errors)
{
    static const struct { const char *name; ErrorHandler kind; } known[] = {
        { "strict", ERRORS_STRICT }, { "surrogateescape", ERRORS_SURROGATEESCAPE }, { "replace", ERRORS_REPLACE },
        { "ignore", ERRORS_IGNORE }, { "backslashreplace", ERRORS_BACKSLASHREPLACE }, { "surrogatepass", ERRORS_SURROGATEPASS },
        { "xmlcharrefreplace", ERRORS_XMLCHARREFREPLACE }, { "namereplace", ERRORS_NAMEREPLACE },
    };
    if (!errors) return ERRORS_STRICT;
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) if (strcmp(known[i].name, errors) == 0) return known[i].kind;
    return ERRORS_OTHER;
}

void codec_run_clear(CodecRun *run)
{
    Py_CLEAR(run->handler);
    Py_CLEAR(run->exception);
}

static int get_handler(CodecRun *run)
{
    if (!run->handler) run->handler = PyCodec_LookupError(run->errors);
    return run->handler ? 0 : -1;
}

/* Makes the run's exception, or moves the one it has to the new place. */
static int set_decode_exception(CodecRun *run, const char *reason, DecodeInput *input, Py_ssize_t start, Py_ssize_t end)
{
    if (!run->exception) {
        run->exception = PyUnicodeDecodeError_Create(run->encoding, input->start, input->end - input->start, start, end, reason);
        return run->exception ? 0 : -1;
    }
    if (PyUnicodeDecodeError_SetStart(run->exception, start) == 0 && PyUnicodeDecodeError_SetEnd(run->exception, end) == 0 &&
        PyUnicodeDecodeError_SetReason(run->exception, reason) == 0) return 0;
    Py_CLEAR(run->exception);
    return -1;
}

static int resume_position(Py_ssize_t at, Py_ssize_t size, Py_ssize_t *resume)
{
    Py_ssize_t position = at < 0 ? at + size : at;
    if (position < 0 || position > size) {
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", position);
        return -1;
    }
    *resume = position;
    return 0;
}

PyObject *codec_decode_error(CodecRun *run, const char *reason, DecodeInput *input, Py_ssize_t start, Py_ssize_t end, Py_ssize_t *resume)
{
    if (get_handler(run) < 0 || set_decode_exception(run, reason, input, start, end) < 0) return NULL;
    PyObject *answer = PyObject_CallOneArg(run->handler, run->exception), *text = NULL, *bytes = NULL;
    Py_ssize_t at;
    if (!answer) return NULL;
    if (!PyTuple_Check(answer)) {
        PyErr_SetString(PyExc_TypeError, "decoding error handler must return (str, int) tuple");
        goto failed;
    }
    if (!PyArg_ParseTuple(answer, "Un;decoding error handler must return (str, int) tuple", &text, &at)) goto failed;
    if (!(bytes = PyUnicodeDecodeError_GetObject(run->exception))) goto failed;
    if (!PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "exception attribute object must be bytes");
        goto failed;
    }
    if (resume_position(at, PyBytes_GET_SIZE(bytes), resume) < 0) goto failed;
    Py_INCREF(text);
    input->start = PyBytes_AS_STRING(bytes);                /* the handler may have put other bytes in place */
    input->end = input->start + PyBytes_GET_SIZE(bytes);
    Py_XSETREF(input->replaced, bytes);
    Py_DECREF(answer);
    return text;
failed:
    Py_XDECREF(bytes);
    Py_DECREF(answer);
    return NULL;
}

/* Makes the run's exception, or moves the one it has to the new place. */
static int set_encode_exception(CodecRun *run, const char *reason, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    if (!run->exception) {
        run->exception = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", run->encoding, s, start, end, reason);
        return run->exception ? 0 : -1;
    }
    if (PyUnicodeEncodeError_SetStart(run->exception, start) == 0 && PyUnicodeEncodeError_SetEnd(run->exception, end) == 0 &&
        PyUnicodeEncodeError_SetReason(run->exception, reason) == 0) return 0;
    Py_CLEAR(run->exception);
    return -1;
}

void codec_raise_encode_error(CodecRun *run, const char *reason, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    if (set_encode_exception(run, reason, s, start, end) == 0) PyErr_SetObject((PyObject *)Py_TYPE(run->exception), run->exception);
}

PyObject *codec_encode_error(CodecRun *run, const char *reason, PyObject *s, Py_ssize_t start, Py_ssize_t end, Py_ssize_t *resume)
{
    if (get_handler(run) < 0 || set_encode_exception(run, reason, s, start, end) < 0) return NULL;
    PyObject *answer = PyObject_CallOneArg(run->handler, run->exception), *text = NULL;
    Py_ssize_t at;
    if (!answer) return NULL;
    if (!PyTuple_Check(answer)) {
        PyErr_SetString(PyExc_TypeError, "encoding error handler must return (str/bytes, int) tuple");
        goto failed;
    }
    if (!PyArg_ParseTuple(answer, "On;encoding error handler must return (str/bytes, int) tuple", &text, &at)) goto failed;
    if (!PyUnicode_Check(text) && !PyBytes_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "encoding error handler must return (str/bytes, int) tuple");
        goto failed;
    }
    if (resume_position(at, LENGTH(s), resume) < 0) goto failed;
    Py_INCREF(text);
    Py_DECREF(answer);
    return text;
failed:
    Py_DECREF(answer);
    return NULL;
}
