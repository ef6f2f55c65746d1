/* Generators and coroutines: born, resumed, suspended. */

INST(RETURN_GENERATOR) {                         /* the frame moves into a generator, which the caller gets */
    frame->instr_ptr = pc;
    SAVE_SP();
    PyObject *gen = generator_from_frame(ts, frame);
    if (UNLIKELY(!gen)) {
        frame->instr_ptr = pc - 1;
        goto error;
    }
    Frame *previous = frame->previous;
    ts->py_recursion_remaining++;
    frame_stack_pop(ts, frame);
    frame = ts->current_frame = previous;
    LOAD_SP();
    pc = frame->instr_ptr + frame->return_offset;
    PUSH(gen);
    NEXT();
}

INST(YIELD_VALUE) {
    PyObject *v = POP();
    Frame *yielding = frame;
    PyGenObject *gen = frame_generator(frame);
    frame->instr_ptr = pc;                       /* the RESUME behind it */
    gen->gi_frame_state = (int8_t)(GEN_SUSPENDED + (int)oparg);
    SAVE_SP();
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    ts->py_recursion_remaining++;
    frame = ts->current_frame = yielding->previous;
    yielding->previous = NULL;
    LOAD_SP();
    pc = frame->instr_ptr + 2;                   /* FOR_ITER and SEND have one cache unit each; the exit code is made to fit */
    PUSH(v);
    NEXT();
}

INST(GET_AWAITABLE) {
    HERE();
    PyObject *v = TOP(), *it = coroutine_awaitable_iter_for(v, (int)oparg);
    if (it && PyCoro_CheckExact(it)) {
        PyObject *delegate = generator_yield_from((PyGenObject *)it);
        if (delegate) {
            Py_DECREF(delegate);
            Py_CLEAR(it);
            PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        }
    }
    sp--;
    Py_DECREF(v);
    if (UNLIKELY(!it)) goto error;
    PUSH(it);
    NEXT();
}

INST(SEND) {                                     /* receiver value -> receiver result */
    HERE();
    ADAPT(specialize_send(PEEK(2), pc - 1));
    goto general_SEND;
}

general_SEND: {
    HERE();
    PyObject *v = PEEK(1), *receiver = PEEK(2), *result;
    if ((PyGen_CheckExact(receiver) || PyCoro_CheckExact(receiver)) && gen_is_resumable((PyGenObject *)receiver) &&
        !ts->interp->runtime.eval_frame) goto enter_generator;
    SAVE_SP();
    if (v == Py_None && PyIter_Check(receiver)) result = Py_TYPE(receiver)->tp_iternext(receiver);
    else result = PyObject_CallMethodOneArg(receiver, STR(send), v);
    if (LIKELY(result != NULL)) {
        TOP() = result;
        Py_DECREF(v);
        pc++;
        NEXT();
    }
    if (ts->current_exception && PyErr_ExceptionMatches(PyExc_StopIteration) && UNLIKELY(ts->interp->eval.monitors.tools[EVENT_RAISE]))
        (void)instrument_exception(ts, frame, frame->instr_ptr, EVENT_RAISE);
    if (generator_fetch_stopiteration(&result) < 0) goto error;
    TOP() = result;
    Py_DECREF(v);
    pc += 1 + oparg;
    NEXT();
}

INST(SEND_GEN) {
    PyObject *receiver = PEEK(2);
    if (UNLIKELY((!PyGen_CheckExact(receiver) && !PyCoro_CheckExact(receiver)) || ts->interp->runtime.eval_frame ||
                 !gen_is_resumable((PyGenObject *)receiver))) MISS(SEND);
    HERE();
    goto enter_generator;
}

enter_generator: {
    PyGenObject *gen = (PyGenObject *)PEEK(2);
    Frame *callee = generator_frame(gen);
    callee->localsplus[callee->stacktop++] = POP();
    gen->gi_frame_state = GEN_EXECUTING;
    gen->gi_exc_state.previous_item = ts->exc_info;
    ts->exc_info = &gen->gi_exc_state;
    ENTER_FRAME(callee, 2 + oparg);
}

INST(CLEANUP_THROW) {                            /* delegate value exc -> None value */
    HERE();
    PyObject *exc = PEEK(1);
    if (PyErr_GivenExceptionMatches(exc, PyExc_StopIteration)) {
        PyObject *value = Py_NewRef(((PyStopIterationObject *)exc)->value ? ((PyStopIterationObject *)exc)->value : Py_None);
        PyObject *last = PEEK(2), *delegate = PEEK(3);
        PEEK(3) = Py_NewRef(Py_None);
        PEEK(2) = value;
        sp--;
        Py_DECREF(delegate);
        Py_DECREF(last);
        Py_DECREF(exc);
        NEXT();
    }
    sp--;
    PyErr_SetRaisedException(exc);
    if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_RERAISE])) {
        SAVE_SP();
        (void)instrument_exception(ts, frame, pc - 1, EVENT_RERAISE);
    }
    goto exception_unwind;
}
