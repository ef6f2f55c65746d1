/* The _blake2 module: BLAKE2b and BLAKE2s (RFC 7693), with key, salt, person and tree parameters.
 *
 * Both algorithms are one text: BLAKE2_ALGORITHM is expanded with the word of each. A state keeps the last full block back,
 * because whether a block is the last one is part of what is compressed. */
#include "hash_object.h"


typedef struct Blake2b { uint64_t h[8], count[2]; uint32_t held, last_node; unsigned char block[128]; } Blake2b;
typedef struct Blake2s { uint32_t h[8], count[2]; uint32_t held, last_node; unsigned char block[64]; } Blake2s;

typedef struct Blake2Kind {
    const char *name;
    unsigned block_size, digest_max, key_max, salt_max;       /* as much for person as for salt */
    void (*update)(void *state, const unsigned char *data, size_t n);
    void (*finish)(void *state, unsigned char *digest);       /* writes digest_max bytes; the state is spent */
} Blake2Kind;

typedef struct Blake2Object {
    PyObject_HEAD
    const Blake2Kind *kind;
    unsigned digest_size;
    PyMutex mutex;                            /* held while the state changes or is read: updates let go of the GIL */
    union { Blake2b b; Blake2s s; } state;
} Blake2Object;

typedef struct Blake2Module { PyTypeObject *types[2]; } Blake2Module;

#define BLAKE2(o) ((Blake2Object *)(o))

static const unsigned char sigma[12][16] = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 }, { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 }, { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 }, { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 }, { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
};
static const uint64_t b_initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179
};
static const uint32_t s_initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

#define TURN(x, n) ((x) >> (n) | (x) << (sizeof(x) * 8 - (n)))
#define MIX(a, b, c, d, x, y, r1, r2, r3, r4)                                                                           \
    do {                                                                                                                \
        a += b + x; d = TURN(d ^ a, r1); c += d; b = TURN(b ^ c, r2);                                                   \
        a += b + y; d = TURN(d ^ a, r3); c += d; b = TURN(b ^ c, r4);                                                   \
    } while (0)

#define BLAKE2_ALGORITHM(State, Word, prefix, initial, rounds, ...)                                                     \
    static void prefix##_compress(State *s, const unsigned char *block, Word n, bool last)                              \
    {                                                                                                                   \
        Word v[16], m[16];                                                                                              \
        memcpy(m, block, sizeof m);           /* little-endian, as every machine this runs on */                       \
        s->count[0] += n;                                                                                               \
        s->count[1] += s->count[0] < n;                                                                                 \
        memcpy(v, s->h, sizeof s->h);                                                                                   \
        memcpy(v + 8, initial, sizeof s->h);                                                                            \
        v[12] ^= s->count[0];                                                                                           \
        v[13] ^= s->count[1];                                                                                           \
        if (last) v[14] = (Word)~v[14];                                                                                 \
        if (last && s->last_node) v[15] = (Word)~v[15];                                                                 \
        for (int r = 0; r < rounds; r++) {                                                                              \
            const unsigned char *z = sigma[r];                                                                          \
            MIX(v[0], v[4], v[8], v[12], m[z[0]], m[z[1]], __VA_ARGS__);                                                \
            MIX(v[1], v[5], v[9], v[13], m[z[2]], m[z[3]], __VA_ARGS__);                                                \
            MIX(v[2], v[6], v[10], v[14], m[z[4]], m[z[5]], __VA_ARGS__);                                               \
            MIX(v[3], v[7], v[11], v[15], m[z[6]], m[z[7]], __VA_ARGS__);                                               \
            MIX(v[0], v[5], v[10], v[15], m[z[8]], m[z[9]], __VA_ARGS__);                                               \
            MIX(v[1], v[6], v[11], v[12], m[z[10]], m[z[11]], __VA_ARGS__);                                             \
            MIX(v[2], v[7], v[8], v[13], m[z[12]], m[z[13]], __VA_ARGS__);                                              \
            MIX(v[3], v[4], v[9], v[14], m[z[14]], m[z[15]], __VA_ARGS__);                                              \
        }                                                                                                               \
        for (int i = 0; i < 8; i++) s->h[i] ^= v[i] ^ v[i + 8];                                                         \
    }                                                                                                                   \
    static void prefix##_update(void *state, const unsigned char *data, size_t n)                                      \
    {                                                                                                                   \
        State *s = state;                                                                                               \
        size_t room = sizeof s->block - s->held;                                                                        \
        if (n > room) {                                                                                                 \
            memcpy(s->block + s->held, data, room);                                                                     \
            prefix##_compress(s, s->block, sizeof s->block, false);                                                     \
            s->held = 0;                                                                                                \
            data += room;                                                                                               \
            n -= room;                                                                                                  \
            for (; n > sizeof s->block; data += sizeof s->block, n -= sizeof s->block)                                 \
                prefix##_compress(s, data, sizeof s->block, false);                                                     \
        }                                                                                                               \
        if (!n) return;                                                                                                 \
        memcpy(s->block + s->held, data, n);                                                                            \
        s->held += (uint32_t)n;                                                                                         \
    }                                                                                                                   \
    static void prefix##_finish(void *state, unsigned char *digest)                                                    \
    {                                                                                                                   \
        State *s = state;                                                                                               \
        memset(s->block + s->held, 0, sizeof s->block - s->held);                                                       \
        prefix##_compress(s, s->block, s->held, true);                                                                  \
        memcpy(digest, s->h, sizeof s->h);                                                                              \
    }                                                                                                                   \
    static void prefix##_start(State *s, const unsigned char *parameters, bool last_node)                              \
    {                                                                                                                   \
        memset(s, 0, sizeof *s);                                                                                        \
        memcpy(s->h, parameters, sizeof s->h);                                                                          \
        for (int i = 0; i < 8; i++) s->h[i] ^= initial[i];                                                              \
        s->last_node = last_node;                                                                                       \
    }

