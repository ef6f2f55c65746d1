"""Compares code objects of compile_ext with those of the running Python.
    compare_code.py [--optimize N] [--flags N] [--show N] [--tree] PATH...      files, or directories that are searched"""
import argparse, ast, dis, io, os, sys, time, warnings
import compile_ext

CODE = type(compile_ext.bench.__class__ and (lambda: 0).__code__)
FIELDS = ("co_name", "co_qualname", "co_flags", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_stacksize", "co_nlocals",
          "co_firstlineno", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_code", "co_linetable", "co_exceptiontable", "co_filename")


def listing(code):
    out = io.StringIO()
    for i in dis.get_instructions(code):
        p = i.positions
        arg = "<code %s>" % i.argval.co_name if isinstance(i.argval, CODE) else i.argrepr
        out.write("%4d %-26s %5s %-30s %s\n" % (i.offset, i.opname, "" if i.arg is None else i.arg, arg,
                                               (p.lineno, p.end_lineno, p.col_offset, p.end_col_offset)))
    out.write("exceptions %r\n" % [tuple(e) for e in dis._parse_exception_table(code)])
    return out.getvalue()


def same_const(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_const, a, b))
    if isinstance(a, frozenset):
        return sorted(map(repr, a)) == sorted(map(repr, b))
    return repr(a) == repr(b)


def differences(a, b, path="", found=None):
    found = [] if found is None else found
    path += "/" + a.co_name
    bad = [f for f in FIELDS if getattr(a, f) != getattr(b, f)]
    ca = [c for c in a.co_consts if isinstance(c, CODE)]
    cb = [c for c in b.co_consts if isinstance(c, CODE)]
    if len(a.co_consts) != len(b.co_consts) or not all(same_const(x, y) for x, y in zip(a.co_consts, b.co_consts) if not isinstance(x, CODE)):
        bad.append("co_consts")
    if bad:
        found.append((path, bad, a, b))
    if len(ca) != len(cb):
        found.append((path, ["nested"], a, b))
    for x, y in zip(ca, cb):
        differences(x, y, path, found)
    return found


def dump(node):
    if isinstance(node, list):
        return [dump(n) for n in node]
    if not hasattr(node, "_fields"):
        return type(node).__name__, repr(node)
    return (type(node).__name__, [dump(getattr(node, f, None)) for f in node._fields],
            [getattr(node, a, None) for a in node._attributes])


def outcome(function):
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        try:
            result = function()
        except Exception as e:
            result = "%s: %s %s" % (type(e).__name__, e.args, [getattr(e, n, None) for n in ("lineno", "offset", "end_lineno", "end_offset")])
    return result, [(str(w.message), w.lineno, w.category.__name__) for w in log]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("paths", nargs="+")
    ap.add_argument("--optimize", type=int, default=0)
    ap.add_argument("--flags", type=int, default=0)
    ap.add_argument("--show", type=int, default=3)
    ap.add_argument("--tree", action="store_true")
    args = ap.parse_args()
    files = []
    for p in args.paths:
        if os.path.isdir(p):
            for d, dirs, names in os.walk(p):
                dirs.sort()
                files += [os.path.join(d, n) for n in sorted(names) if n.endswith(".py")]
        else:
            files.append(p)
    shown = bad_files = 0
    kinds = {}
    for path in files:
        with open(path, "rb") as f:
            source = f.read()
        if args.tree:
            try:
                tree = compile_ext.compile_source(source, path, "exec", ast.PyCF_ONLY_AST)
            except Exception:
                continue
        want, wlog = outcome(lambda: compile(source, path, "exec", dont_inherit=True, optimize=args.optimize, flags=args.flags))
        have, hlog = outcome(lambda: compile_ext.compile_source(tree if args.tree else source, path, "exec", args.flags, args.optimize))
        if isinstance(want, str) or isinstance(have, str):
            if want != have:
                bad_files += 1
                print("OUTCOME %s\n  want %.300s\n  have %.300s" % (path, want, have))
            continue
        if args.flags & ast.PyCF_ONLY_AST:
            want, have = dump(want), dump(have)
            if want != have:
                bad_files += 1
                print("TREE", path)
            continue
        if wlog != hlog:
            print("WARNINGS %s\n  want %s\n  have %s" % (path, wlog, hlog))
        found = differences(want, have)
        bad_files += bool(found)
        for where, bad, a, b in found:
            kinds[tuple(bad)] = kinds.get(tuple(bad), 0) + 1
            if shown < args.show:
                shown += 1
                print("=" * 100, "\n", path, where, bad)
                for f in bad:
                    if f not in ("co_code", "co_linetable", "co_exceptiontable", "co_stacksize", "nested"):
                        print("  ", f, "\n     want", getattr(a, f), "\n     have", getattr(b, f))
                if "co_stacksize" in bad:
                    print("   stack", a.co_stacksize, b.co_stacksize)
                import difflib
                la, lb = listing(a).splitlines(), listing(b).splitlines()
                print("\n".join(list(difflib.unified_diff(la, lb, "want", "have", n=4, lineterm=""))[:60]))
    print("%d files, %d differ" % (len(files), bad_files))
    for k, n in sorted(kinds.items(), key=lambda kv: -kv[1])[:20]:
        print(n, k)
    return bad_files != 0


if __name__ == "__main__":
    sys.exit(main())
