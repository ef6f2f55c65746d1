"""hypothesis: strategies, shrinking of failures to their smallest form, stateful machines; derandomised."""
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import re
import typing
import warnings
from contextlib import redirect_stdout

import hypothesis
from hypothesis import HealthCheck, Phase, assume, example, find, given, note, settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

settings.register_profile("page", derandomize=True, database=None, deadline=None, max_examples=60, print_blob=False, suppress_health_check=list(HealthCheck))
settings.load_profile("page")


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


@dataclasses.dataclass(order=True)
class Item:
    name: str
    price: int
    tags: typing.List[Colour] = dataclasses.field(default_factory=list)


class Stack(RuleBasedStateMachine):
    """A stack that loses an element when it grows beyond three."""
    values = Bundle("values")

    def __init__(self):
        super().__init__()
        self.model, self.real = [], []

    @rule(target=values, x=st.integers(0, 9))
    def make(self, x):
        return x

    @rule(x=values)
    def push(self, x):
        self.model.append(x)
        if len(self.real) < 3 or x != 2:
            self.real.append(x)

    @precondition(lambda self: self.model)
    @rule()
    def pop(self):
        assert self.model.pop() == self.real.pop()

    @invariant()
    def agrees(self):
        assert len(self.model) == len(self.real)


def attempt(what, f, *args):
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            f(*args)
        result = "passes"
    except BaseException as e:
        result = "%s: %s %s" % (type(e).__name__, e, "\n  ".join([""] + getattr(e, "__notes__", [])))
        for sub in getattr(e, "exceptions", ()):
            result += "\n  %r %s" % (sub, getattr(sub, "__notes__", []))
    print("==", what, "->", re.sub(r"0x[0-9a-f]+", "0x...", result), out.getvalue())


def smallest(what, strategy, condition):
    try:
        print("smallest", what, "=", repr(find(strategy, condition, settings=settings(max_examples=300))))
    except Exception as e:
        print("smallest", what, type(e).__name__, e)


def main():
    print("hypothesis", hypothesis.__version__)
    seen = []
    strategies = {
        "integers": st.integers(), "bounded": st.integers(-5, 300), "floats": st.floats(allow_nan=False), "width": st.floats(0, 1, width=32), "text": st.text(), "ascii": st.text("abc", min_size=2),
        "binary": st.binary(max_size=8), "lists": st.lists(st.integers(0, 9), max_size=5), "unique": st.lists(st.integers(0, 9), unique=True, min_size=3), "sets": st.frozensets(st.sampled_from("xyz")),
        "dicts": st.dictionaries(st.text(max_size=2), st.none() | st.booleans(), max_size=3), "tuples": st.tuples(st.just(1), st.characters(categories=["Lu"])), "one_of": st.one_of(st.integers(), st.text(max_size=3)),
        "dates": st.dates(datetime.date(2000, 1, 1)), "datetimes": st.datetimes(), "timedeltas": st.timedeltas(), "decimals": st.decimals(places=2, min_value=0, max_value=99), "fractions": st.fractions(max_denominator=9),
        "complex": st.complex_numbers(max_magnitude=10), "regex": st.from_regex(r"[a-f]{2,4}-\d+(x|y)?", fullmatch=True), "uuids": st.uuids(), "emails": st.emails(), "slices": st.slices(10), "permutations": st.permutations(range(4)),
        "recursive": st.recursive(st.booleans(), lambda c: st.lists(c, max_size=3), max_leaves=6), "type": st.from_type(Item), "builds": st.builds(Item, st.text(max_size=1), price=st.integers(1, 3)), "typing": st.from_type(typing.Dict[str, typing.Optional[Colour]]),
        "shared": st.tuples(st.shared(st.integers(), key="k"), st.shared(st.integers(), key="k")), "map": st.integers(0, 50).map(lambda x: x * 2).filter(lambda x: x % 3), "flatmap": st.integers(1, 3).flatmap(lambda n: st.lists(st.just(n), min_size=n, max_size=n)),
        "data": st.fixed_dictionaries({"a": st.integers(0, 3)}, optional={"b": st.text(max_size=1)}), "functions": st.functions(like=lambda x: None, returns=st.integers()), "deferred": st.deferred(lambda: st.booleans()),
        "timezones": st.just(datetime.timezone.utc), "ip": st.ip_addresses(v=4), "bool": st.booleans(), "nothing": st.nothing() | st.just(0), "iterables": st.iterables(st.integers(0, 1), max_size=2).map(list),
    }
    for name, strategy in strategies.items():
        seen = []

        @settings(max_examples=12)
        @given(strategy)
        def collect(value):
            seen.append(repr(value))
        collect()
        print(name, strategy if "lambda" not in repr(strategy) else "", re.sub(r"0x[0-9a-f]+", "0x...", str(seen)))

    smallest("list with big sum", st.lists(st.integers()), lambda x: sum(x) >= 100)
    smallest("unsorted", st.lists(st.integers()), lambda x: x != sorted(x))
    smallest("text", st.text(), lambda s: len(s) > 3 and s != s.upper())
    smallest("float", st.floats(), lambda x: x != x or x > 1e10)
    smallest("string with digit", st.from_regex(r"\A[a-z]+\d\Z"), lambda s: len(s) > 4)
    smallest("nested", st.recursive(st.integers(0, 3), lambda c: st.lists(c, min_size=1)), lambda x: "[[" in str(x))
    smallest("date", st.dates(), lambda d: d.weekday() == 4 and d.month == 2)
    smallest("never", st.integers(0, 5), lambda x: x > 9)

    @given(st.lists(st.integers()), st.integers())
    @example([5, 5], 5)
    def remove_all(xs, x):
        if x in xs:
            xs = list(xs)
            xs.remove(x)
        assert x not in xs

    @given(st.integers(), st.integers())
    def two_bugs(a, b):
        note("a + b = %d" % (a + b))
        if a > 1000:
            raise ValueError("a")
        if b < -500:
            raise KeyError("b")

    @given(st.data())
    def draws(data):
        n = data.draw(st.integers(1, 100), label="n")
        xs = data.draw(st.lists(st.integers(0, n), min_size=1))
        assert max(xs) < 70

    @given(x=st.integers(), y=...)
    def inferred(x: int, y: typing.List[bool]):
        assume(y)
        assert not all(y) or x < 10

    @given(st.integers())
    @settings(phases=[Phase.generate])
    def no_shrink(x):
        assert x * 0 == 0

    @given(st.text())
    def roundtrip(s):
        assert s.encode("utf-8").decode("utf-8") == s
        assert repr(s) == repr(eval(repr(s)))

    @given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False))
    def associative(a, b, c):
        assume(abs(a) < 1e6 and abs(b) < 1e6 and abs(c) < 1e6)
        assert (a + b) + c == a + (b + c)

    @given(st.fractions(), st.decimals(allow_nan=False, allow_infinity=False))
    def exact(f, d):
        assert fractions.Fraction(str(f)) == f and decimal.Decimal(repr(d)[9:-2]) == d

    @given(st.integers())
    def flaky(x, state=[0]):
        state[0] += 1
        assert state[0] != 5

    for test in (remove_all, two_bugs, draws, inferred, no_shrink, roundtrip, associative, exact, flaky):
        attempt(test.__name__, test)
    attempt("stateful", run_state_machine_as_test, Stack)
    attempt("bad strategy", given(st.integers(5, 1))(lambda x: None))
    attempt("no arguments", given()(lambda: None))
    attempt("unsatisfiable", settings(suppress_health_check=[])(given(st.integers().filter(lambda x: False))(lambda x: None)))


warnings.simplefilter("ignore")
main()
