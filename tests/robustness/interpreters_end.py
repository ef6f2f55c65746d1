"""Interpreters that end give their memory back, whatever was in them; what somebody still holds lives on."""
import ctypes
import gc
import os
import weakref
import _interpreters

CROWD = """
import weakref, threading, json, re
class Node:
    def __init__(self, n): self.n, self.me, self.all = n, self, {n: [n]}
    def __del__(self): self.n = None
nodes = [Node(i) for i in range(3000)]
refs = [weakref.ref(n) for n in nodes]
text = [str(i) * 50 for i in range(3000)]
big = [bytearray(200_000), tuple(range(50_000)), "x" * 300_000]
threads = [threading.Thread(target=json.dumps, args=(text,)) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
def generate():
    try: yield re.compile("a(b|c)*")
    finally: nodes.append(None)
g = generate(); next(g)
"""
ENDINGS = ["", CROWD, "x = []; x.append(x); del x", "import sys; sys.settrace(lambda *a: None); 1 / 0",
           "import gc; gc.disable(); gc.callbacks.append(print.__class__); l = [[]]; l[0].append(l)",
           "import collections, enum, typing, dataclasses, functools, itertools, decimal, datetime",
           "import contextvars; v = contextvars.ContextVar('v'); v.set([v])",
           "import builtins; builtins.kept = builtins"]


KEEPS_FREED = hasattr(ctypes.CDLL(None), "__asan_init")        # AddressSanitizer holds freed memory back


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


def run(i):
    interp = _interpreters.create("legacy" if i % 3 == 0 else "isolated")
    _interpreters.exec(interp, ENDINGS[i % len(ENDINGS)])
    _interpreters.destroy(interp)


sizes = []
for i in range(200):
    run(i)
    sizes.append(resident())
early, late = max(sizes[:20]), max(sizes[-20:])
assert KEEPS_FREED or late < early + (4 << 20), (early, late)

# Several at once, ended in another order; and objects made here in between.
for _ in range(3):
    several = [_interpreters.create("isolated" if i % 2 else "legacy") for i in range(6)]
    for interp in several:
        _interpreters.exec(interp, CROWD)
    kept = [[i] for i in range(10_000)]
    for interp in several[::2] + several[1::2]:
        _interpreters.destroy(interp)
    gc.collect()
assert KEEPS_FREED or resident() < late + (24 << 20), (late, resident())

# Under one GIL objects can get about: here by their address, with a reference of the receiver's.
SENDER = """
import ctypes, os, weakref
class Part:
    def __init__(self): self.other = [{"a": 1.5}, "text" * 99, {1, (2, 3)}, 1 << 99, bytearray(9)]
class Whole(Part):
    def __init__(self): self.part, self.me, self.big = Part(), self, list(range(90_000)) + [tuple(range(9000))]
things = [Whole() for _ in range(20)]
refs = [weakref.ref(t) for t in things]
for thing in things[::2]:
    thing.ref = refs
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    os.write(%d, b"%%20d" %% id(thing))
del things, thing
"""
for kind in ("legacy", "isolated"):
    for _ in range(4):
        r, w = os.pipe()
        interp = _interpreters.create(kind)
        assert _interpreters.exec(interp, SENDER % w) is None
        _interpreters.destroy(interp)
        addresses = [int(os.read(r, 20)) for _ in range(10)]
        os.close(r), os.close(w)
        gc.collect()
        if kind == "isolated":                        # its objects are nobody's, and stay
            continue
        things = [ctypes.cast(a, ctypes.py_object).value for a in addresses]
        gc.collect()
        for a, thing in zip(addresses, things):
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))
            assert thing.me is thing and thing.part.other[0] == {"a": 1.5} and sum(thing.big[:-1]) == 90_000 * 89_999 // 2
            assert [ref() is not None for ref in thing.ref] == [True, False] * 10
            thing.extra = [thing, weakref.ref(thing.part)]
        watch = [weakref.ref(thing) for thing in things] + [weakref.ref(thing.part) for thing in things]
        assert all(ref() for ref in watch)
        del things, thing
        gc.collect()
        assert not any(ref() for ref in watch)
        kept = [[i, str(i), i * 0.5] for i in range(20_000)]
print("OK")
