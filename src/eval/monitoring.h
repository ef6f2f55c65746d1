/* Shared by instrument.c, monitoring.c and legacy_trace.c. */
#ifndef TAIPAN_EVAL_MONITORING_H
#define TAIPAN_EVAL_MONITORING_H

#include "eval/eval_private.h"


extern const char *const monitoring_event_names[_PY_MONITORING_EVENTS];

static inline uint32_t monitoring_events_of(const uint8_t *tools, int count, int tool)
{
    uint32_t events = 0;
    for (int e = 0; e < count; e++) events |= (uint32_t)(tools[e] >> tool & 1) << e;
    return events;
}

/* 0 go on, 1 DISABLE, -1; f is what the event is about, NULL when it is no frame. */
int monitoring_call_tool(PyThreadState *ts, Frame *f, PyObject *const *args, size_t nargsf, int tool, int event);
int monitoring_cannot_disable(PyThreadState *ts, int tool, int event);      /* removes the callback; ValueError, -1 */
extern PyTypeObject legacy_handler_type;

void instrument_layers_write(PyCodeObject *co, int unit);    /* puts at a unit what its tools ask for */
int instrument_below_instruction(PyCodeObject *co, int unit);
bool instrument_line_goes_on(PyCodeObject *co, int unit, const CodeUnit *previous);   /* was the same line running already? */

#endif
