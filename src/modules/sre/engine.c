/* The matching engine, once for each width of characters, and its stack. */
#include "sre_private.h"

#include <string.h>

static COLD bool matcher_grow_stack(Matcher *m)
{
    size_t capacity = m->stack_capacity ? m->stack_capacity * 2 : 64;
    Entry *stack = PyMem_Realloc(m->stack, capacity * sizeof *stack);
    if (!stack) return false;
    m->stack = stack;
    m->stack_capacity = capacity;
    return true;
}

static COLD bool matcher_grow_loops(Matcher *m)
{
    size_t capacity = m->loop_capacity ? m->loop_capacity * 2 : 16;
    Loop *loops = PyMem_Realloc(m->loops, capacity * sizeof *loops);
    if (!loops) return false;
    m->loops = loops;
    m->loop_capacity = capacity;
    return true;
}

static bool is_choice(EntryKind kind) { return kind <= CALL; }

/* Gives up the choices above base, and base itself; the trail stays, for whoever fails further out. */
static void matcher_cut(Matcher *m, size_t base)
{
    size_t to = base;
    for (size_t from = base + 1; from < m->stack_size; from++)
        if (!is_choice(m->stack[from].kind)) m->stack[to++] = m->stack[from];
    m->stack_size = to;
}

/* Takes back everything down to base. */
static void matcher_undo(Matcher *m, size_t base)
{
    while (m->stack_size > base) {
        Entry *e = &m->stack[--m->stack_size];
        switch (e->kind) {
        case OLD_MARK: m->marks[e->count] = e->at; break;
        case OLD_LAST: m->lastindex = (Py_ssize_t)e->link; break;
        case OLD_LOOP:
            m->loops[e->link].count = e->count;
            m->loops[e->link].last = e->at;
            break;
        case OLD_CURRENT: m->current = e->count; break;
        case NEW_LOOP: m->loop_count--; break;
        case CALL: m->current = e->count; break;
        default: break;
        }
    }
}

static void matcher_reset(Matcher *m)
{
    m->stack_size = m->loop_count = m->call = 0;
    m->current = 0;
    m->lastindex = -1;
    for (Py_ssize_t i = 0; i < m->mark_count; i++) m->marks[i] = NULL;
}

#define CHAR Py_UCS1
#define CHAR_BYTES 1
#define NAME(x) sre_##x##_1
#include "engine.h"
#undef CHAR
#undef CHAR_BYTES
#undef NAME

#define CHAR Py_UCS2
#define CHAR_BYTES 2
#define NAME(x) sre_##x##_2
#include "engine.h"
#undef CHAR
#undef CHAR_BYTES
#undef NAME

#define CHAR Py_UCS4
#define CHAR_BYTES 4
#define NAME(x) sre_##x##_4
#include "engine.h"
