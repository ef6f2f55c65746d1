/* Last step: instructions become bytes, with inline caches, EXTENDED_ARG and the direction of jumps; then the line table, the
 * exception table, the names of local slots, and the code object. */
#include "compile/compile_private.h"
#include "objects/code.h"

#define TRY(call) do { if ((call) < 0) return -1; } while (0)

/* ---- bytes that grow ---------------------------------------------------------------------------------------------- */

typedef struct Bytes { Pool *pool; uint8_t *data; Py_ssize_t used, capacity; } Bytes;

static int bytes_reserve(Bytes *b, Py_ssize_t extra)
{
    if (b->used + extra <= b->capacity) return 0;
    Py_ssize_t capacity = (b->used + extra) * 2 + 64;
    uint8_t *data = pool_alloc(b->pool, (size_t)capacity);
    if (!data) return -1;
    if (b->used) memcpy(data, b->data, (size_t)b->used);
    b->data = data;
    b->capacity = capacity;
    return 0;
}

static inline void bytes_put(Bytes *b, int byte) { b->data[b->used++] = (uint8_t)byte; }

/* ---- sizes and jumps ------------------------------------------------------------------------------------------------ */

static inline int arg_units(unsigned oparg) { return 1 + (oparg > 0xff) + (oparg > 0xffff) + (oparg > 0xffffff); }
static inline int instr_units(const OutInstr *in) { return arg_units((unsigned)in->oparg) + opcode_cache_units[in->opcode]; }

/* JUMP gets a direction; opargs stay indices. */
static void direct_jumps(OutList *list)
{
    for (int i = 0; i < list->used; i++) {
        OutInstr *in = &list->items[i];
        bool forward = in->oparg > i;
        if (in->opcode == JUMP) in->opcode = forward ? JUMP_FORWARD : JUMP_BACKWARD;
        else if (in->opcode == JUMP_NO_INTERRUPT) in->opcode = forward ? JUMP_FORWARD : JUMP_BACKWARD_NO_INTERRUPT;
    }
}

/* Distances depend on sizes, sizes on distances: repeated until nothing changes. The first guess, which decides where two sizes
 * would do, is the number of the target. Should sizes ever take turns, it begins anew with the smallest ones, which only grow. */
static int resolve_jumps(Backend *be, OutList *list)
{
    int *target = pool_alloc(&be->pool, (size_t)(list->used ? list->used : 1) * sizeof *target);
    if (!target) return -1;
    for (int i = 0; i < list->used; i++) {
        target[i] = list->items[i].oparg;
        if (!opcode_has_jump(list->items[i].opcode)) continue;
        if (target[i] < 0 || target[i] >= list->used) {
            PyErr_SetString(PyExc_ValueError, "jump target out of range");
            return -1;
        }
    }
    enum { MAX_ROUNDS = 100 };
    int rounds = 0;
    for (bool again = true; again; rounds++) {
        int offset = 0;
        for (int i = 0; i < list->used; i++) {
            if (rounds == MAX_ROUNDS && opcode_has_jump(list->items[i].opcode)) list->items[i].oparg = 0;
            list->items[i].offset = offset;
            offset += instr_units(&list->items[i]);
        }
        again = false;
        offset = 0;
        for (int i = 0; i < list->used; i++) {
            OutInstr *in = &list->items[i];
            int size = instr_units(in);
            offset += size;
            if (!opcode_has_jump(in->opcode)) continue;
            int to = list->items[target[i]].offset;
            bool backward = opcode_info[in->opcode].operand == OPERAND_BACKWARD;
            in->oparg = backward ? offset - to : to - offset;
            if (in->oparg < 0) {
                PyErr_SetString(PyExc_ValueError, "jump in the wrong direction");
                return -1;
            }
            if (instr_units(in) != size) again = true;
        }
    }
    return 0;
}

static PyObject *write_code(OutList *list)
{
    Py_ssize_t units = 0;
    for (int i = 0; i < list->used; i++) units += instr_units(&list->items[i]);
    PyObject *code = PyBytes_FromStringAndSize(NULL, units * 2);
    if (!code) return NULL;
    uint8_t *p = (uint8_t *)PyBytes_AS_STRING(code);
    for (int i = 0; i < list->used; i++) {
        const OutInstr *in = &list->items[i];
        unsigned arg = (unsigned)in->oparg;
        for (int k = arg_units(arg) - 1; k > 0; k--) {
            *p++ = EXTENDED_ARG;
            *p++ = (uint8_t)(arg >> (8 * k));
        }
        *p++ = (uint8_t)in->opcode;
        *p++ = (uint8_t)arg;
        for (int k = opcode_cache_units[in->opcode]; k > 0; k--) {
            *p++ = CACHE;
            *p++ = 0;
        }
    }
    return code;
}

