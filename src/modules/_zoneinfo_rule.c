/* POSIX time zone rules (_zoneinfo.h). */
#include "modules/_zoneinfo.h"

static inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* min to max digits, no more. *value, or -1. */
static int parse_digits(const char **p, int min, int max, int *value)
{
    int n = 0;
    for (*value = 0; n < max && is_digit(**p); n++) *value = *value * 10 + *(*p)++ - '0';
    return n < min ? -1 : 0;
}

/* Letters, or <letters, digits, signs>. */
static int parse_name(const char **p, const char **name, Py_ssize_t *length)
{
    bool quoted = **p == '<';
    if (quoted) ++*p;
    *name = *p;
    while (is_letter(**p) || (quoted && (is_digit(**p) || **p == '+' || **p == '-'))) ++*p;
    *length = *p - *name;
    if (!quoted) return *length ? 0 : -1;
    if (**p != '>') return -1;
    ++*p;
    return 0;
}

/* [+-]h[hh][:mm[:ss]] as seconds, hours up to `most`. */
static int parse_time(const char **p, int most, int32_t *seconds)
{
    int sign = **p == '-' ? -1 : 1, hour, minute = 0, second = 0;
    if (**p == '-' || **p == '+') ++*p;
    if (parse_digits(p, 1, 3, &hour) < 0 || hour > most) return -1;
    if (**p == ':') {
        ++*p;
        if (parse_digits(p, 2, 2, &minute) < 0) return -1;
        if (**p == ':') {
            ++*p;
            if (parse_digits(p, 2, 2, &second) < 0) return -1;
        }
    }
    *seconds = sign * (hour * 3600 + minute * 60 + second);
    return 0;
}

/* POSIX counts westwards. */
static int parse_offset(const char **p, int32_t *offset)
{
    if (parse_time(p, 24, offset) < 0) return -1;
    *offset = -*offset;
    return 0;
}

static int parse_change(const char **p, ZoneChange *change)
{
    *change = (ZoneChange){ .kind = DAY_OF_YEAR, .seconds = 2 * 3600 };
    int day, month, week, weekday;
    if (**p == 'M') {
        ++*p;
        if (parse_digits(p, 1, 2, &month) < 0 || *(*p)++ != '.' || parse_digits(p, 1, 1, &week) < 0 || *(*p)++ != '.'
            || parse_digits(p, 1, 1, &weekday) < 0) return -1;
        if (month < 1 || month > 12 || week < 1 || week > 5 || weekday > 6) return -1;
        change->kind = DAY_OF_MONTH;
        change->month = (uint8_t)month;
        change->week = (uint8_t)week;
        change->weekday = (uint8_t)weekday;
    }
    else {
        if (**p == 'J') {
            change->kind = DAY_JULIAN;
            ++*p;
        }
        if (parse_digits(p, 1, 3, &day) < 0 || day > 365 || day < (change->kind == DAY_JULIAN)) return -1;
        change->day = (int16_t)day;
    }
    if (**p != '/') return 0;
    ++*p;
    return parse_time(p, 167, &change->seconds);
}

static int fail(const char *format, PyObject *text)
{
    PyErr_Format(PyExc_ValueError, format, text);
    return -1;
}

int zone_rule_parse(ZoneRule *rule, PyObject *text)
{
    const char *p = PyBytes_AsString(text);
    if (!p) return -1;
    *rule = (ZoneRule){ 0 };
    if (parse_name(&p, &rule->std_name, &rule->std_length) < 0) return fail("Invalid STD format in %R", text);
    if (parse_offset(&p, &rule->std_offset) < 0) return fail("Invalid STD offset in %R", text);
    if (!*p) return 0;

    if (parse_name(&p, &rule->dst_name, &rule->dst_length) < 0) return fail("Invalid DST format in %R", text);
    if (*p == ',') rule->dst_offset = rule->std_offset + 3600;
    else if (parse_offset(&p, &rule->dst_offset) < 0) return fail("Invalid DST offset in %R", text);
    rule->dst_diff = rule->dst_offset - rule->std_offset;

    for (int i = 0; i < 2; i++) {
        if (*p++ != ',') return fail("Missing transition rules in TZ string: %R", text);
        if (parse_change(&p, i ? &rule->end : &rule->start) < 0) return fail("Malformed transition rule in TZ string: %R", text);
    }
    return *p ? fail("Extraneous characters at end of TZ string: %R", text) : 0;
}

int64_t zone_rule_time(const ZoneChange *change, int year)
{
    int ordinal;
    if (change->kind == DAY_OF_MONTH) {
        int first = (calendar_weekday(year, change->month, 1) + 1) % 7;                     /* Sunday is 0 */
        int day = 1 + (change->weekday - first + 7) % 7 + (change->week - 1) * 7;
        if (day > calendar_days_in_month(year, change->month)) day -= 7;
        ordinal = calendar_ordinal(year, change->month, day);
    }
    else {
        /* As in CPython, in both of its classes, day 0 is the last of the year before, and 29 February shifts Julian day 59 too. */
        ordinal = calendar_ordinal(year, 1, 1) - 1 + change->day;
        if (change->kind == DAY_JULIAN && change->day >= 59 && calendar_is_leap(year)) ordinal++;
    }
    return ordinal * (int64_t)SECONDS_A_DAY - EPOCH_SECONDS + change->seconds;
}
