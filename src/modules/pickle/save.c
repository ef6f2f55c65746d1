/* Saving objects: the built-in types. What is left goes to save_reduce.c.
 *
 * Where code of the user may run (write(), persistent_id(), __reduce_ex__, a hostile iterator) nothing of the memo or the
 * output is kept in local variables, and every object that is being looked at is owned. */
#include "pickle_private.h"

/* ---- memo ------------------------------------------------------------------------------------------------------------ */

static COLD int memo_error(Pickler *p, const char *text)
{
    PyErr_SetString(p->state->pickling_error, text);
    return -1;
}

int memo_get(Pickler *p, Py_ssize_t index)
{
    if (UNLIKELY(!p->bin)) {
        char text[32];
        int n = PyOS_snprintf(text, sizeof text, "g%zd\n", index);
        return output_write(p, text, n);
    }
    if (index < 256) {
        char *at = output_reserve(p, 2);
        if (!at) return -1;
        at[0] = OP_BINGET;
        at[1] = (char)index;
        return 0;
    }
    if ((size_t)index > 0xffffffff) return memo_error(p, "memo id too large for LONG_BINGET");
    char *at = output_reserve(p, 5);
    if (!at) return -1;
    at[0] = OP_LONG_BINGET;
    put_le32(at + 1, (uint32_t)index);
    return 0;
}

int emit_put(Pickler *p, Py_ssize_t index)
{
    if (LIKELY(p->proto >= 4)) return output_byte(p, OP_MEMOIZE);
    if (!p->bin) {
        char text[32];
        int n = PyOS_snprintf(text, sizeof text, "p%zd\n", index);
        return output_write(p, text, n);
    }
    if (index < 256) {
        char *at = output_reserve(p, 2);
        if (!at) return -1;
        at[0] = OP_BINPUT;
        at[1] = (char)index;
        return 0;
    }
    if ((size_t)index > 0xffffffff) return memo_error(p, "memo id too large for LONG_BINPUT");
    char *at = output_reserve(p, 5);
    if (!at) return -1;
    at[0] = OP_LONG_BINPUT;
    put_le32(at + 1, (uint32_t)index);
    return 0;
}

int memo_put(Pickler *p, PyObject *o)
{
    if (UNLIKELY(p->fast)) return 0;
    Memo *m = p->memo;
    MemoEntry *e = memo_find(m, o);
    Py_ssize_t index = m->next;
    if (UNLIKELY(e->key != NULL)) {           /* code of the user saved it meanwhile: the later one counts */
        e->index = index;
        m->next++;
    }
    else if (memo_fill(m, e, o) < 0) return -1;
    return emit_put(p, index);
}

int save_known(Pickler *p, PyObject *o)
{
    MemoEntry *e = memo_find(p->memo, o);
    if (!e->key) return 0;
    return memo_get(p, e->index) < 0 ? -1 : 1;
}

