"""attrs, sortedcontainers, more-itertools and dateutil: classes made at run time, sorted collections, iterators, dates."""
import collections
import datetime
import inspect
import pickle
import random
import typing

import attr
import attrs
import more_itertools
import sortedcontainers
from dateutil import easter, parser, relativedelta, rrule, tz


def attempt(f, *args, **keywords):
    try:
        print("  ", repr(f(*args, **keywords)))
    except Exception as e:
        print("  ", type(e).__name__, e)


@attrs.define(order=True)
class Point:
    x: int = attrs.field(converter=int, validator=attrs.validators.ge(0))
    y: int = attrs.field(default=attrs.Factory(lambda self: self.x * 2, takes_self=True))
    tags: list = attrs.field(factory=list, eq=False, repr=len, metadata={"doc": "names"})

    @y.validator
    def _small(self, attribute, value):
        if value > 100:
            raise ValueError("%s too large" % attribute.name)


@attrs.frozen(kw_only=True)
class Config:
    name: str = attrs.field(validator=[attrs.validators.instance_of(str), attrs.validators.matches_re(r"\w+")])
    level: typing.Optional[int] = None
    hooks: tuple = attrs.field(factory=tuple, converter=tuple)

    def __attrs_post_init__(self):
        if self.name == "bad":
            raise RuntimeError("bad name")


@attr.s(auto_attribs=True, slots=True, cache_hash=True, frozen=True)
class Old:
    a: int
    b: str = attr.ib(default="x", on_setattr=None)


def classes():
    p = Point("3", tags=["a", "b"])
    print(p, p == Point(3), p < Point(4), attrs.asdict(p), attrs.astuple(p), attrs.evolve(p, y=7), Point.__slots__, Point.__match_args__)
    print(inspect.signature(Point), inspect.signature(Config), attrs.fields(Point).tags.metadata["doc"])
    for call in (lambda: Point(-1), lambda: Point(60), lambda: Point("q"), lambda: Config(name=5), lambda: Config(name="!"), lambda: Config(name="bad"),
                 lambda: Config("n"), lambda: setattr(Config(name="n"), "level", 3), lambda: setattr(p, "x", -5), lambda: setattr(p, "z", 1), lambda: Old()):
        attempt(call)
    print(Config(name="n", hooks=[1]), hash(Config(name="n")) == hash(Config(name="n")), hash(Old(1)) == hash(Old(1)), pickle.loads(pickle.dumps(Old(1, "é"))))
    Made = attrs.make_class("Made", {"v": attrs.field(default=5), "w": attrs.field(default=None)}, bases=(Point,))
    print(Made(1), [f.name for f in attrs.fields(Made)], attrs.has(Made), attrs.filters.include(int)(attrs.fields(Made).v, 3))
    match p:
        case Point(3, y):
            print("matched", y)


def collections_sorted():
    random.seed(9)
    numbers = [random.randrange(10000) for _ in range(6000)]
    s = sortedcontainers.SortedList(numbers)
    s.update(range(0, 500, 7))
    for n in numbers[::3]:
        s.remove(n)
    s._check()
    print(len(s), s[0], s[-1], s[1000:1010], s.bisect(5000), s.count(7), list(s.irange(100, 120)), list(s.islice(5, 9)))
    d = sortedcontainers.SortedDict(lambda k: -k, {n: str(n) for n in numbers})
    print(len(d), d.peekitem(0), d.popitem(), d.keys()[:3], list(d.irange(9000, 8990)), d.index(numbers[0]) >= 0)
    t = sortedcontainers.SortedSet(numbers[:50], key=abs)
    print(t[:5], len(t & set(numbers[25:])), t.isdisjoint([1]), pickle.loads(pickle.dumps(t)) == t)
    by_key = sortedcontainers.SortedKeyList(["pear", "fig", "banana", "kiwi"], key=len)
    by_key.add("date")
    print(by_key, list(by_key.irange_key(4, 5)))
    attempt(s.remove, 10**9)
    attempt(lambda: s.insert(0, 1))
    attempt(lambda: sortedcontainers.SortedList([1, "a"]))


def iterators():
    m = more_itertools
    print(list(m.chunked(range(7), 3)), list(m.windowed("abcd", 3)), m.partition(str.isupper, "aBcD")[1].__next__(), list(m.collapse([1, [2, [3, "ab"]]])))
    print(m.consume(iter(range(3))), list(m.interleave_longest([1, 2], "abc")), m.ilen(range(50)), list(m.split_at("one two".split() + list("xy"), lambda s: s == "x")))
    peek = m.peekable(range(5))
    print(peek.peek(), next(peek), peek[1:3], bool(peek), list(m.run_length.encode("aaabb")), m.first([], "none"), m.one([4]), list(m.sliding_window(range(4), 2)))
    bucket = m.bucket("a1b2c3", key=str.isdigit)
    print(sorted(bucket), list(bucket[True]), m.map_reduce(range(6), lambda n: n % 2, reducefunc=sum), list(m.distinct_permutations("aab")), m.nth_permutation(range(5), 3, 40))
    print(m.exactly_n([1, 0, 1], 2), list(m.set_partitions("abc", 2)), m.minmax([3, 1, 2]), list(m.locate([0, 1, 1])), list(m.powerset("ab")), m.sieve(30).__next__())
    attempt(m.one, [1, 2])
    attempt(m.only, "ab")
    attempt(lambda: list(m.zip_equal([1], [1, 2])))
    seen = m.seekable(iter("hello"))
    print("".join(seen), seen.seek(1), next(seen), m.spy(range(9), 2)[0], list(m.stagger([1, 2, 3]))[:2], collections.Counter(m.random_product("ab", "ab")).total())


def dates():
    for text in ("2024-02-29T10:11:12.5+05:30", "Feb 3, 2021 4pm", "3rd of May 2001", "10/11/12", "Thu Sep 25 10:36:28 2003", "20240101T1200Z", "yesterday", "32 Jan"):
        attempt(parser.parse, text, default=datetime.datetime(2020, 1, 1), tzinfos={"BRST": -7200})
    print(parser.isoparse("2024-W05-3"), easter.easter(2024), relativedelta.relativedelta(datetime.date(2024, 3, 31), datetime.date(2023, 2, 28)))
    print(datetime.date(2024, 1, 31) + relativedelta.relativedelta(months=1), datetime.date(2024, 1, 1) + relativedelta.relativedelta(weekday=relativedelta.FR(-1)))
    rule = rrule.rrule(rrule.MONTHLY, count=5, byweekday=rrule.FR(-1), dtstart=datetime.datetime(2024, 1, 1))
    print([d.strftime("%d %b") for d in rule], str(rule).splitlines()[-1], rule.before(datetime.datetime(2024, 3, 1)))
    s = rrule.rrulestr("DTSTART:20240101T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20240301\nEXDATE:20240118T090000")
    print(len(list(s)), [d.isoformat() for d in s][:3])
    zone = tz.tzstr("CET-1CEST,M3.5.0,M10.5.0/3")
    t = datetime.datetime(2024, 10, 27, 2, 30, tzinfo=zone)
    print(t.utcoffset(), tz.enfold(t, 1).utcoffset(), tz.datetime_ambiguous(t), tz.datetime_exists(datetime.datetime(2024, 3, 31, 2, 30, tzinfo=zone)), tz.UTC, zone)


for part in (classes, collections_sorted, iterators, dates):
    print("==", part.__name__)
    part()
