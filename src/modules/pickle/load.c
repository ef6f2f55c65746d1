/* The instructions of a pickle.
 *
 * A pickle may be hostile: every instruction checks what it finds on the stack, lengths are believed only as far as the data
 * reaches, and memo numbers far ahead go into a dict. Code of the user (constructors, __setstate__, find_class, file methods)
 * may call load() again on the same object: objects in use are owned, and the stack is looked at afresh after each call. */
#include "pickle_private.h"

static COLD int bad(Unpickler *u, const char *text)
{
    PyErr_SetString(u->stack->state->unpickling_error, text);
    return -1;
}

/* ---- stack ----------------------------------------------------------------------------------------------------------- */

static COLD int underflow(Unpickler *u) { return bad(u, u->stack->mark_set ? "unexpected MARK found" : "unpickling stack underflow"); }

void load_stack_clear(LoadStack *s, Py_ssize_t from)
{
    while (s->count > from) Py_XDECREF(s->data[--s->count]);
}

static NOINLINE int stack_grow(LoadStack *s)
{
    Py_ssize_t size = s->allocated + s->allocated / 2;
    bool own = s->data != s->initial;
    PyObject **data = PyMem_Realloc(own ? s->data : NULL, (size_t)size * sizeof *data);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    if (!own) memcpy(data, s->initial, (size_t)s->count * sizeof *data);
    s->data = data;
    s->allocated = size;
    return 0;
}

/* o STOLEN, also on failure; NULL passes an error on. */
static ALWAYS_INLINE int push(Unpickler *u, PyObject *o)
{
    LoadStack *s = u->stack;
    if (UNLIKELY(!o)) return -1;
    if (UNLIKELY(s->count == s->allocated) && stack_grow(s) < 0) {
        Py_DECREF(o);
        return -1;
    }
    s->data[s->count++] = o;
    return 0;
}

/* The object on top: its reference passes to the caller. */
static ALWAYS_INLINE PyObject *pop(Unpickler *u)
{
    LoadStack *s = u->stack;
    if (UNLIKELY(s->count <= s->fence)) {
        underflow(u);
        return NULL;
    }
    return s->data[--s->count];
}

/* Where the objects above the last mark begin; the mark goes. */
static Py_ssize_t pop_mark(Unpickler *u)
{
    if (UNLIKELY(u->mark_count < 1)) return bad(u, "could not find MARK");
    Py_ssize_t mark = u->marks[--u->mark_count];
    u->stack->mark_set = u->mark_count != 0;
    u->stack->fence = u->mark_count ? u->marks[u->mark_count - 1] : 0;
    return mark;
}

static int load_mark(Unpickler *u)
{
    if (UNLIKELY(u->mark_count >= u->marks_allocated)) {
        Py_ssize_t size = u->mark_count * 2 + 20;
        Py_ssize_t *marks = PyMem_Realloc(u->marks, (size_t)size * sizeof *marks);
        if (!marks) {
            PyErr_NoMemory();
            return -1;
        }
        u->marks = marks;
        u->marks_allocated = size;
    }
    u->stack->mark_set = true;
    u->marks[u->mark_count++] = u->stack->fence = u->stack->count;
    return 0;
}

/* Takes everything from position `from` on. NEW. */
static PyObject *pop_tuple(Unpickler *u, Py_ssize_t from)
{
    LoadStack *s = u->stack;
    if (from < s->fence) {
        underflow(u);
        return NULL;
    }
    Py_ssize_t n = s->count - from;
    s->count = from;
    return tuple_from_array_steal(s->data + from, n);
}

static PyObject *pop_list(Unpickler *u, Py_ssize_t from)
{
    LoadStack *s = u->stack;
    Py_ssize_t n = s->count - from;
    s->count = from;
    return list_from_array_steal(s->data + from, n);
}

/* ---- memo ------------------------------------------------------------------------------------------------------------ */

/* BORROWED, NULL when there is none. */
static PyObject *memo_at(Unpickler *u, size_t index)
{
    if (LIKELY(index < (size_t)u->memo_size)) return u->memo[index];
    if (!u->stack->sparse) return NULL;
    PyObject *key = PyLong_FromSize_t(index), *value = key ? PyDict_GetItemWithError(u->stack->sparse, key) : NULL;
    Py_XDECREF(key);
    return value;
}

static NOINLINE int memo_put_slow(Unpickler *u, size_t index, PyObject *o)
{
    /* an array as long as the number of memoized objects makes plausible */
    if (index > (size_t)u->memo_count * 8 + (1 << 16) || index > PY_SSIZE_T_MAX / sizeof(PyObject *) / 2) {
        if (!u->stack->sparse && !(u->stack->sparse = PyDict_New())) return -1;
        PyObject *key = PyLong_FromSize_t(index);
        int known = key ? PyDict_Contains(u->stack->sparse, key) : -1;
        if (known >= 0 && PyDict_SetItem(u->stack->sparse, key, o) < 0) known = -1;
        Py_XDECREF(key);
        if (known < 0) return -1;
        u->memo_count += !known;
        return 0;
    }
    size_t size = index * 2;
    PyObject **memo = PyMem_Realloc(u->memo, size * sizeof *memo);
    if (!memo) {
        PyErr_NoMemory();
        return -1;
    }
    memset(memo + u->memo_size, 0, (size - (size_t)u->memo_size) * sizeof *memo);
    u->memo = memo;
    u->memo_size = (Py_ssize_t)size;
    u->memo_count += 1;
    u->memo[index] = Py_NewRef(o);
    return 0;
}

