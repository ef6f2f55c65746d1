/* Operators, subscripts, comparisons, truth. */

INST(UNARY_NEGATIVE) {
    HERE();
    PyObject *v = TOP(), *r = PyNumber_Negative(v);
    Py_DECREF(v);
    sp--;
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

INST(UNARY_INVERT) {
    HERE();
    PyObject *v = TOP(), *r = PyNumber_Invert(v);
    Py_DECREF(v);
    sp--;
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

INST(UNARY_NOT) {
    assert(PyBool_Check(TOP()));
    TOP() = TOP() == Py_True ? Py_False : Py_True;
    NEXT();
}

INST(BINARY_OP) {
    HERE();
    ADAPT(specialize_binary_op(PEEK(2), PEEK(1), pc - 1, (int)oparg, &LOCAL(0)));
general_BINARY_OP:;
    HERE();
    SAVE_SP();
    PyObject *a = PEEK(2), *b = PEEK(1), *r = eval_binary_op(ts, oparg, a, b);
    Py_DECREF(a);
    Py_DECREF(b);
    sp -= 2;
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    pc++;
    NEXT();
}

/* Results of compact ints fit a word. A left operand that nobody else has takes the result in place; so does the value of
 * `x += y`, `o.x += y` and `list[i] += y` when only the stack and the variable, attribute or item hold it (see augmented_target):
 * the instructions that would store it again are skipped. */
#define INT_ARITHMETIC(sign)                                                                                            \
    PyObject *a = PEEK(2), *b = PEEK(1);                                                                                \
    if (UNLIKELY(!int_is_compact(a) || !int_is_compact(b))) MISS(BINARY_OP);                                            \
    int64_t result = int_value(a) sign int_value(b);                                                                    \
    if (Py_REFCNT(a) == 2) {                                                                                            \
        if (pc[1].op.code == STORE_FAST && LOCAL(pc[1].op.arg) == a && int_replace(a, result)) {                        \
            a->ob_refcnt = 1;                                                                                           \
            sp -= 2;                                                                                                    \
            pc += 2;                                                                                                    \
            int_release(b);                                                                                             \
            NEXT();                                                                                                     \
        }                                                                                                               \
        if (augmented_target(pc + 1, sp - 2, a) && int_replace(a, result)) {                                            \
            int_release(b);                                                                                             \
            goto augmented;                                                                                             \
        }                                                                                                               \
    }                                                                                                                   \
    else if (Py_REFCNT(a) == 1 && int_replace(a, result)) {                                                             \
        sp--;                                                                                                           \
        pc++;                                                                                                           \
        int_release(b);                                                                                                 \
        NEXT();                                                                                                         \
    }                                                                                                                   \
    HERE();                                                                                                             \
    PyObject *r = long_from_i64((Thread *)ts, result);                                                                  \
    if (UNLIKELY(!r)) goto error;                                                                                       \
    sp -= 2;                                                                                                            \
    pc++;                                                                                                               \
    int_release(a);                                                                                                     \
    int_release(b);                                                                                                     \
    NEXT_VALUE(r);

INST(BINARY_OP_ADD_INT) { INT_ARITHMETIC(+) }
INST(BINARY_OP_SUBTRACT_INT) { INT_ARITHMETIC(-) }
INST(BINARY_OP_MULTIPLY_INT) { INT_ARITHMETIC(*) }

augmented: {                                     /* the result is in place: drop a, then what leads to it, and skip the store */
        PyObject *a = PEEK(2);
        a->ob_refcnt = 1;
        sp -= 2;
        if (pc[1].op.arg == 2) {                 /* SWAP 2, STORE_ATTR: owner */
            pc += 7;
            PyObject *owner = POP();
            Py_DECREF(owner);
            NEXT();
        }
        pc += 5;                                 /* SWAP 3, SWAP 2, STORE_SUBSCR: list index */
        PyObject *key = POP(), *list = POP();
        int_release(key);
        Py_DECREF(list);
        NEXT();
    }

/* Floats: the result goes into an operand that nobody else has. */
#define FLOAT_ARITHMETIC(sign)                                                                                          \
    PyObject *a = PEEK(2), *b = PEEK(1);                                                                                \
    if (UNLIKELY(!PyFloat_CheckExact(a) || !PyFloat_CheckExact(b))) MISS(BINARY_OP);                                    \
    double result = FLOAT_VALUE(a) sign FLOAT_VALUE(b);                                                                 \
    if (Py_REFCNT(a) == 1) {                                                                                            \
        FLOAT_VALUE(a) = result;                                                                                        \
        sp -= 2;                                                                                                        \
        pc++;                                                                                                           \
        float_release(b);                                                                                               \
        NEXT_VALUE(a);                                                                                                  \
    }                                                                                                                   \
    if (Py_REFCNT(a) == 2) {                                                                                            \
        if (pc[1].op.code == STORE_FAST && LOCAL(pc[1].op.arg) == a) {                                                  \
            FLOAT_VALUE(a) = result;                                                                                    \
            a->ob_refcnt = 1;                                                                                           \
            sp -= 2;                                                                                                    \
            pc += 2;                                                                                                    \
            float_release(b);                                                                                           \
            NEXT();                                                                                                     \
        }                                                                                                               \
        if (augmented_target(pc + 1, sp - 2, a)) {                                                                 \
            FLOAT_VALUE(a) = result;                                                                                    \
            float_release(b);                                                                                           \
            goto augmented;                                                                                             \
        }                                                                                                               \
    }                                                                                                                   \
    if (Py_REFCNT(b) == 1) {                                                                                            \
        FLOAT_VALUE(b) = result;                                                                                        \
        sp -= 2;                                                                                                        \
        pc++;                                                                                                           \
        float_release(a);                                                                                               \
        NEXT_VALUE(b);                                                                                                  \
    }                                                                                                                   \
    HERE();                                                                                                             \
    PyObject *r = float_new((Thread *)ts, result);                                                                      \
    if (UNLIKELY(!r)) goto error;                                                                                       \
    sp -= 2;                                                                                                            \
    pc++;                                                                                                               \
    float_release(a);                                                                                                   \
    float_release(b);                                                                                                   \
    NEXT_VALUE(r);

INST(BINARY_OP_ADD_FLOAT) { FLOAT_ARITHMETIC(+) }
INST(BINARY_OP_SUBTRACT_FLOAT) { FLOAT_ARITHMETIC(-) }
INST(BINARY_OP_MULTIPLY_FLOAT) { FLOAT_ARITHMETIC(*) }

INST(BINARY_OP_ADD_UNICODE) {
    PyObject *a = PEEK(2), *b = PEEK(1);
    if (UNLIKELY(!PyUnicode_CheckExact(a) || !PyUnicode_CheckExact(b))) MISS(BINARY_OP);
    HERE();
    PyObject *r = PyUnicode_Concat(a, b);
    if (UNLIKELY(!r)) goto error;
    PEEK(2) = r;
    sp--;
    pc++;
    Py_DECREF(a);
    Py_DECREF(b);
    NEXT();
}

/* `s = s + t` where s is a local and the next instruction stores it there: its own reference goes first, so that the
 * string can grow in place. */
INST(BINARY_OP_INPLACE_ADD_UNICODE) {
    PyObject *a = PEEK(2), *b = PEEK(1);
    if (UNLIKELY(!PyUnicode_CheckExact(a) || !PyUnicode_CheckExact(b))) MISS(BINARY_OP);
    PyObject **target = &LOCAL(pc[1].op.arg);
    if (UNLIKELY(pc[1].op.code != STORE_FAST || *target != a)) MISS(BINARY_OP);
    HERE();
    Py_DECREF(a);                                /* the stack's; the local keeps it alive */
    PyUnicode_Append(target, b);
    sp -= 2;
    Py_DECREF(b);
    if (UNLIKELY(!*target)) goto error;
    pc += 2;                                     /* cache and STORE_FAST */
    NEXT();
}

/* ---- subscripts ---- */

INST(BINARY_SUBSCR) {
    HERE();
    ADAPT(specialize_binary_subscr(PEEK(2), PEEK(1), pc - 1));
general_BINARY_SUBSCR:;
    HERE();
    SAVE_SP();
    PyObject *container = PEEK(2), *key = PEEK(1), *r = PyObject_GetItem(container, key);
    Py_DECREF(container);
    Py_DECREF(key);
    sp -= 2;
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    pc++;
    NEXT();
}

#define PUSH_ITEM(v) do { PyObject *container_ = PEEK(2), *key_ = PEEK(1); PEEK(2) = (v); sp--; pc++; int_release(key_); \
        Py_DECREF(container_); NEXT(); } while (0)

INST(BINARY_SUBSCR_LIST_INT) {
    PyObject *list = PEEK(2), *key = PEEK(1);
    if (UNLIKELY(!PyList_CheckExact(list) || !int_is_compact(key))) MISS(BINARY_SUBSCR);
    size_t i = (size_t)int_value(key);
    if (UNLIKELY(i >= (size_t)PyList_GET_SIZE(list))) MISS(BINARY_SUBSCR);
    PUSH_ITEM(Py_NewRef(PyList_GET_ITEM(list, i)));
}

INST(BINARY_SUBSCR_TUPLE_INT) {
    PyObject *tuple = PEEK(2), *key = PEEK(1);
    if (UNLIKELY(!PyTuple_CheckExact(tuple) || !int_is_compact(key))) MISS(BINARY_SUBSCR);
    size_t i = (size_t)int_value(key);
    if (UNLIKELY(i >= (size_t)PyTuple_GET_SIZE(tuple))) MISS(BINARY_SUBSCR);
    PUSH_ITEM(Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
}

INST(BINARY_SUBSCR_STR_INT) {
    PyObject *str = PEEK(2), *key = PEEK(1);
    if (UNLIKELY(!PyUnicode_CheckExact(str) || !int_is_compact(key))) MISS(BINARY_SUBSCR);
    size_t i = (size_t)int_value(key);
    if (UNLIKELY(i >= (size_t)PyUnicode_GET_LENGTH(str))) MISS(BINARY_SUBSCR);
    Py_UCS4 c = PyUnicode_READ_CHAR(str, i);
    if (UNLIKELY(c >= 128)) MISS(BINARY_SUBSCR);
    PUSH_ITEM((PyObject *)&_PyRuntime.ascii[c].head);
}

INST(BINARY_SUBSCR_DICT) {
    PyObject *dict = PEEK(2), *key = PEEK(1);
    if (UNLIKELY(!PyDict_CheckExact(dict))) MISS(BINARY_SUBSCR);
    HERE();
    SAVE_SP();
    PyObject *r = dict_subscript(dict, key);
    sp -= 2;
    Py_DECREF(dict);
    Py_DECREF(key);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    pc++;
    NEXT();
}

INST(BINARY_SUBSCR_GETITEM) {                    /* __getitem__ of a Python class, found anew: the type keeps it for us */
    PyObject *container = PEEK(2), *key = PEEK(1);
    PyTypeObject *type = Py_TYPE(container);
    if (UNLIKELY(!(type->tp_flags & Py_TPFLAGS_HEAPTYPE))) MISS(BINARY_SUBSCR);
    PyObject *getitem = type_lookup(type, STR(__getitem__));
    if (UNLIKELY(!getitem || !is_python_function(getitem) || ts->interp->runtime.eval_frame)) MISS(BINARY_SUBSCR);
    PyCodeObject *co = (PyCodeObject *)((PyFunctionObject *)getitem)->func_code;
    if (UNLIKELY(co->co_argcount != 2 || co->co_kwonlyargcount || (co->co_flags & (CO_VARARGS | CO_VARKEYWORDS | CO_OPTIMIZED)) != CO_OPTIMIZED))
        MISS(BINARY_SUBSCR);
    HERE();
    Frame *callee = frame_stack_push(ts, (size_t)co->co_framesize);
    if (UNLIKELY(!callee)) goto error;
    frame_init(callee, (PyFunctionObject *)Py_NewRef(getitem), NULL, co, 2);
    callee->localsplus[0] = container;
    callee->localsplus[1] = key;
    sp -= 2;
    SAVE_SP();
    frame->return_offset = 2;
    callee->previous = frame;
    frame = ts->current_frame = callee;
    goto start_frame;
}

INST(STORE_SUBSCR) {                             /* value container key -> */
    HERE();
    ADAPT(specialize_store_subscr(PEEK(2), PEEK(1), pc - 1));
general_STORE_SUBSCR:;
    HERE();
    SAVE_SP();
    PyObject *key = PEEK(1), *container = PEEK(2), *v = PEEK(3);
    int status = PyObject_SetItem(container, key, v);
    sp -= 3;
    Py_DECREF(v);
    Py_DECREF(container);
    Py_DECREF(key);
    if (UNLIKELY(status < 0)) goto error;
    pc++;
    NEXT();
}

INST(STORE_SUBSCR_LIST_INT) {
    PyObject *key = PEEK(1), *list = PEEK(2), *v = PEEK(3);
    if (UNLIKELY(!PyList_CheckExact(list) || !int_is_compact(key))) MISS(STORE_SUBSCR);
    size_t i = (size_t)int_value(key);
    if (UNLIKELY(i >= (size_t)PyList_GET_SIZE(list))) MISS(STORE_SUBSCR);
    PyObject *old = PyList_GET_ITEM(list, i);
    PyList_SET_ITEM(list, (Py_ssize_t)i, v);
    sp -= 3;
    pc++;
    Py_DECREF(old);
    int_release(key);
    Py_DECREF(list);
    NEXT();
}

INST(STORE_SUBSCR_DICT) {
    PyObject *key = PEEK(1), *dict = PEEK(2), *v = PEEK(3);
    if (UNLIKELY(!PyDict_CheckExact(dict))) MISS(STORE_SUBSCR);
    HERE();
    SAVE_SP();
    int status = dict_set_steal((PyDictObject *)dict, key, v);
    sp -= 3;
    Py_DECREF(dict);
    if (UNLIKELY(status < 0)) goto error;
    pc++;
    NEXT();
}

INST(DELETE_SUBSCR) {
    HERE();
    PyObject *key = PEEK(1), *container = PEEK(2);
    int status = PyObject_DelItem(container, key);
    sp -= 2;
    Py_DECREF(container);
    Py_DECREF(key);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

INST(BINARY_SLICE) {
    HERE();
    PyObject *stop = PEEK(1), *start = PEEK(2), *container = PEEK(3), *r = NULL;
    PyObject *slice = PySlice_New(start, stop, NULL);
    if (LIKELY(slice != NULL)) {
        r = PyObject_GetItem(container, slice);
        Py_DECREF(slice);
    }
    sp -= 3;
    Py_DECREF(stop);
    Py_DECREF(start);
    Py_DECREF(container);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

INST(STORE_SLICE) {                              /* v container start stop -> */
    HERE();
    PyObject *stop = PEEK(1), *start = PEEK(2), *container = PEEK(3), *v = PEEK(4);
    PyObject *slice = PySlice_New(start, stop, NULL);
    int status = slice ? PyObject_SetItem(container, slice, v) : -1;
    Py_XDECREF(slice);
    sp -= 4;
    Py_DECREF(stop);
    Py_DECREF(start);
    Py_DECREF(container);
    Py_DECREF(v);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

/* ---- comparisons: oparg is op << 5, 16: a bool is wanted, 1 2 4 8: less, greater, equal, unordered ---- */

INST(COMPARE_OP) {
    HERE();
    ADAPT(specialize_compare_op(PEEK(2), PEEK(1), pc - 1, (int)oparg));
general_COMPARE_OP:;
    HERE();
    SAVE_SP();
    PyObject *a = PEEK(2), *b = PEEK(1), *r = PyObject_RichCompare(a, b, (int)oparg >> 5);
    sp -= 2;
    Py_DECREF(a);
    Py_DECREF(b);
    if (UNLIKELY(!r)) goto error;
    if (oparg & 16) {
        int truth = truth_of(r);
        Py_DECREF(r);
        if (UNLIKELY(truth < 0)) goto error;
        r = truth ? Py_True : Py_False;
    }
    PUSH(r);
    pc++;
    NEXT();
}

INST(COMPARE_OP_INT) {
    PyObject *a = PEEK(2), *b = PEEK(1);
    if (UNLIKELY(!int_is_compact(a) || !int_is_compact(b))) MISS(COMPARE_OP);
    Py_ssize_t x = int_value(a), y = int_value(b);
    unsigned sign = x < y ? 2 : x > y ? 4 : 8;
    sp -= 2;
    pc++;
    int_release(a);
    int_release(b);
    NEXT_BOOL(sign & oparg);
}

INST(COMPARE_OP_FLOAT) {
    PyObject *a = PEEK(2), *b = PEEK(1);
    if (UNLIKELY(!PyFloat_CheckExact(a) || !PyFloat_CheckExact(b))) MISS(COMPARE_OP);
    double x = ((PyFloatObject *)a)->ob_fval, y = ((PyFloatObject *)b)->ob_fval;
    unsigned sign = x < y ? 2 : x > y ? 4 : x == y ? 8 : 1;
    sp -= 2;
    pc++;
    float_release(a);
    float_release(b);
    NEXT_BOOL(sign & oparg);
}

INST(COMPARE_OP_STR) {
    PyObject *a = PEEK(2), *b = PEEK(1);
    if (UNLIKELY(!PyUnicode_CheckExact(a) || !PyUnicode_CheckExact(b))) MISS(COMPARE_OP);
    bool equal = a == b || dict_str_same(a, b);
    sp -= 2;
    pc++;
    Py_DECREF(a);
    Py_DECREF(b);
    NEXT_BOOL(equal == ((oparg >> 5) == Py_EQ));
}

INST(IS_OP) {
    PyObject *b = POP(), *a = POP();
    bool same = a == b;
    Py_DECREF(a);
    Py_DECREF(b);
    NEXT_BOOL(same != (oparg & 1));
}

INST(CONTAINS_OP) {                              /* value container -> bool */
    HERE();
    ADAPT(specialize_contains_op(PEEK(1), pc - 1));
general_CONTAINS_OP:;
    HERE();
    SAVE_SP();
    PyObject *container = PEEK(1), *v = PEEK(2);
    int status = PySequence_Contains(container, v);
    sp -= 2;
    Py_DECREF(v);
    Py_DECREF(container);
    if (UNLIKELY(status < 0)) goto error;
    PUSH((unsigned)status ^ oparg ? Py_True : Py_False);
    pc++;
    NEXT();
}

INST(CONTAINS_OP_DICT) {
    PyObject *dict = PEEK(1), *v = PEEK(2);
    if (UNLIKELY(!PyDict_CheckExact(dict))) MISS(CONTAINS_OP);
    HERE();
    SAVE_SP();
    int status = PyDict_Contains(dict, v);
    sp -= 2;
    Py_DECREF(v);
    Py_DECREF(dict);
    if (UNLIKELY(status < 0)) goto error;
    pc++;
    NEXT_BOOL((unsigned)status ^ oparg);
}

INST(CONTAINS_OP_SET) {
    PyObject *set = PEEK(1), *v = PEEK(2);
    if (UNLIKELY(!PyAnySet_CheckExact(set))) MISS(CONTAINS_OP);
    HERE();
    SAVE_SP();
    int status = PySequence_Contains(set, v);
    sp -= 2;
    Py_DECREF(v);
    Py_DECREF(set);
    if (UNLIKELY(status < 0)) goto error;
    pc++;
    NEXT_BOOL((unsigned)status ^ oparg);
}

/* ---- truth ---- */

INST(TO_BOOL) {
    HERE();
    ADAPT(specialize_to_bool(TOP(), pc - 1));
general_TO_BOOL:;
    HERE();
    SAVE_SP();
    PyObject *v = TOP();
    int truth = truth_of(v);
    sp--;
    Py_DECREF(v);
    if (UNLIKELY(truth < 0)) goto error;
    PUSH(truth ? Py_True : Py_False);
    pc += 3;
    NEXT();
}

INST(TO_BOOL_BOOL) {
    if (UNLIKELY(!PyBool_Check(TOP()))) MISS(TO_BOOL);
    PyObject *v = POP();
    pc += 3;
    NEXT_BOOL(v == Py_True);
}

INST(TO_BOOL_INT) {
    PyObject *v = TOP();
    if (UNLIKELY(!PyLong_CheckExact(v))) MISS(TO_BOOL);
    bool truth = !long_is_zero(LONG(v));
    sp--;
    int_release(v);
    pc += 3;
    NEXT_BOOL(truth);
}

INST(TO_BOOL_LIST) {
    PyObject *v = TOP();
    if (UNLIKELY(!PyList_CheckExact(v))) MISS(TO_BOOL);
    bool truth = PyList_GET_SIZE(v) != 0;
    sp--;
    pc += 3;
    Py_DECREF(v);
    NEXT_BOOL(truth);
}

INST(TO_BOOL_NONE) {
    if (UNLIKELY(TOP() != Py_None)) MISS(TO_BOOL);
    TOP() = Py_False;
    pc += 3;
    NEXT();
}

INST(TO_BOOL_STR) {
    PyObject *v = TOP();
    if (UNLIKELY(!PyUnicode_CheckExact(v))) MISS(TO_BOOL);
    bool truth = PyUnicode_GET_LENGTH(v) != 0;
    sp--;
    Py_DECREF(v);
    pc += 3;
    NEXT_BOOL(truth);
}

INST(TO_BOOL_ALWAYS_TRUE) {
    PyObject *v = TOP();
    if (UNLIKELY(Py_TYPE(v)->tp_version_tag != cache_u32(pc + 1))) MISS(TO_BOOL);
    TOP() = Py_True;
    Py_DECREF(v);
    pc += 3;
    NEXT();
}
