/* OS threads, locks and thread-specific storage behind pythread.h, PyMutex and critical sections.
 *
 * PyThread_type_lock is a futex-backed word: 0 free, 1 held, 2 held with waiters. Locks may be released by another thread. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

const long long PY_TIMEOUT_MAX = LLONG_MAX / 1000;

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *deadline)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

/* ---- locks ------------------------------------------------------------------------------------------------------ */

PyThread_type_lock PyThread_allocate_lock(void)
{
    return PyMem_RawCalloc(1, sizeof(uint32_t));
}

void PyThread_free_lock(PyThread_type_lock lock) { PyMem_RawFree(lock); }

PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock lock, PY_TIMEOUT_T microseconds, int intr_flag)
{
    uint32_t *word = lock, expected = 0;
    if (__atomic_compare_exchange_n(word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return PY_LOCK_ACQUIRED;
    if (microseconds == 0) return PY_LOCK_FAILURE;
    struct timespec deadline;
    if (microseconds > 0) {
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        long long seconds = microseconds / 1000000;
        if (seconds > (long long)1 << 40) seconds = (long long)1 << 40;
        deadline.tv_sec += (time_t)seconds;
        deadline.tv_nsec += (long)(microseconds % 1000000) * 1000;
        if (deadline.tv_nsec >= 1000000000) {
            deadline.tv_nsec -= 1000000000;
            deadline.tv_sec++;
        }
    }
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0) {
        if (futex(word, FUTEX_WAIT_BITSET, 2, microseconds > 0 ? &deadline : NULL) < 0) {
            if (errno == ETIMEDOUT) {
                expected = 0;
                if (__atomic_compare_exchange_n(word, &expected, 2, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                    return PY_LOCK_ACQUIRED;
                return PY_LOCK_FAILURE;
            }
            if (errno == EINTR && intr_flag) return PY_LOCK_INTR;
        }
    }
    return PY_LOCK_ACQUIRED;
}

int PyThread_acquire_lock(PyThread_type_lock lock, int wait)
{
    return PyThread_acquire_lock_timed(lock, wait ? -1 : 0, 0) == PY_LOCK_ACQUIRED;
}

void PyThread_release_lock(PyThread_type_lock lock)
{
    uint32_t *word = lock;
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2) futex(word, FUTEX_WAKE_BITSET, 1, NULL);
}

/* ---- PyMutex ---------------------------------------------------------------------------------------------------- */

/* One byte: bit 0 locked, bit 1 somebody waits; the header's inline functions know only the states without waiters. Who waits
 * sleeps on a word of P->parking that the mutex's address chooses and others may share: it counts how often it was woken, so that
 * what happens between a look at the mutex and the sleep is not missed. All are woken, and the losers sleep again. */
enum { MUTEX_LOCKED = 1, MUTEX_AWAITED = 2 };

static uint32_t *mutex_parking(const PyMutex *mutex)
{
    return &P->parking[((uintptr_t)mutex * 0x9E3779B97F4A7C15u) >> (64 - PARKING_BITS)];
}

static void mutex_park(PyMutex *mutex)
{
    PyThreadState *left = thread_current ? PyEval_SaveThread() : NULL;
    uint32_t *word = mutex_parking(mutex), woken = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&mutex->_bits, __ATOMIC_SEQ_CST) == (MUTEX_LOCKED | MUTEX_AWAITED)) futex(word, FUTEX_WAIT_BITSET, woken, NULL);
    if (left) PyEval_RestoreThread(left);
}

#undef PyMutex_Lock
#undef PyMutex_Unlock
/* Gives up the GIL while it waits. */
void PyMutex_Lock(PyMutex *mutex)
{
    uint8_t bits = __atomic_load_n(&mutex->_bits, __ATOMIC_RELAXED);
    for (;;) {
        uint8_t wanted = bits | (bits & MUTEX_LOCKED ? MUTEX_AWAITED : MUTEX_LOCKED);
        if (wanted != bits && !__atomic_compare_exchange_n(&mutex->_bits, &bits, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) continue;
        if (!(bits & MUTEX_LOCKED)) return;
        mutex_park(mutex);
        bits = __atomic_load_n(&mutex->_bits, __ATOMIC_RELAXED);
    }
}

void PyMutex_Unlock(PyMutex *mutex)
{
    uint8_t bits = __atomic_exchange_n(&mutex->_bits, 0, __ATOMIC_SEQ_CST);
    if (!(bits & MUTEX_LOCKED)) _Py_FatalErrorFunc(__func__, "unlocking mutex that is not locked");
    if (!(bits & MUTEX_AWAITED)) return;
    uint32_t *word = mutex_parking(mutex);
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    futex(word, FUTEX_WAKE_BITSET, INT_MAX, NULL);
}

/* With a GIL, critical sections have nothing to do. */
void PyCriticalSection_Begin(PyCriticalSection *Py_UNUSED(c), PyObject *Py_UNUSED(o)) { }
void PyCriticalSection_End(PyCriticalSection *Py_UNUSED(c)) { }
void PyCriticalSection2_Begin(PyCriticalSection2 *Py_UNUSED(c), PyObject *Py_UNUSED(a), PyObject *Py_UNUSED(b)) { }
void PyCriticalSection2_End(PyCriticalSection2 *Py_UNUSED(c)) { }

/* ---- threads ---------------------------------------------------------------------------------------------------- */

void PyThread_init_thread(void) { process_init(); }
unsigned long PyThread_get_thread_ident(void) { return (unsigned long)pthread_self(); }
unsigned long PyThread_get_thread_native_id(void) { return (unsigned long)syscall(SYS_gettid); }
void PyThread_exit_thread(void) { pthread_exit(NULL); }

typedef struct ThreadStart { void (*function)(void *); void *argument; } ThreadStart;

static void *thread_main(void *p)
{
    ThreadStart start = *(ThreadStart *)p;
    PyMem_RawFree(p);
    start.function(start.argument);
    return NULL;
}

/* 0, or an errno. */
/* threading.stack_size() may ask for 32 KB: less than a few calls between C and Python need. What is not touched costs nothing. */
enum { STACK_LEAST = 256 << 10 };

int thread_start_os(void (*function)(void *), void *argument, pthread_t *handle)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes)) return EAGAIN;
    size_t size = PyThread_get_stacksize();
    if (size) pthread_attr_setstacksize(&attributes, size < STACK_LEAST ? STACK_LEAST : size);
    pthread_attr_setscope(&attributes, PTHREAD_SCOPE_SYSTEM);
    ThreadStart *start = PyMem_RawMalloc(sizeof *start);
    int status = start ? 0 : ENOMEM;
    if (start) {
        *start = (ThreadStart){ function, argument };
        if ((status = pthread_create(handle, &attributes, thread_main, start))) PyMem_RawFree(start);
    }
    pthread_attr_destroy(&attributes);
    return status;
}

