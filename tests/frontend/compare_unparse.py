"""Compares expressions turned back to text (as annotations are) with the oracle's: compare_unparse.py FILE... Run by the oracle."""
import ast, sys, warnings
import frontend_ext
warnings.simplefilter("ignore")
EXTRA = ["1 .real", "1.5.real", "1j.imag", "-1 .x", "(-1).x", "(-1) ** 2", "-1 ** 2", "2 ** -1", "2 ** 3 ** 4", "(2 ** 3) ** 4", "not (not a)",
  "(not a) == b", "a if b else c if d else e", "(a if b else c) if d else e", "lambda: 0", "lambda *, a: 0", "lambda a, /, b=1, *c, d=2, **e: 0",
  "(lambda: 0)()", "(yield)", "(yield a)", "await a", "(await a) ** 2", "a[b:c, d]", "a[b]", "a[()]", "a[b,]", "a[*b]", "a[*b, c]", "a[::]", "a[1:2:3]",
  "f(x for x in y)", "f(a, *b, c=1, **d)", "f(*a or b)", "{**a, b: c}", "{*a, b}", "[*a]", "()", "(a,)", "(a, b)", "1e1000", "1e1000j", "-1e1000", "1+1e1000j", "u'a'",
  "b'a'", "f'a{b}c'", "f'{a!r:>{b}}'", "f'{{}}{a}'", "f'{ {1:2} }'", "f'{(lambda: 1)}'", "f'{a=}'", "(a := b)", "[a := b]", "f(a := b)", "...", "None",
  "a < b < c", "a is not b not in c", "(a < b) < c", "a and b or c", "a and (b or c)", "(a, b) if c else d", "a @ b @ c", "a - (b - c)", "a << b >> c", "a | b & c ^ d",
  "~a ** b", "[x async for x in y if a if b]", "{a: b for a, b in c}", "{a for a in (b, c)}", "(a for a in b if c for d in e)", "[a for a, in b]", "a.b.c(d)[e]",
  "(a + b).c", "(a, b).c", "'a'.b", "f'a'.b", "{}", "{1}", "[]", "x[a:b]", "x[a:b, c:d]", "x[lambda: 1]", "x[a if b else c]", "-(-a)", "- -a", "+a", "not a", "f(**{})", "print(*a, **b)",
  "x[(a := 1)]", "x[(yield)]", "f'{x:{y}}'", "f'{x!s}'", "'a' 'b'", "'\\n'", "f'\\n{x}'", "f\"{x['a']}\"", "0xFF", "1_000", "1e10", "True", "[*a, *b]", "f(*a, *b)", "lambda x: (yield)", "lambda *a: a", "lambda **k: k", "lambda a=1: a"]

def oracle(text):
    ns = {}
    exec(compile("from __future__ import annotations\nclass x:\n async def f():\n  x: (%s)\n y: (%s)\n" % (text, text), "x", "exec", dont_inherit=True), ns)
    return ns["x"].__annotations__["y"]

def main():
    texts = list(EXTRA)
    for path in sys.argv[1:]:
        for node in ast.walk(ast.parse(open(path, "rb").read())):
            if isinstance(node, ast.expr) and not isinstance(node, (ast.Starred, ast.Slice, ast.FormattedValue, ast.Name, ast.Constant)):
                try:
                    texts.append(ast.unparse(node))
                except Exception:
                    pass
    total = bad = 0
    for text in dict.fromkeys(texts):
        try:
            want = oracle(text)
        except (SyntaxError, RecursionError, ValueError):
            try:
                want = oracle(text.replace("await ", "").replace("yield", "z"))
                continue
            except Exception:
                continue
        total += 1
        try:
            got = frontend_ext.unparse(frontend_ext.parse("(" + text + ")", "x", "eval"))
        except Exception as e:
            got = repr(e)
        if want != got:
            bad += 1
            print("DIFF", text[:200], "\n  cpython", want[:200], "\n  ours   ", got[:200])
    print(total, "texts,", bad, "differ")
main()
