/* _pickle: what its files share. Read in the order module, output, save, save_reduce, pickler; input, load, unpickler. */
#ifndef TAIPAN_MODULES_PICKLE_PRIVATE_H
#define TAIPAN_MODULES_PICKLE_PRIVATE_H

#include "runtime/state.h"
#include "modules/support.h"
#include "objects/instance.h"
#include "objects/list.h"
#include "objects/long.h"
#include "objects/tuple.h"

#include <string.h>

enum {
    PICKLE_HIGHEST = 5, PICKLE_DEFAULT = 4,
    FRAME_HEADER = 9, FRAME_SIZE_MIN = 4, FRAME_SIZE_TARGET = 64 * 1024,
    BATCH = 1000,                             /* items of one APPENDS, SETITEMS or ADDITEMS */
    OUTPUT_INITIAL = 4096, PREFETCH = 128 * 1024, FAST_NESTING_LIMIT = 50,
};

enum {
    OP_MARK = '(', OP_STOP = '.', OP_POP = '0', OP_POP_MARK = '1', OP_DUP = '2', OP_FLOAT = 'F', OP_INT = 'I', OP_BININT = 'J',
    OP_BININT1 = 'K', OP_BININT2 = 'M', OP_LONG = 'L', OP_NONE = 'N', OP_PERSID = 'P', OP_BINPERSID = 'Q', OP_REDUCE = 'R',
    OP_STRING = 'S', OP_BINSTRING = 'T', OP_SHORT_BINSTRING = 'U', OP_UNICODE = 'V', OP_BINUNICODE = 'X', OP_APPEND = 'a',
    OP_BUILD = 'b', OP_GLOBAL = 'c', OP_DICT = 'd', OP_EMPTY_DICT = '}', OP_APPENDS = 'e', OP_GET = 'g', OP_BINGET = 'h',
    OP_INST = 'i', OP_LONG_BINGET = 'j', OP_LIST = 'l', OP_EMPTY_LIST = ']', OP_OBJ = 'o', OP_PUT = 'p', OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r', OP_SETITEM = 's', OP_TUPLE = 't', OP_EMPTY_TUPLE = ')', OP_SETITEMS = 'u', OP_BINFLOAT = 'G',
    /* protocol 2 */
    OP_PROTO = 0x80, OP_NEWOBJ, OP_EXT1, OP_EXT2, OP_EXT4, OP_TUPLE1, OP_TUPLE2, OP_TUPLE3, OP_NEWTRUE, OP_NEWFALSE, OP_LONG1, OP_LONG4,
    /* protocol 3 */
    OP_BINBYTES = 'B', OP_SHORT_BINBYTES = 'C',
    /* protocol 4 */
    OP_SHORT_BINUNICODE = 0x8c, OP_BINUNICODE8, OP_BINBYTES8, OP_EMPTY_SET, OP_ADDITEMS, OP_FROZENSET, OP_NEWOBJ_EX, OP_STACK_GLOBAL,
    OP_MEMOIZE, OP_FRAME,
    /* protocol 5 */
    OP_BYTEARRAY8, OP_NEXT_BUFFER, OP_READONLY_BUFFER,
};

typedef struct PickleState {
    PyObject *error, *pickling_error, *unpickling_error;
    PyTypeObject *pickler_type, *unpickler_type, *pickler_memo_type, *unpickler_memo_type;
    PyObject *dispatch_table, *extension_registry, *inverted_registry, *extension_cache;          /* of copyreg */
    PyObject *names_2to3, *modules_2to3, *names_3to2, *modules_3to2;                              /* of _compat_pickle */
    PyObject *codecs_encode, *getattr, *partial;
} PickleState;

extern struct PyModuleDef pickle_module;

static inline PickleState *pickle_state_of(PyTypeObject *type) { return PyModule_GetState(PyType_GetModuleByDef(type, &pickle_module)); }

/* ---- the pickler's memo: address -> number, open addressing --------------------------------------------------------- */

typedef struct MemoEntry { PyObject *key; Py_ssize_t index; } MemoEntry;      /* key: strong, NULL when unused */

typedef struct Memo {
    MemoEntry *table;
    Py_ssize_t allocated, used;               /* a power of two; entries */
    Py_ssize_t next;                          /* number of the next object; some numbers have no entry (see save_plain) */
    bool owned;                               /* the table is to be freed */
    /* the instances that save_plain() last took: shape and what has to stay as it was */
    Shape *plain_shape;
    uint64_t plain_tag;
    uint32_t plain_version;
} Memo;

