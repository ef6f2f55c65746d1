/* Interned strings, static strings, and start-up of str.
 *
 * The table (one a GIL) is an open-addressed set of pointers, hashed by the hash inside the strings. It counts no
 * references: str_dealloc takes a mortal string out. The static strings of Process are in every interpreter's table, so that
 * one probe finds both. Deletion shifts entries back, so there are no tombstones. */
#include "objects/unicode_private.h"

#include <stdlib.h>

enum { INTERNED_START = 4096 };

static inline UnicodeState *state_of(PyInterpreterState *interp) { return &interp->objects.unicode; }
static inline UnicodeState *state_get(void) { return state_of(interp_get()); }

static void hash_static(PyObject *s) { ASCII_HEAD(s)->hash = _Py_HashBytes(DATA(s), LENGTH(s)); }

void unicode_init_static(void)
{
#define NAME(x) hash_static((PyObject *)&_PyRuntime.names.str_##x.head);
#include "runtime/names.def"
    for (int i = 0; i < 256; i++) hash_static(latin1_char((Py_UCS4)i));
    hash_static(EMPTY_STR);
}

/* The slot that holds an equal of s, or the empty one where s belongs. */
static PyObject **table_slot(InternTable *u, PyObject *s)
{
    for (size_t i = (size_t)str_hash(s) & u->mask;; i = (i + 1) & u->mask) {
        PyObject *found = u->slots[i];
        if (!found) return &u->slots[i];
        if (ASCII_HEAD(found)->hash == ASCII_HEAD(s)->hash && str_equal(found, s)) return &u->slots[i];
    }
}

static int table_grow(InternTable *u)
{
    size_t old_size = u->mask + 1;
    PyObject **old = u->slots, **table = calloc(old_size * 2, sizeof *table);
    if (!table) return -1;
    u->slots = table;
    u->mask = old_size * 2 - 1;
    for (size_t i = 0; i < old_size; i++) {
        if (!old[i]) continue;
        size_t j = (size_t)ASCII_HEAD(old[i])->hash & u->mask;
        while (table[j]) j = (j + 1) & u->mask;
        table[j] = old[i];
    }
    free(old);
    return 0;
}

/* s is not in the table, slot is where it belongs. */
static int table_add(InternTable *u, PyObject **slot, PyObject *s)
{
    if (u->used * 3 >= (u->mask + 1) * 2) {
        if (table_grow(u) < 0) return -1;
        slot = table_slot(u, s);
    }
    *slot = s;
    u->used++;
    return 0;
}

static int table_add_new(InternTable *u, PyObject *s) { return table_add(u, table_slot(u, s), s); }

void str_unintern(PyObject *s)
{
    InternTable *u = state_get()->interned;
    if (!u || !u->slots) return;
    size_t mask = u->mask, i = (size_t)ASCII_HEAD(s)->hash & mask;
    while (u->slots[i] != s) {
        if (!u->slots[i]) return;                       /* of another interpreter's table, or cleared at exit */
        i = (i + 1) & mask;
    }
    u->used--;
    for (size_t hole = i;;) {
        i = (i + 1) & mask;
        PyObject *next = u->slots[i];
        if (!next) {
            u->slots[hole] = NULL;
            return;
        }
        size_t home = (size_t)ASCII_HEAD(next)->hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {  /* next may move back to the hole without passing its home */
            u->slots[hole] = next;
            hole = i;
        }
    }
}

Py_ssize_t str_interned_count(PyInterpreterState *interp, bool only_immortal)
{
    InternTable *u = state_of(interp)->interned;
    if (!only_immortal) return (Py_ssize_t)u->used;
    Py_ssize_t count = 0;
    for (size_t i = 0; u->slots && i <= u->mask; i++) count += u->slots[i] && _Py_IsImmortal(u->slots[i]);
    return count;
}

int unicode_init_interp(PyInterpreterState *interp)
{
    UnicodeState *state = state_of(interp);
    Interpreter *main = PyInterpreterState_Main();
    if (!state->fs_encoding) state->fs_is_utf8 = 1;
    if (interp != main && interp->runtime.gil == main->runtime.gil) {
        state->interned = state_of(main)->interned;
        return 0;
    }
    InternTable *u = state->interned = &state->own_interned;
    if (!(u->slots = calloc(INTERNED_START, sizeof *u->slots))) return -1;
    u->mask = INTERNED_START - 1;
    u->used = 0;
#define NAME(x) if (table_add_new(u, (PyObject *)&_PyRuntime.names.str_##x.head) < 0) return -1;
#include "runtime/names.def"
    for (int i = 0; i < 256; i++) {
        PyObject *s = latin1_char((Py_UCS4)i);
        if (table_add_new(u, s) < 0) return -1;
    }
    return table_add_new(u, EMPTY_STR);
}

void unicode_fini_codecs(PyInterpreterState *interp)
{
    UnicodeState *u = state_of(interp);
    Py_CLEAR(u->ids);
    Py_CLEAR(u->codec_search_path);
    Py_CLEAR(u->codec_search_cache);
    Py_CLEAR(u->codec_errors);
}

