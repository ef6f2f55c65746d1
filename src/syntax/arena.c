/* The arena of a syntax tree: memory that only grows, and references that are dropped all at once.
 *
 * Blocks are taken from the raw-ish PyMem domain in growing chunks; a request larger than a chunk gets one of its own.
 * Everything is handed out zeroed, so that optional fields need not be written. */
#include "syntax/syntax.h"

enum { CHUNK_MIN = 4096, CHUNK_MAX = 256 * 1024 };

typedef struct Chunk {
    struct Chunk *next;
    size_t size;
    _Alignas(8) char data[];
} Chunk;

struct Arena {
    char *free;                                            /* the next byte to hand out */
    char *end;
    Chunk *chunks;                                         /* the newest first */
    PyObject **owned;
    Py_ssize_t owned_count, owned_room;
    size_t next_chunk;
};

Arena *arena_new(void)
{
    Arena *arena = PyMem_Calloc(1, sizeof *arena);
    if (!arena) return (Arena *)PyErr_NoMemory();
    arena->next_chunk = CHUNK_MIN;
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena) return;
    for (Py_ssize_t i = 0; i < arena->owned_count; i++) Py_DECREF(arena->owned[i]);
    PyMem_Free(arena->owned);
    for (Chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        PyMem_Free(chunk);
    }
    PyMem_Free(arena);
}

static NOINLINE void *arena_alloc_slow(Arena *arena, size_t size)
{
    bool alone = size > arena->next_chunk / 4;
    size_t room = alone ? size : arena->next_chunk;
    if (room > PY_SSIZE_T_MAX - sizeof(Chunk)) return PyErr_NoMemory();
    Chunk *chunk = PyMem_Calloc(1, sizeof(Chunk) + room);
    if (!chunk) return PyErr_NoMemory();
    chunk->size = room;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    if (alone) return chunk->data;                         /* the chunk in use stays in use */
    if (arena->next_chunk < CHUNK_MAX) arena->next_chunk *= 2;
    arena->free = chunk->data + size;
    arena->end = chunk->data + room;
    return chunk->data;
}

void *arena_alloc(Arena *arena, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (UNLIKELY(size > (size_t)(arena->end - arena->free))) return arena_alloc_slow(arena, size);
    void *block = arena->free;
    arena->free += size;
    return block;
}

int arena_own(Arena *arena, PyObject *object)
{
    if (!object) return -1;
    if (arena->owned_count == arena->owned_room) {
        Py_ssize_t room = arena->owned_room ? arena->owned_room * 2 : 64;
        PyObject **owned = PyMem_Realloc(arena->owned, (size_t)room * sizeof *owned);
        if (!owned) {
            Py_DECREF(object);
            PyErr_NoMemory();
            return -1;
        }
        arena->owned = owned;
        arena->owned_room = room;
    }
    arena->owned[arena->owned_count++] = object;
    return 0;
}

void *seq_new_(Arena *arena, Py_ssize_t size, size_t item_size)
{
    if (size > (Py_ssize_t)((PY_SSIZE_T_MAX - sizeof(any_seq)) / item_size)) return PyErr_NoMemory();
    any_seq *seq = arena_alloc(arena, sizeof(any_seq) + (size_t)size * item_size);
    if (seq) seq->size = size;
    return seq;
}

PyObject *tree_docstring(stmt_seq *body)
{
    if (!seq_len(body) || body->items[0]->kind != Expr_kind) return NULL;
    expr_ty e = body->items[0]->v.Expr.value;
    return e->kind == Constant_kind && PyUnicode_CheckExact(e->v.Constant.value) ? e->v.Constant.value : NULL;
}
