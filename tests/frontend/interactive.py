"""Statements typed line by line: how many lines are read, and what comes of them. Run by the oracle."""
import frontend_ext
from compare_trees import dump

EXPECT = [
    (["x = 1\n", "y\n"], 1, "Interactive"), (["if x:\n", "  y\n", "\n", "z\n"], 3, "Interactive"),
    (["(1,\n", "2)\n", "z\n"], 2, "Interactive"), (["'''a\n", "b'''\n", "z\n"], 2, "Interactive"),
    (["@d\n", "def f():\n", "  pass\n", "\n", "z\n"], 4, "Interactive"), (["\n", "z\n"], 1, "Interactive(body=[Pass"),
    (["# c\n", "z\n"], 1, "Interactive(body=[Pass"), (["class A: pass\n", "\n", "z\n"], 2, "Interactive"),
    (["if x y:\n", "z\n"], 1, "SyntaxError"), (["f(a b\n", "z\n"], 1, "SyntaxError"), (["x = \\\n", "1\n", "z\n"], 2, "Interactive"),
    (["try:\n", "  a\n", "except B:\n", "  c\n", "\n", "z\n"], 5, "Interactive"), (["x; y\n", "z\n"], 1, "Interactive"),
    (["def f x\n", "z\n"], 1, "SyntaxError"), (["if x:\n", "y\n", "z\n"], 2, "IndentationError"), (["x = (\n"], 1, "SyntaxError"),
    ([], 0, "SyntaxError"), (["match x:\n", "  case 1: y\n", "\n", "z\n"], 3, "Interactive"), (["x\0y\n"], 1, "SyntaxError"),
    (["f'{a\n", "}'\n", "z\n"], 2, "Interactive"), (["'abc\n", "z\n"], 1, "SyntaxError"), (["x"], 1, "Interactive"),
]
bad = 0
for lines, count, start in EXPECT:
    result, read, eof = frontend_ext.parse_lines(lines, "<stdin>")
    text = "%s: %s" % (type(result).__name__, result.args) if isinstance(result, BaseException) else dump(result)
    if read != count or not text.startswith(start) or eof != (not lines):
        bad += 1
        print("DIFF", lines, "read", read, "expected", count, eof, text[:200])
print(len(EXPECT), "texts,", bad, "differ")
