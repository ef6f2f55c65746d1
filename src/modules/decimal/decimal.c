/* The Decimal type. */
#include "decimal_private.h"

void decimal_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    mpd_del(NUMBER(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static int decimal_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

SIGNATURE(decimal_signature, "Decimal", UNNAMED, "(value=\"0\", context=None)");

static PyObject *decimal_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    DecimalState *s = state_of_type(type);
    if (args_bind_tuple(&decimal_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *context = context_argument(s, arg[1]), *result = context ? decimal_from_exact(s, type, arg[0], context) : NULL;
    Py_XDECREF(context);
    return result;
}

/* ---- operations -------------------------------------------------------------------------------------------------------------- */

static PyObject *finish(DecimalState *s, PyObject *result, PyObject *context, uint32_t status)
{
    if (LIKELY(decimal_raise(s, context, status) == 0)) return result;
    Py_DECREF(result);
    return NULL;
}

PyObject *apply_unary(DecimalState *s, Unary f, PyObject *a, PyObject *context)
{
    PyObject *result = decimal_new(s);
    uint32_t status = 0;
    if (!result) return NULL;
    f(NUMBER(result), NUMBER(a), MPD_CONTEXT(context), &status);
    return finish(s, result, context, status);
}

PyObject *apply_binary(DecimalState *s, Binary f, PyObject *a, PyObject *b, PyObject *context)
{
    PyObject *result = decimal_new(s);
    uint32_t status = 0;
    if (!result) return NULL;
    f(NUMBER(result), NUMBER(a), NUMBER(b), MPD_CONTEXT(context), &status);
    return finish(s, result, context, status);
}

PyObject *apply_divmod(DecimalState *s, PyObject *a, PyObject *b, PyObject *context)
{
    PyObject *q = decimal_new(s), *r = q ? decimal_new(s) : NULL, *result = NULL;
    uint32_t status = 0;
    if (r) {
        mpd_qdivmod(NUMBER(q), NUMBER(r), NUMBER(a), NUMBER(b), MPD_CONTEXT(context), &status);
        if (decimal_raise(s, context, status) == 0) result = PyTuple_Pack(2, q, r);
    }
    Py_XDECREF(q);
    Py_XDECREF(r);
    return result;
}

PyObject *apply_power(DecimalState *s, PyObject *a, PyObject *b, PyObject *modulo, PyObject *context)
{
    PyObject *result = decimal_new(s);
    uint32_t status = 0;
    if (!result) return NULL;
    if (modulo) mpd_qpowmod(NUMBER(result), NUMBER(a), NUMBER(b), NUMBER(modulo), MPD_CONTEXT(context), &status);
    else mpd_qpow(NUMBER(result), NUMBER(a), NUMBER(b), MPD_CONTEXT(context), &status);
    return finish(s, result, context, status);
}

PyObject *apply_fma(DecimalState *s, PyObject *a, PyObject *b, PyObject *c, PyObject *context)
{
    PyObject *result = decimal_new(s);
    uint32_t status = 0;
    if (!result) return NULL;
    mpd_qfma(NUMBER(result), NUMBER(a), NUMBER(b), NUMBER(c), MPD_CONTEXT(context), &status);
    return finish(s, result, context, status);
}

void op_compare(mpd_t *r, const mpd_t *a, const mpd_t *b, const mpd_context_t *c, uint32_t *status) { mpd_qcompare(r, a, b, c, status); }
void op_compare_signal(mpd_t *r, const mpd_t *a, const mpd_t *b, const mpd_context_t *c, uint32_t *status) { mpd_qcompare_signal(r, a, b, c, status); }
void op_compare_total(mpd_t *r, const mpd_t *a, const mpd_t *b, const mpd_context_t *c, uint32_t *status) { mpd_compare_total(r, a, b); }
void op_compare_total_mag(mpd_t *r, const mpd_t *a, const mpd_t *b, const mpd_context_t *c, uint32_t *status) { mpd_compare_total_mag(r, a, b); }
void op_copy_sign(mpd_t *r, const mpd_t *a, const mpd_t *b, const mpd_context_t *c, uint32_t *status) { mpd_qcopy_sign(r, a, b, status); }
void op_copy_abs(mpd_t *r, const mpd_t *a, const mpd_context_t *c, uint32_t *status) { mpd_qcopy_abs(r, a, status); }
void op_copy_negate(mpd_t *r, const mpd_t *a, const mpd_context_t *c, uint32_t *status) { mpd_qcopy_negate(r, a, status); }
void op_apply(mpd_t *r, const mpd_t *a, const mpd_context_t *c, uint32_t *status)
{
    if (mpd_qcopy(r, a, status)) mpd_qfinalize(r, c, status);
}

/* ---- operators ----------------------------------------------------------------------------------------------------------------- */

static PyObject *slot_unary(PyObject *self, Unary f)
{
    DecimalState *s = state_of(self);
    PyObject *context = context_current(s), *result = context ? apply_unary(s, f, self, context) : NULL;
    Py_XDECREF(context);
    return result;
}

/* The operands of a binary operator as Decimals (NEW): 1; 0 when it is not implemented for them; -1. */
static int slot_operands(PyObject *v, PyObject *w, DecimalState **state, PyObject **context, PyObject **a, PyObject **b)
{
    DecimalState *s;
    *context = *a = *b = NULL;
    if (is_exact_decimal(v)) s = state_of(v);
    else if (is_exact_decimal(w)) s = state_of(w);
    else if (!(s = state_of_type(Py_TYPE(v)))) {
        PyErr_Clear();
        if (!(s = state_of_type(Py_TYPE(w)))) return -1;
    }
    bool left = is_decimal(s, v), right = is_decimal(s, w);
    *state = s;
    if ((!left && !PyLong_Check(v)) || (!right && !PyLong_Check(w))) return 0;
    if (!(*context = context_current(s))) return -1;
    *a = left ? Py_NewRef(v) : decimal_from_long_exact(s, s->decimal_type, v, *context);
    if (*a) *b = right ? Py_NewRef(w) : decimal_from_long_exact(s, s->decimal_type, w, *context);
    if (*b) return 1;
    Py_CLEAR(*a);
    Py_CLEAR(*context);
    return -1;
}

static void slot_done(PyObject *context, PyObject *a, PyObject *b)
{
    Py_DECREF(context);
    Py_DECREF(a);
    Py_DECREF(b);
}

static PyObject *slot_binary(PyObject *v, PyObject *w, Binary f)
{
    DecimalState *s;
    PyObject *context, *a, *b;
    int found = slot_operands(v, w, &s, &context, &a, &b);
    if (found <= 0) return found < 0 ? NULL : Py_NewRef(Py_NotImplemented);
    PyObject *result = apply_binary(s, f, a, b, context);
    slot_done(context, a, b);
    return result;
}

static PyObject *slot_plus(PyObject *self) { return slot_unary(self, mpd_qplus); }
static PyObject *slot_minus(PyObject *self) { return slot_unary(self, mpd_qminus); }
static PyObject *slot_abs(PyObject *self) { return slot_unary(self, mpd_qabs); }
static PyObject *slot_add(PyObject *v, PyObject *w) { return slot_binary(v, w, mpd_qadd); }
static PyObject *slot_subtract(PyObject *v, PyObject *w) { return slot_binary(v, w, mpd_qsub); }
static PyObject *slot_multiply(PyObject *v, PyObject *w) { return slot_binary(v, w, mpd_qmul); }
static PyObject *slot_divide(PyObject *v, PyObject *w) { return slot_binary(v, w, mpd_qdiv); }
static PyObject *slot_floor_divide(PyObject *v, PyObject *w) { return slot_binary(v, w, mpd_qdivint); }
static PyObject *slot_remainder(PyObject *v, PyObject *w) { return slot_binary(v, w, mpd_qrem); }
static int slot_bool(PyObject *self) { return !mpd_iszero(NUMBER(self)); }

static PyObject *slot_divmod(PyObject *v, PyObject *w)
{
    DecimalState *s;
    PyObject *context, *a, *b;
    int found = slot_operands(v, w, &s, &context, &a, &b);
    if (found <= 0) return found < 0 ? NULL : Py_NewRef(Py_NotImplemented);
    PyObject *result = apply_divmod(s, a, b, context);
    slot_done(context, a, b);
    return result;
}

static PyObject *slot_power(PyObject *v, PyObject *w, PyObject *modulo)
{
    PyObject *operand[] = { v, w, modulo }, *number[3] = { NULL }, *result = NULL;
    DecimalState *s = NULL;
    for (int i = 0; i < 3 && !s; i++) if (is_exact_decimal(operand[i])) s = state_of(operand[i]);
    for (int i = 0; i < 3 && !s; i++) if (!(s = state_of_type(Py_TYPE(operand[i])))) PyErr_Clear();
    int count = modulo == Py_None ? 2 : 3;
    for (int i = 0; i < count; i++) if (!s || (!is_decimal(s, operand[i]) && !PyLong_Check(operand[i]))) Py_RETURN_NOTIMPLEMENTED;
    PyObject *context = context_current(s);
    int done = 0;
    while (context && done < count && (number[done] = decimal_operand(s, operand[done], context))) done++;
    if (context && done == count) result = apply_power(s, number[0], number[1], number[2], context);
    while (done) Py_DECREF(number[--done]);
    Py_XDECREF(context);
    return result;
}

static PyObject *with_current(PyObject *self, PyObject *(*f)(DecimalState *, PyObject *, PyObject *, int), int extra)
{
    DecimalState *s = state_of(self);
    PyObject *context = context_current(s), *result = context ? f(s, self, context, extra) : NULL;
    Py_XDECREF(context);
    return result;
}

static PyObject *to_float(DecimalState *s, PyObject *self, PyObject *context, int extra) { return decimal_to_float(self, context); }
static PyObject *to_text(DecimalState *s, PyObject *self, PyObject *context, int engineering) { return decimal_text(self, CONTEXT(context)->capitals, engineering); }
static PyObject *to_ratio(DecimalState *s, PyObject *self, PyObject *context, int extra) { return decimal_to_ratio(s, self, context); }

static PyObject *slot_int(PyObject *self) { return with_current(self, decimal_to_long, MPD_ROUND_DOWN); }
static PyObject *slot_float(PyObject *self) { return with_current(self, to_float, 0); }
static PyObject *slot_str(PyObject *self) { return with_current(self, to_text, false); }

static PyObject *slot_repr(PyObject *self)
{
    PyObject *text = slot_str(self), *result = text ? PyUnicode_FromFormat("Decimal('%U')", text) : NULL;
    Py_XDECREF(text);
    return result;
}

static Py_hash_t slot_hash(PyObject *self)
{
    if (DECIMAL(self)->hash == -1) DECIMAL(self)->hash = decimal_hash_of(self);
    return DECIMAL(self)->hash;
}

static PyObject *slot_compare(PyObject *v, PyObject *w, int op)
{
    DecimalState *s = state_of(v);
    PyObject *context = context_current(s), *a, *b, *result = NULL;
    if (!context) return NULL;
    int found = decimal_compare_operands(s, v, w, op, context, &a, &b);
    if (found) {
        Py_DECREF(context);
        return found < 0 ? NULL : Py_NewRef(Py_NotImplemented);
    }
    uint32_t status = 0;
    bool signaling = mpd_issnan(NUMBER(a)) || mpd_issnan(NUMBER(b)), equality = op == Py_EQ || op == Py_NE;
    int order = mpd_qcmp(NUMBER(a), NUMBER(b), &status);
    if (order == INT_MAX) {                   /* a NaN: signals, unless it is quiet and only equality is asked for */
        if ((signaling || !equality) && decimal_raise(s, context, status) < 0) goto done;
        result = PyBool_FromLong(op == Py_NE);
    }
    else {
        bool truth = op == Py_EQ ? order == 0 : op == Py_NE ? order != 0 : op == Py_LT ? order < 0 : op == Py_LE ? order <= 0 : op == Py_GT ? order > 0 : order >= 0;
        result = PyBool_FromLong(truth);
    }
done:
    slot_done(context, a, b);
    return result;
}

/* ---- methods -------------------------------------------------------------------------------------------------------------------- */

static PyObject *method_unary(PyObject *self, PyObject *given, Unary f)
{
    DecimalState *s = state_of(self);
    PyObject *context = context_argument(s, given), *result = context ? apply_unary(s, f, self, context) : NULL;
    Py_XDECREF(context);
    return result;
}

static PyObject *method_binary(PyObject *self, PyObject *const *arg, Binary f)
{
    DecimalState *s = state_of(self);
    PyObject *context = context_argument(s, arg[1]), *b = context ? decimal_operand(s, arg[0], context) : NULL;
    PyObject *result = b ? apply_binary(s, f, self, b, context) : NULL;
    Py_XDECREF(context);
    Py_XDECREF(b);
    return result;
}

#define UNARY(name, function, text) BUILTIN(decimal, name, UNNAMED, "($self, /, context=None)", text) { return method_unary(self, arg[0], function); }
#define BINARY(name, function, text) BUILTIN(decimal, name, UNNAMED, "($self, /, other, context=None)", text) { return method_binary(self, arg, function); }
#define TEST(name, text) BUILTIN_NOARGS(decimal, is_##name, "($self, /)", text) { return PyBool_FromLong(mpd_is##name(NUMBER(self))); }
#define CONTEXT_TEST(name, text)                                                                                              \
    BUILTIN(decimal, is_##name, UNNAMED, "($self, /, context=None)", text)                                                   \
    {                                                                                                                         \
        PyObject *context = context_argument(state_of(self), arg[0]);                                                         \
        if (!context) return NULL;                                                                                            \
        int truth = mpd_is##name(NUMBER(self), MPD_CONTEXT(context));                                                         \
        Py_DECREF(context);                                                                                                   \
        return PyBool_FromLong(truth);                                                                                        \
    }

UNARY(exp, mpd_qexp, "Return the value of the (natural) exponential function e**x.")
UNARY(ln, mpd_qln, "Return the natural (base e) logarithm of the operand.")
UNARY(log10, mpd_qlog10, "Return the base ten logarithm of the operand.")
UNARY(logb, mpd_qlogb, "Return the adjusted exponent of the operand as a Decimal.")
UNARY(logical_invert, mpd_qinvert, "Return the digit-wise inversion of the (logical) operand.")
UNARY(next_minus, mpd_qnext_minus, "Return the largest representable number smaller than the operand.")
UNARY(next_plus, mpd_qnext_plus, "Return the smallest representable number larger than the operand.")
UNARY(normalize, mpd_qreduce, "Strip trailing zeros, and make any zero 0.")
UNARY(sqrt, mpd_qsqrt, "Return the square root of the argument to full precision.")
BINARY(compare, op_compare, "Compare self to other: a Decimal of -1, 0 or 1, or NaN.")
BINARY(compare_signal, op_compare_signal, "Identical to compare, except that all NaNs signal.")
BINARY(compare_total, op_compare_total, "Compare two operands using their abstract representation: all values are ordered, NaNs as well.")
BINARY(compare_total_mag, op_compare_total_mag, "Compare two operands using their abstract representation, ignoring the sign.")
BINARY(copy_sign, op_copy_sign, "Return a copy of the first operand with the sign of the second.")
BINARY(max, mpd_qmax, "Maximum of self and other.")
BINARY(max_mag, mpd_qmax_mag, "As the max() method, but of the absolute values.")
BINARY(min, mpd_qmin, "Minimum of self and other.")
BINARY(min_mag, mpd_qmin_mag, "As the min() method, but of the absolute values.")
BINARY(next_toward, mpd_qnext_toward, "Return the representable number closest to self in the direction of other.")
BINARY(remainder_near, mpd_qrem_near, "Return the remainder from dividing self by other that is least in absolute value.")
BINARY(logical_and, mpd_qand, "Return the digit-wise 'and' of the two (logical) operands.")
BINARY(logical_or, mpd_qor, "Return the digit-wise 'or' of the two (logical) operands.")
BINARY(logical_xor, mpd_qxor, "Return the digit-wise 'exclusive or' of the two (logical) operands.")
BINARY(rotate, mpd_qrotate, "Return self with its digits rotated by other places, to the left if that is positive.")
BINARY(scaleb, mpd_qscaleb, "Return self with its exponent adjusted by other.")
BINARY(shift, mpd_qshift, "Return self with its digits shifted by other places, to the left if that is positive.")
TEST(canonical, "Return True: the encoding of a Decimal always is canonical.")
TEST(finite, "Return True if the argument is a finite number.")
TEST(infinite, "Return True if the argument is either positive or negative infinity.")
TEST(nan, "Return True if the argument is a (quiet or signaling) NaN.")
TEST(qnan, "Return True if the argument is a quiet NaN.")
TEST(snan, "Return True if the argument is a signaling NaN.")
TEST(signed, "Return True if the argument has a negative sign: zeros and NaNs may have one.")
TEST(zero, "Return True if the argument is a (positive or negative) zero.")
CONTEXT_TEST(normal, "Return True if the argument is a finite non-zero number that is not subnormal.")
CONTEXT_TEST(subnormal, "Return True if the argument is subnormal.")

BUILTIN(decimal, fma, UNNAMED, "($self, /, other, third, context=None)", "Fused multiply-add: self*other+third, rounded once.")
{
    DecimalState *s = state_of(self);
    PyObject *context = context_argument(s, arg[2]), *b = context ? decimal_operand(s, arg[0], context) : NULL, *c = b ? decimal_operand(s, arg[1], context) : NULL;
    PyObject *result = c ? apply_fma(s, self, b, c, context) : NULL;
    Py_XDECREF(context);
    Py_XDECREF(b);
    Py_XDECREF(c);
    return result;
}

/* The context with another rounding: 0 or -1. */
static int work_context(DecimalState *s, PyObject *context, PyObject *rounding, mpd_context_t *work)
{
    *work = *MPD_CONTEXT(context);
    if (!rounding || rounding == Py_None) return 0;
    int value = rounding_from(s, rounding);
    if (value < 0) return -1;
    work->round = value;
    return 0;
}

BUILTIN(decimal, quantize, UNNAMED, "($self, /, exp, rounding=None, context=None)", "Return self rounded, with the exponent of exp.")
{
    DecimalState *s = state_of(self);
    mpd_context_t work;
    uint32_t status = 0;
    PyObject *context = context_argument(s, arg[2]), *b = NULL, *result = NULL;
    if (context && work_context(s, context, arg[1], &work) == 0 && (b = decimal_operand(s, arg[0], context)) && (result = decimal_new(s))) {
        mpd_qquantize(NUMBER(result), NUMBER(self), NUMBER(b), &work, &status);
        result = finish(s, result, context, status);
    }
    Py_XDECREF(context);
    Py_XDECREF(b);
    return result;
}

static PyObject *round_to_int(PyObject *self, PyObject *const *arg, Unary f)
{
    DecimalState *s = state_of(self);
    mpd_context_t work;
    uint32_t status = 0;
    PyObject *context = context_argument(s, arg[1]), *result = NULL;
    if (context && work_context(s, context, arg[0], &work) == 0 && (result = decimal_new(s))) {
        f(NUMBER(result), NUMBER(self), &work, &status);
        result = finish(s, result, context, status);
    }
    Py_XDECREF(context);
    return result;
}
#define TO_INTEGRAL(name, function, text)                                                                                     \
    BUILTIN(decimal, name, UNNAMED, "($self, /, rounding=None, context=None)", text) { return round_to_int(self, arg, function); }
TO_INTEGRAL(to_integral, mpd_qround_to_int, "Identical to the to_integral_value() method.")
TO_INTEGRAL(to_integral_value, mpd_qround_to_int, "Round to the nearest integer without signaling Inexact or Rounded.")
TO_INTEGRAL(to_integral_exact, mpd_qround_to_intx, "Round to the nearest integer, signaling Inexact or Rounded as appropriate.")

BUILTIN(decimal, same_quantum, UNNAMED, "($self, /, other, context=None)", "Test whether self and other have the same exponent or whether both are NaN.")
{
    DecimalState *s = state_of(self);
    PyObject *context = context_argument(s, arg[1]), *b = context ? decimal_operand(s, arg[0], context) : NULL;
    PyObject *result = b ? PyBool_FromLong(mpd_same_quantum(NUMBER(self), NUMBER(b))) : NULL;
    Py_XDECREF(context);
    Py_XDECREF(b);
    return result;
}

BUILTIN(decimal, number_class, UNNAMED, "($self, /, context=None)", "Return a string that says which of ten classes the operand is in, such as '+Normal'.")
{
    PyObject *context = context_argument(state_of(self), arg[0]);
    if (!context) return NULL;
    const char *text = mpd_class(NUMBER(self), MPD_CONTEXT(context));
    Py_DECREF(context);
    return PyUnicode_FromString(text);
}

BUILTIN(decimal, to_eng_string, UNNAMED, "($self, /, context=None)", "Convert to an engineering-type string: the exponent is a multiple of 3.")
{
    PyObject *context = context_argument(state_of(self), arg[0]);
    if (!context) return NULL;
    PyObject *text = decimal_text(self, CONTEXT(context)->capitals, true);
    Py_DECREF(context);
    return text;
}

static PyObject *copied(PyObject *self, Unary f)
{
    DecimalState *s = state_of(self);
    PyObject *context = context_current(s), *result = context ? apply_unary(s, f, self, context) : NULL;
    Py_XDECREF(context);
    return result;
}
BUILTIN_NOARGS(decimal, copy_abs, "($self, /)", "Return the absolute value of the argument, unaffected by the context.") { return copied(self, op_copy_abs); }
BUILTIN_NOARGS(decimal, copy_negate, "($self, /)", "Return the negation of the argument, unaffected by the context.") { return copied(self, op_copy_negate); }
BUILTIN_NOARGS(decimal, canonical, "($self, /)", "Return the canonical encoding of the argument: itself.") { return Py_NewRef(self); }
BUILTIN_NOARGS(decimal, conjugate, "($self, /)", "Return self.") { return Py_NewRef(self); }
BUILTIN_NOARGS(decimal, __copy__, "($self, /)", "") { return Py_NewRef(self); }
BUILTIN_O(decimal, __deepcopy__, "($self, object, /)", "") { return Py_NewRef(self); }
BUILTIN_NOARGS(decimal, adjusted, "($self, /)", "Return the adjusted exponent, that of the first digit.")
{
    return PyLong_FromSsize_t(mpd_isspecial(NUMBER(self)) ? 0 : mpd_adjexp(NUMBER(self)));
}
BUILTIN_NOARGS(decimal, as_tuple, "($self, /)", "Return a tuple representation of the number.") { return decimal_to_tuple(state_of(self), self); }
BUILTIN_NOARGS(decimal, as_integer_ratio, "($self, /)",
               "Return a pair of integers whose ratio is exactly equal to the original.\n\n"
               "The ratio is in lowest terms with a positive denominator. Raises OverflowError on infinities and ValueError on NaNs.")
{
    return with_current(self, to_ratio, 0);
}
BUILTIN_NOARGS(decimal, __ceil__, "($self, /)", "") { return with_current(self, decimal_to_long, MPD_ROUND_CEILING); }
BUILTIN_NOARGS(decimal, __floor__, "($self, /)", "") { return with_current(self, decimal_to_long, MPD_ROUND_FLOOR); }
BUILTIN_NOARGS(decimal, __trunc__, "($self, /)", "") { return with_current(self, decimal_to_long, MPD_ROUND_DOWN); }
BUILTIN_NOARGS(decimal, __reduce__, "($self, /)", "")
{
    PyObject *text = slot_str(self);
    return text ? Py_BuildValue("O(N)", Py_TYPE(self), text) : NULL;
}
BUILTIN_NOARGS(decimal, __sizeof__, "($self, /)", "")
{
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    if (mpd_isdynamic_data(NUMBER(self))) size += (size_t)NUMBER(self)->alloc * sizeof(mpd_uint_t);
    return PyLong_FromSize_t(size);
}
BUILTIN_NOARGS(decimal, __complex__, "($self, /)", "")
{
    PyObject *x = slot_float(self);
    if (!x) return NULL;
    double real = PyFloat_AsDouble(x);
    Py_DECREF(x);
    return PyComplex_FromDoubles(real, 0);
}
static PyObject *small_decimal(PyObject *self, long value)
{
    DecimalState *s = state_of(self);
    PyObject *result = decimal_new(s);
    uint32_t status = 0;
    mpd_context_t max;
    mpd_maxcontext(&max);
    if (result) mpd_qset_i64(NUMBER(result), value, &max, &status);
    return result;
}
BUILTIN_NOARGS(decimal, radix, "($self, /)", "Return Decimal(10), the radix in which arithmetic is done.") { return small_decimal(self, 10); }

BUILTIN_FAST(decimal, __round__, "($self, ndigits=None, /)", "")
{
    DecimalState *s = state_of(self);
    if (nargs > 1) return PyErr_Format(PyExc_TypeError, "function takes at most 1 argument (%zd given)", nargs);
    if (nargs == 0) return with_current(self, decimal_to_long, MPD_ROUND_HALF_EVEN);
    if (!PyLong_Check(args[0])) return PyErr_Format(PyExc_TypeError, "optional arg must be an integer");
    Py_ssize_t digits = PyLong_AsSsize_t(args[0]);
    if (digits == -1 && PyErr_Occurred()) return NULL;
    PyObject *context = context_current(s), *result = context ? decimal_new(s) : NULL;
    if (result) {
        mpd_uint_t one[1] = { 1 };
        mpd_t quantum = { MPD_STATIC | MPD_CONST_DATA, digits == MPD_SSIZE_MIN ? MPD_SSIZE_MAX : -digits, 1, 1, 1, one };
        uint32_t status = 0;
        mpd_qquantize(NUMBER(result), NUMBER(self), &quantum, MPD_CONTEXT(context), &status);
        result = finish(s, result, context, status);
    }
    Py_XDECREF(context);
    return result;
}

BUILTIN_FAST(decimal, __format__, "($self, format_spec, override=None, /)", "") { return decimal_format(state_of(self), self, args, nargs); }

BUILTIN_O(decimal, from_float, "($type, f, /)",
          "Class method that converts a float to a decimal number, exactly.\n\nDecimal.from_float(0.1) is not the same as Decimal('0.1').")
{
    PyTypeObject *type = (PyTypeObject *)self;
    DecimalState *s = state_of_type(type);
    PyObject *context = context_current(s), *result = NULL;
    if (!context) return NULL;
    if (PyLong_Check(arg)) result = decimal_from_long_exact(s, s->decimal_type, arg, context);
    else if (PyFloat_Check(arg)) result = decimal_from_float_exact(s, s->decimal_type, arg, context);
    else PyErr_SetString(PyExc_TypeError, "argument must be int or float");
    Py_DECREF(context);
    if (result && type != s->decimal_type) Py_SETREF(result, PyObject_CallOneArg(self, result));
    return result;
}

static PyObject *get_real(PyObject *self, void *closure) { return Py_NewRef(self); }
static PyObject *get_imag(PyObject *self, void *closure) { return small_decimal(self, 0); }

#define D(name) METHOD(decimal, name)
static PyMethodDef decimal_methods[] = {
    D(exp), D(ln), D(log10), D(next_minus), D(next_plus), D(normalize), D(to_integral), D(to_integral_exact), D(to_integral_value), D(sqrt),
    D(compare), D(compare_signal), D(max), D(max_mag), D(min), D(min_mag), D(next_toward), D(quantize), D(remainder_near), D(fma),
    D(is_canonical), D(is_finite), D(is_infinite), D(is_nan), D(is_qnan), D(is_snan), D(is_signed), D(is_zero), D(is_normal), D(is_subnormal),
    D(adjusted), D(canonical), D(conjugate), D(radix), D(copy_abs), D(copy_negate), D(logb), D(logical_invert), D(number_class), D(to_eng_string),
    D(compare_total), D(compare_total_mag), D(copy_sign), D(logical_and), D(logical_or), D(logical_xor), D(rotate), D(same_quantum), D(scaleb),
    D(shift), METHOD_CLASS(decimal, from_float), D(as_tuple), D(as_integer_ratio), D(__copy__), D(__deepcopy__), METHOD_BARE(decimal, __format__), D(__reduce__),
    METHOD_BARE(decimal, __round__), D(__ceil__), D(__floor__), D(__trunc__), D(__complex__), D(__sizeof__), { 0 }
};
#undef D
static PyGetSetDef decimal_getset[] = { { "real", get_real, NULL, NULL, NULL }, { "imag", get_imag, NULL, NULL, NULL }, { 0 } };
static PyType_Slot decimal_slots[] = {
    { Py_tp_dealloc, decimal_dealloc }, { Py_tp_traverse, decimal_traverse }, { Py_tp_repr, slot_repr }, { Py_tp_hash, slot_hash }, { Py_tp_str, slot_str },
    { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_richcompare, slot_compare }, { Py_tp_methods, decimal_methods }, { Py_tp_getset, decimal_getset },
    { Py_tp_new, decimal_tp_new },
    { Py_tp_doc, (char *)"Decimal(value=\"0\", context=None)\n--\n\n"
      "Construct a new Decimal object. 'value' can be an integer, string, tuple,\nor another Decimal object. If no value is given, return Decimal('0').\n"
      "The context does not affect the conversion and is only passed to determine\nif the InvalidOperation trap is active." },
    { Py_nb_add, slot_add }, { Py_nb_subtract, slot_subtract }, { Py_nb_multiply, slot_multiply }, { Py_nb_remainder, slot_remainder },
    { Py_nb_divmod, slot_divmod }, { Py_nb_power, slot_power }, { Py_nb_negative, slot_minus }, { Py_nb_positive, slot_plus }, { Py_nb_absolute, slot_abs },
    { Py_nb_bool, slot_bool }, { Py_nb_int, slot_int }, { Py_nb_float, slot_float }, { Py_nb_floor_divide, slot_floor_divide }, { Py_nb_true_divide, slot_divide },
    { 0, NULL }
};
PyType_Spec decimal_spec = {
    "decimal.Decimal", sizeof(Decimal), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, decimal_slots
};

_Static_assert(sizeof(Decimal) == 104 && sizeof(Context) == 96, "what object.__sizeof__ tells in CPython");
