"""Objects that lie, raise, change what is being worked on, or come back from the dead."""
import functools
import gc
import sys
import weakref

sys.unraisablehook = lambda u: None


def quiet(f, *kinds):
    try:
        return f()
    except (kinds or (Exception,)):
        return None


class Boom(Exception):
    pass


# Comparison and hashing that raise or change the container, in every container operation.
def chaos(action):
    class Key:
        def __init__(self, n): self.n = n
        def __hash__(self): return 7
        def __eq__(self, other):
            action()
            return isinstance(other, Key) and self.n == other.n
        def __lt__(self, other):
            action()
            return self.n < other.n
    return Key


for make in (dict, set, list):
    for act in ("clear", "grow", "raise", "shrink"):
        box = make()
        depth = [0]

        def action():
            if depth[0]:
                return
            depth[0] = 1
            try:
                if act == "clear": box.clear()
                elif act == "grow" and len(box) < 500:
                    for i in range(20):
                        if make is dict: box[object()] = i
                        elif make is set: box.add(object())
                        else: box.append(i)
                elif act == "shrink":
                    if make is dict and box: box.popitem()
                    elif make is not dict and box: box.pop()
                elif act == "raise": raise Boom
            finally:
                depth[0] = 0

        Key = chaos(action)
        for i in range(30):
            k = Key(i)
            if make is dict:
                quiet(lambda: box.__setitem__(k, i)); quiet(lambda: box.get(Key(i))); quiet(lambda: box.setdefault(Key(i), 1))
                quiet(lambda: box.pop(Key(i - 1), None)); quiet(lambda: Key(i) in box); quiet(lambda: box == {Key(i): i}); quiet(lambda: box | {Key(3): 1})
                quiet(lambda: dict(box)); quiet(lambda: box.update({Key(i): 2, Key(i + 1): 3})); quiet(lambda: Key(i) in box.values()); quiet(lambda: box.items() & {Key(1)})
            elif make is set:
                quiet(lambda: box.add(k)); quiet(lambda: Key(i) in box); quiet(lambda: box.discard(Key(i - 1))); quiet(lambda: box | {Key(1)})
                quiet(lambda: box & {Key(i), Key(2)}); quiet(lambda: box - {Key(2)}); quiet(lambda: box ^ {Key(5)}); quiet(lambda: box == {Key(i)}); quiet(lambda: box <= {Key(9)})
                quiet(lambda: box.intersection_update([Key(1), Key(2)])); quiet(lambda: box.symmetric_difference_update([Key(4)])); quiet(lambda: box.isdisjoint([Key(1)]))
            else:
                box.append(k)
                quiet(lambda: box.index(Key(i))); quiet(lambda: box.count(Key(i))); quiet(lambda: box.remove(Key(i))); quiet(lambda: Key(i) in box)
                quiet(lambda: box == [Key(0), Key(1)]); quiet(lambda: box < [Key(0)]); quiet(lambda: box.sort()); quiet(lambda: sorted(box)); quiet(lambda: min(box)); quiet(lambda: max(box))


# Lengths, indices and iterators that lie.
class Liar:
    def __init__(self, length, items=3): self.length, self.items = length, items
    def __len__(self): return self.length
    def __length_hint__(self): return self.length
    def __getitem__(self, i):
        if i >= self.items: raise IndexError
        return i
    def __index__(self): return self.length
    def __iter__(self): return iter(range(self.items))
    def keys(self): return range(self.items)


for n in (0, 2, 3, 10, 2**62, sys.maxsize):
    for f in (list, tuple, set, dict, bytes, bytearray, sorted, enumerate, reversed, sum, "".join, b"".join, len, bool, max, lambda x: [*x], lambda x: (lambda *a: a)(*x),
              lambda x: [1, 2, 3][x:], lambda x: "abc"[:x], lambda x: b"abc" * 0 * x if n < 100 else 0, range, lambda x: [1, 2].pop(x), lambda x: list(zip(x, x)), lambda x: dict(**x)):
        quiet(lambda: f(Liar(n)), Exception)

# __del__ that resurrects, raises, runs the collector, or breaks the object's own class.
kept = []


class Phoenix:
    def __del__(self):
        kept.append(self)


class Raiser:
    def __del__(self):
        raise Boom


class Collector:
    def __del__(self):
        gc.collect()
        self.other = Phoenix()


class Mutator:
    def __del__(self):
        self.__class__ = Raiser
        self.__dict__.clear()


for kind in (Phoenix, Raiser, Collector, Mutator):
    for cyclic in (False, True):
        for i in range(50):
            o = kind()
            o.value = i
            if cyclic:
                o.me = [o, {"o": o}, (o,)]
            r = weakref.ref(o, lambda r: kept.append(r))
            del o
        gc.collect()
        kept.clear()
        gc.collect()

# Attribute access that changes the instance under one's feet.
class Shifty:
    def __getattr__(self, name):
        self.__dict__ = {}
        del self.__class__.extra
        raise AttributeError(name)
    extra = 1


quiet(lambda: Shifty().nothing)


class Meta(type):
    def mro(cls):
        return quiet(lambda: cls.__bases__[0].mro()) and super().mro() or super().mro()


class Odd(metaclass=Meta):
    pass


class Base1:
    def f(self): return 1


class Base2:
    def f(self): return 2


class Child(Base1):
    pass


c = Child()
for i in range(1000):
    Child.__bases__ = (Base2,) if i % 2 else (Base1,)
    assert c.f() == (2 if i % 2 else 1)
    Base1.g = lambda self: i
    assert quiet(lambda: c.g()) in (i, None)
    del Base1.g

# Iterators that change what they walk; generators that are re-entered.
l = list(range(10))
for x in l:
    if len(l) < 50: l.append(x)
    if x == 5: l.clear()


def re_entered():
    yield quiet(lambda: next(g), ValueError)
    yield 1


g = re_entered()
assert list(g) == [None, 1]


class SelfIter:
    def __iter__(self): return self
    def __next__(self):
        global it
        it = None
        raise StopIteration


it = map(lambda x: x, SelfIter())
list(it)
d = functools.partial(lambda *a: None)
quiet(lambda: d.__setstate__((d, (d,), {}, {})))
quiet(lambda: repr(d))
cell = (lambda: cell)
l = []
l.append(l)
assert repr(l) == "[[...]]"
quiet(lambda: l == [l], RecursionError)
t = ([],)
t[0].append(t)
quiet(lambda: hash(t))
repr(t)
m = memoryview(bytearray(100))
quiet(lambda: m.release())
quiet(lambda: m[0])
b = bytearray(10)


class Index:
    def __index__(self):
        b.clear()
        return 5


quiet(lambda: b.__setitem__(Index(), 1))
quiet(lambda: b.insert(Index(), Index()))
b = bytearray(b"abcdef")
quiet(lambda: b.__setitem__(slice(Index(), 6), b"xyz"))
quiet(lambda: b.pop(Index()))
l = list(range(20))


class Clear:
    def __index__(self):
        l.clear()
        return 3


quiet(lambda: l[Clear()])
l = list(range(20)); quiet(lambda: l.__setitem__(slice(Clear(), 10), [1, 2]))
l = list(range(20)); quiet(lambda: l.insert(Clear(), 5))
l = list(range(20)); quiet(lambda: l.pop(Clear()))
l = list(range(20)); quiet(lambda: l * Clear())
l = list(range(20)); quiet(lambda: l.__delitem__(slice(0, Clear(), 2)))
l = list(range(20)); quiet(lambda: l.sort(key=lambda x: l.append(x) or x), ValueError)
print("OK")
