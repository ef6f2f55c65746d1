/* Built-in functions: one C function, one signature.
 *
 *     BUILTIN_O(list, append, "($self, object, /)", "Put object at the end of the list.")
 *     { ... uses self and arg ... }
 *
 *     BUILTIN(list, pop, POSITIONAL, "($self, index=-1, /)", "Take one item out of the list and return it.")
 *     { ... uses self and arg[0], which is NULL when the caller left it out ... }
 *
 *     static PyMethodDef list_methods[] = { METHOD(list, append), METHOD(list, pop), {0} };
 *
 * The signature text is the only declaration: it gives __text_signature__, help(), the number and names of the parameters,
 * and with the family the wording of the TypeError for a wrong call. Parameters that were not given arrive as NULL; the
 * default written in the signature is what the body must then do. Everything here stands on the public C API, so that
 * modules built as shared objects use it too.
 *
 *   BUILTIN_NOARGS(owner, name, sig, text)      self                       METH_NOARGS
 *   BUILTIN_O(owner, name, sig, text)           self, arg                  METH_O
 *   BUILTIN(owner, name, FAMILY, sig, text)     self, arg[]                bound by the signature; FAMILY is
 *       POSITIONAL   positional-only        "pop expected at most 1 argument, got 2"
 *       PARSED       positional-only        "kill() takes exactly 2 arguments (1 given)"
 *       KEYWORDS     keywords allowed       "split() takes at most 2 arguments (3 given)"
 *       UNNAMED, UNNAMED_PARSED             "function takes at most 2 arguments (3 given)"
 *   BUILTIN_FAST(owner, name, sig, text)        self, args, nargs          METH_FASTCALL, body checks for itself (*args)
 *   BUILTIN_RAW(owner, name, sig, text)         self, args, nargs, kwnames METH_FASTCALL | METH_KEYWORDS, same
 *
 * Table entries: METHOD, METHOD_CLASS, METHOD_STATIC, METHOD_COEXIST. For a tp_new or tp_init with a signature:
 *     SIGNATURE(enumerate_new_signature, "enumerate", KEYWORDS, "(iterable, start=0)");
 *     PyObject *arg[2];
 *     if (args_bind_tuple(&enumerate_new_signature, args, kwargs, arg) < 0) return NULL;
 */
#ifndef TAIPAN_CAPI_ARGS_H
#define TAIPAN_CAPI_ARGS_H

#include "taipan.h"

enum { ARGS_MAX = 24 };                       /* parameters of one signature */
/* UNNAMED: CPython's messages call the function "function". */
enum { FAMILY_POSITIONAL, FAMILY_PARSED, FAMILY_UNNAMED_PARSED, FAMILY_KEYWORDS, FAMILY_UNNAMED };
/* In ml_flags, without meaning for others: messages about wrong calls name the function only, not its module or class, as CPython's do
 * where a function looks at its arguments by itself. */
enum { METH_BARE_NAME = 0x10000 };

/* Digested from the text on first use; process-wide, and never changes afterwards. */
typedef struct Signature {
    const char *name;                         /* as messages show it, without "()" */
    const char *text;                         /* "($self, a, /, b=None, *, c=0)", or longer text that begins so */
    uint8_t family;
    uint8_t digested;                         /* set last, with release order */
    uint8_t positional_only;                  /* parameters before '/', without $self */
    uint8_t positional;                       /* parameters that may be given by position */
    uint8_t total;
    uint8_t required_positional;              /* of the positional ones, those without a default (they come first) */
    uint16_t offset[ARGS_MAX];                /* where each name starts in text */
    uint8_t length[ARGS_MAX];
    uint32_t required;                        /* bit i: parameter i has no default */
} Signature;

void args_digest(Signature *s);

/* Fills out[0 .. total) with borrowed references, NULL where a parameter was not given. -1 with TypeError set. */
int args_bind(Signature *s, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, PyObject **out);
/* TypeError for a keyword that function (NULL: "this function") does not have, with the nearest of names, a list of str. */
void args_set_unexpected(const char *function, PyObject *names, PyObject *keyword);
/* TypeError for the first of keywords (a tuple, or a dict's keys) that names does not have. Returns -1. */
int args_reject_keywords(const char *function, PyObject *names, PyObject *keywords);
int args_bind_tuple(Signature *s, PyObject *args, PyObject *kwargs, PyObject **out);

static inline const Signature *args_signature(Signature *s)
{
    if (UNLIKELY(!__atomic_load_n(&s->digested, __ATOMIC_ACQUIRE))) args_digest(s);
    return s;
}

/* The common case of a call by position that leaves out optional parameters at most. */
static inline bool args_bind_simple(const Signature *s, PyObject *const *args, Py_ssize_t nargs, PyObject **out)
{
    if (UNLIKELY(nargs > s->positional || s->required >> nargs)) return false;
    Py_ssize_t i = 0;
    for (; i < nargs; i++) out[i] = args[i];
    for (; i < s->total; i++) out[i] = NULL;
    return true;
}

