/* co_linetable and co_exceptiontable: where instructions come from and who handles their exceptions.
 *
 * An entry of the line table begins with a byte 1kkkklll: kind k, length l + 1 in code units. What follows has the top bit
 * clear: signed and unsigned numbers in groups of six bits, least significant first, bit 6 says that more follow. */
#include "runtime/state.h"
#include "objects/code.h"
#include "objects/code_private.h"
#include "objects/types_extern.h"

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

static unsigned read_number(const uint8_t **p, const uint8_t *limit)
{
    unsigned value = 0, shift = 0, byte;
    do {
        if (*p >= limit) break;
        byte = *(*p)++;
        value |= (byte & 63) << shift;
        shift += 6;
    } while (byte & 64 && shift < 32);
    return value;
}

static int to_signed(unsigned value) { return value & 1 ? -(int)(value >> 1) : (int)(value >> 1); }

static int entry_kind(const uint8_t *p) { return *p >> 3 & 15; }
static int entry_bytes(const uint8_t *p) { return ((*p & 7) + 1) * (int)sizeof(CodeUnit); }

static int entry_line_delta(const uint8_t *p, const uint8_t *limit)
{
    switch (entry_kind(p)) {
    case PY_CODE_LOCATION_INFO_NO_COLUMNS:
    case PY_CODE_LOCATION_INFO_LONG:
        p++;
        return to_signed(read_number(&p, limit));
    case PY_CODE_LOCATION_INFO_ONE_LINE1: return 1;
    case PY_CODE_LOCATION_INFO_ONE_LINE2: return 2;
    default: return 0;
    }
}

/* ---- ranges -------------------------------------------------------------------------------------------------------- */

void code_lines_begin(PyCodeAddressRange *r, PyCodeObject *co)
{
    r->opaque.lo_next = (const uint8_t *)PyBytes_AS_STRING(co->co_linetable);
    r->opaque.limit = r->opaque.lo_next + PyBytes_GET_SIZE(co->co_linetable);
    r->opaque.computed_line = co->co_firstlineno;
    r->ar_start = -1;
    r->ar_end = 0;
    r->ar_line = -1;
}

bool code_lines_next(PyCodeAddressRange *r)
{
    const uint8_t *p = r->opaque.lo_next, *limit = r->opaque.limit;
    if (p >= limit) return false;
    r->opaque.computed_line += entry_line_delta(p, limit);
    r->ar_line = entry_kind(p) == PY_CODE_LOCATION_INFO_NONE ? -1 : r->opaque.computed_line;
    r->ar_start = r->ar_end;
    r->ar_end += entry_bytes(p);
    do p++; while (p < limit && !(*p & 128));
    r->opaque.lo_next = p;
    return true;
}

/* The entry before; false at the first. */
static bool lines_previous(PyCodeAddressRange *r)
{
    if (r->ar_start <= 0) return false;
    const uint8_t *p = r->opaque.lo_next, *limit = r->opaque.limit;
    do p--; while (!(*p & 128));
    r->opaque.computed_line -= entry_line_delta(p, limit);
    r->opaque.lo_next = p;
    r->ar_end = r->ar_start;
    do p--; while (!(*p & 128));
    r->ar_start = r->ar_end - entry_bytes(p);
    r->ar_line = entry_kind(p) == PY_CODE_LOCATION_INFO_NONE ? -1 : r->opaque.computed_line;
    return true;
}

int _PyCode_CheckLineNumber(int lasti, PyCodeAddressRange *r)
{
    while (r->ar_end <= lasti)
        if (!code_lines_next(r)) return -1;
    while (r->ar_start > lasti)
        if (!lines_previous(r)) return -1;
    return r->ar_line;
}

int PyCode_Addr2Line(PyCodeObject *co, int offset)
{
    if (offset < 0) return co->co_firstlineno;
    PyCodeAddressRange r;
    code_lines_begin(&r, co);
    return _PyCode_CheckLineNumber(offset, &r);
}

typedef struct Position { int line, end_line, column, end_column; } Position;

