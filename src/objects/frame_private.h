/* What the frame*.c files and eval/ share about frame objects. */
#ifndef TAIPAN_OBJECTS_FRAME_PRIVATE_H
#define TAIPAN_OBJECTS_FRAME_PRIVATE_H

#include "eval/eval.h"

/* NEW: the namespace of a module or class body, or a proxy of a function's variables (PEP 667). */
PyObject *frame_locals(Frame *f);
int frame_set_lineno(PyFrameObject *o, PyObject *value, void *closure);
/* f_trace or f_trace_opcodes was set: the frame may want an event for each instruction. */
int trace_opcodes_changed(PyFrameObject *frame);

#endif
