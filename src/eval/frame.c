/* Frames: the chunked stack they live on, and how one ends.
 *
 * A frame starts on its thread's stack or inside a generator. When it ends while someone holds its frame object, its words
 * move into that object, so that locals stay to be seen. */
#include "eval/eval_private.h"

/* ---- the stack ------------------------------------------------------------------------------------------------------ */

enum { CHUNK_BYTES = 16 * 1024, CHUNK_HEAD_WORDS = offsetof(_PyStackChunk, data) / sizeof(PyObject *) };

/* Chunks come from the arena allocator, as in CPython: greenlet gives those of a dead greenlet back to it itself. A thread keeps
 * one chunk that it left, so that calls to and fro across an edge do not map and unmap memory. */
static _PyStackChunk *chunk_new(PyThreadState *ts, size_t bytes)
{
    _PyStackChunk *spare = ((Thread *)ts)->spare_chunk;
    if (spare && bytes == CHUNK_BYTES) {
        ((Thread *)ts)->spare_chunk = NULL;
        return spare;
    }
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    return arena.alloc(arena.ctx, bytes);
}

static void chunk_free(_PyStackChunk *chunk)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    arena.free(arena.ctx, chunk, chunk->size);
}

PyObject **frame_stack_grow(PyThreadState *ts, size_t words)
{
    size_t bytes = CHUNK_BYTES;
    while (bytes < (words + CHUNK_HEAD_WORDS + 1) * sizeof(PyObject *)) bytes *= 2;
    _PyStackChunk *chunk = chunk_new(ts, bytes);
    if (!chunk) {
        PyErr_NoMemory();
        return NULL;
    }
    if (ts->datastack_chunk) ts->datastack_chunk->top = (size_t)(ts->datastack_top - &ts->datastack_chunk->data[0]);
    chunk->previous = ts->datastack_chunk;
    chunk->size = bytes;
    chunk->top = 0;
    ts->datastack_chunk = chunk;
    ts->datastack_limit = (PyObject **)(void *)((char *)chunk + bytes);
    PyObject **base = &chunk->data[chunk->previous == NULL];     /* so that the first chunk is never given back by a pop */
    ts->datastack_top = base + words;
    return base;
}

void frame_stack_shrink(PyThreadState *ts)
{
    _PyStackChunk *chunk = ts->datastack_chunk, *previous = chunk->previous;
    ts->datastack_chunk = previous;
    ts->datastack_top = &previous->data[previous->top];
    ts->datastack_limit = (PyObject **)(void *)((char *)previous + previous->size);
    if (chunk->size == CHUNK_BYTES && !((Thread *)ts)->spare_chunk) ((Thread *)ts)->spare_chunk = chunk;
    else chunk_free(chunk);
}

void frame_stack_free(PyThreadState *ts)
{
    for (_PyStackChunk *chunk = ts->datastack_chunk, *previous; chunk; chunk = previous) {
        previous = chunk->previous;
        chunk_free(chunk);
    }
    if (((Thread *)ts)->spare_chunk) chunk_free(((Thread *)ts)->spare_chunk);
    ((Thread *)ts)->spare_chunk = NULL;
    ts->datastack_chunk = NULL;
    ts->datastack_top = ts->datastack_limit = NULL;
}

/* ---- how a frame ends ------------------------------------------------------------------------------------------------ */

void frame_copy(const Frame *from, Frame *to)
{
    assert(from->stacktop >= frame_code(from)->co_nlocalsplus);
    *to = *from;
    for (int i = 0; i < from->stacktop; i++) to->localsplus[i] = from->localsplus[i];
    to->previous = NULL;
}

static void frame_clear_locals(Frame *f)
{
    int n = f->stacktop;
    f->stacktop = 0;
    for (int i = 0; i < n; i++) Py_XDECREF(f->localsplus[i]);
    Py_CLEAR(f->f_locals);
}

