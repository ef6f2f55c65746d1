"""Exceptions: chaining, groups, notes, tracebacks as printed."""
import traceback
def f(n):
    if n == 0: raise KeyError("deep")
    f(n - 1)
try:
    try: f(3)
    except KeyError as e: raise ValueError("outer") from e
except ValueError as e:
    e.add_note("a note")
    traceback.print_exception(e)
try: raise ExceptionGroup("g", [ValueError(1), TypeError("t"), ExceptionGroup("h", [OSError(2, "no")])])
except* ValueError as g: print("values", g.exceptions)
except* (TypeError, OSError) as g: print("others", repr(g))
def gen():
    try: yield 1
    finally: print("closed")
g = gen(); next(g); g.close()
try: {}["missing"]
except KeyError as e: print(repr(e), e.__traceback__.tb_lineno)
raise SystemExit(3)
