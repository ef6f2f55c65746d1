/* Contexts, their flags and traps, and the exceptions. */
#include "decimal_private.h"

static const struct { const char *name; uint32_t flag; } signal_map[SIGNALS] = {
    { "InvalidOperation", MPD_IEEE_Invalid_operation }, { "FloatOperation", FLOAT_OPERATION }, { "DivisionByZero", MPD_Division_by_zero },
    { "Overflow", MPD_Overflow }, { "Underflow", MPD_Underflow }, { "Subnormal", MPD_Subnormal }, { "Inexact", MPD_Inexact },
    { "Rounded", MPD_Rounded }, { "Clamped", MPD_Clamped },
};
enum { INVALID_OPERATION, FLOAT_OPERATION_INDEX, DIVISION_BY_ZERO, OVERFLOW_INDEX, UNDERFLOW_INDEX, SUBNORMAL, INEXACT, ROUNDED, CLAMPED };

/* What InvalidOperation may be in detail. */
static const struct { const char *name; uint32_t flag; } condition_map[CONDITIONS] = {
    { "InvalidOperation", MPD_Invalid_operation }, { "ConversionSyntax", MPD_Conversion_syntax }, { "DivisionImpossible", MPD_Division_impossible },
    { "DivisionUndefined", MPD_Division_undefined }, { "InvalidContext", MPD_Invalid_context },
};
static const char *const rounding_names[ROUNDINGS] = {
    "ROUND_UP", "ROUND_DOWN", "ROUND_CEILING", "ROUND_FLOOR", "ROUND_HALF_UP", "ROUND_HALF_DOWN", "ROUND_HALF_EVEN", "ROUND_05UP",
};
#define ROUNDING_ERROR "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]"
#define SIGNAL_ERROR "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]"

/* ---- signals --------------------------------------------------------------------------------------------------------------- */

/* List of the exceptions that flags stand for: conditions in detail, or only signals. */
static PyObject *flags_as_list(DecimalState *s, uint32_t flags, bool detailed)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list && detailed && i < CONDITIONS; i++)
        if (flags & condition_map[i].flag && PyList_Append(list, s->conditions[i]) < 0) Py_CLEAR(list);
    for (int i = detailed; list && i < SIGNALS; i++)
        if (flags & signal_map[i].flag && PyList_Append(list, s->signals[i]) < 0) Py_CLEAR(list);
    return list;
}

static COLD int raise_trapped(DecimalState *s, uint32_t trapped)
{
    int i = 0;
    while (i < SIGNALS - 1 && !(trapped & signal_map[i].flag)) i++;
    PyObject *list = flags_as_list(s, trapped, true);
    if (list) PyErr_SetObject(s->signals[i], list);
    Py_XDECREF(list);
    return -1;
}

int decimal_raise(DecimalState *s, PyObject *context, uint32_t status)
{
    mpd_context_t *c = MPD_CONTEXT(context);
    c->status |= status;
    if (LIKELY(!(status & (c->traps | MPD_Malloc_error)))) return 0;
    if (status & MPD_Malloc_error) {
        PyErr_NoMemory();
        return -1;
    }
    return raise_trapped(s, status & c->traps);
}

/* 0: not a signal, with an exception. */
static uint32_t signal_flag(DecimalState *s, PyObject *o)
{
    for (int i = 0; i < SIGNALS; i++) if (s->signals[i] == o) return signal_map[i].flag;
    PyErr_SetString(PyExc_KeyError, SIGNAL_ERROR);
    return 0;
}

static int list_as_flags(DecimalState *s, PyObject *list, uint32_t *flags)
{
    *flags = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        uint32_t flag = 0;
        for (int k = 0; k < SIGNALS && !flag; k++) if (s->signals[k] == item) flag = signal_map[k].flag;
        for (int k = 0; k < CONDITIONS && !flag; k++) if (s->conditions[k] == item) flag = condition_map[k].flag;
        if (!flag) {
            PyErr_SetString(PyExc_KeyError, SIGNAL_ERROR);
            return -1;
        }
        *flags |= flag;
    }
    return 0;
}

static int dict_as_flags(DecimalState *s, PyObject *o, uint32_t *flags)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    *flags = 0;
    if (PyObject_TypeCheck(o, s->signal_mixin_type)) {
        if (!((SignalDict *)o)->word) {
            PyErr_SetString(PyExc_ValueError, "invalid signal dict");
            return -1;
        }
        *flags = *((SignalDict *)o)->word;
        return 0;
    }
    if (!PyDict_Check(o)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a signal dict");
        return -1;
    }
    if (PyDict_GET_SIZE(o) != SIGNALS) {
        PyErr_SetString(PyExc_KeyError, "invalid signal dict");
        return -1;
    }
    while (PyDict_Next(o, &position, &key, &value)) {
        uint32_t flag = signal_flag(s, key);
        Py_INCREF(value);
        int truth = flag ? PyObject_IsTrue(value) : -1;
        Py_DECREF(value);
        if (truth < 0) return -1;
        if (truth) *flags |= flag;
    }
    return 0;
}

/* ---- SignalDict ------------------------------------------------------------------------------------------------------------ */

static uint32_t *signal_word(PyObject *self)
{
    uint32_t *word = ((SignalDict *)self)->word;
    if (!word) PyErr_SetString(PyExc_ValueError, "invalid signal dict");
    return word;
}

static int signaldict_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    ((SignalDict *)self)->word = NULL;
    return 0;
}