typedef struct Pickler {                      /* 152 bytes, as object.__sizeof__ tells */
    PyObject_HEAD
    Memo *memo;
    PyObject *persistent_id;                  /* while dumping: the method, NULL when it is the default one */
    PyObject *persistent_id_attr;             /* set by the user */
    PyObject *dispatch_table;                 /* NULL: copyreg's */
    PyObject *reducer_override;               /* while dumping */
    PyObject *write;                          /* NULL: everything stays in output */
    PyObject *output;                         /* bytes; NULL between dumps */
    Py_ssize_t used;                          /* of output */
    PickleState *state;
    int proto, bin, framing;
    Py_ssize_t frame_start;                   /* of the open frame in output, -1: none */
    Py_ssize_t reserved;
    int fast, fast_nesting, fix_imports;
    PyObject *fast_memo, *buffer_callback;
} Pickler;

#define PICKLER(o) ((Pickler *)(o))

/* ---- output.c ---- */

int memo_init(Memo *m);
void memo_clear(Memo *m);                     /* drops the entries */
void memo_fini(Memo *m);
int memo_grow(Memo *m);

static ALWAYS_INLINE size_t memo_hash(PyObject *o) { return (size_t)((uintptr_t)o * 0x9e3779b97f4a7c15u >> 32); }

/* Of an object that is saved soon: in a large pickle its entry is in no cache. */
static ALWAYS_INLINE void memo_prefetch(const Memo *m, PyObject *o) { __builtin_prefetch(&m->table[memo_hash(o) & ((size_t)m->allocated - 1)], 1); }

/* The entry of o, or the unused one where it belongs. Neighbours in memory are spread: what a pickle holds lies at regular
 * distances, which would meet again and again. */
static ALWAYS_INLINE MemoEntry *memo_find(const Memo *m, PyObject *o)
{
    size_t mask = (size_t)m->allocated - 1, i = memo_hash(o) & mask;
    for (;; i = (i + 1) & mask) {
        MemoEntry *e = &m->table[i];
        if (e->key == o || !e->key) return e;
    }
}

/* o into the entry that memo_find() gave, when nothing else went in since. */
static ALWAYS_INLINE int memo_fill(Memo *m, MemoEntry *e, PyObject *o)
{
    e->key = Py_NewRef(o);
    e->index = m->next++;
    if (UNLIKELY(++m->used * 3 >= m->allocated * 2)) return memo_grow(m);
    return 0;
}

char *output_reserve_slow(Pickler *p, Py_ssize_t n);
int output_start(Pickler *p);                 /* an empty buffer */
int output_close_frame(Pickler *p);
int output_boundary_slow(Pickler *p);
PyObject *output_take(Pickler *p);            /* what was written: NEW */
int output_flush(Pickler *p);                 /* to write() */
/* A header and much data, which may go to write() directly. payload: an object with just that data, or NULL. */
int output_bytes(Pickler *p, const char *header, Py_ssize_t n, const char *data, Py_ssize_t size, PyObject *payload);

/* Room for n bytes, which count as written. NULL with an exception. */
static ALWAYS_INLINE char *output_reserve(Pickler *p, Py_ssize_t n)
{
    if (UNLIKELY(n > PyBytes_GET_SIZE(p->output) - p->used || (p->framing && p->frame_start < 0))) return output_reserve_slow(p, n);
    char *at = PyBytes_AS_STRING(p->output) + p->used;
    p->used += n;
    return at;
}

static ALWAYS_INLINE int output_byte(Pickler *p, int op)
{
    char *at = output_reserve(p, 1);
    if (UNLIKELY(!at)) return -1;
    *at = (char)op;
    return 0;
}

static inline int output_write(Pickler *p, const void *data, Py_ssize_t n)
{
    char *at = output_reserve(p, n);
    if (UNLIKELY(!at)) return -1;
    memcpy(at, data, (size_t)n);
    return 0;
}

/* Between two instructions: a frame that is full ends here. */
static ALWAYS_INLINE int output_boundary(Pickler *p)
{
    if (LIKELY(!p->framing || p->frame_start < 0 || p->used - p->frame_start - FRAME_HEADER < FRAME_SIZE_TARGET)) return 0;
    return output_boundary_slow(p);
}

static inline void put_le16(char *at, uint16_t v) { memcpy(at, &v, 2); }     /* little-endian machines only */
static inline void put_le32(char *at, uint32_t v) { memcpy(at, &v, 4); }
static inline void put_le64(char *at, uint64_t v) { memcpy(at, &v, 8); }

/* ---- save.c, save_reduce.c ---- */

int save(Pickler *p, PyObject *o, bool as_persistent_id);
int memo_get(Pickler *p, Py_ssize_t index);
int memo_put(Pickler *p, PyObject *o);
int emit_put(Pickler *p, Py_ssize_t index);
/* 1: an instruction fetches o from the memo. 0: o is not in it. */
int save_known(Pickler *p, PyObject *o);
int save_batch_list(Pickler *p, PyObject *it);
int save_batch_dict(Pickler *p, PyObject *it);

/* The names that another Python has for a global, by the tables names and modules of _compat_pickle, which errors call
 * prefix ("", "REVERSE_") NAME_MAPPING and IMPORT_MAPPING. Replaces both. */
