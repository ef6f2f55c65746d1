/* _ctypes: C data as Python objects, and calls to foreign functions through libffi.
 *
 * Every ctypes type (a class whose metatype is one of this module's) carries an Info: size, alignment, how libffi passes it,
 * how a value gets in and out. Every instance is a CData: memory of its own, or a view into another CData's (`base`).
 *
 *     c_int(5)           CData{ptr -> value}                 S().inner    CData{ptr -> into S's memory, base -> S}
 *
 * What C memory points to is kept alive by the `objects` of the outermost CData: a dict from the place (in hexadecimal
 * indices, "1:0") to an object, or for a simple instance that object itself.
 *
 *   info.c       the metatypes and what they share       simple.c      _SimpleCData and the codes of simple types
 *   data.c       CData: memory, assignment, buffers      aggregate.c   Structure, Union and their fields
 *   pointers.c   Array and _Pointer                      function.c    CFuncPtr: calls and callbacks
 *   module.c     the functions of the module
 */
#ifndef TAIPAN_SHARED_CTYPES_H
#define TAIPAN_SHARED_CTYPES_H

#include "capi/args.h"

#include <ffi.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

typedef struct CData CData;
typedef struct Info Info;
typedef struct CTypes CTypes;

typedef enum Kind { KIND_NONE, KIND_SIMPLE, KIND_STRUCT, KIND_UNION, KIND_ARRAY, KIND_POINTER, KIND_FUNCTION } Kind;

/* A simple type's code: how its value is read and written. A setter returns what must be kept alive (NEW, often None). */
typedef struct Code {
    char code;
    unsigned size;
    ffi_type *ffi;
    PyObject *(*get)(const char *p, Py_ssize_t size);
    PyObject *(*set)(char *p, PyObject *value, Py_ssize_t size);
} Code;

struct Info {
    CTypes *state;
    Kind kind;
    bool initialized, final, has_pointer, swapped;
    Py_ssize_t size, align, length;           /* length: fields of a structure, items of an array */
    PyObject *proto;                          /* item type, pointed-to type, or the str of a simple type's code */
    const Code *code;                         /* of simple types, and of arrays the item's */
    ffi_type *ffi, own_ffi;                   /* own_ffi: structures by value */
    ffi_type **elements;
    char *format;                             /* PEP 3118; malloced by PyMem */
    int ndim;
    Py_ssize_t *shape;
    PyObject *argtypes, *converters, *restype;        /* function types */
    int flags;
};

struct CData {
    PyObject_HEAD
    char *ptr;
    bool owns;                                /* ptr is to be freed */
    CData *base;
    Py_ssize_t size, length, index;
    PyObject *objects;
    _Alignas(16) char value[16];              /* small data lives here */
};

typedef struct Function {
    CData data;
    PyObject *callable, *argtypes, *converters, *restype, *errcheck, *paramflags, *thunk;
} Function;

typedef struct Argument {                     /* byref(x), and what from_param() makes */
    PyObject_HEAD
    ffi_type *ffi;
    char tag;
    union { char c; short h; int i; long l; long long q; float f; double d; long double g; void *p; char bytes[16]; } value;
    PyObject *object;
    Py_ssize_t size;
} Argument;

struct CTypes {                               /* state of the module */
    PyTypeObject *meta, *struct_meta, *union_meta, *pointer_meta, *array_meta, *simple_meta, *function_meta;
    PyTypeObject *data, *structure, *union_, *pointer, *array, *simple, *function;
    PyTypeObject *field, *argument, *thunk;
    PyObject *error, *pointer_cache, *array_cache, *unpickle;
};

enum {
    FLAG_CDECL = 1, FLAG_PYTHONAPI = 4, FLAG_USE_ERRNO = 8, FLAG_USE_LASTERROR = 16,
    DIRECTION_IN = 1, DIRECTION_OUT = 2, DIRECTION_LCID = 4, MAX_ARGUMENTS = 1024
};

#define CDATA(o) ((CData *)(o))
#define FUNCTION(o) ((Function *)(o))
#define ARGUMENT(o) ((Argument *)(o))

extern PyModuleDef ctypes_module;

/* info.c */
CTypes *ctypes_state_of_type(PyTypeObject *type);                  /* of the module a metatype or type belongs to */
Info *info_of_type(CTypes *state, PyObject *type);                 /* NULL without exception: not an initialized ctypes type */
Info *info_of(PyObject *instance);                                 /* of a CData */
Info *info_concrete(PyObject *type);                               /* NULL with TypeError "abstract class" */
Info *info_start(PyObject *type, Kind kind);                       /* the place for a type that is being made */
bool is_cdata(CTypes *state, PyObject *o);
int ctypes_add_metatypes(PyObject *module, CTypes *state);
char *format_copy(const char *prefix, const char *text);           /* PyMem; NULL with MemoryError */
PyObject *pointer_type_to(CTypes *state, PyObject *type);          /* NEW */
PyObject *array_type_of(CTypes *state, PyObject *type, Py_ssize_t length);      /* NEW */

/* data.c */
PyObject *cdata_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
PyObject *cdata_view(PyObject *type, CData *base, Py_ssize_t index, char *ptr);  /* NEW */
PyObject *cdata_at_address(PyObject *type, void *address);         /* NEW */
PyObject *cdata_get(CTypes *state, PyObject *type, const Code *code, CData *owner, Py_ssize_t index, Py_ssize_t size, char *ptr);     /* NEW */
int cdata_set(CTypes *state, CData *owner, PyObject *type, const Code *code, PyObject *value, Py_ssize_t index, Py_ssize_t size, char *ptr);
int cdata_keep(CData *owner, Py_ssize_t index, PyObject *object);  /* STEALS object */
PyObject *cdata_kept(CData *data);                                 /* borrowed */
int ctypes_add_data(PyObject *module, CTypes *state);
int cdata_get_buffer(PyObject *self, Py_buffer *view, int flags);

/* simple.c */
const Code *code_find(char letter, bool swapped);
PyObject *simple_meta_init_type(CTypes *state, PyObject *type);
PyObject *simple_from_param(CTypes *state, PyObject *type, PyObject *value);
bool is_simple_instance(CTypes *state, PyObject *type);            /* a direct subclass of _SimpleCData: read as its Python value */
int ctypes_add_simple(PyObject *module, CTypes *state);

/* aggregate.c */
int aggregate_set_fields(CTypes *state, PyObject *type, PyObject *fields);
int aggregate_start(CTypes *state, PyObject *type, Kind kind);
int ctypes_add_aggregates(PyObject *module, CTypes *state);

/* pointers.c */
int ctypes_add_pointers(PyObject *module, CTypes *state);

/* function.c */
Argument *argument_new(CTypes *state);
Argument *argument_of(CTypes *state, CData *data);                 /* how a CData is passed; NEW */
PyObject *call_address(CTypes *state, void *address, PyObject *const *args, Py_ssize_t nargs, PyObject *converters, Py_ssize_t fixed, PyObject *restype, int flags);
PyObject *function_from_param_generic(CTypes *state, PyObject *type, PyObject *value);
int function_meta_init_type(CTypes *state, PyObject *type);
int *ctypes_errno(void);                                           /* this thread's copy; NULL with MemoryError */
int ctypes_add_functions(PyObject *module, CTypes *state);

#endif
