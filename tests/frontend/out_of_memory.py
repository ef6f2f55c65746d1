"""Every allocation of a parse fails once: out_of_memory.py. Run by the oracle; needs _testcapi. Prints what came out besides
MemoryError, which should be nothing but results and the errors of the texts themselves."""
import collections, sys, warnings
import _testcapi, frontend_ext
warnings.simplefilter("ignore")
TEXTS = ["x = 1", "def f(a, b=1, *c, d, **e) -> int:\n    'doc'\n    return f'{a!r:>{b}} {c=}' 'x\\n\\N{BULLET}'\n", "f(a b)", "x = (1,",
         "match x:\n    case {'a': [1, *y], **z} | C(a=1) if q: pass\n", "class A[T: int = str](B, k=1):\n    @d\n    async def f(self): await x\n",
         "try: pass\nexcept* E as e: pass\nelse: pass\nfinally: pass\n", "[x for x in y if z]; {a: b for c in d}; lambda *a, b=1: (yield)",
         "'\\xz'", "f'{a b}'", "\u00e9 = \u00e9 + 1", "a = b = c, *d = 1 + 2 < 3 < 4 and not e or f if g else h", "b'\\d'", "1_0j; 0x1f; " + "9" * 5000,
         "with (a as b, c): pass\nfrom . import (a as b,)\nimport a.b.c as d\nglobal x; del x[1:2, ...], y.z", "if x:\n\ty\n        z", "def f x"]
def main():
    frontend_ext.parse("\u00e9; \"\\N{BULLET}\"", "<f>", "exec")      # classes and unicodedata are there
    for text in TEXTS:
        seen = collections.Counter()
        for n in range(1, 4000):
            result = None
            try:
                _testcapi.set_nomemory(n, n + 1 if "--once" in sys.argv else 0)
                try:
                    result = frontend_ext.parse(text, "<f>", "exec")
                finally:
                    _testcapi.remove_mem_hooks()
                seen["tree"] += 1
                if seen["tree"] > 3:
                    break
            except MemoryError:
                seen["MemoryError"] += 1
            except BaseException as e:
                seen["%s: %s" % (type(e).__name__, str(e)[:60])] += 1
                if seen.total() - seen["MemoryError"] > 30:
                    break
        print(repr(text)[:50], dict(seen))
main()