unsigned long PyThread_start_new_thread(void (*function)(void *), void *argument)
{
    pthread_t handle;
    if (thread_start_os(function, argument, &handle)) return PYTHREAD_INVALID_THREAD_ID;
    pthread_detach(handle);
    return (unsigned long)handle;
}

size_t PyThread_get_stacksize(void)
{
    Thread *t = thread_current;
    return t ? t->ts.interp->runtime.thread_stack_size : 0;
}

/* 0; -1 too small or refused; -2 not supported. */
int PyThread_set_stacksize(size_t size)
{
    if (size) {
        if (size < 0x8000 || size < (size_t)PTHREAD_STACK_MIN) return -1;
        pthread_attr_t attributes;
        if (pthread_attr_init(&attributes)) return -1;
        int failed = pthread_attr_setstacksize(&attributes, size);
        pthread_attr_destroy(&attributes);
        if (failed) return -1;
    }
    interp_get()->runtime.thread_stack_size = size;
    return 0;
}

/* ---- thread-specific storage ------------------------------------------------------------------------------------ */

int PyThread_create_key(void)
{
    pthread_key_t key;
    if (pthread_key_create(&key, NULL)) return -1;
    if (key > INT_MAX) { pthread_key_delete(key); errno = ENOMEM; return -1; }
    return (int)key;
}

void PyThread_delete_key(int key) { pthread_key_delete((pthread_key_t)key); }
void PyThread_delete_key_value(int key) { pthread_setspecific((pthread_key_t)key, NULL); }
int PyThread_set_key_value(int key, void *value) { return pthread_setspecific((pthread_key_t)key, value) ? -1 : 0; }
void *PyThread_get_key_value(int key) { return pthread_getspecific((pthread_key_t)key); }
void PyThread_ReInitTLS(void) { }

Py_tss_t *PyThread_tss_alloc(void)
{
    Py_tss_t *key = PyMem_RawMalloc(sizeof *key);
    if (key) *key = (Py_tss_t)Py_tss_NEEDS_INIT;
    return key;
}

void PyThread_tss_free(Py_tss_t *key)
{
    if (!key) return;
    PyThread_tss_delete(key);
    PyMem_RawFree(key);
}

int PyThread_tss_is_created(Py_tss_t *key) { return key->_is_initialized; }

int PyThread_tss_create(Py_tss_t *key)
{
    if (key->_is_initialized) return 0;
    pthread_key_t made;
    if (pthread_key_create(&made, NULL)) return -1;
    key->_key = made;
    key->_is_initialized = 1;
    return 0;
}

void PyThread_tss_delete(Py_tss_t *key)
{
    if (!key->_is_initialized) return;
    pthread_key_delete((pthread_key_t)key->_key);
    key->_is_initialized = 0;
}

int PyThread_tss_set(Py_tss_t *key, void *value) { return pthread_setspecific((pthread_key_t)key->_key, value) ? -1 : 0; }
void *PyThread_tss_get(Py_tss_t *key) { return pthread_getspecific((pthread_key_t)key->_key); }

/* ---- sys.thread_info -------------------------------------------------------------------------------------------- */

static PyStructSequence_Field thread_info_fields[] = {
    {"name", "name of the thread implementation"}, {"lock", "name of the lock implementation"},
    {"version", "name and version of the thread library"}, {0}
};
static PyStructSequence_Desc thread_info_desc = {
    "sys.thread_info", "A named tuple holding information about the thread implementation.", thread_info_fields, 3
};

PyObject *PyThread_GetInfo(void)
{
    PyTypeObject *type = PyStructSequence_NewType(&thread_info_desc);
    if (!type) return NULL;
    PyObject *info = PyStructSequence_New(type);
    Py_DECREF(type);
    if (!info) return NULL;
    char version[64];
    size_t length = confstr(_CS_GNU_LIBPTHREAD_VERSION, version, sizeof version);
    PyStructSequence_SetItem(info, 0, PyUnicode_FromString("pthread"));
    PyStructSequence_SetItem(info, 1, PyUnicode_FromString("semaphore"));
    PyStructSequence_SetItem(info, 2, length > 0 && length < sizeof version ? PyUnicode_FromString(version) : Py_NewRef(Py_None));
    if (PyErr_Occurred()) Py_CLEAR(info);
    return info;
}
