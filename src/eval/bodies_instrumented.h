/* Instructions under observation (PEP 669): they tell the tools, then do what the plain ones do. Tools may move the frame to
 * another line: then frame->instr_ptr is no longer where it was. */

#define MOVED_OR(next) do { if (UNLIKELY(frame->instr_ptr != here)) { pc = frame->instr_ptr; LOAD_SP(); NEXT(); } next; } while (0)

/* An exception of a tool at `here`; at the entry of a handler that is outside the handler. */
#define TOOL_FAILED(here)                                                                                               \
    do {                                                                                                                \
        told = frame->instr_ptr;                 /* not `here` when the tool moved the frame, then raised */            \
        LOAD_SP();                                                                                                      \
        pc = instrument_handler_outside(CODE(), told) + 1;                                                              \
        goto error_told;                                                                                                \
    } while (0)

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
    if (instrument_call(ts, oparg > 0 ? EVENT_PY_RESUME : EVENT_PY_START, frame, here) < 0) TOOL_FAILED(here);
    MOVED_OR(NEXT());
}

INST(INSTRUMENTED_LINE) {
    CodeUnit *previous = frame->instr_ptr, *here = pc - 1;
    HERE();
    SAVE_SP();
    int original = ts->tracing ? CODE()->_co_monitoring->lines->data[here - CODE_UNITS(CODE())]
                               : instrument_line(ts, frame, here, previous);
    if (original < 0) TOOL_FAILED(here);
    if (UNLIKELY(frame->instr_ptr != here)) {
        pc = frame->instr_ptr;
        LOAD_SP();
        NEXT();
    }
    if (opcode_cache_units[original]) pc[0].cache |= 0x7ff0;      /* so that it does not specialise over the instrumentation */
    DISPATCH(original);
}

INST(INSTRUMENTED_INSTRUCTION) {
    HERE();
    CodeUnit *here = pc - 1;
    SAVE_SP();
    int original = instrument_instruction(ts, frame, here);
    if (original < 0) TOOL_FAILED(here);
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

/* The value is off the stack while the tools hear of it, as it is after the yield: a jump begins from there. The generator
 * counts as running, whatever its frame is asked to do. After a jump it yields all the same, and goes on at the new place. */
INST(INSTRUMENTED_YIELD_VALUE) {
    PyObject *v = POP();
    SAVE_SP();
    frame->instr_ptr = pc;                       /* the RESUME behind it */
    if (instrument_call_arg(ts, EVENT_PY_YIELD, frame, pc - 1, v) < 0) {
        Py_DECREF(v);
        if (frame->instr_ptr != pc) TOOL_FAILED(pc);
        goto error;
    }
    if (LIKELY(frame->instr_ptr == pc)) {
        PUSH(v);
        goto op_YIELD_VALUE;
    }
    Frame *yielding = frame;
    PyGenObject *gen = frame_generator(yielding);
    gen->gi_frame_state = GEN_SUSPENDED_JUMPED;
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    ts->py_recursion_remaining++;
    frame = ts->current_frame = yielding->previous;
    yielding->previous = NULL;
    LOAD_SP();
    pc = frame->instr_ptr + 2;
    PUSH(v);
    NEXT();
}

INST(INSTRUMENTED_END_FOR) {                     /* a generator returned into a for loop: value of StopIteration */
    HERE();
    SAVE_SP();
    if (PyGen_Check(PEEK(2)) && instrument_stop_iteration(ts, frame, pc - 1, TOP()) < 0) goto error;
    goto op_END_FOR;
}

INST(INSTRUMENTED_END_SEND) {
    HERE();
    SAVE_SP();
    if ((PyGen_Check(PEEK(2)) || PyCoro_CheckExact(PEEK(2))) && instrument_stop_iteration(ts, frame, pc - 1, TOP()) < 0) goto error;
    goto op_END_SEND;
}

INST(INSTRUMENTED_LOAD_SUPER_ATTR) {
    goto load_super_attr;                        /* which asks instrument_listens() */
}

INST(INSTRUMENTED_CALL_FUNCTION_EX) {
    goto op_CALL_FUNCTION_EX;                    /* the same */
}

/* CALL shows the callable and the first argument as they are on the stack, C_RETURN and C_RAISE what was called in the end. */
INST(INSTRUMENTED_CALL) {
    HERE();
    SAVE_SP();
    PyObject *arg = PEEK(1 + oparg) ? PEEK(1 + oparg) : oparg ? PEEK(oparg) : monitoring_missing(ts);
    if (instrument_call_2args(ts, EVENT_CALL, frame, pc - 1, PEEK(2 + oparg), arg) < 0) goto error;
    EXPAND_METHOD(0);
    PyObject *function = PEEK(2 + oparg), **args = sp - oparg;
    if (is_python_function(function) && !ts->interp->runtime.eval_frame) goto general_CALL;
    unsigned nargs = oparg;
    if (args[-1]) {
        args--;
        nargs++;
    }
    arg = Py_NewRef(nargs ? args[0] : monitoring_missing(ts));
    PyObject *result = PyObject_Vectorcall(function, args, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    result = instrument_called(ts, frame, frame->instr_ptr, function, arg, result);
    Py_DECREF(arg);
    FINISH_CALL(result);
}

INST(INSTRUMENTED_CALL_KW) {
    HERE();
    SAVE_SP();
    PyObject *arg = PEEK(2 + oparg) ? PEEK(2 + oparg) : oparg ? PEEK(1 + oparg) : monitoring_missing(ts);
    if (instrument_call_2args(ts, EVENT_CALL, frame, pc - 1, PEEK(3 + oparg), arg) < 0) goto error;
    EXPAND_METHOD(1);
    PyObject *function = PEEK(3 + oparg), *kwnames = TOP(), **args = sp - 1 - oparg;
    if (is_python_function(function) && !ts->interp->runtime.eval_frame) goto op_CALL_KW;
    unsigned total = oparg;
    if (args[-1]) {
        args--;
        total++;
    }
    arg = Py_NewRef(total ? args[0] : monitoring_missing(ts));
    PyObject *result = PyObject_Vectorcall(function, args, (size_t)((Py_ssize_t)total - PyTuple_GET_SIZE(kwnames)) |
                                           PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    result = instrument_called(ts, frame, frame->instr_ptr, function, arg, result);
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
        if (UNLIKELY(instrument_call_jump(ts, event, frame, here, target) < 0)) {                                       \
            if (frame->instr_ptr != here) TOOL_FAILED(here);                                                            \
            pc = target + 1;                                                                                            \
            goto error;                                                                                                 \
        }                                                                                                               \
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
            if (ts->interp->eval.monitors.tools[EVENT_RAISE]) (void)instrument_exception(ts, frame, frame->instr_ptr, EVENT_RAISE);
            PyErr_Clear();
        }
        sp--;
        Py_DECREF(it);
        after = pc + 1 + oparg + 2;
    }
    MONITORED_JUMP(EVENT_BRANCH, after);
}