static Py_ssize_t signaldict_length(PyObject *self) { return signal_word(self) ? SIGNALS : -1; }
static PyObject *signaldict_iter(PyObject *self) { return signal_word(self) ? PyObject_GetIter(state_of_type(Py_TYPE(self))->signal_tuple) : NULL; }

static PyObject *signaldict_get(PyObject *self, PyObject *key)
{
    uint32_t *word = signal_word(self), flag = word ? signal_flag(state_of_type(Py_TYPE(self)), key) : 0;
    return flag ? PyBool_FromLong((*word & flag) != 0) : NULL;
}

static int signaldict_set(PyObject *self, PyObject *key, PyObject *value)
{
    uint32_t *word = signal_word(self);
    if (!word) return -1;
    if (!value) {
        PyErr_SetString(PyExc_ValueError, "signal keys cannot be deleted");
        return -1;
    }
    uint32_t flag = signal_flag(state_of_type(Py_TYPE(self)), key);
    int truth = flag ? PyObject_IsTrue(value) : -1;
    if (truth < 0) return -1;
    if (truth) *word |= flag;
    else *word &= ~flag;
    return 0;
}

static PyObject *signaldict_repr(PyObject *self)
{
    uint32_t *word = signal_word(self);
    if (!word) return NULL;
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *text = PyUnicode_FromString("{");
    for (int i = 0; text && i < SIGNALS; i++)
        Py_SETREF(text, PyUnicode_FromFormat("%U%s%R: %s", text, i ? ", " : "", s->signals[i], *word & signal_map[i].flag ? "True" : "False"));
    if (text) Py_SETREF(text, PyUnicode_FromFormat("%U}", text));
    return text;
}

static PyObject *signaldict_compare(PyObject *v, PyObject *w, int op)
{
    uint32_t *word = signal_word(v), other;
    DecimalState *s = state_of_type(Py_TYPE(v));
    if (!word) return NULL;
    if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
    if (PyObject_TypeCheck(w, s->signal_mixin_type)) {
        if (!signal_word(w)) return NULL;
        other = *((SignalDict *)w)->word;
    }
    else if (!PyDict_Check(w)) Py_RETURN_NOTIMPLEMENTED;
    else if (dict_as_flags(s, w, &other) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) return NULL;
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyBool_FromLong((*word == other) == (op == Py_EQ));
}

BUILTIN_NOARGS(signaldict, copy, "($self, /)", "A dict with the same items.")
{
    uint32_t *word = signal_word(self);
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *dict = word ? PyDict_New() : NULL;
    for (int i = 0; dict && i < SIGNALS; i++)
        if (PyDict_SetItem(dict, s->signals[i], *word & signal_map[i].flag ? Py_True : Py_False) < 0) Py_CLEAR(dict);
    return dict;
}

static int type_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void plain_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef signaldict_methods[] = { METHOD(signaldict, copy), { 0 } };
static PyType_Slot signaldict_slots[] = {
    { Py_tp_dealloc, plain_dealloc }, { Py_tp_traverse, type_traverse }, { Py_tp_repr, signaldict_repr }, { Py_tp_hash, PyObject_HashNotImplemented },
    { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_richcompare, signaldict_compare }, { Py_tp_iter, signaldict_iter },
    { Py_tp_methods, signaldict_methods }, { Py_tp_init, signaldict_init }, { Py_mp_length, signaldict_length }, { Py_mp_subscript, signaldict_get },
    { Py_mp_ass_subscript, signaldict_set }, { 0, NULL }
};
PyType_Spec signal_mixin_spec = {
    "decimal.SignalDictMixin", sizeof(SignalDict), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, signaldict_slots
};

/* ---- attributes ------------------------------------------------------------------------------------------------------------ */

int rounding_from(DecimalState *s, PyObject *o)
{
    if (PyUnicode_Check(o))
        for (int i = 0; i < ROUNDINGS; i++) if (o == s->roundings[i] || PyUnicode_Compare(o, s->roundings[i]) == 0) return i;
    PyErr_SetString(PyExc_TypeError, ROUNDING_ERROR);
    return -1;
}

static int to_ssize(PyObject *value, mpd_ssize_t *n)
{
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    }
    *n = PyLong_AsSsize_t(value);
    return *n == -1 && PyErr_Occurred() ? -1 : 0;
}

enum { PREC, EMIN, EMAX, CAPITALS, CLAMP };

static int context_set_number(PyObject *self, PyObject *value, void *which)
{
    static const char *const errors[] = {
        "valid range for prec is [1, MAX_PREC]", "valid range for Emin is [MIN_EMIN, 0]", "valid range for Emax is [0, MAX_EMAX]",
        "valid values for capitals are 0 or 1", "valid values for clamp are 0 or 1",
    };
    mpd_context_t *c = MPD_CONTEXT(self);
    mpd_ssize_t n;
    int done = 0;
    if (to_ssize(value, &n) < 0) return -1;
    switch ((intptr_t)which) {
    case PREC: done = mpd_qsetprec(c, n); break;
    case EMIN: done = mpd_qsetemin(c, n); break;
    case EMAX: done = mpd_qsetemax(c, n); break;
    case CLAMP: done = (n == 0 || n == 1) && mpd_qsetclamp(c, (int)n); break;
    default:
        done = n == 0 || n == 1;
        if (done) CONTEXT(self)->capitals = (int)n;
    }
    if (!done) PyErr_SetString(PyExc_ValueError, errors[(intptr_t)which]);
    return done ? 0 : -1;
}

