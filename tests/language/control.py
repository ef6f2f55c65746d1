"""Patterns, comprehensions, closures, generators, f-strings, arguments."""
def match(x):
    match x:
        case [1, *rest]: return ("list", rest)
        case {"k": v, **more}: return ("map", v, more)
        case str() as s if len(s) > 2: return ("str", s)
        case int(n) | float(n): return ("num", n)
        case _: return None
print([match(x) for x in ([1, 2, 3], {"k": 1, "z": 2}, "abc", "a", 7, 2.5, None)])
fs = [lambda i=i: i * i for i in range(4)]
print([f() for f in fs], {k: v for k, v in zip("ab", range(2))}, {x % 3 for x in range(9)})
def counter():
    n = 0
    def inc(by=1, /, *, twice=False):
        nonlocal n
        n += by * (2 if twice else 1)
        return n
    return inc
c = counter(); c(); c(2, twice=True); print(c())
for call in (lambda: c(by=1), lambda: c(1, 2), lambda: c(twoce=True)):
    try: call()
    except TypeError as e: print(e)
def g():
    got = yield from (i for i in range(2))
    x = yield got
    return x
it = g(); print(next(it), next(it), next(it))
try: it.send("end")
except StopIteration as e: print(e.value)
w, v = 10, 3.14159
print(f"{v:{w}.3f}|{v!r:>12}|{'x':^5}|{w=}|{1_000_000:,}|{255:#x}")
type Pair[T] = tuple[T, T]
def first[T](p: Pair[T]) -> T: return p[0]
print(first((1, 2)), first.__type_params__, Pair.__value__)
print(sorted([3, 1, 2], key=lambda x: -x), 7 // -2, -7 % 3, 2 ** 100, 1e16, 0.1 + 0.2)
