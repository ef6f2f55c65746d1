/* The _zoneinfo module: the class ZoneInfo.
 *
 * The file is read by zoneinfo._common.load_data; a zone is then three sorted arrays of transition times (UTC, and local with
 * fold 0 and 1) with the number of a TimeType for each, what was before the first, and a rule for what comes after the last.
 * A zone never changes once it is loaded. The text of a POSIX rule is parsed in _zoneinfo_rule.c. */
#include "modules/_zoneinfo.h"

#include <string.h>

enum { SOURCE_NO_CACHE, SOURCE_CACHE, SOURCE_FILE };
enum { STRONG_SIZE = 8, DELTAS_MAX = 512 };

typedef struct TimeType { int64_t offset; PyObject *utcoff, *dstoff, *name; } TimeType;

typedef struct Zone {
    PyObject_HEAD
    PyObject *key;                            /* anything; NULL while the zone is made */
    PyObject *file_repr;                      /* str, of one from a file object; else NULL */
    PyObject *weakrefs;
    Py_ssize_t count, type_count;
    int64_t *utc, *local[2];                  /* one block, at utc */
    uint8_t *type_of;                         /* in that block too: index into types */
    TimeType *types;
    const TimeType *before;                   /* the first transition; NULL when there are no types */
    TimeType standard, daylight;              /* of the rule; daylight.name is NULL when it has none */
    ZoneRule rule;
    uint8_t source;
    bool fixed;                               /* answers do not depend on the time */
} Zone;

#define ZONE(o) ((Zone *)(o))

/* The most recently used zones are kept alive: newest first. */
typedef struct StrongEntry { PyObject *key, *zone; } StrongEntry;

typedef struct ZoneState {
    PyTypeObject *type;
    PyObject *weak_cache, *deltas;            /* of ZoneInfo itself; seconds -> timedelta */
    PyObject *find_tzfile, *load_tzdata, *load_data, *open, *weak_dict;
    StrongEntry strong[STRONG_SIZE];
    uint64_t strong_version;                  /* changes with every change */
} ZoneState;

static struct PyModuleDef zoneinfo_definition;

static ZoneState *zone_state(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &zoneinfo_definition);
    return module ? PyModule_GetState(module) : NULL;
}

/* ---- time types --------------------------------------------------------------------------------------------------------- */

static PyObject *delta_of(ZoneState *state, int64_t seconds)
{
    PyObject *key = PyLong_FromLongLong(seconds), *delta = key ? Py_XNewRef(PyDict_GetItemWithError(state->deltas, key)) : NULL;
    if (key && !delta && !PyErr_Occurred() && (delta = delta_make_carrying(0, seconds, 0))) {
        if (PyDict_GET_SIZE(state->deltas) >= DELTAS_MAX) PyDict_Clear(state->deltas);
        if (PyDict_SetItem(state->deltas, key, delta) < 0) Py_CLEAR(delta);
    }
    Py_XDECREF(key);
    return delta;
}

/* Steals name. 0, or -1 with an exception; in any case the type may be cleared. */
static int type_fill(ZoneState *state, TimeType *type, int64_t offset, int64_t dst, PyObject *name)
{
    *type = (TimeType){ .offset = offset, .name = name };
    if (!name || !(type->utcoff = delta_of(state, offset)) || !(type->dstoff = delta_of(state, dst))) return -1;
    return 0;
}

static void type_clear(TimeType *type)
{
    Py_CLEAR(type->utcoff);
    Py_CLEAR(type->dstoff);
    Py_CLEAR(type->name);
}

static int types_equal(const TimeType *a, const TimeType *b)
{
    int equal = PyObject_RichCompareBool(a->utcoff, b->utcoff, Py_EQ);
    if (equal > 0) equal = PyObject_RichCompareBool(a->dstoff, b->dstoff, Py_EQ);
    return equal > 0 ? PyObject_RichCompareBool(a->name, b->name, Py_EQ) : equal;
}

/* ---- questions ------------------------------------------------------------------------------------------------------------ */

static inline bool has_rule(const Zone *z) { return z->daylight.name != NULL; }

