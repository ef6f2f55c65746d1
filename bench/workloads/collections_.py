"""Lists, dicts, sets, sorting, and the modules around them."""
import bisect
import collections
import copy
import functools
import heapq
import itertools
import operator
import pickle
from pyperf import Runner

NUMBERS = [i * 7919 % 100003 for i in range(5000)]
NAMES = ["name%d" % n for n in NUMBERS]


def dict_churn():
    d = {}
    for n in NUMBERS:
        d[n] = n
    for n in NUMBERS[::2]:
        del d[n]
    for i, s in enumerate(NAMES):
        d[s] = i
    total = 0
    for k, v in d.items():
        total += v
    return total, len({v: k for k, v in d.items()}), sum(d.values()), len(list(d)), d.pop("zz", None)


def dict_tuples():
    grid = {(x, y): x * y for x in range(60) for y in range(60)}
    total = 0
    for x in range(1, 59):
        for y in range(1, 59):
            total += grid[x - 1, y] + grid[x + 1, y]
    return total


def set_churn():
    a, b = set(NUMBERS), set()
    for n in NUMBERS:
        b.add(n // 3)
        if n in a:
            b.discard(n // 5)
    return len(a & b), len(a | b), len(a - b), len(a ^ b), len({n % 100 for n in NUMBERS})


def sort_plain():
    return sorted(NUMBERS)[0], sorted(NAMES)[0], sorted([n / 7 for n in NUMBERS])[0], sorted(NUMBERS, reverse=True)[0]


def sort_key():
    pairs = list(zip(NUMBERS, NAMES))
    return (sorted(pairs, key=lambda p: p[1])[0], sorted(pairs, key=operator.itemgetter(0))[0], sorted(pairs)[0],
            max(pairs, key=lambda p: -p[0]), sorted(NAMES, key=len)[0])


def comprehensions():
    a = [n * 2 for n in NUMBERS if n % 3]
    b = [x for row in ([i, i + 1] for i in range(1000)) for x in row]
    c = {n: str(n) for n in NUMBERS}
    return len(a), len(b), len(c), [(i, x) for i, x in enumerate(a)][-1], [x + y for x, y in zip(a, b)][-1]


def slices():
    out, data = 0, list(range(1000))
    for i in range(0, 1000):
        part = data[i:i + 10]
        out += len(part) + data[-1]
        data[i:i + 2] = [i, i]
    stack = []
    for i in range(5000):
        stack.append(i)
        if i % 3 == 0:
            stack.pop()
    return out, len(stack), stack[-1], data.index(500), stack.count(4)


def tuples():
    total = 0
    for i in range(10000):
        a, b, c = i, i + 1, (i, i)
        x, *rest = (a, b, c)
        total += a + b + c[0] + len(rest)
    return total


def counting():
    c = collections.Counter(n % 50 for n in NUMBERS)
    d = collections.defaultdict(list)
    for n in NUMBERS:
        d[n % 97].append(n)
    o = collections.OrderedDict.fromkeys(NAMES)
    o.move_to_end(NAMES[0])
    return c.most_common(2), len(d), len(o)


Pair = collections.namedtuple("Pair", "left right")


def namedtuples():
    pairs = [Pair(n, -n) for n in NUMBERS]
    return sum(p.left - p.right for p in pairs), pairs[0]._replace(left=1)


def queues():
    q, h = collections.deque(), []
    for n in NUMBERS:
        q.append(n)
        heapq.heappush(h, n)
        if n % 3 == 0:
            q.popleft()
    s = []
    for n in NUMBERS[:1000]:
        bisect.insort(s, n)
    return len(q), [heapq.heappop(h) for _ in range(1000)][-1], s[0]


def iterators():
    return (sum(itertools.chain(NUMBERS, range(1000))), len(list(itertools.permutations(range(6)))),
            sum(1 for _ in itertools.combinations(range(20), 3)), len(list(itertools.groupby(NUMBERS, lambda n: n % 2))),
            sum(map(operator.mul, NUMBERS, itertools.count())), functools.reduce(operator.add, NUMBERS),
            sum(filter(None, itertools.islice(itertools.cycle(NUMBERS), 3000))), any(n < 0 for n in NUMBERS), all(map(str, NUMBERS)))


@functools.lru_cache(maxsize=None)
def binomial(n, k):
    return 1 if k == 0 or n == k else binomial(n - 1, k) + binomial(n - 1, k - 1)


def caching():
    binomial.cache_clear()
    return binomial(60, 30)


def copying():
    data = {"a": [1, 2, {"b": (3, 4)}], "c": list(range(50)), "d": {str(i): [i] for i in range(50)}}
    return len(copy.deepcopy(data)), len(pickle.loads(pickle.dumps(data)))


def queens(n=6):
    return sum(1 for v in itertools.permutations(range(n))
               if n == len(set(v[i] + i for i in range(n))) == len(set(v[i] - i for i in range(n))))


r = Runner()
for f in (dict_churn, dict_tuples, set_churn, sort_plain, sort_key, comprehensions, slices, tuples, counting, namedtuples, queues, iterators,
          caching, copying, queens):
    r.bench_func("collections_" + f.__name__.strip("_"), f)