/* ---- line table: one entry for up to eight units with the same place, in the shortest of five forms ------------------------- */

static void put_varint(Bytes *b, unsigned value)
{
    for (; value >= 64; value >>= 6) bytes_put(b, 0x40 | (value & 63));
    bytes_put(b, (int)value);
}

static void put_signed(Bytes *b, int value) { put_varint(b, value < 0 ? (0u - (unsigned)value) << 1 | 1 : (unsigned)value << 1); }
static void put_head(Bytes *b, int kind, int units) { bytes_put(b, 0x80 | kind << 3 | (units - 1)); }

static int put_location(Bytes *b, Location loc, int units, int *line)
{
    TRY(bytes_reserve(b, 40));
    if (loc.lineno < 0) {
        put_head(b, PY_CODE_LOCATION_INFO_NONE, units);
        return 0;
    }
    int delta = loc.lineno - *line, column = loc.col_offset, end = loc.end_col_offset;
    *line = loc.lineno;
    if (column < 0 || end < 0) {
        if (loc.end_lineno == loc.lineno || loc.end_lineno < 0) {
            put_head(b, PY_CODE_LOCATION_INFO_NO_COLUMNS, units);
            put_signed(b, delta);
            return 0;
        }
    }
    else if (loc.end_lineno == loc.lineno) {
        if (delta == 0 && column < 80 && end - column < 16 && end >= column) {
            put_head(b, PY_CODE_LOCATION_INFO_SHORT0 + (column >> 3), units);
            bytes_put(b, (column & 7) << 4 | (end - column));
            return 0;
        }
        if (delta >= 0 && delta < 3 && column < 128 && end < 128) {
            put_head(b, PY_CODE_LOCATION_INFO_ONE_LINE0 + delta, units);
            bytes_put(b, column);
            bytes_put(b, end);
            return 0;
        }
    }
    put_head(b, PY_CODE_LOCATION_INFO_LONG, units);
    put_signed(b, delta);
    put_varint(b, (unsigned)(loc.end_lineno - loc.lineno));
    put_varint(b, (unsigned)(column + 1));
    put_varint(b, (unsigned)(end + 1));
    return 0;
}

static int put_locations(Bytes *b, Location loc, int units, int *line)
{
    for (; units > 8; units -= 8) TRY(put_location(b, loc, 8, line));
    return units ? put_location(b, loc, units, line) : 0;
}

static PyObject *write_lines(Backend *be, OutList *list, int first_line)
{
    Bytes b = { .pool = &be->pool };
    for (int i = list->used - 1; i >= 0; i--) {        /* what waited for the place of the next one */
        OutInstr *in = &list->items[i];
        if (in->loc.lineno != NEXT_LINE) continue;
        in->loc = i + 1 < list->used && !opcode_no_fallthrough(in->opcode) && !opcode_has_jump(in->opcode) ? in[1].loc : NO_LOCATION;
    }
    Location loc = NO_LOCATION;
    int units = 0, line = first_line;
    for (int i = 0; i < list->used; i++) {
        OutInstr *in = &list->items[i];
        if (!location_equal(loc, in->loc)) {
            if (put_locations(&b, loc, units, &line) < 0) return NULL;
            loc = in->loc;
            units = 0;
        }
        units += instr_units(in);
    }
    if (put_locations(&b, loc, units, &line) < 0) return NULL;
    return PyBytes_FromStringAndSize((char *)b.data, b.used);
}

/* ---- exception table ------------------------------------------------------------------------------------------------ */

/* Six bits a byte, the most significant first; `start` marks the first byte of an entry. */
static void put_big_endian(Bytes *b, unsigned value, int start)
{
    for (int shift = 24; shift > 0; shift -= 6) {
        if (value < 1u << shift) continue;
        bytes_put(b, (int)((value >> shift) & 63) | 0x40 | start);
        start = 0;
    }
    bytes_put(b, (int)(value & 63) | start);
}

static int put_handler(Bytes *b, const OutList *list, const OutInstr *first, int start, int end)
{
    TRY(bytes_reserve(b, 32));
    int depth = first->handler_depth - 1 - first->preserve_lasti;
    put_big_endian(b, (unsigned)start, 0x80);
    put_big_endian(b, (unsigned)(end - start), 0);
    put_big_endian(b, (unsigned)list->items[first->handler].offset, 0);
    put_big_endian(b, (unsigned)depth << 1 | first->preserve_lasti, 0);
    return 0;
}