/* How many of the times are <= t. */
static inline Py_ssize_t times_until(const int64_t *times, Py_ssize_t n, int64_t t)
{
    Py_ssize_t low = 0;
    while (n > 0) {
        Py_ssize_t half = n / 2;
        bool right = times[low + half] <= t;
        low = right ? low + half + 1 : low;
        n = right ? n - half - 1 : half;
    }
    return low;
}

static inline const TimeType *type_after(const Zone *z, Py_ssize_t transition) { return &z->types[z->type_of[transition]]; }

static const TimeType *rule_type_local(const Zone *z, int64_t t, int year, bool fold)
{
    int64_t start = zone_rule_time(&z->rule.start, year), end = zone_rule_time(&z->rule.end, year), diff = z->rule.dst_diff;
    if (fold == (diff >= 0)) end -= diff;
    else start += diff;
    bool dst = start < end ? start <= t && t < end : !(end <= t && t < start);
    return dst ? &z->daylight : &z->standard;
}

static const TimeType *rule_type_utc(const Zone *z, int64_t t, int year, bool *fold)
{
    int64_t start = zone_rule_time(&z->rule.start, year) - z->standard.offset;
    int64_t end = zone_rule_time(&z->rule.end, year) - z->daylight.offset, diff = z->rule.dst_diff;
    bool dst = start < end ? start <= t && t < end : !(end <= t && t < start);
    /* Times are ambiguous for |diff| after the clocks were set back. */
    int64_t first = diff > 0 ? end : start, last = diff > 0 ? end + diff : start - diff;
    *fold = first <= t && t < last;
    return dst ? &z->daylight : &z->standard;
}

/* Year, fold, and seconds since 1970 as if the local time were UTC. 0, or -1 with an exception. */
static int local_time(PyObject *when, int64_t *t, int *year, bool *fold)
{
    if (LIKELY(Py_IS_TYPE(when, &datetime_type))) {
        *year = PyDateTime_GET_YEAR(when);
        *fold = PyDateTime_DATE_GET_FOLD(when);
        int64_t days = calendar_ordinal(*year, PyDateTime_GET_MONTH(when), PyDateTime_GET_DAY(when)) - (int64_t)(EPOCH_SECONDS / SECONDS_A_DAY);
        *t = days * SECONDS_A_DAY + PyDateTime_DATE_GET_HOUR(when) * 3600 + PyDateTime_DATE_GET_MINUTE(when) * 60 + PyDateTime_DATE_GET_SECOND(when);
        return 0;
    }
    /* A class of someone's may compute them. */
    static const char *const names[] = { "hour", "minute", "second", "year", "fold" };
    long values[6];
    for (int i = 0; i < 6; i++) {
        PyObject *o = i == 0 ? PyObject_CallMethod(when, "toordinal", NULL) : PyObject_GetAttrString(when, names[i - 1]);
        if (!o) return -1;
        values[i] = PyLong_AsInt(o);
        Py_DECREF(o);
        if (values[i] == -1 && PyErr_Occurred()) return -1;
    }
    *t = (values[0] - EPOCH_SECONDS / SECONDS_A_DAY) * SECONDS_A_DAY + values[1] * 3600 + values[2] * 60 + values[3];
    *year = values[4] < YEAR_MIN ? YEAR_MIN : values[4] > YEAR_MAX ? YEAR_MAX : (int)values[4];
    *fold = values[5] != 0;
    return 0;
}

/* What holds at a local time. 0 with *type NULL when there is no answer; -1 with an exception. */
static int type_at(const Zone *z, PyObject *when, const TimeType **type)
{
    if (when == Py_None) {
        *type = z->fixed ? &z->standard : NULL;
        return 0;
    }
    int64_t t;
    int year;
    bool fold;
    if (local_time(when, &t, &year, &fold) < 0) return -1;
    const int64_t *times = z->local[fold];
    Py_ssize_t n = z->count;
    if (n && t < times[0]) *type = z->before;
    else if (!n || t > times[n - 1]) *type = has_rule(z) ? rule_type_local(z, t, year, fold) : &z->standard;
    else *type = type_after(z, times_until(times, n, t) - 1);
    return 0;
}

#define ANSWER(field) \
    const TimeType *type; \
    if (type_at(ZONE(self), arg[0], &type) < 0) return NULL; \
    return Py_NewRef(type ? type->field : Py_None)

