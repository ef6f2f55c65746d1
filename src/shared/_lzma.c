/* The _lzma module: LZMACompressor and LZMADecompressor over liblzma.
 *
 * Each object has a lock, held while the library works without the GIL. Filter chains come as lists of dicts. */
#include "modules/compression.h"

#include <lzma.h>

enum { FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW };
enum { CHECK_UNKNOWN = LZMA_CHECK_ID_MAX + 1 };

typedef struct LzmaState { PyObject *error; } LzmaState;

typedef struct Compressor { PyObject_HEAD lzma_stream stream; bool flushed; PyThread_type_lock lock; } Compressor;

typedef struct Decompressor {
    PyObject_HEAD
    lzma_stream stream;
    int check;
    Feed feed;
    PyThread_type_lock lock;
} Decompressor;

#define COMPRESSOR(o) ((Compressor *)(o))
#define DECOMPRESSOR(o) ((Decompressor *)(o))

static PyModuleDef lzma_module;

static LzmaState *state_of(PyObject *o) { return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(o), &lzma_module)); }

/* 0, or -1 with an exception for what the library says went wrong. */
static int check(LzmaState *state, lzma_ret code)
{
    const char *text;
    switch (code) {
    case LZMA_OK: case LZMA_GET_CHECK: case LZMA_NO_CHECK: case LZMA_STREAM_END: return 0;
    case LZMA_MEM_ERROR: PyErr_NoMemory(); return -1;
    case LZMA_UNSUPPORTED_CHECK: text = "Unsupported integrity check"; break;
    case LZMA_MEMLIMIT_ERROR: text = "Memory usage limit exceeded"; break;
    case LZMA_FORMAT_ERROR: text = "Input format not supported by decoder"; break;
    case LZMA_OPTIONS_ERROR: text = "Invalid or unsupported options"; break;
    case LZMA_DATA_ERROR: text = "Corrupt input data"; break;
    case LZMA_BUF_ERROR: text = "Insufficient buffer space"; break;
    case LZMA_PROG_ERROR: text = "Internal error"; break;
    default: PyErr_Format(state->error, "Unrecognized error from liblzma: %d", code); return -1;
    }
    PyErr_SetString(state->error, text);
    return -1;
}

static void *raw_alloc(void *opaque, size_t count, size_t size)
{
    return size && count > (size_t)PY_SSIZE_T_MAX / size ? NULL : PyMem_RawMalloc(count * size);
}
static void raw_free(void *opaque, void *p) { PyMem_RawFree(p); }
static const lzma_allocator allocator = { raw_alloc, raw_free, NULL };

/* ---- filter chains ------------------------------------------------------------------------------------------------------- */

static int to_uint32(PyObject *o, uint32_t *value)
{
    unsigned long long n = PyLong_AsUnsignedLongLong(o);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) return -1;
    if (n > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "Value too large for uint32_t type");
        return -1;
    }
    *value = (uint32_t)n;
    return 0;
}

static int to_filter_id(PyObject *o, lzma_vli *id)
{
    unsigned long long n = PyLong_AsUnsignedLongLong(o);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) return -1;
    *id = n;
    return 0;
}

typedef struct Option { const char *name; uint32_t *value; } Option;

/* Reads the options of a filter; any other key, or a value that is no uint32, is a ValueError. */
static int read_options(PyObject *spec, const Option *option, size_t count, const char *filter)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (!PyDict_Check(spec)) goto invalid;
    while (PyDict_Next(spec, &position, &key, &value)) {
        size_t i = 0;
        if (!PyUnicode_Check(key)) goto invalid;
        if (PyUnicode_EqualToUTF8(key, "id")) continue;
        while (i < count && !PyUnicode_EqualToUTF8(key, option[i].name)) i++;
        if (i == count || (option[i].value && to_uint32(value, option[i].value) < 0)) goto invalid;
    }
    return 0;
invalid:
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "Invalid filter specifier for %s filter", filter);
    return -1;
}

