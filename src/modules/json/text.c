/* A str that grows: see json_private.h. */
#include "json_private.h"

enum { INITIAL = 240 };

static int text_start(Text *t, Py_UCS4 max, Py_ssize_t room)
{
    t->str = PyUnicode_New(room, max);
    if (!t->str) return -1;
    t->used = 0;
    t->room = room;
    t->kind = PyUnicode_KIND(t->str);
    t->max = max;
    return 0;
}

NOINLINE int text_grow(Text *t, Py_ssize_t more)
{
    if (!t->str) return text_start(t, 127, more < INITIAL ? INITIAL : more);
    if (more > PY_SSIZE_T_MAX / 8 - t->used) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t room = t->used + more;
    room += room / 2;
    if (PyUnicode_Resize(&t->str, room) < 0) return -1;
    t->room = room;
    return 0;
}

NOINLINE int text_widen(Text *t, Py_UCS4 ch, Py_ssize_t more)
{
    if (t->str && ch <= t->max) return text_reserve(t, more);
    Py_UCS4 max = ch < 128 ? 127 : ch < 256 ? 255 : ch < 0x10000 ? 0xffff : 0x10ffff;
    if (!t->str) return text_start(t, max, more < INITIAL ? INITIAL : more);
    if (more > PY_SSIZE_T_MAX / 8 - t->used) {
        PyErr_NoMemory();
        return -1;
    }
    Text wider;
    if (text_start(&wider, max, t->used + more > t->room ? t->used + more + t->used / 2 : t->room) < 0) return -1;
    void *to = PyUnicode_DATA(wider.str);
    const void *from = PyUnicode_DATA(t->str);
    for (Py_ssize_t i = 0; i < t->used; i++) PyUnicode_WRITE(wider.kind, to, i, PyUnicode_READ(t->kind, from, i));
    wider.used = t->used;
    Py_DECREF(t->str);
    *t = wider;
    return 0;
}

int text_put_chars(Text *t, int kind, const void *data, Py_ssize_t n)
{
    Py_UCS4 max = 0;
    for (Py_ssize_t i = 0; i < n; i++) max |= PyUnicode_READ(kind, data, i);      /* wide enough is all that is asked */
    if (max > 0x10ffff) max = 0x10ffff;
    if (max > (t->str ? t->max : 0)) {
        /* the bits of several characters together may name a character wider than any of them */
        Py_UCS4 widest = 0;
        for (Py_ssize_t i = 0; i < n; i++) if (PyUnicode_READ(kind, data, i) > widest) widest = PyUnicode_READ(kind, data, i);
        if (text_widen(t, widest, n) < 0) return -1;
    }
    if (text_reserve(t, n) < 0) return -1;
    if (kind == t->kind) memcpy((char *)PyUnicode_DATA(t->str) + t->used * kind, data, (size_t)(n * kind));
    else for (Py_ssize_t i = 0; i < n; i++) PyUnicode_WRITE(t->kind, PyUnicode_DATA(t->str), t->used + i, PyUnicode_READ(kind, data, i));
    t->used += n;
    return 0;
}

PyObject *text_finish(Text *t)
{
    PyObject *s = t->str;
    t->str = NULL;
    if (!s) return PyUnicode_New(0, 0);
    if (t->used < 2 || t->used < t->room / 4) {                     /* the shared strings, and no large block for a short text */
        PyObject *copy = PyUnicode_FromKindAndData(t->kind, PyUnicode_DATA(s), t->used);
        Py_DECREF(s);
        return copy;
    }
    if (PyUnicode_Resize(&s, t->used) < 0) return NULL;
    return s;
}