static ALWAYS_INLINE int memo_store(Unpickler *u, size_t index, PyObject *o)
{
    if (UNLIKELY(index >= (size_t)u->memo_size)) return memo_put_slow(u, index, o);
    PyObject *old = u->memo[index];
    u->memo[index] = Py_NewRef(o);
    if (LIKELY(!old)) u->memo_count++;
    else Py_DECREF(old);
    return 0;
}

static int put_top(Unpickler *u, size_t index)
{
    LoadStack *s = u->stack;
    if (UNLIKELY(s->count <= s->fence)) return underflow(u);
    return memo_store(u, index, s->data[s->count - 1]);
}

static int get_from_memo(Unpickler *u, size_t index)
{
    PyObject *o = memo_at(u, index);
    if (LIKELY(o != NULL)) return push(u, Py_NewRef(o));
    if (!PyErr_Occurred()) PyErr_Format(u->stack->state->unpickling_error, "Memo value not found at index %ld", (long)index);
    return -1;
}

/* ---- arguments ------------------------------------------------------------------------------------------------------- */

static inline uint32_t get_le32(const char *at) { uint32_t v; memcpy(&v, at, 4); return v; }

/* A length of 1, 4 or 8 bytes; -1 with an exception. what: for the message when it is larger than any object can be. */
static Py_ssize_t read_length(Unpickler *u, int bytes, const char *what)
{
    const char *at = input_read(u, bytes);
    if (!at) return -1;
    if (bytes == 1) return (unsigned char)*at;
    if (bytes == 4) return (Py_ssize_t)get_le32(at);
    uint64_t n;
    memcpy(&n, at, 8);
    if (n <= PY_SSIZE_T_MAX) return (Py_ssize_t)n;
    PyErr_Format(PyExc_OverflowError, what, PY_SSIZE_T_MAX);
    return -1;
}

/* A line of text: at least `least` bytes with the line end. */
static char *read_line(Unpickler *u, Py_ssize_t *n, Py_ssize_t least)
{
    char *line = input_line(u, n);
    if (line && *n < least) {
        input_truncated(u);
        return NULL;
    }
    return line;
}

static Py_ssize_t read_decimal_index(Unpickler *u, PyObject **key)
{
    Py_ssize_t n, index;
    char *line = read_line(u, &n, 2);
    *key = line ? PyLong_FromString(line, NULL, 10) : NULL;
    if (!*key) return -1;
    index = PyLong_AsSsize_t(*key);
    return index;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

static int load_int(Unpickler *u)
{
    Py_ssize_t n;
    char *line = read_line(u, &n, 2), *end;
    if (!line) return -1;
    errno = 0;
    long value = strtol(line, &end, 0);
    if (errno || (*end != '\n' && *end != 0)) {
        errno = 0;
        PyObject *big = PyLong_FromString(line, NULL, 0);
        if (!big) PyErr_SetString(PyExc_ValueError, "could not convert string to int");
        return push(u, big);
    }
    if (n == 3 && (value == 0 || value == 1)) return push(u, PyBool_FromLong(value));      /* "00", "01" */
    return push(u, PyLong_FromLong(value));
}

static int load_long_text(Unpickler *u)
{
    Py_ssize_t n;
    char *line = read_line(u, &n, 2);
    if (!line) return -1;
    if (line[n - 2] == 'L') line[n - 2] = 0;
    return push(u, PyLong_FromString(line, NULL, 0));
}

static int load_long_bytes(Unpickler *u, int bytes)
{
    const char *at = input_read(u, bytes);
    if (!at) return -1;
    Py_ssize_t n = bytes == 1 ? (unsigned char)*at : (int32_t)get_le32(at);
    if (n < 0) return bad(u, "LONG pickle has negative byte count");
    if (n == 0) return push(u, PyLong_FromLong(0));
    if (!(at = input_read(u, n))) return -1;
    return push(u, PyLong_FromNativeBytes(at, (size_t)n, Py_ASNATIVEBYTES_LITTLE_ENDIAN));
}

static int load_float(Unpickler *u)
{
    Py_ssize_t n;
    char *line = read_line(u, &n, 2), *end;
    if (!line) return -1;
    errno = 0;
    double value = PyOS_string_to_double(line, &end, PyExc_OverflowError);
    if (value == -1.0 && PyErr_Occurred()) return -1;
    if (*end != '\n' && *end != 0) {
        PyErr_SetString(PyExc_ValueError, "could not convert string to float");
        return -1;
    }
    return push(u, PyFloat_FromDouble(value));
}

static int load_binfloat(Unpickler *u)
{
    const char *at = input_read(u, 8);
    if (!at) return -1;
    uint64_t bits;
    double value;
    memcpy(&bits, at, 8);
    bits = __builtin_bswap64(bits);
    memcpy(&value, &bits, 8);
    return push(u, PyFloat_FromDouble(value));
}

/* ---- strings --------------------------------------------------------------------------------------------------------- */

/* A str of Python 2, which is bytes. */
static int push_old_string(Unpickler *u, PyObject *bytes)
{
    if (!bytes || strcmp(u->encoding, "bytes") == 0) return push(u, bytes);
    PyObject *text = PyUnicode_FromEncodedObject(bytes, u->encoding, u->errors);
    Py_DECREF(bytes);
    return push(u, text);
}

static int load_string(Unpickler *u)
{
    Py_ssize_t n;
    char *line = input_line(u, &n);
    if (!line) return -1;
    n--;                                      /* the line end */
    if (n < 2 || line[0] != line[n - 1] || (line[0] != '\'' && line[0] != '"')) return bad(u, "the STRING opcode argument must be quoted");
    return push_old_string(u, PyBytes_DecodeEscape(line + 1, n - 2, NULL, 0, NULL));
}

static int load_binstring(Unpickler *u, int bytes)
{
    const char *at = input_read(u, bytes);
    if (!at) return -1;
    Py_ssize_t n = bytes == 1 ? (unsigned char)*at : (int32_t)get_le32(at);
    if (n < 0) return bad(u, "BINSTRING pickle has negative byte count");
    if (!(at = input_read(u, n))) return -1;
    return push_old_string(u, PyBytes_FromStringAndSize(at, n));
}

/* Bytes that grow with what really comes. */
static PyObject *read_bytes(Unpickler *u, Py_ssize_t n)
{
    if (n <= input_available(u)) return PyBytes_FromStringAndSize(input_read(u, n), n);
    if (!u->read) {
        input_truncated(u);
        return NULL;
    }
    Py_ssize_t have = 0, room = n < 1 << 20 ? n : 1 << 20;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, room);
    while (bytes) {
        if (input_read_into(u, PyBytes_AS_STRING(bytes) + have, room - have) < 0) {
            Py_DECREF(bytes);
            return NULL;
        }
        have = room;
        if (have == n) break;
        room = have > n / 2 ? n : have * 2;
        _PyBytes_Resize(&bytes, room);
    }
    return bytes;
}

