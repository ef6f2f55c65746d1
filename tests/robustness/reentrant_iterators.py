"""Iterators over an iterator that asks the one it feeds for more, while that one waits for it."""
import itertools
import random


class Source:
    def __init__(self, depth, make):
        self.given, self.fed, self.depth, self.make = 0, None, depth, make

    def __iter__(self):
        return self

    def __next__(self):
        self.given += 1
        if self.fed is not None and self.depth > 0:
            self.depth -= 1
            for _ in range(random.randrange(1, 3)):
                attempt(self.fed)
        if self.given > random.randrange(3, 9):
            raise StopIteration
        return self.make(self.given)


def attempt(iterator):
    try:
        return next(iterator)
    except (StopIteration, ValueError, RuntimeError, TypeError):
        return None


def number(n):
    return n


def pair(n):
    return n, n % 3


def asking(s, result):
    """result(x), after another item of what s feeds."""
    def function(x, *more):
        attempt(s.fed)
        return result(x)
    return function


kinds = {
    "batched": (number, lambda s: itertools.batched(s, 3)),
    "pairwise": (number, itertools.pairwise),
    "chain": (number, lambda s: itertools.chain(s, s)),
    "from_iterable": (number, lambda s: itertools.chain.from_iterable(map(lambda x: [x], s))),
    "cycle": (number, itertools.cycle),
    "islice": (number, lambda s: itertools.islice(s, 1, 9, 2)),
    "takewhile": (number, lambda s: itertools.takewhile(asking(s, lambda x: True), s)),
    "dropwhile": (number, lambda s: itertools.dropwhile(asking(s, lambda x: x < 2), s)),
    "filterfalse": (number, lambda s: itertools.filterfalse(asking(s, lambda x: x % 2), s)),
    "accumulate": (number, lambda s: itertools.accumulate(s, asking(s, lambda x: x))),
    "compress": (number, lambda s: itertools.compress(s, s)),
    "zip_longest": (number, lambda s: itertools.zip_longest(s, s, [1, 2])),
    "zip": (number, lambda s: zip(s, s, s)),
    "strict": (number, lambda s: zip(s, s, strict=True)),
    "map": (number, lambda s: map(asking(s, lambda x: x), s, s)),
    "filter": (number, lambda s: filter(asking(s, lambda x: x), s)),
    "enumerate": (number, enumerate),
    "tee": (number, lambda s: itertools.tee(s, 3)[0]),
    "groupby": (number, lambda s: itertools.groupby(s, asking(s, lambda x: x // 2))),
    "starmap": (pair, lambda s: itertools.starmap(max, s)),
    "callable": (number, lambda s: iter(s.__next__, 4)),
}

for seed in range(60):
    random.seed(seed)
    for make, kind in kinds.values():
        source = Source(random.randrange(1, 4), make)
        source.fed = fed = kind(source)
        for _ in range(12):
            if attempt(fed) is None:
                break

print("OK")
