/* _decimal on libmpdec: what its files share. convert.c makes decimals and takes them apart, decimal.c is the type,
 * context.c the contexts and signals, module.c the rest.
 *
 * A Decimal holds the library's number with room for four words of coefficient (76 digits) in the object itself. Operations
 * collect status bits; decimal_raise() adds them to the context and raises what the context traps. */
#ifndef TAIPAN_MODULES_DECIMAL_PRIVATE_H
#define TAIPAN_MODULES_DECIMAL_PRIVATE_H

#include "capi/args.h"

#include <limits.h>
#include <mpdecimal.h>
#include <string.h>

enum { WORDS = 4, SIGNALS = 9, CONDITIONS = 5, ROUNDINGS = 8 };

#define FLOAT_OPERATION MPD_Not_implemented   /* the one signal that the library does not have */

typedef struct Decimal {
    PyObject_HEAD
    Py_hash_t hash;                           /* -1: not known yet */
    mpd_t number;
    mpd_uint_t words[WORDS];
} Decimal;

typedef struct Context {
    PyObject_HEAD
    mpd_context_t context;
    PyObject *traps, *flags;                  /* SignalDicts over the words in context */
    int capitals;
    void *reserved;
} Context;

typedef struct SignalDict { PyObject_HEAD uint32_t *word; } SignalDict;          /* NULL: its context is gone */

typedef struct DecimalState {
    PyTypeObject *decimal_type, *context_type, *signal_mixin_type, *manager_type;
    PyObject *signal_dict_type, *tuple_type, *rational;
    PyObject *base_exception;
    PyObject *signals[SIGNALS], *conditions[CONDITIONS];
    PyObject *signal_tuple;
    PyObject *roundings[ROUNDINGS];
    PyObject *default_context, *basic_context, *extended_context;
    PyObject *variable;                       /* the context variable */
} DecimalState;

#define DECIMAL(o) ((Decimal *)(o))
#define NUMBER(o) (&DECIMAL(o)->number)
#define CONTEXT(o) ((Context *)(o))
#define MPD_CONTEXT(o) (&CONTEXT(o)->context)

extern PyModuleDef decimal_module;
extern PyType_Spec decimal_spec, context_spec, signal_mixin_spec, manager_spec;

void decimal_dealloc(PyObject *self);

/* Subclasses have a destructor of their own. */
static inline bool is_exact_decimal(PyObject *o) { return Py_TYPE(o)->tp_dealloc == decimal_dealloc; }

DecimalState *state_of_type(PyTypeObject *type);
static inline DecimalState *state_of(PyObject *o)
{
    if (LIKELY(is_exact_decimal(o))) return PyModule_GetState(((PyHeapTypeObject *)Py_TYPE(o))->ht_module);
    return state_of_type(Py_TYPE(o));
}

static inline bool is_decimal(DecimalState *s, PyObject *o) { return is_exact_decimal(o) || PyObject_TypeCheck(o, s->decimal_type); }
static inline bool is_context(DecimalState *s, PyObject *o) { return PyObject_TypeCheck(o, s->context_type); }

/* ---- context.c ---- */

/* Adds status to the context; -1 with the exception for what it traps. */
int decimal_raise(DecimalState *s, PyObject *context, uint32_t status);
PyObject *context_current(DecimalState *s);   /* NEW */
/* NEW: the argument, the current context when it is NULL or None; TypeError when it is something else. */
PyObject *context_argument(DecimalState *s, PyObject *o);
int rounding_from(DecimalState *s, PyObject *o);             /* -1 with an exception */
int context_add_all(PyObject *module, DecimalState *s);

/* ---- convert.c ---- */

PyObject *decimal_alloc(DecimalState *s, PyTypeObject *type);
static inline PyObject *decimal_new(DecimalState *s) { return decimal_alloc(s, s->decimal_type); }

/* NEW. What the constructor makes of an object: exactly, or as the context says. */
PyObject *decimal_from_exact(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context);
PyObject *decimal_from(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context);
PyObject *decimal_from_long_exact(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context);
PyObject *decimal_from_float_exact(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context);
PyObject *decimal_from_float_rounded(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context);
/* An operand: NEW; NULL with TypeError when it is neither Decimal nor int. */
PyObject *decimal_operand(DecimalState *s, PyObject *o, PyObject *context);
PyObject *decimal_to_long(DecimalState *s, PyObject *o, PyObject *context, int rounding);
PyObject *decimal_to_tuple(DecimalState *s, PyObject *o);
PyObject *decimal_to_ratio(DecimalState *s, PyObject *o, PyObject *context);
PyObject *decimal_to_float(PyObject *o, PyObject *context);
PyObject *decimal_text(PyObject *o, int capitals, bool engineering);
Py_hash_t decimal_hash_of(PyObject *o);
PyObject *decimal_format(DecimalState *s, PyObject *o, PyObject *const *args, Py_ssize_t nargs);
/* The operands of a comparison: 0, -1, or 1 when it is not implemented. */
int decimal_compare_operands(DecimalState *s, PyObject *v, PyObject *w, int op, PyObject *context, PyObject **a, PyObject **b);

/* ---- operations, for decimal.c and context.c ---- */

typedef void (*Unary)(mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
typedef void (*Binary)(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
PyObject *apply_unary(DecimalState *s, Unary f, PyObject *a, PyObject *context);
PyObject *apply_binary(DecimalState *s, Binary f, PyObject *a, PyObject *b, PyObject *context);
PyObject *apply_divmod(DecimalState *s, PyObject *a, PyObject *b, PyObject *context);
PyObject *apply_power(DecimalState *s, PyObject *a, PyObject *b, PyObject *modulo, PyObject *context);
PyObject *apply_fma(DecimalState *s, PyObject *a, PyObject *b, PyObject *c, PyObject *context);

/* The library's functions in the shapes above. */
void op_compare(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void op_compare_signal(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void op_compare_total(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void op_compare_total_mag(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void op_copy_sign(mpd_t *, const mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void op_copy_abs(mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void op_copy_negate(mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);
void op_apply(mpd_t *, const mpd_t *, const mpd_context_t *, uint32_t *);

#endif