BUILTIN(zone, utcoffset, KEYWORDS, "($self, dt, /)", "The offset from UTC in the zone at a datetime, as a timedelta.") { ANSWER(utcoff); }
BUILTIN(zone, dst, KEYWORDS, "($self, dt, /)", "The part of the offset at a datetime that is daylight saving time.") { ANSWER(dstoff); }
BUILTIN(zone, tzname, KEYWORDS, "($self, dt, /)", "The zone's abbreviation at a datetime.") { ANSWER(name); }

static const TimeType *type_at_utc(const Zone *z, int64_t t, int year, bool *fold)
{
    Py_ssize_t n = z->count;
    const int64_t *times = z->utc;
    *fold = false;
    if (n && t < times[0]) return z->before;
    if ((!n || t > times[n - 1]) && has_rule(z)) return rule_type_utc(z, t, year, fold);
    if (!n) return &z->standard;
    Py_ssize_t i = times_until(times, n, t);
    const TimeType *previous, *type;
    if (n > 1 && t >= times[1]) previous = type_after(z, i - 2), type = type_after(z, i - 1);
    else if (t > times[n - 1]) previous = type_after(z, n - 1), type = &z->standard;
    else previous = z->before, type = type_after(z, 0);
    *fold = previous->offset - type->offset > t - times[i - 1];
    return type;
}

