/* Bring-up placeholders; replaced by instrument.c, monitoring.c, frame_jump.c. */
#include "eval/eval_private.h"
#define MISSING_PART(name) PyErr_SetString(PyExc_NotImplementedError, name " is missing")
int frame_set_lineno(PyFrameObject *o, PyObject *value, void *closure) { MISSING_PART("f_lineno"); return -1; }
int instrument_code(PyCodeObject *co, PyInterpreterState *interp) { co->_co_instrumentation_version = PyThreadState_GET()->eval_breaker & ~(uintptr_t)EVAL_EVENTS_MASK; return 0; }
int instrument_call(PyThreadState *ts, int event, Frame *f, CodeUnit *instr) { return 0; }
int instrument_call_arg(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *arg) { return 0; }
int instrument_call_2args(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *arg0, PyObject *arg1) { return 0; }
CodeUnit *instrument_call_jump(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, CodeUnit *target) { return target; }
void instrument_call_exc(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *exc) { }
int instrument_line(PyThreadState *ts, Frame *f, CodeUnit *instr, CodeUnit *previous) { return NOP; }
int instrument_instruction(PyThreadState *ts, Frame *f, CodeUnit *instr) { return NOP; }
void instrument_raise(PyThreadState *ts, Frame *f, CodeUnit *instr, int event) { }
int instrument_handled(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *exc) { return 0; }
void instrument_unwind(PyThreadState *ts, Frame *f, CodeUnit *instr) { }
int instrument_throw(PyThreadState *ts, Frame *f, CodeUnit *instr) { return 0; }
PyObject *monitoring_missing(PyThreadState *ts) { return Py_None; }
int trace_enable_opcodes(PyThreadState *ts) { return 0; }
void PyEval_SetProfile(Py_tracefunc f, PyObject *o) { }
void PyEval_SetProfileAllThreads(Py_tracefunc f, PyObject *o) { }
void PyEval_SetTrace(Py_tracefunc f, PyObject *o) { }
void PyEval_SetTraceAllThreads(Py_tracefunc f, PyObject *o) { }
