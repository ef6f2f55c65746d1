/* The objects of the _sre module, shared by its files. */
#ifndef TAIPAN_MODULES_SRE_OBJECTS_H
#define TAIPAN_MODULES_SRE_OBJECTS_H

#include "sre_private.h"

typedef struct SreState {
    PyTypeObject *pattern, *match, *scanner, *template;
    PyObject *compile_template;               /* re._compile_template, fetched on first use */
} SreState;

/* sub()'s replacement, parsed: literal, then (group, literal) pairs. */
typedef struct Template {
    PyObject_VAR_HEAD
    Py_ssize_t chunks;
    PyObject *literal;
    struct { Py_ssize_t index; PyObject *literal; } items[1];
} Template;

typedef struct Scanner {
    PyObject_HEAD
    PyObject *pattern;
    Matcher matcher;
    bool executing, exhausted;
} Scanner;

extern struct PyModuleDef sre_definition;
extern PyType_Spec sre_pattern_spec, sre_match_spec, sre_scanner_spec, sre_template_spec;

static inline SreState *sre_state(PyObject *module) { return PyModule_GetState(module); }
static inline SreState *sre_state_of(PyObject *o) { return PyType_GetModuleState(Py_TYPE(o)); }

void matcher_done(Matcher *m);
PyObject *matcher_error(int status);           /* NULL, with an exception */

/* A match object, or None for status 0. NEW. */
PyObject *match_new(SreState *state, Pattern *pattern, Matcher *m, int status);
PyObject *match_expand_template(Match *match, Template *template);

#endif