static int load_binbytes(Unpickler *u, int bytes)
{
    Py_ssize_t n = read_length(u, bytes, "BINBYTES exceeds system's maximum size of %zd bytes");
    return n < 0 ? -1 : push(u, read_bytes(u, n));
}

static int load_bytearray(Unpickler *u)
{
    Py_ssize_t n = read_length(u, 8, "BYTEARRAY8 exceeds system's maximum size of %zd bytes");
    if (n < 0) return -1;
    if (n <= input_available(u)) return push(u, PyByteArray_FromStringAndSize(input_read(u, n), n));
    PyObject *data = read_bytes(u, n);
    if (!data) return -1;
    PyObject *result = PyByteArray_FromStringAndSize(PyBytes_AS_STRING(data), n);
    Py_DECREF(data);
    return push(u, result);
}

static int load_unicode_line(Unpickler *u)
{
    Py_ssize_t n;
    char *line = read_line(u, &n, 1);
    return line ? push(u, PyUnicode_DecodeRawUnicodeEscape(line, n - 1, NULL)) : -1;
}

static ALWAYS_INLINE bool is_ascii(const char *at, Py_ssize_t n)
{
    uint64_t word, any = 0;
    while (n >= 8) {
        memcpy(&word, at, 8);
        any |= word;
        at += 8;
        n -= 8;
    }
    while (n-- > 0) any |= (unsigned char)*at++;
    return !(any & 0x8080808080808080u);
}

static int load_binunicode(Unpickler *u, int bytes)
{
    Py_ssize_t n = read_length(u, bytes, "BINUNICODE exceeds system's maximum size of %zd bytes");
    if (n < 0) return -1;
    const char *at = input_read(u, n);
    if (!at) return -1;
    if (LIKELY(n < 256 && is_ascii(at, n))) return push(u, str_from_ascii(at, n));
    return push(u, PyUnicode_DecodeUTF8(at, n, "surrogatepass"));
}

static int load_next_buffer(Unpickler *u)
{
    if (!u->buffers) return bad(u, "pickle stream refers to out-of-band data but no *buffers* argument was given");
    PyObject *it = Py_NewRef(u->buffers), *buffer = PyIter_Next(it);
    Py_DECREF(it);
    if (!buffer && !PyErr_Occurred()) return bad(u, "not enough out-of-band buffers");
    return push(u, buffer);
}

static int load_readonly_buffer(Unpickler *u)
{
    LoadStack *s = u->stack;
    if (s->count <= s->fence) return underflow(u);
    PyObject *view = PyMemoryView_FromObject(s->data[s->count - 1]);
    if (!view) return -1;
    if (PyMemoryView_GET_BUFFER(view)->readonly) {
        Py_DECREF(view);
        return 0;
    }
    PyObject *readonly = PyObject_CallMethodNoArgs(view, STR(toreadonly));
    Py_DECREF(view);
    if (!readonly) return -1;
    Py_SETREF(s->data[s->count - 1], readonly);
    return 0;
}

