/* Floats to and from decimal digits, without objects: repr, the e f g formats, parsing. All correctly rounded. */
#ifndef TAIPAN_OBJECTS_FLOAT_TEXT_H
#define TAIPAN_OBJECTS_FLOAT_TEXT_H

#include "taipan.h"

enum { FLOAT_DIGITS_MAX = 17 };              /* the shortest digits of any double */

/* value * 10**places rounded to the nearest integer, ties to even, when value and places are small enough to do that in
 * machine words: value >= 0, the result below 2^63. False otherwise. */
bool float_scaled(double value, int places, uint64_t *result);

/* repr(value) into text, NUL-terminated; returns the length. */
enum { FLOAT_REPR_SIZE = 32 };
int float_repr_text(double value, char text[FLOAT_REPR_SIZE]);

/* Reads an unsigned or signed decimal number, inf or nan at [text, end). Returns where it ends; text itself when there is
 * none, NULL when there is no memory. *overflow: the number was too large (the value is an infinity). */
const char *float_read(const char *text, const char *end, double *value, bool *overflow);

#endif
