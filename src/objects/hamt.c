/* Hash array mapped tries, for contexts: mappings that are copied by taking a reference, and where a change of one of the copies
 * costs O(log n). After Phil Bagwell, "Ideal Hash Trees" (2001), with the layout of Steindorfer and Vinju, "Optimizing Hash-Array
 * Mapped Tries for Fast and Lean Immutable JVM Collections" (OOPSLA 2015): a node has two bitmaps, of the places of this level
 * that hold a pair, and of those that lead to a node, and behind them the pairs and the nodes without holes:
 *
 *     | data: 0...01001 | nodes: 0...00100 | key value (place 0) | key value (place 3) | node (place 2) |
 *
 * A level takes five bits of a 32-bit hash, so that below level six only keys with the same hash meet: in a collision node, an
 * array of pairs.
 *
 * Nodes are shared and then immutable. A node that has one reference, whose parent has one reference, and so on up to the root,
 * belongs to one map: it is changed in place, which makes the maps of few variables that nobody else looks at as cheap as tables.
 * In place means that no foreign code may run while the way down is in our hands: a map whose keys compare by code must be held
 * once more by the caller. Releases wait until the map is consistent.
 *
 * No node but the root has less than two keys below it, as long as there is memory to fold it into its parent. */
#include "objects/hamt.h"

#include "memory/alloc.h"
#include "objects/type.h"
#include "runtime/state.h"

#include <string.h>

enum { BITS = 5, HASH_BITS = 32, DEPTH_MAX = 8, PLACES = 32 };

struct HamtNode {
    PyObject_HEAD
    uint32_t data, nodes;                /* bitmaps; of a collision node the number of pairs, and nothing */
    PyObject *items[];                   /* pairs, then nodes */
};

static PyTypeObject hamt_node_type, hamt_collision_type;

static bool is_collision(const HamtNode *n) { return Py_IS_TYPE((PyObject *)(uintptr_t)n, &hamt_collision_type); }
static unsigned count_bits(uint32_t bits) { return (unsigned)__builtin_popcount(bits); }
static uint32_t place_bit(uint32_t hash, unsigned shift) { return 1u << (hash >> shift & (PLACES - 1)); }
static size_t pair_count(const HamtNode *n) { return is_collision(n) ? n->data : count_bits(n->data); }
static size_t item_count(const HamtNode *n) { return pair_count(n) * 2 + (is_collision(n) ? 0 : count_bits(n->nodes)); }
static size_t pair_slot(const HamtNode *n, uint32_t bit) { return count_bits(n->data & (bit - 1)) * 2; }
static size_t node_slot(const HamtNode *n, uint32_t bit) { return count_bits(n->data) * 2 + count_bits(n->nodes & (bit - 1)); }
static HamtNode *child_at(const HamtNode *n, size_t slot) { return (HamtNode *)n->items[slot]; }

static uint32_t fold_hash(Py_hash_t hash) { return (uint32_t)((uint64_t)hash ^ (uint64_t)hash >> 32); }

static int hash_of(PyObject *key, uint32_t *hash)
{
    Py_hash_t h = PyObject_Hash(key);
    *hash = fold_hash(h);
    return h == -1 ? -1 : 0;
}

static int keys_equal(PyObject *a, PyObject *b)
{
    if (a == b) return 1;
    if (PyContextVar_CheckExact(a)) return 0;
    return PyObject_RichCompareBool(a, b, Py_EQ);
}

/* ---- nodes ---------------------------------------------------------------------------------------------------------------- */

/* Items uninitialised, not tracked. */
static HamtNode *node_new(PyTypeObject *type, uint32_t data, uint32_t nodes, size_t items)
{
    HamtNode *n = (HamtNode *)gc_alloc(thread_current, type, sizeof *n + items * sizeof *n->items, 0);
    if (!n) return NULL;
    n->data = data;
    n->nodes = nodes;
    return n;
}

static HamtNode *node_finish(HamtNode *n)
{
    gc_track(thread_current, (PyObject *)n);
    return n;
}

/* A copy of n, in which `added` slots at `at` are left open and `removed` items of n from `at` on are left out. With mine the
 * items move: n is empty afterwards, but for those left out, which the caller took. The bitmaps are the caller's. */
