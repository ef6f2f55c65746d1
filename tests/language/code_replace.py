"""code.replace() and the constructor: what they refuse, the least stack, tables of lines without columns."""
import subprocess
import sys
import types


def f():
    pass


def attempt(name, function, *args, **options):
    try:
        print(name, function(*args, **options).co_stacksize)
    except SystemError:
        print(name, "SystemError")                # its text names the place in the source
    except (ValueError, TypeError, OverflowError) as e:
        print(name, type(e).__name__, e)


for name in ("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags", "firstlineno"):
    attempt(name, f.__code__.replace, **{"co_" + name: -1})
for name, value in (("co_argcount", 1), ("co_kwonlyargcount", 1), ("co_nlocals", 1), ("co_stacksize", 0), ("co_stacksize", 1 << 30), ("co_flags", 8),
                    ("co_firstlineno", 0), ("co_code", b""), ("co_code", b"a"), ("co_varnames", ("a",)), ("co_varnames", 5), ("co_consts", ()),
                    ("co_varnames", (1,)), ("co_varnames", ("a", 1)), ("co_cellvars", (1,)), ("co_freevars", (1,)), ("co_names", (1,))):
    attempt(name, f.__code__.replace, **{name: value})
parts = [0, 0, 0, 0, 0, 0, b"\x95\x00g\x00", (None,), (), (), "a", "b", "b", 1, b"", b""]
for i in range(4):
    attempt(i, types.CodeType, *(parts[:i] + [-1] + parts[i + 1:]))
    attempt(i, types.CodeType, *(parts[:i] + [1] + parts[i + 1:]))

TABLES = """
def f(a, b):
    x = (a +
         b)
    return [x for x in a]
print(f.__code__.co_linetable.hex(), list(f.__code__.co_positions()))
for table in (b"", b"\\x80", b"\\xf8", b"\\xe8\\x02", b"\\xf0\\x02\\x00\\x01\\x02", b"\\x80\\x00\\xff", b"\\xd9\\x00\\x04"):
    print(f.__code__.replace(co_linetable=table).co_linetable.hex())
"""
for options in ([], ["-X", "no_debug_ranges"]):
    print(subprocess.run([sys.executable, *options, "-c", TABLES], capture_output=True, text=True))