/* Calls what a field holds, which the call may replace. */
static PyObject *call_held(PyObject *function, PyObject *o)
{
    Py_INCREF(function);
    PyObject *result = PyObject_CallOneArg(function, o);
    Py_DECREF(function);
    return result;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

static int save_bool(Pickler *p, bool value)
{
    if (p->proto >= 2) return output_byte(p, value ? OP_NEWTRUE : OP_NEWFALSE);
    return output_write(p, value ? "I01\n" : "I00\n", 4);
}

static NOINLINE int save_long_text(Pickler *p, PyObject *o, bool small)
{
    PyObject *text = PyObject_Repr(o);
    if (!text) return -1;
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    char *at = output_reserve(p, n + (small ? 2 : 3));
    if (at) {
        at[0] = small ? OP_INT : OP_LONG;
        memcpy(at + 1, PyUnicode_DATA(text), (size_t)n);
        memcpy(at + 1 + n, small ? "\n" : "L\n", small ? 1 : 2);
    }
    Py_DECREF(text);
    return at ? 0 : -1;
}

static NOINLINE int save_long_big(Pickler *p, PyObject *o)
{
    if (p->proto < 2) return save_long_text(p, o, false);
    Py_ssize_t n = PyLong_AsNativeBytes(o, NULL, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    if (n < 0) return -1;
    if (n > 0x7fffffff) {
        PyErr_SetString(PyExc_OverflowError, "int too large to pickle");
        return -1;
    }
    unsigned char small[64], *bytes = n + 1 <= (Py_ssize_t)sizeof small ? small : PyMem_Malloc((size_t)n + 1);
    if (!bytes) {
        PyErr_NoMemory();
        return -1;
    }
    int status = -1;
    if (PyLong_AsNativeBytes(o, bytes, n, Py_ASNATIVEBYTES_LITTLE_ENDIAN) >= 0) {
        /* as few bytes as hold value and sign */
        while (n > 1 && ((bytes[n - 1] == 0 && !(bytes[n - 2] & 0x80)) || (bytes[n - 1] == 0xff && bytes[n - 2] & 0x80))) n--;
        char *at = output_reserve(p, n + (n < 256 ? 2 : 5));
        if (at) {
            if (n < 256) {
                *at++ = (char)OP_LONG1;
                *at++ = (char)n;
            }
            else {
                *at++ = (char)OP_LONG4;
                put_le32(at, (uint32_t)n);
                at += 4;
            }
            memcpy(at, bytes, (size_t)n);
            status = 0;
        }
    }
    if (bytes != small) PyMem_Free(bytes);
    return status;
}

static inline int save_long(Pickler *p, PyObject *o)
{
    if (UNLIKELY(!long_is_short(LONG(o)))) return save_long_big(p, o);
    int64_t value = long_short_value(LONG(o));
    if (UNLIKELY(value != (int32_t)value)) return save_long_big(p, o);
    if (UNLIKELY(!p->bin)) return save_long_text(p, o, true);
    int n = value < 0 || value > 0xffff ? 5 : value > 0xff ? 3 : 2;
    char *at = output_reserve(p, n);
    if (UNLIKELY(!at)) return -1;
    if (n == 2) {
        at[0] = OP_BININT1;
        at[1] = (char)value;
    }
    else if (n == 3) {
        at[0] = OP_BININT2;
        put_le16(at + 1, (uint16_t)value);
    }
    else {
        at[0] = OP_BININT;
        put_le32(at + 1, (uint32_t)(int32_t)value);
    }
    return 0;
}

static int save_float(Pickler *p, PyObject *o)
{
    double value = PyFloat_AS_DOUBLE(o);
    if (p->bin) {
        char *at = output_reserve(p, 9);
        if (!at) return -1;
        uint64_t bits;
        memcpy(&bits, &value, 8);
        at[0] = OP_BINFLOAT;
        put_le64(at + 1, __builtin_bswap64(bits));
        return 0;
    }
    char *text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (!text) return -1;
    int status = output_byte(p, OP_FLOAT) < 0 || output_write(p, text, (Py_ssize_t)strlen(text)) < 0 || output_byte(p, '\n') < 0 ? -1 : 0;
    PyMem_Free(text);
    return status;
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------- */

/* The opcode with its length, into header; returns its size, 0 when no opcode is large enough. */
static Py_ssize_t counted_header(Pickler *p, char *header, Py_ssize_t n, int op1, int op4, int op8)
{
    header[0] = (char)(op1 && n <= 0xff ? op1 : n <= (Py_ssize_t)0xffffffff ? op4 : op8);
    if (op1 && n <= 0xff) {
        header[1] = (char)n;
        return 2;
    }
    if (n <= (Py_ssize_t)0xffffffff) {
        put_le32(header + 1, (uint32_t)n);
        return 5;
    }
    if (p->proto < 4) return 0;
    put_le64(header + 1, (uint64_t)n);
    return 9;
}

static int save_bytes_data(Pickler *p, PyObject *o, const char *data, Py_ssize_t n, PyObject *payload)
{
    char header[9];
    Py_ssize_t header_size = counted_header(p, header, n, OP_SHORT_BINBYTES, OP_BINBYTES, OP_BINBYTES8);
    if (!header_size) {
        PyErr_SetString(PyExc_OverflowError, "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher");
        return -1;
    }
    return output_bytes(p, header, header_size, data, n, payload) < 0 ? -1 : memo_put(p, o);
}

static int save_bytes(Pickler *p, PyObject *o)
{
    if (p->proto >= 3) return save_bytes_data(p, o, PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), o);
    if (!PyBytes_GET_SIZE(o)) return save_reduced_steal(p, Py_BuildValue("(O())", &PyBytes_Type), o);
    PyObject *text = PyUnicode_DecodeLatin1(PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), "strict");
    return text ? save_reduced_steal(p, Py_BuildValue("(O(NO))", p->state->codecs_encode, text, STR(latin1)), o) : -1;
}

static int save_bytearray_data(Pickler *p, PyObject *o, const char *data, Py_ssize_t n, PyObject *payload)
{
    char header[9] = { (char)OP_BYTEARRAY8 };
    put_le64(header + 1, (uint64_t)n);
    return output_bytes(p, header, 9, data, n, payload) < 0 ? -1 : memo_put(p, o);
}

static int save_bytearray(Pickler *p, PyObject *o)
{
    if (p->proto >= 5) return save_bytearray_data(p, o, PyByteArray_AS_STRING(o), PyByteArray_GET_SIZE(o), o);
    if (!PyByteArray_GET_SIZE(o)) return save_reduced_steal(p, Py_BuildValue("(O())", &PyByteArray_Type), o);
    PyObject *bytes = PyBytes_FromObject(o);
    return bytes ? save_reduced_steal(p, Py_BuildValue("(O(N))", &PyByteArray_Type, bytes), o) : -1;
}

static int save_picklebuffer(Pickler *p, PyObject *o)
{
    if (p->proto < 5) return memo_error(p, "PickleBuffer can only be pickled with protocol >= 5");
    const Py_buffer *view = PyPickleBuffer_GetBuffer(o);
    if (!view) return -1;
    if (view->suboffsets || !PyBuffer_IsContiguous(view, 'A'))
        return memo_error(p, "PickleBuffer can not be pickled when pointing to a non-contiguous buffer");
    int in_band = 1;
    if (p->buffer_callback) {
        PyObject *result = call_held(p->buffer_callback, o);
        if (!result) return -1;
        in_band = PyObject_IsTrue(result);
        Py_DECREF(result);
        if (in_band < 0) return -1;
        view = PyPickleBuffer_GetBuffer(o);   /* the callback may have released it */
        if (!view) return -1;
    }
    if (in_band) {
        /* nobody may change or release the memory while write() runs */
        Py_buffer pin;
        if (PyObject_GetBuffer(o, &pin, PyBUF_FULL_RO) < 0) return -1;
        int status = pin.readonly ? save_bytes_data(p, o, pin.buf, pin.len, NULL) : save_bytearray_data(p, o, pin.buf, pin.len, NULL);
        PyBuffer_Release(&pin);
        return status;
    }
    bool readonly = view->readonly;
    return output_byte(p, OP_NEXT_BUFFER) < 0 || (readonly && output_byte(p, OP_READONLY_BUFFER) < 0) ? -1 : 0;
}

/* ---- str ------------------------------------------------------------------------------------------------------------- */

/* Bytes of UTF-8, surrogates like any other character. */
static Py_ssize_t utf8_length(PyObject *o)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(o), size = n;
    switch (PyUnicode_KIND(o)) {
    case PyUnicode_1BYTE_KIND:
        for (Py_ssize_t i = 0; i < n; i++) size += PyUnicode_1BYTE_DATA(o)[i] >> 7;
        break;
    case PyUnicode_2BYTE_KIND:
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS2 c = PyUnicode_2BYTE_DATA(o)[i];
            size += (c >= 0x80) + (c >= 0x800);
        }
        break;
    default:
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 c = PyUnicode_4BYTE_DATA(o)[i];
            size += (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);
        }
    }
    return size;
}

