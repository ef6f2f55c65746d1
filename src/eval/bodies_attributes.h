/* Attributes. Caches of LOAD_ATTR: counter, type version (2 units), then by form: a shape number, an index, a dict keys version,
 * a descriptor (4 units at 5). */

INST(LOAD_ATTR) {
    HERE();
    ADAPT(specialize_load_attr(TOP(), pc - 1, NAME_AT(oparg >> 1)));
general_LOAD_ATTR:;
    HERE();
    SAVE_SP();
    PyObject *name = NAME_AT(oparg >> 1), *owner = TOP();
    if (oparg & 1) {
        PyObject *method;
        if (object_get_method(owner, name, &method)) {
            TOP() = method;                      /* unbound: the owner goes on as self */
            PUSH(owner);
        }
        else {
            Py_DECREF(owner);
            sp--;
            if (UNLIKELY(!method)) goto error;
            PUSH(method);
            PUSH(NULL);
        }
    }
    else {
        PyObject *v = PyObject_GetAttr(owner, name);
        Py_DECREF(owner);
        sp--;
        if (UNLIKELY(!v)) goto error;
        PUSH(v);
    }
    pc += 9;
    NEXT();
}

#define OTHER_TYPE(o) UNLIKELY(Py_TYPE(o)->tp_version_tag != cache_u32(pc + 1))
#define PUSH_ATTR(v) do { PyObject *owner_ = TOP(); TOP() = (v); if (oparg & 1) PUSH(NULL); pc += 9; Py_DECREF(owner_); NEXT(); } while (0)

INST(LOAD_ATTR_INSTANCE_VALUE) {                 /* 3: index; 4: shape number */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    Shape *shape = instance_shape(owner);
    if (UNLIKELY(!shape || shape->number != pc[4].cache)) {
        if (!shape) MISS(LOAD_ATTR);
        Py_ssize_t index = shape_index(shape, NAME_AT(oparg >> 1));     /* another shape of the class: the attribute may be there */
        if (index < 0) MISS(LOAD_ATTR);
        pc[3].cache = (uint16_t)index;
        pc[4].cache = shape->number;
    }
    PUSH_ATTR(Py_NewRef(instance_value(owner, pc[3].cache)));
}

INST(LOAD_ATTR_MODULE) {                         /* 1: keys version (2 units); 3: index */
    PyObject *owner = TOP();
    if (UNLIKELY(!PyModule_CheckExact(owner))) MISS(LOAD_ATTR);
    PyDictObject *dict = (PyDictObject *)PyModule_GetDict(owner);
    if (UNLIKELY(dict_table(dict)->version != cache_u32(pc + 1))) MISS(LOAD_ATTR);
    PUSH_ATTR(Py_NewRef(dict_value_at(dict, pc[3].cache)));
}

INST(LOAD_ATTR_WITH_HINT) {                      /* 3: index */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    PyDictObject *dict = (PyDictObject *)instance_dict_if_any(owner);
    if (UNLIKELY(!dict)) MISS(LOAD_ATTR);
    Py_ssize_t hint = pc[3].cache;
    DictKeys *keys = dict_table(dict);
    if (UNLIKELY(hint >= keys->count || !dict_has_only_str_keys(dict))) MISS(LOAD_ATTR);
    PyObject **entry = keys_entry(keys, hint);
    if (UNLIKELY(entry[0] != NAME_AT(oparg >> 1) || !entry[1])) MISS(LOAD_ATTR);
    PUSH_ATTR(Py_NewRef(entry[1]));
}

INST(LOAD_ATTR_SLOT) {                           /* 3: offset */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    PyObject *v = *(PyObject **)(void *)((char *)owner + pc[3].cache);
    if (UNLIKELY(!v)) MISS(LOAD_ATTR);
    PUSH_ATTR(Py_NewRef(v));
}

