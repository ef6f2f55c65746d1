/* Choosing specialised forms of instructions (PEP 659). Each function either writes one over the instruction, or makes its counter
 * wait longer before the next attempt. */
#include "eval/eval_private.h"
#include "objects/instance.h"
#include "objects/dict.h"

enum { COUNTER_COOLDOWN = 52 << 4 };

/* Doubles the wait: 2^backoff - 1 executions. */
static void back_off(CodeUnit *at)
{
    unsigned backoff = at[1].cache & 15;
    if (backoff < 12) backoff++;
    at[1].cache = (uint16_t)(((1u << backoff) - 1) << 4 | backoff);
}

static void specialize_to(CodeUnit *at, int opcode)
{
    at->op.code = (uint8_t)opcode;
    at[1].cache = COUNTER_COOLDOWN;
}

void specialize_load_attr(PyObject *owner, CodeUnit *at, PyObject *name) { back_off(at); }
void specialize_store_attr(PyObject *owner, CodeUnit *at, PyObject *name) { back_off(at); }
void specialize_load_global(Frame *f, CodeUnit *at, PyObject *name) { back_off(at); }
void specialize_load_super_attr(PyObject *super, PyObject *cls, CodeUnit *at, bool method) { back_off(at); }
void specialize_binary_op(PyObject *a, PyObject *b, CodeUnit *at, int op, PyObject **locals) { back_off(at); }
void specialize_compare_op(PyObject *a, PyObject *b, CodeUnit *at, int oparg) { back_off(at); }
void specialize_binary_subscr(PyObject *container, PyObject *key, CodeUnit *at) { back_off(at); }
void specialize_store_subscr(PyObject *container, PyObject *key, CodeUnit *at) { back_off(at); }
void specialize_contains_op(PyObject *container, CodeUnit *at) { back_off(at); }
void specialize_to_bool(PyObject *value, CodeUnit *at) { back_off(at); }
void specialize_unpack_sequence(PyObject *seq, CodeUnit *at, int count) { back_off(at); }
void specialize_for_iter(PyObject *iter, CodeUnit *at, int oparg) { if (0) specialize_to(at, FOR_ITER_LIST); back_off(at); }
void specialize_send(PyObject *receiver, CodeUnit *at) { back_off(at); }
void specialize_call(PyThreadState *ts, PyObject *callable, PyObject *self_or_null, CodeUnit *at, int nargs) { back_off(at); }
