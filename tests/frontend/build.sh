#!/bin/sh
# Builds frontend_ext for the oracle. usage: build.sh OUTDIR [extra compiler flags]
set -e
top=$(cd "$(dirname "$0")/../.." && pwd); out=$1; shift
mkdir -p "$out"
ccache clang-19 -std=gnu17 -g -O2 -Wall -Wextra -Wno-sign-compare -Wno-missing-field-initializers -Wno-cast-function-type \
    -Wno-unused-parameter -shared -fPIC -Wl,-Bsymbolic -fvisibility=hidden -fno-strict-aliasing -fwrapv -fno-omit-frame-pointer "$@" \
    -I"$top/src" -isystem "$top/deps/include" -isystem "$top/deps/include/python3.13" \
    "$top"/src/syntax/*.c "$top"/src/modules/_ast.c "$top"/src/modules/_tokenize.c "$top"/src/capi/args.c \
    "$top"/tests/frontend/frontend_ext.c -o "$out/frontend_ext.cpython-313-x86_64-linux-gnu.so"
