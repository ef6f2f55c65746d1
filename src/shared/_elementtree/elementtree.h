/* What the files of _elementtree share. The module stands on the public C API, and on expat through pyexpat's capsule.
 *
 * Elements own their children; nothing knows its parent. Every loop over children reads length and pointer again after anything
 * that can run other code: comparisons, releases, calls. */
#ifndef TAIPAN_SHARED_ELEMENTTREE_H
#define TAIPAN_SHARED_ELEMENTTREE_H

#include "capi/args.h"
#include "modules/support.h"

#include <expat.h>
#include <pyexpat.h>

enum { CHILDREN_INLINE = 4 };

typedef struct Extra {
    PyObject *attrib;                         /* dict, or NULL: none yet */
    Py_ssize_t length, allocated;
    PyObject **children;                      /* Elements; at `few` until there are more */
    PyObject *few[CHILDREN_INLINE];
} Extra;

typedef struct Element {
    PyObject_HEAD
    PyObject *tag, *text, *tail;
    Extra *extra;                             /* NULL: neither attributes nor children */
    PyObject *weakrefs;
} Element;

typedef struct TreeState {
    PyTypeObject *element, *iterator, *builder, *parser;
    PyObject *parse_error, *comment_factory, *pi_factory, *deepcopy, *element_path;
    const struct PyExpat_CAPI *expat;
} TreeState;

/* Strings of a document by their UTF-8, so that equal ones are one object. Keys live in the strings. */
typedef struct TextEntry { uint32_t hash, length; const char *utf8; PyObject *text; } TextEntry;
typedef struct TextTable { TextEntry *entries; size_t mask, count; } TextTable;

/* NEW. With universal, one with a '}' in it gets a '{' in front. Strings that are not in a table of `most` are not kept. */
PyObject *text_table_get(TextTable *table, const char *s, size_t length, bool universal, size_t most);
void text_table_clear(TextTable *table);

/* Makes a tree out of starts, ends and data between them. */
typedef struct Builder {
    PyObject_HEAD
    TreeState *state;
    PyObject *module;                         /* keeps state alive */
    PyObject *root, *current, *last;          /* the first element, the innermost open one, the last started or ended; or NULL */
    PyObject *last_for_tail;                  /* gets text as its tail; NULL: text belongs to last */
    PyObject *data;                           /* NULL, one object, or a list of them */
    char *raw;                                /* text from expat that comes after data */
    size_t raw_length, raw_size;
    TextTable blanks;                         /* white space recurs */
    PyObject **stack;                         /* outer elements of current; the outermost entry is NULL */
    Py_ssize_t depth, stack_size;
    PyObject *element_factory, *comment_factory, *pi_factory;
    PyObject *events_append, *start_event, *end_event, *start_ns_event, *end_ns_event, *comment_event, *pi_event;
    bool insert_comments, insert_pis;
} Builder;

#define ELEMENT(o) ((Element *)(o))
#define BUILDER(o) ((Builder *)(o))

extern struct PyModuleDef elementtree_definition;
extern PyType_Spec element_spec, iterator_spec, builder_spec, parser_spec;

static inline TreeState *tree_state(PyObject *module) { return PyModule_GetState(module); }

/* Of an instance of one of our types, or of a subclass. NULL with an exception. */
static inline TreeState *tree_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &elementtree_definition);
    return module ? tree_state(module) : NULL;
}

static inline bool is_element(TreeState *state, PyObject *o)
{
    return Py_IS_TYPE(o, state->element) || PyType_IsSubtype(Py_TYPE(o), state->element);
}

static inline Py_ssize_t element_length(PyObject *o) { return ELEMENT(o)->extra ? ELEMENT(o)->extra->length : 0; }

/* NEW: an Element; attrib is a dict that it shares, or NULL. */
PyObject *element_make(TreeState *state, PyObject *tag, PyObject *attrib);
/* -1 with TypeError "expected an Element". */
int element_require(TreeState *state, PyObject *o);
int element_add(PyObject *self, PyObject *child);                        /* child is an Element */
PyObject *element_iterator_new(TreeState *state, PyObject *self, PyObject *tag, bool text);

PyObject *element_find(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *element_findtext(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *element_findall(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *element_iterfind(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *element_iter(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *element_itertext(PyObject *self, PyObject *unused);

PyObject *builder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
PyObject *builder_handle_start(Builder *b, PyObject *tag, PyObject *attrib);   /* attrib may be NULL; all NEW */
PyObject *builder_handle_end(Builder *b);
PyObject *builder_handle_comment(Builder *b, PyObject *text);
PyObject *builder_handle_pi(Builder *b, PyObject *target, PyObject *text);
int builder_handle_data(Builder *b, PyObject *data);
int builder_handle_raw(Builder *b, const char *s, size_t n);             /* UTF-8 */
int builder_event(Builder *b, PyObject *event, PyObject *node);          /* event may be NULL */
PyObject *builder_done(Builder *b);

#endif