INST(LOAD_ATTR_CLASS) {                          /* 1: version of the class itself; 5: value */
    PyObject *owner = TOP();
    if (UNLIKELY(!PyType_Check(owner) || ((PyTypeObject *)owner)->tp_version_tag != cache_u32(pc + 1))) MISS(LOAD_ATTR);
    PUSH_ATTR(Py_NewRef((PyObject *)(uintptr_t)cache_u64(pc + 5)));
}

INST(LOAD_ATTR_PROPERTY) {                       /* 3: function version (2 units); 5: getter */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    PyFunctionObject *getter = (PyFunctionObject *)(uintptr_t)cache_u64(pc + 5);
    if (UNLIKELY(getter->func_version != cache_u32(pc + 3) || ts->interp->runtime.eval_frame)) MISS(LOAD_ATTR);
    HERE();
    PyCodeObject *co = (PyCodeObject *)getter->func_code;
    Frame *callee = frame_stack_push(ts, (size_t)co->co_framesize);
    if (UNLIKELY(!callee)) goto error;
    frame_init(callee, (PyFunctionObject *)Py_NewRef(getter), NULL, co, 1);
    callee->localsplus[0] = owner;
    sp--;
    SAVE_SP();
    frame->return_offset = 1 + 9;
    callee->previous = frame;
    frame = ts->current_frame = callee;
    goto start_frame;
}

INST(LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN) {        /* 3: function version; 5: __getattribute__ */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    PyFunctionObject *function = (PyFunctionObject *)(uintptr_t)cache_u64(pc + 5);
    if (UNLIKELY(function->func_version != cache_u32(pc + 3) || ts->interp->runtime.eval_frame || oparg & 1)) MISS(LOAD_ATTR);
    HERE();
    PyCodeObject *co = (PyCodeObject *)function->func_code;
    Frame *callee = frame_stack_push(ts, (size_t)co->co_framesize);
    if (UNLIKELY(!callee)) goto error;
    frame_init(callee, (PyFunctionObject *)Py_NewRef(function), NULL, co, 2);
    callee->localsplus[0] = owner;
    callee->localsplus[1] = Py_NewRef(NAME_AT(oparg >> 1));
    sp--;
    SAVE_SP();
    frame->return_offset = 1 + 9;
    callee->previous = frame;
    frame = ts->current_frame = callee;
    goto start_frame;
}

#define PUSH_METHOD() do { PyObject *owner_ = TOP(); TOP() = Py_NewRef((PyObject *)(uintptr_t)cache_u64(pc + 5)); PUSH(owner_); \
        pc += 9; NEXT(); } while (0)

INST(LOAD_ATTR_METHOD_WITH_VALUES) {             /* 3: shape number that lacks the name; 5: function */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    Shape *shape = instance_shape(owner);
    if (UNLIKELY(!shape)) MISS(LOAD_ATTR);
    if (UNLIKELY(shape->number != pc[3].cache)) {
        if (shape_index(shape, NAME_AT(oparg >> 1)) >= 0) MISS(LOAD_ATTR);
        pc[3].cache = shape->number;
    }
    PUSH_METHOD();
}

INST(LOAD_ATTR_METHOD_NO_DICT) {
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    PUSH_METHOD();
}

INST(LOAD_ATTR_METHOD_LAZY_DICT) {               /* an instance whose class has no inline values, and that has no dict yet */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    if (UNLIKELY(*instance_word(owner))) MISS(LOAD_ATTR);
    PUSH_METHOD();
}

INST(LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES) {      /* 3: shape number that lacks the name; 5: value */
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    Shape *shape = instance_shape(owner);
    if (UNLIKELY(!shape)) MISS(LOAD_ATTR);
    if (UNLIKELY(shape->number != pc[3].cache)) {
        if (shape_index(shape, NAME_AT(oparg >> 1)) >= 0) MISS(LOAD_ATTR);
        pc[3].cache = shape->number;
    }
    PUSH_ATTR(Py_NewRef((PyObject *)(uintptr_t)cache_u64(pc + 5)));
}

