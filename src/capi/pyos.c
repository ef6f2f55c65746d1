/* The small helpers with C library names: PyOS_strtoul, comparison without case. */
#include "taipan.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a' + 10) : 37;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The base that a prefix names, which is skipped when a digit follows it. */
static const char *read_prefix(const char *p, int *base)
{
    char letter = p[0] == '0' ? (char)(p[1] | 0x20) : 0;
    int prefix = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (*base == 0) {
        if (p[0] != '0') *base = 10;
        else if (!prefix) {                   /* 0777 is refused, 000 is zero */
            while (*p == '0') p++;
            while (is_space(*p)) p++;
            *base = -1;
            return p;
        }
        else {
            if (digit_value(p[2]) >= (unsigned)prefix) {
                *base = -1;
                return p + 1;
            }
            *base = prefix;
            return p + 2;
        }
    }
    else if (prefix && prefix == *base) {
        if (digit_value(p[2]) >= (unsigned)prefix) {
            *base = -1;
            return p + 1;
        }
        return p + 2;
    }
    return p;
}

unsigned long PyOS_strtoul(const char *text, char **end, int base)
{
    const char *p = text;
    unsigned long value = 0;
    bool overflow = false;
    while (is_space(*p)) p++;
    p = read_prefix(p, &base);
    if (base < 0) {
        if (end) *end = (char *)(uintptr_t)p;
        return 0;
    }
    if (base < 2 || base > 36) {
        if (end) *end = (char *)(uintptr_t)p;
        return 0;
    }
    for (unsigned digit; (digit = digit_value(*p)) < (unsigned)base; p++) {
        if (__builtin_mul_overflow(value, (unsigned long)base, &value) || __builtin_add_overflow(value, digit, &value)) overflow = true;
    }
    if (end) *end = (char *)(uintptr_t)p;
    if (overflow) {
        errno = ERANGE;
        return (unsigned long)-1;
    }
    return value;
}

long PyOS_strtol(const char *text, char **end, int base)
{
    while (is_space(*text)) text++;
    char sign = *text;
    if (sign == '+' || sign == '-') text++;
    unsigned long magnitude = PyOS_strtoul(text, end, base);
    if (magnitude <= (unsigned long)LONG_MAX) return sign == '-' ? -(long)magnitude : (long)magnitude;
    if (sign == '-' && magnitude == 0 - (unsigned long)LONG_MIN) return LONG_MIN;
    errno = ERANGE;
    return LONG_MAX;
}

static int lower(char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : (unsigned char)c; }

int PyOS_mystrnicmp(const char *a, const char *b, Py_ssize_t n)
{
    if (n == 0) return 0;
    while (--n > 0 && *a && *b && lower(*a) == lower(*b)) a++, b++;
    return lower(*a) - lower(*b);
}

int PyOS_mystricmp(const char *a, const char *b)
{
    while (*a && *b && lower(*a) == lower(*b)) a++, b++;
    return lower(*a) - lower(*b);
}
