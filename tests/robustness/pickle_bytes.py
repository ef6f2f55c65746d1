"""Pickles that are cut, changed or made up: an exception, never a crash or much memory; and picklers used from within themselves."""
import collections
import copyreg
import io
import pickle
import random
import resource
import sys

if "asan" not in sys.executable:
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))

EXPECTED = (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, ImportError, OverflowError, MemoryError, KeyError,
            IndexError, RecursionError, NameError, RuntimeError)


class Plain:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class Slots:
    __slots__ = "a", "b"


class Listing(list):
    pass


class State:
    def __setstate__(self, state):
        self.state = state


SAFE = {("builtins", n) for n in "list dict set frozenset bytearray complex int str bytes object range".split()}
SAFE |= {("__main__", n) for n in "Plain Slots Listing State".split()} | {("copyreg", "_reconstructor"), ("collections", "OrderedDict")}


class Careful(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) in SAFE:
            return super().find_class(module, name)
        raise pickle.UnpicklingError("not allowed")

    def persistent_load(self, pid):
        return pid


def samples():
    s = Slots()
    s.a, s.b = 1, [2]
    shared = ["shared"]
    state = State()
    state.x = 1
    objects = [None, True, 1, -1, 300, 70000, -2 ** 40, 10 ** 50, 1.5, "abc", "é\u1234\U00012345\udc80", b"bytes", bytearray(b"array"), (), (1,), (1, 2),
               (1, 2, 3), (1, 2, 3, 4), [], [1], list(range(30)), {}, {1: 2}, {"a": [1], "b": (2,)}, {1, 2}, frozenset([3]), [shared, shared],
               Plain(a=1, b=[2]), s, Listing([1, 2]), state, collections.OrderedDict(a=1), 1j, range(5), "x" * 300, b"y" * 300]
    shared.append(objects)
    return objects + [objects]


def attempt(data):
    for make in (lambda: Careful(io.BytesIO(data)), lambda: Careful(io.BufferedReader(io.BytesIO(data)), encoding="bytes", fix_imports=False)):
        try:
            make().load()
        except EXPECTED:
            pass