static char *utf8_put(char *at, Py_UCS4 c)
{
    if (c < 0x80) *at++ = (char)c;
    else if (c < 0x800) {
        *at++ = (char)(0xc0 | c >> 6);
        *at++ = (char)(0x80 | (c & 63));
    }
    else if (c < 0x10000) {
        *at++ = (char)(0xe0 | c >> 12);
        *at++ = (char)(0x80 | (c >> 6 & 63));
        *at++ = (char)(0x80 | (c & 63));
    }
    else {
        *at++ = (char)(0xf0 | c >> 18);
        *at++ = (char)(0x80 | (c >> 12 & 63));
        *at++ = (char)(0x80 | (c >> 6 & 63));
        *at++ = (char)(0x80 | (c & 63));
    }
    return at;
}

static void utf8_encode(char *at, PyObject *o)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(o);
    int kind = PyUnicode_KIND(o);
    if (kind == PyUnicode_1BYTE_KIND) for (Py_ssize_t i = 0; i < n; i++) at = utf8_put(at, PyUnicode_1BYTE_DATA(o)[i]);
    else if (kind == PyUnicode_2BYTE_KIND) for (Py_ssize_t i = 0; i < n; i++) at = utf8_put(at, PyUnicode_2BYTE_DATA(o)[i]);
    else for (Py_ssize_t i = 0; i < n; i++) at = utf8_put(at, PyUnicode_4BYTE_DATA(o)[i]);
}