INST(LOAD_ATTR_NONDESCRIPTOR_NO_DICT) {
    PyObject *owner = TOP();
    if (OTHER_TYPE(owner)) MISS(LOAD_ATTR);
    PUSH_ATTR(Py_NewRef((PyObject *)(uintptr_t)cache_u64(pc + 5)));
}

/* ---- storing: value owner -> ; caches: counter, type version (2), index, ---- */

INST(STORE_ATTR) {
    HERE();
    ADAPT(specialize_store_attr(TOP(), pc - 1, NAME_AT(oparg)));
general_STORE_ATTR:;
    HERE();
    SAVE_SP();
    PyObject *owner = PEEK(1), *v = PEEK(2);
    int status = PyObject_SetAttr(owner, NAME_AT(oparg), v);
    sp -= 2;
    Py_DECREF(v);
    Py_DECREF(owner);
    if (UNLIKELY(status < 0)) goto error;
    pc += 4;
    NEXT();
}

INST(STORE_ATTR_INSTANCE_VALUE) {                /* 3: shape number before; the index follows from it */
    PyObject *owner = PEEK(1), *v = PEEK(2);
    if (OTHER_TYPE(owner)) MISS(STORE_ATTR);
    Shape *shape = instance_shape(owner);
    if (UNLIKELY(!shape)) MISS(STORE_ATTR);
    if (LIKELY(shape->number == pc[3].cache >> 6)) {
        PyObject **at = &instance_values(owner)[pc[3].cache & 63], *old = *at;
        *at = v;
        sp -= 2;
        pc += 4;
        Py_DECREF(old);
        Py_DECREF(owner);
        NEXT();
    }
    PyObject *name = NAME_AT(oparg);
    Shape *next = shape->last_child;
    if (LIKELY(next && next->name == name)) {
store_attr_new:
        instance_values(owner)[next->count - 1] = v;
        instance_set_shape(owner, next);
        sp -= 2;
        pc += 4;
        Py_DECREF(owner);
        NEXT();
    }
    Py_ssize_t index = shape_index(shape, name);
    if (index < 0) {
        next = shape_transition(shape, name);
        if (UNLIKELY(!next)) MISS(STORE_ATTR);
        goto store_attr_new;
    }
    if (shape->number < 1024) pc[3].cache = (uint16_t)(shape->number << 6 | index);
    PyObject **at = &instance_values(owner)[index], *old = *at;
    *at = v;
    sp -= 2;
    pc += 4;
    Py_DECREF(old);
    Py_DECREF(owner);
    NEXT();
}

INST(STORE_ATTR_SLOT) {                          /* 3: offset */
    PyObject *owner = PEEK(1), *v = PEEK(2);
    if (OTHER_TYPE(owner)) MISS(STORE_ATTR);
    PyObject **at = (PyObject **)(void *)((char *)owner + pc[3].cache), *old = *at;
    *at = v;
    sp -= 2;
    pc += 4;
    Py_XDECREF(old);
    Py_DECREF(owner);
    NEXT();
}

INST(STORE_ATTR_WITH_HINT) {                     /* 3: index */
    PyObject *owner = PEEK(1), *v = PEEK(2);
    if (OTHER_TYPE(owner)) MISS(STORE_ATTR);
    PyDictObject *dict = (PyDictObject *)instance_dict_if_any(owner);
    if (UNLIKELY(!dict)) MISS(STORE_ATTR);
    Py_ssize_t hint = pc[3].cache;
    DictKeys *keys = dict_table(dict);
    if (UNLIKELY(hint >= keys->count || !dict_has_only_str_keys(dict))) MISS(STORE_ATTR);
    PyObject **entry = keys_entry(keys, hint);
    if (UNLIKELY(entry[0] != NAME_AT(oparg) || !entry[1])) MISS(STORE_ATTR);
    HERE();
    dict_set_value_at(dict, hint, v);
    sp -= 2;
    pc += 4;
    Py_DECREF(v);
    Py_DECREF(owner);
    NEXT();
}

