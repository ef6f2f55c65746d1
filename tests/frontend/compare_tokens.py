"""Compares the tokens of frontend_ext with the oracle's: compare_tokens.py DIR_OR_FILE... Run by the oracle. Whole files, and for
files of tests also each string constant."""
import ast, io, os, sys, tokenize, warnings
import frontend_ext
import _tokenize as theirs
warnings.simplefilter("ignore")
ours = frontend_ext.module("_tokenize")

def tokens(module, make, encoding, extra):
    out = []
    try:
        kw = {} if encoding is None else {"encoding": encoding}
        for t in module.TokenizerIter(make(), extra_tokens=extra, **kw):
            out.append(tuple(t))
    except SyntaxError as e:
        out.append((type(e).__name__, e.args))
    except Exception as e:
        out.append((type(e).__name__, e.args))
    return out

def compare(make, encoding, name):
    bad = 0
    for extra in True, False:
        a, b = tokens(theirs, make, encoding, extra), tokens(ours, make, encoding, extra)
        if a != b:
            bad = 1
            i = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            print("DIFF", extra, name[:200], i, "\n  cpython", a[i:i + 2], "\n  ours   ", b[i:i + 2])
    return bad

def main():
    total = bad = 0
    paths = []
    for p in sys.argv[1:]:
        if os.path.isdir(p):
            paths += [os.path.join(r, n) for r, _, ns in os.walk(p) for n in sorted(ns) if n.endswith(".py")]
        else:
            paths.append(p)
    for path in paths:
        try:
            source = open(path, "rb").read()
            encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        except (OSError, SyntaxError):
            continue
        total += 1
        bad += compare(lambda: io.BytesIO(source).readline, encoding, path)
        if not os.path.isdir(sys.argv[1]):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    total += 1
                    bad += compare(lambda: io.StringIO(node.value).readline, None, repr(node.value))
    print(total, "texts,", bad, "differ")

main()
