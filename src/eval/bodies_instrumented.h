/* Instructions under observation (PEP 669): they tell the tools, then do what the plain ones do. Tools may move the frame to
 * another line: then frame->instr_ptr is no longer where it was. */

#define MOVED_OR(next) do { if (UNLIKELY(frame->instr_ptr != here)) { pc = frame->instr_ptr; LOAD_SP(); NEXT(); } next; } while (0)

INST(INSTRUMENTED_RESUME) {
    HERE();
    CodeUnit *here = pc - 1;
    SAVE_SP();
    uintptr_t global = __atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED) & ~(uintptr_t)EVAL_EVENTS_MASK;
    if (UNLIKELY(CODE()->_co_instrumentation_version != global)) {
        if (instrument_code(CODE(), ts->interp) < 0) goto error;
        AGAIN();
    }
    if ((oparg & 3) < RESUME_AFTER_YIELD_FROM && ts->eval_breaker & EVAL_EVENTS_MASK && eval_handle_pending(ts) < 0) goto error;
    if (instrument_call(ts, oparg > 0 ? EVENT_PY_RESUME : EVENT_PY_START, frame, here) < 0) goto error;
    MOVED_OR(NEXT());
}

INST(INSTRUMENTED_LINE) {
    CodeUnit *previous = frame->instr_ptr;
    HERE();
    CodeUnit *here = pc - 1;
    int original;
    if (ts->tracing) original = CODE()->_co_monitoring->lines->data[(here - CODE_UNITS(CODE())) * CODE()->_co_monitoring->lines->bytes_per_entry];
    else {
        SAVE_SP();
        original = instrument_line(ts, frame, here, previous);
        if (original < 0) {
            pc = here + 1;
            goto error;
        }
        if (UNLIKELY(frame->instr_ptr != here)) {
            pc = frame->instr_ptr;
            LOAD_SP();
            NEXT();
        }
    }
    if (opcode_cache_units[original]) pc[0].cache |= 0x7ff0;      /* so that it does not specialise over the instrumentation */
    DISPATCH(original);
}

INST(INSTRUMENTED_INSTRUCTION) {
    HERE();
    CodeUnit *here = pc - 1;
    SAVE_SP();
    int original = instrument_instruction(ts, frame, here);
    if (original < 0) goto error;
    if (UNLIKELY(frame->instr_ptr != here)) {
        pc = frame->instr_ptr;
        LOAD_SP();
        NEXT();
    }
    if (opcode_cache_units[original]) pc[0].cache |= 0x7ff0;
    DISPATCH(original);
}

INST(INSTRUMENTED_RETURN_CONST) {
    HERE();
    SAVE_SP();                                   /* the constant is pushed afterwards: the stack may be full */
    if (instrument_call_arg(ts, EVENT_PY_RETURN, frame, pc - 1, CONST(oparg)) < 0) goto error;
    goto op_RETURN_CONST;
}

INST(INSTRUMENTED_RETURN_VALUE) {
    HERE();
    SAVE_SP();
    if (instrument_call_arg(ts, EVENT_PY_RETURN, frame, pc - 1, TOP()) < 0) goto error;
    goto op_RETURN_VALUE;
}

INST(INSTRUMENTED_YIELD_VALUE) {
    frame->instr_ptr = pc;
    PyGenObject *gen = frame_generator(frame);
    gen->gi_frame_state = (int8_t)(GEN_SUSPENDED + (int)oparg);
    SAVE_SP();
    frame->stacktop--;
    CodeUnit *instr = pc - 1;
    frame->instr_ptr = instr;
    int status = instrument_call_arg(ts, EVENT_PY_YIELD, frame, instr, TOP());
    if (status < 0) {
        gen->gi_frame_state = GEN_EXECUTING;
        goto error;
    }
    if (UNLIKELY(frame->instr_ptr != instr)) {
        gen->gi_frame_state = GEN_EXECUTING;
        PyObject *v = TOP();
        LOAD_SP();
        Py_DECREF(v);
        pc = frame->instr_ptr;
        NEXT();
    }
    goto op_YIELD_VALUE;
}

INST(INSTRUMENTED_END_FOR) {                     /* a generator returned into a for loop: value of StopIteration */
    HERE();
    PyObject *v = TOP(), *receiver = PEEK(2);
    SAVE_SP();
    if (PyGen_Check(receiver)) {
        PyErr_SetObject(PyExc_StopIteration, v);
        instrument_raise(ts, frame, pc - 1, EVENT_STOP_ITERATION);
        PyErr_Clear();
    }
    sp--;
    Py_DECREF(v);
    NEXT();
}

INST(INSTRUMENTED_END_SEND) {
    HERE();
    PyObject *v = TOP(), *receiver = PEEK(2);
    SAVE_SP();
    if (PyGen_Check(receiver) || PyCoro_CheckExact(receiver)) {
        PyErr_SetObject(PyExc_StopIteration, v);
        instrument_raise(ts, frame, pc - 1, EVENT_STOP_ITERATION);
        PyErr_Clear();
    }
    PEEK(2) = v;
    sp--;
    Py_DECREF(receiver);
    NEXT();
}

INST(INSTRUMENTED_LOAD_SUPER_ATTR) {
    goto load_super_attr;
}

INST(INSTRUMENTED_CALL_FUNCTION_EX) {
    goto op_CALL_FUNCTION_EX;
}