INST(DELETE_ATTR) {
    HERE();
    PyObject *owner = POP();
    int status = PyObject_SetAttr(owner, NAME_AT(oparg), NULL);
    Py_DECREF(owner);
    if (UNLIKELY(status < 0)) goto error;
    NEXT();
}

/* ---- super().name: super class self -> value [self or NULL]; oparg: name << 2 | explicit arguments << 1 | method ---- */

INST(LOAD_SUPER_ATTR) {
    HERE();
    ADAPT(specialize_load_super_attr(PEEK(3), NAME_AT(oparg >> 2) == STR(__class__) ? Py_None : PEEK(2), pc - 1, oparg & 1));
    goto load_super_attr;
}

load_super_attr: {
    HERE();
    SAVE_SP();
    PyObject *super_global = PEEK(3), *cls = PEEK(2), *self = PEEK(1);
    bool monitored = pc[-1].op.code >= MIN_INSTRUMENTED_OPCODE && instrument_listens(frame, pc - 1);
    PyObject *stack[2] = {cls, self};
    if (monitored) {
        PyObject *arg = oparg & 2 ? cls : monitoring_missing(ts);
        if (instrument_call_2args(ts, EVENT_CALL, frame, frame->instr_ptr, super_global, arg) < 0) goto error;
    }
    PyObject *super = PyObject_Vectorcall(super_global, stack, oparg & 2 ? 2 : 0, NULL);
    if (monitored) {
        PyObject *arg = oparg & 2 ? cls : monitoring_missing(ts);
        super = instrument_called(ts, frame, frame->instr_ptr, super_global, arg, super);
    }
    Py_DECREF(super_global);
    Py_DECREF(cls);
    Py_DECREF(self);
    sp -= 3;
    if (UNLIKELY(!super)) goto error;
    PyObject *v = PyObject_GetAttr(super, NAME_AT(oparg >> 2));
    Py_DECREF(super);
    if (UNLIKELY(!v)) goto error;
    PUSH(v);
    if (oparg & 1) PUSH(NULL);
    pc += 1;
    NEXT();
}

INST(LOAD_SUPER_ATTR_ATTR) {
    PyObject *super_global = PEEK(3), *cls = PEEK(2), *self = PEEK(1);
    if (UNLIKELY(super_global != (PyObject *)&PySuper_Type || !PyType_Check(cls))) goto load_super_attr;
    HERE();
    SAVE_SP();
    PyObject *v = super_lookup((PyTypeObject *)cls, self, NAME_AT(oparg >> 2), NULL);
    if (UNLIKELY(!v && !ts->current_exception)) goto load_super_attr;      /* not there: super() itself says so */
    Py_DECREF(super_global);
    Py_DECREF(cls);
    Py_DECREF(self);
    sp -= 3;
    if (UNLIKELY(!v)) goto error;
    PUSH(v);
    pc += 1;
    NEXT();
}

INST(LOAD_SUPER_ATTR_METHOD) {
    PyObject *super_global = PEEK(3), *cls = PEEK(2), *self = PEEK(1);
    if (UNLIKELY(super_global != (PyObject *)&PySuper_Type || !PyType_Check(cls))) goto load_super_attr;
    HERE();
    SAVE_SP();
    int unbound = 0;
    PyObject *v = super_lookup((PyTypeObject *)cls, self, NAME_AT(oparg >> 2), &unbound);
    if (UNLIKELY(!v && !ts->current_exception)) goto load_super_attr;
    Py_DECREF(super_global);
    Py_DECREF(cls);
    if (UNLIKELY(!v)) {
        Py_DECREF(self);
        sp -= 3;
        goto error;
    }
    if (!unbound) {
        Py_DECREF(self);
        self = NULL;
    }
    sp[-3] = v;
    sp[-2] = self;
    sp -= 1;
    pc += 1;
    NEXT();
}
