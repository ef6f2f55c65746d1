"""Unbounded recursion of every kind ends in RecursionError, never in a crash."""
def expect(f, *kinds):
    try: f()
    except kinds or RecursionError: return
    raise AssertionError("no exception: %r" % f)
def plain(): plain()
class R:
    def __repr__(self): return repr(self)
    def __eq__(self, o): return self == o
    def __hash__(self): return hash(self)
    def __getattr__(self, n): return getattr(self, n + "x")
    def __call__(self): return self()
    def __iter__(self): return iter(self)
r = R()
for f in (plain, lambda: repr(r), lambda: r == 1, lambda: hash(r), lambda: r.x, lambda: r(), lambda: iter(r)): expect(f)
l = []
for _ in range(200000): l = [l]
expect(lambda: repr(l)); expect(lambda: l == [l])
del l                                              # destroying it must not recurse either
t = ()
for _ in range(200000): t = (t,)
expect(lambda: hash(t)); del t

import functools, itertools, threading, types
def nest(f, x):
    for _ in range(60000): x = f(x)
    return x
def wrappers():
    """Each level needs little stack: a small one shows it."""
    for f in (enumerate, zip, itertools.chain, itertools.cycle, itertools.accumulate, itertools.groupby, itertools.zip_longest,
              functools.partial(map, abs), functools.partial(filter, None), functools.partial(itertools.takewhile, abs),
              lambda x: itertools.islice(x, 3), lambda x: itertools.chain(itertools.pairwise(x)), lambda x: itertools.batched(x, 1),
              lambda x: itertools.compress(x, itertools.repeat(1)), lambda x: itertools._tee(itertools.islice(x, 2))):
        expect(lambda: next(nest(f, iter([1, 2]))))
    method = nest(lambda x: types.MethodType(x, 1), len)
    expect(method); expect(lambda: method.missing); del method
    expect(lambda: hash(nest(lambda x: list[x], int))); expect(lambda: hash(nest(slice, 1)))
    expect(lambda: nest(staticmethod, int).__isabstractmethod__); expect(lambda: nest(property, int).__isabstractmethod__)
    done.append(True)
done = []
threading.stack_size(1 << 20)
thread = threading.Thread(target=wrappers)
thread.start(); thread.join(); assert done
threading.stack_size(0)
expect(lambda: eval("(" * 500 + ")" * 500), SyntaxError, MemoryError, RecursionError)
expect(lambda: eval("-" * 100000 + "1"), RecursionError, MemoryError, SyntaxError)
print("OK")