BUILTIN_O(zone, fromutc, "($self, object, /)", "A datetime in UTC as local time.")
{
    if (!is_datetime(arg)) return PyErr_Format(PyExc_TypeError, "fromutc: argument must be a datetime");
    if (datetime_zone(arg) != self) return PyErr_Format(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
    int64_t t;
    int year;
    bool fold;
    if (local_time(arg, &t, &year, &fold) < 0) return NULL;
    const TimeType *type = type_at_utc(ZONE(self), t, year, &fold);
    if (LIKELY(Py_IS_TYPE(arg, &datetime_type))) {
        Moment m = datetime_moment(arg);
        if (calendar_shift(&m, 0, type->offset, 0) < 0) return NULL;
        m.fold = fold;
        return datetime_make(&datetime_type, &m, self);
    }
    PyObject *result = PyNumber_Add(arg, type->utcoff);
    if (!result || !fold) return result;
    PyObject *replace = PyObject_GetAttrString(result, "replace"), *kwargs = replace ? Py_BuildValue("{s:i}", "fold", 1) : NULL;
    Py_SETREF(result, kwargs ? PyObject_Call(replace, EMPTY_TUPLE, kwargs) : NULL);
    Py_XDECREF(replace);
    Py_XDECREF(kwargs);
    return result;
}

/* ---- loading ---------------------------------------------------------------------------------------------------------------- */

/* What load_data gives: tuples. All borrowed from `tuple`. */
typedef struct Loaded { PyObject *tuple, *index, *utc, *offset, *is_dst, *name, *rule; } Loaded;

static int loaded_check(Loaded *l)
{
    if (PyTuple_Check(l->tuple) && PyTuple_GET_SIZE(l->tuple) == 6) {
        l->index = PyTuple_GET_ITEM(l->tuple, 0);
        l->utc = PyTuple_GET_ITEM(l->tuple, 1);
        l->offset = PyTuple_GET_ITEM(l->tuple, 2);
        l->is_dst = PyTuple_GET_ITEM(l->tuple, 3);
        l->name = PyTuple_GET_ITEM(l->tuple, 4);
        l->rule = PyTuple_GET_ITEM(l->tuple, 5);
        if (PyTuple_Check(l->index) && PyTuple_Check(l->utc) && PyTuple_Check(l->offset) && PyTuple_Check(l->is_dst) && PyTuple_Check(l->name)
            && PyTuple_GET_SIZE(l->index) == PyTuple_GET_SIZE(l->utc) && PyTuple_GET_SIZE(l->offset) == PyTuple_GET_SIZE(l->is_dst)
            && PyTuple_GET_SIZE(l->offset) == PyTuple_GET_SIZE(l->name)) return 0;
    }
    PyErr_Format(PyExc_TypeError, "Invalid data result type: %R", l->tuple);
    return -1;
}

static int64_t int_item(PyObject *tuple, Py_ssize_t i) { return PyLong_AsLongLong(PyTuple_GET_ITEM(tuple, i)); }

static int transitions_load(Zone *z, const Loaded *l)
{
    Py_ssize_t n = PyTuple_GET_SIZE(l->utc), types = PyTuple_GET_SIZE(l->offset);
    if (n > PY_SSIZE_T_MAX / 32 || !(z->utc = PyMem_Malloc((size_t)n * (3 * sizeof(int64_t) + 1) + 1))) {
        PyErr_NoMemory();
        return -1;
    }
    z->local[0] = z->utc + n;
    z->local[1] = z->utc + 2 * n;
    z->type_of = (uint8_t *)(z->utc + 3 * n);
    for (Py_ssize_t i = 0; i < n; i++) {
        z->utc[i] = int_item(l->utc, i);
        if (z->utc[i] == -1 && PyErr_Occurred()) return -1;
        int64_t index = int_item(l->index, i);
        if (index == -1 && PyErr_Occurred()) return -1;
        if (index < 0 || index >= types || index > UINT8_MAX) {
            PyErr_Format(PyExc_ValueError, "Invalid transition index found while reading TZif: %lld", (long long)index);
            return -1;
        }
        z->type_of[i] = (uint8_t)index;
    }
    z->count = n;
    return 0;
}

/* How much of each offset is daylight saving time is not in the file: it is the difference to the standard offset that held
 * before, or comes after, where a neighbour is standard; else an hour. */
static void dst_infer(const Zone *z, const int64_t *offset, const uint8_t *is_dst, int64_t *dst)
{
    Py_ssize_t wanted = 0, found = 0;
    for (Py_ssize_t i = 0; i < z->type_count; i++) wanted += is_dst[i];
    for (Py_ssize_t i = 1; i < z->count; i++) {
        if (found == wanted) return;
        int type = z->type_of[i], other = z->type_of[i - 1];
        if (!is_dst[type] || dst[type]) continue;
        int64_t diff = is_dst[other] ? 0 : offset[type] - offset[other];
        if (!diff && type < z->type_count - 1 && i + 1 < z->count) {
            other = z->type_of[i + 1];
            if (is_dst[other]) continue;
            diff = offset[type] - offset[other];
        }
        if (diff) {
            found++;
            dst[type] = diff;
        }
    }
    if (found == wanted && z->count > 1) return;
    for (Py_ssize_t i = 0; i < z->type_count; i++)
        if (is_dst[i] && !dst[i]) dst[i] = 3600;
}

static int types_load(ZoneState *state, Zone *z, const Loaded *l, uint8_t *is_dst)
{
    Py_ssize_t n = z->type_count;
    int64_t *offset = PyMem_Calloc((size_t)n + 1, 2 * sizeof(int64_t)), *dst = offset + n;
    int status = -1;
    if (!offset) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        offset[i] = PyLong_AsInt(PyTuple_GET_ITEM(l->offset, i));
        if (offset[i] == -1 && PyErr_Occurred()) goto done;
        int truth = PyObject_IsTrue(PyTuple_GET_ITEM(l->is_dst, i));
        if (truth < 0) goto done;
        is_dst[i] = (uint8_t)truth;
    }
    dst_infer(z, offset, is_dst, dst);
    for (Py_ssize_t i = 0; i < n; i++)
        if (type_fill(state, &z->types[i], offset[i], dst[i], Py_NewRef(PyTuple_GET_ITEM(l->name, i))) < 0) goto done;
    status = 0;
done:
    PyMem_Free(offset);
    return status;
}

/* The transitions in local time: by the greater of both offsets with fold 0, by the lesser with fold 1. */
static void local_fill(Zone *z)
{
    int64_t previous = z->type_count ? z->types[0].offset : 0;
    for (Py_ssize_t i = 0; i < z->count; i++) {
        int64_t next = type_after(z, i)->offset;
        z->local[0][i] = z->utc[i] + (previous > next ? previous : next);
        z->local[1][i] = z->utc[i] + (previous > next ? next : previous);
        previous = next;
    }
}

