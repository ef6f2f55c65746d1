/* _random: the Mersenne twister MT19937 of M. Matsumoto and T. Nishimura, as random.Random stands on. */
#include "capi/args.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { N = 624, M = 397 };

typedef struct Random {
    PyObject_HEAD
    int index;                                /* of the next word; N: make new ones */
    uint32_t state[N];
} Random;

#define RANDOM(o) ((Random *)(o))

/* ---- generator -------------------------------------------------------------------------------------------------------------------------------- */

static NOINLINE void refill(Random *r)
{
    uint32_t *mt = r->state;
    for (int i = 0; i < N; i++) {
        uint32_t y = (mt[i] & 0x80000000u) | (mt[(i + 1) % N] & 0x7fffffffu);
        mt[i] = mt[(i + M) % N] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    r->index = 0;
}

static inline uint32_t next_word(Random *r)
{
    if (r->index >= N) refill(r);
    uint32_t y = r->state[r->index++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

static void seed_word(Random *r, uint32_t seed)
{
    r->state[0] = seed;
    for (uint32_t i = 1; i < N; i++) r->state[i] = 1812433253u * (r->state[i - 1] ^ r->state[i - 1] >> 30) + i;
    r->index = N;
}

static void seed_array(Random *r, const uint32_t *key, size_t length)
{
    uint32_t *mt = r->state;
    size_t i = 1, j = 0;
    seed_word(r, 19650218u);
    for (size_t k = length > N ? length : N; k; k--) {
        mt[i] = (mt[i] ^ (mt[i - 1] ^ mt[i - 1] >> 30) * 1664525u) + key[j] + (uint32_t)j;
        if (++i >= N) {
            mt[0] = mt[N - 1];
            i = 1;
        }
        if (++j >= length) j = 0;
    }
    for (size_t k = N - 1; k; k--) {
        mt[i] = (mt[i] ^ (mt[i - 1] ^ mt[i - 1] >> 30) * 1566083941u) - (uint32_t)i;
        if (++i >= N) {
            mt[0] = mt[N - 1];
            i = 1;
        }
    }
    mt[0] = 0x80000000u;
}

/* ---- seeding ----------------------------------------------------------------------------------------------------------------------------------- */

static void seed_from_system(Random *r)
{
    uint32_t key[N];
    if (getrandom(key, sizeof key, GRND_NONBLOCK) == (ssize_t)sizeof key) {
        seed_array(r, key, N);
        return;
    }
    struct timespec now, up;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_MONOTONIC, &up);
    uint64_t real = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, monotonic = (uint64_t)up.tv_sec * 1000000000u + (uint64_t)up.tv_nsec;
    uint32_t words[5] = { (uint32_t)real, (uint32_t)(real >> 32), (uint32_t)getpid(), (uint32_t)monotonic, (uint32_t)(monotonic >> 32) };
    seed_array(r, words, 5);
}

static int seed_from_int(Random *r, PyObject *n)
{
    size_t bits = _PyLong_NumBits(n), words = bits ? (bits - 1) / 32 + 1 : 1;
    uint32_t *key = PyMem_Malloc(words * sizeof *key);
    if (!key) {
        PyErr_NoMemory();
        return -1;
    }
    if (_PyLong_AsByteArray((PyLongObject *)n, (unsigned char *)key, words * sizeof *key, PY_LITTLE_ENDIAN, 0, 1) < 0) {
        PyMem_Free(key);
        return -1;
    }
#if PY_BIG_ENDIAN
    for (size_t i = 0, j = words - 1; i < j; i++, j--) {     /* least significant word first */
        uint32_t word = key[i];
        key[i] = key[j];
        key[j] = word;
    }
#endif
    seed_array(r, key, words);
    PyMem_Free(key);
    return 0;
}

static int seed(Random *r, PyObject *arg)
{
    if (!arg || arg == Py_None) {
        seed_from_system(r);
        return 0;
    }
    PyObject *n;
    if (PyLong_Check(arg)) n = PyLong_Type.tp_as_number->nb_absolute(arg);
    else {
        Py_hash_t hash = PyObject_Hash(arg);
        if (hash == -1) return -1;
        n = PyLong_FromSize_t((size_t)hash);
    }
    if (!n) return -1;
    int status = seed_from_int(r, n);
    Py_DECREF(n);
    return status;
}

/* ---- methods ------------------------------------------------------------------------------------------------------------------------------------ */

BUILTIN_NOARGS(Random, random, "($self, /)", "random() -> a float in the interval [0, 1).")
{
    uint32_t high = next_word(RANDOM(self)) >> 5, low = next_word(RANDOM(self)) >> 6;
    return PyFloat_FromDouble((high * 67108864.0 + low) * (1.0 / 9007199254740992.0));
}

BUILTIN(Random, seed, POSITIONAL, "($self, n=None, /)",
    "Start anew from n: an integer, or anything with a hash; without n from the system's randomness.")
{
    return seed(RANDOM(self), arg[0]) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN_NOARGS(Random, getstate, "($self, /)", "The state as a tuple, for setstate().")
{
    PyObject *tuple = PyTuple_New(N + 1);
    for (int i = 0; tuple && i <= N; i++) {
        PyObject *item = i < N ? PyLong_FromUnsignedLong(RANDOM(self)->state[i]) : PyLong_FromLong(RANDOM(self)->index);
        if (item) PyTuple_SET_ITEM(tuple, i, item);
        else Py_CLEAR(tuple);
    }
    return tuple;
}

BUILTIN_O(Random, setstate, "($self, state, /)", "Go back to a state that getstate() gave.")
{
    uint32_t words[N];
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "state vector must be a tuple");
        return NULL;
    }
    if (PyTuple_GET_SIZE(arg) != N + 1) {
        PyErr_SetString(PyExc_ValueError, "state vector is the wrong size");
        return NULL;
    }
    for (int i = 0; i < N; i++) {
        unsigned long word = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(arg, i));
        if (word == (unsigned long)-1 && PyErr_Occurred()) return NULL;
        words[i] = (uint32_t)word;
    }
    long index = PyLong_AsLong(PyTuple_GET_ITEM(arg, N));
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (index < 0 || index > N) {
        PyErr_SetString(PyExc_ValueError, "invalid state");
        return NULL;
    }
    RANDOM(self)->index = (int)index;
    memcpy(RANDOM(self)->state, words, sizeof words);
    Py_RETURN_NONE;
}

