/* Calls. The stack is: callable, self or NULL, arguments. A call of a Python function pushes a frame and goes on in it. */

/* Goes on in a new frame. The caller returns to `units` behind the running instruction. */
#define ENTER_FRAME(new_frame, units)                                                                                   \
    do {                                                                                                                \
        Frame *callee_ = (new_frame);                                                                                   \
        SAVE_SP();                                                                                                      \
        frame->return_offset = (uint16_t)(units);                                                                       \
        callee_->previous = frame;                                                                                      \
        frame = ts->current_frame = callee_;                                                                            \
        goto start_frame;                                                                                               \
    } while (0)

/* A bound method becomes function and self; `above` entries are above the arguments. */
#define EXPAND_METHOD(above)                                                                                            \
    do {                                                                                                                \
        PyObject **at_ = &PEEK(2 + oparg + (above)), *method_ = *at_;                                                   \
        if (!at_[1] && Py_IS_TYPE(method_, &PyMethod_Type)) {                                                           \
            at_[1] = Py_NewRef(PyMethod_GET_SELF(method_));                                                             \
            at_[0] = Py_NewRef(PyMethod_GET_FUNCTION(method_));                                                         \
            Py_DECREF(method_);                                                                                         \
        }                                                                                                               \
    } while (0)

INST(CALL) {
    HERE();
    ADAPT(specialize_call(ts, PEEK(2 + oparg), PEEK(1 + oparg), pc - 1, (int)oparg));
    goto general_CALL;
}

