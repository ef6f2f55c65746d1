"""What tests/oom.py runs without memory: every function here is a program of its own. Each returns something that compares equal
from run to run, so that a structure which a failed run left damaged shows in the next one. Names that begin with _ are helpers."""
import array
import collections
import contextlib
import copy
import csv
import dataclasses
import enum
import functools
import io
import itertools
import json
import operator
import re
import struct
import sys
import textwrap
import types
import weakref


class _Plain:
    def __init__(self, x):
        self.x = x
        self.y = [x]


class _Slotted:
    __slots__ = ("a", "b", "__weakref__")


_shared_dict = {str(i): i for i in range(10)}
_shared_list = list(range(10))


# ---- built-in types ----------------------------------------------------------------------------------------------------------

def ints():
    a = 10 ** 30
    b = a * a + 7 - (a >> 3) ** 2
    return b // a, b % 97, str(b), int(str(b)), hex(b), b.to_bytes(40, "big"), int.from_bytes(b"x" * 20, "little"), pow(3, 200, a), \
        -b, abs(-b), b & a, b | a, b ^ a, ~b, divmod(b, a), round(b, -5), b.bit_length(), float(a), (a).as_integer_ratio()


def floats():
    x = 1.5
    return x * 3, x ** 0.5, str(x), repr(1e300), float("2.75"), x.hex(), float.fromhex("0x1.8p3"), divmod(7.5, 2), round(2.567, 2), \
        x.as_integer_ratio(), f"{x:10.3f}", complex(1, 2) * complex("3+4j"), str(complex(1, -2)), int(1e20)


def strings():
    s = "héllo wörld" * 3
    return s.upper(), s.split(), s.split("l"), s.partition("w"), s.replace("l", "LL"), s.encode(), s.center(60, "*"), s.title(), \
        "-".join(["a", "b", s]), s[::-1], s[2:9], s.find("w"), s.splitlines(), s.translate({104: "H", 108: None}), "%s %d %r" % (s, 5, s), \
        "{} {x!r:>20}".format(s, x=3), f"{s!a} {len(s):05}", s.casefold(), s.expandtabs(), s.zfill(50), s * 2, s + s, repr(s), ascii(s), \
        "ß".upper(), "a\u0130b".lower(), s.isidentifier(), s.strip("h"), s.rsplit(None, 1), s.encode("utf-16"), s.encode("latin-1"), \
        "\N{BULLET}" + "\U0001F600", s.removeprefix("h"), str.maketrans("ab", "cd", "e"), s.encode("ascii", "xmlcharrefreplace")


def strings_grown():
    s = ""
    for i in range(30):
        s += str(i) + "é" * (i % 2)
    return s


def bytes_and_bytearrays():
    b = b"some bytes \x00\xff" * 3
    a = bytearray(b)
    a += b"tail"
    a.extend(range(20))
    a[3:5] = b"longer piece"
    del a[1:3]
    a.insert(3, 65)
    return bytes(a), b.hex("-"), bytes.fromhex("00ff 10"), b.split(b" "), b.replace(b"e", b"EE"), b.decode("latin-1"), repr(b), \
        b.join([b"a", b"b"]), b.translate(None, b"e"), b"%d %s" % (5, b"x"), a.pop(), a[::2], b.partition(b"y"), b.upper()


def lists():
    a = [3, 1, 2]
    a.append(4)
    a.extend(range(20))
    a.insert(2, "x")
    a[1:3] = [7, 8, 9, 10]
    b = a * 2 + [1]
    b.remove(7)
    c = sorted((str(x) for x in b), key=lambda s: (len(s), s), reverse=True)
    return a, b, c, a[::2], a.copy(), b.index(9), b.count(1), list(reversed(a)), repr(a), a == b, [*a, *b], a.pop()


def tuples():
    t = tuple(range(10)) + (1, 2)
    return t, t * 2, t[2:5], t[::-1], hash(t), repr(t), (*t, 5), t == t[:], sorted(t), t.index(3)


