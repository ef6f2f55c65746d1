"""marshal: what each version writes, which objects it calls shared."""
import marshal
import sys

shared, text = (1, 2), "shared" * 3
DATA = [None, True, ..., 0, -1, 2**31 - 1, 2**31, -2**100, 10**50, 0.0, -0.0, 1.5, 1e308, float("inf"), 1j, complex(-0.0, 1e100), "", "a", "abc" * 100, "é", "\ud800",
        b"", b"x" * 300, bytearray(b"abc"), (), (1,), (1, 2, 3), tuple(range(300)), [], [1, [2, [3]]], {}, {1: 2, "a": [1]}, {(1, 2): {3: [4]}}, set(), {1, 2, 3},
        frozenset({1, "x", (2, 3)}), {frozenset({1}): (1,)}, (shared, shared), [shared, shared, [shared]], [text, text, (text,)], (0.0, -0.0), {"k": "k"}]
for version in range(5):
    for value in DATA:
        written = marshal.dumps(value, version)
        print(version, ascii(value)[:50] if not isinstance(value, frozenset) else "frozenset", written.hex()[:300], marshal.loads(written) == value)

# Sets in sets: sorted by their elements' own bytes, in time that does not double with every level.
def nested(levels, *others):
    result = frozenset(others)
    for i in range(levels):
        result = frozenset((result, *others))
    return result


for levels in 1, 2, 3, 10:
    for others in (), (1,), ("a", 2), ((1, 2), "b"), (frozenset((1,)), "xxx"):
        for version in range(5):
            print(levels, others, version, marshal.dumps(nested(levels, *others), version).hex())
if "Taipan" in sys.version:       # CPython would not live to see it
    assert len(marshal.dumps(nested(300, 1))) == len(marshal.dumps(nested(299, 1))) + 10
    try:
        marshal.dumps(nested(3000, 1))
        assert False
    except ValueError as e:
        assert str(e) == "object too deeply nested to marshal"