static PyObject *context_get_number(PyObject *self, void *which)
{
    mpd_context_t *c = MPD_CONTEXT(self);
    switch ((intptr_t)which) {
    case PREC: return PyLong_FromSsize_t(c->prec);
    case EMIN: return PyLong_FromSsize_t(c->emin);
    case EMAX: return PyLong_FromSsize_t(c->emax);
    case CLAMP: return PyLong_FromLong(c->clamp);
    default: return PyLong_FromLong(CONTEXT(self)->capitals);
    }
}

static PyObject *context_get_rounding(PyObject *self, void *closure) { return Py_NewRef(state_of_type(Py_TYPE(self))->roundings[MPD_CONTEXT(self)->round]); }

static int context_set_rounding(PyObject *self, PyObject *value, void *closure)
{
    int rounding = rounding_from(state_of_type(Py_TYPE(self)), value);
    if (rounding >= 0) MPD_CONTEXT(self)->round = rounding;
    return rounding < 0 ? -1 : 0;
}

static int set_word(DecimalState *s, uint32_t *word, PyObject *value)
{
    uint32_t flags;
    if (PyList_Check(value) ? list_as_flags(s, value, &flags) < 0 : dict_as_flags(s, value, &flags) < 0) return -1;
    *word = flags;
    return 0;
}

static PyObject *context_getattro(PyObject *self, PyObject *name)
{
    if (PyUnicode_Check(name)) {
        if (PyUnicode_EqualToUTF8(name, "traps")) return Py_NewRef(CONTEXT(self)->traps);
        if (PyUnicode_EqualToUTF8(name, "flags")) return Py_NewRef(CONTEXT(self)->flags);
    }
    return PyObject_GenericGetAttr(self, name);
}

static int context_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "context attributes cannot be deleted");
        return -1;
    }
    bool traps = PyUnicode_Check(name) && PyUnicode_EqualToUTF8(name, "traps");
    if (traps || (PyUnicode_Check(name) && PyUnicode_EqualToUTF8(name, "flags"))) {
        uint32_t flags;
        if (dict_as_flags(state_of_type(Py_TYPE(self)), value, &flags) < 0) return -1;
        *(traps ? &MPD_CONTEXT(self)->traps : &MPD_CONTEXT(self)->status) = flags;
        return 0;
    }
    return PyObject_GenericSetAttr(self, name, value);
}

/* prec, rounding, Emin, ... NULL or None: as it is */
static int context_set_attributes(DecimalState *s, PyObject *self, PyObject *const *v)
{
    #define GIVEN(i) (v[i] && v[i] != Py_None)
    if ((GIVEN(0) && context_set_number(self, v[0], (void *)PREC) < 0) || (GIVEN(1) && context_set_rounding(self, v[1], NULL) < 0) ||
        (GIVEN(2) && context_set_number(self, v[2], (void *)EMIN) < 0) || (GIVEN(3) && context_set_number(self, v[3], (void *)EMAX) < 0) ||
        (GIVEN(4) && context_set_number(self, v[4], (void *)CAPITALS) < 0) || (GIVEN(5) && context_set_number(self, v[5], (void *)CLAMP) < 0) ||
        (GIVEN(6) && set_word(s, &MPD_CONTEXT(self)->status, v[6]) < 0) || (GIVEN(7) && set_word(s, &MPD_CONTEXT(self)->traps, v[7]) < 0)) return -1;
    #undef GIVEN
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static const mpd_context_t default_context = {
    28, 999999, -999999, MPD_IEEE_Invalid_operation | MPD_Division_by_zero | MPD_Overflow, 0, 0, MPD_ROUND_HALF_EVEN, 0, 1
};
static const mpd_context_t basic_context = {
    9, 999999, -999999, MPD_Traps | MPD_Clamped, 0, 0, MPD_ROUND_HALF_UP, 0, 1
};
static const mpd_context_t extended_context = { 9, 999999, -999999, 0, 0, 0, MPD_ROUND_HALF_EVEN, 0, 1 };

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    DecimalState *s = state_of_type(type);
    Context *c = CONTEXT(type->tp_alloc(type, 0));
    if (!c) return NULL;
    c->context = s->default_context ? *MPD_CONTEXT(s->default_context) : default_context;
    c->context.status = 0;
    c->capitals = 1;
    if (!(c->traps = PyObject_CallNoArgs(s->signal_dict_type)) || !(c->flags = PyObject_CallNoArgs(s->signal_dict_type))) {
        Py_DECREF(c);
        return NULL;
    }
    ((SignalDict *)c->traps)->word = &c->context.traps;
    ((SignalDict *)c->flags)->word = &c->context.status;
    return (PyObject *)c;
}

SIGNATURE(context_signature, "Context", UNNAMED,
          "(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)");

static int context_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[8];
    if (args_bind_tuple(&context_signature, args, kwargs, arg) < 0) return -1;
    return context_set_attributes(state_of_type(Py_TYPE(self)), self, arg);
}

static int context_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(CONTEXT(self)->traps);
    Py_VISIT(CONTEXT(self)->flags);
    return 0;
}

/* The dicts may live on; they no longer stand for anything then. */
static int context_clear(PyObject *self)
{
    Context *c = CONTEXT(self);
    if (c->traps) ((SignalDict *)c->traps)->word = NULL;
    if (c->flags) ((SignalDict *)c->flags)->word = NULL;
    Py_CLEAR(c->traps);
    Py_CLEAR(c->flags);
    return 0;
}