def dicts():
    d = {"a": 1, "b": [2]}
    d["c"] = d
    del d["c"]
    for i in range(40):
        d[i] = str(i)
    d.update(x=5, y=6)
    d |= {"z": 7}
    for i in range(20):
        d.pop(i)
    return dict(d), list(d.items()), list(reversed(d)), d | {"q": 1}, d.keys() & {"a", "x"}, d.setdefault("n", []), repr(d), d.copy(), \
        dict.fromkeys("abc", 1), dict([(1, 2)]), {**d, "w": 1}, d.popitem(), d == dict(d), list(d.values()) == [], d.get("a")


def sets():
    s = set(range(20))
    s |= {30, 40}
    t = frozenset("abcdef")
    s.add("a")
    s.discard(5)
    s.update("xyz", [1, 2])
    return s & {1, 2, 3}, s - {1}, s ^ {1, 100}, s | t, sorted(map(str, s)), t.union("gh"), hash(t), len(s), s.copy() == s, \
        s.intersection([1, 2]), s.isdisjoint([500]), t <= set("abcdefgh"), {x % 3 for x in range(9)}, len(repr(s))


def shared_structures():
    """A failed run must leave what outlives it as it was."""
    for i in range(10, 30):
        _shared_dict[str(i)] = i
        _shared_list.append(i)
    for i in range(10, 30):
        _shared_dict.pop(str(i), None)
    del _shared_list[10:]
    return _shared_dict, _shared_list


def slices_and_ranges():
    r = range(5, 100, 7)
    return list(r), r[2:5], r.index(12), list(reversed(r)), hash(r), repr(r), slice(1, 2, 3), slice(None, 5).indices(10), list(enumerate("abc")), \
        list(zip("abc", range(3))), list(map(str, range(5))), list(filter(None, [0, 1, 2])), max(range(10)), sum([[1], [2]], []), r == range(5, 99, 7)


def memoryviews():
    m = memoryview(bytearray(b"abcdefgh" * 4))
    m[0:3] = b"xyz"
    n = m[::2]
    c = m.cast("I")
    return n.tobytes(), c.tolist(), m.hex(), m == m, c[1], bytes(m), m.shape, c.cast("B").cast("B", [4, 8]).tolist(), list(n), n.tolist()


def instances():
    o = _Plain(5)
    o.z = 1
    del o.x
    p = _Plain(2)
    p.__dict__["q"] = 3
    q = _Slotted()
    q.a = [1]
    r = copy.copy(p)
    s = copy.deepcopy(p)
    return sorted(vars(o)), p.__dict__, q.a, r.__dict__, s.q, dir(o) == dir(o), hasattr(q, "b"), o.__reduce_ex__(2)[0].__name__, str(type(o))


def weak_references():
    a, log = _Plain(1), []
    r = weakref.ref(a, lambda ref: log.append(ref))
    p = weakref.proxy(a)
    d = weakref.WeakValueDictionary(a=a)
    k = weakref.WeakKeyDictionary({a: 1})
    s = weakref.WeakSet([a])
    out = p.x, len(d), len(k), len(s), r() is a
    del a
    return out, len(log), r(), len(d), len(k), len(s)


def formatting():
    return format(1234567.891, ",.2f"), format(42, "#x"), "{:>10}|{:^10}|{:<10}".format("a", "b", "c"), "{0[k]} {0}".format({"k": 1}), \
        "%-10s|%+05d|%e" % ("x", 3, 2.5), f"{12:{'0'}{5}}", format("abc", "*^9"), "{!r}".format("q"), "%(a)s" % {"a": 5}


# ---- language ------------------------------------------------------------------------------------------------------------------

def functions_and_closures():
    def outer(a, *args, b=2, **kw):
        c = a + b

        def inner(x):
            nonlocal c
            c += x
            return c
        return inner, args, kw
    f, args, kw = outer(1, 2, 3, b=4, d=5)
    return f(2), args, kw, (lambda *a, **k: (a, k))(*range(3), **{"z": 1}), f.__code__.co_freevars, f.__closure__[0].cell_contents


def generators():
    def g(n):
        try:
            for i in range(n):
                got = yield i
                if got:
                    yield got
        finally:
            n = 0

    def h():
        return (yield from g(3))
    x = g(5)
    out = [next(x), x.send("s")]
    x.close()
    return out, list(h()), sum(i * i for i in range(10)), list(y for y in g(3) if y), [*g(2)]