/* Protocol 0: one line of raw-unicode-escape, in which the characters that would end the line are escaped as well. */
static int save_str_text(Pickler *p, PyObject *o)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(o), size = 2;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(o, i);
        size += c >= 0x10000 ? 10 : c >= 0x100 || c == '\\' || c == 0 || c == '\n' || c == '\r' || c == 0x1a ? 6 : 1;
    }
    char *at = output_reserve(p, size);
    if (!at) return -1;
    *at++ = OP_UNICODE;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(o, i);
        if (c < 0x100 && c != '\\' && c != 0 && c != '\n' && c != '\r' && c != 0x1a) {
            *at++ = (char)c;
            continue;
        }
        int digits = c >= 0x10000 ? 8 : 4;
        *at++ = '\\';
        *at++ = digits == 8 ? 'U' : 'u';
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[c >> shift & 15];
    }
    *at = '\n';
    return 0;
}

static NOINLINE int save_str_big(Pickler *p, PyObject *o, Py_ssize_t size)
{
    char header[9];
    Py_ssize_t header_size = counted_header(p, header, size, 0, OP_BINUNICODE, OP_BINUNICODE8);
    if (!header_size) {
        PyErr_SetString(PyExc_OverflowError, "serializing a string larger than 4 GiB requires pickle protocol 4 or higher");
        return -1;
    }
    if (PyUnicode_IS_ASCII(o)) return output_bytes(p, header, header_size, PyUnicode_DATA(o), size, NULL) < 0 ? -1 : memo_put(p, o);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes) return -1;
    utf8_encode(PyBytes_AS_STRING(bytes), o);
    int status = output_bytes(p, header, header_size, PyBytes_AS_STRING(bytes), size, bytes);
    Py_DECREF(bytes);
    return status < 0 ? -1 : memo_put(p, o);
}

static inline int save_str(Pickler *p, PyObject *o)
{
    MemoEntry *e = memo_find(p->memo, o);
    if (e->key) return memo_get(p, e->index);
    if (UNLIKELY(!p->bin)) return save_str_text(p, o) < 0 ? -1 : memo_put(p, o);
    bool ascii = PyUnicode_IS_ASCII(o);
    Py_ssize_t size = ascii ? PyUnicode_GET_LENGTH(o) : utf8_length(o);
    if (UNLIKELY(size >= FRAME_SIZE_TARGET)) return save_str_big(p, o, size);
    bool small = p->proto >= 4 && size <= 0xff;
    char *at = output_reserve(p, size + (small ? 2 : 5));
    if (UNLIKELY(!at)) return -1;
    if (small) {
        *at++ = (char)OP_SHORT_BINUNICODE;
        *at++ = (char)size;
    }
    else {
        *at++ = OP_BINUNICODE;
        put_le32(at, (uint32_t)size);
        at += 4;
    }
    if (ascii) memcpy(at, PyUnicode_DATA(o), (size_t)size);
    else utf8_encode(at, o);
    if (UNLIKELY(p->fast)) return 0;
    Py_ssize_t index = p->memo->next;         /* nothing ran since the look into the memo */
    return memo_fill(p->memo, e, o) < 0 ? -1 : emit_put(p, index);
}

