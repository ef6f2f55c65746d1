"""Single-phase extension modules in several interpreters: what they share outlives whoever asked first."""
import _interpreters
import gc
import sys
import weakref

try:
    import _testsinglephase
except ImportError:
    print("OK")
    raise SystemExit

USE = """
import sys, weakref, gc
import _testsinglephase as m
class Error(m.error):
    def __init__(self):
        self.int_const, self.str_const, self.a, self.b = 1, 2, 3, 4
for round in range(50):
    e = Error()
    w = weakref.ref(e)
    for name, value in list(vars(m).items()):
        if isinstance(name, str) and not name.startswith('__'):
            setattr(e, name, value)
            assert getattr(e, name) is value, name
            assert vars(m)[sys.intern(name)] is value
    assert e.int_const == 1969 and e.str_const == 'something different'
    del e
    assert w() is None
assert m.sum(1, 2) == 3 and m.look_up_self() is m
class Other:
    sum = 7
    def error(self): return 8
for round in range(100):
    assert Other.sum == 7 and Other().error() == 8 and m.error.__name__ == 'error' and m.error.mro()[1] is Exception
kept = [Error(), m.error, Error]
kept.append(kept)
"""


def run(interpreter, text):
    error = _interpreters.exec(interpreter, text)
    assert error is None, error.errdisplay


# Alive at once, ended in every order, with what is shared in cycles.
for order in (0, 1), (1, 0):
    two = [_interpreters.create("legacy") for _ in range(2)]
    for interpreter in two:
        run(interpreter, USE)
        run(interpreter, USE)
    for which in order:
        _interpreters.destroy(two[which])
        gc.collect()
        exec(USE, {"__name__": "main"})

# Forgotten in one while another uses it; the main interpreter's module stays as it is.
interpreter = _interpreters.create("legacy")
run(interpreter, USE)
run(interpreter, "import _testinternalcapi; m._clear_globals; _testinternalcapi.clear_extension('_testsinglephase', m.__file__)")
run(interpreter, "del sys.modules['_testsinglephase']\n" + USE)
assert _testsinglephase.int_const == 1969
_interpreters.destroy(interpreter)
exec(USE, {"__name__": "main"})

# Interpreters with a GIL of their own refuse it, or, told not to, share nothing.
interpreter = _interpreters.create("isolated")
error = _interpreters.exec(interpreter, "import _testsinglephase")
assert "does not support loading in subinterpreters" in error.msg, error
run(interpreter, "import _imp; _imp._override_multi_interp_extensions_check(-1)")
run(interpreter, USE)
run(interpreter, "del sys.modules['_testsinglephase'], m\n" + USE)
_interpreters.destroy(interpreter)

# A name that is interned in one of them is the same in all under this GIL, also when that one is gone.
names = [f"name_{i}_of_a_string" for i in range(100)]
interpreter = _interpreters.create("legacy")
run(interpreter, f"import sys; kept = [sys.intern(n) for n in {names!r}]")
_interpreters.destroy(interpreter)
class Many:
    pass
many = Many()
for i, name in enumerate(names):
    setattr(many, sys.intern(name), i)
del many, names
gc.collect()

# A class made under one interpreter's weak references.
assert weakref.ref(_testsinglephase.error)() is _testsinglephase.error
print("OK")
