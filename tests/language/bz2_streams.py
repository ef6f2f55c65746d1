"""bz2: streams in pieces, limits, several streams, rests, and what broken data does."""
import bz2
data = bytes.fromhex("425a6839314159265359000000000000007fffff000000000000000000000000"
                     "00000000000000000000000000000000000000e0370000000000000000000000"
                     "000000000000000000000000000000000000000000000000000083f3")


def attempt(f, *args, **kw):
    try:
        return f(*args, **kw)
    except Exception as e:
        return type(e).__name__, str(e)


d = bz2.BZ2Decompressor()
print(attempt(d.decompress, data), attempt(d.decompress, b"\0" * 18), attempt(d.decompress, b""), d.eof, d.needs_input, d.unused_data)
text = bytes(range(256)) * 3000
packed = bz2.compress(text, 3)
for step in (1, 100, 5000):
    d, out, calls = bz2.BZ2Decompressor(), [], 0
    for i in range(0, len(packed), step):
        out.append(d.decompress(packed[i:i + step]))
    print(b"".join(out) == text, d.eof, d.needs_input, attempt(d.decompress, b"x"))
d = bz2.BZ2Decompressor()
sizes, piece = [], packed
while not d.eof:
    sizes.append((len(d.decompress(piece if d.needs_input or not sizes else b"", max_length=100000)), d.needs_input))
print(sizes, d.unused_data)
d = bz2.BZ2Decompressor()
print(d.decompress(bz2.compress(b"a") + b"rest", 0), d.needs_input, d.decompress(b"", 10), d.unused_data, d.eof)
print(attempt(bz2.decompress, packed[:-4]), bz2.decompress(packed + bz2.compress(b"z"))[-2:], attempt(bz2.decompress, b"BZh9garbage"), bz2.decompress(bz2.compress(b"q") + b"junk"))
c = bz2.BZ2Compressor(1)
print(len(c.compress(b"abc" * 10)), c.flush(), attempt(c.flush), attempt(c.compress, b""))
for args in ((0,), (10,), ("x",), (1, 2), (2.5,), (1 << 40,)):
    print(attempt(bz2.BZ2Compressor, *args) if args != (1,) else "")
print(attempt(bz2.BZ2Decompressor, 1), attempt(bz2.BZ2Compressor, compresslevel=3), attempt(d.decompress), attempt(d.decompress, "s"), attempt(d.decompress, b"", max_length="x"), attempt(setattr, d, "eof", 1))
import pickle
print(attempt(pickle.dumps, c), bz2.BZ2Compressor.__doc__ is not None, attempt(lambda: type("S", (bz2.BZ2Compressor,), {})))
