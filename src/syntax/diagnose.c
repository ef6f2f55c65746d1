#include "syntax/parser_private.h"
void parser_diagnose(Parser *p) { parser_raise_last(p, PyExc_SyntaxError, "invalid syntax"); }