static void frame_take_ownership(PyFrameObject *object, Frame *f)
{
    Frame *copy = (Frame *)(void *)object->_f_frame_data;
    Py_INCREF(f->f_executable);                        /* the old home keeps its reference to the code */
    memcpy(copy, f, (size_t)((char *)&f->localsplus[f->stacktop] - (char *)f));
    f = copy;
    f->owner = FRAME_OWNED_BY_FRAME_OBJECT;
    if (frame_is_incomplete(f)) f->instr_ptr = CODE_UNITS(f->f_executable) + frame_code(f)->_co_firsttraceable + 1;
    object->f_frame = f;
    /* A generator's frame links to its caller only while it runs; any other one may be asked for f_back later on. */
    Frame *previous = frame_first_complete(f->previous);
    f->previous = NULL;
    if (previous) {
        PyFrameObject *back = frame_object(previous);
        if (!back) PyErr_Clear();                      /* no memory: f_back is then None */
        else object->f_back = (PyFrameObject *)Py_NewRef(back);
    }
    if (!gc_is_tracked((PyObject *)object)) PyObject_GC_Track(object);
}

void frame_clear_except_code(Frame *f)
{
    PyFrameObject *object = f->frame_obj;
    if (object) {
        f->frame_obj = NULL;
        if (Py_REFCNT(object) > 1) {
            PyObject *exc = PyErr_GetRaisedException();
            frame_take_ownership(object, f);
            PyErr_SetRaisedException(exc);
            Py_DECREF(object);
            return;
        }
        Py_DECREF(object);
    }
    frame_clear_locals(f);
    Py_DECREF(f->f_funcobj);
}

int frame_traverse(Frame *f, visitproc visit, void *arg)
{
    Py_VISIT(f->frame_obj);
    Py_VISIT(f->f_locals);
    Py_VISIT(f->f_funcobj);
    Py_VISIT(f->f_executable);
    for (int i = 0; i < f->stacktop; i++) Py_VISIT(f->localsplus[i]);
    return 0;
}

static void leave_generator(PyThreadState *ts, Frame *f)
{
    PyGenObject *gen = frame_generator(f);
    gen->gi_frame_state = GEN_CLEARED;
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    frame_clear_except_code(f);
    f->previous = NULL;
}

void frame_leave_slow(PyThreadState *ts, Frame *f)
{
    if (f->owner == FRAME_OWNED_BY_GENERATOR) {
        leave_generator(ts, f);
        return;
    }
    PyObject *code = f->f_executable;
    frame_clear_except_code(f);
    Py_DECREF(code);
    frame_stack_pop(ts, f);
}

/* ---- what others ask ------------------------------------------------------------------------------------------------- */

int frame_line(Frame *f)
{
    PyCodeObject *co = frame_code(f);
    int at = frame_lasti_units(f);
    if (at >= 0 && at < Py_SIZE(co) && co->_co_monitoring && co->_co_monitoring->lines) return instrument_line_numbers(co)[at];
    return PyCode_Addr2Line(co, at * (int)sizeof(CodeUnit));
}

PyObject *PyUnstable_InterpreterFrame_GetCode(Frame *f) { return Py_NewRef(f->f_executable); }
int PyUnstable_InterpreterFrame_GetLasti(Frame *f) { return frame_lasti_units(f) * (int)sizeof(CodeUnit); }
int PyUnstable_InterpreterFrame_GetLine(Frame *f) { return frame_line(f); }

const PyTypeObject *const PyUnstable_ExecutableKinds[PyUnstable_EXECUTABLE_KINDS + 1] = {
    [PyUnstable_EXECUTABLE_KIND_PY_FUNCTION] = &PyCode_Type,
    [PyUnstable_EXECUTABLE_KIND_BUILTIN_FUNCTION] = &PyMethod_Type,
    [PyUnstable_EXECUTABLE_KIND_METHOD_DESCRIPTOR] = &PyMethodDescr_Type,
};
