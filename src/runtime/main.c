/* The program. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"

int main(int argc, char **argv) { return bringup_main(argc, argv); }
