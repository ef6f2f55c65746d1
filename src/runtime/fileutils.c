/* Between the locale's bytes and wide characters or str, with undecodable bytes as lone surrogates (PEP 383); fopen of a str
 * path; os.fspath. Usable before the interpreter exists, the last part aside. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "objects/type.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define P (&_PyRuntime.runtime)

/* ---- which encoding --------------------------------------------------------------------------------------------- */

typedef enum LocaleKind { LOCALE_UTF8, LOCALE_ASCII, LOCALE_OTHER } LocaleKind;

static LocaleKind locale_kind(void)
{
    if (P->preconfig.utf8_mode > 0) return LOCALE_UTF8;
    const char *codeset = nl_langinfo(CODESET);
    if (!codeset || !*codeset) return LOCALE_UTF8;
    if (strcasecmp(codeset, "UTF-8") == 0 || strcasecmp(codeset, "utf8") == 0) return LOCALE_UTF8;
    if (strcmp(codeset, "ANSI_X3.4-1968") == 0 || strcasecmp(codeset, "US-ASCII") == 0 || strcmp(codeset, "646") == 0) return LOCALE_ASCII;
    return LOCALE_OTHER;
}

/* ---- decoding --------------------------------------------------------------------------------------------------- */

/* One character of well-formed UTF-8 (no surrogates, nothing overlong): its length, 0 when it is not. */
static int utf8_decode_one(const unsigned char *p, size_t left, wchar_t *out)
{
    unsigned c = p[0];
    int length = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (!length || (size_t)length > left) return 0;
    unsigned value = length == 1 ? c : c & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (p[i] & 0x3f);
    }
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
    *out = (wchar_t)value;
    return length;
}

/* 0; -1 no memory; -2 undecodable at *error_at, when surrogates may not stand for bytes. */
int locale_decode(const char *text, wchar_t **out, size_t *length, size_t *error_at, const char **reason, bool surrogateescape,
                  bool current_locale)
{
    LocaleKind kind = locale_kind();
    if (current_locale && kind == LOCALE_UTF8 && strcasecmp(nl_langinfo(CODESET), "UTF-8") != 0)
        kind = strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0 ? LOCALE_ASCII : LOCALE_OTHER;
    size_t size = strlen(text), n = 0;
    wchar_t *buffer = PyMem_RawMalloc((size + 1) * sizeof *buffer);
    if (!buffer) return -1;
    mbstate_t state;
    memset(&state, 0, sizeof state);
    for (size_t i = 0; i < size;) {
        const unsigned char *p = (const unsigned char *)text + i;
        wchar_t wc = 0;
        size_t used = 0;
        if (*p < 0x80 && kind != LOCALE_OTHER) { wc = *p; used = 1; }
        else if (kind == LOCALE_UTF8) used = (size_t)utf8_decode_one(p, size - i, &wc);
        else if (kind == LOCALE_OTHER) {
            used = mbrtowc(&wc, (const char *)p, size - i, &state);
            if (used == (size_t)-1 || used == (size_t)-2 || (wc >= 0xd800 && wc < 0xe000)) {
                used = 0;
                memset(&state, 0, sizeof state);
            }
        }
        if (!used) {
            if (!surrogateescape) {
                PyMem_RawFree(buffer);
                if (error_at) *error_at = i;
                if (reason) *reason = kind == LOCALE_ASCII ? "decoding error" : "decoding error";
                return -2;
            }
            wc = (wchar_t)(0xdc00 + *p);
            used = 1;
        }
        buffer[n++] = wc;
        i += used;
    }
    buffer[n] = 0;
    *out = buffer;
    if (length) *length = n;
    return 0;
}