static int read_lzma(LzmaState *state, PyObject *spec, lzma_options_lzma *o)
{
    uint32_t preset = LZMA_PRESET_DEFAULT, mode, mf;
    PyObject *given = NULL;
    if (PyMapping_GetOptionalItemString(spec, "preset", &given) < 0) return -1;
    int status = given ? to_uint32(given, &preset) : 0;
    Py_XDECREF(given);
    if (status < 0) return -1;
    if (lzma_lzma_preset(o, preset)) {
        PyErr_Format(state->error, "Invalid compression preset: %u", preset);
        return -1;
    }
    mode = (uint32_t)o->mode;
    mf = (uint32_t)o->mf;
    const Option option[] = {
        { "preset", NULL }, { "dict_size", &o->dict_size }, { "lc", &o->lc }, { "lp", &o->lp }, { "pb", &o->pb }, { "mode", &mode },
        { "nice_len", &o->nice_len }, { "mf", &mf }, { "depth", &o->depth },
    };
    if (read_options(spec, option, ARRAY_LENGTH(option), "LZMA") < 0) return -1;
    o->mode = (lzma_mode)mode;
    o->mf = (lzma_match_finder)mf;
    return 0;
}

/* One filter; its options are to be freed. */
static int read_filter(LzmaState *state, PyObject *spec, lzma_filter *filter)
{
    PyObject *id = NULL;
    filter->options = NULL;
    if (!PyMapping_Check(spec)) {
        PyErr_SetString(PyExc_TypeError, "Filter specifier must be a dict or dict-like object");
        return -1;
    }
    if (PyMapping_GetOptionalItemString(spec, "id", &id) < 0) return -1;
    if (!id) {
        PyErr_SetString(PyExc_ValueError, "Filter specifier must have an \"id\" entry");
        return -1;
    }
    int status = to_filter_id(id, &filter->id);
    Py_DECREF(id);
    if (status < 0) return -1;
    size_t size = filter->id == LZMA_FILTER_LZMA1 || filter->id == LZMA_FILTER_LZMA2 ? sizeof(lzma_options_lzma)
                : filter->id == LZMA_FILTER_DELTA ? sizeof(lzma_options_delta) : sizeof(lzma_options_bcj);
    if (!(filter->options = PyMem_Calloc(1, size))) {
        PyErr_NoMemory();
        return -1;
    }
    switch (filter->id) {
    case LZMA_FILTER_LZMA1: case LZMA_FILTER_LZMA2: status = read_lzma(state, spec, filter->options); break;
    case LZMA_FILTER_DELTA: {
        lzma_options_delta *o = filter->options;
        o->type = LZMA_DELTA_TYPE_BYTE;
        o->dist = 1;
        status = read_options(spec, &(Option){ "dist", &o->dist }, 1, "delta");
        break;
    }
    case LZMA_FILTER_X86: case LZMA_FILTER_POWERPC: case LZMA_FILTER_IA64: case LZMA_FILTER_ARM: case LZMA_FILTER_ARMTHUMB: case LZMA_FILTER_SPARC:
        status = read_options(spec, &(Option){ "start_offset", &((lzma_options_bcj *)filter->options)->start_offset }, 1, "BCJ");
        break;
    default:
        PyErr_Format(PyExc_ValueError, "Invalid filter ID: %llu", (unsigned long long)filter->id);
        status = -1;
    }
    if (status < 0) {
        PyMem_Free(filter->options);
        filter->options = NULL;
    }
    return status;
}

typedef lzma_filter Filters[LZMA_FILTERS_MAX + 1];

static void free_filters(lzma_filter *filter)
{
    for (; filter->id != LZMA_VLI_UNKNOWN; filter++) PyMem_Free(filter->options);
}

static int read_filters(LzmaState *state, PyObject *specs, lzma_filter *filters)
{
    filters[0].id = LZMA_VLI_UNKNOWN;
    Py_ssize_t n = PySequence_Size(specs);
    if (n < 0) return -1;
    if (n > LZMA_FILTERS_MAX) {
        PyErr_Format(PyExc_ValueError, "Too many filters - liblzma supports a maximum of %d", LZMA_FILTERS_MAX);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *spec = PySequence_GetItem(specs, i);
        int status = spec ? read_filter(state, spec, &filters[i]) : -1;
        Py_XDECREF(spec);
        if (status < 0) {
            filters[i].id = LZMA_VLI_UNKNOWN;
            free_filters(filters);
            return -1;
        }
        filters[i + 1].id = LZMA_VLI_UNKNOWN;
    }
    return 0;
}

static int add_field(PyObject *dict, const char *name, unsigned long long value)
{
    PyObject *number = PyLong_FromUnsignedLongLong(value);
    int status = number ? PyDict_SetItemString(dict, name, number) : -1;
    Py_XDECREF(number);
    return status;
}

