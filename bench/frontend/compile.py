"""Source to code objects: the whole standard library, read beforehand and compiled in process; then texts of one shape at sizes N and 2N.

Rows: compile_library (seconds), mem_compile_peak (bytes of the resident set at its highest, less what the sources take), compile_* (seconds for
size N), growth_* (time at 2N over time at N: 2 is linear).
"""
import glob
import os
import resource
import sys
from time import perf_counter

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
LIBRARY = os.environ.get("BENCH_LIBRARY") or os.path.dirname(os.__file__)


def report(name, figure, loops=1):
    print("%s\t%.6g\t%d" % (name, figure, loops), flush=True)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def library():
    texts = []
    for path in sorted(glob.glob(os.path.join(LIBRARY, "**", "*.py"), recursive=True)):
        with open(path, "rb") as f:
            texts.append((path, f.read()))
    before, best, compiled = peak(), float("inf"), 0
    for _ in range(ROUNDS):
        start = perf_counter()
        for path, text in texts:
            try:
                compile(text, path, "exec", dont_inherit=True)
                compiled += 1
            except (SyntaxError, ValueError, UnicodeError):
                pass                             # the test suite has files that are wrong on purpose
        best = min(best, perf_counter() - start)
    report("compile_library", best, compiled)
    report("mem_compile_peak", peak() - before)


def lines(n):
    return "".join("x%d = f(%d, y) + 1\n" % (i % 1000, i) for i in range(n))


def literal(n):
    return "x = [\n" + "".join("  %d, 'text %d', (1, %d),\n" % (i, i, i) for i in range(n // 3)) + "]\n"


def names(n):
    return "def f():\n" + "".join("    v%d = %d\n" % (i, i) for i in range(n)) + "    return " + " + ".join("v%d" % i for i in range(0, n, 50)) + "\n"


def branches(n):
    return "def f(x):\n    if x == 0:\n        return 0\n" + "".join("    elif x == %d:\n        y = g(x)\n" % i for i in range(1, n)) + "    return y\n"


def functions(n):
    return "".join("def f%d(a, b=%d):\n    for i in a:\n        b += i\n    return b\n" % (i, i) for i in range(n))


def classes(n):
    return "class C:\n" + "".join("    def m%d(self):\n        return self.x%d\n" % (i, i) for i in range(n))


def strings(n):
    return "x = (\n" + "".join("  'part %d' f'{y}'\n" % i for i in range(n)) + ")\n"


def time_of(text):
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        compile(text, "<bench>", "exec", dont_inherit=True)
        best = min(best, perf_counter() - start)
    return best


def growth(name, make, n):
    once, twice = time_of(make(n)), time_of(make(2 * n))
    report("compile_%s_%d" % (name, n), once, ROUNDS)
    report("growth_%s_%d" % (name, n), twice / once, ROUNDS)


sys.setrecursionlimit(20000)
only = os.environ.get("BENCH_ONLY", "")
if only in ("", "library"):
    library()
for row in ((lines, 100_000), (literal, 10_000), (names, 5_000), (branches, 1_000), (functions, 5_000), (classes, 3_000), (strings, 3_000)):
    if only in ("", row[0].__name__):
        growth(row[0].__name__, *row)