general_CALL: {
    HERE();
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    unsigned nargs = oparg;
    if (args[-1]) {
        args--;
        nargs++;
    }
    else if (Py_IS_TYPE(callable, &PyMethod_Type)) {
        PyObject *method = callable;
        PEEK(1 + oparg) = Py_NewRef(PyMethod_GET_SELF(method));
        callable = PEEK(2 + oparg) = Py_NewRef(PyMethod_GET_FUNCTION(method));
        Py_DECREF(method);
        args--;
        nargs++;
    }
    if (is_python_function(callable) && !ts->interp->runtime.eval_frame) {
        PyFunctionObject *function = (PyFunctionObject *)callable;
        Frame *callee = frame_push_call(ts, function, function_locals(function), args, nargs, NULL);
        sp -= 2 + oparg;
        if (UNLIKELY(!callee)) goto error;
        ENTER_FRAME(callee, 4);
    }
    SAVE_SP();
    PyObject *result = PyObject_Vectorcall(callable, args, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    PyObject **bottom = sp - 2 - oparg;
    while (sp > bottom) { PyObject *v = POP(); Py_XDECREF(v); }
    if (UNLIKELY(!result)) goto error;
    PUSH(result);
    pc += 3;
    CHECK_BREAKER();
    NEXT();
}

/* Drops the callable, self and arguments and pushes the result of a C function. */
#define FINISH_CALL(result_)                                                                                            \
    do {                                                                                                                \
        PyObject *r_ = (result_), **bottom_ = sp - 2 - oparg;                                                           \
        while (sp > bottom_) { PyObject *v_ = POP(); Py_XDECREF(v_); }                                                  \
        if (UNLIKELY(!r_)) goto error;                                                                                  \
        PUSH(r_);                                                                                                       \
        pc += 3;                                                                                                        \
        CHECK_BREAKER();                                                                                                \
        NEXT();                                                                                                         \
    } while (0)

INST(CALL_BOUND_METHOD_EXACT_ARGS) {             /* 1: function version */
    PyObject *callable = PEEK(2 + oparg);
    if (UNLIKELY(PEEK(1 + oparg) || !Py_IS_TYPE(callable, &PyMethod_Type))) MISS(CALL);
    PyObject *function = PyMethod_GET_FUNCTION(callable);
    if (UNLIKELY(!PyFunction_Check(function) || ((PyFunctionObject *)function)->func_version != cache_u32(pc + 1))) MISS(CALL);
    PEEK(1 + oparg) = Py_NewRef(PyMethod_GET_SELF(callable));
    PEEK(2 + oparg) = Py_NewRef(function);
    Py_DECREF(callable);
    goto op_CALL_PY_EXACT_ARGS;
}

INST(CALL_PY_EXACT_ARGS) {                       /* 1: function version, which says that the code takes just positional arguments */
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    unsigned nargs = oparg;
    if (UNLIKELY(!PyFunction_Check(callable))) MISS(CALL);
    PyFunctionObject *function = (PyFunctionObject *)callable;
    if (UNLIKELY(function->func_version != cache_u32(pc + 1) || ts->interp->runtime.eval_frame)) MISS(CALL);
    if (args[-1]) {
        args--;
        nargs++;
    }
    PyCodeObject *co = (PyCodeObject *)function->func_code;
    if (UNLIKELY((unsigned)co->co_argcount != nargs)) MISS(CALL);
    HERE();
    Frame *callee = frame_stack_push(ts, (size_t)co->co_framesize);
    if (UNLIKELY(!callee)) goto error;
    frame_init(callee, function, NULL, co, (int)nargs);
    SHORT_LOOP for (unsigned i = 0; i < nargs; i++) callee->localsplus[i] = args[i];
    sp -= 2 + oparg;
    ENTER_FRAME(callee, 4);
}

INST(CALL_PY_GENERAL) {                          /* 1: function version */
    PyObject *callable = PEEK(2 + oparg);
    if (UNLIKELY(!PyFunction_Check(callable) || ((PyFunctionObject *)callable)->func_version != cache_u32(pc + 1))) MISS(CALL);
    goto general_CALL;
}

INST(CALL_BOUND_METHOD_GENERAL) {                /* 1: function version */
    PyObject *callable = PEEK(2 + oparg);
    if (UNLIKELY(PEEK(1 + oparg) || !Py_IS_TYPE(callable, &PyMethod_Type))) MISS(CALL);
    goto general_CALL;
}

INST(CALL_NON_PY_GENERAL) {
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    if (UNLIKELY(PyFunction_Check(callable) || Py_IS_TYPE(callable, &PyMethod_Type))) MISS(CALL);
    HERE();
    SAVE_SP();
    unsigned nargs = oparg;
    if (args[-1]) {
        args--;
        nargs++;
    }
    FINISH_CALL(PyObject_Vectorcall(callable, args, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL));
}

INST(CALL_TYPE_1) {
    if (UNLIKELY(oparg != 1 || PEEK(2) || PEEK(3) != (PyObject *)&PyType_Type)) MISS(CALL);
    PyObject *o = PEEK(1), *r = Py_NewRef((PyObject *)Py_TYPE(o));
    sp -= 2;
    TOP() = r;                                   /* type itself is immortal */
    pc += 3;
    Py_DECREF(o);
    NEXT();
}

INST(CALL_STR_1) {
    if (UNLIKELY(oparg != 1 || PEEK(2) || PEEK(3) != (PyObject *)&PyUnicode_Type)) MISS(CALL);
    HERE();
    SAVE_SP();
    FINISH_CALL(PyObject_Str(PEEK(1)));
}

INST(CALL_TUPLE_1) {
    if (UNLIKELY(oparg != 1 || PEEK(2) || PEEK(3) != (PyObject *)&PyTuple_Type)) MISS(CALL);
    HERE();
    SAVE_SP();
    FINISH_CALL(PySequence_Tuple(PEEK(1)));
}

INST(CALL_BUILTIN_CLASS) {
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    if (UNLIKELY(!PyType_Check(callable) || args[-1])) MISS(CALL);
    vectorcallfunc call = ((PyTypeObject *)callable)->tp_vectorcall;
    if (UNLIKELY(!call)) MISS(CALL);
    HERE();
    SAVE_SP();
    FINISH_CALL(call(callable, args, oparg | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL));
}

/* A class made in Python: the object is made here, __init__ runs in a frame above a tiny one that hands out the object. */
INST(CALL_ALLOC_AND_ENTER_INIT) {                /* 1: type version */
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    if (UNLIKELY(args[-1] || !PyType_Check(callable))) MISS(CALL);
    PyTypeObject *type = (PyTypeObject *)callable;
    if (UNLIKELY(type->tp_version_tag != cache_u32(pc + 1) || ts->interp->runtime.eval_frame)) MISS(CALL);
    PyFunctionObject *init = (PyFunctionObject *)type_lookup(type, STR(__init__));
    if (UNLIKELY(!init || !is_python_function((PyObject *)init))) MISS(CALL);
    HERE();
    PyObject *self = instance_new((Thread *)ts, type);
    if (UNLIKELY(!self)) goto error;
    PyCodeObject *cleanup = (PyCodeObject *)ts->interp->eval.init_cleanup;
    Frame *shim = frame_stack_push(ts, (size_t)cleanup->co_framesize);
    if (UNLIKELY(!shim)) {
        Py_DECREF(self);
        goto error;
    }
    args[-1] = Py_NewRef(self);                  /* for __init__; the class itself is released with the shim */
    Py_INCREF(init);
    frame_init(shim, (PyFunctionObject *)Py_NewRef(init), NULL, cleanup, 0);
    shim->localsplus[0] = self;
    shim->stacktop = 1;
    shim->return_offset = 1;
    Frame *callee = frame_push_call(ts, init, NULL, args - 1, oparg + 1, NULL);
    sp -= 1 + oparg;                             /* the class stays below until __init__ has bound its arguments */
    { PyObject *cls = POP(); Py_DECREF(cls); }
    if (UNLIKELY(!callee)) {
        frame_leave_slow(ts, shim);
        goto error;
    }
    SAVE_SP();
    frame->return_offset = 4;
    shim->previous = frame;
    callee->previous = shim;
    frame = ts->current_frame = callee;
    ts->py_recursion_remaining--;                /* the shim returns like any frame */
    goto start_frame;
}

INST(CALL_BUILTIN_O) {
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    unsigned nargs = oparg + (args[-1] != NULL);
    if (UNLIKELY(nargs != 1 || !PyCFunction_CheckExact(callable) || PyCFunction_GET_FLAGS(callable) != METH_O)) MISS(CALL);
    HERE();
    SAVE_SP();
    if (UNLIKELY(recursion_enter_c(ts, " while calling a Python object"))) goto error;
    PyObject *result = PyCFunction_GET_FUNCTION(callable)(PyCFunction_GET_SELF(callable), args[-1] ? args[-1] : args[0]);
    recursion_leave_c(ts);
    assert(!result == !!ts->current_exception);
    FINISH_CALL(result);
}

INST(CALL_BUILTIN_FAST) {
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    if (UNLIKELY(!PyCFunction_CheckExact(callable) || PyCFunction_GET_FLAGS(callable) != METH_FASTCALL)) MISS(CALL);
    HERE();
    SAVE_SP();
    unsigned nargs = oparg;
    if (args[-1]) {
        args--;
        nargs++;
    }
    PyCFunctionFast function = (PyCFunctionFast)(void (*)(void))PyCFunction_GET_FUNCTION(callable);
    FINISH_CALL(function(PyCFunction_GET_SELF(callable), args, nargs));
}

INST(CALL_BUILTIN_FAST_WITH_KEYWORDS) {
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    if (UNLIKELY(!PyCFunction_CheckExact(callable) || PyCFunction_GET_FLAGS(callable) != (METH_FASTCALL | METH_KEYWORDS))) MISS(CALL);
    HERE();
    SAVE_SP();
    unsigned nargs = oparg;
    if (args[-1]) {
        args--;
        nargs++;
    }
    PyCFunctionFastWithKeywords function = (PyCFunctionFastWithKeywords)(void (*)(void))PyCFunction_GET_FUNCTION(callable);
    FINISH_CALL(function(PyCFunction_GET_SELF(callable), args, nargs, NULL));
}

INST(CALL_LEN) {
    PyObject *callable = PEEK(2 + oparg);
    if (UNLIKELY(oparg != 1 || PEEK(2) || callable != ts->interp->eval.builtin_len)) MISS(CALL);
    HERE();
    SAVE_SP();
    Py_ssize_t n = PyObject_Size(PEEK(1));
    if (UNLIKELY(n < 0)) goto error;
    FINISH_CALL(long_from_i64((Thread *)ts, n));
}

INST(CALL_ISINSTANCE) {
    PyObject *callable = PEEK(2 + oparg);
    if (UNLIKELY(oparg != 2 || PEEK(3) || callable != ts->interp->eval.builtin_isinstance)) MISS(CALL);
    HERE();
    SAVE_SP();
    int status = PyObject_IsInstance(PEEK(2), PEEK(1));
    if (UNLIKELY(status < 0)) goto error;
    FINISH_CALL(status ? Py_True : Py_False);
}

INST(CALL_LIST_APPEND) {
    PyObject *callable = PEEK(3), *list = PEEK(2);
    if (UNLIKELY(oparg != 1 || !list || !PyList_CheckExact(list) || callable != (PyObject *)(uintptr_t)ts->interp->eval.list_append))
        MISS(CALL);
    HERE();
    PyObject *v = POP();
    if (UNLIKELY(list_append_steal((PyListObject *)list, v) < 0)) {
        PUSH(Py_NewRef(Py_None));
        goto error;
    }
    sp -= 2;
    Py_DECREF(list);
    Py_DECREF(callable);
    pc += 3;
    if (pc[0].op.code == POP_TOP) pc++;
    else PUSH(Py_None);
    NEXT();
}

#define METHOD_CALL_GUARD(wanted)                                                                                       \
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;                                                          \
    unsigned nargs = oparg;                                                                                             \
    if (args[-1]) {                                                                                                     \
        args--;                                                                                                         \
        nargs++;                                                                                                        \
    }                                                                                                                   \
    if (UNLIKELY(!Py_IS_TYPE(callable, &PyMethodDescr_Type) || nargs == 0)) MISS(CALL);                                 \
    PyMethodDef *method = ((PyMethodDescrObject *)callable)->d_method;                                                  \
    if (UNLIKELY((uint16_t)method->ml_flags != (wanted) || !Py_IS_TYPE(args[0], PyDescr_TYPE(callable)))) MISS(CALL);             \
    HERE();                                                                                                             \
    SAVE_SP();

INST(CALL_METHOD_DESCRIPTOR_O) {
    METHOD_CALL_GUARD(METH_O)
    if (UNLIKELY(nargs != 2)) MISS(CALL);
    if (UNLIKELY(recursion_enter_c(ts, " while calling a Python object"))) goto error;
    PyObject *result = method->ml_meth(args[0], args[1]);
    recursion_leave_c(ts);
    FINISH_CALL(result);
}

INST(CALL_METHOD_DESCRIPTOR_NOARGS) {
    METHOD_CALL_GUARD(METH_NOARGS)
    if (UNLIKELY(nargs != 1)) MISS(CALL);
    if (UNLIKELY(recursion_enter_c(ts, " while calling a Python object"))) goto error;
    PyObject *result = method->ml_meth(args[0], NULL);
    recursion_leave_c(ts);
    FINISH_CALL(result);
}

INST(CALL_METHOD_DESCRIPTOR_FAST) {
    METHOD_CALL_GUARD(METH_FASTCALL)
    PyCFunctionFast function = (PyCFunctionFast)(void (*)(void))method->ml_meth;
    FINISH_CALL(function(args[0], args + 1, nargs - 1));
}

INST(CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS) {
    METHOD_CALL_GUARD(METH_FASTCALL | METH_KEYWORDS)
    PyCFunctionFastWithKeywords function = (PyCFunctionFastWithKeywords)(void (*)(void))method->ml_meth;
    FINISH_CALL(function(args[0], args + 1, nargs - 1, NULL));
}

/* ---- with keywords: callable self_or_null args names ---- */

INST(CALL_KW) {
    HERE();
    PyObject *kwnames = POP();                   /* dropped after the call */
    PyObject *callable = PEEK(2 + oparg), **args = sp - oparg;
    unsigned total = oparg;
    if (args[-1]) {
        args--;
        total++;
    }
    else if (Py_IS_TYPE(callable, &PyMethod_Type)) {
        PyObject *method = callable;
        PEEK(1 + oparg) = Py_NewRef(PyMethod_GET_SELF(method));
        callable = PEEK(2 + oparg) = Py_NewRef(PyMethod_GET_FUNCTION(method));
        Py_DECREF(method);
        args--;
        total++;
    }
    Py_ssize_t positional = (Py_ssize_t)total - PyTuple_GET_SIZE(kwnames);
    if (is_python_function(callable) && !ts->interp->runtime.eval_frame) {
        PyFunctionObject *function = (PyFunctionObject *)callable;
        Frame *callee = frame_push_call(ts, function, function_locals(function), args, positional, kwnames);
        sp -= 2 + oparg;
        Py_DECREF(kwnames);
        if (UNLIKELY(!callee)) goto error;
        ENTER_FRAME(callee, 1);
    }
    SAVE_SP();
    PyObject *result = PyObject_Vectorcall(callable, args, (size_t)positional | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    Py_DECREF(kwnames);
    PyObject **bottom = sp - 2 - oparg;
    while (sp > bottom) { PyObject *v = POP(); Py_XDECREF(v); }
    if (UNLIKELY(!result)) goto error;
    PUSH(result);
    CHECK_BREAKER();
    NEXT();
}

/* ---- f(*args, **kwargs): callable NULL args [kwargs] ---- */

INST(CALL_FUNCTION_EX) {
    HERE();
    SAVE_SP();
    bool monitored = pc[-1].op.code >= MIN_INSTRUMENTED_OPCODE && instrument_listens(frame, pc - 1);
    PyObject **args_slot = &PEEK(1 + (oparg & 1)), *kwargs = oparg & 1 ? PEEK(1) : NULL, *callable = PEEK(3 + (oparg & 1));
    if (!PyTuple_CheckExact(*args_slot)) {
        if (eval_check_args_iterable(ts, callable, *args_slot) < 0) goto error;
        PyObject *tuple = PySequence_Tuple(*args_slot);
        if (UNLIKELY(!tuple)) goto error;
        Py_SETREF(*args_slot, tuple);
    }
    PyObject *args = *args_slot, *result;
    if (UNLIKELY(monitored)) {
        PyObject *arg = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : monitoring_missing(ts);
        if (instrument_call_2args(ts, EVENT_CALL, frame, frame->instr_ptr, callable, arg) < 0) goto error;
        result = PyObject_Call(callable, args, kwargs);
        if (!PyFunction_Check(callable) && !PyMethod_Check(callable))
            result = instrument_called(ts, frame, frame->instr_ptr, callable, arg, result);
    }
    else {
        if (is_python_function(callable) && !ts->interp->runtime.eval_frame) {
            PyFunctionObject *function = (PyFunctionObject *)callable;
            Frame *callee = frame_push_call_ex(ts, function, function_locals(function), args, kwargs);
            sp -= 3 + (oparg & 1);
            if (UNLIKELY(!callee)) goto error;
            ENTER_FRAME(callee, 1);
        }
        result = PyObject_Call(callable, args, kwargs);
    }
    PyObject **bottom = sp - 3 - (oparg & 1);
    while (sp > bottom) { PyObject *v = POP(); Py_XDECREF(v); }
    if (UNLIKELY(!result)) goto error;
    PUSH(result);
    CHECK_BREAKER();
    NEXT();
}

INST(CALL_INTRINSIC_1) {
    HERE();
    PyObject *v = TOP();
    if (oparg == INTRINSIC_IMPORT_STAR) {
        int status = eval_import_star(frame, v);
        sp--;
        Py_DECREF(v);
        if (UNLIKELY(status < 0)) goto error;
        PUSH(Py_NewRef(Py_None));
        NEXT();
    }
    PyObject *r = eval_intrinsics_1[oparg](ts, v);
    sp--;
    Py_DECREF(v);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}

INST(CALL_INTRINSIC_2) {
    HERE();
    PyObject *b = PEEK(1), *a = PEEK(2), *r = eval_intrinsics_2[oparg](ts, a, b);
    sp -= 2;
    Py_DECREF(a);
    Py_DECREF(b);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}
