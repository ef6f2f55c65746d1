"""Objects that hold objects that hold objects, of every type, freed in threads with small stacks: nothing may overflow them."""
import ast
import asyncio
import collections
import contextvars
import csv
import dataclasses
import datetime
import functools
import gc
import itertools
import json
import operator
import queue
import sys
import threading
import types
import typing
import warnings
import weakref

TRACE = len(sys.argv) > 1
LENGTH, STACKS = 20000, (32 << 10, 256 << 10)
loop = asyncio.new_event_loop()
variable = contextvars.ContextVar("variable")


class Plain:
    def __init__(self, held):
        self.held = held

    def method(self):
        pass


class Slotted:
    __slots__ = "held",

    def __init__(self, held):
        self.held = held


class Dying(Plain):
    def __del__(self):
        pass


class List(list):
    pass


class Dict(dict):
    pass


class Zone(datetime.tzinfo):
    def __init__(self, held):
        self.held = held

    def utcoffset(self, moment):
        return None


@dataclasses.dataclass(slots=True)
class Data:
    held: object


Pair = collections.namedtuple("Pair", "held other")


def generator(held):
    yield held


def started(held):
    def body():
        kept = held
        yield 1
        del kept
    made = body()
    next(made)
    return made


async def coroutine(held):
    pass


async def async_generator(held):
    yield held


def attribute(thing, name, held):
    setattr(thing, name, held)
    return thing


def raised(held):
    try:
        raise ValueError(held)
    except ValueError as e:
        return e


def future(held):
    made = asyncio.Future(loop=loop)
    made.set_result(held)
    return made


def in_context(held):
    context = contextvars.copy_context()
    return context, context.run(variable.set, held)


def queued(held):
    made = queue.SimpleQueue()
    made.put(held)
    return made


def error_in(held):
    return held if isinstance(held, Exception) else None


KINDS = """
    [x]  (x,)  {"a": x}  {1: x}  frozenset((x,))  List([x])  Dict(a=x)  Plain(x)  Slotted(x)  Dying(x)  Data(x)  Pair(x, 1)  slice(x, 1)  Plain(x).__dict__
    Plain(x).method  [x].__len__  iter([x])  iter((x,))  reversed([x])  enumerate((x,))  zip((x,))  map(str, (x,))  filter(None, (x,))  iter(len, x)
    generator(x)  started(x)  coroutine(x)  async_generator(x)  aiter(async_generator(x))  anext(async_generator(x))  (lambda held: lambda: held)(x)
    lambda held=x: held  functools.partial(print, x)  functools.partial(print, a=x)  functools.lru_cache(lambda held=x: held)  functools.cmp_to_key(x)
    functools.partialmethod(print, x)  property(x)  staticmethod(x)  classmethod(x)  types.MethodType(print, x or 1)  types.SimpleNamespace(held=x)
    types.MappingProxyType({"a": x})  types.CellType(x)  types.GenericAlias(list, (x,))  attribute(types.ModuleType("m"), "held", x)
    collections.deque([x])  collections.OrderedDict(a=x)  collections.defaultdict(None, a=x)  {"a": x}.values()  iter({"a": x}.items())  iter({"a": x}.values())
    itertools.chain((x,))  itertools.chain(x or ())  itertools.chain.from_iterable(iter((x,)))  itertools.cycle((x,))  itertools.repeat(x)
    itertools.islice(iter((x,)), 3)  itertools.starmap(print, (x,))  itertools.takewhile(None, (x,))  itertools.dropwhile(None, (x,))  itertools.compress((x,), (x,))
    itertools.accumulate((x,))  itertools.groupby((x,))  itertools.tee(iter((x,)))[0]  itertools.product((x,))  itertools.permutations((x,))
    itertools.combinations((x,), 1)  itertools.zip_longest((x,))  itertools.pairwise((x,))  itertools.batched((x,), 1)  itertools.filterfalse(None, (x,))
    operator.itemgetter(x)  operator.methodcaller("a", x)  ValueError(x)  raised(x)  attribute(ValueError(), "__cause__", error_in(x))
    attribute(ValueError(), "__context__", error_in(x))  ExceptionGroup("", [error_in(x) or ValueError()])  sys._getframe()  weakref.ref(Plain, x)
    contextvars.ContextVar("a", default=x)  in_context(x)  future(x)  ast.Expr(x)  memoryview(x or b"abc")  csv.reader(iter((x,)))  queued(x)
    datetime.time(1, tzinfo=Zone(x))  datetime.datetime(2000, 1, 1, tzinfo=Zone(x))  json.JSONEncoder(default=x)  json.decoder.JSONDecoder(object_hook=x)
    typing.TypeVar("T", bound=x)  typing.TypeVar("T", default=x)  typing.TypeAliasType("T", x)  super(Plain, Plain(x))
"""


def chain(source, length):
    make = eval("lambda x: " + source)
    held = None
    for _ in range(length):
        held = make(held)


def main():
    warnings.simplefilter("ignore")
    kinds = [kind for line in KINDS.strip().splitlines() for kind in line.strip().split("  ")]
    for size in STACKS:
        threading.stack_size(size)
        for source in kinds:
            if TRACE: print(size, source, flush=True)
            thread = threading.Thread(target=chain, args=(source, LENGTH))
            thread.start()
            thread.join()
    gc.collect()
    print("OK")


main()
