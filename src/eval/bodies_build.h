/* Building containers, strings, slices, functions; unpacking. */

INST(BUILD_TUPLE) {
    HERE();
    PyObject *r = PyTuple_New((Py_ssize_t)oparg);
    if (UNLIKELY(!r)) goto error;
    sp -= oparg;
    for (unsigned i = 0; i < oparg; i++) PyTuple_SET_ITEM(r, i, sp[i]);
    PUSH(r);
    NEXT();
}

INST(BUILD_LIST) {
    HERE();
    PyObject *r = PyList_New((Py_ssize_t)oparg);
    if (UNLIKELY(!r)) goto error;
    sp -= oparg;
    for (unsigned i = 0; i < oparg; i++) PyList_SET_ITEM(r, i, sp[i]);
    PUSH(r);
    NEXT();
}

INST(BUILD_SET) {
    HERE();
    PyObject *r = PySet_New(NULL);
    if (UNLIKELY(!r)) goto error;
    for (unsigned i = oparg; i > 0; i--)
        if (UNLIKELY(PySet_Add(r, PEEK(i)) < 0)) {
            Py_DECREF(r);
            goto error;
        }
    for (unsigned i = oparg; i > 0; i--) Py_DECREF(PEEK(i));
    sp -= oparg;
    PUSH(r);
    NEXT();
}

INST(BUILD_MAP) {
    HERE();
    PyObject **first = sp - 2 * oparg, *r = dict_from_items(first, 2, first + 1, 2, (Py_ssize_t)oparg);
    if (UNLIKELY(!r)) goto error;
    while (sp > first) { PyObject *v = POP(); Py_DECREF(v); }
    PUSH(r);
    NEXT();
}

INST(BUILD_CONST_KEY_MAP) {
    HERE();
    PyObject *keys = TOP();
    if (UNLIKELY(!PyTuple_CheckExact(keys) || PyTuple_GET_SIZE(keys) != (Py_ssize_t)oparg)) {
        PyErr_SetString(PyExc_SystemError, "bad BUILD_CONST_KEY_MAP keys argument");
        goto error;
    }
    PyObject **first = sp - 1 - oparg, *r = dict_from_items(((PyTupleObject *)keys)->ob_item, 1, first, 1, (Py_ssize_t)oparg);
    if (UNLIKELY(!r)) goto error;
    while (sp > first) { PyObject *v = POP(); Py_DECREF(v); }
    PUSH(r);
    NEXT();
}

INST(BUILD_SLICE) {
    HERE();
    PyObject *step = oparg == 3 ? PEEK(1) : NULL, *stop = PEEK(oparg == 3 ? 2 : 1), *start = PEEK(oparg == 3 ? 3 : 2);
    PyObject *r = PySlice_New(start, stop, step);
    sp -= oparg == 3 ? 3 : 2;
    Py_DECREF(start);
    Py_DECREF(stop);
    Py_XDECREF(step);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

INST(BUILD_STRING) {
    HERE();
    PyObject **first = sp - oparg, *r = str_join_array(EMPTY_STR, first, (Py_ssize_t)oparg);
    while (sp > first) { PyObject *v = POP(); Py_DECREF(v); }
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

INST(FORMAT_SIMPLE) {
    PyObject *v = TOP();
    if (!PyUnicode_CheckExact(v)) {
        HERE();
        PyObject *r = PyObject_Format(v, NULL);
        sp--;
        Py_DECREF(v);
        if (UNLIKELY(!r)) goto error;
        PUSH(r);
    }
    NEXT();
}

INST(FORMAT_WITH_SPEC) {
    HERE();
    PyObject *spec = PEEK(1), *v = PEEK(2), *r = PyObject_Format(v, spec);
    sp -= 2;
    Py_DECREF(v);
    Py_DECREF(spec);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

INST(CONVERT_VALUE) {
    HERE();
    PyObject *v = TOP();
    PyObject *r = oparg == CONVERT_STR ? PyObject_Str(v) : oparg == CONVERT_REPR ? PyObject_Repr(v) : PyObject_ASCII(v);
    sp--;
    Py_DECREF(v);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

/* ---- growing a container below the top; oparg counts from behind the popped value ---- */

INST(LIST_APPEND) {
    HERE();
    PyObject *v = POP(), *list = PEEK(oparg);
    PyListObject *l = (PyListObject *)list;
    if (LIKELY(Py_SIZE(l) < l->allocated)) {
        l->ob_item[Py_SIZE(l)] = v;
        Py_SET_SIZE(l, Py_SIZE(l) + 1);
        NEXT();
    }
    int status = PyList_Append(list, v);
    Py_DECREF(v);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

INST(LIST_EXTEND) {
    HERE();
    PyObject *iterable = POP(), *list = PEEK(oparg);
    if (UNLIKELY(PyList_Extend(list, iterable) < 0)) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) && !Py_TYPE(iterable)->tp_iter && !PySequence_Check(iterable)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "Value after * must be an iterable, not %.200s", Py_TYPE(iterable)->tp_name);
        }
        Py_DECREF(iterable);
        goto error;
    }
    Py_DECREF(iterable);
    NEXT();
}

INST(SET_ADD) {
    HERE();
    PyObject *v = POP();
    int status = PySet_Add(PEEK(oparg), v);
    Py_DECREF(v);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

INST(SET_UPDATE) {
    HERE();
    PyObject *iterable = POP();
    PyObject *done = PyObject_CallMethodOneArg(PEEK(oparg), STR(update), iterable);
    int status = done ? 0 : -1;
    Py_XDECREF(done);
    Py_DECREF(iterable);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

INST(MAP_ADD) {
    HERE();
    PyObject *v = POP(), *key = POP();
    if (UNLIKELY(dict_set_steal((PyDictObject *)PEEK(oparg), key, v) < 0)) goto error;
    NEXT();
}

INST(DICT_UPDATE) {
    HERE();
    PyObject *update = POP();
    if (UNLIKELY(PyDict_Update(PEEK(oparg), update) < 0)) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "'%.200s' object is not a mapping", Py_TYPE(update)->tp_name);
        }
        Py_DECREF(update);
        goto error;
    }
    Py_DECREF(update);
    NEXT();
}