/* The dict for a filter. */
static PyObject *filter_spec(const lzma_filter *filter)
{
    PyObject *spec = PyDict_New();
    if (!spec || add_field(spec, "id", filter->id) < 0) goto fail;
    switch (filter->id) {
    case LZMA_FILTER_LZMA1: case LZMA_FILTER_LZMA2: {
        const lzma_options_lzma *o = filter->options;
        if (filter->id == LZMA_FILTER_LZMA1 &&
            (add_field(spec, "lc", o->lc) < 0 || add_field(spec, "lp", o->lp) < 0 || add_field(spec, "pb", o->pb) < 0)) goto fail;
        if (add_field(spec, "dict_size", o->dict_size) < 0) goto fail;
        break;
    }
    case LZMA_FILTER_DELTA:
        if (add_field(spec, "dist", ((lzma_options_delta *)filter->options)->dist) < 0) goto fail;
        break;
    case LZMA_FILTER_X86: case LZMA_FILTER_POWERPC: case LZMA_FILTER_IA64: case LZMA_FILTER_ARM: case LZMA_FILTER_ARMTHUMB: case LZMA_FILTER_SPARC:
        if (filter->options && add_field(spec, "start_offset", ((lzma_options_bcj *)filter->options)->start_offset) < 0) goto fail;
        break;
    default:
        PyErr_Format(PyExc_ValueError, "Invalid filter ID: %llu", (unsigned long long)filter->id);
        goto fail;
    }
    return spec;
fail:
    Py_XDECREF(spec);
    return NULL;
}

/* ---- steps --------------------------------------------------------------------------------------------------------------- */

/* Room for output: 1, 0 when the limit is reached, -1. */
static int offer_output(Output *out, lzma_stream *stream)
{
    Py_ssize_t room = output_room(out);
    if (room < 0) return -1;
    stream->next_out = output_next(out);
    stream->avail_out = (size_t)room;
    return room != 0;
}

static lzma_ret step(Output *out, lzma_stream *stream, lzma_action action)
{
    lzma_ret code;
    Py_BEGIN_ALLOW_THREADS
    code = lzma_code(stream, action);
    Py_END_ALLOW_THREADS
    output_took(out, stream->next_out);
    return code;
}

/* ---- compressor ---------------------------------------------------------------------------------------------------------- */

static PyObject *compress(Compressor *c, const uint8_t *data, size_t n, lzma_action action)
{
    LzmaState *state = state_of((PyObject *)c);
    Output out;
    if (output_start(&out, OUTPUT_FIRST, -1) < 0) return NULL;
    c->stream.next_in = data;
    c->stream.avail_in = n;
    for (;;) {
        if (offer_output(&out, &c->stream) < 0) goto fail;
        lzma_ret code = step(&out, &c->stream, action);
        if (code == LZMA_BUF_ERROR && n == 0 && c->stream.avail_out) code = LZMA_OK;      /* nothing to do is no error */
        if (check(state, code) < 0) goto fail;
        if (action == LZMA_RUN ? c->stream.avail_in == 0 : code == LZMA_STREAM_END) break;
    }
    return output_finish(&out);
fail:
    output_drop(&out);
    return NULL;
}

BUILTIN_O(compressor, compress, "($self, data, /)", "Give data to the compressor; what of its output is ready is returned.")
{
    Compressor *c = COMPRESSOR(self);
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    stream_lock(c->lock);
    if (c->flushed) PyErr_SetString(PyExc_ValueError, "Compressor has been flushed");
    else result = compress(c, view.buf, (size_t)view.len, LZMA_RUN);
    PyThread_release_lock(c->lock);
    PyBuffer_Release(&view);
    return result;
}

BUILTIN_NOARGS(compressor, flush, "($self, /)", "Finish, and return what output is left. The compressor cannot be used afterwards.")
{
    Compressor *c = COMPRESSOR(self);
    PyObject *result = NULL;
    stream_lock(c->lock);
    if (c->flushed) PyErr_SetString(PyExc_ValueError, "Repeated call to flush()");
    else {
        c->flushed = true;
        result = compress(c, NULL, 0, LZMA_FINISH);
    }
    PyThread_release_lock(c->lock);
    return result;
}

