"""Control flow: calls of every kind, exceptions, generators, coroutines, context managers, matching, imports of code."""
import asyncio
import contextlib
from pyperf import Runner


class Failure(Exception):
    pass


def raising(n):
    if n % 3 == 0:
        raise Failure(n)
    if n % 3 == 1:
        raise ValueError("value %d" % n)
    return n


def exceptions():
    caught = 0
    for i in range(5000):
        try:
            caught += raising(i)
        except Failure as e:
            caught += e.args[0]
        except (KeyError, ValueError):
            caught += 1
        finally:
            caught += 1
    return caught


def missing():
    d, n = {"a": 1}, 0
    for i in range(5000):
        try:
            d["b"]
        except KeyError:
            n += 1
        try:
            d.nothing
        except AttributeError:
            n += 1
        n += getattr(d, "zz", 1) + hasattr(d, "keys")
    return n


def numbers(n):
    i = 0
    while i < n:
        yield i
        i += 1


def evens(it):
    for x in it:
        if x % 2 == 0:
            yield x


def walk(tree):
    if tree:
        yield from walk(tree[0])
        yield tree[1]
        yield from walk(tree[2])


def build(lo, hi):
    if lo >= hi:
        return None
    mid = (lo + hi) // 2
    return build(lo, mid), mid, build(mid + 1, hi)


def generators():
    total = sum(evens(numbers(10000))) + sum(x * x for x in numbers(5000))
    g = numbers(3000)
    for x in g:
        total += next(g, 0) + x
    return total


def delegation():
    tree = build(0, 500)
    return sum(x for _ in range(4) for x in walk(tree))


def sending():
    def averager():
        total = count = 0
        value = yield
        while True:
            total += value
            count += 1
            value = yield total / count
    a = averager()
    next(a)
    out = 0.0
    for i in range(5000):
        out += a.send(i)
    a.close()
    return out


def takes(a, b=2, *args, c=3, **kw):
    return a + b + c + len(args) + len(kw)


def keywords():
    n, extra, args = 0, {"d": 4}, (1, 2, 3)
    for i in range(4000):
        n += takes(i) + takes(i, b=1) + takes(i, 1, 2, 3) + takes(a=i, c=1) + takes(*args) + takes(i, **extra)
    return n


def closures():
    def counter(step):
        n = 0

        def up(k=1):
            nonlocal n
            n += step * k
            return n
        return up
    ups = [counter(i) for i in range(10)]
    for _ in range(1500):
        for up in ups:
            up()
    return ups[3](), (lambda f: f(f, 15))(lambda f, n: 1 if n < 2 else f(f, n - 1) + f(f, n - 2))


def decorated():
    def double(f):
        def wrapper(*args, **kwargs):
            return f(*args, **kwargs) * 2
        return wrapper

    @double
    @double
    def add(a, b):
        return a + b
    return sum(add(i, b=1) for i in range(4000))


class Guard:
    depth = 0

    def __enter__(self):
        self.depth += 1
        return self

    def __exit__(self, *exc):
        self.depth -= 1
        return False


@contextlib.contextmanager
def scope(n):
    yield n


def contexts():
    g, n = Guard(), 0
    for i in range(4000):
        with g as h:
            n += h.depth
    for i in range(1000):
        with scope(i) as k, contextlib.suppress(ValueError):
            n += k
    return n


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def recursion():
    return ackermann(2, 30)


def hanoi():
    def move(n, a, b, c):
        if n:
            move(n - 1, a, c, b)
            c.append(a.pop())
            move(n - 1, b, a, c)
    a, b, c = list(range(11)), [], []
    move(11, a, b, c)
    return len(c)


async def child(n):
    if n % 10 == 0:
        await asyncio.sleep(0)
    return n


async def parent():
    total = 0
    for i in range(1000):
        total += await child(i)
    results = await asyncio.gather(*(child(i) for i in range(200)))
    return total + sum(results)


def coroutines():
    return asyncio.run(parent())


def matching():
    total = 0
    for command in [("go", 3), ("stop",), {"x": 1, "y": 2}, [1, 2, 3], "text", 5] * 600:
        match command:
            case ("go", n):
                total += n
            case ("stop",):
                total += 1
            case {"x": x, "y": y}:
                total += x + y
            case [a, *rest]:
                total += a + len(rest)
            case str():
                total += 7
            case _:
                total += 9
    return total


SOURCE = "def f(a, b=1):\n    return [x + a for x in range(b)]\n\nclass C:\n    def m(self):\n        if self.x:\n            return {'k': f(1, 2)}\n" * 20


def compiling():
    space = {}
    exec(compile(SOURCE, "<bench>", "exec"), space)
    return sum(eval("a + b * %d" % i, {"a": 1, "b": 2}) for i in range(30)), [type("T%d" % i, (), {"a": 1}) for i in range(50)][-1].a


r = Runner()
for f in (exceptions, missing, generators, delegation, sending, keywords, closures, decorated, contexts, recursion, hanoi, coroutines, matching,
          compiling):
    r.bench_func("control_" + f.__name__, f)
