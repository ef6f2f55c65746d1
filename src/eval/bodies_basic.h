/* Stack, locals, cells, jumps, and the edges of a frame. */

INST(NOP) { NEXT(); }
INST(CACHE) { goto unknown_opcode; }

INST(RESUME) {
    HERE();
    uintptr_t global = __atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED) & ~(uintptr_t)EVAL_EVENTS_MASK;
    if (UNLIKELY(CODE()->_co_instrumentation_version != global)) {
        SAVE_SP();
        if (instrument_code(CODE(), ts->interp) < 0) goto error;
        AGAIN();
    }
    if (UNLIKELY(instrument_wants_lines(CODE()))) instrument_line_resumed(CODE(), (int)(pc - 1 - CODE_UNITS(CODE())));
    else if (pc[-1].op.code == RESUME) pc[-1].op.code = RESUME_CHECK;
    if ((oparg & 3) < RESUME_AFTER_YIELD_FROM) CHECK_BREAKER();
    NEXT();
}

INST(RESUME_CHECK) {
    if (UNLIKELY(__atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED) != CODE()->_co_instrumentation_version)) goto op_RESUME;
    NEXT();
}

INST(EXTENDED_ARG) {
    CodeUnit unit = *pc++;
    oparg = oparg << 8 | unit.op.arg;
    DISPATCH(unit.op.code);
}

INST(LOAD_FAST) {
    PyObject *v = LOCAL(oparg);
    assert(v != NULL);
    PUSH(Py_NewRef(v));
    NEXT();
}

INST(LOAD_FAST_CHECK) {
    PyObject *v = LOCAL(oparg);
    if (UNLIKELY(!v)) {
        HERE();
        eval_unbound_error(CODE(), (int)oparg);
        goto error;
    }
    PUSH(Py_NewRef(v));
    NEXT();
}

INST(LOAD_FAST_AND_CLEAR) {
    PUSH(LOCAL(oparg));
    LOCAL(oparg) = NULL;
    NEXT();
}

INST(LOAD_FAST_LOAD_FAST) {
    PyObject *v = LOCAL(oparg >> 4), *w = LOCAL(oparg & 15);
    sp[0] = Py_NewRef(v);
    sp[1] = Py_NewRef(w);
    sp += 2;
    NEXT();
}

INST(LOAD_CONST) {
    PyObject *v = CONST(oparg);
    PUSH(Py_NewRef(v));
    NEXT();
}

INST(STORE_FAST) {
    PyObject *v = POP(), *old = LOCAL(oparg);
    LOCAL(oparg) = v;
    XDROP(old);
    NEXT();
}

INST(STORE_FAST_LOAD_FAST) {
    PyObject *v = TOP(), *old = LOCAL(oparg >> 4);
    LOCAL(oparg >> 4) = v;
    TOP() = Py_NewRef(LOCAL(oparg & 15));
    XDROP(old);
    NEXT();
}

INST(STORE_FAST_STORE_FAST) {
    PyObject *v1 = PEEK(1), *v2 = PEEK(2), *old = LOCAL(oparg >> 4);
    sp -= 2;
    LOCAL(oparg >> 4) = v1;
    XDROP(old);
    old = LOCAL(oparg & 15);
    LOCAL(oparg & 15) = v2;
    XDROP(old);
    NEXT();
}

INST(DELETE_FAST) {
    PyObject *old = LOCAL(oparg);
    if (UNLIKELY(!old)) {
        HERE();
        eval_unbound_error(CODE(), (int)oparg);
        goto error;
    }
    LOCAL(oparg) = NULL;
    DROP(old);
    NEXT();
}

INST(POP_TOP) {
    PyObject *v = POP();
    DROP(v);
    NEXT();
}

INST(END_FOR) {
    PyObject *v = POP();
    DROP(v);
    NEXT();
}

INST(END_SEND) {
    PyObject *value = POP(), *receiver = TOP();
    TOP() = value;
    DROP(receiver);
    NEXT();
}

INST(PUSH_NULL) {
    PUSH(NULL);
    NEXT();
}

INST(COPY) {
    PyObject *v = PEEK(oparg);
    PUSH(Py_XNewRef(v));
    NEXT();
}