static int start_xz(LzmaState *state, lzma_stream *stream, int integrity, uint32_t preset, PyObject *specs)
{
    Filters filters;
    if (specs == Py_None) return check(state, lzma_easy_encoder(stream, preset, (lzma_check)integrity));
    if (read_filters(state, specs, filters) < 0) return -1;
    lzma_ret code = lzma_stream_encoder(stream, filters, (lzma_check)integrity);
    free_filters(filters);
    return check(state, code);
}

static int start_alone(LzmaState *state, lzma_stream *stream, uint32_t preset, PyObject *specs)
{
    Filters filters;
    if (specs == Py_None) {
        lzma_options_lzma options;
        if (!lzma_lzma_preset(&options, preset)) return check(state, lzma_alone_encoder(stream, &options));
        PyErr_Format(state->error, "Invalid compression preset: %u", preset);
        return -1;
    }
    if (read_filters(state, specs, filters) < 0) return -1;
    int status = -1;
    if (filters[0].id == LZMA_FILTER_LZMA1 && filters[1].id == LZMA_VLI_UNKNOWN) status = check(state, lzma_alone_encoder(stream, filters[0].options));
    else PyErr_SetString(PyExc_ValueError, "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter");
    free_filters(filters);
    return status;
}

static int start_raw(LzmaState *state, lzma_stream *stream, PyObject *specs, lzma_ret (*start)(lzma_stream *, const lzma_filter *))
{
    Filters filters;
    if (specs == Py_None) {
        PyErr_SetString(PyExc_ValueError, "Must specify filters for FORMAT_RAW");
        return -1;
    }
    if (read_filters(state, specs, filters) < 0) return -1;
    lzma_ret code = start(stream, filters);
    free_filters(filters);
    return check(state, code);
}

static int start_compressor(LzmaState *state, Compressor *c, int format, int integrity, uint32_t preset, PyObject *specs)
{
    switch (format) {
    case FORMAT_XZ: return start_xz(state, &c->stream, integrity == -1 ? LZMA_CHECK_CRC64 : integrity, preset, specs);
    case FORMAT_ALONE: return start_alone(state, &c->stream, preset, specs);
    case FORMAT_RAW: return start_raw(state, &c->stream, specs, lzma_raw_encoder);
    default: PyErr_Format(PyExc_ValueError, "Invalid container format: %d", format); return -1;
    }
}

SIGNATURE(compressor_signature, "LZMACompressor", KEYWORDS, "(format=FORMAT_XZ, check=-1, preset=None, filters=None)");

static PyObject *compressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[4], *specs;
    int format, integrity;
    uint32_t preset = LZMA_PRESET_DEFAULT;
    if (args_bind_tuple(&compressor_signature, args, kwargs, arg) < 0) return NULL;
    if (int_argument(arg[0], FORMAT_XZ, &format) < 0 || int_argument(arg[1], -1, &integrity) < 0) return NULL;
    specs = arg[3] ? arg[3] : Py_None;
    if (arg[2] && arg[2] != Py_None && specs != Py_None) {
        PyErr_SetString(PyExc_ValueError, "Cannot specify both preset and filter chain");
        return NULL;
    }
    if (arg[2] && arg[2] != Py_None && to_uint32(arg[2], &preset) < 0) return NULL;
    if (format != FORMAT_XZ && integrity != -1 && integrity != LZMA_CHECK_NONE) {
        PyErr_SetString(PyExc_ValueError, "Integrity checks are only supported by FORMAT_XZ");
        return NULL;
    }
    Compressor *c = COMPRESSOR(type->tp_alloc(type, 0));
    if (!c) return NULL;
    c->stream.allocator = &allocator;
    if (!(c->lock = PyThread_allocate_lock())) PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    else if (start_compressor(state_of((PyObject *)c), c, format, integrity, preset, specs) == 0) return (PyObject *)c;
    Py_DECREF(c);
    return NULL;
}

static void compressor_dealloc(PyObject *self)
{
    lzma_end(&COMPRESSOR(self)->stream);
    if (COMPRESSOR(self)->lock) PyThread_free_lock(COMPRESSOR(self)->lock);
    free_instance(self);
}