/* Details of the entry at p, whose line is known (columns are kept from 1 in the long form). */
static Position entry_position(const uint8_t *p, const uint8_t *limit, int line)
{
    Position at = {line, line, -1, -1};
    int kind = entry_kind(p);
    p++;
    switch (kind) {
    case PY_CODE_LOCATION_INFO_NONE:
        at.line = at.end_line = -1;
        break;
    case PY_CODE_LOCATION_INFO_LONG:
        (void)read_number(&p, limit);
        at.end_line = line + (int)read_number(&p, limit);
        at.column = (int)read_number(&p, limit) - 1;
        at.end_column = (int)read_number(&p, limit) - 1;
        break;
    case PY_CODE_LOCATION_INFO_NO_COLUMNS:
        break;
    case PY_CODE_LOCATION_INFO_ONE_LINE0:
    case PY_CODE_LOCATION_INFO_ONE_LINE1:
    case PY_CODE_LOCATION_INFO_ONE_LINE2:
        if (p + 1 < limit) {
            at.column = p[0];
            at.end_column = p[1];
        }
        break;
    default:
        if (p < limit) {
            at.column = kind << 3 | *p >> 4;
            at.end_column = at.column + (*p & 15);
        }
    }
    return at;
}

int PyCode_Addr2Location(PyCodeObject *co, int offset, int *line, int *column, int *end_line, int *end_column)
{
    if (offset < 0) {
        *line = *end_line = co->co_firstlineno;
        *column = *end_column = 0;
        return 1;
    }
    PyCodeAddressRange r;
    code_lines_begin(&r, co);
    const uint8_t *entry = r.opaque.lo_next;
    while (code_lines_next(&r)) {
        if (r.ar_end > offset) {
            Position at = entry_position(entry, r.opaque.limit, r.opaque.computed_line);
            *line = at.line;
            *column = at.column;
            *end_line = at.end_line;
            *end_column = at.end_column;
            return 1;
        }
        entry = r.opaque.lo_next;
    }
    *line = *column = *end_line = *end_column = -1;
    return 1;
}

/* The table of Python 3.9: pairs of byte increments. */
PyObject *code_lnotab(PyCodeObject *co)
{
    PyCodeAddressRange r;
    code_lines_begin(&r, co);
    PyObject *pairs = PyByteArray_FromStringAndSize(NULL, 0), *result = NULL;
    if (!pairs) return NULL;
    int code = 0, line = co->co_firstlineno;
    while (code_lines_next(&r)) {
        if (r.ar_line < 0 || r.ar_line == line) continue;
        int step = r.ar_start - code, delta = r.ar_line - line;
        while (step || delta) {
            int s = step > 255 ? 255 : step;
            step -= s;
            int d = step ? 0 : delta < -128 ? -128 : delta > 127 ? 127 : delta;
            delta -= d;
            Py_ssize_t n = PyByteArray_GET_SIZE(pairs);
            if (PyByteArray_Resize(pairs, n + 2) < 0) goto done;
            PyByteArray_AS_STRING(pairs)[n] = (char)s;
            PyByteArray_AS_STRING(pairs)[n + 1] = (char)d;
        }
        code = r.ar_start;
        line = r.ar_line;
    }
    result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(pairs), PyByteArray_GET_SIZE(pairs));
done:
    Py_DECREF(pairs);
    return result;
}

/* ---- exception table ----------------------------------------------------------------------------------------------- */

static const uint8_t *read_big_endian(const uint8_t *p, const uint8_t *limit, int *value)
{
    int v = 0;
    while (p < limit) {
        int byte = *p++;
        v = v << 6 | (byte & 63);
        if (!(byte & 64)) break;
    }
    *value = v;
    return p;
}