static void context_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    context_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *context_copy_of(DecimalState *s, PyObject *context)
{
    PyObject *copy = context_new(s->context_type, NULL, NULL);
    if (!copy) return NULL;
    *MPD_CONTEXT(copy) = *MPD_CONTEXT(context);
    MPD_CONTEXT(copy)->newtrap = 0;
    CONTEXT(copy)->capitals = CONTEXT(context)->capitals;
    return copy;
}

BUILTIN_NOARGS(context, copy, "($self, /)", "Return a duplicate of the context.") { return context_copy_of(state_of_type(Py_TYPE(self)), self); }
BUILTIN_NOARGS(context, __copy__, "($self, /)", "Return a duplicate of the context.") { return context_copy_of(state_of_type(Py_TYPE(self)), self); }

static PyObject *list_text(uint32_t flags)
{
    PyObject *text = PyUnicode_FromString("[");
    bool first = true;
    /* in the order of the bits, InvalidOperation once */
    static const int order[] = { CLAMPED, INVALID_OPERATION, DIVISION_BY_ZERO, INEXACT, FLOAT_OPERATION_INDEX, OVERFLOW_INDEX, ROUNDED, SUBNORMAL, UNDERFLOW_INDEX };
    int place[SIGNALS], n = 0;
    bool invalid_early = flags & MPD_Conversion_syntax, invalid_late = !invalid_early && flags & MPD_IEEE_Invalid_operation;
    bool before_inexact = flags & (MPD_Division_impossible | MPD_Division_undefined | MPD_Fpu_error);
    for (size_t i = 0; i < ARRAY_LENGTH(order); i++) {
        int signal = order[i];
        if (signal == INVALID_OPERATION) {
            if (invalid_early) place[n++] = signal;
            continue;
        }
        if (signal == INEXACT && invalid_late && before_inexact) place[n++] = INVALID_OPERATION;
        if (flags & signal_map[signal].flag) place[n++] = signal;
        if (signal == INEXACT && invalid_late && !before_inexact) place[n++] = INVALID_OPERATION;
    }
    for (int i = 0; text && i < n; i++, first = false)
        Py_SETREF(text, PyUnicode_FromFormat("%U%s%s", text, first ? "" : ", ", signal_map[place[i]].name));
    if (text) Py_SETREF(text, PyUnicode_FromFormat("%U]", text));
    return text;
}

static PyObject *context_repr(PyObject *self)
{
    mpd_context_t *c = MPD_CONTEXT(self);
    PyObject *flags = list_text(c->status), *traps = flags ? list_text(c->traps) : NULL, *result = NULL;
    if (traps)
        result = PyUnicode_FromFormat("Context(prec=%zd, rounding=%s, Emin=%zd, Emax=%zd, capitals=%d, clamp=%d, flags=%U, traps=%U)",
                                      (Py_ssize_t)c->prec, rounding_names[c->round], (Py_ssize_t)c->emin, (Py_ssize_t)c->emax, CONTEXT(self)->capitals, c->clamp,
                                      flags, traps);
    Py_XDECREF(flags);
    Py_XDECREF(traps);
    return result;
}

BUILTIN_NOARGS(context, __reduce__, "($self, /)", "State for pickling.")
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    mpd_context_t *c = MPD_CONTEXT(self);
    PyObject *flags = flags_as_list(s, c->status, false), *traps = flags ? flags_as_list(s, c->traps, false) : NULL;
    if (!traps) {
        Py_XDECREF(flags);
        return NULL;
    }
    return Py_BuildValue("O(nsnniiNN)", Py_TYPE(self), (Py_ssize_t)c->prec, rounding_names[c->round], (Py_ssize_t)c->emin, (Py_ssize_t)c->emax,
                         CONTEXT(self)->capitals, c->clamp, flags, traps);
}

BUILTIN_NOARGS(context, clear_flags, "($self, /)", "Reset all flags to False.")
{
    MPD_CONTEXT(self)->status = 0;
    Py_RETURN_NONE;
}
BUILTIN_NOARGS(context, clear_traps, "($self, /)", "Set all traps to False.")
{
    MPD_CONTEXT(self)->traps = 0;
    Py_RETURN_NONE;
}
BUILTIN_NOARGS(context, Etiny, "($self, /)", "Return Emin - prec + 1: the least exponent of subnormal results.") { return PyLong_FromSsize_t(mpd_etiny(MPD_CONTEXT(self))); }
BUILTIN_NOARGS(context, Etop, "($self, /)", "Return Emax - prec + 1: the greatest exponent with clamp set.") { return PyLong_FromSsize_t(mpd_etop(MPD_CONTEXT(self))); }
BUILTIN_NOARGS(context, radix, "($self, /)", "Return 10.") 
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *ten = PyLong_FromLong(10), *result = ten ? decimal_from_long_exact(s, s->decimal_type, ten, self) : NULL;
    Py_XDECREF(ten);
    return result;
}

BUILTIN(context, create_decimal, UNNAMED_PARSED, "($self, num=\"0\", /)",
        "Create a new Decimal instance from num, using self as the context.\n\nUnlike the Decimal constructor, this function observes the context limits.")
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    return decimal_from(s, s->decimal_type, arg[0], self);
}