/* ---- fast mode: no memo, so that cycles have to be found otherwise ----------------------------------------------------- */

static int fast_enter(Pickler *p, PyObject *o)
{
    if (++p->fast_nesting < FAST_NESTING_LIMIT) return 0;
    int found = -1;
    PyObject *id = PyLong_FromVoidPtr(o);
    if (id && (p->fast_memo || (p->fast_memo = PyDict_New()))) found = PyDict_Contains(p->fast_memo, id);
    if (found > 0)
        PyErr_Format(PyExc_ValueError, "fast mode: can't pickle cyclic objects including object type %.200s at %p", Py_TYPE(o)->tp_name, o);
    else if (found == 0) found = PyDict_SetItem(p->fast_memo, id, Py_None);
    Py_XDECREF(id);
    if (found == 0) return 0;
    p->fast_nesting = -1;
    return -1;
}

static int fast_leave(Pickler *p, PyObject *o)
{
    if (p->fast_nesting-- < FAST_NESTING_LIMIT || !p->fast_memo) return 0;
    PyObject *id = PyLong_FromVoidPtr(o);
    int status = id ? PyDict_DelItem(p->fast_memo, id) : -1;
    Py_XDECREF(id);
    return status;
}

/* ---- containers ------------------------------------------------------------------------------------------------------ */

static int save_owned(Pickler *p, PyObject *o)
{
    int status = save(p, o, false);
    Py_DECREF(o);
    return status;
}

static int save_tuple_items(Pickler *p, PyObject *o)
{
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(o); i < n; i++)
        if (save(p, PyTuple_GET_ITEM(o, i), false) < 0) return -1;
    return 0;
}

static int save_tuple(Pickler *p, PyObject *o)
{
    Py_ssize_t n = PyTuple_GET_SIZE(o);
    if (n == 0) return p->bin ? output_byte(p, OP_EMPTY_TUPLE) : output_write(p, "(t", 2);
    bool short_form = n <= 3 && p->proto >= 2;
    if (!short_form && output_byte(p, OP_MARK) < 0) return -1;
    if (save_tuple_items(p, o) < 0) return -1;
    MemoEntry *e = memo_find(p->memo, o);
    if (UNLIKELY(e->key != NULL)) {           /* an item led back here: the tuple exists, what was put on the stack goes */
        Py_ssize_t index = e->index;
        if (!short_form && p->bin) { if (output_byte(p, OP_POP_MARK) < 0) return -1; }
        else for (Py_ssize_t i = short_form ? 0 : -1; i < n; i++) if (output_byte(p, OP_POP) < 0) return -1;
        return memo_get(p, index);
    }
    if (output_byte(p, short_form ? OP_TUPLE1 + (int)n - 1 : OP_TUPLE) < 0) return -1;
    return memo_put(p, o);
}

/* The next item, NEW; NULL with or without an exception. */
static PyObject *next_of(PyObject *it) { return PyIter_Next(it); }

