/* Raising, handlers, with statements. */

INST(RAISE_VARARGS) {
    HERE();
    PyObject *cause = oparg == 2 ? POP() : NULL, *exc = oparg >= 1 ? POP() : NULL;
    if (eval_raise(ts, exc, cause) && ts->current_exception) {
        if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_RERAISE])) {
            SAVE_SP();
            (void)instrument_exception(ts, frame, pc - 1, EVENT_RERAISE);
        }
        goto exception_unwind;
    }
    goto error;
}

INST(RERAISE) {                                  /* [lasti] exc -> [lasti]; lasti is where the exception came from */
    HERE();
    PyObject *exc = POP();
    if (oparg) {
        PyObject *lasti = PEEK(oparg);
        if (LIKELY(PyLong_Check(lasti))) frame->instr_ptr = CODE_UNITS(CODE()) + PyLong_AsLong(lasti);
        else {
            PyErr_SetString(PyExc_SystemError, "lasti is not an int");
            Py_DECREF(exc);
            goto error;
        }
    }
    assert(PyExceptionInstance_Check(exc));
    Py_XSETREF(ts->current_exception, exc);
    if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_RERAISE])) {
        SAVE_SP();
        (void)instrument_exception(ts, frame, pc - 1, EVENT_RERAISE);
    }
    goto exception_unwind;
}

INST(PUSH_EXC_INFO) {                            /* exc -> previous exc */
    PyObject *exc = TOP();
    _PyErr_StackItem *info = ts->exc_info;
    TOP() = info->exc_value ? info->exc_value : Py_NewRef(Py_None);
    info->exc_value = Py_NewRef(exc);
    PUSH(exc);
    NEXT();
}

INST(POP_EXCEPT) {
    _PyErr_StackItem *info = ts->exc_info;
    PyObject *old = info->exc_value, *previous = POP();
    if (previous == Py_None) {
        Py_DECREF(previous);
        previous = NULL;
    }
    info->exc_value = previous;
    Py_XDECREF(old);
    NEXT();
}

INST(CHECK_EXC_MATCH) {
    HERE();
    PyObject *type = PEEK(1), *exc = PEEK(2);
    if (UNLIKELY(eval_check_except_type(ts, type) < 0)) goto error;
    int match = PyErr_GivenExceptionMatches(exc, type);
    TOP() = match ? Py_True : Py_False;
    Py_DECREF(type);
    NEXT();
}

INST(CHECK_EG_MATCH) {                           /* exc type -> rest match */
    HERE();
    PyObject *type = PEEK(1), *exc = PEEK(2), *match = NULL, *rest = NULL;
    if (UNLIKELY(eval_check_except_star_type(ts, type) < 0)) goto error;
    if (UNLIKELY(eval_group_match(exc, type, &match, &rest) < 0)) goto error;
    PEEK(2) = rest;
    PEEK(1) = match;
    Py_DECREF(exc);
    Py_DECREF(type);
    if (match != Py_None) PyErr_SetHandledException(match);
    NEXT();
}

INST(BEFORE_WITH) {                              /* manager -> exit value */
    HERE();
    SAVE_SP();
    PyObject *manager = TOP();
    PyObject *enter = eval_special(manager, STR(__enter__), "'%.200s' object does not support the context manager protocol");
    if (UNLIKELY(!enter)) goto error;
    PyObject *exit = eval_special(manager, STR(__exit__),
                                  "'%.200s' object does not support the context manager protocol (missed __exit__ method)");
    if (UNLIKELY(!exit)) {
        Py_DECREF(enter);
        goto error;
    }
    PyObject *v = PyObject_CallNoArgs(enter);
    Py_DECREF(enter);
    if (UNLIKELY(!v)) {
        Py_DECREF(exit);
        goto error;
    }
    TOP() = exit;
    PUSH(v);
    Py_DECREF(manager);
    NEXT();
}

INST(BEFORE_ASYNC_WITH) {
    HERE();
    SAVE_SP();
    PyObject *manager = TOP();
    PyObject *enter = eval_special(manager, STR(__aenter__), "'%.200s' object does not support the asynchronous context manager protocol");
    if (UNLIKELY(!enter)) goto error;
    PyObject *exit = eval_special(manager, STR(__aexit__), "'%.200s' object does not support the asynchronous context manager protocol "
                                                           "(missed __aexit__ method)");
    if (UNLIKELY(!exit)) {
        Py_DECREF(enter);
        goto error;
    }
    PyObject *v = PyObject_CallNoArgs(enter);
    Py_DECREF(enter);
    if (UNLIKELY(!v)) {
        Py_DECREF(exit);
        goto error;
    }
    TOP() = exit;
    PUSH(v);
    Py_DECREF(manager);
    NEXT();
}

INST(WITH_EXCEPT_START) {                        /* exit lasti previous exc -> exit lasti previous exc result */
    HERE();
    SAVE_SP();
    PyObject *exc = PEEK(1), *exit = PEEK(4), *tb = PyException_GetTraceback(exc);
    if (!tb) tb = Py_NewRef(Py_None);
    PyObject *stack[4] = {NULL, PyExceptionInstance_Class(exc), exc, tb};
    PyObject *r = PyObject_Vectorcall(exit, stack + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(tb);
    if (UNLIKELY(!r)) goto error;
    PUSH(r);
    NEXT();
}