BUILTIN_O(context, create_decimal_from_float, "($self, f, /)",
          "Create a new Decimal instance from float f.\n\nUnlike the Decimal.from_float() class method, this function observes the context limits.")
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    return decimal_from_float_rounded(s, s->decimal_type, arg, self);
}

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

static PyObject *context_unary(PyObject *self, PyObject *x, Unary f)
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *a = decimal_operand(s, x, self), *result = a ? apply_unary(s, f, a, self) : NULL;
    Py_XDECREF(a);
    return result;
}

static PyObject *context_binary(PyObject *self, PyObject *const *arg, Binary f)
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *a = decimal_operand(s, arg[0], self), *b = a ? decimal_operand(s, arg[1], self) : NULL;
    PyObject *result = b ? apply_binary(s, f, a, b, self) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

#define UNARY(name, function, text) BUILTIN_O(context, name, "($self, x, /)", text) { return context_unary(self, arg, function); }
#define BINARY(name, function, text) BUILTIN(context, name, UNNAMED_PARSED, "($self, x, y, /)", text) { return context_binary(self, arg, function); }
#define TEST(name, expression, text)                                                                                          \
    BUILTIN_O(context, name, "($self, x, /)", text)                                                                           \
    {                                                                                                                         \
        PyObject *a = decimal_operand(state_of_type(Py_TYPE(self)), arg, self);                                               \
        if (!a) return NULL;                                                                                                  \
        const mpd_t *x = NUMBER(a);                                                                                           \
        int truth = expression;                                                                                               \
        Py_DECREF(a);                                                                                                         \
        return PyBool_FromLong(truth);                                                                                        \
    }

UNARY(abs, mpd_qabs, "Return the absolute value of x.")
UNARY(exp, mpd_qexp, "Return e ** x.")
UNARY(ln, mpd_qln, "Return the natural (base e) logarithm of x.")
UNARY(log10, mpd_qlog10, "Return the base 10 logarithm of x.")
UNARY(minus, mpd_qminus, "Minus corresponds to the unary prefix minus operator, but applies the context to the result.")
UNARY(next_minus, mpd_qnext_minus, "Return the largest representable number smaller than x.")
UNARY(next_plus, mpd_qnext_plus, "Return the smallest representable number larger than x.")
UNARY(normalize, mpd_qreduce, "Reduce x to its simplest form.")
UNARY(plus, mpd_qplus, "Plus corresponds to the unary prefix plus operator, but applies the context to the result.")
UNARY(to_integral, mpd_qround_to_int, "Identical to to_integral_value(x).")
UNARY(to_integral_exact, mpd_qround_to_intx, "Round to an integer. Signal if the result is rounded or inexact.")
UNARY(to_integral_value, mpd_qround_to_int, "Round to an integer.")
UNARY(sqrt, mpd_qsqrt, "Square root of a non-negative number to context precision.")
UNARY(logb, mpd_qlogb, "Return the exponent of the magnitude of the operand's MSD.")
UNARY(logical_invert, mpd_qinvert, "Invert all digits of x.")
UNARY(copy_abs, op_copy_abs, "Return a copy of x with the sign set to 0.")
UNARY(copy_negate, op_copy_negate, "Return a copy of x with the sign inverted.")
UNARY(_apply, op_apply, "Return x as the context rounds it.")
BINARY(add, mpd_qadd, "Return the sum of x and y.")
BINARY(compare, op_compare, "Compare x and y numerically.")
BINARY(compare_signal, op_compare_signal, "Compare x and y numerically. All NaNs signal.")
BINARY(compare_total, op_compare_total, "Compare x and y using their abstract representation.")
BINARY(compare_total_mag, op_compare_total_mag, "Compare x and y using their abstract representation, ignoring sign.")
BINARY(copy_sign, op_copy_sign, "Copy the sign from y to x.")
BINARY(divide, mpd_qdiv, "Return x divided by y.")
BINARY(divide_int, mpd_qdivint, "Return x divided by y, truncated to an integer.")
BINARY(max, mpd_qmax, "Compare the values numerically and return the maximum.")
BINARY(max_mag, mpd_qmax_mag, "Compare the values numerically with their sign ignored.")
BINARY(min, mpd_qmin, "Compare the values numerically and return the minimum.")
BINARY(min_mag, mpd_qmin_mag, "Compare the values numerically with their sign ignored.")
BINARY(multiply, mpd_qmul, "Return the product of x and y.")
BINARY(next_toward, mpd_qnext_toward, "Return the number closest to x, in the direction towards y.")
BINARY(quantize, mpd_qquantize, "Return a value equal to x (rounded), having the exponent of y.")
BINARY(remainder, mpd_qrem, "Return the remainder from integer division, with the sign of x.")
BINARY(remainder_near, mpd_qrem_near, "Return x - y * n, where n is the integer nearest the exact value of x / y.")
BINARY(subtract, mpd_qsub, "Return the difference between x and y.")
BINARY(logical_and, mpd_qand, "Digit-wise and of x and y.")
BINARY(logical_or, mpd_qor, "Digit-wise or of x and y.")
BINARY(logical_xor, mpd_qxor, "Digit-wise xor of x and y.")
BINARY(rotate, mpd_qrotate, "Return a copy of x, rotated by y places.")
BINARY(scaleb, mpd_qscaleb, "Return the first operand after adding the second value to its exp.")
BINARY(shift, mpd_qshift, "Return a copy of x, shifted by y places.")
TEST(is_finite, mpd_isfinite(x), "Return True if x is finite, False otherwise.")
TEST(is_infinite, mpd_isinfinite(x), "Return True if x is infinite, False otherwise.")
TEST(is_nan, mpd_isnan(x), "Return True if x is a qNaN or sNaN, False otherwise.")
TEST(is_normal, mpd_isnormal(x, MPD_CONTEXT(self)), "Return True if x is a normal number, False otherwise.")
TEST(is_qnan, mpd_isqnan(x), "Return True if x is a quiet NaN, False otherwise.")
TEST(is_signed, mpd_issigned(x), "Return True if x is negative, False otherwise.")
TEST(is_snan, mpd_issnan(x), "Return True if x is a signaling NaN, False otherwise.")
TEST(is_subnormal, mpd_issubnormal(x, MPD_CONTEXT(self)), "Return True if x is subnormal, False otherwise.")
TEST(is_zero, mpd_iszero(x), "Return True if x is a zero, False otherwise.")