def coroutines():
    class Ready:
        def __await__(self):
            yield 1
            return 2

    class Manager:
        async def __aenter__(self):
            return self

        async def __aexit__(self, *exc):
            return False

    async def agen():
        for i in range(3):
            yield i

    async def main():
        async with Manager():
            return await Ready(), [x async for x in agen()]
    c, out = main(), []
    try:
        while True:
            out.append(c.send(None))
    except StopIteration as stop:
        out.append(stop.value)
    return out


def exceptions():
    log = []
    try:
        try:
            raise ValueError("first", 1)
        except ValueError as e:
            e.add_note("note")
            raise KeyError("second") from e
    except KeyError as e:
        log += [repr(e), repr(e.__cause__), e.__cause__.__notes__, e.__traceback__.tb_lineno > 0]
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
    except* ValueError as g:
        log.append(len(g.exceptions))
    except* TypeError:
        pass
    for source in ({}, [], None):
        try:
            source["x"]
        except (KeyError, TypeError) as e:
            log.append(str(e))
    try:
        undefined_name
    except NameError as e:
        log.append(str(e))
    with contextlib.suppress(ZeroDivisionError):
        1 / 0
    try:
        {}.nothing
    except AttributeError as e:
        log.append(str(e))
    return log


def context_managers():
    log = []

    @contextlib.contextmanager
    def manager(n):
        log.append(n)
        try:
            yield n
        finally:
            log.append(-n)
    with manager(1) as a, manager(2) as b:
        log.append(a + b)
    with contextlib.ExitStack() as stack:
        stack.enter_context(manager(5))
        stack.callback(log.append, "called")
    return log