static HamtNode *node_splice(HamtNode *n, bool mine, size_t at, size_t removed, size_t added)
{
    size_t total = item_count(n), rest = total - at - removed;
    HamtNode *copy = node_new(Py_TYPE(n), n->data, n->nodes, total - removed + added);
    if (!copy) return NULL;
    memcpy(copy->items, n->items, at * sizeof *n->items);
    memcpy(copy->items + at + added, n->items + at + removed, rest * sizeof *n->items);
    if (mine) n->data = n->nodes = 0;
    else {
        for (size_t i = 0; i < at; i++) Py_INCREF(copy->items[i]);
        for (size_t i = 0; i < rest; i++) Py_INCREF(copy->items[at + added + i]);
    }
    return copy;
}

/* n with another item in slot; steals item, also on failure. Returns n itself with mine. */
static HamtNode *node_replace(HamtNode *n, bool mine, size_t slot, PyObject *item)
{
    if (mine) {
        PyObject *old = n->items[slot];
        n->items[slot] = item;
        Py_DECREF(old);                  /* a node whose items were moved out or are shared: runs no code */
        return n;
    }
    HamtNode *copy = node_splice(n, false, slot, 1, 1);
    if (!copy) {
        Py_DECREF(item);
        return NULL;
    }
    copy->items[slot] = item;
    return node_finish(copy);
}

static void pair_put(HamtNode *n, size_t slot, PyObject *key, PyObject *value)
{
    n->items[slot] = Py_NewRef(key);
    n->items[slot + 1] = Py_NewRef(value);
}

/* A node with two pairs, or the chain of nodes down to where their hashes differ. */
static HamtNode *node_of_two(unsigned shift, uint32_t hash1, PyObject *key1, PyObject *value1, uint32_t hash2, PyObject *key2, PyObject *value2)
{
    HamtNode *n;
    if (shift >= HASH_BITS) {
        if (!(n = node_new(&hamt_collision_type, 2, 0, 4))) return NULL;
        pair_put(n, 0, key1, value1);
        pair_put(n, 2, key2, value2);
        return node_finish(n);
    }
    uint32_t bit1 = place_bit(hash1, shift), bit2 = place_bit(hash2, shift);
    if (bit1 == bit2) {
        HamtNode *child = node_of_two(shift + BITS, hash1, key1, value1, hash2, key2, value2);
        if (!child) return NULL;
        if (!(n = node_new(&hamt_node_type, 0, bit1, 1))) {
            Py_DECREF(child);
            return NULL;
        }
        n->items[0] = (PyObject *)child;
        return node_finish(n);
    }
    if (!(n = node_new(&hamt_node_type, bit1 | bit2, 0, 4))) return NULL;
    pair_put(n, bit1 < bit2 ? 0 : 2, key1, value1);
    pair_put(n, bit1 < bit2 ? 2 : 0, key2, value2);
    return node_finish(n);
}

/* ---- finding -------------------------------------------------------------------------------------------------------------- */

PyObject *hamt_peek(const Hamt *map, PyObject *key, Py_hash_t hash)
{
    HamtNode *n = map->root;
    uint32_t h = fold_hash(hash);
    for (unsigned shift = 0; n && shift < HASH_BITS; shift += BITS) {
        uint32_t bit = place_bit(h, shift);
        if (n->data & bit) {
            PyObject **pair = &n->items[pair_slot(n, bit)];
            return pair[0] == key ? pair[1] : NULL;
        }
        if (!(n->nodes & bit)) return NULL;
        n = child_at(n, node_slot(n, bit));
    }
    for (size_t i = 0; n && i < n->data; i++)
        if (n->items[2 * i] == key) return n->items[2 * i + 1];
    return NULL;
}

/* The slot of key in a collision node: 1, 0, -1. */
static int collision_find(HamtNode *n, PyObject *key, size_t *slot)
{
    for (size_t i = 0; i < n->data; i++) {
        int same = keys_equal(n->items[*slot = 2 * i], key);
        if (same) return same;
    }
    return 0;
}