BUILTIN_O(context, canonical, "($self, x, /)", "Return a new instance of x.")
{
    if (is_decimal(state_of_type(Py_TYPE(self)), arg)) return Py_NewRef(arg);
    PyErr_SetString(PyExc_TypeError, "argument must be a Decimal");
    return NULL;
}
BUILTIN_O(context, is_canonical, "($self, x, /)", "Return True if x is canonical, False otherwise.")
{
    if (is_decimal(state_of_type(Py_TYPE(self)), arg)) return PyBool_FromLong(mpd_iscanonical(NUMBER(arg)));
    PyErr_SetString(PyExc_TypeError, "argument must be a Decimal");
    return NULL;
}
BUILTIN_O(context, copy_decimal, "($self, x, /)", "Return a copy of Decimal x.") { return decimal_operand(state_of_type(Py_TYPE(self)), arg, self); }

BUILTIN(context, same_quantum, UNNAMED_PARSED, "($self, x, y, /)", "Return True if the two operands have the same exponent.")
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *a = decimal_operand(s, arg[0], self), *b = a ? decimal_operand(s, arg[1], self) : NULL;
    PyObject *result = b ? PyBool_FromLong(mpd_same_quantum(NUMBER(a), NUMBER(b))) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

static PyObject *context_text(PyObject *self, PyObject *x, bool engineering)
{
    PyObject *a = decimal_operand(state_of_type(Py_TYPE(self)), x, self), *text = a ? decimal_text(a, CONTEXT(self)->capitals, engineering) : NULL;
    Py_XDECREF(a);
    return text;
}
BUILTIN_O(context, to_sci_string, "($self, x, /)", "Convert a number to a string using scientific notation.") { return context_text(self, arg, false); }
BUILTIN_O(context, to_eng_string, "($self, x, /)", "Convert a number to a string, using engineering notation.") { return context_text(self, arg, true); }

BUILTIN_O(context, number_class, "($self, x, /)", "Return an indication of the class of x.")
{
    PyObject *a = decimal_operand(state_of_type(Py_TYPE(self)), arg, self);
    PyObject *text = a ? PyUnicode_FromString(mpd_class(NUMBER(a), MPD_CONTEXT(self))) : NULL;
    Py_XDECREF(a);
    return text;
}

BUILTIN(context, divmod, UNNAMED_PARSED, "($self, x, y, /)", "Return quotient and remainder of the division x / y.")
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *a = decimal_operand(s, arg[0], self), *b = a ? decimal_operand(s, arg[1], self) : NULL, *result = b ? apply_divmod(s, a, b, self) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

BUILTIN(context, power, UNNAMED, "($self, /, a, b, modulo=None)",
        "Compute a**b.\n\nIf 'a' is negative, then 'b' must be integral. With modulo, compute (a**b) % modulo: all three must be\n"
        "integral, 'b' not negative, 'a' or 'b' not zero, modulo not zero and below 10**prec in absolute value.")
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *a = decimal_operand(s, arg[0], self), *b = a ? decimal_operand(s, arg[1], self) : NULL, *c = NULL, *result = NULL;
    bool modulo = arg[2] && arg[2] != Py_None;
    if (b && (!modulo || (c = decimal_operand(s, arg[2], self)))) result = apply_power(s, a, b, c, self);
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(c);
    return result;
}

BUILTIN(context, fma, UNNAMED_PARSED, "($self, x, y, z, /)", "Return x multiplied by y, plus z.")
{
    DecimalState *s = state_of_type(Py_TYPE(self));
    PyObject *a = decimal_operand(s, arg[0], self), *b = a ? decimal_operand(s, arg[1], self) : NULL, *c = b ? decimal_operand(s, arg[2], self) : NULL;
    PyObject *result = c ? apply_fma(s, a, b, c, self) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(c);
    return result;
}

