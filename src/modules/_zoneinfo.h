/* What the files of _zoneinfo share: rules for the time after the last transition, as POSIX's TZ variable writes them. */
#ifndef TAIPAN_MODULES_ZONEINFO_H
#define TAIPAN_MODULES_ZONEINFO_H

#include "modules/datetime/datetime_private.h"

typedef enum ZoneDay { DAY_OF_YEAR, DAY_JULIAN, DAY_OF_MONTH } ZoneDay;

/* When clocks change. */
typedef struct ZoneChange {
    uint8_t kind;                             /* ZoneDay; DAY_JULIAN does not count 29 February */
    uint8_t month, week, weekday;             /* of DAY_OF_MONTH: 1 to 12; 1 to 5, which is the last; 0 is Sunday */
    int16_t day;                              /* of the others: from 0, Julian from 1 */
    int32_t seconds;                          /* since midnight, of local time before the change; may be negative */
} ZoneChange;

typedef struct ZoneRule {
    ZoneChange start, end;                    /* of daylight saving time */
    int32_t std_offset, dst_offset, dst_diff; /* seconds east of UTC */
    const char *std_name, *dst_name;          /* in the text that was parsed; dst_name is NULL without daylight saving time */
    Py_ssize_t std_length, dst_length;
} ZoneRule;

/* From bytes: std[offset[dst[offset],start[/time],end[/time]]]. 0, or -1 with ValueError; names point into text. */
int zone_rule_parse(ZoneRule *rule, PyObject *text);
/* Seconds from 1970 to the change in a year, both in local time. */
int64_t zone_rule_time(const ZoneChange *change, int year);

#endif
