"""Containers that are changed while they are used; hostile __eq__, __hash__ and __del__."""
def raises(kind, f):
    try: f()
    except kind: return
    raise AssertionError(f)
d = {i: i for i in range(10)}
def grow():
    for k in d: d[k + 100] = 1
raises(RuntimeError, grow)
class Evil:
    def __init__(self, target): self.target = target
    def __hash__(self): return 1
    def __eq__(self, o):
        self.target.clear()
        return False
d = {}
for i in range(50):
    try: d[Evil(d)] = i
    except RuntimeError: pass
s = set()
for i in range(50): s.add(Evil(s))
l = list(range(100))
class Less:
    def __lt__(self, o): l.append(1); return True
l[:] = [Less() for _ in range(20)]
raises(ValueError, l.sort)
kept = []
class Phoenix:
    def __del__(self): kept.append(self)
Phoenix(); import gc; gc.collect(); assert len(kept) == 1; kept.clear(); gc.collect()
class Bad:
    def __del__(self): raise ValueError("ignored")
import sys; sys.unraisablehook = lambda u: None
x = Bad(); x.me = x; del x; gc.collect()
b = bytearray(b"abc"); v = memoryview(b)
raises(BufferError, lambda: b.extend(b"x"))
print("OK")