#define C(name) METHOD(context, name)
#define P(name) METHOD_BARE(context, name)
static PyMethodDef context_methods[] = {
    C(abs), C(exp), C(ln), C(log10), C(minus), C(next_minus), C(next_plus), C(normalize), C(plus), C(to_integral), C(to_integral_exact),
    C(to_integral_value), C(sqrt), P(add), P(compare), P(compare_signal), P(divide), P(divide_int), P(divmod), P(max), P(max_mag), P(min), P(min_mag),
    P(multiply), P(next_toward), P(quantize), P(remainder), P(remainder_near), P(subtract), C(power), P(fma), C(Etiny), C(Etop), C(radix),
    C(is_canonical), C(is_finite), C(is_infinite), C(is_nan), C(is_normal), C(is_qnan), C(is_signed), C(is_snan), C(is_subnormal), C(is_zero),
    C(_apply), C(canonical), C(copy_abs), C(copy_decimal), C(copy_negate), C(logb), C(logical_invert), C(number_class), C(to_sci_string),
    C(to_eng_string), P(compare_total), P(compare_total_mag), P(copy_sign), P(logical_and), P(logical_or), P(logical_xor), P(rotate),
    P(same_quantum), P(scaleb), P(shift), C(clear_flags), C(clear_traps), C(__copy__), C(__reduce__), C(copy), P(create_decimal),
    C(create_decimal_from_float), { 0 }
};
#undef P
#undef C
static PyGetSetDef context_getset[] = {
    { "prec", context_get_number, context_set_number, NULL, (void *)PREC }, { "Emax", context_get_number, context_set_number, NULL, (void *)EMAX },
    { "Emin", context_get_number, context_set_number, NULL, (void *)EMIN }, { "rounding", context_get_rounding, context_set_rounding, NULL, NULL },
    { "capitals", context_get_number, context_set_number, NULL, (void *)CAPITALS }, { "clamp", context_get_number, context_set_number, NULL, (void *)CLAMP }, { 0 }
};
static PyType_Slot context_slots[] = {
    { Py_tp_dealloc, context_dealloc }, { Py_tp_traverse, context_traverse }, { Py_tp_clear, context_clear }, { Py_tp_repr, context_repr },
    { Py_tp_getattro, context_getattro }, { Py_tp_setattro, context_setattro }, { Py_tp_methods, context_methods }, { Py_tp_getset, context_getset },
    { Py_tp_init, context_init }, { Py_tp_new, context_new },
    { Py_tp_doc, (char *)"Context(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)\n--\n\n"
      "What arithmetic obeys: precision, rounding, limits of exponents, and which signals are raised as exceptions." }, { 0, NULL }
};
PyType_Spec context_spec = { "decimal.Context", sizeof(Context), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, context_slots };

/* ---- the current context ----------------------------------------------------------------------------------------------------- */

PyObject *context_current(DecimalState *s)
{
    PyObject *context;
    if (PyContextVar_Get(s->variable, NULL, &context) < 0) return NULL;
    if (LIKELY(context != NULL)) return context;
    if (!(context = context_copy_of(s, s->default_context))) return NULL;
    MPD_CONTEXT(context)->status = 0;
    PyObject *token = PyContextVar_Set(s->variable, context);
    if (!token) Py_CLEAR(context);
    Py_XDECREF(token);
    return context;
}

PyObject *context_argument(DecimalState *s, PyObject *o)
{
    if (!o || o == Py_None) return context_current(s);
    if (is_context(s, o)) return Py_NewRef(o);
    PyErr_SetString(PyExc_TypeError, "optional argument must be a context");
    return NULL;
}

static int set_current(DecimalState *s, PyObject *context)
{
    if (!is_context(s, context)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a context");
        return -1;
    }
    if (context == s->default_context || context == s->basic_context || context == s->extended_context) {
        if (!(context = context_copy_of(s, context))) return -1;     /* the templates stay as they are */
        MPD_CONTEXT(context)->status = 0;
    }
    else Py_INCREF(context);
    PyObject *token = PyContextVar_Set(s->variable, context);
    Py_DECREF(context);
    Py_XDECREF(token);
    return token ? 0 : -1;
}

typedef struct Manager { PyObject_HEAD PyObject *local, *outer; } Manager;

BUILTIN_NOARGS(manager, __enter__, "($self, /)", "Set the local context; returns it.")
{
    Manager *m = (Manager *)self;
    return set_current(state_of_type(Py_TYPE(self)), m->local) < 0 ? NULL : Py_NewRef(m->local);
}

BUILTIN_FAST(manager, __exit__, "($self, /, *args)", "Set the context that was there before.")
{
    if (set_current(state_of_type(Py_TYPE(self)), ((Manager *)self)->outer) < 0) return NULL;
    Py_RETURN_FALSE;
}

static int manager_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Manager *)self)->local);
    Py_VISIT(((Manager *)self)->outer);
    return 0;
}

static int manager_clear(PyObject *self)
{
    Py_CLEAR(((Manager *)self)->local);
    Py_CLEAR(((Manager *)self)->outer);
    return 0;
}

static void manager_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    manager_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef manager_methods[] = { METHOD(manager, __enter__), METHOD(manager, __exit__), { 0 } };
static PyType_Slot manager_slots[] = {
    { Py_tp_dealloc, manager_dealloc }, { Py_tp_traverse, manager_traverse }, { Py_tp_clear, manager_clear },
    { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_methods, manager_methods }, { 0, NULL }
};
PyType_Spec manager_spec = {
    "decimal.ContextManager", sizeof(Manager), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, manager_slots
};

BUILTIN_NOARGS(decimal, getcontext, "($module, /)", "Get the current default context.") { return context_current(PyModule_GetState(self)); }