def corrupt():
    rng = random.Random(1)
    for o in samples():
        for protocol in range(6):
            try:
                data = pickle.dumps(o, protocol)
            except TypeError:                       # __slots__ need protocol 2
                continue
            for cut in range(0, len(data), max(1, len(data) // 20)):
                attempt(data[:cut])
            for _ in range(25):
                changed = bytearray(data)
                for _ in range(rng.randrange(1, 4)):
                    changed[rng.randrange(len(changed))] = rng.randrange(256)
                attempt(bytes(changed))
    opcodes = bytes(b"(.012FIJKMLNPQRSTUVXabc}deghi]jloptqrsu)GBC") + bytes(range(0x80, 0x99))
    for _ in range(20000):
        attempt(bytes(rng.choice(opcodes) if rng.random() < .8 else rng.randrange(256) for _ in range(rng.randrange(1, 25))) + b".")


def lengths():
    for op in b"TUXBC\x8c\x8d\x8e\x95\x96\x8a\x8b":
        for length in (b"\xff" * 4, b"\xff\xff\xff\x7f", b"\xff" * 7 + b"\x7f", b"\xff" * 8, b"\0\0\0\0\1\0\0\0", b"\0\0\0\x40\0\0\0\0"):
            data = bytes([op]) + length + b"abc."
            attempt(data)
            for read in (pickle.loads, lambda d: pickle.load(io.BytesIO(d))):
                try:
                    read(data)
                except EXPECTED:
                    pass
    for op in b"rj":
        attempt(b"N" + bytes([op]) + b"\xff\xff\xff\xff.")
    u = pickle.Unpickler(io.BytesIO(b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff."))
    assert u.load() is None and u.memo.copy() == {0xffffffff: None}
    for line in (b"p9999999999999999999\n", b"p1000000000000\n", b"g99999999999999999999999\n", b"p-1\n", b"I" + b"9" * 5000 + b"\n"):
        attempt(b"N" + line + b".")
    pickle.loads(b"(" * 100000 + b"t" * 100000 + b".")
    attempt(b"]" * 1000 + b"a" * 999 + b".")
    attempt(b"N" + b"2" * 200000 + b".")


def within():
    """load() and dump() called from code that they run."""
    class Again:
        def __setstate__(self, state):
            try:
                unpickler.load()
            except EXPECTED:
                pass

        def __hash__(self):
            try:
                unpickler.load()
            except EXPECTED:
                pass
            return 1

    globals()["Again"] = Again
    Again.__qualname__ = "Again"
    a = Again()
    a.x = 1
    for o in (a, {a: 1, "k": 2}, [a, a, [a]], {1: a, 2: (a, a)}, {a, 1}, Listing([a, a])):
        for protocol in range(6):
            data = pickle.dumps(o, protocol)
            unpickler = pickle.Unpickler(io.BytesIO(data * 20))
            try:
                unpickler.load()
            except EXPECTED:
                pass

    class Reader(io.BytesIO):
        def readinto(self, view):
            self.kept = view
            return super().readinto(view)

        def read(self, n=-1):
            u.__init__(io.BytesIO(b"N."))
            return super().read(n)
    data = pickle.dumps([b"x" * 100000, bytearray(70000)], 5)
    r = Reader(data)
    u = pickle.Unpickler(r)
    try:
        u.load()
    except EXPECTED:
        pass
    try:
        bytes(r.kept)
    except (ValueError, AttributeError):
        pass

    class Writer(io.BytesIO):
        def write(self, data):
            for f in actions:
                try:
                    f(self.pickler)
                except EXPECTED:
                    pass
            return super().write(data)
    actions = (lambda p: p.dump(1), lambda p: p.clear_memo(), lambda p: p.__init__(io.BytesIO()), lambda p: setattr(p, "memo", {}))
    for action in actions:
        w = Writer()
        w.pickler = pickle.Pickler(w, 4)
        actions = (action,)
        try:
            w.pickler.dump(["x" * 70000, [1, 2, 3], bytes(70000), {1: "y" * 70000}])
        except EXPECTED:
            pass

    class Persistent(pickle.Pickler):
        def persistent_id(self, o):
            if isinstance(o, str):
                self.clear_memo()
                try:
                    self.dump(1)
                except EXPECTED:
                    pass
                self.__init__(io.BytesIO())
    Persistent(io.BytesIO()).dump([["a", "b"], ("c", ["d"]), {"e": "f"}])

    class Shrinks:
        def __reduce__(self):
            values.clear()
            mapping.clear()
            return int, ()
    for protocol in range(6):
        values, mapping = [Shrinks(), 1, 2, [3]], {}
        pickle.dumps(values, protocol)
        values, mapping = [], {1: Shrinks(), 2: 3}
        try:
            pickle.dumps(mapping, protocol)
        except RuntimeError:
            pass
        p = Plain(a=Shrinks(), b=2)
        values, mapping = [], p.__dict__
        try:
            pickle.dumps(p, protocol)
        except RuntimeError:
            pass

    class Grows:
        def __reduce__(self):
            owner.extra = 1
            return int, ()
    for protocol in range(2, 6):
        owner = Plain(a=0, b=0)
        pickle.dumps(owner)
        owner.a = Grows()
        try:
            pickle.dumps(owner, protocol)
        except RuntimeError as e:
            assert "changed size" in str(e)
        else:
            raise AssertionError("growing went unnoticed")


def deep():
    for protocol in range(6):
        o = []
        for _ in range(200000):
            o = [o]
        try:
            pickle.dumps(o, protocol)
        except RecursionError:
            pass
        else:
            raise AssertionError("no RecursionError")
        o = Plain(next=None)
        for _ in range(100000):
            o = Plain(next=o)
        try:
            pickle.dumps(o, protocol)
        except RecursionError:
            pass
        else:
            raise AssertionError("no RecursionError")


def plain_instances():
    """Instances are written without asking __reduce_ex__; what makes a class special is noticed."""
    class C:
        pass
    globals()["C"] = C
    C.__qualname__ = "C"
    c = C()
    c.x, c.y = 1, "y"
    for protocol in range(2, 6):
        first = pickle.dumps(c, protocol)
        assert pickle.dumps(c, protocol) == first and vars(pickle.loads(first)) == {"x": 1, "y": "y"}
        both = pickle.loads(pickle.dumps([c, c.__dict__], protocol))
        assert vars(both[0]) == both[1]
    for name, value, fields in (("__getstate__", lambda s: {"z": 1}, {"z": 1}), ("__reduce__", lambda s: (C, (), {"z": 2}), {"z": 2}),
                                ("__reduce_ex__", lambda s, p: (C, (), {"z": 3}), {"z": 3})):
        c = C()
        c.x = 1
        pickle.dumps([c, c])
        setattr(C, name, value)
        assert vars(pickle.loads(pickle.dumps(c))) == fields, name
        delattr(C, name)
        assert vars(pickle.loads(pickle.dumps(c))) == {"x": 1}
    copyreg.pickle(C, lambda o: (C, (), {"z": 4}))
    assert vars(pickle.loads(pickle.dumps(c))) == {"z": 4}
    del copyreg.dispatch_table[C]
    c.__reduce_ex__ = lambda p: (C, (), {"z": 5})
    assert vars(pickle.loads(pickle.dumps(c))) == {"z": 5}


for check in (corrupt, lengths, within, deep, plain_instances):
    check()
print("OK")