void unicode_fini_interp(PyInterpreterState *interp)
{
    UnicodeState *u = state_of(interp);
    InternTable *own = &u->own_interned;
    for (size_t i = 0; own->slots && i <= own->mask; i++) {
        PyObject *s = own->slots[i];
        if (s && ASCII_HEAD(s)->state.interned != SSTATE_INTERNED_IMMORTAL_STATIC) ASCII_HEAD(s)->state.interned = 0;
    }
    free(own->slots);
    free(u->fs_encoding);
    free(u->fs_errors);
    own->slots = NULL;
    u->fs_encoding = u->fs_errors = NULL;
}

int unicode_set_fs_codec(PyInterpreterState *interp, const char *encoding, const char *errors)
{
    UnicodeState *u = state_of(interp);
    char *e1 = strdup(encoding), *e2 = strdup(errors);
    if (!e1 || !e2) {
        free(e1);
        free(e2);
        PyErr_NoMemory();
        return -1;
    }
    free(u->fs_encoding);
    free(u->fs_errors);
    u->fs_encoding = e1;
    u->fs_errors = e2;
    u->fs_is_utf8 = (strcmp(encoding, "utf-8") == 0 || strcmp(encoding, "utf8") == 0) && strcmp(errors, "surrogateescape") == 0;
    return 0;
}

/* ---- interning ---------------------------------------------------------------------------------------------------- */

static void make_immortal(PyObject *s)
{
    if (ASCII_HEAD(s)->state.interned != SSTATE_INTERNED_MORTAL) return;
    s->ob_refcnt = _Py_IMMORTAL_REFCNT;
    ASCII_HEAD(s)->state.interned = SSTATE_INTERNED_IMMORTAL;
}

/* The interned equal of s; steals s (which may be returned), borrows nothing. s must be an exact str. */
static PyObject *str_intern(PyObject *s)
{
    if (ASCII_HEAD(s)->state.interned) return s;
    InternTable *u = state_get()->interned;
    PyObject **slot = table_slot(u, s), *found = *slot;
    if (found) {
        Py_INCREF(found);
        Py_DECREF(s);
        return found;
    }
    /* Without memory the string stays as it is: interning is an optimisation and cannot fail. */
    if (table_add(u, slot, s) == 0) {
        ASCII_HEAD(s)->state.interned = _Py_IsImmortal(s) ? SSTATE_INTERNED_IMMORTAL : SSTATE_INTERNED_MORTAL;
    }
    return s;
}

void PyUnicode_InternInPlace(PyObject **p)
{
    if (*p && PyUnicode_CheckExact(*p)) *p = str_intern(*p);
}

PyAPI_FUNC(void) PyUnicode_InternImmortal(PyObject **p);
PyAPI_FUNC(void) _PyUnicode_InternImmortal(PyInterpreterState *interp, PyObject **p);
PyAPI_FUNC(void) _PyUnicode_InternMortal(PyInterpreterState *interp, PyObject **p);
PyAPI_FUNC(void) _PyUnicode_InternInPlace(PyInterpreterState *interp, PyObject **p);

void PyUnicode_InternImmortal(PyObject **p)
{
    PyUnicode_InternInPlace(p);
    if (*p && PyUnicode_CheckExact(*p)) make_immortal(*p);
}

void _PyUnicode_InternImmortal(PyInterpreterState *interp, PyObject **p) { PyUnicode_InternImmortal(p); }
void _PyUnicode_InternMortal(PyInterpreterState *interp, PyObject **p) { PyUnicode_InternInPlace(p); }
void _PyUnicode_InternInPlace(PyInterpreterState *interp, PyObject **p) { PyUnicode_InternInPlace(p); }

PyObject *PyUnicode_InternFromString(const char *u)
{
    PyObject *s = PyUnicode_FromString(u);
    return s ? str_intern(s) : NULL;
}

/* Strings of _Py_Identifier: the index in the identifier is process-wide, so it is a slot of each interpreter's list. */
PyObject *_PyUnicode_FromId(_Py_Identifier *id)
{
    Py_ssize_t index = __atomic_load_n(&id->index, __ATOMIC_ACQUIRE);
    if (index < 0) {                                       /* a thread that loses the race wastes a number */
        Py_ssize_t fresh = __atomic_fetch_add(&_PyRuntime.unicode.next_id, 1, __ATOMIC_RELAXED), expected = -1;
        bool won = __atomic_compare_exchange_n(&id->index, &expected, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
        index = won ? fresh : expected;
    }
    UnicodeState *u = state_get();
    if (!u->ids && !(u->ids = PyList_New(0))) return NULL;
    while (PyList_GET_SIZE(u->ids) <= index) {
        if (PyList_Append(u->ids, Py_None) < 0) return NULL;
    }
    PyObject *s = PyList_GET_ITEM(u->ids, index);
    if (s != Py_None) return s;
    if (!(s = PyUnicode_InternFromString(id->string))) return NULL;
    PyList_SetItem(u->ids, index, s);
    return s;
}
