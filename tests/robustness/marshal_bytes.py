"""Random and truncated marshal data: an exception, never a crash."""
import marshal, random
rnd = random.Random(7)
good = marshal.dumps((1, 2.5, "text", b"bytes", [1, {"a": (None, True)}], frozenset({1, 2}), 10 ** 50))
for n in range(len(good)):
    try: marshal.loads(good[:n])
    except (EOFError, ValueError, TypeError): pass
for _ in range(20000):
    data = bytearray(good)
    for _ in range(rnd.randrange(1, 6)): data[rnd.randrange(len(data))] = rnd.randrange(256)
    try: marshal.loads(bytes(data))
    except (EOFError, ValueError, TypeError, MemoryError): pass
print("OK")