int save_batch_list(Pickler *p, PyObject *it)
{
    if (p->proto == 0) {
        PyObject *item;
        while ((item = next_of(it))) if (save_owned(p, item) < 0 || output_byte(p, OP_APPEND) < 0) return -1;
        return PyErr_Occurred() ? -1 : 0;
    }
    for (Py_ssize_t n = BATCH; n == BATCH;) {
        PyObject *first = next_of(it), *item;
        if (!first) break;
        item = next_of(it);
        if (!item) {
            if (PyErr_Occurred()) {
                Py_DECREF(first);
                return -1;
            }
            return save_owned(p, first) < 0 ? -1 : output_byte(p, OP_APPEND);
        }
        int status = output_byte(p, OP_MARK);
        if (status == 0) status = save(p, first, false);
        Py_DECREF(first);
        for (n = 1; status == 0 && item;) {
            status = save(p, item, false);
            Py_CLEAR(item);
            if (status == 0 && ++n < BATCH && !(item = next_of(it)) && PyErr_Occurred()) status = -1;
        }
        Py_XDECREF(item);
        if (status < 0 || output_byte(p, OP_APPENDS) < 0) return -1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int save_list_items(Pickler *p, PyObject *o)
{
    if (PyList_GET_SIZE(o) == 1) return save_owned(p, Py_NewRef(PyList_GET_ITEM(o, 0))) < 0 ? -1 : output_byte(p, OP_APPEND);
    Py_ssize_t i = 0;
    do {
        if (output_byte(p, OP_MARK) < 0) return -1;
        for (Py_ssize_t n = 0; n < BATCH && i < PyList_GET_SIZE(o); n++, i++) {
            if (i + 3 < PyList_GET_SIZE(o)) memo_prefetch(p->memo, PyList_GET_ITEM(o, i + 3));
            if (save_owned(p, Py_NewRef(PyList_GET_ITEM(o, i))) < 0) return -1;
        }
        if (output_byte(p, OP_APPENDS) < 0) return -1;
    } while (i < PyList_GET_SIZE(o));
    return 0;
}

static int save_list(Pickler *p, PyObject *o)
{
    if (p->fast && fast_enter(p, o) < 0) return -1;
    int status = p->bin ? output_byte(p, OP_EMPTY_LIST) : output_write(p, "(l", 2);
    if (status == 0) status = memo_put(p, o);
    if (status == 0 && PyList_GET_SIZE(o)) {
        if (p->proto > 0) status = save_list_items(p, o);
        else {
            PyObject *it = PyObject_GetIter(o);
            status = it ? save_batch_list(p, it) : -1;
            Py_XDECREF(it);
        }
    }
    if (p->fast && fast_leave(p, o) < 0) status = -1;
    return status;
}

static int save_pair(Pickler *p, PyObject *pair)
{
    int status = -1;
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) PyErr_SetString(PyExc_TypeError, "dict items iterator must return 2-tuples");
    else status = save(p, PyTuple_GET_ITEM(pair, 0), false) < 0 ? -1 : save(p, PyTuple_GET_ITEM(pair, 1), false);
    Py_DECREF(pair);
    return status;
}

int save_batch_dict(Pickler *p, PyObject *it)
{
    PyObject *pair;
    if (p->proto == 0) {
        while ((pair = next_of(it))) if (save_pair(p, pair) < 0 || output_byte(p, OP_SETITEM) < 0) return -1;
        return PyErr_Occurred() ? -1 : 0;
    }
    for (Py_ssize_t n = BATCH; n == BATCH;) {
        PyObject *first = next_of(it);
        if (!first) break;
        if (!PyTuple_Check(first) || PyTuple_GET_SIZE(first) != 2) return save_pair(p, first);
        pair = next_of(it);
        if (!pair) {
            if (PyErr_Occurred()) {
                Py_DECREF(first);
                return -1;
            }
            return save_pair(p, first) < 0 ? -1 : output_byte(p, OP_SETITEM);
        }
        int status = output_byte(p, OP_MARK);
        if (status == 0) status = save_pair(p, first);
        else Py_DECREF(first);
        for (n = 1; status == 0 && pair;) {
            status = save_pair(p, pair);
            pair = NULL;
            if (status == 0 && ++n < BATCH && !(pair = next_of(it)) && PyErr_Occurred()) status = -1;
        }
        Py_XDECREF(pair);
        if (status < 0 || output_byte(p, OP_SETITEMS) < 0) return -1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int save_dict_items(Pickler *p, PyObject *o)
{
    PyObject *key, *value;
    Py_ssize_t size = PyDict_GET_SIZE(o), position = 0, n;
    do {
        if (size != 1 && output_byte(p, OP_MARK) < 0) return -1;
        for (n = 0; n < BATCH && PyDict_Next(o, &position, &key, &value); n++) {
            Py_INCREF(key);
            Py_INCREF(value);
            int status = save(p, key, false);
            if (status == 0) status = save(p, value, false);
            Py_DECREF(key);
            Py_DECREF(value);
            if (status < 0) return -1;
            if (UNLIKELY(PyDict_GET_SIZE(o) != size)) {
                PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
                return -1;
            }
        }
        if (output_byte(p, size != 1 ? OP_SETITEMS : OP_SETITEM) < 0) return -1;
    } while (n == BATCH);
    return 0;
}

static int save_dict(Pickler *p, PyObject *o)
{
    if (p->fast && fast_enter(p, o) < 0) return -1;
    int status = p->bin ? output_byte(p, OP_EMPTY_DICT) : output_write(p, "(d", 2);
    if (status == 0) status = memo_put(p, o);
    if (status == 0 && PyDict_GET_SIZE(o)) {
        if (p->proto > 0) status = save_dict_items(p, o);
        else {
            PyObject *items = PyObject_CallMethodNoArgs(o, STR(items)), *it = items ? PyObject_GetIter(items) : NULL;
            status = it ? save_batch_dict(p, it) : -1;
            Py_XDECREF(items);
            Py_XDECREF(it);
        }
    }
    if (p->fast && fast_leave(p, o) < 0) status = -1;
    return status;
}

/* Protocol 3 and before: set([...]). */
static int save_set_call(Pickler *p, PyObject *o)
{
    PyObject *items = PySequence_List(o);
    return items ? save_reduced_steal(p, Py_BuildValue("(O(N))", Py_TYPE(o), items), o) : -1;
}

static int save_set_items(Pickler *p, PyObject *o, PyObject *it)
{
    Py_ssize_t size = PySet_GET_SIZE(o), n;
    do {
        if (output_byte(p, OP_MARK) < 0) return -1;
        for (n = 0; n < BATCH; n++) {
            PyObject *item = next_of(it);
            if (!item) break;
            if (save_owned(p, item) < 0) return -1;
            if (PySet_GET_SIZE(o) != size) {
                PyErr_SetString(PyExc_RuntimeError, "set changed size during iteration");
                return -1;
            }
        }
        if (PyErr_Occurred() || output_byte(p, OP_ADDITEMS) < 0) return -1;
    } while (n == BATCH);
    return 0;
}

static int save_set(Pickler *p, PyObject *o)
{
    if (p->proto < 4) return save_set_call(p, o);
    if (output_byte(p, OP_EMPTY_SET) < 0 || memo_put(p, o) < 0) return -1;
    if (!PySet_GET_SIZE(o)) return 0;
    PyObject *it = PyObject_GetIter(o);
    int status = it ? save_set_items(p, o, it) : -1;
    Py_XDECREF(it);
    return status;
}

static int save_frozenset(Pickler *p, PyObject *o)
{
    if (p->proto < 4) return save_set_call(p, o);
    PyObject *it = PyObject_GetIter(o), *item;
    if (!it) return -1;
    int status = output_byte(p, OP_MARK);
    while (status == 0 && (item = next_of(it))) status = save_owned(p, item);
    Py_DECREF(it);
    if (status < 0 || PyErr_Occurred()) return -1;
    MemoEntry *e = memo_find(p->memo, o);
    if (e->key) {                             /* an item led back here */
        Py_ssize_t index = e->index;
        return output_byte(p, OP_POP_MARK) < 0 ? -1 : memo_get(p, index);
    }
    return output_byte(p, OP_FROZENSET) < 0 ? -1 : memo_put(p, o);
}

/* ---- any object ------------------------------------------------------------------------------------------------------ */

/* 1: persistent_id() gave an identity, which is saved. */
static NOINLINE int save_persistent(Pickler *p, PyObject *o)
{
    PyObject *id = call_held(p->persistent_id, o);
    int status = -1;
    if (!id) return -1;
    if (id == Py_None) status = 0;
    else if (p->bin) status = save(p, id, true) < 0 || output_byte(p, OP_BINPERSID) < 0 ? -1 : 1;
    else {
        PyObject *text = PyObject_Str(id);
        if (text && !PyUnicode_IS_ASCII(text)) memo_error(p, "persistent IDs in protocol 0 must be ASCII strings");
        else if (text && output_byte(p, OP_PERSID) == 0 && output_write(p, PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text)) == 0 &&
                 output_byte(p, '\n') == 0) status = 1;
        Py_XDECREF(text);
    }
    Py_DECREF(id);
    return status;
}

/* The reducer registered for a type: NEW; NULL without exception when there is none. */
static PyObject *find_reducer(Pickler *p, PyTypeObject *type)
{
    PyObject *reducer = NULL;
    if (!p->dispatch_table) {
        PyDict_GetItemRef(p->state->dispatch_table, OBJECT(type), &reducer);
        return reducer;
    }
    PyObject *table = Py_NewRef(p->dispatch_table);
    PyMapping_GetOptionalItem(table, OBJECT(type), &reducer);
    Py_DECREF(table);
    return reducer;
}

static PyObject *reduce(Pickler *p, PyObject *o)
{
    PyObject *method, *result = NULL;
    if (PyObject_GetOptionalAttr(o, STR(__reduce_ex__), &method) < 0) return NULL;
    if (method) result = PyObject_CallOneArg(method, SMALL_INT(p->proto));
    else if (PyObject_GetOptionalAttr(o, STR(__reduce__), &method) < 0) return NULL;
    else if (method) result = PyObject_CallNoArgs(method);
    else PyErr_Format(p->state->pickling_error, "can't pickle '%.200s' object: %R", Py_TYPE(o)->tp_name, o);
    Py_XDECREF(method);
    return result;
}

/* What is neither atomic nor an exact built-in container. */
static NOINLINE int save_object(Pickler *p, PyObject *o, PyTypeObject *type)
{
    PyObject *reduced, *reducer;
    if (p->reducer_override) {
        reduced = call_held(p->reducer_override, o);
        if (!reduced) return -1;
        if (reduced != Py_NotImplemented) goto reduced;
        Py_DECREF(reduced);
    }
    if (type == &PyType_Type) return save_type(p, o);
    if (type == &PyFunction_Type) return save_global(p, o, NULL);
    int plain = save_plain(p, o, type);
    if (plain) return plain < 0 ? -1 : 0;
    reducer = find_reducer(p, type);
    if (reducer) {
        reduced = PyObject_CallOneArg(reducer, o);
        Py_DECREF(reducer);
    }
    else if (PyErr_Occurred()) return -1;
    else if (PyType_IsSubtype(type, &PyType_Type)) return save_global(p, o, NULL);
    else reduced = reduce(p, o);
    if (!reduced) return -1;
reduced:;
    int status = -1;
    if (PyUnicode_Check(reduced)) status = save_global(p, o, reduced);
    else if (PyTuple_Check(reduced)) status = save_reduced(p, reduced, o);
    else PyErr_SetString(p->state->pickling_error, "__reduce__ must return a string or tuple");
    Py_DECREF(reduced);
    return status;
}

static int save_deep(Pickler *p, PyObject *o, PyTypeObject *type)
{
    if (type == &PyDict_Type) return save_dict(p, o);
    if (type == &PyList_Type) return save_list(p, o);
    if (type == &PyTuple_Type) return save_tuple(p, o);
    if (type == &PySet_Type) return save_set(p, o);
    if (type == &PyFrozenSet_Type) return save_frozenset(p, o);
    if (type == &PyByteArray_Type) return save_bytearray(p, o);
    if (type == &PyPickleBuffer_Type) return save_picklebuffer(p, o);
    return save_object(p, o, type);
}

int save(Pickler *p, PyObject *o, bool as_persistent_id)
{
    PyTypeObject *type = Py_TYPE(o);
    if (UNLIKELY(output_boundary(p) < 0)) return -1;
    if (UNLIKELY(p->persistent_id != NULL) && !as_persistent_id) {
        int done = save_persistent(p, o);
        if (done) return done < 0 ? -1 : 0;
    }
    if (type == &PyUnicode_Type) return save_str(p, o);
    if (type == &PyLong_Type) return save_long(p, o);
    if (type == &PyFloat_Type) return save_float(p, o);
    if (o == Py_None) return output_byte(p, OP_NONE);
    if (type == &PyBool_Type) return save_bool(p, o == Py_True);
    MemoEntry *e = memo_find(p->memo, o);
    if (e->key) return memo_get(p, e->index);
    if (type == &PyBytes_Type) return save_bytes(p, o);
    if (Py_EnterRecursiveCall(" while pickling an object")) return -1;
    int status = save_deep(p, o, type);
    Py_LeaveRecursiveCall();
    return status;
}