/* Entries are sorted by start, the first byte of each has bit 7 set: start, length, target, depth << 1 | lasti. */
int code_find_handler(PyCodeObject *co, int unit, int *target, int *depth, int *push_lasti)
{
    const uint8_t *low = (const uint8_t *)PyBytes_AS_STRING(co->co_exceptiontable);
    const uint8_t *limit = low + PyBytes_GET_SIZE(co->co_exceptiontable), *high = limit;
    int value;
    while (high - low > 40) {                        /* binary search while the table is long */
        const uint8_t *middle = low + ((high - low) >> 1);
        while (middle > low && !(*middle & 128)) middle--;
        if (middle == low) break;
        read_big_endian(middle, limit, &value);
        if (value > unit) high = middle;
        else low = middle;
    }
    while (low < limit) {
        int start, length, at, info;
        low = read_big_endian(low, limit, &start);
        if (start > unit) return 0;
        low = read_big_endian(low, limit, &length);
        low = read_big_endian(low, limit, &at);
        low = read_big_endian(low, limit, &info);
        if (start + length > unit) {
            *target = at;
            *depth = info >> 1;
            *push_lasti = info & 1;
            return 1;
        }
    }
    return 0;
}

/* ---- iterators ----------------------------------------------------------------------------------------------------- */

typedef struct LineIterator { PyObject_HEAD PyCodeObject *code; PyCodeAddressRange range; bool more; } LineIterator;

static void line_iterator_dealloc(LineIterator *it)
{
    Py_DECREF(it->code);
    Py_TYPE(it)->tp_free(it);
}

/* Neighbours of the same line are one range. */
static PyObject *line_iterator_next(LineIterator *it)
{
    if (!it->more) return NULL;
    int start = it->range.ar_start, end = it->range.ar_end, line = it->range.ar_line;
    while ((it->more = code_lines_next(&it->range)) && it->range.ar_line == line) end = it->range.ar_end;
    PyObject *at = line < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(line);
    return at ? Py_BuildValue("iiN", start, end, at) : NULL;
}

PyTypeObject code_line_iterator_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "line_iterator",
    .tp_basicsize = sizeof(LineIterator),
    .tp_dealloc = (destructor)line_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)line_iterator_next,
    .tp_free = PyObject_Free,
};

PyObject *code_line_iterator(PyCodeObject *co)
{
    LineIterator *it = PyObject_New(LineIterator, &code_line_iterator_type);
    if (!it) return NULL;
    it->code = (PyCodeObject *)Py_NewRef(co);
    code_lines_begin(&it->range, co);
    it->more = code_lines_next(&it->range);
    return (PyObject *)it;
}

typedef struct PositionIterator {
    PyObject_HEAD
    PyCodeObject *code;
    PyCodeAddressRange range;
    const uint8_t *entry;
    int offset;
} PositionIterator;

static void position_iterator_dealloc(PositionIterator *it)
{
    Py_DECREF(it->code);
    Py_TYPE(it)->tp_free(it);
}

static PyObject *number_or_none(int value) { return value < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(value); }

static PyObject *position_iterator_next(PositionIterator *it)
{
    if (it->offset >= it->range.ar_end) {
        const uint8_t *entry = it->range.opaque.lo_next;
        if (!code_lines_next(&it->range)) return NULL;
        it->entry = entry;
    }
    it->offset += (int)sizeof(CodeUnit);
    Position at = entry_position(it->entry, it->range.opaque.limit, it->range.opaque.computed_line);
    PyObject *tuple = PyTuple_New(4);
    if (!tuple) return NULL;
    int numbers[4] = {at.line, at.end_line, at.column, at.end_column};
    for (int i = 0; i < 4; i++) {
        PyObject *number = number_or_none(numbers[i]);
        if (!number) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, i, number);
    }
    return tuple;
}

PyTypeObject code_position_iterator_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "positions_iterator",
    .tp_basicsize = sizeof(PositionIterator),
    .tp_dealloc = (destructor)position_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)position_iterator_next,
    .tp_free = PyObject_Free,
};

PyObject *code_position_iterator(PyCodeObject *co)
{
    PositionIterator *it = PyObject_New(PositionIterator, &code_position_iterator_type);
    if (!it) return NULL;
    it->code = (PyCodeObject *)Py_NewRef(co);
    code_lines_begin(&it->range, co);
    it->offset = it->range.ar_end;
    it->entry = NULL;
    return (PyObject *)it;
}