BUILTIN_O(Random, getrandbits, "($self, k, /)", "getrandbits(k) -> x.  An integer of k random bits.")
{
    PyObject *index = PyNumber_Index(arg);
    if (!index) return NULL;
    bool negative = _PyLong_Sign(index) < 0;
    uint64_t k = negative ? 0 : PyLong_AsUnsignedLongLong(index);
    Py_DECREF(index);
    if (negative) {
        PyErr_SetString(PyExc_ValueError, "number of bits must be non-negative");
        return NULL;
    }
    if (k == (uint64_t)-1 && PyErr_Occurred()) return NULL;
    if (k == 0) return PyLong_FromLong(0);
    if (k <= 32) return PyLong_FromUnsignedLong(next_word(RANDOM(self)) >> (32 - k));
    if ((k - 1u) / 32u + 1u > PY_SSIZE_T_MAX / 4u) return PyErr_NoMemory();
    size_t words = (size_t)((k - 1) / 32 + 1);
    uint32_t *array = PyMem_Malloc(words * 4);
    if (!array) return PyErr_NoMemory();
    for (size_t i = 0; i < words; i++, k -= 32) {            /* least significant word first */
        uint32_t word = next_word(RANDOM(self));
        if (k < 32) word >>= 32 - k;
        array[PY_LITTLE_ENDIAN ? i : words - 1 - i] = word;
    }
    PyObject *result = _PyLong_FromByteArray((unsigned char *)array, words * 4, PY_LITTLE_ENDIAN, 0);
    PyMem_Free(array);
    return result;
}

static PyMethodDef Random_methods[] = {
    METHOD(Random, random), METHOD(Random, seed), METHOD(Random, getstate), METHOD(Random, setstate), METHOD(Random, getrandbits), {0},
};

static int random_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *base = Py_TYPE(self);
    while (base->tp_base && base->tp_init == base->tp_base->tp_init) base = base->tp_base;   /* the type that this function belongs to */
    if (base->tp_init == random_init && kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "Random() takes no keyword arguments");
        return -1;
    }
    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_SetString(PyExc_TypeError, "Random() requires 0 or 1 argument");
        return -1;
    }
    return seed(RANDOM(self), PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, 0) : NULL);
}

static PyType_Slot Random_slots[] = {
    { Py_tp_doc, (void *)(uintptr_t)"Random() -> a random number generator with a state of its own." },
    { Py_tp_methods, Random_methods }, { Py_tp_new, PyType_GenericNew }, { Py_tp_init, random_init }, { Py_tp_free, PyObject_Free }, {0},
};

static PyType_Spec Random_spec = {
    .name = "_random.Random",
    .basicsize = sizeof(Random),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = Random_slots,
};

/* ---- module -------------------------------------------------------------------------------------------------------------------------------------- */

static int random_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &Random_spec, NULL);
    if (!type) return -1;
    int status = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return status;
}

static PyModuleDef_Slot random_slots[] = {
    { Py_mod_exec, random_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

static PyModuleDef random_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_random",
    .m_doc = "The Mersenne twister.",
    .m_slots = random_slots,
};

PyMODINIT_FUNC PyInit__random(void) { return PyModuleDef_Init(&random_module); }