BLAKE2_ALGORITHM(Blake2b, uint64_t, b, b_initial, 12, 32, 24, 16, 63)
BLAKE2_ALGORITHM(Blake2s, uint32_t, s, s_initial, 10, 16, 12, 8, 7)

static const Blake2Kind kinds[2] = {
    { "blake2b", 128, 64, 64, 16, b_update, b_finish },
    { "blake2s", 64, 32, 32, 8, s_update, s_finish },
};

static int update_with(Blake2Object *h, PyObject *data)
{
    Py_buffer view;
    if (hash_get_buffer(data, &view) < 0) return -1;
    PyMutex_Lock(&h->mutex);
    if (view.len < RELEASE_GIL_FROM) h->kind->update(&h->state, view.buf, (size_t)view.len);
    else {
        Py_BEGIN_ALLOW_THREADS
        h->kind->update(&h->state, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyMutex_Unlock(&h->mutex);
    PyBuffer_Release(&view);
    return 0;
}

static void digest_of(Blake2Object *h, unsigned char *digest)
{
    PyMutex_Lock(&h->mutex);
    Blake2Object copy = *h;
    PyMutex_Unlock(&h->mutex);
    copy.kind->finish(&copy.state, digest);
}

BUILTIN_NOARGS(blake2, copy, "($self, /)", "Return a copy of the hash object.")
{
    Blake2Object *copy = PyObject_New(Blake2Object, Py_TYPE(self));
    if (!copy) return NULL;
    copy->kind = BLAKE2(self)->kind;
    copy->digest_size = BLAKE2(self)->digest_size;
    copy->mutex = (PyMutex){ 0 };
    PyMutex_Lock(&BLAKE2(self)->mutex);
    memcpy(&copy->state, &BLAKE2(self)->state, sizeof copy->state);
    PyMutex_Unlock(&BLAKE2(self)->mutex);
    return (PyObject *)copy;
}

BUILTIN_O(blake2, update, "($self, data, /)", "Update this hash object's state with the provided bytes-like object.")
{
    if (update_with(BLAKE2(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(blake2, digest, "($self, /)", "Return the digest value as a bytes object.")
{
    unsigned char digest[64];
    digest_of(BLAKE2(self), digest);
    return PyBytes_FromStringAndSize((char *)digest, BLAKE2(self)->digest_size);
}

BUILTIN_NOARGS(blake2, hexdigest, "($self, /)", "Return the digest value as a string of hexadecimal digits.")
{
    unsigned char digest[64];
    digest_of(BLAKE2(self), digest);
    return hash_hex_text(digest, BLAKE2(self)->digest_size);
}

static PyObject *blake2_name(PyObject *self, void *closure) { return PyUnicode_FromString(BLAKE2(self)->kind->name); }
static PyObject *blake2_block_size(PyObject *self, void *closure) { return PyLong_FromLong(BLAKE2(self)->kind->block_size); }
static PyObject *blake2_digest_size(PyObject *self, void *closure) { return PyLong_FromLong(BLAKE2(self)->digest_size); }

/* Bytes of `o` (may be NULL) into out[0 .. max), or ValueError naming `what`. Returns their number, -1 on error. */
static Py_ssize_t take_bytes(PyObject *o, const char *what, unsigned max, unsigned char *out)
{
    Py_buffer view;
    if (!o) return 0;
    if (PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) < 0) return -1;
    Py_ssize_t n = view.len;
    if (n > (Py_ssize_t)max) {
        PyErr_Format(PyExc_ValueError, "maximum %s length is %d bytes", what, (int)max);
        n = -1;
    }
    else memcpy(out, view.buf, (size_t)n);
    PyBuffer_Release(&view);
    return n;
}

static int take_int(PyObject *o, int least, int most, int value, const char *complaint, unsigned char *out)
{
    if (o) {
        int given = PyLong_AsInt(o);
        if (given == -1 && PyErr_Occurred()) return -1;
        value = given;
    }
    if (value < least || value > most) {
        PyErr_Format(PyExc_ValueError, complaint, most);
        return -1;
    }
    *out = (unsigned char)value;
    return 0;
}

/* A count below 2**bits, little-endian into out. */
static int take_unsigned(PyObject *o, bool is_long_long, int bits, const char *what, unsigned char *out)
{
    if (!o) return 0;
    if (!PyLong_Check(o)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    }
    int overflow;
    long long sign = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow < 0 || (sign < 0 && !overflow)) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return -1;
    }
    uint64_t value = is_long_long ? PyLong_AsUnsignedLongLong(o) : PyLong_AsUnsignedLong(o);
    if (value == UINT64_MAX && PyErr_Occurred()) return -1;
    if (bits < 64 && value >> bits) {
        PyErr_Format(PyExc_OverflowError, "%s is too large", what);
        return -1;
    }
    memcpy(out, &value, (size_t)bits / 8);
    return 0;
}

enum { DATA, DIGEST_SIZE, KEY, SALT, PERSON, FANOUT, DEPTH, LEAF_SIZE, NODE_OFFSET, NODE_DEPTH, INNER_SIZE, LAST_NODE, FOR_SECURITY, STRING, N_ARGUMENTS };

/* The parameter block of both kinds, which starts the chain. 0 or -1. */
static int start(Blake2Object *h, PyObject *const *arg, unsigned char *key, Py_ssize_t *key_size)
{
    const Blake2Kind *kind = h->kind;
    bool big = kind == &kinds[0];
    unsigned char p[64] = { 0 }, salt[32] = { 0 };
    const char *digest_range = "digest_size must be between 1 and %d bytes";
    if (take_int(arg[DIGEST_SIZE], 1, (int)kind->digest_max, (int)kind->digest_max, digest_range, &p[0]) < 0 ||
        take_bytes(arg[SALT], "salt", kind->salt_max, salt) < 0 || take_bytes(arg[PERSON], "person", kind->salt_max, salt + kind->salt_max) < 0 ||
        take_int(arg[FANOUT], 0, 255, 1, "fanout must be between 0 and %d", &p[2]) < 0 ||
        take_int(arg[DEPTH], 1, 255, 1, "depth must be between 1 and %d", &p[3]) < 0 ||
        take_unsigned(arg[LEAF_SIZE], false, 32, "leaf_size", p + 4) < 0 ||
        take_unsigned(arg[NODE_OFFSET], true, big ? 64 : 48, "node_offset", p + 8) < 0 ||
        take_int(arg[NODE_DEPTH], 0, 255, 0, "node_depth must be between 0 and %d", &p[big ? 16 : 14]) < 0 ||
        take_int(arg[INNER_SIZE], 0, (int)kind->digest_max, 0, "inner_size must be between 0 and is %d", &p[big ? 17 : 15]) < 0) return -1;
    int last_node = arg[LAST_NODE] ? PyObject_IsTrue(arg[LAST_NODE]) : 0;
    if (last_node < 0) return -1;
    *key_size = take_bytes(arg[KEY], "key", kind->key_max, key);
    if (*key_size < 0) return -1;
    p[1] = (unsigned char)*key_size;
    memcpy(p + (big ? 32 : 16), salt, 2 * kind->salt_max);
    h->digest_size = p[0];
    if (big) b_start(&h->state.b, p, last_node);
    else s_start(&h->state.s, p, last_node);
    return 0;
}

#define PARAMETERS(type)                                                                                                \
    "(data=b'', *, digest_size=_blake2." type ".MAX_DIGEST_SIZE, key=b'', salt=b'', person=b'', fanout=1, depth=1, " \
    "leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, string=None)"
#define NAMES                                                                                                           \
    "(data=0, *, digest_size=0, key=0, salt=0, person=0, fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, " \
    "inner_size=0, last_node=0, usedforsecurity=0, string=0)"

SIGNATURE(b_signature, "blake2b", KEYWORDS, NAMES);
SIGNATURE(s_signature, "blake2s", KEYWORDS, NAMES);

static PyObject *blake2_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[N_ARGUMENTS], *module = PyType_GetModule(type);
    if (!module) return NULL;
    size_t index = ((Blake2Module *)PyModule_GetState(module))->types[1] == type;
    if (args_bind_tuple(index ? &s_signature : &b_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *data = arg[DATA] ? arg[DATA] : arg[STRING];
    if (arg[DATA] && arg[STRING]) {
        PyErr_SetString(PyExc_TypeError, "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for "
                                         "removal in a future version.");
        return NULL;
    }
    Blake2Object *h = PyObject_New(Blake2Object, type);
    if (!h) return NULL;
    h->kind = &kinds[index];
    h->mutex = (PyMutex){ 0 };
    unsigned char block[128] = { 0 };         /* a key is hashed first, in a block of its own */
    Py_ssize_t key_size;
    if (start(h, arg, block, &key_size) < 0) goto fail;
    if (key_size) h->kind->update(&h->state, block, h->kind->block_size);
    if (data && update_with(h, data) < 0) goto fail;
    return (PyObject *)h;
fail:
    Py_DECREF(h);
    return NULL;
}

static void blake2_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef blake2_methods[] = { METHOD(blake2, copy), METHOD(blake2, digest), METHOD(blake2, hexdigest), METHOD(blake2, update), { 0 } };
static PyGetSetDef blake2_getset[] = {
    { "name", blake2_name, NULL, NULL, NULL }, { "block_size", blake2_block_size, NULL, NULL, NULL },
    { "digest_size", blake2_digest_size, NULL, NULL, NULL }, { 0 }
};

#define SPEC(which, doc)                                                                                                \
    static PyType_Slot which##_slots[] = {                                                                              \
        { Py_tp_doc, (char *)#which doc }, { Py_tp_new, blake2_new }, { Py_tp_dealloc, blake2_dealloc },                \
        { Py_tp_methods, blake2_methods }, { Py_tp_getset, blake2_getset }, { 0, NULL }                                 \
    };                                                                                                                  \
    static PyType_Spec which##_spec = { "_blake2." #which, sizeof(Blake2Object), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, which##_slots };

SPEC(blake2b, PARAMETERS("blake2b") "\n--\n\nReturn a new BLAKE2b hash object.")
SPEC(blake2s, PARAMETERS("blake2s") "\n--\n\nReturn a new BLAKE2s hash object.")

/* A limit, as type.NAME and as module.BLAKE2x_NAME. */
static int add_limit(PyObject *module, PyObject *dict, int index, const char *name, unsigned value)
{
    char long_name[40];
    PyObject *number = PyLong_FromLong((long)value);
    if (!number) return -1;
    snprintf(long_name, sizeof long_name, "BLAKE2%c_%s", index ? 'S' : 'B', name);
    int r = PyDict_SetItemString(dict, name, number) < 0 || PyModule_AddObjectRef(module, long_name, number) < 0 ? -1 : 0;
    Py_DECREF(number);
    return r;
}

static int blake2_exec(PyObject *module)
{
    Blake2Module *state = PyModule_GetState(module);
    for (int i = 0; i < 2; i++) {
        PyTypeObject *type = state->types[i] = (PyTypeObject *)PyType_FromModuleAndSpec(module, i ? &blake2s_spec : &blake2b_spec, NULL);
        if (!type || PyModule_AddType(module, type) < 0) return -1;
        PyObject *dict = PyType_GetDict(type);
        if (!dict) return -1;
        int r = add_limit(module, dict, i, "SALT_SIZE", kinds[i].salt_max) < 0 || add_limit(module, dict, i, "PERSON_SIZE", kinds[i].salt_max) < 0 ||
                add_limit(module, dict, i, "MAX_KEY_SIZE", kinds[i].key_max) < 0 ||
                add_limit(module, dict, i, "MAX_DIGEST_SIZE", kinds[i].digest_max) < 0 ? -1 : 0;
        Py_DECREF(dict);
        PyType_Modified(type);
        if (r < 0) return -1;
    }
    return 0;
}

static int blake2_traverse(PyObject *module, visitproc visit, void *arg)
{
    Blake2Module *state = PyModule_GetState(module);
    for (int i = 0; i < 2; i++) Py_VISIT(state->types[i]);
    return 0;
}

static int blake2_clear(PyObject *module)
{
    Blake2Module *state = PyModule_GetState(module);
    for (int i = 0; i < 2; i++) Py_CLEAR(state->types[i]);
    return 0;
}

static void blake2_free(void *module) { blake2_clear(module); }

static PyModuleDef_Slot blake2_slots[] = {
    { Py_mod_exec, blake2_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_blake2", "BLAKE2 message digests.", sizeof(Blake2Module), NULL, blake2_slots, blake2_traverse, blake2_clear, blake2_free,
};

PyMODINIT_FUNC PyInit__blake2(void) { return PyModuleDef_Init(&definition); }