/* ---- containers ------------------------------------------------------------------------------------------------------ */

static int load_tuple(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    return mark < 0 ? -1 : push(u, pop_tuple(u, mark));
}

static int load_short_tuple(Unpickler *u, Py_ssize_t n)
{
    if (u->stack->count < n) return underflow(u);
    return push(u, pop_tuple(u, u->stack->count - n));
}

static int load_list(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    return mark < 0 ? -1 : push(u, pop_list(u, mark));
}

/* Stores the pairs that lie from position `from` on, taking them. Other code may run: every turn looks at the stack anew. */
static int dict_take_pairs(LoadStack *s, PyObject *dict, Py_ssize_t from)
{
    Py_ssize_t end = s->count;
    int status = 0;
    for (Py_ssize_t i = from; i + 1 < end && s->count == end && status == 0; i += 2) {
        PyObject *key = s->data[i], *value = s->data[i + 1];
        s->data[i] = s->data[i + 1] = NULL;
        status = dict_set_steal((PyDictObject *)dict, key, value);
    }
    if (status == 0 && s->count == end) s->count = from;
    else if (s->count > from) load_stack_clear(s, from);
    return status;
}

static int load_dict(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    if (mark < 0) return -1;
    LoadStack *s = u->stack;
    if ((s->count - mark) % 2) return bad(u, "odd number of items for DICT");
    PyObject *dict = PyDict_New();
    if (!dict) return -1;
    if (dict_take_pairs(s, dict, mark) < 0) Py_CLEAR(dict);
    return push(u, dict);
}

static int load_frozenset(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    PyObject *items = mark < 0 ? NULL : pop_tuple(u, mark);
    if (!items) return -1;
    PyObject *set = PyFrozenSet_New(items);
    Py_DECREF(items);
    return push(u, set);
}

/* Calls o.name(item) for each item of a list or tuple. */
static int call_for_each(PyObject *o, PyObject *name, PyObject *items)
{
    PyObject *method = PyObject_GetAttr(o, name);
    Py_ssize_t n = PySequence_Fast_GET_SIZE(items);
    if (!method) return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *result = PyObject_CallOneArg(method, PySequence_Fast_GET_ITEM(items, i));
        if (!result) {
            Py_DECREF(method);
            return -1;
        }
        Py_DECREF(result);
    }
    Py_DECREF(method);
    return 0;
}

/* A list-like object that is no list. */
static NOINLINE int append_to_object(Unpickler *u, PyObject *target, Py_ssize_t from)
{
    PyObject *extend, *items;
    Py_INCREF(target);
    int status = PyObject_GetOptionalAttr(target, STR(extend), &extend);
    items = status >= 0 && from <= u->stack->count ? pop_list(u, from) : NULL;
    if (!items) status = -1;
    else if (extend) {
        PyObject *result = PyObject_CallOneArg(extend, items);
        status = result ? 0 : -1;
        Py_XDECREF(result);
    }
    else status = call_for_each(target, STR(append), items);
    Py_XDECREF(extend);
    Py_XDECREF(items);
    Py_DECREF(target);
    if (status < 0 && !PyErr_Occurred()) return underflow(u);
    return status;
}

static int append_from(Unpickler *u, Py_ssize_t from)
{
    LoadStack *s = u->stack;
    if (from > s->count || from <= s->fence) return underflow(u);
    if (from == s->count) return 0;
    PyObject *list = s->data[from - 1];
    if (!PyList_CheckExact(list)) return append_to_object(u, list, from);
    Py_ssize_t n = s->count;
    s->count = from;                          /* appending runs no other code */
    for (Py_ssize_t i = from; i < n; i++)
        if (UNLIKELY(list_append_steal((PyListObject *)list, s->data[i]) < 0)) {
            while (++i < n) Py_DECREF(s->data[i]);
            return -1;
        }
    return 0;
}

static int load_append(Unpickler *u)
{
    if (u->stack->count - 1 <= u->stack->fence) return underflow(u);
    return append_from(u, u->stack->count - 1);
}

static int load_appends(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    return mark < 0 ? -1 : append_from(u, mark);
}

static int set_items_from(Unpickler *u, Py_ssize_t from)
{
    LoadStack *s = u->stack;
    if (from > s->count || from <= s->fence) return underflow(u);
    if (from == s->count) return 0;
    if ((s->count - from) % 2) return bad(u, "odd number of items for SETITEMS");
    PyObject *target = Py_NewRef(s->data[from - 1]);
    int status = 0;
    if (PyDict_CheckExact(target)) status = dict_take_pairs(s, target, from);
    else {
        PyObject *items = pop_list(u, from);
        if (!items) status = -1;
        for (Py_ssize_t i = 0; status == 0 && i + 1 < PyList_GET_SIZE(items); i += 2)
            status = PyObject_SetItem(target, PyList_GET_ITEM(items, i), PyList_GET_ITEM(items, i + 1));
        Py_XDECREF(items);
    }
    Py_DECREF(target);
    return status;
}

