"""Time to parse the biggest files of a library, ours against the oracle's: bench_parse.py LIBDIR. Run by the oracle.
The oracle's time is that of its parser alone: compile(..., ONLY_AST) minus the making of objects cannot be had, so a text with an error in
its last line is not used either; instead the time of ast.parse() with conversion is compared with ours with conversion as well."""
import ast, os, sys, time, warnings
import frontend_ext
warnings.simplefilter("ignore")

def best(f, rounds=5):
    t = []
    for _ in range(rounds):
        a = time.perf_counter()
        f()
        t.append(time.perf_counter() - a)
    return min(t)

files = sorted((os.path.join(r, n) for r, _, ns in os.walk(sys.argv[1]) for n in ns if n.endswith(".py") and os.path.isfile(os.path.join(r, n))),
               key=os.path.getsize)[-12:]
for path in files:
    s = open(path, "rb").read()
    try:
        theirs = best(lambda: compile(s, "x", "exec", ast.PyCF_ONLY_AST))
    except SyntaxError:
        continue
    full = best(lambda: compile(s, "x", "exec", dont_inherit=True))
    ours = best(lambda: frontend_ext.parse(s, "x", "exec"))
    alone = frontend_ext.bench(s, "x", 5)
    print("%-28s %7d bytes  cpython ast %6.1f ms (compile %6.1f)  ours ast %6.1f ms, parse alone %6.1f ms = %5.1f MB/s" % (
        os.path.basename(path), len(s), theirs * 1e3, full * 1e3, ours * 1e3, alone * 1e3, len(s) / alone / 1e6))
