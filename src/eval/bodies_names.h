/* Namespaces: module, class and builtin names, imports. */

INST(LOAD_NAME) {
    HERE();
    PyObject *v = eval_load_name(frame, NAME_AT(oparg));
    if (UNLIKELY(!v)) goto error;
    PUSH(v);
    NEXT();
}

INST(STORE_NAME) {
    HERE();
    PyObject *name = NAME_AT(oparg), *ns = frame->f_locals, *v = POP();
    int status;
    if (UNLIKELY(!ns)) {
        PyErr_Format(PyExc_SystemError, "no locals found when storing %R", name);
        status = -1;
    }
    else status = PyDict_CheckExact(ns) ? PyDict_SetItem(ns, name, v) : PyObject_SetItem(ns, name, v);
    Py_DECREF(v);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

INST(DELETE_NAME) {
    HERE();
    PyObject *name = NAME_AT(oparg), *ns = frame->f_locals;
    if (UNLIKELY(!ns)) {
        PyErr_Format(PyExc_SystemError, "no locals when deleting %R", name);
        goto error;
    }
    if (PyObject_DelItem(ns, name) < 0) {
        if (PyErr_ExceptionMatches(PyExc_KeyError)) eval_name_error(PyExc_NameError, "name '%.200s' is not defined", name);
        goto error;
    }
    NEXT();
}

INST(LOAD_GLOBAL) {
    HERE();
    ADAPT(specialize_load_global(frame, pc - 1, NAME_AT(oparg >> 1)));
general_LOAD_GLOBAL:;
    HERE();
    PyObject *v = eval_load_global(frame, NAME_AT(oparg >> 1));
    if (UNLIKELY(!v)) goto error;
    PUSH(v);
    if (oparg & 1) PUSH(NULL);
    pc += 4;
    NEXT();
}

INST(LOAD_GLOBAL_MODULE) {                       /* counter, index, version of the globals */
    PyDictObject *globals = (PyDictObject *)frame->f_globals;
    if (UNLIKELY(dict_table(globals)->version != pc[2].cache)) MISS(LOAD_GLOBAL);
    PyObject *v = dict_value_at(globals, pc[1].cache);
    PUSH(Py_NewRef(v));
    if (oparg & 1) PUSH(NULL);
    pc += 4;
    NEXT();
}

INST(LOAD_GLOBAL_BUILTIN) {                      /* counter, index, versions of globals and builtins */
    PyDictObject *globals = (PyDictObject *)frame->f_globals, *builtins = (PyDictObject *)frame->f_builtins;
    if (UNLIKELY(dict_table(globals)->version != pc[2].cache)) MISS(LOAD_GLOBAL);
    if (UNLIKELY(!PyDict_CheckExact(builtins))) MISS(LOAD_GLOBAL);       /* another function of this code may have any object there */
    if (UNLIKELY(dict_table(builtins)->version != pc[3].cache)) MISS(LOAD_GLOBAL);
    PyObject *v = dict_value_at(builtins, pc[1].cache);
    PUSH(Py_NewRef(v));
    if (oparg & 1) PUSH(NULL);
    pc += 4;
    NEXT();
}

INST(STORE_GLOBAL) {
    HERE();
    PyObject *v = POP();
    int status = PyDict_SetItem(frame->f_globals, NAME_AT(oparg), v);
    Py_DECREF(v);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

INST(DELETE_GLOBAL) {
    HERE();
    int status = PyDict_Pop(frame->f_globals, NAME_AT(oparg), NULL);
    if (UNLIKELY(status <= 0)) {
        if (status == 0) eval_name_error(PyExc_NameError, "name '%.200s' is not defined", NAME_AT(oparg));
        goto error;
    }
    NEXT();
}

INST(LOAD_LOCALS) {
    HERE();
    if (UNLIKELY(!frame->f_locals)) {
        PyErr_SetString(PyExc_SystemError, "no locals");
        goto error;
    }
    PUSH(Py_NewRef(frame->f_locals));
    NEXT();
}

INST(LOAD_FROM_DICT_OR_GLOBALS) {
    HERE();
    PyObject *ns = POP(), *v;
    int status = PyMapping_GetOptionalItem(ns, NAME_AT(oparg), &v);
    Py_DECREF(ns);
    if (UNLIKELY(status < 0)) goto error;
    if (!v && !(v = eval_load_global(frame, NAME_AT(oparg)))) goto error;
    PUSH(v);
    NEXT();
}

INST(LOAD_FROM_DICT_OR_DEREF) {
    HERE();
    PyObject *ns = POP(), *v;
    int status = PyMapping_GetOptionalItem(ns, PyTuple_GET_ITEM(CODE()->co_localsplusnames, oparg), &v);
    Py_DECREF(ns);
    if (UNLIKELY(status < 0)) goto error;
    if (!v) {
        v = PyCell_Get(LOCAL(oparg));
        if (UNLIKELY(!v)) {
            eval_unbound_error(CODE(), (int)oparg);
            goto error;
        }
    }
    PUSH(v);
    NEXT();
}

INST(LOAD_BUILD_CLASS) {
    HERE();
    PyObject *v;
    if (PyMapping_GetOptionalItem(frame->f_builtins, STR(__build_class__), &v) < 0) goto error;
    if (UNLIKELY(!v)) {
        PyErr_SetString(PyExc_NameError, "__build_class__ not found");
        goto error;
    }
    PUSH(v);
    NEXT();
}

INST(LOAD_ASSERTION_ERROR) {
    PUSH(Py_NewRef(PyExc_AssertionError));
    NEXT();
}

INST(SETUP_ANNOTATIONS) {
    HERE();
    if (UNLIKELY(!frame->f_locals)) {
        PyErr_SetString(PyExc_SystemError, "no locals found when setting up annotations");
        goto error;
    }
    PyObject *annotations;
    if (PyMapping_GetOptionalItem(frame->f_locals, STR(__annotations__), &annotations) < 0) goto error;
    if (!annotations) {
        if (!(annotations = PyDict_New())) goto error;
        if (PyObject_SetItem(frame->f_locals, STR(__annotations__), annotations) < 0) {
            Py_DECREF(annotations);
            goto error;
        }
    }
    Py_DECREF(annotations);
    NEXT();
}

INST(IMPORT_NAME) {
    HERE();
    SAVE_SP();
    PyObject *module = eval_import(ts, frame, NAME_AT(oparg), PEEK(1), PEEK(2));
    Py_DECREF(PEEK(1));
    Py_DECREF(PEEK(2));
    sp -= 2;
    if (UNLIKELY(!module)) goto error;
    PUSH(module);
    NEXT();
}

INST(IMPORT_FROM) {
    HERE();
    PyObject *v = eval_import_from(TOP(), NAME_AT(oparg));
    if (UNLIKELY(!v)) goto error;
    PUSH(v);
    NEXT();
}