static int load_set_items(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    return mark < 0 ? -1 : set_items_from(u, mark);
}

static int load_add_items(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    LoadStack *s = u->stack;
    if (mark < 0) return -1;
    if (mark > s->count || mark <= s->fence) return underflow(u);
    if (mark == s->count) return 0;
    PyObject *set = Py_NewRef(s->data[mark - 1]), *items = pop_tuple(u, mark);
    int status = items ? 0 : -1;
    if (items && PySet_Check(set))
        for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(items); i++) status = PySet_Add(set, PyTuple_GET_ITEM(items, i));
    else if (items) status = call_for_each(set, STR(add), items);
    Py_XDECREF(items);
    Py_DECREF(set);
    return status;
}

/* ---- classes and instances ------------------------------------------------------------------------------------------- */

/* What the method find_class does. */
PyObject *load_find_class(Unpickler *u, PyObject *module_name, PyObject *name)
{
    if (PySys_Audit("pickle.find_class", "OO", module_name, name) < 0) return NULL;
    PyObject *module = NULL, *found = NULL, *path = NULL;
    Py_INCREF(module_name);
    Py_INCREF(name);
    const PickleState *s = u->stack->state;
    if (u->proto < 3 && u->fix_imports && pickle_rename(s->names_2to3, s->modules_2to3, "", &module_name, &name) < 0) goto done;
    if (!(module = PyImport_Import(module_name))) goto done;
    if (u->proto >= 4 && PyUnicode_Check(name)) {
        path = dotted_path(module, name);
        if (path) found = deep_attribute(module, path, NULL);
    }
    else PyObject_GetOptionalAttr(module, name, &found);
    if (!found && !PyErr_Occurred()) PyErr_Format(PyExc_AttributeError, "Can't get attribute %R on %R", name, module);
done:
    Py_XDECREF(path);
    Py_XDECREF(module);
    Py_DECREF(module_name);
    Py_DECREF(name);
    return found;
}

/* Both names STOLEN. */
static PyObject *find_class(Unpickler *u, PyObject *module, PyObject *name)
{
    PyObject *result = NULL;
    if (module && name) {
        if (u->stack->custom_find_class) result = PyObject_CallMethodObjArgs(OBJECT(u), STR(find_class), module, name, NULL);
        else result = load_find_class(u, module, name);
    }
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

static int load_global(Unpickler *u)
{
    Py_ssize_t n;
    char *line = read_line(u, &n, 2);
    PyObject *module = line ? PyUnicode_DecodeUTF8(line, n - 1, "strict") : NULL, *name;
    if (!module) return -1;
    line = read_line(u, &n, 2);
    name = line ? PyUnicode_DecodeUTF8(line, n - 1, "strict") : NULL;
    return push(u, find_class(u, module, name));
}

static int load_stack_global(Unpickler *u)
{
    PyObject *name = pop(u), *module = name ? pop(u) : NULL;
    if (module && (!PyUnicode_CheckExact(module) || !PyUnicode_CheckExact(name))) {
        bad(u, "STACK_GLOBAL requires str");
        Py_CLEAR(module);
    }
    if (!module) {
        Py_XDECREF(name);
        return -1;
    }
    return push(u, find_class(u, module, name));
}

/* args STOLEN, a tuple. */
static PyObject *instantiate(PyObject *cls, PyObject *args)
{
    PyObject *result = NULL, *init_args = NULL;
    if (PyTuple_GET_SIZE(args) == 0 && PyType_Check(cls)) {
        int found = PyObject_GetOptionalAttr(cls, STR(__getinitargs__), &init_args);
        Py_XDECREF(init_args);
        if (found == 0) result = PyObject_CallMethodOneArg(cls, STR(__new__), cls);
        else if (found > 0) result = PyObject_CallNoArgs(cls);
    }
    else result = PyObject_CallObject(cls, args);
    Py_DECREF(args);
    return result;
}

static int load_obj(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    if (mark < 0) return -1;
    if (u->stack->count - mark < 1) return underflow(u);
    PyObject *args = pop_tuple(u, mark + 1), *cls = args ? pop(u) : NULL;
    if (!cls) {
        Py_XDECREF(args);
        return -1;
    }
    PyObject *result = instantiate(cls, args);
    Py_DECREF(cls);
    return push(u, result);
}

static int load_inst(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u), n;
    if (mark < 0) return -1;
    char *line = read_line(u, &n, 2);
    PyObject *module = line ? PyUnicode_DecodeASCII(line, n - 1, "strict") : NULL, *name;
    if (!module) return -1;
    line = read_line(u, &n, 2);
    name = line ? PyUnicode_DecodeASCII(line, n - 1, "strict") : NULL;
    PyObject *cls = find_class(u, module, name);
    if (!cls) return -1;
    PyObject *args = mark <= u->stack->count ? pop_tuple(u, mark) : NULL, *result = args ? instantiate(cls, args) : NULL;
    Py_DECREF(cls);
    if (!result && !PyErr_Occurred()) return underflow(u);
    return push(u, result);
}