int pickle_rename(PyObject *names, PyObject *modules, const char *prefix, PyObject **module, PyObject **name);
int save_global(Pickler *p, PyObject *o, PyObject *name);
int save_type(Pickler *p, PyObject *o);
int save_reduced(Pickler *p, PyObject *args, PyObject *o);
/* reduced STOLEN, NULL is an error. */
int save_reduced_steal(Pickler *p, PyObject *reduced, PyObject *o);
/* An instance of a plain class without going through __reduce_ex__: 1 done, 0 not such an instance, -1. */
int save_plain(Pickler *p, PyObject *o, PyTypeObject *type);
/* module.a.b.c: NEW, and *parent what had the last attribute (NEW); NULL without exception: not there. */
PyObject *deep_attribute(PyObject *o, PyObject *path, PyObject **parent);
/* List of names; AttributeError for names of local objects. */
PyObject *dotted_path(PyObject *owner, PyObject *name);

/* ---- pickler.c, unpickler.c ---- */

int pickler_set_protocol(Pickler *p, PyObject *protocol, int fix_imports);
int pickler_set_stream(Pickler *p, PyObject *file);
int pickler_set_callback(Pickler *p, PyObject *callback);
int pickler_run(Pickler *p, PyObject *o, bool methods);

PyObject *pickler_memo_as_dict(const Pickler *p);

extern PyType_Spec pickler_spec, pickler_memo_spec, unpickler_spec, unpickler_memo_spec;

/* ---- memo_proxy.c ---- */

typedef struct MemoProxy { PyObject_HEAD PyObject *owner; } MemoProxy;       /* Pickler, Unpickler or NULL */
#define MEMO_PROXY(o) ((MemoProxy *)(o))

PyObject *memo_proxy_new(PyTypeObject *type, PyObject *owner);

/* ---- the unpickler --------------------------------------------------------------------------------------------------- */

enum { STACK_INITIAL = 32, MEMO_INITIAL = 32 };

typedef struct LoadStack {
    PyObject **data;
    Py_ssize_t count, allocated, fence;       /* fence: what lies below belongs to an outer mark */
    bool mark_set;
    bool custom_find_class;                   /* a subclass may have its own */
    PyObject *sparse;                         /* dict: memo numbers far beyond what the memo array holds */
    PickleState *state;
    /* classes whose instances load_build() fills without making a __dict__ */
    PyTypeObject *plain_type;
    uint32_t plain_version;
    PyObject *initial[STACK_INITIAL];
} LoadStack;

typedef struct Unpickler {                    /* 272 bytes */
    PyObject_HEAD
    LoadStack *stack;
    PyObject **memo;
    Py_ssize_t memo_size, memo_count;
    PyObject *persistent_load, *persistent_load_attr;
    Py_buffer buffer;
    const char *input;                        /* of buffer */
    char *line;                               /* a copy of the line read last */
    Py_ssize_t length, next, prefetched;      /* of input: bytes, next to read, already skipped in the file */
    PyObject *read, *readinto, *readline, *peek, *buffers;
    char *encoding, *errors;
    Py_ssize_t *marks, mark_count, marks_allocated;
    int proto, fix_imports;
} Unpickler;

#define UNPICKLER(o) ((Unpickler *)(o))

/* ---- input.c ---- */
int input_set_stream(Unpickler *u, PyObject *file);
Py_ssize_t input_set_buffer(Unpickler *u, PyObject *data);      /* its length, or -1 */
int input_skip_consumed(Unpickler *u);
const char *input_read_slow(Unpickler *u, Py_ssize_t n);
int input_read_into(Unpickler *u, char *to, Py_ssize_t n);
/* A line with its end, NUL-terminated, and its length; NULL with an exception. */
char *input_line(Unpickler *u, Py_ssize_t *length);
Py_ssize_t input_available(const Unpickler *u);
COLD int input_truncated(Unpickler *u);

/* n bytes, valid until the next call; NULL with an exception. */
static ALWAYS_INLINE const char *input_read(Unpickler *u, Py_ssize_t n)
{
    if (UNLIKELY(n > u->length - u->next)) return input_read_slow(u, n);
    const char *at = u->input + u->next;
    u->next += n;
    return at;
}

/* ---- load.c ---- */
PyObject *load_run(Unpickler *u);
PyObject *load_find_class(Unpickler *u, PyObject *module, PyObject *name);
void load_stack_clear(LoadStack *s, Py_ssize_t from);

/* ---- unpickler.c ---- */
int unpickler_setup(Unpickler *u, LoadStack *stack, PickleState *state);
void unpickler_fini(Unpickler *u);
PyObject *unpickler_memo_as_dict(const Unpickler *u);
int unpickler_clear_memo(Unpickler *u);
int unpickler_set_buffers(Unpickler *u, PyObject *buffers);
/* An argument that is a str without NUL: its text, or NULL with an exception; the default when o is NULL. */
const char *unpickler_text_argument(PyObject *o, const char *function, const char *name, const char *otherwise);

#endif
