/* setupterm(), in a file of its own: the header that declares it makes macros of words like buttons and lines. */
#include "curses_private.h"

#include <term.h>

int terminal_set_up(const char *term, int fd, int *code) { return setupterm(term, fd, code); }