INST(DICT_MERGE) {                               /* callable NULL args dict unused* update -> ... */
    HERE();
    PyObject *update = POP();
    if (UNLIKELY(dict_merge_unique(PEEK(oparg), update) < 0)) {
        eval_format_kwargs_error(ts, PEEK(oparg + 3), update);
        Py_DECREF(update);
        goto error;
    }
    Py_DECREF(update);
    NEXT();
}

/* ---- functions ---- */

INST(MAKE_FUNCTION) {
    HERE();
    PyObject *code = POP(), *function = PyFunction_New(code, frame->f_globals);
    Py_DECREF(code);
    if (UNLIKELY(!function)) goto error;
    PUSH(function);
    NEXT();
}

INST(SET_FUNCTION_ATTRIBUTE) {                   /* value function -> function */
    PyFunctionObject *function = (PyFunctionObject *)POP();
    PyObject *v = TOP();
    switch (oparg) {
    case FUNCTION_DEFAULTS: function->func_defaults = v; break;
    case FUNCTION_KWDEFAULTS: function->func_kwdefaults = v; break;
    case FUNCTION_ANNOTATIONS: function->func_annotations = v; break;
    case FUNCTION_CLOSURE: function->func_closure = v; break;
    default: Py_UNREACHABLE();
    }
    TOP() = (PyObject *)function;
    NEXT();
}

/* ---- unpacking: the first item ends on top ---- */

INST(UNPACK_SEQUENCE) {
    HERE();
    ADAPT(specialize_unpack_sequence(TOP(), pc - 1, (int)oparg));
general_UNPACK_SEQUENCE:;
    HERE();
    PyObject *seq = POP();
    int status = eval_unpack(ts, seq, (int)oparg, -1, sp + oparg);
    Py_DECREF(seq);
    if (UNLIKELY(status < 0)) goto error;
    sp += oparg;
    pc++;
    NEXT();
}

INST(UNPACK_SEQUENCE_TWO_TUPLE) {
    PyObject *seq = TOP();
    if (UNLIKELY(!PyTuple_CheckExact(seq) || PyTuple_GET_SIZE(seq) != 2)) MISS(UNPACK_SEQUENCE);
    sp[-1] = Py_NewRef(PyTuple_GET_ITEM(seq, 1));
    sp[0] = Py_NewRef(PyTuple_GET_ITEM(seq, 0));
    sp++;
    pc++;
    Py_DECREF(seq);
    NEXT();
}

INST(UNPACK_SEQUENCE_TUPLE) {
    PyObject *seq = TOP();
    if (UNLIKELY(!PyTuple_CheckExact(seq) || PyTuple_GET_SIZE(seq) != (Py_ssize_t)oparg)) MISS(UNPACK_SEQUENCE);
    sp--;
    for (int i = (int)oparg; --i >= 0;) PUSH(Py_NewRef(PyTuple_GET_ITEM(seq, i)));
    pc++;
    Py_DECREF(seq);
    NEXT();
}

INST(UNPACK_SEQUENCE_LIST) {
    PyObject *seq = TOP();
    if (UNLIKELY(!PyList_CheckExact(seq) || PyList_GET_SIZE(seq) != (Py_ssize_t)oparg)) MISS(UNPACK_SEQUENCE);
    sp--;
    for (int i = (int)oparg; --i >= 0;) PUSH(Py_NewRef(PyList_GET_ITEM(seq, i)));
    pc++;
    Py_DECREF(seq);
    NEXT();
}

INST(UNPACK_EX) {
    HERE();
    int before = (int)oparg & 255, after = (int)oparg >> 8;
    PyObject *seq = POP();
    int status = eval_unpack(ts, seq, before, after, sp + before + 1 + after);
    Py_DECREF(seq);
    if (UNLIKELY(status < 0)) goto error;
    sp += before + 1 + after;
    NEXT();
}
