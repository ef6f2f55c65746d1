#!/bin/sh
# Builds compile_ext for the oracle. usage: build_compile.sh OUTDIR [extra compiler flags]
set -e
top=$(cd "$(dirname "$0")/../.." && pwd); out=$1; shift
mkdir -p "$out/obj"
flags="-std=gnu17 -g -Wall -Wextra -Wno-sign-compare -Wno-missing-field-initializers -Wno-cast-function-type -Wno-unused-parameter
    -fPIC -fvisibility=hidden -fno-strict-aliasing -fwrapv -fno-omit-frame-pointer
    -I$top/tests/frontend/shim -I$top/src -isystem $top/deps/include -isystem $top/deps/include/python3.13"
for source in "$top"/src/syntax/*.c "$top"/src/compile/*.c "$top"/src/eval/opcodes.c "$top"/src/modules/_ast.c "$top"/src/modules/_symtable.c "$top"/src/modules/_opcode.c "$top"/src/capi/args.c \
              "$top"/tests/frontend/compile_ext.c; do
    case $source in */marshal*.c) continue;; esac
    ccache clang-19 $flags "${@:--O2}" -c "$source" -o "$out/obj/$(basename "$source" .c).o"
done
clang-19 -shared -Wl,-Bsymbolic "$@" "$out"/obj/*.o -o "$out/compile_ext.cpython-313-x86_64-linux-gnu.so"
