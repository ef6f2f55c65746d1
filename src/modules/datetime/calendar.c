/* Arithmetic of the proleptic Gregorian calendar, and local time as the C library knows it. */
#include "datetime_private.h"

#include <errno.h>

static const int days_in_month[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
static const int days_before_month[13] = { 0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };

bool calendar_is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int calendar_days_in_month(int year, int month)
{
    return month == 2 && calendar_is_leap(year) ? 29 : days_in_month[month];
}

int calendar_days_before_month(int year, int month)
{
    return days_before_month[month] + (month > 2 && calendar_is_leap(year));
}

static int days_before_year(int year)
{
    int y = year - 1;
    return y >= 0 ? y * 365 + y / 4 - y / 100 + y / 400 : -366;
}

int calendar_ordinal(int year, int month, int day) { return days_before_year(year) + calendar_days_before_month(year, month) + day; }

/* Cycles of 400, 100, 4 and 1 years; the last day of the outer two cycles is the one that division puts into a cycle too many. */
void calendar_from_ordinal(int ordinal, int *year, int *month, int *day)
{
    enum { DAYS_400 = 146097, DAYS_100 = 36524, DAYS_4 = 1461 };
    unsigned n = (unsigned)ordinal - 1;
    unsigned n400 = n / DAYS_400;
    n %= DAYS_400;
    unsigned n100 = n / DAYS_100;
    n %= DAYS_100;
    unsigned n4 = n / DAYS_4;
    n %= DAYS_4;
    unsigned n1 = n / 365;
    n %= 365;
    *year = (int)(n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1);
    if (n1 == 4 || n100 == 4) {
        *year -= 1;
        *month = 12;
        *day = 31;
        return;
    }
    int guess = (int)((n + 50) >> 5);                       /* right or one too many */
    int before = calendar_days_before_month(*year, guess);
    if (before > (int)n) before -= calendar_days_in_month(*year, --guess);
    *month = guess;
    *day = (int)n - before + 1;
}

int calendar_weekday(int year, int month, int day) 
{
    int weekday = (calendar_ordinal(year, month, day) + 6) % 7;
    return weekday < 0 ? weekday + 7 : weekday;             /* a crafted pickle can hold the year 0 */
}

int calendar_iso_monday(int year)
{
    int first = calendar_ordinal(year, 1, 1);
    int weekday = (first + 6) % 7;
    int monday = first - weekday;
    return weekday > 3 ? monday + 7 : monday;
}

int calendar_from_iso(int iso_year, int week, int weekday, int *year, int *month, int *day)
{
    if (iso_year < YEAR_MIN || iso_year > YEAR_MAX) return -4;
    if (week <= 0 || week >= 53) {
        bool long_year = false;
        if (week == 53) {
            int first = calendar_weekday(iso_year, 1, 1);
            long_year = first == 3 || (first == 2 && calendar_is_leap(iso_year));
        }
        if (!long_year) return -2;
    }
    if (weekday <= 0 || weekday >= 8) return -3;
    int ordinal = calendar_iso_monday(iso_year) + (week - 1) * 7 + weekday - 1;
    calendar_from_ordinal(ordinal, year, month, day);
    return 0;
}

int64_t calendar_seconds(const Moment *m)
{
    return (int64_t)calendar_ordinal(m->year, m->month, m->day) * SECONDS_A_DAY + m->hour * 3600 + m->minute * 60 + m->second;
}

int calendar_shift(Moment *m, int64_t days, int64_t seconds, int64_t microseconds)
{
    microseconds += m->microsecond;
    int64_t carry = microseconds / 1000000;
    microseconds %= 1000000;
    if (microseconds < 0) {
        microseconds += 1000000;
        carry--;
    }
    seconds += carry + m->hour * 3600 + m->minute * 60 + m->second;
    carry = seconds / SECONDS_A_DAY;
    seconds %= SECONDS_A_DAY;
    if (seconds < 0) {
        seconds += SECONDS_A_DAY;
        carry--;
    }
    days += carry;
    if (days) {
        int64_t ordinal = calendar_ordinal(m->year, m->month, m->day) + days;
        if (ordinal < 1 || ordinal > ORDINAL_MAX) {
            PyErr_SetString(PyExc_OverflowError, "date value out of range");
            return -1;
        }
        int64_t in_month = m->day + days;
        if (in_month >= 1 && in_month <= 28) m->day = (int)in_month;
        else calendar_from_ordinal((int)ordinal, &m->year, &m->month, &m->day);
    }
    m->hour = (int)seconds / 3600;
    m->minute = (int)seconds / 60 % 60;
    m->second = (int)seconds % 60;
    m->microsecond = (int)microseconds;
    return 0;
}

static COLD int value_error(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

int calendar_check_date(int year, int month, int day)
{
    if (UNLIKELY(year < YEAR_MIN || year > YEAR_MAX)) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range", year);
        return -1;
    }
    if (UNLIKELY(month < 1 || month > 12)) return value_error("month must be in 1..12");
    if (UNLIKELY(day < 1 || (day > 28 && day > calendar_days_in_month(year, month)))) return value_error("day is out of range for month");
    return 0;
}

int calendar_check_time(const Moment *m)
{
    if (UNLIKELY(m->hour < 0 || m->hour > 23)) return value_error("hour must be in 0..23");
    if (UNLIKELY(m->minute < 0 || m->minute > 59)) return value_error("minute must be in 0..59");
    if (UNLIKELY(m->second < 0 || m->second > 59)) return value_error("second must be in 0..59");
    if (UNLIKELY(m->microsecond < 0 || m->microsecond > 999999)) return value_error("microsecond must be in 0..999999");
    if (UNLIKELY(m->fold != 0 && m->fold != 1)) return value_error("fold must be either 0 or 1");
    return 0;
}

/* ---- the platform's local time ------------------------------------------------------------------------------------------ */

static int platform_failed(void)
{
    if (!errno) errno = EINVAL;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

int platform_localtime(time_t t, struct tm *tm)
{
    errno = 0;
    return localtime_r(&t, tm) ? 0 : platform_failed();
}

int platform_gmtime(time_t t, struct tm *tm)
{
    errno = 0;
    return gmtime_r(&t, tm) ? 0 : platform_failed();
}

int calendar_to_local(int64_t seconds, int64_t *local)
{
    struct tm tm;
    if (platform_localtime((time_t)(seconds - EPOCH_SECONDS), &tm) < 0) return -1;
    Moment m = { tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 0, 0 };
    if (m.year < YEAR_MIN || m.year > YEAR_MAX) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range", m.year);
        return -1;
    }
    *local = calendar_seconds(&m);
    return 0;
}

/* Looks for u with local(u) = m (PEP 495): local time and UTC differ by one of at most two offsets, a and b, that hold within a
 * day of m. In a fold both give a solution and m->fold chooses; in a gap none does. */
int calendar_from_local(const Moment *m, int64_t *result)
{
    enum { WINDOW = 24 * 3600 };
    int64_t t = calendar_seconds(m), local, first, second;
    if (calendar_to_local(t, &local) < 0) return -1;
    int64_t a = local - t, b;
    int64_t u1 = t - a;
    if (calendar_to_local(u1, &first) < 0) return -1;
    if (first == t) {
        int64_t u2 = u1 + (m->fold ? WINDOW : -WINDOW);
        if (calendar_to_local(u2, &local) < 0) return -1;
        b = local - u2;
        if (a == b) {
            *result = u1;
            return 0;
        }
    } else {
        b = first - u1;
    }
    int64_t u2 = t - b;
    if (calendar_to_local(u2, &second) < 0) return -1;
    if (second == t) *result = u2;
    else if (first == t) *result = u1;
    else *result = m->fold ? Py_MIN(u1, u2) : Py_MAX(u1, u2);
    return 0;
}
