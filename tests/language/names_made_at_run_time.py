# Names that are equal to special names and attributes, but were put together at run time: no part may ask for the same object.
import collections
import dataclasses
import enum
import functools
import operator
import pickle
import sys
import types


def n(name):
    return "".join(list(name))


def special(name):
    return n("__" + name + "__")


class Text(str):
    pass


def attempt(title, f):
    try:
        print(title, f())
    except Exception as e:
        print(title, type(e).__name__, e)


UNARY = "neg pos abs invert int float complex index bool len repr str hash iter next reversed length_hint bytes fspath ceil floor trunc round enter dir sizeof await aiter anext".split()
BINARY = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and or xor eq ne lt le gt ge contains getitem delitem format reduce_ex".split()
REVERSED = ["r" + b for b in BINARY[:14]]
INPLACE = ["i" + b for b in BINARY[:14] if b != "divmod"]
for make in (n, Text):
    for bases in ((), (list,), (dict,), (Exception,)):
        T = type("T", bases, {make("__%s__" % s): (lambda *a, s=s: s) for s in BINARY + REVERSED + INPLACE + ["call", "getattr"]})
        t = T()
        for f in (operator.add, operator.sub, operator.mul, operator.matmul, operator.truediv, operator.floordiv, operator.mod, divmod, pow, operator.lshift, operator.rshift,
                  operator.and_, operator.or_, operator.xor, operator.iadd, operator.imatmul, operator.ipow, operator.eq, operator.lt, operator.ge, operator.getitem):
            attempt(f.__name__, lambda: (f(t, 1), f(1, t) if f is not operator.getitem else ""))
        attempt("call", lambda: t(1))
        attempt("getattr", lambda: t.nothing)
        attempt("contains", lambda: 1 in t)
        attempt("del", lambda: operator.delitem(t, 1))
    values = {"int": 3, "float": 2.5, "complex": 1j, "index": 4, "bool": False, "len": 5, "hash": 7, "length_hint": 2, "bytes": b"b", "iter": iter("ab"), "reversed": iter("ba"), "dir": ["d"], "sizeof": 9}
    U = type("U", (), {make("__%s__" % s): (lambda self, *a, s=s: values.get(s, s)) for s in UNARY})
    u = U()
    for f in (operator.neg, operator.pos, abs, operator.invert, int, float, complex, operator.index, bool, len, repr, str, hash, list, next, operator.length_hint, bytes, round, dir):
        attempt(f.__name__, lambda: f(u))

log = []
D = type("D", (), {special("get"): lambda s, o, t: ("get", o is None), special("set"): lambda s, o, v: log.append(("set", v)), special("delete"): lambda s, o: log.append("delete"),
                   special("set_name"): lambda s, o, name: log.append(("named", name))})
H = type("H", (), {n("d"): D(), n("x"): 5, special("init"): lambda s, v=1: log.append(("init", v)), special("new"): staticmethod(lambda c, *a: object.__new__(c)),
                   special("init_subclass"): classmethod(lambda c, **k: log.append(("sub", c.__name__))), special("class_getitem"): classmethod(lambda c, k: (c.__name__, k)),
                   special("del"): lambda s: log.append("del"), special("setattr"): lambda s, k, v: (log.append((k, v)), object.__setattr__(s, k, v))[0], special("doc"): "Doc.",
                   special("module"): "mod", special("qualname"): "Q.H", special("slots"): (n("own"), special("dict")), special("match_args"): (n("own"),)})
h = H(3)
print(h.d, H.d, h.x, H[5], H.__doc__, H.__module__, H.__qualname__, H.__name__, sorted(k for k in vars(H) if k in ("own", "__dict__", "__weakref__")))
h.d = 4
del h.d
h.own = 6
h.free = 7
match h:
    case H(6):
        print("matched")
type("Sub", (H,), {})
del h
print(log)

o = types.SimpleNamespace()
for name in ("a", "b"):
    setattr(o, n(name), name)
    print(getattr(o, n(name)), hasattr(o, n(name)), o.__dict__[n(name)], operator.attrgetter(n(name))(o), "{0.%s}" % name)
o.__dict__[n("late")] = 1
print(o.late, getattr(o, special("dict")) is o.__dict__, getattr(o, special("class")).__name__, vars(o))
delattr(o, n("late"))
attempt("late", lambda: o.late)


class Plain:
    def __init__(self):
        self.__dict__[n("first")] = 1
        self.second = 2


def read(p):
    return p.first, p.second


for i in range(60):
    p = Plain()
    if i % 2:
        setattr(p, n("second"), i)
    result = read(p)
print(result, p.__dict__, pickle.loads(pickle.dumps(p)).__dict__)
setattr(Plain, special("getattr"), lambda self, name: "made " + name)
print(p.other)
setattr(Plain, special("call"), lambda self: "called")
print(p())
delattr(Plain, special("call"))
attempt("call", lambda: p())
setattr(p, special("class"), type("Other", (Plain,), {}))
print(type(p).__name__)


def f(a, /, b, *, c=3, **more):
    return a, b, c, more


print(f(1, **{n("b"): 2, n("c"): 4, n("d"): 5, Text("e"): 6}))
attempt("twice", lambda: f(1, 2, **{n("b"): 3}))
attempt("positional", lambda: f(**{n("a"): 1, n("b"): 3}))
print(functools.partial(f, **{n("b"): 9})(1), max([3, -4], **{n("key"): abs}), sorted([2, 1], **{n("reverse"): True}), int("7", **{n("base"): 8}), dict(**{n("k"): 1}))
globals()[n("made")] = "global"
print(made, eval(n("made")))
namespace = {n("x"): 1, special("builtins"): {n("len"): lambda o: "my len"}}
exec("y = x + 1; z = len(())", namespace)
print(namespace["y"], namespace["z"])
m = types.ModuleType(n("m"))
m.__dict__[special("getattr")] = lambda name: "module " + name
print(m.nothing, getattr(m, special("name")))
sys.modules[n("made_module")] = m
import made_module
from made_module import thing
print(made_module is m, thing)
P = collections.namedtuple(n("P"), [n("x"), n("y")])
print(P(1, y=2)._replace(**{n("x"): 5}), P._fields)
E = enum.Enum(n("E"), {n("RED"): 1, n("BLUE"): 2})
print(E.RED, E[n("BLUE")], list(E))
C = dataclasses.make_dataclass(n("C"), [(n("p"), int), (n("q"), int, 2)])
print(C(1), C(**{n("p"): 3}), dataclasses.replace(C(1), **{n("q"): 8}))
M = type(n("M"), (type,), {special("call"): lambda cls, *a: ("meta call", a), special("instancecheck"): lambda cls, o: True, special("getitem"): lambda cls, k: k, special("prepare"): classmethod(lambda *a: {}),
                           special("iter"): lambda cls: iter("meta"), special("len"): lambda cls: 4})
K = M("K", (), {})
print(K(1), isinstance(3, K), K[2], list(K), len(K))
cm = type("CM", (), {special("enter"): lambda s: "in", special("exit"): lambda s, *e: True})
with cm() as inside:
    print(inside)
    1 / 0


async def use():
    A = type("A", (), {special("aenter"): lambda s: W(), special("aexit"): lambda s, *e: W(), special("aiter"): lambda s: s, special("anext"): lambda s: end()})
    async with A() as got:
        print(got)
    async for x in A():
        print(x)


async def end():
    raise StopAsyncIteration


W = type("W", (), {special("init"): lambda s, value=None: setattr(s, "value", value), special("await"): lambda s: iter(())})
try:
    use().send(None)
except StopIteration as e:
    print("end", e.value)