/* The callee is told apart only by kind: for what is not Python code there are events of its return, too. */
INST(INSTRUMENTED_CALL) {
    HERE();
    SAVE_SP();
    bool has_self = PEEK(1 + oparg) != NULL;
    PyObject *function = PEEK(2 + oparg);
    PyObject *arg = has_self ? PEEK(1 + oparg) : oparg ? PEEK(oparg) : monitoring_missing(ts);
    if (!has_self && Py_IS_TYPE(function, &PyMethod_Type)) arg = PyMethod_GET_SELF(function);
    if (instrument_call_2args(ts, EVENT_CALL, frame, pc - 1, function, arg) < 0) goto error;
    if (PyFunction_Check(function) || (PyMethod_Check(function) && PyFunction_Check(PyMethod_GET_FUNCTION(function)))) goto general_CALL;
    PyObject **args = sp - oparg;
    unsigned nargs = oparg;
    if (has_self) {
        args--;
        nargs++;
    }
    Py_INCREF(arg);
    PyObject *result = PyObject_Vectorcall(function, args, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (!result) instrument_call_exc(ts, EVENT_C_RAISE, frame, frame->instr_ptr, function);
    else if (instrument_call_2args(ts, EVENT_C_RETURN, frame, frame->instr_ptr, function, arg) < 0) Py_CLEAR(result);
    Py_DECREF(arg);
    FINISH_CALL(result);
}

INST(INSTRUMENTED_CALL_KW) {
    HERE();
    SAVE_SP();
    bool has_self = PEEK(2 + oparg) != NULL;
    PyObject *function = PEEK(3 + oparg);
    PyObject *arg = has_self ? PEEK(2 + oparg) : oparg ? PEEK(1 + oparg) : monitoring_missing(ts);
    if (instrument_call_2args(ts, EVENT_CALL, frame, pc - 1, function, arg) < 0) goto error;
    if (PyFunction_Check(function) || (PyMethod_Check(function) && PyFunction_Check(PyMethod_GET_FUNCTION(function)))) goto op_CALL_KW;
    PyObject *kwnames = PEEK(1), **args = sp - 1 - oparg;
    unsigned total = oparg;
    if (has_self) {
        args--;
        total++;
    }
    Py_INCREF(arg);
    PyObject *result = PyObject_Vectorcall(function, args, (size_t)((Py_ssize_t)total - PyTuple_GET_SIZE(kwnames)) |
                                           PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    if (!result) instrument_call_exc(ts, EVENT_C_RAISE, frame, frame->instr_ptr, function);
    else if (instrument_call_2args(ts, EVENT_C_RETURN, frame, frame->instr_ptr, function, arg) < 0) Py_CLEAR(result);
    Py_DECREF(arg);
    PyObject **bottom = sp - 3 - oparg;
    while (sp > bottom) { PyObject *v = POP(); Py_XDECREF(v); }
    if (!result) goto error;
    PUSH(result);
    CHECK_BREAKER();
    NEXT();
}

/* ---- jumps and branches ---- */

#define MONITORED_JUMP(event, target_)                                                                                  \
    do {                                                                                                                \
        CodeUnit *here = frame->instr_ptr, *target = (target_);                                                         \
        SAVE_SP();                                                                                                      \
        pc = here + 1;                                                                                                  \
        target = instrument_call_jump(ts, event, frame, here, target);                                                  \
        if (UNLIKELY(!target)) goto error;                                                                              \
        if (UNLIKELY(frame->instr_ptr != here)) { pc = frame->instr_ptr; LOAD_SP(); NEXT(); }                           \
        pc = target;                                                                                                    \
        NEXT();                                                                                                         \
    } while (0)

INST(INSTRUMENTED_JUMP_FORWARD) {
    HERE();
    MONITORED_JUMP(EVENT_JUMP, pc + oparg);
}

INST(INSTRUMENTED_JUMP_BACKWARD) {
    HERE();
    if (ts->eval_breaker & EVAL_EVENTS_MASK) {
        SAVE_SP();
        if (eval_handle_pending(ts) < 0) goto error;
    }
    MONITORED_JUMP(EVENT_JUMP, pc + 1 - (int)oparg);
}

INST(INSTRUMENTED_POP_JUMP_IF_TRUE) {
    HERE();
    PyObject *v = POP();
    MONITORED_JUMP(EVENT_BRANCH, pc + 1 + (v == Py_True ? oparg : 0));
}

INST(INSTRUMENTED_POP_JUMP_IF_FALSE) {
    HERE();
    PyObject *v = POP();
    MONITORED_JUMP(EVENT_BRANCH, pc + 1 + (v == Py_False ? oparg : 0));
}

INST(INSTRUMENTED_POP_JUMP_IF_NONE) {
    HERE();
    PyObject *v = POP();
    bool jump = v == Py_None;
    Py_DECREF(v);
    MONITORED_JUMP(EVENT_BRANCH, pc + 1 + (jump ? oparg : 0));
}

INST(INSTRUMENTED_POP_JUMP_IF_NOT_NONE) {
    HERE();
    PyObject *v = POP();
    bool jump = v != Py_None;
    Py_DECREF(v);
    MONITORED_JUMP(EVENT_BRANCH, pc + 1 + (jump ? oparg : 0));
}

INST(INSTRUMENTED_FOR_ITER) {
    HERE();
    SAVE_SP();
    PyObject *it = TOP(), *v = Py_TYPE(it)->tp_iternext(it);
    CodeUnit *after = pc + 1;
    if (v) PUSH(v);
    else {
        if (ts->current_exception) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration)) goto error;
            if (ts->interp->eval.monitors.tools[EVENT_RAISE]) instrument_raise(ts, frame, frame->instr_ptr, EVENT_RAISE);
            PyErr_Clear();
        }
        sp--;
        Py_DECREF(it);
        after = pc + 1 + oparg + 2;
    }
    MONITORED_JUMP(EVENT_BRANCH, after);
}