static int load_newobj(Unpickler *u, bool with_kwargs)
{
    PyObject *error = u->stack->state->unpickling_error, *kwargs = NULL, *args, *cls = NULL, *result = NULL;
    const char *op = with_kwargs ? "NEWOBJ_EX" : "NEWOBJ";
    if (with_kwargs && !(kwargs = pop(u))) return -1;
    args = pop(u);
    cls = args ? pop(u) : NULL;
    if (!cls) goto done;
    if (!PyType_Check(cls)) PyErr_Format(error, "%s class argument must be a type, not %.200s", op, Py_TYPE(cls)->tp_name);
    else if (!((PyTypeObject *)cls)->tp_new) PyErr_Format(error, "%s class argument '%.200s' doesn't have __new__", op, ((PyTypeObject *)cls)->tp_name);
    else if (!PyTuple_Check(args)) PyErr_Format(error, "%s args argument must be a tuple, not %.200s", op, Py_TYPE(args)->tp_name);
    else if (kwargs && !PyDict_Check(kwargs)) PyErr_Format(error, "%s kwargs argument must be a dict, not %.200s", op, Py_TYPE(kwargs)->tp_name);
    else result = ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, args, kwargs);
done:
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    Py_XDECREF(cls);
    return push(u, result);
}

static int load_reduce(Unpickler *u)
{
    PyObject *args = pop(u), *callable = args ? pop(u) : NULL, *result = callable ? PyObject_CallObject(callable, args) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(callable);
    return push(u, result);
}

/* Can attributes be stored directly, without o.__setstate__ and o.__dict__? */
static bool build_is_plain(Unpickler *u, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    LoadStack *s = u->stack;
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return false;
    Shape *shape = instance_shape(o);
    if (!shape || (shape->count && (shape_index(shape, STR(__setstate__)) >= 0))) return false;
    if (LIKELY(s->plain_type == type && s->plain_version == type->tp_version_tag && type->tp_version_tag)) return true;
    if (type->tp_getattro != PyObject_GenericGetAttr || type_lookup(type, STR(__setstate__)) || !subtype_has_plain_dict(type)) return false;
    s->plain_type = type;                     /* only compared, together with the version */
    s->plain_version = type->tp_version_tag;
    return true;
}

/* o.__dict__.update(state), keys interned. */
static int update_attributes(Unpickler *u, PyObject *o, PyObject *state, bool plain)
{
    PyObject *key, *value, *dict = NULL;
    Py_ssize_t position = 0;
    int status = 0;
    if (!PyDict_Check(state)) return bad(u, "state is not a dictionary");
    if (!plain && !(dict = PyObject_GetAttr(o, STR(__dict__)))) return -1;
    while (status == 0 && PyDict_Next(state, &position, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        bool name = PyUnicode_CheckExact(key);
        if (name) PyUnicode_InternInPlace(&key);
        if (plain && name) status = instance_set(o, key, value);
        else {
            if (!dict && !(dict = PyObject_GetAttr(o, STR(__dict__)))) status = -1;
            else status = PyObject_SetItem(dict, key, value);
            plain = false;
        }
        Py_DECREF(key);
        Py_DECREF(value);
    }
    Py_XDECREF(dict);
    return status;
}

static int set_slots(Unpickler *u, PyObject *o, PyObject *slots)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    int status = 0;
    if (!PyDict_Check(slots)) return bad(u, "slot state is not a dictionary");
    while (status == 0 && PyDict_Next(slots, &position, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        status = PyObject_SetAttr(o, key, value);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    return status;
}

static int load_build(Unpickler *u)
{
    LoadStack *s = u->stack;
    if (s->count - 2 < s->fence) return underflow(u);
    PyObject *state = pop(u), *o = Py_NewRef(s->data[s->count - 1]), *method = NULL;
    int status = -1;
    bool plain = build_is_plain(u, o);
    if (!plain && PyObject_GetOptionalAttr(o, STR(__setstate__), &method) < 0) goto done;
    if (method) {
        PyObject *result = PyObject_CallOneArg(method, state);
        Py_DECREF(method);
        Py_XDECREF(result);
        status = result ? 0 : -1;
        goto done;
    }
    PyObject *attributes = state, *slots = NULL;
    if (PyTuple_Check(state) && PyTuple_GET_SIZE(state) == 2) {
        attributes = PyTuple_GET_ITEM(state, 0);
        slots = PyTuple_GET_ITEM(state, 1);
    }
    status = attributes == Py_None ? 0 : update_attributes(u, o, attributes, plain);
    if (status == 0 && slots) status = set_slots(u, o, slots);
done:
    Py_DECREF(state);
    Py_DECREF(o);
    return status;
}

/* ---- persistent ids, extensions, the stack ------------------------------------------------------------------------------- */

static int push_persistent(Unpickler *u, PyObject *id)
{
    if (!id) return -1;
    PyObject *result = NULL;
    if (u->persistent_load) {
        PyObject *method = Py_NewRef(u->persistent_load);
        result = PyObject_CallOneArg(method, id);
        Py_DECREF(method);
    }
    else bad(u, "A load persistent id instruction was encountered, but no persistent_load function was specified.");
    Py_DECREF(id);
    return push(u, result);
}

static int load_persid(Unpickler *u)
{
    Py_ssize_t n;
    char *line = read_line(u, &n, 1);
    if (!line) return -1;
    PyObject *id = PyUnicode_DecodeASCII(line, n - 1, "strict");
    if (!id && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return bad(u, "persistent IDs in protocol 0 must be ASCII strings");
    return push_persistent(u, id);
}

static int load_extension(Unpickler *u, int bytes)
{
    const char *at = input_read(u, bytes);
    if (!at) return -1;
    uint32_t raw = 0;
    memcpy(&raw, at, (size_t)bytes);
    long code = (int32_t)raw;
    if (code <= 0) return bad(u, "EXT specifies code <= 0");
    PickleState *state = u->stack->state;
    PyObject *key = PyLong_FromLong(code), *o = NULL, *pair = NULL;
    if (!key || PyDict_GetItemRef(state->extension_cache, key, &o) != 0) goto done;
    if (PyDict_GetItemRef(state->inverted_registry, key, &pair) <= 0) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "unregistered extension code %ld", code);
        goto done;
    }
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(pair, 0)) || !PyUnicode_Check(PyTuple_GET_ITEM(pair, 1))) {
        PyErr_Format(PyExc_ValueError, "_inverted_registry[%ld] isn't a 2-tuple of strings", code);
        goto done;
    }
    o = find_class(u, Py_NewRef(PyTuple_GET_ITEM(pair, 0)), Py_NewRef(PyTuple_GET_ITEM(pair, 1)));
    if (o && PyDict_SetItem(state->extension_cache, key, o) < 0) Py_CLEAR(o);
