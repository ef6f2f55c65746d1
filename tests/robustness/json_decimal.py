"""JSON and decimals with hooks that lie, raise or change what is being worked on; random documents."""
import _json
import decimal
import json
import random
import sys

ERRORS = (ValueError, TypeError, RuntimeError, StopIteration, AttributeError, KeyError, ArithmeticError, MemoryError)


def quiet(f):
    try:
        return f()
    except ERRORS:
        return None


def documents():
    rng = random.Random(2)

    def value(depth):
        kind = rng.randrange(9 if depth < 5 else 6)
        if kind == 0:
            return rng.choice([None, True, False])
        if kind == 1:
            return rng.randrange(-10 ** rng.randrange(1, 40), 10 ** 9)
        if kind == 2:
            return rng.random() * 10 ** rng.randrange(-300, 300)
        if kind < 6:
            return "".join(chr(rng.choice([rng.randrange(128), rng.randrange(256), rng.randrange(0xd800), rng.randrange(0x10000, 0x110000), 34, 92, 0xd834, 0xdd1e]))
                           for _ in range(rng.randrange(20)))
        if kind < 8:
            return [value(depth + 1) for _ in range(rng.randrange(5))]
        return {value(9) if rng.random() < .3 else "k%d" % rng.randrange(9): value(depth + 1) for _ in range(rng.randrange(5))}

    for _ in range(3000):
        o = value(0)
        for options in ({}, {"ensure_ascii": False}, {"indent": 1, "ensure_ascii": False}, {"separators": (",", ":")}):
            text = json.dumps(o, **options)
            back = json.loads(text)
            assert type(back) is type(o)
            for _ in range(3):
                cut = rng.randrange(len(text) + 1)
                quiet(lambda: json.loads(text[:cut]))
                quiet(lambda: json.loads(text[:cut] + chr(rng.choice([0, 34, 44, 91, 92, 93, 125, 300, 70000])) + text[cut + 1:]))


def hooks():
    values = []

    def changing(o):
        values.append(o)
        if len(values) > 50:
            raise ValueError
        target.append(object())
        target[:] = target[:3]
        return str(o)[:5]
    target = [object(), {1: object()}, [object()]]
    quiet(lambda: json.dumps(target, default=changing))
    mapping = {"a": object(), "b": [object()]}

    def clearing(o):
        mapping.clear()
        return {"x": [1]}
    quiet(lambda: json.dumps(mapping, default=clearing))
    again = _json.make_encoder({}, lambda o: again(o, 0), _json.encode_basestring, None, ":", ",", False, False, True)
    quiet(lambda: again([object()], 0))

    def drop(o):
        markers.clear()
        return [1, [2]]
    markers = {}
    encoder = _json.make_encoder(markers, drop, lambda s: quiet(markers.clear) or '""', None, ":", ",", False, False, True)
    quiet(lambda: encoder([[object(), "x"], {"a": object()}], 0))
    deep = o = []
    for _ in range(60):
        o.append([])
        o = o[0]
    o.append(object())
    quiet(lambda: encoder(deep, 0))
    o[0] = deep
    try:
        json.dumps(deep)
    except ValueError as e:
        assert "Circular" in str(e)
    else:
        raise AssertionError("no circle found")

    def pairs(p):
        p.clear()
        return p
    for hook in ({"object_pairs_hook": pairs}, {"object_hook": lambda d: d.clear()}, {"parse_int": lambda s: 1 / 0}, {"parse_float": int}, {"object_hook": dict.fromkeys}):
        quiet(lambda: json.loads('[{"a": 1, "b": [1.5, {"c": {}}]}, {"a": 2}]', **hook))


def decimals():
    D, C = decimal.Decimal, decimal.Context
    rng = random.Random(3)
    numbers = [D("0"), D("-0"), D("1"), D("1.10"), D("-7e5"), D("1e-999999"), D("9" * 300), D("inf"), D("-inf"), D("nan"), D("snan12"), D("1e999999"), 0, -1, 10 ** 100]
    contexts = [C(prec=p, Emin=-e, Emax=e, clamp=c, traps=[]) for p in (1, 5, 60) for e in (0, 3, 999999) for c in (0, 1)]
    names = [n for n in dir(C) if not n.startswith("_") and callable(getattr(C, n)) and n not in ("power", "exp", "ln", "log10", "sqrt")]
    for c in contexts:
        for name in names:
            method = getattr(c, name)
            for _ in range(3):
                for n in range(4):
                    quiet(lambda: method(*(rng.choice(numbers) for _ in range(n))))
    c = decimal.Context(prec=20, traps=[])
    with decimal.localcontext(c):
        for a in numbers:
            for f in (hash, str, repr, int, float, complex, round, bool, abs, lambda x: x.as_tuple(), lambda x: +x, lambda x: -x, lambda x: x == 1.5, lambda x: x < 2,
                      lambda x: round(x, 3), lambda x: format(x, "10.3f"), lambda x: format(x, ",.2e"), lambda x: format(x, "\0>20"), lambda x: x.quantize(D("1.00"))):
                if isinstance(a, D) and abs(a.adjusted()) < 1000:
                    quiet(lambda: f(a))
            for b in numbers:
                for f in (lambda: a + b, lambda: a - b, lambda: a * b, lambda: a / b, lambda: a // b, lambda: a % b, lambda: divmod(a, b), lambda: a < b, lambda: a == b):
                    quiet(f)
    flags = decimal.Context().flags
    for f in (lambda: len(flags), lambda: list(flags), lambda: repr(flags), lambda: flags[decimal.Inexact], lambda: flags == {}, lambda: flags.copy()):
        quiet(f)                                # its context is gone

    class Sub(D):
        pass
    assert type(Sub(3) + 1) is D and Sub("1.5") == D("1.5") and hash(Sub(7)) == 7

    class Bad:
        numerator = denominator = property(lambda s: 1 / 0)
    __import__("numbers").Rational.register(Bad)
    quiet(lambda: D(1) < Bad())
    for n in (0, 1, -1, 5 ** 60, -2 ** 64, 2 ** 63, -2 ** 63, 10 ** 400, 2 ** 2000 + 1):
        assert int(D(n)) == n and D(n).as_integer_ratio() == (n, 1) and hash(D(n)) == hash(n)
    for x in (0.1, -1e-300, 1e300, 2.0 ** -1074, 3.5, -0.0, 123456789.125):
        assert float(D(x)) == x and hash(D(x)) == hash(x) and D.from_float(x) == x and D(x).as_integer_ratio() == x.as_integer_ratio()


for check in (documents, hooks, decimals):
    check()
print("OK")
