"""Compares what frontend_ext and the oracle say about wrong texts: every string constant of the given test files (and every
doctest example in them) is a text, in each of the three modes. Run by the oracle: compare_errors.py FILE..."""
import ast, re, sys, textwrap, warnings
import frontend_ext
from compare_trees import dump

def texts_of(path):
    tree = ast.parse(open(path, "rb").read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            value = node.value
            yield value
            if isinstance(value, str):
                d = textwrap.dedent(value)
                if d != value:
                    yield d
                if ">>>" in value:
                    block = []
                    for line in value.splitlines():
                        line = line.strip()
                        m = re.match(r"(>>>|\.\.\.) ?(.*)", line)
                        if m and m[1] == ">>>" and block:
                            yield "\n".join(block) + "\n"
                            block = []
                        if m:
                            block.append(m[2])
                    if block:
                        yield "\n".join(block) + "\n"

def outcome(parse):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = dump(parse())
        except RecursionError as e:
            result = "RecursionError"
        except Exception as e:
            result = "%s: %r" % (type(e).__name__, e.args)
    return result, [(w.category.__name__, str(w.message), w.lineno) for w in seen]

def compare(text, mode, flags=0, filename="<f>"):
    a = outcome(lambda: compile(text, filename, mode, ast.PyCF_ONLY_AST | flags))
    b = outcome(lambda: frontend_ext.parse(text, filename, mode, flags))
    return a, b

def report(text, mode, a, b, flags=0):
    t = repr(text)
    print("DIFF", mode, flags or "", t if len(t) < 300 else t[:140] + " ... " + t[-140:])
    if a[0] != b[0]:
        print("   cpython", a[0][:250])
        print("   ours   ", b[0][:250])
    else:
        print("   cpython warns", a[1], "\n   ours    warns", b[1])

def main():
    seen = set()
    total = bad = errors = 0
    for path in sys.argv[1:]:
        for text in texts_of(path):
            if text in seen:
                continue
            seen.add(text)
            for mode in "exec", "eval", "single":
                a, b = compare(text, mode)
                total += 1
                errors += not a[0].startswith(("Module", "Expression", "Interactive"))
                if a != b:
                    bad += 1
                    report(text, mode, a, b)
    print(total, "texts,", errors, "wrong ones,", bad, "differ")

if __name__ == "__main__":
    main()
