#!/bin/sh
# Runs a script of this folder under the oracle with frontend_ext: run.sh OUTDIR script.py [arguments]
here=$(cd "$(dirname "$0")" && pwd); out=$1; shift
PYTHONPATH="$out:$here" exec "$here/../../deps/debian13/usr/bin/python3.13" "$@"
