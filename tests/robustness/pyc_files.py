"""Corrupt, truncated and foreign .pyc files: ImportError, EOFError, ValueError or TypeError, or the source is used; never a crash."""
import importlib.util
import os
import py_compile
import random
import subprocess
import sys
import tempfile

python = sys.argv[1]
folder = tempfile.mkdtemp()
source = os.path.join(folder, "victim.py")
with open(source, "w") as f:
    f.write("class A:\n    x = [1, 2.5, 'text', b'b', (1, 'y'), None]\n    def f(self, a, *b, c=1, **d):\n        return lambda: (a, b, c, d)\n"
            "def g():\n    try:\n        yield from range(3)\n    except* ValueError:\n        pass\nvalue = 7\n")
cache = importlib.util.cache_from_source(source)


environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def run(code):
    p = subprocess.run([python, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert p.returncode in (0, 1), (p.returncode, p.stderr[-2000:])
    return p


assert run("import victim; assert victim.value == 7").returncode == 0
good = open(cache, "rb").read()
# A damaged header: the source is read again.
for bad in (b"", good[:3], good[:12], b"\0\0\r\n" + good[4:], good[:4] + b"\xff\0\0\0" + good[8:], good[:8] + b"\0\0\0\0" + good[12:]):
    with open(cache, "wb") as f:
        f.write(bad)
    p = run("import victim; assert victim.value == 7")
    assert p.returncode == 0 or "ImportError" in p.stderr or "EOFError" in p.stderr, p.stderr
# A source-less file with a damaged body, many in one process: any exception will do.
os.unlink(source)
os.unlink(cache)
check = """
import importlib.util, marshal, sys
good = %r
import random
rng = random.Random(%d)
for i in range(400):
    data = bytearray(good)
    for _ in range(rng.randrange(1, 4)):
        kind = rng.randrange(3)
        if kind == 0: data[rng.randrange(16, len(data))] = rng.randrange(256)
        elif kind == 1: del data[rng.randrange(16, len(data)):]
        else: data[rng.randrange(16, len(data)):0] = bytes(rng.randrange(256) for _ in range(rng.randrange(8)))
        if len(data) < 20: break
    try:
        marshal.loads(bytes(data[16:]))
    except (ValueError, EOFError, TypeError, MemoryError, OverflowError, UnicodeDecodeError, SystemError, RecursionError):
        pass
"""
for seed in range(4):
    p = run(check % (good, seed))
    assert p.returncode == 0, p.stderr
for bad, name in ((good[:40], "EOFError"), (b"\0" * 40, "ImportError"), (good[:16] + b"i\1\0\0\0", "ImportError")):
    with open(os.path.join(folder, "victim.pyc"), "wb") as f:
        f.write(bad)
    p = run("import victim")
    assert p.returncode == 1 and name in p.stderr, p.stderr
print("OK")