static PyMethodDef compressor_methods[] = { METHOD(compressor, compress), METHOD(compressor, flush), { 0 } };
static PyType_Slot compressor_slots[] = {
    { Py_tp_dealloc, compressor_dealloc }, { Py_tp_new, compressor_new }, { Py_tp_methods, compressor_methods },
    { Py_tp_doc, (char *)"LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)\n\n"
      "Compress data piece by piece.\n\n"
      "format is FORMAT_XZ, FORMAT_ALONE or FORMAT_RAW. check is the integrity check of FORMAT_XZ, CHECK_CRC64\n"
      "by default. preset is a level from 0 to 9, or'ed with PRESET_EXTREME at will; filters is a chain of\n"
      "filter specifiers instead, which FORMAT_RAW needs." }, { 0, NULL }
};
static PyType_Spec compressor_spec = { "_lzma.LZMACompressor", sizeof(Compressor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, compressor_slots };

/* ---- decompressor -------------------------------------------------------------------------------------------------------- */

/* Runs the library over what next_in and avail_in say. */
static PyObject *decompress(Decompressor *d, Py_ssize_t limit)
{
    LzmaState *state = state_of((PyObject *)d);
    Output out;
    int room;
    if (output_start(&out, OUTPUT_FIRST, limit) < 0 || offer_output(&out, &d->stream) < 0) goto fail;
    for (;;) {
        lzma_ret code = step(&out, &d->stream, LZMA_RUN);
        if (code == LZMA_BUF_ERROR && !d->stream.avail_in && d->stream.avail_out) code = LZMA_OK;
        if (check(state, code) < 0) goto fail;
        if (code == LZMA_GET_CHECK || code == LZMA_NO_CHECK) d->check = (int)lzma_get_check(&d->stream);
        if (code == LZMA_STREAM_END) {
            d->feed.eof = 1;
            break;
        }
        if (d->stream.avail_out) {            /* if not, the library may have more to say about the input it took */
            if (!d->stream.avail_in) break;
        }
        else if ((room = offer_output(&out, &d->stream)) < 0) goto fail;
        else if (!room) break;
    }
    return output_finish(&out);
fail:
    output_drop(&out);
    return NULL;
}

static PyObject *decompress_more(Decompressor *d, const void *data, size_t n, Py_ssize_t limit)
{
    if (feed_offer(&d->feed, &data, &n) < 0) return NULL;
    d->stream.next_in = data;
    d->stream.avail_in = n;
    PyObject *result = decompress(d, limit);
    data = d->stream.next_in;
    n = d->stream.avail_in;
    d->stream.next_in = NULL;                 /* the memory is not ours any more */
    d->stream.avail_in = 0;
    if (!result) feed_forget(&d->feed);
    else if (feed_settle(&d->feed, data, n, d->stream.avail_out != 0) < 0) Py_CLEAR(result);
    return result;
}

BUILTIN(decompressor, decompress, KEYWORDS, "($self, /, data, max_length=-1)", "Decompress data, up to max_length bytes of output if that is not negative.")
{
    Decompressor *d = DECOMPRESSOR(self);
    Py_ssize_t limit;
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    if (size_argument(arg[1], -1, &limit) < 0) goto done;
    stream_lock(d->lock);
    if (d->feed.eof) PyErr_SetString(PyExc_EOFError, "Already at end of stream");
    else result = decompress_more(d, view.buf, (size_t)view.len, limit);
    PyThread_release_lock(d->lock);
done:
    PyBuffer_Release(&view);
    return result;
}

static int start_decompressor(LzmaState *state, Decompressor *d, int format, uint64_t limit, PyObject *specs)
{
    const uint32_t flags = LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK;
    switch (format) {
    case FORMAT_AUTO: return check(state, lzma_auto_decoder(&d->stream, limit, flags));
    case FORMAT_XZ: return check(state, lzma_stream_decoder(&d->stream, limit, flags));
    case FORMAT_ALONE:
        d->check = LZMA_CHECK_NONE;
        return check(state, lzma_alone_decoder(&d->stream, limit));
    case FORMAT_RAW:
        d->check = LZMA_CHECK_NONE;
        return start_raw(state, &d->stream, specs, lzma_raw_decoder);
    default: PyErr_Format(PyExc_ValueError, "Invalid container format: %d", format); return -1;
    }
}

SIGNATURE(decompressor_signature, "LZMADecompressor", KEYWORDS, "(format=FORMAT_AUTO, memlimit=None, filters=None)");

static PyObject *decompressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3], *specs;
    int format;
    uint64_t limit = UINT64_MAX;
    if (args_bind_tuple(&decompressor_signature, args, kwargs, arg) < 0 || int_argument(arg[0], FORMAT_AUTO, &format) < 0) return NULL;
    specs = arg[2] ? arg[2] : Py_None;
    if (arg[1] && arg[1] != Py_None) {
        if (format == FORMAT_RAW) {
            PyErr_SetString(PyExc_ValueError, "Cannot specify memory limit with FORMAT_RAW");
            return NULL;
        }
        limit = PyLong_AsUnsignedLongLong(arg[1]);
        if (PyErr_Occurred()) return NULL;
    }
    if (format == FORMAT_RAW && specs == Py_None) {
        PyErr_SetString(PyExc_ValueError, "Must specify filters for FORMAT_RAW");
        return NULL;
    }
    if (format != FORMAT_RAW && specs != Py_None) {
        PyErr_SetString(PyExc_ValueError, "Cannot specify filters except with FORMAT_RAW");
        return NULL;
    }
    Decompressor *d = DECOMPRESSOR(type->tp_alloc(type, 0));
    if (!d) return NULL;
    d->stream.allocator = &allocator;
    d->check = CHECK_UNKNOWN;
    if (!(d->lock = PyThread_allocate_lock())) PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    else if (feed_init(&d->feed) == 0 && start_decompressor(state_of((PyObject *)d), d, format, limit, specs) == 0)
        return (PyObject *)d;
    Py_DECREF(d);
    return NULL;
}

