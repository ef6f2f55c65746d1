/* Pattern matching. */

INST(GET_LEN) {
    HERE();
    Py_ssize_t n = PyObject_Size(TOP());
    if (UNLIKELY(n < 0)) goto error;
    PyObject *v = PyLong_FromSsize_t(n);
    if (UNLIKELY(!v)) goto error;
    PUSH(v);
    NEXT();
}

INST(MATCH_MAPPING) {
    PyObject *subject = TOP();
    PUSH(Py_TYPE(subject)->tp_flags & Py_TPFLAGS_MAPPING ? Py_True : Py_False);
    NEXT();
}

INST(MATCH_SEQUENCE) {
    PyObject *subject = TOP();
    PUSH(Py_TYPE(subject)->tp_flags & Py_TPFLAGS_SEQUENCE ? Py_True : Py_False);
    NEXT();
}

INST(MATCH_KEYS) {                               /* subject keys -> subject keys values or None */
    HERE();
    PyObject *v = eval_match_keys(ts, PEEK(2), PEEK(1));
    if (UNLIKELY(!v)) goto error;
    PUSH(v);
    NEXT();
}

INST(MATCH_CLASS) {                              /* subject type names -> attributes or None */
    HERE();
    PyObject *names = PEEK(1), *type = PEEK(2), *subject = PEEK(3);
    PyObject *v = eval_match_class(ts, subject, type, (Py_ssize_t)oparg, names);
    sp -= 3;
    Py_DECREF(subject);
    Py_DECREF(type);
    Py_DECREF(names);
    if (!v) {
        if (UNLIKELY(ts->current_exception != NULL)) goto error;
        v = Py_NewRef(Py_None);
    }
    PUSH(v);
    NEXT();
}
