"""Compiles every string constant and doctest example found in Python files, with compile_ext and the running Python: results,
errors with their places, warnings must be the same.     compare_snippets.py [--show N] PATH..."""
import argparse, ast, doctest, os, sys, textwrap
import compile_ext
from compare_code import differences, outcome


def snippets(path):
    with open(path, "rb") as f:
        tree = ast.parse(f.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 20000:
            text = node.value
            yield text
            if "\n" in text:
                yield textwrap.dedent(text)
            if ">>>" in text:
                try:
                    for example in doctest.DocTestParser().get_examples(text):
                        yield example.source
                except ValueError:
                    pass


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("paths", nargs="+")
    ap.add_argument("--show", type=int, default=20)
    args = ap.parse_args()
    seen, bad, errors = set(), 0, 0
    for p in args.paths:
        files = [p] if not os.path.isdir(p) else [os.path.join(d, n) for d, _, names in os.walk(p) for n in names if n.endswith(".py")]
        for path in files:
            try:
                found = list(snippets(path))
            except (SyntaxError, ValueError):
                continue
            for text in found:
                for mode in ("exec", "eval", "single"):
                    if (text, mode) in seen:
                        continue
                    seen.add((text, mode))
                    want, wlog = outcome(lambda: compile(text, "<s>", mode, dont_inherit=True))
                    have, hlog = outcome(lambda: compile_ext.compile_source(text, "<s>", mode))
                    errors += isinstance(want, str)
                    if isinstance(want, str) or isinstance(have, str):
                        same = want == have
                    else:
                        same = not differences(want, have) and wlog == hlog
                    if not same:
                        bad += 1
                        if bad <= args.show:
                            print("--", path, mode, repr(text)[:300])
                            print("   want %.200s %s\n   have %.200s %s" % (want, wlog, have, hlog))
    print("%d snippets (%d errors), %d differ" % (len(seen), errors, bad))
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