static int rule_load(ZoneState *state, Zone *z, PyObject *text)
{
    ZoneRule *rule = &z->rule;
    if (zone_rule_parse(rule, text) < 0) return -1;
    if (type_fill(state, &z->standard, rule->std_offset, 0, PyUnicode_DecodeUTF8(rule->std_name, rule->std_length, NULL)) < 0) return -1;
    if (!rule->dst_name) return 0;
    return type_fill(state, &z->daylight, rule->dst_offset, rule->dst_diff, PyUnicode_DecodeUTF8(rule->dst_name, rule->dst_length, NULL));
}

static int zone_fill(ZoneState *state, Zone *z, const Loaded *l)
{
    uint8_t is_dst[UINT8_MAX + 1];
    Py_ssize_t n = PyTuple_GET_SIZE(l->offset);
    if (n > UINT8_MAX + 1) {
        PyErr_Format(PyExc_ValueError, "Too many time types in TZif: %zd", n);
        return -1;
    }
    if (!(z->types = PyMem_Calloc((size_t)n + 1, sizeof(TimeType)))) {
        PyErr_NoMemory();
        return -1;
    }
    z->type_count = n;
    if (transitions_load(z, l) < 0 || types_load(state, z, l, is_dst) < 0) return -1;
    local_fill(z);
    for (Py_ssize_t i = n - 1; i >= 0; i--)
        if (!is_dst[i]) z->before = &z->types[i];
    if (!z->before && z->count) z->before = type_after(z, 0);

    int ruled = l->rule == Py_None ? 0 : PyObject_IsTrue(l->rule);
    if (ruled < 0 || (ruled && rule_load(state, z, l->rule) < 0)) return -1;
    if (!ruled) {
        if (!n) {
            PyErr_SetString(PyExc_ValueError, "No time zone information found.");
            return -1;
        }
        const TimeType *last = z->count ? type_after(z, z->count - 1) : &z->types[n - 1];
        z->standard = (TimeType){ last->offset, Py_NewRef(last->utcoff), Py_NewRef(last->dstoff), Py_NewRef(last->name) };
    }
    int fixed = has_rule(z) || n > 1 ? 0 : n ? types_equal(&z->types[0], &z->standard) : 1;
    z->fixed = fixed > 0;
    return fixed < 0 ? -1 : 0;
}

/* NEW: a zone without key and source. */
static Zone *zone_load(ZoneState *state, PyTypeObject *type, PyObject *file)
{
    Loaded loaded = { .tuple = PyObject_CallOneArg(state->load_data, file) };
    Zone *z = loaded.tuple && loaded_check(&loaded) == 0 ? (Zone *)type->tp_alloc(type, 0) : NULL;
    if (z && zone_fill(state, z, &loaded) < 0) Py_CLEAR(z);
    Py_XDECREF(loaded.tuple);
    return z;
}

static PyObject *zone_new_instance(ZoneState *state, PyTypeObject *type, PyObject *key)
{
    PyObject *path = PyObject_CallOneArg(state->find_tzfile, key), *file = NULL;
    if (!path) return NULL;
    if (path == Py_None) file = PyObject_CallOneArg(state->load_tzdata, key);
    else file = PyObject_CallFunction(state->open, "Os", path, "rb");
    Py_DECREF(path);
    if (!file) return NULL;
    Zone *z = zone_load(state, type, file);
    if (z) z->key = Py_NewRef(key);
    PyObject *pending = PyErr_GetRaisedException(), *closed = PyObject_CallMethod(file, "close", NULL);
    Py_DECREF(file);
    if (pending) {
        if (!closed) _PyErr_ChainExceptions1(pending);
        else PyErr_SetRaisedException(pending);
    }
    if (!closed) Py_CLEAR(z);
    Py_XDECREF(closed);
    return OBJECT(z);
}

/* ---- caches ------------------------------------------------------------------------------------------------------------------- */

static PyObject *weak_cache_of(ZoneState *state, PyTypeObject *type)
{
    return type == state->type ? Py_NewRef(state->weak_cache) : PyObject_GetAttrString(OBJECT(type), "_weak_cache");
}

/* Takes entry i out and hands its references over. */
static StrongEntry strong_take(ZoneState *state, int i)
{
    StrongEntry entry = state->strong[i];
    memmove(&state->strong[i], &state->strong[i + 1], (size_t)(STRONG_SIZE - 1 - i) * sizeof entry);
    state->strong[STRONG_SIZE - 1] = (StrongEntry){ 0 };
    state->strong_version++;
    return entry;
}