INST(SWAP) {
    PyObject *top = TOP();
    TOP() = PEEK(oparg);
    PEEK(oparg) = top;
    NEXT();
}

/* ---- cells ---- */

INST(MAKE_CELL) {
    HERE();
    PyObject *initial = LOCAL(oparg), *cell = PyCell_New(initial);
    if (UNLIKELY(!cell)) goto error;
    LOCAL(oparg) = cell;
    Py_XDECREF(initial);
    NEXT();
}

INST(COPY_FREE_VARS) {
    PyObject *closure = ((PyFunctionObject *)frame->f_funcobj)->func_closure;
    PyObject **free = &LOCAL(CODE()->co_nlocalsplus - (int)oparg);
    for (unsigned i = 0; i < oparg; i++) free[i] = Py_NewRef(PyTuple_GET_ITEM(closure, i));
    NEXT();
}

INST(LOAD_DEREF) {
    PyObject *v = PyCell_GET(LOCAL(oparg));
    if (UNLIKELY(!v)) {
        HERE();
        eval_unbound_error(CODE(), (int)oparg);
        goto error;
    }
    PUSH(Py_NewRef(v));
    NEXT();
}

INST(STORE_DEREF) {
    PyCellObject *cell = (PyCellObject *)LOCAL(oparg);
    PyObject *old = cell->ob_ref;
    cell->ob_ref = POP();
    XDROP(old);
    NEXT();
}

INST(DELETE_DEREF) {
    PyCellObject *cell = (PyCellObject *)LOCAL(oparg);
    PyObject *old = cell->ob_ref;
    if (UNLIKELY(!old)) {
        HERE();
        eval_unbound_error(CODE(), (int)oparg);
        goto error;
    }
    cell->ob_ref = NULL;
    DROP(old);
    NEXT();
}

/* ---- jumps: relative to the unit behind the instruction and its caches ---- */

INST(JUMP_FORWARD) {
    pc += oparg;
    NEXT();
}

INST(JUMP_BACKWARD) {
    HERE();
    pc += 1 - (int)oparg;
    CHECK_BREAKER();
    NEXT();
}

INST(JUMP_BACKWARD_NO_INTERRUPT) {
    pc -= oparg;
    NEXT();
}

INST(POP_JUMP_IF_FALSE) {
    PyObject *v = POP();
    assert(PyBool_Check(v));
    pc += v == Py_False ? 1 + oparg : 1;
    NEXT();
}

INST(POP_JUMP_IF_TRUE) {
    PyObject *v = POP();
    assert(PyBool_Check(v));
    pc += v == Py_True ? 1 + oparg : 1;
    NEXT();
}

INST(POP_JUMP_IF_NONE) {
    PyObject *v = POP();
    bool jump = v == Py_None;
    DROP(v);
    pc += jump ? 1 + oparg : 1;
    NEXT();
}

INST(POP_JUMP_IF_NOT_NONE) {
    PyObject *v = POP();
    bool jump = v != Py_None;
    DROP(v);
    pc += jump ? 1 + oparg : 1;
    NEXT();
}

/* ---- leaving ---- */

INST(RETURN_CONST) {
    PyObject *v = CONST(oparg);
    PUSH(Py_NewRef(v));
    goto op_RETURN_VALUE;
}

INST(RETURN_VALUE) {
    PyObject *result = POP();
    Frame *dying = frame;
    SAVE_SP();
    ts->py_recursion_remaining++;
    frame = ts->current_frame = dying->previous;
    frame_leave(ts, dying, pc - 1);
    LOAD_SP();
    pc = frame->instr_ptr + frame->return_offset;
    PUSH(result);
    NEXT();
}

INST(INTERPRETER_EXIT) {
    PyObject *result = POP();
    ts->current_frame = frame->previous;
    recursion_leave_c(ts);
    return result;
}

INST(EXIT_INIT_CHECK) {
    HERE();
    PyObject *v = POP();
    if (UNLIKELY(v != Py_None)) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(v)->tp_name);
        Py_DECREF(v);
        goto error;
    }
    NEXT();
}
