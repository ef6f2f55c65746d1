#!/usr/bin/env python3
"""Digest what the front end makes of Python source files: tokens, syntax tree, code objects.

    digest.py LIBDIR [--kinds code,ast,tokens] [--only SUBSTR] [--shard I/N] [--dump KIND:RELPATH]

Prints `KIND<TAB>RELPATH<TAB>DIGEST`, sorted. Run it under two interpreters over the same LIBDIR and diff the outputs:
equal digests mean equal tokens, equal trees (positions included) and equal code objects (bytecode, constants, names,
line table, exception table, flags, stack size), recursively. A file that does not compile digests its error message.
`--dump` prints the readable text behind one digest, to see where two interpreters part.
"""
import argparse
import ast
import os
import sys
import tokenize
import warnings

try:
    from hashlib import sha256

    def digest(text):
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
except ImportError:                                 # an interpreter under construction: say it whole
    def digest(text):
        h = 0xCBF29CE484222325
        for b in text.encode("utf-8", "surrogatepass"):
            h = (h ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        return "fnv%016x" % h

CODE_FIELDS = ("co_name", "co_qualname", "co_flags", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount",
               "co_stacksize", "co_nlocals", "co_firstlineno", "co_names", "co_varnames", "co_freevars", "co_cellvars")
CODE = type(digest.__code__)


def constant(value, out, indent):
    kind = type(value)
    if kind is CODE:
        out.append("%scode:" % indent)
        code_text(value, out, indent + "  ")
    elif kind is tuple:
        out.append("%stuple %d:" % (indent, len(value)))
        for item in value:
            constant(item, out, indent + "  ")
    elif kind is frozenset:
        inner = []
        for item in value:
            sub = []
            constant(item, sub, "")
            inner.append("\n".join(sub))
        out.append("%sfrozenset %s" % (indent, sorted(inner)))
    else:
        out.append("%s%s %r" % (indent, kind.__name__, value))


def code_text(code, out, indent=""):
    for name in CODE_FIELDS:
        out.append("%s%s=%r" % (indent, name, getattr(code, name)))
    for name in ("co_code", "co_linetable", "co_exceptiontable"):
        out.append("%s%s=%s" % (indent, name, getattr(code, name).hex()))
    for value in code.co_consts:
        constant(value, out, indent + "  ")


def text_of(kind, path, rel):
    try:
        if kind == "tokens":
            with open(path, "rb") as f:
                return "\n".join("%d %r %r %r" % (t.type, t.string, t.start, t.end) for t in tokenize.tokenize(f.readline))
        with open(path, "rb") as f:
            source = f.read()
        if kind == "ast":
            return ast.dump(ast.parse(source, rel), include_attributes=True)
        out = []
        code_text(compile(source, rel, "exec", dont_inherit=True, optimize=0), out)
        return "\n".join(out)
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError) as e:
        return "%s: %s" % (type(e).__name__, "" if isinstance(e, RecursionError) else str(e.args).replace(path, rel))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("libdir")
    p.add_argument("--kinds", default="code,ast,tokens")
    p.add_argument("--only", default="")
    p.add_argument("--shard", default="0/1")
    p.add_argument("--dump")
    a = p.parse_args()
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20000)
    if a.dump:
        kind, rel = a.dump.split(":", 1)
        print(text_of(kind, os.path.join(a.libdir, rel), rel))
        return
    rels = []
    for root, dirs, files in os.walk(a.libdir):
        dirs[:] = [d for d in dirs if d != "__pycache__"]
        rels += [os.path.relpath(os.path.join(root, f), a.libdir) for f in files
                 if f.endswith(".py") and os.path.isfile(os.path.join(root, f))]
    rels = sorted(r for r in rels if a.only in r)
    shard, shards = map(int, a.shard.split("/"))
    rels = rels[shard::shards]
    if not rels:
        sys.exit("no .py file selected under " + a.libdir)
    for rel in rels:
        for kind in a.kinds.split(","):
            print("%s\t%s\t%s" % (kind, rel, digest(text_of(kind, os.path.join(a.libdir, rel), rel))), flush=True)


if __name__ == "__main__":
    main()