def comprehensions():
    return [x for x in range(5) if x % 2], {x: str(x) for x in range(5)}, {x // 2 for x in range(6)}, list(x + y for x in "ab" for y in "cd"), \
        [[y for y in range(x)] for x in range(4)], [(lambda: x)() for x in range(3)]


def patterns():
    out = []
    for subject in ([1, 2, 3], {"a": 1, "b": 2}, "text", (1, (2, 3)), 5, types.SimpleNamespace(x=1)):
        match subject:
            case [a, *rest]:
                out.append((a, rest))
            case {"a": v, **others}:
                out.append((v, others))
            case str() as s:
                out.append(s)
            case int(n) if n > 3:
                out.append(n)
            case types.SimpleNamespace(x=x):
                out.append(x)
    return out


def unpacking():
    a, *b, c = range(6)
    (d, e), f = (1, 2), [3]
    return a, b, c, d, e, f, [*b, *f], {**{"x": 1}}, (*b,), print.__name__


def classes():
    class Meta(type):
        def __new__(m, name, bases, ns, **kw):
            return super().__new__(m, name, bases, dict(ns, made=name))

    class Descriptor:
        def __set_name__(self, owner, name):
            self.name = name

        def __get__(self, o, t=None):
            return self.name if o is None else o.__dict__.get(self.name)

    class A(metaclass=Meta, flag=1):
        d = Descriptor()
        __slots__ = ("__dict__",)

        def __init_subclass__(cls, **kw):
            cls.kw = kw

        @property
        def p(self):
            return self.made

        @classmethod
        def c(cls):
            return cls.__name__

        @staticmethod
        def s(x):
            return x

    class B(A, flag=2):
        def p2(self):
            return super().p
    b = B()
    b.d = 3
    return b.p, b.p2(), b.c(), b.s(1), A.d, b.__dict__, [k.__name__ for k in B.__mro__], B.kw, type("T", (A,), {"x": 1}).x, A.__subclasses__() != []


def special_methods():
    class N:
        def __init__(self, v):
            self.v = v

        def __add__(self, o):
            return N(self.v + o.v)

        def __eq__(self, o):
            return self.v == o.v

        def __hash__(self):
            return hash(self.v)

        def __lt__(self, o):
            return self.v < o.v

        def __len__(self):
            return self.v

        def __getitem__(self, i):
            if i > 3:
                raise IndexError
            return i

        def __call__(self, *a):
            return a

        def __repr__(self):
            return f"N({self.v})"

        def __getattr__(self, name):
            return name
    a, b = N(1), N(2)
    return repr(a + b), a == b, len(b), list(a), a(1, 2), sorted([b, a]) == [a, b], {a: 1}[N(1)], a.other, bool(N(0)), repr([a]), max(a, b).v


def compiled_source():
    source = textwrap.dedent("""
        import math
        X: int = 1
        def f(a, b=2, *c, d, **e):
            "doc"
            for i in range(a):
                if i in (1, 2): continue
                while True: break
            else:
                pass
            try:
                return [x for x in c if x] + [f"{a!r:>{b}}"]
            except (ValueError, KeyError) as err:
                raise
            finally:
                del d
        class C[T]:
            y = lambda self: self.x
            async def g(self):
                async with a as b: await c
        type Alias[U] = list[U]
        match X:
            case 1 | 2: z = 1
            case {'k': [q, *r]}: pass
        r = f(1, 2, 3, d=4)
    """)
    names = {}
    exec(compile(source, "<oom>", "exec"), names)
    return names["r"], names["f"].__doc__, names["C"].__name__, names["z"], eval("1 + 2 * (3, 4)[1]"), names["Alias"].__name__


def syntax_errors():
    out = []
    for text in ("x = (", "def f(:", "a b", "'unclosed", "f'{x'", "return 1", "  indented", "x = 1 +", "for x in", "nonlocal q"):
        try:
            compile(text, "<oom>", "exec")
        except SyntaxError as e:
            out.append((e.msg, e.lineno, e.offset))
    return out


def syntax_trees():
    import ast
    tree = ast.parse("def f(x):\n  return [x + 1, {'a': b}, *c]\nf(3)")
    return ast.dump(tree), ast.unparse(tree), ast.literal_eval("[1, {'a': (2, 3)}]"), compile(tree, "<t>", "exec").co_names


def imports():
    for name in ("colorsys", "this_module_is_not_there"):
        sys.modules.pop(name, None)
        try:
            __import__(name)
        except ImportError as e:
            error = str(e)
    import colorsys
    from collections import OrderedDict, namedtuple as nt
    return colorsys.rgb_to_hsv(1, 0, 0), error, OrderedDict.__name__, nt.__name__


def marshalled():
    import marshal
    data = marshal.dumps([1, "a", (2.5, None), {"k": b"v"}, {1, 2}, 10 ** 40, exceptions.__code__])
    return len(marshal.loads(data)), marshal.loads(marshal.dumps({"x": [1, 2]}))


def attributes():
    class A:
        x = 1
    a = A()
    for i in range(12):
        setattr(a, f"n{i}", i)
    A.y = 5
    del A.x
    for i in range(0, 12, 2):
        delattr(a, f"n{i}")
    return a.__dict__, A.y, sorted(n for n in dir(a) if n[0] == "n"), vars(A)["y"], getattr(a, "zz", None)


def cycles():
    import gc
    for _ in range(5):
        a, b = _Plain(1), _Plain(2)
        a.other, b.other = b, a
        c = []
        c.append(c)
    del a, b, c
    gc.collect()
    return len(gc.garbage)


def finalizers():
    log = []

    class F:
        def __init__(self, n):
            self.n = n

        def __del__(self):
            log.append(self.n)
    F(1)
    x = F(2)
    x.me = x
    del x
    import gc
    gc.collect()
    return log[0] if log else 1


def traced_frames():
    def f(n):
        return sorted(sys._getframe().f_locals), sys._getframe(1).f_code.co_name, locals()

    try:
        f()
    except TypeError as e:
        message = str(e)
    import traceback
    try:
        1 / 0
    except ZeroDivisionError as e:
        text = "".join(traceback.format_exception(e))
    return f(3), message, text


# ---- library -------------------------------------------------------------------------------------------------------------------

def regular_expressions():
    re.purge()
    p = re.compile(r"(?P<word>[a-z]+)\s*(\d+)?(?:x|y{2,3})*", re.I)
    m = p.match("Hello 42xyy")
    return m.groups(), m.groupdict(), p.sub(lambda m: m[0].upper(), "ab 1 cd 2"), p.findall("a1 b2"), p.split("q, w"), re.escape("a.b"), \
        re.sub(r"(a)(b)", r"\2\1", "abab"), [x.span() for x in re.finditer("a*", "baac")], p.pattern, re.fullmatch("(a|b)*c", "ababc").end()


def json_texts():
    value = {"a": [1, 2.5, None, True, "é\n"], "b": {"c": {}}}
    text = json.dumps(value, indent=1, sort_keys=True)
    try:
        json.loads('{"a": [1, }')
    except ValueError as e:
        error = str(e)
    return text, json.loads(text), json.dumps(value), error, json.loads('"\\u00e9\\ud83d\\ude00"')


def streams():
    b = io.BytesIO(b"line one\nline two\n" * 5)
    t = io.TextIOWrapper(b, encoding="utf-8")
    first, rest = t.readline(), t.read()
    s = io.StringIO()
    s.write("text é")
    print("printed", 5, file=s)
    s.seek(0)
    w = io.BytesIO()
    f = io.BufferedWriter(w)
    f.write(b"x" * 100)
    f.flush()
    return first, rest, s.read(), w.getvalue(), s.getvalue(), b.closed, list(io.StringIO("a\nb"))


def files():
    with open(__file__, "rb") as f:
        head = f.read(50)
        f.seek(10)
        more = f.readline()
    with open(__file__, encoding="utf-8") as f:
        lines = [next(f) for _ in range(3)]
    return head, more, lines


def csv_tables():
    out = io.StringIO()
    w = csv.writer(out)
    w.writerow(["a", 'q"uote', 3, "x,y"])
    return out.getvalue(), list(csv.reader(['1,"two, three",4', "5"])), list(csv.DictReader(["a,b", "1,2"]))


def containers():
    d = collections.deque(range(100), maxlen=70)
    d.rotate(3)
    d.extendleft("ab")
    o = collections.OrderedDict(a=1, b=2)
    o.move_to_end("a")
    c = collections.Counter("abracadabra")
    n = collections.namedtuple("N", "x y")(1, 2)
    f = collections.defaultdict(list)
    f["k"].append(1)
    m = collections.ChainMap({"a": 1}, {"b": 2})
    return list(d), list(o), c.most_common(2), n, n._replace(x=5), dict(f), dict(m), repr(d)[:20], repr(o), d.index(50)


def iteration_tools():
    return list(itertools.chain([1], [2])), list(itertools.permutations("abc")), list(itertools.combinations(range(4), 2)), \
        list(itertools.product("ab", repeat=2)), [(k, list(g)) for k, g in itertools.groupby("aabbc")], list(itertools.islice(itertools.count(), 5)), \
        list(itertools.accumulate(range(5))), [list(t) for t in itertools.tee("ab")], list(itertools.zip_longest("ab", "c")), \
        list(itertools.batched("abcde", 2)), list(itertools.pairwise("abc")), list(itertools.starmap(pow, [(2, 3)])), \
        list(itertools.compress("abc", [1, 0, 1])), list(itertools.islice(itertools.cycle("ab"), 5)), list(itertools.takewhile(bool, [1, 0]))


def function_tools():
    @functools.lru_cache(maxsize=4)
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    @functools.singledispatch
    def g(x):
        return "object"

    @g.register
    def _(x: int):
        return "int"

    @functools.wraps(fib)
    def h():
        pass
    return fib(12), g(1), g("s"), functools.reduce(operator.add, range(5)), functools.partial(pow, 2)(5), h.__name__, \
        sorted("cab", key=functools.cmp_to_key(lambda a, b: (a > b) - (a < b))), functools.partial(int, base=2)("101")


def arrays_and_structs():
    a = array.array("i", range(20))
    a.extend([1, 2])
    a.insert(3, 9)
    a.frombytes(struct.pack("2i", 5, 6))
    return a.tolist(), a.tobytes(), a[::3], struct.pack(">hiq4s", 1, 2, 3, b"ab"), struct.unpack("<2i", b"x" * 8), struct.calcsize("iq"), repr(a), \
        list(struct.iter_unpack("h", b"abcd")), a.index(9), (a + a).count(1)


def enums_and_dataclasses():
    class E(enum.Enum):
        A = 1
        B = "two"

    @dataclasses.dataclass(order=True)
    class D:
        x: int
        y: list = dataclasses.field(default_factory=list)
    return E.A.name, E("two").value, list(E.__members__), repr(D(1)), D(1) < D(2), dataclasses.asdict(D(3, [4])), dataclasses.replace(D(1), x=2).x


def generic_types():
    import typing
    return repr(list[int]), repr(dict[str, int] | None), typing.get_args(typing.Union[int, str]), repr(int | str), list[int]([1]), \
        repr(typing.Optional[int]), typing.get_type_hints(_annotated)["return"], isinstance(1, int | str)


def _annotated(x: "int") -> list[str]:
    return [str(x)]


def threads_of_work():
    import threading
    out, lock = [], threading.Lock()

    def work(n):
        with lock:
            out.append(n)
    local = threading.local()
    local.x = 1
    event = threading.Event()
    event.set()
    work(1)
    return out, local.x, event.is_set(), threading.current_thread().name


def contexts():
    import contextvars
    v = contextvars.ContextVar("v", default=0)
    c = contextvars.copy_context()

    def f():
        token = v.set(5)
        inner = v.get()
        v.reset(token)
        return inner, v.get()
    return c.run(f), v.get(), len(c) >= 0


def codecs_of_all_sorts():
    text = "aé€\U0001F600"
    return [text.encode(c).decode(c) for c in ("utf-8", "utf-16", "utf-32", "utf-7", "unicode_escape", "raw_unicode_escape")], \
        b"ab\xffc".decode("utf-8", "replace"), b"ab\xffc".decode("ascii", "surrogateescape"), b"\xe9".decode("cp1252"), text.encode("punycode"), \
        text.encode("ascii", "backslashreplace"), text.encode("ascii", "namereplace")


def warnings_issued():
    import warnings
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        warnings.warn("first")
        warnings.warn("second", DeprecationWarning, stacklevel=2)
    return [str(w.message) for w in log]


def pickled():
    import pickle
    value = {"a": [1, 2.5, "x", b"y", None], "t": (1, 2), "s": {3}}
    return [pickle.loads(pickle.dumps(value, p)) == value for p in range(6)]


def random_numbers_and_hashes():
    import hashlib
    import random
    r = random.Random(5)
    return r.random(), r.randrange(10 ** 30), r.sample(range(50), 3), r.choice("abc"), hashlib.sha256(b"x").hexdigest(), hashlib.md5(b"y").hexdigest()


def system():
    import os
    return sorted(os.environ)[:1] == sorted(os.environ)[:1], os.path.join("a", "b"), os.fspath("x"), os.stat(__file__).st_size > 0, sys.getsizeof([]), \
        sys.intern("some" + "thing"), os.path.exists("/nonexistent"), len(os.listdir("/")) > 0, os.strerror(2), sys.version_info[:2], os.getcwd() != ""


def databases():
    try:
        import sqlite3
    except ImportError:
        return None
    cx = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES)
    try:
        cx.row_factory = sqlite3.Row
        cx.create_function("f", 1, lambda x: f"<{x}>")
        cx.set_trace_callback(lambda sql: None)
        cx.execute("create table t(a date, b)")
        cx.executemany("insert into t values (?, ?)", [("2000-01-02", "x"), (None, 2.5), (None, b"zzzz")])
        rows = [(row.keys(), row["b"], row[:]) for row in cx.execute("select *, f(b) as c from t")]
        with cx.blobopen("t", "b", 3) as blob:
            blob[0:4:2] = b"ab"
            rows.append(blob.read())
        with cx:
            cx.executescript("insert into t values (1, 2); delete from t where b = 2")
        other = sqlite3.connect(":memory:")
        other.deserialize(cx.serialize())
        cx.backup(other)
        rows.append(list(map(tuple, other.execute("select b from t where rowid = :n", {"n": 3}))))
        other.close()
        return rows
    finally:
        cx.close()
