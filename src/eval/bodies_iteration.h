/* Iteration. FOR_ITER leaves iterator and value; when there are no more it drops the iterator and jumps behind END_FOR and POP_TOP. */

INST(GET_ITER) {
    HERE();
    PyObject *v = TOP(), *it = PyObject_GetIter(v);
    sp--;
    Py_DECREF(v);
    if (UNLIKELY(!it)) goto error;
    PUSH(it);
    NEXT();
}

INST(GET_YIELD_FROM_ITER) {
    HERE();
    PyObject *v = TOP();
    if (PyCoro_CheckExact(v)) {
        if (!(CODE()->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE))) {
            PyErr_SetString(PyExc_TypeError, "cannot 'yield from' a coroutine object in a non-coroutine generator");
            goto error;
        }
    }
    else if (!PyGen_CheckExact(v)) {
        PyObject *it = PyObject_GetIter(v);
        if (UNLIKELY(!it)) goto error;
        TOP() = it;
        Py_DECREF(v);
    }
    NEXT();
}

INST(FOR_ITER) {
    HERE();
    ADAPT(specialize_for_iter(TOP(), pc - 1, (int)oparg));
    goto general_FOR_ITER;
}

general_FOR_ITER: {
    HERE();
    SAVE_SP();
    PyObject *it = TOP();
    PyObject *v = Py_TYPE(it)->tp_iternext(it);
    if (LIKELY(v != NULL)) {
        PUSH(v);
        pc++;
        NEXT();
    }
    if (UNLIKELY(ts->current_exception != NULL)) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) goto error;
        if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_RAISE])) (void)instrument_exception(ts, frame, frame->instr_ptr, EVENT_RAISE);
        PyErr_Clear();
    }
    sp--;
    Py_DECREF(it);
    pc += 1 + oparg + 2;
    NEXT();
}

#define ITERATION_ENDS() do { PyObject *it_ = POP(); Py_DECREF(it_); pc += 1 + oparg + 2; NEXT(); } while (0)

INST(FOR_ITER_LIST) {
    ListIterator *it = (ListIterator *)TOP();
    if (UNLIKELY(!Py_IS_TYPE(it, &PyListIter_Type))) MISS(FOR_ITER);
    PyObject *list = it->sequence;
    if (LIKELY(list != NULL)) {
        if (LIKELY((size_t)it->index < (size_t)PyList_GET_SIZE(list))) {
            PyObject *v = Py_NewRef(PyList_GET_ITEM(list, it->index));
            it->index++;
            pc++;
            NEXT_VALUE(v);
        }
        it->index = -1;
        it->sequence = NULL;
        Py_DECREF(list);
    }
    ITERATION_ENDS();
}

INST(FOR_ITER_TUPLE) {
    ListIterator *it = (ListIterator *)TOP();
    if (UNLIKELY(!Py_IS_TYPE(it, &PyTupleIter_Type))) MISS(FOR_ITER);
    PyObject *tuple = it->sequence;
    if (LIKELY(tuple != NULL)) {
        if (LIKELY(it->index < PyTuple_GET_SIZE(tuple))) {
            PyObject *v = Py_NewRef(PyTuple_GET_ITEM(tuple, it->index));
            it->index++;
            pc++;
            NEXT_VALUE(v);
        }
        it->sequence = NULL;
        Py_DECREF(tuple);
    }
    ITERATION_ENDS();
}

INST(FOR_ITER_RANGE) {
    PyObject *it = TOP();
    if (UNLIKELY(!Py_IS_TYPE(it, &PyRangeIter_Type))) MISS(FOR_ITER);
    RangeIterator *range = (RangeIterator *)it;
    if (UNLIKELY(range->len <= 0)) ITERATION_ENDS();
    long value = range->start;
    range->start = (long)((unsigned long)value + (unsigned long)range->step);
    range->len--;
    if (LIKELY(pc[1].op.code == STORE_FAST)) {   /* the loop's variable: its old int takes the new value where nobody else has it */
        PyObject *old = LOCAL(pc[1].op.arg);
        if (old && Py_REFCNT(old) == 1 && int_replace(old, value)) {
            pc += 2;
            NEXT();
        }
    }
    HERE();
    PyObject *v = long_from_i64((Thread *)ts, value);
    if (UNLIKELY(!v)) {
        range->start = value;
        range->len++;
        goto error;
    }
    pc++;
    NEXT_VALUE(v);
}

/* The generator's frame goes on top; its yield comes back behind this instruction, its return to END_FOR. */
INST(FOR_ITER_GEN) {
    PyGenObject *gen = (PyGenObject *)TOP();
    if (UNLIKELY(!Py_IS_TYPE(gen, &PyGen_Type) || !gen_is_resumable(gen) || ts->interp->runtime.eval_frame)) MISS(FOR_ITER);
    HERE();
    Frame *callee = generator_frame(gen);
    callee->localsplus[callee->stacktop++] = Py_NewRef(Py_None);
    gen->gi_frame_state = GEN_EXECUTING;
    gen->gi_exc_state.previous_item = ts->exc_info;
    ts->exc_info = &gen->gi_exc_state;
    ENTER_FRAME(callee, 2 + oparg);
}

/* ---- asynchronous iteration ---- */

INST(GET_AITER) {
    HERE();
    PyObject *it = asyncgen_get_aiter(POP());
    if (UNLIKELY(!it)) goto error;
    PUSH(it);
    NEXT();
}

INST(GET_ANEXT) {
    HERE();
    PyObject *awaitable = asyncgen_get_anext(TOP());
    if (UNLIKELY(!awaitable)) goto error;
    PUSH(awaitable);
    NEXT();
}

INST(END_ASYNC_FOR) {                            /* awaitable exc -> */
    HERE();
    PyObject *exc = PEEK(1), *awaitable = PEEK(2);
    if (LIKELY(PyErr_GivenExceptionMatches(exc, PyExc_StopAsyncIteration))) {
        sp -= 2;
        Py_DECREF(awaitable);
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