static int find_hashed(HamtNode *n, uint32_t hash, PyObject *key, PyObject **value)
{
    size_t slot;
    int found = 0;
    *value = NULL;
    for (unsigned shift = 0; n; shift += BITS) {
        if (is_collision(n)) {
            found = collision_find(n, key, &slot);
            break;
        }
        uint32_t bit = place_bit(hash, shift);
        if (n->data & bit) {
            found = keys_equal(n->items[slot = pair_slot(n, bit)], key);
            break;
        }
        if (!(n->nodes & bit)) return 0;
        n = child_at(n, node_slot(n, bit));
    }
    if (found > 0) *value = Py_NewRef(n->items[slot + 1]);
    return found;
}

int hamt_find(const Hamt *map, PyObject *key, PyObject **value)
{
    uint32_t hash;
    *value = NULL;
    return hash_of(key, &hash) < 0 ? -1 : find_hashed(map->root, hash, key, value);
}

/* ---- setting -------------------------------------------------------------------------------------------------------------- */

typedef struct Change { PyObject *key, *value, *old, *old_key; uint32_t hash; } Change;

/* The value of the pair at slot. */
static HamtNode *pair_set(HamtNode *n, bool mine, size_t slot, Change *c)
{
    PyObject *old = n->items[slot + 1];
    if (old == c->value) {
        c->old = Py_NewRef(old);
        return n;
    }
    if (mine) {
        c->old = old;
        n->items[slot + 1] = Py_NewRef(c->value);
        return n;
    }
    HamtNode *copy = node_replace(n, false, slot + 1, Py_NewRef(c->value));
    if (copy) c->old = Py_NewRef(old);
    return copy;
}

/* A new pair at slot; the bitmap says so afterwards. */
static HamtNode *pair_insert(HamtNode *n, bool mine, size_t slot, uint32_t data, Change *c)
{
    uint32_t nodes = n->nodes;
    HamtNode *copy = node_splice(n, mine, slot, 0, 2);
    if (!copy) return NULL;
    pair_put(copy, slot, c->key, c->value);
    copy->data = data;
    copy->nodes = nodes;
    return node_finish(copy);
}

/* The pair at `bit` has become a child, which has references of its own to key and value. Steals child. */
static HamtNode *pair_push_down(HamtNode *n, bool mine, uint32_t bit, HamtNode *child)
{
    size_t from = pair_slot(n, bit), to = node_slot(n, bit) - 2;
    if (mine) {
        PyObject *key = n->items[from], *value = n->items[from + 1];
        memmove(n->items + from, n->items + from + 2, (item_count(n) - from - 2) * sizeof *n->items);
        size_t rest = item_count(n) - 2 - to;
        memmove(n->items + to + 1, n->items + to, rest * sizeof *n->items);
        n->items[to] = (PyObject *)child;
        n->data &= ~bit;
        n->nodes |= bit;
        Py_DECREF(key);                  /* not the last ones */
        Py_DECREF(value);
        return n;
    }
    size_t total = item_count(n);
    HamtNode *copy = node_new(&hamt_node_type, n->data & ~bit, n->nodes | bit, total - 1);
    if (!copy) {
        Py_DECREF(child);
        return NULL;
    }
    memcpy(copy->items, n->items, from * sizeof *n->items);
    memcpy(copy->items + from, n->items + from + 2, (to - from) * sizeof *n->items);
    copy->items[to] = (PyObject *)child;
    memcpy(copy->items + to + 1, n->items + to + 2, (total - to - 2) * sizeof *n->items);
    for (size_t i = 0; i < total - 1; i++)
        if (i != to) Py_INCREF(copy->items[i]);
    return node_finish(copy);
}

