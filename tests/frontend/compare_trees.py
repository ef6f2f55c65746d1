"""Compares the trees of frontend_ext with the oracle's over a directory: compare_trees.py DIR [SUBSTRING]. Run by the oracle."""
import ast, os, sys, warnings
import frontend_ext
warnings.simplefilter("ignore")
sys.setrecursionlimit(20000)
ours = frontend_ext.module("_ast")

class Bridge:
    """ast.dump wants instances of ast.AST: ours are rebuilt in text by the same rules."""

def dump(node):
    if isinstance(node, ours.AST):
        cls = type(node)
        args = []
        for name in cls._fields + cls._attributes:
            args.append("%s=%s" % (name, dump(getattr(node, name))))
        return "%s(%s)" % (cls.__name__, ", ".join(args))
    if isinstance(node, ast.AST):
        cls = type(node)
        args = []
        for name in cls._fields + cls._attributes:
            args.append("%s=%s" % (name, dump(getattr(node, name))))
        return "%s(%s)" % (cls.__name__, ", ".join(args))
    if isinstance(node, list):
        return "[%s]" % ", ".join(map(dump, node))
    return repr(node)

def result(parse, source, name):
    try:
        return dump(parse(source, name))
    except Exception as e:
        return "%s: %r" % (type(e).__name__, e.args)

def main():
    files = bad = 0
    for root, dirs, names in os.walk(sys.argv[1]):
        dirs.sort()
        for n in sorted(names):
            path = os.path.join(root, n)
            if not n.endswith(".py") or (len(sys.argv) > 2 and sys.argv[2] not in path):
                continue
            try:
                source = open(path, "rb").read()
            except OSError:
                continue
            files += 1
            a = result(lambda s, f: ast.parse(s, f), source, "x.py")
            b = result(lambda s, f: frontend_ext.parse(s, f, "exec"), source, "x.py")
            if a != b:
                bad += 1
                i = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                print("DIFF", path, "\n  cpython", a[max(0, i - 150):i + 120], "\n  ours   ", b[max(0, i - 150):i + 120])
    print(files, "files,", bad, "differ")

if __name__ == "__main__":
    main()