#define SIGNATURE(variable, shown_name, family_name, sig) \
    static Signature variable = { .name = shown_name, .text = sig, .family = FAMILY_##family_name }

#define BUILTIN_DOC_(owner, name_, sig, text) static const char owner##_##name_##_doc[] __attribute__((unused)) = #name_ sig "\n--\n\n" text;

#define BUILTIN_NOARGS(owner, name, sig, text)                                                                          \
    BUILTIN_DOC_(owner, name, sig, text)                                                                                \
    enum { owner##_##name##_flags = METH_NOARGS };                                                                      \
    static PyObject *owner##_##name(PyObject *self, PyObject *Py_UNUSED(ignored))

#define BUILTIN_O(owner, name, sig, text)                                                                               \
    BUILTIN_DOC_(owner, name, sig, text)                                                                                \
    enum { owner##_##name##_flags = METH_O };                                                                           \
    static PyObject *owner##_##name(PyObject *self, PyObject *arg)

#define BUILTIN_FAST(owner, name, sig, text)                                                                            \
    BUILTIN_DOC_(owner, name, sig, text)                                                                                \
    enum { owner##_##name##_flags = METH_FASTCALL };                                                                    \
    static PyObject *owner##_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs)

#define BUILTIN_RAW(owner, name, sig, text)                                                                             \
    BUILTIN_DOC_(owner, name, sig, text)                                                                                \
    enum { owner##_##name##_flags = METH_FASTCALL | METH_KEYWORDS };                                                    \
    static PyObject *owner##_##name(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)

#define BUILTIN(owner, name, family, sig, text) BUILTIN_##family##_(owner, name, sig, text)

#define BUILTIN_POSITIONAL_(owner, name, sig, text)     BUILTIN_BY_POSITION_(owner, name, FAMILY_POSITIONAL, sig, text)
#define BUILTIN_PARSED_(owner, name, sig, text)         BUILTIN_BY_POSITION_(owner, name, FAMILY_PARSED, sig, text)
#define BUILTIN_UNNAMED_PARSED_(owner, name, sig, text) BUILTIN_BY_POSITION_(owner, name, FAMILY_UNNAMED_PARSED, sig, text)
#define BUILTIN_KEYWORDS_(owner, name, sig, text)       BUILTIN_BY_KEYWORD_(owner, name, FAMILY_KEYWORDS, sig, text)
#define BUILTIN_UNNAMED_(owner, name, sig, text)        BUILTIN_BY_KEYWORD_(owner, name, FAMILY_UNNAMED, sig, text)

#define BUILTIN_BY_POSITION_(owner, name_, family_, sig, text_)                                                         \
    BUILTIN_DOC_(owner, name_, sig, text_)                                                                              \
    enum { owner##_##name_##_flags = METH_FASTCALL };                                                                   \
    static Signature owner##_##name_##_signature = { .name = #name_, .text = sig, .family = family_ };                  \
    static PyObject *owner##_##name_##_body(PyObject *self, PyObject *const *arg);                                      \
    static PyObject *owner##_##name_(PyObject *self, PyObject *const *args, Py_ssize_t nargs)                           \
    {                                                                                                                   \
        const Signature *s = args_signature(&owner##_##name_##_signature);                                              \
        if (LIKELY(nargs == s->total)) return owner##_##name_##_body(self, args);                                       \
        PyObject *bound[ARGS_MAX];                                                                                      \
        if (!args_bind_simple(s, args, nargs, bound) &&                                                                 \
            args_bind(&owner##_##name_##_signature, args, nargs, NULL, bound) < 0) return NULL;                         \
        return owner##_##name_##_body(self, bound);                                                                     \
    }                                                                                                                   \
    static PyObject *owner##_##name_##_body(PyObject *self, PyObject *const *arg)

#define BUILTIN_BY_KEYWORD_(owner, name_, family_, sig, text_)                                                          \
    BUILTIN_DOC_(owner, name_, sig, text_)                                                                              \
    enum { owner##_##name_##_flags = METH_FASTCALL | METH_KEYWORDS };                                                   \
    static Signature owner##_##name_##_signature = { .name = #name_, .text = sig, .family = family_ };                  \
    static PyObject *owner##_##name_##_body(PyObject *self, PyObject *const *arg);                                      \
    static PyObject *owner##_##name_(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)        \
    {                                                                                                                   \
        const Signature *s = args_signature(&owner##_##name_##_signature);                                              \
        if (LIKELY(!kwnames && nargs == s->total && nargs == s->positional))                                            \
            return owner##_##name_##_body(self, args);                                                                  \
        PyObject *bound[ARGS_MAX];                                                                                      \
        if ((kwnames || !args_bind_simple(s, args, nargs, bound)) &&                                                    \
            args_bind(&owner##_##name_##_signature, args, nargs, kwnames, bound) < 0) return NULL;                      \
        return owner##_##name_##_body(self, bound);                                                                     \
    }                                                                                                                   \
    static PyObject *owner##_##name_##_body(PyObject *self, PyObject *const *arg)

#define METHOD_(owner, name, extra) \
    { #name, (PyCFunction)(void (*)(void))owner##_##name, (int)owner##_##name##_flags | (extra), owner##_##name##_doc }
#define METHOD(owner, name)         METHOD_(owner, name, 0)
#define METHOD_CLASS(owner, name)   METHOD_(owner, name, METH_CLASS)
#define METHOD_STATIC(owner, name)  METHOD_(owner, name, METH_STATIC)
/* Without __doc__; the signature is shown for METH_NOARGS and METH_O. */
#define METHOD_UNDOCUMENTED(owner, name) \
    { #name, (PyCFunction)(void (*)(void))owner##_##name, (int)owner##_##name##_flags, NULL }
#define METHOD_COEXIST(owner, name) METHOD_(owner, name, METH_COEXIST)
#define METHOD_BARE(owner, name)    METHOD_(owner, name, METH_BARE_NAME)

#endif
