# Every operator and protocol function over samples of the built-in types: results are equal, and so are the words of errors.
import array
import collections
import copy
import functools
import hashlib
import io
import itertools
import math
import operator
import re
import types
import warnings

warnings.simplefilter("ignore")


class Plain:
    pass


class Getter:
    def __getitem__(self, k):
        if isinstance(k, int) and k > 1:
            raise IndexError(k)
        return 1

    def __len__(self):
        return 2


class Mapping(collections.abc.Mapping):
    __getitem__ = Getter.__getitem__
    __len__ = Getter.__len__

    def __iter__(self):
        return iter(())


class Numbers(int):
    pass


class Words(str):
    pass


def generator():
    yield 1


def samples():
    return [5, True, -2.5, 1j, "text", b"bytes", bytearray(b"array"), [1, 2], (3, "x"), {"k": 1}, {1, 2}, frozenset("a"), None, ..., NotImplemented, range(3), slice(1, 2), memoryview(b"view"),
            types.MappingProxyType({"a": 1}), len, "".join, Plain, Plain(), Getter(), Mapping(), Numbers(3), Words("w"), generator(), iter([1]), {}.keys(), {"a": 1}.items(), {}.values(), array.array("i", [1]),
            collections.deque([1]), collections.OrderedDict(a=1), collections.Counter("a"), io.StringIO("s"), re.compile("x"), re.match("x", "x"), types.SimpleNamespace(a=1), property(len), staticmethod(len),
            functools.partial(len), zip(), map(len, []), int, type, object(), ValueError("v"), math, generator, super(Plain), lambda: 0, int | str, list[int], itertools.chain([1])]


def show(title, f):
    try:
        r = f()
        text = "%s %r" % (type(r).__name__, r if isinstance(r, (int, float, complex, str, bytes, bool, type(None), tuple, list)) else "")
    except Exception as e:
        text = "%s: %s" % (type(e).__name__, e)
    text = re.sub(r"0x[0-9a-f]+|\b\d{9,}\b", "N", text)
    lines.append(title + " " + text)


lines = []
binary = [operator.add, operator.sub, operator.mul, operator.matmul, operator.truediv, operator.floordiv, operator.mod, divmod, pow, operator.lshift, operator.rshift, operator.and_, operator.or_,
          operator.xor, operator.lt, operator.ge, operator.contains, operator.getitem, operator.delitem, operator.iadd, operator.imul, operator.ior, operator.concat, isinstance, issubclass, getattr, hasattr,
          operator.countOf, operator.indexOf]
names = [type(s).__name__ for s in samples()]
for f in binary:
    for i, left in enumerate(names):
        for j, right in enumerate(names):
            if (i * 7 + j * 3) % 5 and f not in (operator.getitem, operator.delitem, operator.contains) and i > 12 and j > 12:
                continue      # a part of the square is enough
            if f is operator.mod and left == "Words":
                continue
            a, b = samples()[i], samples()[j]
            show("%s %s %s" % (f.__name__, left, right), lambda: f(a, b))
unary = [operator.neg, operator.pos, operator.invert, abs, int, float, complex, operator.index, bool, len, hash, iter, next, reversed, repr, str, bytes, bytearray, list, dict, set, sum, max, sorted, any, enumerate,
         round, math.floor, math.trunc, math.sqrt, chr, ord, bin, callable, dir, vars, id, memoryview, tuple, frozenset, range, slice, open, eval, compile, exec, format, copy.copy, operator.length_hint,
         zip, map, filter, super, type, staticmethod, classmethod, property, getattr, isinstance, hashlib.md5, io.StringIO, array.array, collections.deque, collections.Counter, functools.partial, re.compile, str.join,
         "".join, b"".join, [].extend, {}.update, set().update, "x".split, "x".replace, "x".encode, "x %s".__mod__, int.from_bytes, float.fromhex, bytes.fromhex, dict.fromkeys, str.maketrans, "".translate, [].pop, [].index,
         [].insert, [].sort, {}.pop, {}.get, {1}.remove, "abc".find, "abc".startswith, b"abc".find, "abc".center, (1,).index, object.__new__, type.__call__, math.gcd, math.factorial, math.hypot, math.fsum, math.prod]
quiet = (hash, id, dir, repr, iter, type, format, vars)
for f in unary:
    for i, name in enumerate(names):
        if f is copy.copy and name == "module" or f is open and not isinstance(samples()[i], (float, list, dict)):
            continue
        a = samples()[i]
        title = "%s %s" % (getattr(f, "__qualname__", f), name)
        if f in quiet:
            show(title, lambda: (f(a), None)[1])
        else:
            show(title, lambda: f(a))
for i, name in enumerate(names):
    for key in ("a", 0, slice(0, 1), None):
        a = samples()[i]
        show("setitem %s" % name, lambda: operator.setitem(a, key, 1))
    a = samples()[i]
    for action in (lambda: a(), lambda: a.nothing, lambda: setattr(a, "nothing", 1), lambda: delattr(a, "nothing"), lambda: setattr(a, "__class__", int), lambda: [*a][:3],
                   lambda: {**a}, lambda: len(*a), lambda: dict(**a), lambda: a.__len__(), lambda: format(a, "d"), lambda: format(a, "^5"), lambda: "%d" % a, lambda: "%c" % (a,),
                   lambda: f"{a:x}", lambda: isinstance(a, super) or a.__init__(1, 2, 3, 4, 5, 6), lambda: a.__reduce_ex__(2) and None, lambda: a.__format__(3), lambda: object.__setattr__(a, 3, 4), lambda: a.__eq__(), lambda: a.__lt__(3), lambda: type(a)(1, 2, 3, 4, 5, 6, 7),
                   lambda: type(a)(nothing=1), lambda: type("T", (type(a),), {}) and None, lambda: int(a, 10), lambda: round(a, "x"), lambda: pow(a, 2, 3), lambda: isinstance(1, a), lambda: issubclass(int, a),
                   lambda: exec("raise a", {"a": a}), lambda: exec("raise ValueError from a", {"a": a}), lambda: exec("with a: pass", {"a": a}), lambda: exec("for x, y in a: pass", {"a": a}),
                   lambda: exec("x, y, *z = a", {"a": a}), lambda: exec("a.b.c = 1", {"a": a}), lambda: exec("del a[0][1]", {"a": a}), lambda: exec("class T(a): pass", {"a": a}) if not callable(a) else 0,
                   lambda: exec("try: 1/0\nexcept a: pass", {"a": a}), lambda: exec("match a:\n case {'k': 1}: pass\n case [1, *_]: pass", {"a": a}), lambda: exec("match 1:\n case a.x(): pass", {"a": a}), lambda: exec("import a.b", {"a": a})):
        show("action %s" % name, action)
print("\n".join(lines))