done:
    Py_XDECREF(key);
    Py_XDECREF(pair);
    return push(u, o);
}

static int load_pop(Unpickler *u)
{
    LoadStack *s = u->stack;
    if (u->mark_count > 0 && u->marks[u->mark_count - 1] == s->count) return pop_mark(u) < 0 ? -1 : 0;      /* the mark itself */
    if (s->count <= s->fence) return underflow(u);
    Py_DECREF(s->data[--s->count]);
    return 0;
}

static int load_pop_mark(Unpickler *u)
{
    Py_ssize_t mark = pop_mark(u);
    if (mark < 0) return -1;
    load_stack_clear(u->stack, mark);
    return 0;
}

static int load_dup(Unpickler *u)
{
    LoadStack *s = u->stack;
    if (s->count <= s->fence) return underflow(u);
    return push(u, Py_NewRef(s->data[s->count - 1]));
}

static int load_get(Unpickler *u)
{
    PyObject *key, *o;
    Py_ssize_t index = read_decimal_index(u, &key);
    if (!key) return -1;
    if (index == -1 && PyErr_Occurred()) {
        Py_DECREF(key);
        return -1;
    }
    o = memo_at(u, (size_t)index);
    if (!o && !PyErr_Occurred()) PyErr_Format(u->stack->state->unpickling_error, "Memo value not found at index %ld", (long)index);
    Py_DECREF(key);
    return push(u, Py_XNewRef(o));
}

static int load_put(Unpickler *u)
{
    PyObject *key;
    Py_ssize_t index = read_decimal_index(u, &key);
    if (!key) return -1;
    Py_DECREF(key);
    if (index < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "negative PUT argument");
        return -1;
    }
    return put_top(u, (size_t)index);
}

static int load_proto(Unpickler *u)
{
    const char *at = input_read(u, 1);
    if (!at) return -1;
    int proto = (unsigned char)*at;
    if (proto <= PICKLE_HIGHEST) {
        u->proto = proto;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "unsupported pickle protocol: %d", proto);
    return -1;
}

/* A frame says how much may be read at once; nothing else hangs on it. */
static int load_frame(Unpickler *u)
{
    Py_ssize_t n = read_length(u, 8, "FRAME length exceeds system's maximum of %zd bytes");
    if (n < 0) return -1;
    if (!input_read(u, n)) return -1;
    u->next -= n;
    return 0;
}

static COLD int bad_opcode(Unpickler *u, unsigned char op)
{
    const char *format = op >= 0x20 && op <= 0x7e && op != '\'' && op != '\\' ? "invalid load key, '%c'." : "invalid load key, '\\x%02x'.";
    PyErr_Format(u->stack->state->unpickling_error, format, op);
    return -1;
}