static void strong_put(ZoneState *state, StrongEntry entry)
{
    StrongEntry last = state->strong[STRONG_SIZE - 1];
    memmove(&state->strong[1], &state->strong[0], (STRONG_SIZE - 1) * sizeof entry);
    state->strong[0] = entry;
    state->strong_version++;
    Py_XDECREF(last.key);
    Py_XDECREF(last.zone);
}

static void strong_clear(ZoneState *state)
{
    while (state->strong[0].key) {
        StrongEntry entry = strong_take(state, 0);
        Py_DECREF(entry.key);
        Py_DECREF(entry.zone);
    }
}

/* Index of the entry with that key, or STRONG_SIZE; -1 with an exception. Comparing may change the list: then it is looked
 * through again, a few times. */
static int strong_find(ZoneState *state, PyObject *key)
{
    for (int attempt = 0; attempt < 4; attempt++) {
        uint64_t version = state->strong_version;
        int i = 0;
        for (; i < STRONG_SIZE && state->strong[i].key; i++) {
            PyObject *other = Py_NewRef(state->strong[i].key);
            int equal = PyObject_RichCompareBool(key, other, Py_EQ);
            Py_DECREF(other);
            if (equal < 0) return -1;
            if (version != state->strong_version) break;
            if (equal) return i;
        }
        if (version == state->strong_version) return STRONG_SIZE;
    }
    return STRONG_SIZE;
}

static PyObject *strong_get(ZoneState *state, PyTypeObject *type, PyObject *key)
{
    if (type != state->type) return NULL;
    int i = strong_find(state, key);
    if (i < 0 || i == STRONG_SIZE) return NULL;
    if (i > 0) strong_put(state, strong_take(state, i));
    return Py_NewRef(state->strong[0].zone);
}

SIGNATURE(zone_new_signature, "ZoneInfo", KEYWORDS, "(key)");