static PyObject *write_handlers(Backend *be, OutList *list)
{
    Bytes b = { .pool = &be->pool };
    const OutInstr *first = NULL;                      /* of the current range */
    int start = 0, offset = 0;
    for (int i = 0; i < list->used; i++) {
        const OutInstr *in = &list->items[i];
        if ((first ? first->handler : -1) != in->handler) {
            if (first && put_handler(&b, list, first, start, offset) < 0) return NULL;
            start = offset;
            first = in->handler >= 0 ? in : NULL;
        }
        offset += instr_units(in);
    }
    if (first && put_handler(&b, list, first, start, offset) < 0) return NULL;
    return PyBytes_FromStringAndSize((char *)b.data, b.used);
}

/* ---- the code object --------------------------------------------------------------------------------------------------- */

static PyObject *merged(Backend *be, PyObject *value) { return const_cache_merge(be->consts, value); }

static PyObject *const_tuple(const CodeMeta *meta)
{
    PyObject *consts = PyTuple_New(meta->consts_count);
    if (!consts) return NULL;
    for (int i = 0; i < meta->consts_count; i++) PyTuple_SET_ITEM(consts, i, Py_NewRef(meta->consts[i]));
    return consts;
}

/* Variables, then cells that are no variables, then free variables, with what each is. New references. */
static int write_variables(const CodeMeta *meta, int slots, PyObject **names, PyObject **kinds)
{
    PyObject *tuple = *names = PyTuple_New(slots), *bytes = *kinds = PyBytes_FromStringAndSize(NULL, slots);
    if (!tuple || !bytes) return -1;
    char *kind = PyBytes_AS_STRING(bytes);
    int at = 0;
    for (int i = 0; i < meta->varnames.count && at < slots; i++, at++) {
        PyObject *name = meta->varnames.keys[i];
        PyTuple_SET_ITEM(tuple, at, Py_NewRef(name));
        kind[at] = CO_FAST_LOCAL | (namemap_has(&meta->fasthidden, name) ? CO_FAST_HIDDEN : 0) |
                   (namemap_has(&meta->cellvars, name) ? CO_FAST_CELL : 0);
    }
    for (int i = 0; i < meta->cellvars.count && at < slots; i++) {
        if (namemap_has(&meta->varnames, meta->cellvars.keys[i])) continue;
        PyTuple_SET_ITEM(tuple, at, Py_NewRef(meta->cellvars.keys[i]));
        kind[at++] = CO_FAST_CELL;
    }
    for (int i = 0; i < meta->freevars.count && at < slots; i++) {
        PyTuple_SET_ITEM(tuple, at, Py_NewRef(meta->freevars.keys[i]));
        kind[at++] = (char)CO_FAST_FREE;
    }
    if (at == slots) return 0;
    PyErr_SetString(PyExc_SystemError, "the compiler and the code object disagree about local variables");
    return -1;
}

/* What goes through `merged` is one object for all code of a compilation: marshal tells by the reference count. */
PyObject *assemble_code(Backend *be, CodeMeta *meta, OutList *list, int stackdepth, int nlocalsplus, int code_flags, PyObject *filename)
{
    PyObject *result = NULL, *variables, *kinds, *code = NULL;
    direct_jumps(list);
    if (resolve_jumps(be, list) < 0) return NULL;
    CodeParts parts = {
        .filename = filename, .name = meta->name, .qualname = meta->qualname, .flags = code_flags, .firstlineno = meta->firstlineno,
        .argcount = meta->posonlyargcount + meta->argcount, .posonlyargcount = meta->posonlyargcount,
        .kwonlyargcount = meta->kwonlyargcount, .stacksize = stackdepth };
    if (!(parts.exceptiontable = merged(be, write_handlers(be, list)))) return NULL;          /* borrowed from the cache */
    if (!(parts.linetable = merged(be, write_lines(be, list, meta->firstlineno)))) return NULL;
    if (!(parts.names = merged(be, namemap_keys(&meta->names)))) return NULL;
    if (!(parts.consts = merged(be, const_tuple(meta)))) return NULL;
    if (write_variables(meta, nlocalsplus, &variables, &kinds) < 0) Py_XDECREF(variables);
    else if ((parts.localsplusnames = merged(be, variables)) && (parts.code = code = write_code(list))) {
        parts.localspluskinds = kinds;
        result = code_new(&parts);
    }
    Py_XDECREF(kinds);
    Py_XDECREF(code);
    return result;
}