wchar_t *Py_DecodeLocale(const char *text, size_t *size)
{
    wchar_t *wide = NULL;
    process_init();
    int status = locale_decode(text, &wide, size, NULL, NULL, true, false);
    if (status == 0) return wide;
    if (size) *size = status == -1 ? (size_t)-1 : (size_t)-2;
    return NULL;
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

static int utf8_encode_one(wchar_t wc, char *out)
{
    unsigned c = (unsigned)wc;
    if (c < 0x80) { out[0] = (char)c; return 1; }
    if (c < 0x800) { out[0] = (char)(0xc0 | c >> 6); out[1] = (char)(0x80 | (c & 0x3f)); return 2; }
    if (c < 0x10000) {
        if (c >= 0xd800 && c < 0xe000) return 0;
        out[0] = (char)(0xe0 | c >> 12); out[1] = (char)(0x80 | (c >> 6 & 0x3f)); out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    if (c > 0x10ffff) return 0;
    out[0] = (char)(0xf0 | c >> 18); out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f)); out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Allocated with PyMem_RawMalloc when raw, PyMem_Malloc otherwise. Statuses as locale_decode. */
int locale_encode(const wchar_t *text, char **out, size_t *error_at, const char **reason, bool raw, bool surrogateescape,
                  bool current_locale)
{
    LocaleKind kind = locale_kind();
    if (current_locale && kind == LOCALE_UTF8 && strcasecmp(nl_langinfo(CODESET), "UTF-8") != 0)
        kind = strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0 ? LOCALE_ASCII : LOCALE_OTHER;
    size_t length = wcslen(text), n = 0, each = kind == LOCALE_OTHER ? MB_CUR_MAX : 4;
    if (each < 4) each = 4;
    char *buffer = raw ? PyMem_RawMalloc(length * each + 1) : PyMem_Malloc(length * each + 1);
    if (!buffer) return -1;
    mbstate_t state;
    memset(&state, 0, sizeof state);
    for (size_t i = 0; i < length; i++) {
        wchar_t wc = text[i];
        size_t used = 0;
        if (surrogateescape && wc >= 0xdc80 && wc <= 0xdcff) {
            buffer[n] = (char)(wc - 0xdc00);
            used = 1;
        }
        else if (kind == LOCALE_UTF8) used = (size_t)utf8_encode_one(wc, buffer + n);
        else if (kind == LOCALE_ASCII) {
            if (wc < 0x80) { buffer[n] = (char)wc; used = 1; }
        }
        else {
            used = wcrtomb(buffer + n, wc, &state);
            if (used == (size_t)-1) { used = 0; memset(&state, 0, sizeof state); }
        }
        if (!used) {
            if (raw) PyMem_RawFree(buffer);
            else PyMem_Free(buffer);
            if (error_at) *error_at = i;
            if (reason) *reason = "encoding error";
            return -2;
        }
        n += used;
    }
    buffer[n] = 0;
    char *shrunk = raw ? PyMem_RawRealloc(buffer, n + 1) : PyMem_Realloc(buffer, n + 1);
    *out = shrunk ? shrunk : buffer;
    return 0;
}

char *Py_EncodeLocale(const wchar_t *text, size_t *error_at)
{
    char *bytes = NULL;
    size_t at = (size_t)-1;
    int status = locale_encode(text, &bytes, &at, NULL, false, true, false);
    if (error_at) *error_at = status == -2 ? at : (size_t)-1;
    return status == 0 ? bytes : NULL;
}

char *locale_encode_raw(const wchar_t *text)
{
    char *bytes = NULL;
    return locale_encode(text, &bytes, NULL, NULL, true, true, false) == 0 ? bytes : NULL;
}

/* "utf-8", "ascii" or what nl_langinfo says: new wide string, PyMem_RawMalloc. */
wchar_t *locale_encoding_name(void)
{
    if (P->preconfig.utf8_mode > 0) return wide_copy(L"utf-8");
    const char *codeset = nl_langinfo(CODESET);
    if (!codeset || !*codeset) return wide_copy(L"utf-8");
    wchar_t *wide = NULL;
    return locale_decode(codeset, &wide, NULL, NULL, NULL, true, false) == 0 ? wide : NULL;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

PyObject *PyOS_FSPath(PyObject *path)
{
    if (PyUnicode_Check(path) || PyBytes_Check(path)) return Py_NewRef(path);
    PyObject *method = _PyType_Lookup(Py_TYPE(path), STR(__fspath__)), *bound = NULL;
    if (method && method != Py_None) {
        descrgetfunc get = Py_TYPE(method)->tp_descr_get;
        Py_INCREF(method);
        bound = get ? get(method, path, (PyObject *)Py_TYPE(path)) : Py_NewRef(method);
        Py_DECREF(method);
        if (!bound) return NULL;
    }
    if (!bound) {
        PyErr_Format(PyExc_TypeError, "expected str, bytes or os.PathLike object, not %.200s", type_short_name(Py_TYPE(path)));
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(bound);
    Py_DECREF(bound);
    if (result && !PyUnicode_Check(result) && !PyBytes_Check(result)) {
        PyErr_Format(PyExc_TypeError, "expected %.200s.__fspath__() to return str or bytes, not %.200s", Py_TYPE(path)->tp_name,
                     Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

static int set_cloexec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

FILE *file_open_cloexec(const char *path, const char *mode)
{
    FILE *f = fopen(path, mode);
    if (f && set_cloexec(fileno(f)) < 0) {
        fclose(f);
        return NULL;
    }
    return f;
}

/* With the GIL. NULL with an exception, or with errno when the file cannot be opened. */
FILE *_Py_fopen_obj(PyObject *path, const char *mode)
{
    PyObject *bytes;
    FILE *f;
    int interrupted = 0;
    if (!PyUnicode_FSConverter(path, &bytes)) return NULL;
    const char *name = PyBytes_AS_STRING(bytes);
    if (PySys_Audit("open", "Osi", path, mode, 0) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    do {
        Py_BEGIN_ALLOW_THREADS
        f = fopen(name, mode);
        Py_END_ALLOW_THREADS
    } while (!f && errno == EINTR && !(interrupted = PyErr_CheckSignals()));
    int saved = errno;
    Py_DECREF(bytes);
    if (interrupted) return NULL;
    if (!f) {
        errno = saved;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
        return NULL;
    }
    if (set_cloexec(fileno(f)) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        fclose(f);
        return NULL;
    }
    return f;
}