/* n with the change: n itself, or a NEW node to be put in its place; NULL with an exception, and nothing has changed. */
static HamtNode *node_set(HamtNode *n, bool mine, unsigned shift, Change *c)
{
    size_t slot;
    mine = mine && Py_REFCNT(n) == 1;
    if (is_collision(n)) {
        int found = collision_find(n, c->key, &slot);
        if (found) return found < 0 ? NULL : pair_set(n, mine, slot, c);
        return pair_insert(n, mine, (size_t)n->data * 2, n->data + 1, c);
    }
    uint32_t bit = place_bit(c->hash, shift);
    if (n->nodes & bit) {
        slot = node_slot(n, bit);
        HamtNode *child = child_at(n, slot), *changed = node_set(child, mine, shift + BITS, c);
        if (!changed || changed == child) return changed ? n : NULL;
        HamtNode *result = node_replace(n, mine, slot, (PyObject *)changed);
        if (!result) Py_CLEAR(c->old);
        return result;
    }
    if (!(n->data & bit)) return pair_insert(n, mine, pair_slot(n, bit), n->data | bit, c);
    slot = pair_slot(n, bit);
    PyObject *key = n->items[slot], *value = n->items[slot + 1];
    uint32_t hash;
    int same = keys_equal(key, c->key);
    if (same) return same < 0 ? NULL : pair_set(n, mine, slot, c);
    if (hash_of(key, &hash) < 0) return NULL;
    HamtNode *child = node_of_two(shift + BITS, hash, key, value, c->hash, c->key, c->value);
    return child ? pair_push_down(n, mine, bit, child) : NULL;
}

int hamt_set(Hamt *map, PyObject *key, PyObject *value, PyObject **old)
{
    Change c = { .key = key, .value = value };
    HamtNode *root = map->root, *changed;
    *old = NULL;
    if (hash_of(key, &c.hash) < 0) return -1;
    if (UNLIKELY(map->count == UINT32_MAX)) {
        PyErr_NoMemory();
        return -1;
    }
    if (!root) {
        if (!(changed = node_new(&hamt_node_type, place_bit(c.hash, 0), 0, 2))) return -1;
        pair_put(changed, 0, key, value);
        node_finish(changed);
    }
    else if (!(changed = node_set(root, true, 0, &c))) return -1;
    *old = c.old;
    if (!c.old) map->count++;
    if (changed == root) return 0;
    map->root = changed;
    Py_XDECREF(root);
    return 0;
}

/* ---- removing ------------------------------------------------------------------------------------------------------------- */

/* Without the pair at slot, which goes to c. *result as in node_remove. */
static int pair_remove(HamtNode *n, bool mine, size_t slot, uint32_t data, Change *c, HamtNode **result)
{
    PyObject *key = n->items[slot], *value = n->items[slot + 1];
    if (!data && !n->nodes) {
        *result = NULL;
        c->old_key = Py_NewRef(key);
        c->old = Py_NewRef(value);
        return 1;
    }
    if (mine) {
        memmove(n->items + slot, n->items + slot + 2, (item_count(n) - slot - 2) * sizeof *n->items);
        n->data = data;
        *result = n;
        c->old_key = key;
        c->old = value;
        return 1;
    }
    HamtNode *copy = node_splice(n, false, slot, 2, 0);
    if (!copy) return -1;
    copy->data = data;
    *result = node_finish(copy);
    c->old_key = Py_NewRef(key);
    c->old = Py_NewRef(value);
    return 1;
}

static void change_undo(Change *c)
{
    Py_CLEAR(c->old);
    Py_CLEAR(c->old_key);
}

/* The child at `bit`, which is left with one pair, becomes that pair. Steals child. */
static HamtNode *pull_up(HamtNode *n, bool mine, uint32_t bit, HamtNode *child)
{
    size_t from = node_slot(n, bit), to = pair_slot(n, bit), total = item_count(n);
    HamtNode *copy = node_new(&hamt_node_type, n->data | bit, n->nodes & ~bit, total + 1);
    if (!copy) {
        if (!mine) {
            Py_DECREF(child);
            return NULL;
        }
        PyErr_Clear();                   /* then it stays a node of one pair, which is right too */
        return child_at(n, from) == child ? n : node_replace(n, true, from, (PyObject *)child);
    }
    memcpy(copy->items, n->items, to * sizeof *n->items);
    copy->items[to] = child->items[0];
    copy->items[to + 1] = child->items[1];
    memcpy(copy->items + to + 2, n->items + to, (from - to) * sizeof *n->items);
    memcpy(copy->items + from + 2, n->items + from + 1, (total - from - 1) * sizeof *n->items);
    for (size_t i = 0; i < total + 1; i++) Py_INCREF(copy->items[i]);
    if (child_at(n, from) != child) Py_DECREF(child);
    return node_finish(copy);
}