static PyObject *zone_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    ZoneState *state = zone_state(type);
    if (!state || args_bind_tuple(&zone_new_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *key = arg[0], *zone = strong_get(state, type, key);
    if (zone || PyErr_Occurred()) return zone;

    PyObject *weak = weak_cache_of(state, type);
    if (!weak) return NULL;
    zone = PyObject_CallMethod(weak, "get", "OO", key, Py_None);
    if (zone == Py_None) {
        Py_DECREF(zone);
        PyObject *made = zone_new_instance(state, type, key);
        if (made) ZONE(made)->source = SOURCE_CACHE;
        zone = made ? PyObject_CallMethod(weak, "setdefault", "OO", key, made) : NULL;
        Py_XDECREF(made);
    }
    Py_DECREF(weak);
    if (zone && type == state->type) strong_put(state, (StrongEntry){ Py_NewRef(key), Py_NewRef(zone) });
    return zone;
}

BUILTIN(zone, clear_cache, KEYWORDS, "($type, /, *, only_keys=None)", "Forget cached zones: all, or those with the given keys.")
{
    PyTypeObject *type = (PyTypeObject *)self;
    ZoneState *state = zone_state(type);
    PyObject *weak = state ? weak_cache_of(state, type) : NULL, *done = NULL, *iterator = NULL, *key;
    if (!weak) return NULL;
    if (!arg[0] || arg[0] == Py_None) {
        done = PyObject_CallMethod(weak, "clear", NULL);
        if (done && type == state->type) strong_clear(state);
    }
    else if ((iterator = PyObject_GetIter(arg[0]))) {
        done = Py_NewRef(Py_None);
        while (done && (key = PyIter_Next(iterator))) {
            int i = type == state->type ? strong_find(state, key) : STRONG_SIZE;
            if (i >= 0 && i < STRONG_SIZE) {
                StrongEntry entry = strong_take(state, i);
                Py_DECREF(entry.key);
                Py_DECREF(entry.zone);
            }
            Py_SETREF(done, i < 0 ? NULL : PyObject_CallMethod(weak, "pop", "OO", key, Py_None));
            Py_DECREF(key);
        }
        if (PyErr_Occurred()) Py_CLEAR(done);
    }
    Py_XDECREF(iterator);
    Py_DECREF(weak);
    if (!done) return NULL;
    Py_DECREF(done);
    Py_RETURN_NONE;
}

BUILTIN(zone, no_cache, KEYWORDS, "($type, /, key)", "A new ZoneInfo, past the cache.")
{
    ZoneState *state = zone_state((PyTypeObject *)self);
    PyObject *zone = state ? zone_new_instance(state, (PyTypeObject *)self, arg[0]) : NULL;
    if (zone) ZONE(zone)->source = SOURCE_NO_CACHE;
    return zone;
}

BUILTIN(zone, from_file, KEYWORDS, "($type, file_obj, /, key=None)", "A ZoneInfo from a file object.")
{
    ZoneState *state = zone_state((PyTypeObject *)self);
    PyObject *repr = state ? PyObject_Repr(arg[0]) : NULL;
    if (!repr) return NULL;
    Zone *z = zone_load(state, (PyTypeObject *)self, arg[0]);
    if (!z) {
        Py_DECREF(repr);
        return NULL;
    }
    z->source = SOURCE_FILE;
    z->file_repr = repr;
    z->key = Py_NewRef(arg[1] ? arg[1] : Py_None);
    return OBJECT(z);
}

BUILTIN(zone, _unpickle, KEYWORDS, "($type, key, from_cache, /)", "For pickle.")
{
    int from_cache = PyLong_AsInt(arg[1]);
    if (from_cache == -1 && PyErr_Occurred()) return NULL;
    if (from_cache) return PyObject_CallOneArg(self, arg[0]);
    return zone_no_cache_body(self, arg);
}

BUILTIN_NOARGS(zone, __reduce__, "($self, /)", "For pickle.")
{
    Zone *z = ZONE(self);
    if (z->source == SOURCE_FILE) {
        PyObject *pickle = PyImport_ImportModule("pickle"), *error = pickle ? PyObject_GetAttrString(pickle, "PicklingError") : NULL;
        if (error) PyErr_SetString(error, "Cannot pickle a ZoneInfo file from a file stream.");
        Py_XDECREF(pickle);
        Py_XDECREF(error);
        return NULL;
    }
    PyObject *constructor = PyObject_GetAttrString(self, "_unpickle");
    return constructor ? Py_BuildValue("(N(Oi))", constructor, z->key ? z->key : Py_None, (int)z->source) : NULL;
}

static PyObject *zone_init_subclass(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    ZoneState *state = zone_state((PyTypeObject *)cls);
    PyObject *weak = state ? PyObject_CallNoArgs(state->weak_dict) : NULL;
    int status = weak ? PyObject_SetAttrString(cls, "_weak_cache", weak) : -1;
    Py_XDECREF(weak);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------------- */

static PyObject *zone_repr(PyObject *self)
{
    Zone *z = ZONE(self);
    const char *name = Py_TYPE(self)->tp_name;
    if (z->key && z->key != Py_None) return PyUnicode_FromFormat("%s(key=%R)", name, z->key);
    return PyUnicode_FromFormat("%s.from_file(%U)", name, z->file_repr ? z->file_repr : EMPTY_STR);
}

static PyObject *zone_str(PyObject *self)
{
    Zone *z = ZONE(self);
    return z->key && z->key != Py_None ? Py_NewRef(z->key) : zone_repr(self);
}

static int zone_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    Py_VISIT(ZONE(self)->key);
    Py_VISIT(ZONE(self)->file_repr);
    return 0;
}

static int zone_clear(PyObject *self)
{
    Py_CLEAR(ZONE(self)->key);
    Py_CLEAR(ZONE(self)->file_repr);
    return 0;
}

static void zone_dealloc(PyObject *self)
{
    Zone *z = ZONE(self);
    PyObject_GC_UnTrack(self);
    if (z->weakrefs) PyObject_ClearWeakRefs(self);
    zone_clear(self);
    for (Py_ssize_t i = 0; i < z->type_count; i++) type_clear(&z->types[i]);
    type_clear(&z->standard);
    type_clear(&z->daylight);
    PyMem_Free(z->types);
    PyMem_Free(z->utc);
    free_instance(self);
}

static PyMethodDef zone_methods[] = {
    METHOD_CLASS(zone, clear_cache), METHOD_CLASS(zone, no_cache), METHOD_CLASS(zone, from_file), METHOD(zone, utcoffset), METHOD(zone, dst),
    METHOD(zone, tzname), METHOD(zone, fromutc), METHOD(zone, __reduce__), METHOD_CLASS(zone, _unpickle),
    { "__init_subclass__", (PyCFunction)(void (*)(void))zone_init_subclass, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
      "Gives a subclass a cache of its own." },
    { 0 }
};
static PyMemberDef zone_members[] = {
    { "key", Py_T_OBJECT_EX, offsetof(Zone, key), Py_READONLY, NULL },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Zone, weakrefs), Py_READONLY, NULL },
    { 0 }
};
static PyType_Slot zone_slots[] = {
    SLOT(tp_repr, zone_repr), SLOT(tp_str, zone_str), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_methods, zone_methods),
    SLOT(tp_members, zone_members), SLOT(tp_new, zone_new), SLOT(tp_dealloc, zone_dealloc), SLOT(tp_traverse, zone_traverse),
    SLOT(tp_clear, zone_clear), { 0 }
};
static PyType_Spec zone_spec = {
    .name = "zoneinfo.ZoneInfo", .basicsize = sizeof(Zone), .slots = zone_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
};

