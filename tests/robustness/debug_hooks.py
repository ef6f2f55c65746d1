"""The debug allocators notice what they are for, in objects of every kind, and stay quiet about programs that do no harm."""
import os
import subprocess
import sys

HARMLESS = """
import gc, sys, threading
import _interpreters

class Plain: pass
class Slotted: __slots__ = "a", "b"
class Number(int): pass

def churn():
    kept = []
    for i in range(2000):
        p = Plain(); p.a = p; p.b = [i, {i: str(i)}, (i, p)]
        s = Slotted(); s.a = Number(i << 70); s.b = b"x" * i
        kept.append((p, s, bytearray(i * 40), [None] * i))
        if i % 100 == 0: del kept[:50]
    tuple(range(70_000)); "y" * 100_000; dict.fromkeys(range(5000))
    return kept

threads = [threading.Thread(target=churn) for _ in range(3)]
for t in threads: t.start()
for t in threads: t.join()
churn(); gc.collect()
interp = _interpreters.create()
_interpreters.exec(interp, "x = [[] for _ in range(1000)]; import json; json.loads('[1, 2, {}]')")
_interpreters.destroy(interp)
print("fine", file=sys.stdout)
"""

HARMFUL = """
import ctypes, sys
class Plain: pass
big = tuple(range(9000))                  # a span of pages of its own
make = {"list": lambda: [1], "float": lambda: 1.5 * len(sys.argv), "tuple": lambda: (len(sys.argv),), "big": lambda: big,
        "set": lambda: {1}, "bytes": lambda: b"abc" * len(sys.argv)}
o = make[sys.argv[1]]()
address, size = id(o), o.__sizeof__() if sys.argv[1] != "set" else set.__basicsize__
if sys.argv[1] == "list": size = list.__basicsize__
if sys.argv[2] == "over": ctypes.memset(address + size, 65, 1)
else: ctypes.memset(address - 2, 65, 1)
make = big = None
del o
"""


def run(program, *args, **environment):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | environment
    return subprocess.run([sys.executable, *args[:args.index("-")], "-c", program, *args[args.index("-") + 1:]], env=env, text=True,
                          capture_output=True, errors="replace", preexec_fn=no_core)


def no_core():
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


for name in ("debug", "malloc", "malloc_debug", "mimalloc_debug"):
    p = run(HARMLESS, "-", PYTHONMALLOC=name)
    assert (p.returncode, p.stdout, p.stderr) == (0, "fine\n", ""), (name, p)
for options in (["-X", "dev"], ["-X", "dev", "-X", "tracemalloc"]):
    p = run(HARMLESS, *options, "-")
    assert (p.returncode, p.stdout) == (0, "fine\n"), (options, p)

for name in ("pymalloc_debug", "malloc_debug"):
    for kind in ("list", "float", "tuple", "big", "set", "bytes"):
        for where, message in (("over", "bad trailing pad byte"), ("under", "bad leading pad byte")):
            p = run(HARMFUL, "-", kind, where, PYTHONMALLOC=name)
            assert p.returncode == -6, (name, kind, where, p)
            assert "API 'o'\n" in p.stderr and " *** OUCH" in p.stderr, (name, kind, where, p)
            assert "Fatal Python error: _PyMem_DebugRawFree: " + message in p.stderr, (name, kind, where, p)

p = run("", "-", PYTHONMALLOC="nonsense")
assert p.returncode == 1 and "PYTHONMALLOC: unknown allocator" in p.stderr, p
print("OK")
