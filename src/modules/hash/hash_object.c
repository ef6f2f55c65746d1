/* Hash objects: update(), digest(), hexdigest(), copy() over the algorithms of this folder. */
#include "hash_object.h"

typedef struct HashObject {
    PyObject_HEAD
    const HashKind *kind;
    PyMutex mutex;                            /* held while the state changes or is read: updates let go of the GIL */
    _Alignas(8) unsigned char state[HASH_STATE_MAX];
} HashObject;

#define HASH(o) ((HashObject *)(o))

static int update_with(HashObject *h, PyObject *data)
{
    Py_buffer view;
    if (hash_get_buffer(data, &view) < 0) return -1;
    PyMutex_Lock(&h->mutex);
    if (view.len < RELEASE_GIL_FROM) h->kind->update(h->state, view.buf, (size_t)view.len);
    else {
        Py_BEGIN_ALLOW_THREADS
        h->kind->update(h->state, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyMutex_Unlock(&h->mutex);
    PyBuffer_Release(&view);
    return 0;
}

static PyObject *digest_bytes(HashObject *h, Py_ssize_t n)
{
    unsigned char state[HASH_STATE_MAX] __attribute__((aligned(8)));
    PyMutex_Lock(&h->mutex);
    memcpy(state, h->state, h->kind->state_size);
    PyMutex_Unlock(&h->mutex);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    if (bytes) h->kind->finish(state, (unsigned char *)PyBytes_AS_STRING(bytes), (size_t)n);
    return bytes;
}

static PyObject *hex_of(PyObject *bytes)
{
    PyObject *text = bytes ? hash_hex_text((unsigned char *)PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)) : NULL;
    Py_XDECREF(bytes);
    return text;
}

BUILTIN_NOARGS(hash, copy, "($self, /)", "Return a copy of the hash object.")
{
    HashObject *copy = PyObject_GC_New(HashObject, Py_TYPE(self));
    if (!copy) return NULL;
    copy->kind = HASH(self)->kind;
    copy->mutex = (PyMutex){ 0 };
    PyMutex_Lock(&HASH(self)->mutex);
    memcpy(copy->state, HASH(self)->state, copy->kind->state_size);
    PyMutex_Unlock(&HASH(self)->mutex);
    PyObject_GC_Track(copy);
    return (PyObject *)copy;
}

BUILTIN_O(hash, update, "($self, obj, /)", "Update this hash object's state with the provided string.")
{
    if (update_with(HASH(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(hash, digest, "($self, /)", "Return the digest value as a bytes object.") { return digest_bytes(HASH(self), HASH(self)->kind->digest_size); }
BUILTIN_NOARGS(hash, hexdigest, "($self, /)", "Return the digest value as a string of hexadecimal digits.") { return hex_of(digest_bytes(HASH(self), HASH(self)->kind->digest_size)); }

static Py_ssize_t shake_length(PyObject *value)
{
    unsigned long n = PyLong_AsUnsignedLong(value);
    if (n == (unsigned long)-1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError) || PyErr_ExceptionMatches(PyExc_ValueError)) PyErr_SetString(PyExc_ValueError, "value must be positive");
        return -1;
    }
    if (n >= 1ul << 29) {
        PyErr_SetString(PyExc_ValueError, "length is too large");
        return -1;
    }
    return (Py_ssize_t)n;
}

BUILTIN(shake, digest, KEYWORDS, "($self, /, length)", "Return the digest value as a bytes object.")
{
    Py_ssize_t n = shake_length(arg[0]);
    return n < 0 ? NULL : digest_bytes(HASH(self), n);
}

BUILTIN(shake, hexdigest, KEYWORDS, "($self, /, length)", "Return the digest value as a string of hexadecimal digits.")
{
    Py_ssize_t n = shake_length(arg[0]);
    return n < 0 ? NULL : hex_of(digest_bytes(HASH(self), n));
}

static PyObject *hash_name(PyObject *self, void *closure) { return PyUnicode_FromString(HASH(self)->kind->name); }
static PyObject *hash_digest_size(PyObject *self, void *closure) { return PyLong_FromSsize_t(HASH(self)->kind->digest_size); }
static PyObject *hash_block_size(PyObject *self, void *closure) { return PyLong_FromSsize_t(HASH(self)->kind->block_size); }
static PyObject *hash_capacity(PyObject *self, void *closure) { return PyLong_FromLong(HASH(self)->kind->capacity_bits); }
static PyObject *hash_rate(PyObject *self, void *closure) { return PyLong_FromLong(HASH(self)->kind->rate_bits); }
static PyObject *hash_suffix(PyObject *self, void *closure)
{
    char suffix = (char)HASH(self)->kind->suffix;
    return PyBytes_FromStringAndSize(&suffix, 1);
}

static void hash_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int hash_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyMethodDef hash_methods[] = { METHOD(hash, copy), METHOD(hash, update), METHOD(hash, digest), METHOD(hash, hexdigest), { 0 } };
static PyMethodDef shake_methods[] = { METHOD(hash, copy), METHOD(hash, update), METHOD(shake, digest), METHOD(shake, hexdigest), { 0 } };
static PyGetSetDef hash_getset[] = {
    { "name", hash_name, NULL, NULL, NULL }, { "digest_size", hash_digest_size, NULL, NULL, NULL }, { "block_size", hash_block_size, NULL, NULL, NULL }, { 0 }
};
static PyGetSetDef sponge_getset[] = {
    { "name", hash_name, NULL, NULL, NULL }, { "digest_size", hash_digest_size, NULL, NULL, NULL }, { "block_size", hash_block_size, NULL, NULL, NULL },
    { "_capacity_bits", hash_capacity, NULL, NULL, NULL }, { "_rate_bits", hash_rate, NULL, NULL, NULL }, { "_suffix", hash_suffix, NULL, NULL, NULL }, { 0 }
};

int hash_data_argument(PyObject **data, PyObject *string)
{
    if (*data && string) {
        PyErr_SetString(PyExc_TypeError, "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for "
                        "removal in a future version.");
        return -1;
    }
    if (string) *data = string;
    return 0;
}

SIGNATURE(sponge_signature, "sha3_224", KEYWORDS, "(data=b'', *, usedforsecurity=True, string=None)");

/* SHA-3's types are called themselves; the others have functions. */
static PyObject *sponge_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3], *module = PyType_GetModule(type);
    if (!module || args_bind_tuple(&sponge_signature, args, kwargs, arg) < 0 || hash_data_argument(&arg[0], arg[2]) < 0) return NULL;
    HashModule *state = PyModule_GetState(module);
    for (size_t i = 0; i < ARRAY_LENGTH(state->types); i++)
        if (state->types[i] == type) return hash_construct(module, i, arg[0]);
    return PyErr_Format(PyExc_SystemError, "unknown hash type");
}

int hash_add_types(PyObject *module, const HashKind *const *kinds, const char *const *spec_names, size_t count)
{
    HashModule *state = PyModule_GetState(module);
    for (size_t i = 0; i < count; i++) {
        bool sponge = kinds[i]->rate_bits != 0;
        PyType_Slot slots[] = {
            { Py_tp_dealloc, hash_dealloc }, { Py_tp_traverse, hash_traverse }, { Py_tp_methods, kinds[i]->digest_size ? hash_methods : shake_methods },
            { Py_tp_getset, sponge ? sponge_getset : hash_getset }, { sponge ? Py_tp_new : 0, sponge ? sponge_new : NULL }, { 0, NULL }
        };
        PyType_Spec spec = { spec_names[i], sizeof(HashObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC | (sponge ? 0 : Py_TPFLAGS_DISALLOW_INSTANTIATION), slots };
        state->types[i] = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
        if (!state->types[i] || PyModule_AddType(module, state->types[i]) < 0) return -1;
        state->kinds[i] = kinds[i];
    }
    return 0;
}

PyObject *hash_construct(PyObject *module, size_t index, PyObject *data)
{
    HashModule *state = PyModule_GetState(module);
    const HashKind *kind = state->kinds[index];
    HashObject *h = PyObject_GC_New(HashObject, state->types[index]);
    if (!h) return NULL;
    h->kind = kind;
    h->mutex = (PyMutex){ 0 };
    kind->start(h->state);
    PyObject_GC_Track(h);
    if (data && update_with(h, data) < 0) Py_CLEAR(h);
    return (PyObject *)h;
}

int hash_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    HashModule *state = PyModule_GetState(module);
    for (size_t i = 0; i < ARRAY_LENGTH(state->types); i++) Py_VISIT(state->types[i]);
    return 0;
}

int hash_module_clear(PyObject *module)
{
    HashModule *state = PyModule_GetState(module);
    for (size_t i = 0; i < ARRAY_LENGTH(state->types); i++) Py_CLEAR(state->types[i]);
    return 0;
}

void hash_module_free(void *module) { hash_module_clear(module); }