static int load_op(Unpickler *u, unsigned char op)
{
    const char *at;
    PyObject *o;
    switch (op) {
    case OP_NONE: return push(u, Py_NewRef(Py_None));
    case OP_NEWTRUE: return push(u, Py_NewRef(Py_True));
    case OP_NEWFALSE: return push(u, Py_NewRef(Py_False));
    case OP_BININT: return (at = input_read(u, 4)) ? push(u, PyLong_FromLong((int32_t)get_le32(at))) : -1;
    case OP_BININT1: return (at = input_read(u, 1)) ? push(u, SMALL_INT((unsigned char)*at)) : -1;
    case OP_BININT2: return (at = input_read(u, 2)) ? push(u, PyLong_FromLong((unsigned char)at[0] | (unsigned char)at[1] << 8)) : -1;
    case OP_INT: return load_int(u);
    case OP_LONG: return load_long_text(u);
    case OP_LONG1: return load_long_bytes(u, 1);
    case OP_LONG4: return load_long_bytes(u, 4);
    case OP_FLOAT: return load_float(u);
    case OP_BINFLOAT: return load_binfloat(u);
    case OP_SHORT_BINBYTES: return load_binbytes(u, 1);
    case OP_BINBYTES: return load_binbytes(u, 4);
    case OP_BINBYTES8: return load_binbytes(u, 8);
    case OP_BYTEARRAY8: return load_bytearray(u);
    case OP_NEXT_BUFFER: return load_next_buffer(u);
    case OP_READONLY_BUFFER: return load_readonly_buffer(u);
    case OP_SHORT_BINSTRING: return load_binstring(u, 1);
    case OP_BINSTRING: return load_binstring(u, 4);
    case OP_STRING: return load_string(u);
    case OP_UNICODE: return load_unicode_line(u);
    case OP_SHORT_BINUNICODE: return load_binunicode(u, 1);
    case OP_BINUNICODE: return load_binunicode(u, 4);
    case OP_BINUNICODE8: return load_binunicode(u, 8);
    case OP_EMPTY_TUPLE: return push(u, Py_NewRef(EMPTY_TUPLE));
    case OP_TUPLE1: case OP_TUPLE2: case OP_TUPLE3: return load_short_tuple(u, op - OP_TUPLE1 + 1);
    case OP_TUPLE: return load_tuple(u);
    case OP_EMPTY_LIST: return push(u, PyList_New(0));
    case OP_LIST: return load_list(u);
    case OP_EMPTY_DICT: return push(u, PyDict_New());
    case OP_DICT: return load_dict(u);
    case OP_EMPTY_SET: return push(u, PySet_New(NULL));
    case OP_ADDITEMS: return load_add_items(u);
    case OP_FROZENSET: return load_frozenset(u);
    case OP_OBJ: return load_obj(u);
    case OP_INST: return load_inst(u);
    case OP_NEWOBJ: return load_newobj(u, false);
    case OP_NEWOBJ_EX: return load_newobj(u, true);
    case OP_GLOBAL: return load_global(u);
    case OP_STACK_GLOBAL: return load_stack_global(u);
    case OP_APPEND: return load_append(u);
    case OP_APPENDS: return load_appends(u);
    case OP_BUILD: return load_build(u);
    case OP_DUP: return load_dup(u);
    case OP_BINGET: return (at = input_read(u, 1)) ? get_from_memo(u, (unsigned char)*at) : -1;
    case OP_LONG_BINGET: return (at = input_read(u, 4)) ? get_from_memo(u, get_le32(at)) : -1;
    case OP_GET: return load_get(u);
    case OP_MARK: return load_mark(u);
    case OP_BINPUT: return (at = input_read(u, 1)) ? put_top(u, (unsigned char)*at) : -1;
    case OP_LONG_BINPUT: return (at = input_read(u, 4)) ? put_top(u, get_le32(at)) : -1;
    case OP_PUT: return load_put(u);
    case OP_MEMOIZE: return put_top(u, (size_t)u->memo_count);
    case OP_POP: return load_pop(u);
    case OP_POP_MARK: return load_pop_mark(u);
    case OP_SETITEM: return set_items_from(u, u->stack->count - 2);
    case OP_SETITEMS: return load_set_items(u);
    case OP_PERSID: return load_persid(u);
    case OP_BINPERSID: return (o = pop(u)) ? push_persistent(u, o) : -1;
    case OP_REDUCE: return load_reduce(u);
    case OP_PROTO: return load_proto(u);
    case OP_FRAME: return load_frame(u);
    case OP_EXT1: return load_extension(u, 1);
    case OP_EXT2: return load_extension(u, 2);
    case OP_EXT4: return load_extension(u, 4);
    default: return bad_opcode(u, op);
    }
}

PyObject *load_run(Unpickler *u)
{
    LoadStack *s = u->stack;
    u->mark_count = 0;
    s->mark_set = false;
    s->fence = 0;
    u->proto = 0;
    load_stack_clear(s, 0);
    for (;;) {
        const char *at = input_read(u, 1);
        if (UNLIKELY(!at)) {
            if (PyErr_ExceptionMatches(s->state->unpickling_error)) PyErr_SetString(PyExc_EOFError, "Ran out of input");
            return NULL;
        }
        unsigned char op = (unsigned char)*at;
        if (op == OP_STOP) break;
        if (UNLIKELY(load_op(u, op) < 0)) return NULL;
    }
    if (input_skip_consumed(u) < 0) return NULL;
    return pop(u);
}