/* 0 not there; 1: *result is n itself, changed, a NEW node to be put in its place, or NULL: nothing is left; -1. */
static int node_remove(HamtNode *n, bool mine, unsigned shift, Change *c, HamtNode **result)
{
    size_t slot;
    mine = mine && Py_REFCNT(n) == 1;
    if (is_collision(n)) {
        int found = collision_find(n, c->key, &slot);
        return found <= 0 ? found : pair_remove(n, mine, slot, n->data - 1, c, result);
    }
    uint32_t bit = place_bit(c->hash, shift);
    if (n->data & bit) {
        slot = pair_slot(n, bit);
        int same = keys_equal(n->items[slot], c->key);
        return same <= 0 ? same : pair_remove(n, mine, slot, n->data & ~bit, c, result);
    }
    if (!(n->nodes & bit)) return 0;
    slot = node_slot(n, bit);
    HamtNode *child = child_at(n, slot), *left;
    int removed = node_remove(child, mine, shift + BITS, c, &left);
    if (removed <= 0) return removed;
    if (!left) {                                             /* it had one pair, for want of memory */
        if (!n->data && !(n->nodes & ~bit)) {
            *result = NULL;
            return 1;
        }
        if ((*result = node_splice(n, false, slot, 1, 0))) {
            (*result)->nodes = n->nodes & ~bit;
            node_finish(*result);
        }
    }
    else if (pair_count(left) == 1 && !left->nodes) *result = pull_up(n, mine, bit, left);
    else *result = left == child ? n : node_replace(n, mine, slot, (PyObject *)left);
    if (*result) return 1;
    change_undo(c);
    return -1;
}

int hamt_remove(Hamt *map, PyObject *key, PyObject **old)
{
    Change c = { .key = key };
    HamtNode *root = map->root, *left = NULL;
    *old = NULL;
    if (hash_of(key, &c.hash) < 0) return -1;
    int removed = root ? node_remove(root, true, 0, &c, &left) : 0;
    if (removed <= 0) return removed;
    map->count--;
    *old = c.old;
    if (left != root) {
        map->root = left;
        Py_DECREF(root);
    }
    Py_DECREF(c.old_key);
    return 1;
}

/* ---- walking -------------------------------------------------------------------------------------------------------------- */

typedef struct Walk { HamtNode *way[DEPTH_MAX]; uint8_t next[DEPTH_MAX]; uint32_t collision; int depth; } Walk;

static void walk_start(Walk *w, HamtNode *root)
{
    w->depth = root ? 0 : -1;
    w->way[0] = root;
    w->next[0] = 0;
    w->collision = 0;
}

/* The next pair, BORROWED, valid while the root is held. */
static bool walk_next(Walk *w, PyObject ***pair)
{
    while (w->depth >= 0) {
        HamtNode *n = w->way[w->depth];
        if (is_collision(n)) {
            if (w->collision < n->data) {
                *pair = &n->items[2 * (size_t)w->collision++];
                return true;
            }
            w->collision = 0;
            w->depth--;
            continue;
        }
        unsigned at = w->next[w->depth], pairs = count_bits(n->data), nodes = count_bits(n->nodes);
        if (at == pairs + nodes) {
            w->depth--;
            continue;
        }
        w->next[w->depth]++;
        if (at < pairs) {
            *pair = &n->items[2 * at];
            return true;
        }
        w->depth++;
        w->way[w->depth] = child_at(n, pairs + at);          /* 2 * pairs + (at - pairs) */
        w->next[w->depth] = 0;
    }
    return false;
}

