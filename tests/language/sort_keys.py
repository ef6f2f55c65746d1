"""Sorting by every kind of key that has a way of its own, with the edges of each: the results, stability, what is raised."""
import hashlib, math, random

random.seed(20)


class Tagged(int):
    pass


def digest(items):
    return hashlib.sha256(repr(items).encode()).hexdigest()[:16]


def words(n, alphabet, length, start=""):
    return [start + "".join(random.choices(alphabet, k=random.randrange(length + 1))) for _ in range(n)]


def keys(n):
    yield "small ints", [random.randrange(-50, 50) for _ in range(n)]
    yield "ints", [random.randrange(-10**9, 10**9) for _ in range(n)]
    yield "wide ints", [random.choice((1, -1)) * (1 << random.randrange(59)) + random.randrange(3) for _ in range(n)]
    yield "large ints", [random.randrange(-2**70, 2**70) for _ in range(n)]
    yield "skewed", [int(random.expovariate(1e-3) ** 4) for _ in range(n)]
    yield "outlier", [0] * (n - 1) + [2**59]
    yield "floats", [random.uniform(-1e6, 1e6) for _ in range(n)]
    yield "close floats", [1 + random.randrange(100) * 2.0**-52 for _ in range(n)]
    yield "special floats", [random.choice((0.0, -0.0, math.inf, -math.inf, 5e-324, -5e-324, 1.0)) for _ in range(n)]
    yield "mixed numbers", [random.choice((random.randrange(100), random.random() * 100, True)) for _ in range(n)]
    yield "bools", [random.random() < 0.5 for _ in range(n)]
    yield "subclass", [Tagged(random.randrange(100)) for _ in range(n)]
    yield "words", words(n, "abc", 4)
    yield "long words", words(n, "abc", 20, "https://")
    yield "zeros", words(n, "\0a", 9)
    yield "latin", words(n, "a\xe9\xff", 9)
    yield "wide", words(n, "a\u20ac\U0001f600", 4)
    yield "deep", ["x" * random.randrange(40) for _ in range(n)]
    yield "bytes", [w.encode() for w in words(n, "abc", 4)]
    yield "pairs", [(random.randrange(10), w) for w in words(n, "ab", 3)]
    yield "pairs of floats", [(random.random() // 0.1, random.random() // 0.1, i) for i in range(n)]
    yield "ragged", [tuple(random.choices((0, 1), k=random.randrange(1, 4))) for _ in range(n)]
    yield "nested", [((random.randrange(3),), random.randrange(3)) for _ in range(n)]
    yield "lists in tuples", [(random.randrange(3), [random.randrange(3)]) for _ in range(n)]
    yield "ascending", list(range(n))
    yield "descending", list(range(n, 0, -1))
    yield "saw", [i % 7 for i in range(n)]
    yield "equal", ["same"] * n
    yield "almost", list(range(n - 1)) + [-1]


for n in (1, 2, 3, 24, 25, 64, 65, 300, 5000):
    for name, data in keys(n):
        numbered = list(enumerate(data))
        for reverse in (False, True):
            plain = sorted(data, reverse=reverse)
            stable = sorted(numbered, key=lambda pair: pair[1], reverse=reverse)
            assert list(map(repr, plain)) == [repr(key) for _, key in stable], name
            print(n, name, reverse, digest(plain), digest(stable))

# What cannot be compared is said as ever, and the list keeps all its items.
for bad in ([3, "a", 1], [(1, {}), (1, {})], [(1, None), (1, 2)], [(1, "a"), (1, 2), (0, 3)], [1, None], [2j, 1j]):
    items = list(bad)
    try:
        items.sort()
    except TypeError as e:
        print(e, sorted(map(repr, items)) == sorted(map(repr, bad)))


# Comparisons that run code are made as ever, also when only a tie asks for them.
class Loud:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        print("lt", self.n, other.n)
        return self.n < other.n

    def __repr__(self):
        return f"Loud({self.n})"


print(sorted([(1, Loud(3)), (0, Loud(1)), (1, Loud(2)), (2, Loud(0))]))
print(sorted([(1, float("nan")), (0, 1.0), (1, 2.0), (1, 0.5)]), sorted([2.0, math.nan, 1.0, 0.5]))