static void decompressor_dealloc(PyObject *self)
{
    Decompressor *d = DECOMPRESSOR(self);
    lzma_end(&d->stream);
    if (d->lock) PyThread_free_lock(d->lock);
    feed_fini(&d->feed);
    free_instance(self);
}

static PyMethodDef decompressor_methods[] = { METHOD(decompressor, decompress), { 0 } };
static PyMemberDef decompressor_members[] = {
    { "check", Py_T_INT, offsetof(Decompressor, check), Py_READONLY, "The integrity check of the stream, CHECK_UNKNOWN as long as that is not known." },
    FEED_MEMBERS(Decompressor, feed),
    { 0 }
};
static PyType_Slot decompressor_slots[] = {
    { Py_tp_dealloc, decompressor_dealloc }, { Py_tp_new, decompressor_new }, { Py_tp_methods, decompressor_methods }, { Py_tp_members, decompressor_members },
    { Py_tp_doc, (char *)"LZMADecompressor(format=FORMAT_AUTO, memlimit=None, filters=None)\n--\n\n"
      "Decompress data piece by piece.\n\n"
      "format is FORMAT_AUTO for FORMAT_XZ and FORMAT_ALONE alike, or one of them, or FORMAT_RAW, which needs\n"
      "the filters. memlimit bounds the memory that decompressing may take." }, { 0, NULL }
};
static PyType_Spec decompressor_spec = { "_lzma.LZMADecompressor", sizeof(Decompressor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, decompressor_slots };

/* ---- functions ----------------------------------------------------------------------------------------------------------- */

BUILTIN_O(lzma, is_check_supported, "($module, check_id, /)", "Test whether the given integrity check is supported.\n\nAlways returns True for CHECK_NONE and CHECK_CRC32.")
{
    int id = PyLong_AsInt(arg);
    if (id == -1 && PyErr_Occurred()) return NULL;
    return PyBool_FromLong(lzma_check_is_supported((lzma_check)id));
}

BUILTIN_O(lzma, _encode_filter_properties, "($module, filter, /)", "Return a bytes object encoding the options (properties) of a filter.")
{
    LzmaState *state = PyModule_GetState(self);
    lzma_filter filter;
    uint32_t size;
    PyObject *result = NULL;
    if (read_filter(state, arg, &filter) < 0) return NULL;
    if (check(state, lzma_properties_size(&size, &filter)) == 0 && (result = PyBytes_FromStringAndSize(NULL, size)) &&
        check(state, lzma_properties_encode(&filter, (uint8_t *)PyBytes_AS_STRING(result))) < 0) Py_CLEAR(result);
    PyMem_Free(filter.options);
    return result;
}

BUILTIN(lzma, _decode_filter_properties, POSITIONAL, "($module, filter_id, encoded_props, /)",
        "Return a dict describing a filter with ID *filter_id*, and options encoded in the bytes object *encoded_props*.")
{
    LzmaState *state = PyModule_GetState(self);
    lzma_filter filter = { 0 };
    Py_buffer view;
    PyObject *result = NULL;
    if (to_filter_id(arg[0], &filter.id) < 0 || PyObject_GetBuffer(arg[1], &view, PyBUF_SIMPLE) < 0) return NULL;
    if (check(state, lzma_properties_decode(&filter, &allocator, view.buf, (size_t)view.len)) == 0) {
        result = filter_spec(&filter);
        PyMem_RawFree(filter.options);
    }
    PyBuffer_Release(&view);
    return result;
}

/* ---- module -------------------------------------------------------------------------------------------------------------- */

static int lzma_exec(PyObject *module)
{
    static const struct { const char *name; unsigned long long value; } constants[] = {
        { "FORMAT_AUTO", FORMAT_AUTO }, { "FORMAT_XZ", FORMAT_XZ }, { "FORMAT_ALONE", FORMAT_ALONE }, { "FORMAT_RAW", FORMAT_RAW },
        { "CHECK_NONE", LZMA_CHECK_NONE }, { "CHECK_CRC32", LZMA_CHECK_CRC32 }, { "CHECK_CRC64", LZMA_CHECK_CRC64 }, { "CHECK_SHA256", LZMA_CHECK_SHA256 },
        { "CHECK_ID_MAX", LZMA_CHECK_ID_MAX }, { "CHECK_UNKNOWN", CHECK_UNKNOWN },
        { "FILTER_LZMA1", LZMA_FILTER_LZMA1 }, { "FILTER_LZMA2", LZMA_FILTER_LZMA2 }, { "FILTER_DELTA", LZMA_FILTER_DELTA }, { "FILTER_X86", LZMA_FILTER_X86 },
        { "FILTER_IA64", LZMA_FILTER_IA64 }, { "FILTER_ARM", LZMA_FILTER_ARM }, { "FILTER_ARMTHUMB", LZMA_FILTER_ARMTHUMB },
        { "FILTER_SPARC", LZMA_FILTER_SPARC }, { "FILTER_POWERPC", LZMA_FILTER_POWERPC },
        { "MF_HC3", LZMA_MF_HC3 }, { "MF_HC4", LZMA_MF_HC4 }, { "MF_BT2", LZMA_MF_BT2 }, { "MF_BT3", LZMA_MF_BT3 }, { "MF_BT4", LZMA_MF_BT4 },
        { "MODE_FAST", LZMA_MODE_FAST }, { "MODE_NORMAL", LZMA_MODE_NORMAL }, { "PRESET_DEFAULT", LZMA_PRESET_DEFAULT }, { "PRESET_EXTREME", LZMA_PRESET_EXTREME },
    };
    LzmaState *state = PyModule_GetState(module);
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_Add(module, constants[i].name, PyLong_FromUnsignedLongLong(constants[i].value)) < 0) return -1;
    if (!(state->error = PyErr_NewExceptionWithDoc("_lzma.LZMAError", "Call to liblzma failed.", NULL, NULL)) ||
        PyModule_AddObjectRef(module, "LZMAError", state->error) < 0) return -1;
    return module_add_type(module, &compressor_spec, NULL) < 0 ? -1 : module_add_type(module, &decompressor_spec, NULL);
}

static int lzma_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((LzmaState *)PyModule_GetState(module))->error);
    return 0;
}

static int lzma_clear(PyObject *module)
{
    Py_CLEAR(((LzmaState *)PyModule_GetState(module))->error);
    return 0;
}

static void lzma_free(void *module) { lzma_clear(module); }

static PyMethodDef lzma_methods[] = {
    METHOD(lzma, is_check_supported), METHOD(lzma, _encode_filter_properties), METHOD(lzma, _decode_filter_properties), { 0 }
};
static PyModuleDef_Slot lzma_slots[] = {
    { Py_mod_exec, lzma_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
static PyModuleDef lzma_module = {
    PyModuleDef_HEAD_INIT, "_lzma", NULL, sizeof(LzmaState), lzma_methods, lzma_slots, lzma_traverse, lzma_clear, lzma_free,
};

PyMODINIT_FUNC PyInit__lzma(void) { return PyModuleDef_Init(&lzma_module); }