int hamt_equal(const Hamt *a, const Hamt *b)
{
    if (a->root == b->root) return 1;
    if (a->count != b->count) return 0;
    Hamt one = { 0 }, other = { 0 };                         /* comparing runs code, which may change both */
    hamt_copy(&one, a);
    hamt_copy(&other, b);
    int equal = 1;
    PyObject **pair, *value;
    Walk w;
    for (walk_start(&w, one.root); equal > 0 && walk_next(&w, &pair);) {
        equal = hamt_find(&other, pair[0], &value);
        if (equal <= 0) break;
        equal = PyObject_RichCompareBool(pair[1], value, Py_EQ);
        Py_DECREF(value);
    }
    Py_XDECREF(one.root);
    Py_XDECREF(other.root);
    return equal;
}

/* ---- iterators ------------------------------------------------------------------------------------------------------------ */

typedef struct Iterator { PyObject_HEAD Hamt map; Walk walk; } Iterator;

static PyTypeObject iterator_types[3];

PyObject *hamt_iterator(const Hamt *map, int what)
{
    Iterator *it = PyObject_GC_New(Iterator, &iterator_types[what]);
    if (!it) return NULL;
    hamt_copy(&it->map, map);
    walk_start(&it->walk, map->root);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static PyObject *iterator_next(PyObject *self)
{
    PyObject **pair;
    if (!walk_next(&((Iterator *)self)->walk, &pair)) return NULL;
    long what = Py_TYPE(self) - iterator_types;
    return what == HAMT_ITEMS ? PyTuple_Pack(2, pair[0], pair[1]) : Py_NewRef(pair[what == HAMT_VALUES]);
}

static Py_ssize_t iterator_length(PyObject *self) { return ((Iterator *)self)->map.count; }

static int iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Iterator *)self)->map.root);
    return 0;
}

static int iterator_clear(PyObject *self)
{
    ((Iterator *)self)->walk.depth = -1;
    Py_CLEAR(((Iterator *)self)->map.root);
    return 0;
}

static void iterator_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    iterator_clear(self);
    PyObject_GC_Del(self);
}

static PyMappingMethods iterator_mapping = { .mp_length = iterator_length };

#define ITERATOR(name) { PyVarObject_HEAD_INIT(&PyType_Type, 0) \
    .tp_name = name, .tp_basicsize = sizeof(Iterator), .tp_dealloc = iterator_dealloc, .tp_as_mapping = &iterator_mapping, \
    .tp_getattro = PyObject_GenericGetAttr, .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .tp_traverse = iterator_traverse, \
    .tp_clear = iterator_clear, .tp_iter = PyObject_SelfIter, .tp_iternext = iterator_next }

static PyTypeObject iterator_types[3] = { [HAMT_KEYS] = ITERATOR("keys"), [HAMT_VALUES] = ITERATOR("values"), [HAMT_ITEMS] = ITERATOR("items") };

/* ---- the types of nodes ---------------------------------------------------------------------------------------------------- */

static int node_traverse(PyObject *self, visitproc visit, void *arg)
{
    HamtNode *n = (HamtNode *)self;
    for (size_t i = 0, count = item_count(n); i < count; i++) Py_VISIT(n->items[i]);
    return 0;
}

/* Depth is bounded among nodes, but values lead to other maps. */
static void node_dealloc(PyObject *self)
{
    HamtNode *n = (HamtNode *)self;
    PyObject_GC_UnTrack(self);
    for (size_t i = item_count(n); i-- > 0;) Py_DECREF(n->items[i]);
    gc_free(thread_current, self, 0);
}

/* No tp_clear: a cycle goes through a context, an iterator or a value, where it is cut. A map in the hands of a finaliser stays
 * whole. */
#define NODE(name) { PyVarObject_HEAD_INIT(&PyType_Type, 0) \
    .tp_name = name, .tp_basicsize = sizeof(HamtNode), .tp_itemsize = 0, .tp_dealloc = node_dealloc, .tp_getattro = PyObject_GenericGetAttr, \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, .tp_traverse = node_traverse }

static PyTypeObject hamt_node_type = NODE("hamt_bitmap_node"), hamt_collision_type = NODE("hamt_collision_node");

int hamt_types_init(void)
{
    if (type_ready_builtin(&hamt_node_type) < 0 || type_ready_builtin(&hamt_collision_type) < 0) return -1;
    for (int i = 0; i < 3; i++)
        if (type_ready_builtin(&iterator_types[i]) < 0) return -1;
    return 0;
}