BUILTIN_O(decimal, setcontext, "($module, context, /)", "Set a new default context.")
{
    if (set_current(PyModule_GetState(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

SIGNATURE(localcontext_signature, "localcontext", UNNAMED,
          "(ctx=None, *, prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)");

static PyObject *decimal_localcontext(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    DecimalState *s = PyModule_GetState(self);
    PyObject *arg[9];
    if (args_bind(&localcontext_signature, args, nargs, kwnames, arg) < 0) return NULL;
    PyObject *outer = context_current(s), *local = NULL;
    if (!outer) return NULL;
    if (arg[0] && arg[0] != Py_None && !is_context(s, arg[0])) PyErr_SetString(PyExc_TypeError, "optional argument must be a context");
    else if ((local = context_copy_of(s, arg[0] && arg[0] != Py_None ? arg[0] : outer)) && context_set_attributes(s, local, arg + 1) < 0) Py_CLEAR(local);
    Manager *m = local ? PyObject_GC_New(Manager, s->manager_type) : NULL;
    if (!m) {
        Py_XDECREF(local);
        Py_DECREF(outer);
        return NULL;
    }
    m->local = local;
    m->outer = outer;
    PyObject_GC_Track(m);
    return (PyObject *)m;
}

static PyMethodDef functions[] = {
    METHOD(decimal, getcontext), METHOD(decimal, setcontext),
    { "localcontext", (PyCFunction)(void (*)(void))decimal_localcontext, METH_FASTCALL | METH_KEYWORDS,
      "localcontext($module, /, ctx=None, **kwargs)\n--\n\n"
      "Return a context manager that will set the default context to a copy of ctx on entry to the\n"
      "with-statement and restore the previous default context when exiting it. If no context is supplied, a\n"
      "copy of the current default context is used." },
    { 0 }
};

/* ---- exceptions and templates -------------------------------------------------------------------------------------------------- */

/* bases: STOLEN. */
static PyObject *add_exception(PyObject *module, const char *name, PyObject *bases)
{
    PyObject *full = bases ? PyUnicode_FromFormat("decimal.%s", name) : NULL, *type = NULL;
    const char *text = full ? PyUnicode_AsUTF8(full) : NULL;
    if (text && (type = PyErr_NewException(text, bases, NULL)) && PyModule_AddObjectRef(module, name, type) < 0) Py_CLEAR(type);
    Py_XDECREF(full);
    Py_XDECREF(bases);
    return type;
}

static int add_exceptions(PyObject *module, DecimalState *s)
{
    PyObject **e = s->signals;
    if (!(s->base_exception = add_exception(module, "DecimalException", PyTuple_Pack(1, PyExc_ArithmeticError)))) return -1;
    static const int simple[] = { INVALID_OPERATION, CLAMPED, ROUNDED, INEXACT, SUBNORMAL };
    for (size_t i = 0; i < ARRAY_LENGTH(simple); i++)
        if (!(e[simple[i]] = add_exception(module, signal_map[simple[i]].name, PyTuple_Pack(1, s->base_exception)))) return -1;
    if (!(e[FLOAT_OPERATION_INDEX] = add_exception(module, "FloatOperation", PyTuple_Pack(2, s->base_exception, PyExc_TypeError))) ||
        !(e[DIVISION_BY_ZERO] = add_exception(module, "DivisionByZero", PyTuple_Pack(2, s->base_exception, PyExc_ZeroDivisionError))) ||
        !(e[OVERFLOW_INDEX] = add_exception(module, "Overflow", PyTuple_Pack(2, e[INEXACT], e[ROUNDED]))) ||
        !(e[UNDERFLOW_INDEX] = add_exception(module, "Underflow", PyTuple_Pack(3, e[INEXACT], e[ROUNDED], e[SUBNORMAL])))) return -1;
    s->conditions[0] = Py_NewRef(e[INVALID_OPERATION]);
    for (int i = 1; i < CONDITIONS; i++) {
        PyObject *bases = condition_map[i].flag == MPD_Division_undefined ? PyTuple_Pack(2, e[INVALID_OPERATION], PyExc_ZeroDivisionError)
                                                                         : PyTuple_Pack(1, e[INVALID_OPERATION]);
        if (!(s->conditions[i] = add_exception(module, condition_map[i].name, bases))) return -1;
    }
    if (!(s->signal_tuple = PyTuple_New(SIGNALS))) return -1;
    for (int i = 0; i < SIGNALS; i++) PyTuple_SET_ITEM(s->signal_tuple, i, Py_NewRef(e[i]));
    return 0;
}

static PyObject *add_context(PyObject *module, DecimalState *s, const char *name, const mpd_context_t *values)
{
    PyObject *context = context_new(s->context_type, NULL, NULL);
    if (!context) return NULL;
    *MPD_CONTEXT(context) = *values;
    if (PyModule_AddObjectRef(module, name, context) < 0) Py_CLEAR(context);
    return context;
}

int context_add_all(PyObject *module, DecimalState *s)
{
    if (add_exceptions(module, s) < 0) return -1;
    for (int i = 0; i < ROUNDINGS; i++)
        if (!(s->roundings[i] = PyUnicode_InternFromString(rounding_names[i])) || PyModule_AddObjectRef(module, rounding_names[i], s->roundings[i]) < 0) return -1;
    if (!(s->variable = PyContextVar_New("decimal_context", NULL)) ||
        !(s->default_context = add_context(module, s, "DefaultContext", &default_context)) ||
        !(s->basic_context = add_context(module, s, "BasicContext", &basic_context)) ||
        !(s->extended_context = add_context(module, s, "ExtendedContext", &extended_context))) return -1;
    return PyModule_AddFunctions(module, functions);
}
