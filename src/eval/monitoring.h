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

int monitoring_call_tool(PyThreadState *ts, PyObject *const *args, size_t nargsf, int tool, int event);
int monitoring_cannot_disable(PyThreadState *ts, int tool, int event);      /* removes the callback; ValueError, -1 */
extern PyTypeObject legacy_handler_type;

#endif