/* ---- module ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *attribute_of(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name), *value = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return value;
}

static int zoneinfo_exec(PyObject *module)
{
    ZoneState *state = PyModule_GetState(module);
    state->type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &zone_spec, OBJECT(&tzinfo_type));
    if (!state->type || PyModule_AddObjectRef(module, "ZoneInfo", OBJECT(state->type)) < 0) return -1;
    if (!(state->find_tzfile = attribute_of("zoneinfo._tzpath", "find_tzfile"))) return -1;
    if (!(state->load_tzdata = attribute_of("zoneinfo._common", "load_tzdata"))) return -1;
    if (!(state->load_data = attribute_of("zoneinfo._common", "load_data"))) return -1;
    if (!(state->open = attribute_of("io", "open"))) return -1;
    if (!(state->weak_dict = attribute_of("weakref", "WeakValueDictionary"))) return -1;
    if (!(state->weak_cache = PyObject_CallNoArgs(state->weak_dict))) return -1;
    return (state->deltas = PyDict_New()) ? 0 : -1;
}

static int zoneinfo_traverse(PyObject *module, visitproc visit, void *arg)
{
    ZoneState *state = PyModule_GetState(module);
    Py_VISIT(state->type);
    Py_VISIT(state->weak_cache);
    Py_VISIT(state->deltas);
    Py_VISIT(state->find_tzfile);
    Py_VISIT(state->load_tzdata);
    Py_VISIT(state->load_data);
    Py_VISIT(state->open);
    Py_VISIT(state->weak_dict);
    for (int i = 0; i < STRONG_SIZE; i++) {
        Py_VISIT(state->strong[i].key);
        Py_VISIT(state->strong[i].zone);
    }
    return 0;
}

static int zoneinfo_clear(PyObject *module)
{
    ZoneState *state = PyModule_GetState(module);
    strong_clear(state);
    Py_CLEAR(state->type);
    Py_CLEAR(state->weak_cache);
    Py_CLEAR(state->deltas);
    Py_CLEAR(state->find_tzfile);
    Py_CLEAR(state->load_tzdata);
    Py_CLEAR(state->load_data);
    Py_CLEAR(state->open);
    Py_CLEAR(state->weak_dict);
    return 0;
}

static void zoneinfo_free(void *module) { zoneinfo_clear(module); }

static PyModuleDef_Slot zoneinfo_slots[] = { { Py_mod_exec, zoneinfo_exec }, MODULE_SLOTS_COMMON, { 0 } };
static struct PyModuleDef zoneinfo_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_zoneinfo",
    .m_doc = "C implementation of the zoneinfo module",
    .m_size = sizeof(ZoneState),
    .m_slots = zoneinfo_slots,
    .m_traverse = zoneinfo_traverse,
    .m_clear = zoneinfo_clear,
    .m_free = zoneinfo_free,
};
PyMODINIT_FUNC PyInit__zoneinfo(void) { return PyModuleDef_Init(&zoneinfo_definition); }
