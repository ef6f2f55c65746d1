"""The texts of wrong calls: number and kinds of arguments, for every kind of callable."""
import collections
import datetime
import decimal
import functools
import io
import itertools
import json
import math
import operator
import os
import re
import struct
import time


def say(label, call):
    try:
        result = call()
    except BaseException as e:
        print(f"{label}: {type(e).__name__}: {e}")
    else:
        print(f"{label}: returned {type(result).__name__}")


def f0(): pass
def f1(a): pass
def f2(a, b=1): pass
def f3(a, b, /, c, *, d, e=5): pass
def f4(*args, k): pass
def f5(a, /, **kw): pass
def f6(*, x, y, z): pass
def f7(a, b, c, d): pass


class Plain: pass
class Init:
    def __init__(self, a): pass
class New:
    def __new__(cls, a): return object.__new__(cls)
class Both:
    def __new__(cls, *a, **k): return object.__new__(cls)
    def __init__(self, a, *, b): pass
class NewOnlyExtra:
    def __new__(cls, *a, **k): return object.__new__(cls, *a, **k)
class InitExtra:
    def __init__(self, *a, **k): super().__init__(*a, **k)
class BothExtra:
    def __new__(cls, *a, **k): return super().__new__(cls, *a, **k)
    def __init__(self, *a, **k): super().__init__(*a, **k)
class Meth:
    def m(self, a): pass
    @classmethod
    def c(cls, a): pass
    @staticmethod
    def s(a): pass
    def __call__(self, a): pass
    def __getitem__(self, k, extra): pass
    def __len__(self): return "x"
    def __bool__(self): return 3
    def __iter__(self): return 5
    def __index__(self): return "1"
    def __hash__(self): return "h"
    def __str__(self): return 5
    def __repr__(self): return b""
    def __format__(self, spec): return 5
    def __contains__(self): pass
    def __next__(self, extra): pass
    def __add__(self): pass
    def __enter__(self, x): pass
    def __exit__(self): pass
class InitReturns:
    def __init__(self): return 5
class Slots:
    __slots__ = ("a",)
class MetaCall(type):
    def __call__(cls, a): return super().__call__()
class WithMeta(metaclass=MetaCall): pass
class Sub(int): pass
class Tup(tuple):
    def __init__(self, *a): pass


m = Meth()
kinds = [("function", f1), ("function kw", f5), ("class", Plain), ("class init", Init), ("class new", New), ("class both", Both),
         ("meta call", WithMeta), ("method", m.m), ("classmethod", Meth.c), ("staticmethod", Meth.s), ("instance", m), ("builtin", len),
         ("builtin kw", sorted), ("builtin print", print), ("type", int), ("type dict", dict), ("type list", list), ("object", object),
         ("partial", functools.partial(f1)), ("partial kw", functools.partial(f5, x=1)), ("bound builtin", [].append),
         ("bound builtin kw", [].sort), ("method descriptor", str.upper), ("slot wrapper", int.__add__), ("method-wrapper", (1).__add__),
         ("lambda", lambda: 0), ("type call", type), ("lru_cache", functools.lru_cache(f1)), ("itemgetter", operator.itemgetter(1)),
         ("methodcaller", operator.methodcaller("x")), ("property", property), ("staticmethod type", staticmethod), ("super", super),
         ("exception", ValueError), ("exception import", ImportError), ("namedtuple", collections.namedtuple("N", "a b")), ("range", range), ("enumerate", enumerate), ("zip", zip),
         ("map", map), ("deque", collections.deque), ("OrderedDict", collections.OrderedDict), ("Counter", collections.Counter),
         ("defaultdict", collections.defaultdict), ("StringIO", io.StringIO), ("open", open), ("Decimal", decimal.Decimal),
         ("date", datetime.date), ("Struct", struct.Struct), ("sqrt", math.sqrt), ("reduce", functools.reduce), ("cycle", itertools.cycle),
         ("bytes", bytes), ("str", str), ("float", float), ("complex", complex), ("bool", bool), ("slice", slice), ("set", set),
         ("memoryview", memoryview), ("classmethod type", classmethod), ("generator", (lambda: (yield))), ("simple namespace", type(os.sys.implementation))]
print("== keys of ** that are no strings")
for label, callable in kinds:
    say(label, lambda: callable(**{1: 2}))
    say(label + " after one", lambda: callable(1, **{1: 2}))
    say(label + " with other", lambda: callable(**{"a": 1}, **{None: 2}))
print("== ** that is no mapping, twice the same")
for label, callable in kinds[:20]:
    say(label, lambda: callable(**5))
    say(label + " *", lambda: callable(*5))
    say(label + " twice", lambda: callable(a=1, **{"a": 2}))
    say(label + " twice **", lambda: callable(**{"b": 1}, **{"b": 2}))
print("== unknown keyword")
for label, callable in kinds:
    if label != "builtin print":
        say(label, lambda: callable(nope=1))
        say(label + " after one", lambda: callable(1, nope=1))
print("== too many, too few")
for label, callable in kinds:
    if label not in ("builtin print",):
        say(label + " 0", lambda: callable())
        say(label + " 7", lambda: callable(1, 2, 3, 4, 5, 6, 7))
        say(label + " 1 odd", lambda: callable(3.5))
        say(label + " 2 odd", lambda: callable(m, m))
        say(label + " 3 odd", lambda: callable(m, m, m))
print("== Python functions")
for label, call in [
        ("f0(1)", lambda: f0(1)), ("f0(1,2,3)", lambda: f0(1, 2, 3)), ("f1()", lambda: f1()), ("f1(1, 2)", lambda: f1(1, 2)),
        ("f1(a=1, b=2)", lambda: f1(a=1, b=2)), ("f1(1, a=2)", lambda: f1(1, a=2)), ("f2()", lambda: f2()), ("f2(1,2,3)", lambda: f2(1, 2, 3)),
        ("f2(b=1)", lambda: f2(b=1)), ("f3()", lambda: f3()), ("f3(1)", lambda: f3(1)), ("f3(1,2)", lambda: f3(1, 2)), ("f3(1,2,3)", lambda: f3(1, 2, 3)),
        ("f3(1,2,3,4)", lambda: f3(1, 2, 3, 4)), ("f3(1,2,3,4,d=1)", lambda: f3(1, 2, 3, 4, d=1)), ("f3(1,2,3,4,d=1,e=2)", lambda: f3(1, 2, 3, 4, d=1, e=2)),
        ("f3(a=1,b=2,c=3,d=4)", lambda: f3(a=1, b=2, c=3, d=4)), ("f3(1,b=2,c=3,d=4)", lambda: f3(1, b=2, c=3, d=4)),
        ("f3(1,2,c=3,d=4,zz=1)", lambda: f3(1, 2, c=3, d=4, zz=1)), ("f3(1,2,c=3,d=4,dd=1)", lambda: f3(1, 2, c=3, d=4, dd=1)),
        ("f4()", lambda: f4()), ("f4(1,2)", lambda: f4(1, 2)), ("f4(kk=1)", lambda: f4(kk=1)), ("f5()", lambda: f5()), ("f5(a=1)", lambda: f5(a=1)),
        ("f5(1,2)", lambda: f5(1, 2)), ("f6()", lambda: f6()), ("f6(x=1)", lambda: f6(x=1)), ("f6(1)", lambda: f6(1)), ("f6(1,x=1,y=2,z=3)", lambda: f6(1, x=1, y=2, z=3)),
        ("f7()", lambda: f7()), ("f7(1)", lambda: f7(1)), ("f7(1,2,3)", lambda: f7(1, 2, 3)), ("f7(d=1)", lambda: f7(d=1)),
        ("m.m()", lambda: m.m()), ("m.m(1,2)", lambda: m.m(1, 2)), ("Meth.m()", lambda: Meth.m()), ("Meth.c()", lambda: Meth.c()), ("Meth.s()", lambda: Meth.s()),
        ("m()", lambda: m()), ("m[1]", lambda: m[1]), ("len(m)", lambda: len(m)), ("bool(m)", lambda: bool(m)), ("iter(m)", lambda: iter(m)),
        ("next(m)", lambda: next(m)), ("hash(m)", lambda: hash(m)), ("str(m)", lambda: str(m)), ("repr(m)", lambda: repr(m)), ("format(m)", lambda: format(m)),
        ("f'{m}'", lambda: f"{m}"), ("1 in m", lambda: 1 in m), ("m+1", lambda: m + 1), ("range(m)", lambda: range(m)), ("[][m]", lambda: [1][m]),
        ("int(m)", lambda: int(m)), ("hex(m)", lambda: hex(m)), ("math.sqrt(m)", lambda: math.sqrt(m)), ("'%d' % m", lambda: "%d" % m), ("'%s' % m", lambda: "%s" % m),
        ("InitReturns", lambda: InitReturns()), ("Plain(1)", lambda: Plain(1)), ("Plain(a=1)", lambda: Plain(a=1)), ("NewOnlyExtra(1)", lambda: NewOnlyExtra(1)),
        ("NewOnlyExtra()", lambda: NewOnlyExtra()), ("InitExtra(1)", lambda: InitExtra(1)), ("InitExtra(a=1)", lambda: InitExtra(a=1)), ("BothExtra(1)", lambda: BothExtra(1)),
        ("BothExtra()", lambda: BothExtra()), ("Slots(1)", lambda: Slots(1)), ("Slots().b", lambda: Slots().b), ("Slots().a", lambda: Slots().a),
        ("setattr slots", lambda: setattr(Slots(), "b", 1)), ("Tup(1,2)", lambda: Tup(1, 2)), ("Tup([1])", lambda: Tup([1])), ("Sub('x')", lambda: Sub("x")),
        ("object.__new__()", lambda: object.__new__()), ("object.__new__(1)", lambda: object.__new__(1)), ("object.__new__(int)", lambda: object.__new__(int)),
        ("int.__new__(str)", lambda: int.__new__(str)), ("int.__new__()", lambda: int.__new__()), ("int.__new__(Plain)", lambda: int.__new__(Plain)),
        ("object.__init__()", lambda: object.__init__()), ("object.__init__(1, 2)", lambda: object.__init__(1, 2)), ("int.__add__()", lambda: int.__add__()),
        ("int.__add__('a', 1)", lambda: int.__add__("a", 1)), ("int.__add__(1)", lambda: int.__add__(1)), ("int.__add__(1, 2, 3)", lambda: int.__add__(1, 2, 3)),
        ("str.join()", lambda: str.join()), ("str.join(1)", lambda: str.join(1)), ("str.join('a')", lambda: str.join("a")), ("'a'.join(1)", lambda: "a".join(1)), ("'a'.join([1])", lambda: "a".join([1])),
        ("super()", lambda: super()), ("super(1)", lambda: super(1)), ("super(int, 1.5)", lambda: super(int, 1.5)), ("super(int).x", lambda: super(int).x),
        ("type()", lambda: type()), ("type(1,2)", lambda: type(1, 2)), ("type(1,2,3)", lambda: type(1, 2, 3)), ("type('a',(),1)", lambda: type("a", (), 1)), ("type('a',1,{})", lambda: type("a", 1, {})),
        ("type('a',(1,),{})", lambda: type("a", (1,), {})), ("type('a',(bool,),{})", lambda: type("a", (bool,), {})), ("type('a\\0',(),{})", lambda: type("a\0", (), {})),
        ("type a x=1", lambda: type("a", (), {}, x=1)), ("slots int", lambda: type("a", (int,), {"__slots__": "x"})), ("slots bad", lambda: type("a", (), {"__slots__": 1})), ("slots bad2", lambda: type("a", (), {"__slots__": ["1x"]})),
        ("slots conflict", lambda: type("a", (), {"__slots__": ["x"], "x": 1})), ("slots dict", lambda: type("a", (Plain,), {"__slots__": ["__dict__"]})),
        ("bases twice", lambda: type("a", (Plain, Plain), {})), ("layout", lambda: type("a", (int, str), {})), ("mro", lambda: type("a", (object, Plain), {}))]:
    say(label, call)
print("== built-in functions and methods")
for text in """functools.reduce(initial=1)|functools.reduce(f1)|functools.reduce(f1, 5)|functools.reduce(f1, [])|functools.reduce(f1, [1], 2, 3)|functools.reduce(f1, [1], initial=1)|functools.reduce(function=f1)
functools.partial()|functools.partial(1)|functools.partial(func=f1)|functools.cmp_to_key()|functools.cmp_to_key(1, 2)|functools.lru_cache(1, 2, 3)|functools.wraps()|functools.partialmethod()|functools.partialmethod(1)
abs()|abs(1,2)|abs('a')|all()|any(1)|ascii()|bin()|bin(1.5)|callable()|chr('a')|chr(-1)|chr(1,2)|compile()|compile('1')|compile(1,2,'exec')|compile('1','f','x')|delattr()|delattr(1)|delattr(1,2)|dir(1,2)|divmod(1)|divmod(1,'a')
eval()|eval(1)|eval('1',2)|eval('1',{},3)|exec()|exec(1)|exec('1',2)|exec('1', closure=1)|filter()|filter(1)|filter(1,2)|format()|format(1,2)|format(1,2,3)|getattr()|getattr(1)|getattr(1,2)|getattr(1,'a',2,3)|globals(1)|hasattr(1)|hasattr(1,2)|hash()|hash([])|hex()|hex('a')|id()|id(1,2)|input(1,2)
isinstance()|isinstance(1)|isinstance(1,2)|issubclass(1)|issubclass(1,2)|issubclass(int,2)|iter()|iter(1)|iter(1,2)|len()|len(1,2)|len(1)|locals(1)|max()|max(1)|max([])|max(1,'a')|max([1], x=2)|max(key=1)|max(1,2,default=3)|min()|min([], key=1)|next()|next(1)|oct()|open()|open(1.5)|open('x','y','z')|open('f','q')|open('f', 'rb', encoding='x')|ord()|ord('ab')|ord(b'')|ord(1)|pow()|pow(1)|pow(1,2,3,4)|pow('a',1)|pow(1,2,'a')|pow(2,-1,0)|print(sep=1)|print(end=1)|print(x=1)|print(file=1)|repr()|reversed()|reversed(1)|reversed({1})|round()|round('a')|round(1,2,3)|round(1.5,'a')|setattr(1,2)|setattr(1,2,3)|setattr(1,'a',3)|sorted()|sorted(1)|sorted([],1)|sorted([],key=1,x=2)|sorted([1,'a'])|sorted([1], reverse='a')|sum()|sum(1)|sum(['a'])|sum([],'')|sum([],b'')|sum([1],start='x')|sum([1],2,3)|vars(1)|vars(1,2)|zip(1)|zip([],x=1)|zip(strict=1)|zip([1],[],strict=True)|map()|map(1)|map(1,2)|map(f1,[],x=1)|enumerate()|enumerate(1)|enumerate([],'a')|enumerate([],1,2)|enumerate(x=1)|enumerate(start=1)|__import__()|__import__(1)|__import__('')|__import__('x', level=-1)|__build_class__()|__build_class__(1)|__build_class__(1,2)|breakpoint.__call__(x=1) if 0 else 0|aiter(1)|anext(1)|range()|range('a')|range(1,2,0)|range(1,2,3,4)|range(1.5)|slice()|slice(1,2,3,4)|bool(1,2)|int('a')|int('1',2,3)|int(1,2)|int('1',99)|int('1',base='a')|int(base=2)|int(x=1)|int([])|int(b'x')|float('a')|float([])|float(1,2)|complex('a')|complex('1','2')|complex(1,'2')|complex([])|complex(1,2,3)|str(1,2)|str(b'a',2)|str(b'a','x')|str(1,'a')|str(b'','a','b','c')|str(encoding='x')|bytes('a')|bytes('a','b','c','d')|bytes(1,'a')|bytes(-1)|bytes([300])|bytes(['a'])|bytes(1.5)|bytes(encoding='x')|bytearray('a')|bytearray([300])|list(1)|list(1,2)|tuple(1)|tuple(1,2)|dict(1)|dict([1])|dict([(1,2,3)])|dict(1,2)|set(1)|set(1,2)|frozenset(1)|frozenset(1,2)|memoryview(1)|memoryview()|property(1,2,3,4,5)|classmethod()|staticmethod(1,2)|super(1,2,3)|object(1)
[].append()|[].append(1,2)|[].insert(1)|[].insert('a',1)|[].pop('a')|[].pop()|[].pop(1,2)|[].remove(1)|[].index(1)|[].index(1,'a')|[].extend(1)|[].sort(1)|[].sort(key=1)|[1,'a'].sort()|[].count()|[].copy(1)|[].reverse(1)|[].clear(1)|[]+1|[]*'a'|[]['a']|[][1]|[][1:2:0]|{}[1]|{}.get()|{}.get(1,2,3)|{}.pop()|{}.pop(1)|{}.pop(1,2,3)|{}.popitem()|{}.update(1)|{}.update([1])|{}.update(1,2)|{}.setdefault()|{}.fromkeys()|{}.fromkeys(1)|{}.keys(1)|{[]:1}|{1}.add()|{1}.add([])|{1}.remove(2)|set().pop()|{1}.update(1)|{1}.union(1)|{1}.__or__()|(1,).index(2)|(1,).index()|(1,).count(1,2)|(1,)+1|(1,)['a']
'a'.split(1)|'a'.split('')|'a'.split(x=1)|'a'.split('a','b')|'a'.replace()|'a'.replace('a')|'a'.replace(1,2)|'a'.replace('a','b','c')|'a'.find()|'a'.find(1)|'a'.find('a','b')|'a'.index('b')|'a'.startswith()|'a'.startswith(1)|'a'.startswith((1,))|'a'.encode('x')|'a'.encode(1)|'a'.center()|'a'.center('a')|'a'.center(5,'ab')|'a'.center(5,1)|'a'.zfill('a')|'a'.translate()|'a'.translate(1)|'a'.strip(1)|'a'.strip(1,2)|'a'.partition('')|'a'.partition(1)|'a'.format_map()|'{}'.format()|'{a}'.format()|'{0.x}'.format(1)|'%d' % 'a'|'%s %s' % 1|'%s' % (1,2)|'%q' % 1|'%(a)s' % 1|'%c' % 'ab'|'a'*'b'|'a'+1|'a'['b']|'a'[5]|str.maketrans()|str.maketrans(1)|str.maketrans('a','bc')|str.maketrans('a','b','c','d')|'a'.expandtabs('x')|'a'.splitlines(1,2)|'a'.removeprefix(1)|'a'.isdigit(1)|'a'.casefold(1)|'a'.rsplit(None,'a')|'a'.count()
b'a'.join(['a'])|b'a'.join(1)|b'a'.split(1)|b'a'.find('a')|b'a'.replace(b'a')|b'a'.replace('a','b')|b'a'.startswith('a')|b'a'.startswith(('a',))|b'a'.decode('x')|b'a'.decode(1)|b'a'.hex(1)|b'a'.hex('ab')|b'a'.center(5,'a')|b'a'.translate(1)|b'a'.translate(b'a')|b'a'+'a'|b'a'*'a'|b'a'['a']|bytes.fromhex(1)|bytes.fromhex('x')|b'a'.strip('a')|b'a'.count('a')|b'%d' % 'a'|b'%s' % 'a'|bytearray(b'a').append('a')|bytearray(b'a').append(300)|bytearray(b'').pop()|bytearray(b'').extend(1)|bytearray(b'').insert(1)|bytearray().remove(1)
(1).bit_length(1)|(1).to_bytes('a')|(1).to_bytes(1,'x')|(1).to_bytes(-1)|(300).to_bytes(1,'big')|(1).to_bytes(1,2)|int.from_bytes()|int.from_bytes(1)|int.from_bytes(b'',2)|(1).__round__('a')|(1).__format__()|(1).__format__(1)|format(1,'q')|format(1.5,'q')|format('a','q')|format('a','d')|(1.5).hex(1)|float.fromhex(1)|float.fromhex('x')|(1.5).as_integer_ratio(1)|(1.5).is_integer(1)|(1j).conjugate(1)|1<<'a'|1<<-1|1/0|1//0|1%0|1.5//0|1.5%0|0**-1|divmod(1,0)|1+'a'|'a'-1|-'a'|~1.5|not_defined|1<'a'|[]<1|{}<{}|1 in 1|1 in 'a'|'a' in b'a'
math.sqrt()|math.sqrt(1,2)|math.sqrt('a')|math.sqrt(-1)|math.pow(1)|math.pow('a',1)|math.log()|math.log(0)|math.log(1,2,3)|math.log('a')|math.gcd('a')|math.gcd(1.5)|math.factorial(-1)|math.factorial(1.5)|math.factorial()|math.comb(1)|math.comb('a',1)|math.comb(-1,1)|math.isclose(1)|math.isclose(1,2,3)|math.isclose(1,2,x=3)|math.isclose(1,2,rel_tol=-1)|math.hypot('a')|math.dist(1,2)|math.dist([1],[1,2])|math.fsum(1)|math.fsum(['a'])|math.prod(1)|math.prod([1],2)|math.ldexp(1,'a')|math.ldexp(1)|math.fmod(1,0)|math.floor('a')|math.ceil()|math.trunc('a')|math.isqrt(-1)|math.isqrt(1.5)|math.perm('a')|math.copysign(1)|math.atan2(1)|math.nextafter(1,2,steps=-1)|math.nextafter(1)|math.sumprod([1],[1,2])|math.sumprod(1,2)|math.lcm('a')|math.exp('a')|math.frexp('a')
itertools.count('a')|itertools.count(1,2,3)|itertools.count(x=1)|itertools.cycle()|itertools.cycle(1)|itertools.repeat()|itertools.repeat(1,'a')|itertools.repeat(1,2,3)|itertools.accumulate()|itertools.accumulate(1)|itertools.accumulate([],x=1)|itertools.chain(1)|list(itertools.chain(1))|itertools.chain(x=1)|itertools.chain.from_iterable()|itertools.chain.from_iterable(1)|itertools.compress([])|itertools.compress(1,2)|itertools.dropwhile(1)|itertools.dropwhile(1,2)|itertools.filterfalse()|itertools.groupby()|itertools.groupby(1)|itertools.groupby([],1,2)|itertools.islice([])|itertools.islice([],'a')|itertools.islice([],-1)|itertools.islice([],1,2,0)|itertools.islice([],1,2,3,4)|itertools.pairwise()|itertools.starmap(1)|list(itertools.starmap(f1,[1]))|itertools.takewhile(1)|itertools.tee()|itertools.tee([],-1)|itertools.tee([],'a')|itertools.zip_longest(x=1)|itertools.zip_longest(1)|itertools.product(1)|itertools.product([],repeat='a')|itertools.product([],repeat=-1)|itertools.product(x=1)|itertools.permutations()|itertools.permutations([],'a')|itertools.permutations([],-1)|itertools.combinations([])|itertools.combinations([],'a')|itertools.combinations([],-1)|itertools.combinations_with_replacement([],-1)|itertools.batched([])|itertools.batched([],0)|itertools.batched([],'a')
operator.add(1)|operator.add(1,2,3)|operator.itemgetter()|operator.itemgetter(x=1)|operator.attrgetter()|operator.attrgetter(1)|operator.attrgetter('a')()|operator.attrgetter('a')(1,2)|operator.itemgetter(1)()|operator.itemgetter(1)(1)|operator.methodcaller()|operator.methodcaller(1)|operator.methodcaller('a')()|operator.methodcaller('a')(1)|operator.index('a')|operator.length_hint(1,'a')|operator.length_hint()|operator.concat(1,2)|operator.countOf(1,2)|operator.indexOf([],1)|operator.getitem(1)|operator.call()|operator.contains(1)|operator.setitem(1,2)|operator.is_(1)|operator.pow(1)
collections.deque(1)|collections.deque([],'a')|collections.deque([],-1)|collections.deque([],1,2)|collections.deque(x=1)|collections.deque().pop()|collections.deque().popleft(1)|collections.deque().append()|collections.deque().rotate('a')|collections.deque().rotate(1,2)|collections.deque().index(1)|collections.deque().insert(1)|collections.deque().remove(1)|collections.deque()['a']|collections.deque()[1]|collections.deque()+1|collections.deque().extend(1)|collections.OrderedDict(1)|collections.OrderedDict(1,2)|collections.OrderedDict().popitem()|collections.OrderedDict().popitem(1,2)|collections.OrderedDict().move_to_end(1)|collections.OrderedDict().move_to_end()|collections.OrderedDict().pop()|collections.OrderedDict().pop(1)|collections.OrderedDict.fromkeys()|collections.defaultdict(1)|collections.defaultdict(1,2)|collections.defaultdict()[1]|collections.defaultdict(list,1)|collections.Counter(1)|collections.Counter(1,2)|collections.ChainMap()[1]|collections.namedtuple()|collections.namedtuple('a','1')|collections.namedtuple('N','a b')(1)|collections.namedtuple('N','a b')(1,2,3)|collections.namedtuple('N','a b')(a=1,c=2)
datetime.date()|datetime.date(1)|datetime.date(1,2,3,4)|datetime.date('a',1,1)|datetime.date(1,13,1)|datetime.date(1,1,32)|datetime.date(x=1)|datetime.date(1,1,1.5)|datetime.date.today(1)|datetime.date.fromisoformat(1)|datetime.date.fromisoformat('x')|datetime.date.fromtimestamp()|datetime.date.fromtimestamp('a')|datetime.date(1,1,1).replace('a')|datetime.date(1,1,1).strftime()|datetime.date(1,1,1).strftime(1)|datetime.date(1,1,1)+1|datetime.date(1,1,1)<1|datetime.datetime(1)|datetime.datetime(1,1,1,25)|datetime.datetime(1,1,1,tzinfo=1)|datetime.datetime(1,1,1,fold=2)|datetime.datetime.now(1)|datetime.datetime.now(1,2)|datetime.datetime.strptime()|datetime.datetime.strptime(1,2)|datetime.datetime.strptime('x','%Y')|datetime.datetime.combine(1,2)|datetime.datetime.combine()|datetime.datetime.fromtimestamp()|datetime.datetime(1,1,1).astimezone(1)|datetime.datetime(1,1,1).isoformat(1)|datetime.datetime(1,1,1).isoformat('ab')|datetime.time('a')|datetime.time(25)|datetime.time(1,1,1,1,1)|datetime.time(1,2,3,4,None,5)|datetime.timedelta('a')|datetime.timedelta(1,2,3,4,5,6,7,8)|datetime.timedelta(x=1)|datetime.timedelta(999999999999)|datetime.timezone()|datetime.timezone(1)|datetime.timezone(datetime.timedelta(1))|datetime.timezone(datetime.timedelta(0),1)|datetime.timezone.utc.utcoffset(1)|datetime.timezone.utc.utcoffset()
decimal.Decimal(1,2,3)|decimal.Decimal([])|decimal.Decimal('x')|decimal.Decimal((1,2))|decimal.Decimal(x=1)|decimal.Decimal(1)+1.5|decimal.Decimal(1)<'a'|decimal.Decimal(1).quantize()|decimal.Decimal(1).quantize('a')|decimal.Decimal(1).sqrt(1)|decimal.Decimal(1).compare()|decimal.Context(prec='a')|decimal.Context(prec=-1)|decimal.Context(1,2,3,4,5,6,7,8,9)|decimal.Context(x=1)|decimal.getcontext(1)|decimal.setcontext(1)|decimal.setcontext()|decimal.localcontext(1)|decimal.localcontext(x=1)|decimal.Decimal(1)/0|decimal.Decimal.from_float()|decimal.Decimal.from_float('a')
re.compile()|re.compile(1)|re.compile('(')|re.compile('a','b')|re.match('a')|re.match('a',1)|re.match('a',b'a')|re.match(b'a','a')|re.sub('a','b')|re.sub('a',1,'a')|re.sub('a','\\\\1','a')|re.compile('a').match()|re.compile('a').match(1)|re.compile('a').match('a','b')|re.compile('a').match('a',x=1)|re.compile('a').sub('a')|re.compile('a').split()|re.match('a','a').group(1)|re.match('a','a').group('x')|re.match('a','a').start(1)|re.match('a','a').start(1,2)|re.match('a','a').expand()|re.match('a','a').expand(1)|re.match('a','a').groups(1,2)|re.match('a','a').span('x')|re.match('a','a')[1.5]
struct.pack()|struct.pack('i')|struct.pack('i','a')|struct.pack('i',1,2)|struct.pack('z',1)|struct.pack(1)|struct.pack('b',300)|struct.unpack('i')|struct.unpack('i',b'')|struct.unpack('i','a')|struct.unpack_from('i',b'')|struct.unpack_from('i')|struct.unpack_from('i',b'1234',9)|struct.pack_into('i')|struct.pack_into('i',b'',0,1)|struct.pack_into('i',bytearray(1),0,1)|struct.calcsize()|struct.calcsize(1)|struct.calcsize('q z')|struct.Struct()|struct.Struct(1)|struct.Struct('i').unpack()|struct.Struct('i').pack('a')|struct.iter_unpack('i')|struct.iter_unpack('i',b'1')|struct.pack('c','a')|struct.pack('f','a')|struct.pack('s',1)|struct.pack('?')
json.dumps()|json.dumps(object)|json.dumps({1j:2})|json.loads()|json.loads(1)|json.loads('x')|json.loads('')|json.loads('{')|json.dump(1)|json.dumps(1,2)|json.dumps(1,x=2)|json.loads(b'\\xff')|json.dumps(float('nan'),allow_nan=False)
io.StringIO(1)|io.StringIO('a','b','c')|io.StringIO().write()|io.StringIO().write(1)|io.StringIO().read('a')|io.StringIO().seek()|io.StringIO().seek('a')|io.StringIO().seek(-1)|io.StringIO().seek(1,1)|io.StringIO().truncate(-1)|io.StringIO().readline('a')|io.StringIO(newline='x')|io.BytesIO(1)|io.BytesIO('a')|io.BytesIO().write('a')|io.BytesIO().write()|io.BytesIO().read('a')|io.BytesIO().seek(-1)|io.BytesIO().seek(1,9)|io.BytesIO().readinto(1)|io.BytesIO().readinto(b'')|io.BytesIO().writelines(1)|io.TextIOWrapper()|io.TextIOWrapper(1)|io.TextIOWrapper(io.BytesIO(),'x')|io.TextIOWrapper(io.BytesIO(),newline='x')|io.BufferedReader()|io.BufferedReader(1)|io.BufferedReader(io.BytesIO(),0)|io.FileIO()|io.FileIO(-5)|io.FileIO('x','q')|io.open(1.5)|io.BytesIO().getbuffer(1)|io.IncrementalNewlineDecoder()|io.text_encoding()
os.listdir(1.5)|os.stat()|os.stat(1.5)|os.stat('a\\0')|os.open('x')|os.open(1,'a')|os.read(1)|os.read('a',1)|os.write(1)|os.write(1,'a')|os.close()|os.close('a')|os.getenv()|os.getenv(1)|os.environ[1]|os.path.join()|os.path.join(1)|os.path.join('a',b'b')|os.fspath(1)|os.mkdir()|os.mkdir('a','b')|os.rename('a')|os.rename(1,'a')|os.chmod('a')|os.chmod('a','b')|os.kill(1)|os.kill('a',1)|os.urandom()|os.urandom('a')|os.urandom(-1)|os.putenv('a')|os.strerror('a')|os.getpid(1)|os.access('a')|os.access('a','b')|os.scandir(1.5)|os.waitpid(1)|os.lseek(1,2)|os.dup('a')|os.pipe(1)|os.isatty('a')|os.ftruncate(1)|os.utime('a',1,2)|os.utime('/',1)|os.symlink('a')|os.readlink(1.5)|os.fsencode(1)|os.umask('a')|os.cpu_count(1)|os.getcwd(1)
time.sleep()|time.sleep('a')|time.sleep(-1)|time.strftime()|time.strftime(1)|time.strftime('%Y',1)|time.strftime('%Y',(1,))|time.gmtime('a')|time.gmtime(1,2)|time.mktime()|time.mktime(1)|time.strptime()|time.strptime(1)|time.localtime([])|time.asctime(1)|time.ctime('a')|time.time(1)|time.monotonic(1)|time.struct_time()|time.struct_time(1)|time.struct_time((1,2))|time.clock_gettime()|time.clock_gettime('a')|time.get_clock_info()|time.get_clock_info('x')""".replace("\n", "|").split("|"):
    say(text, lambda: eval(text))
print("== methods of instances, special methods called by name")
for text in """[].__getitem__()|[].__getitem__(1,2)|[].__len__(1)|[].__contains__()|[].__add__()|{}.__getitem__()|{}.__setitem__(1)|'a'.__len__(1)|'a'.__add__()|(1).__add__()|(1).__add__(1,2)|(1).__pow__()|(1).__pow__(1,2,3)|(1).__divmod__()|(1).__lt__()|[].__iter__(1)|iter([]).__next__(1)|iter([]).__setstate__()|iter([]).__length_hint__(1)|(x for x in [1]).send()|(x for x in [1]).send(1)|(x for x in [1]).throw()|(x for x in [1]).throw(1)|(x for x in [1]).throw(ValueError,1,2,3)|(x for x in [1]).close(1)|Plain().__init__(1)|Plain.__new__()|Plain.__new__(int)|Plain.__new__(Plain,1)|Plain.__init__()|Plain().__setattr__(1)|Plain().__getattribute__()|Plain().__getattribute__(1)|Plain().__delattr__()|Plain().__delattr__('x')|Plain().__reduce_ex__('a')|Plain().__reduce_ex__()|Plain().__format__()|Plain().__format__('x')|Plain().__sizeof__(1)|Plain().__dir__(1)|Plain.__subclasshook__(1)|Plain.__init_subclass__(1)|Plain.__init_subclass__(x=1)|Plain.mro(1)|Plain.__subclasses__(1)|Plain.__instancecheck__()|type.__call__()|type.__call__(1)|type.mro()|type.mro(1)|Plain.x|Plain().x|Plain()()|Plain()[1]|Plain()+1|len(Plain())|Plain()<Plain()|-Plain()|Plain() in 1|1 in Plain()|iter(Plain())|next(Plain())|for_is_not_defined|setattr(1,'x',1)|setattr(int,'x',1)|delattr(int,'x')|setattr(Plain(),'__class__',1)|setattr(Plain(),'__class__',int)|setattr(Plain(),'__dict__',1)|setattr(f1,'__code__',1)|setattr(f1,'__defaults__',1)|setattr(f1,'__kwdefaults__',1)|setattr(f1,'__name__',1)|setattr(f1,'__dict__',1)|delattr(f1,'__dict__')|delattr(f1,'__code__')|setattr(f1,'__globals__',1)|setattr(Plain,'__name__',1)|setattr(Plain,'__name__','a\\0')|setattr(Plain,'__bases__',1)|setattr(Plain,'__bases__',())|setattr(Plain,'__bases__',(int,))|delattr(Plain,'__bases__')|setattr(Plain,'__mro__',1)|delattr(Plain,'__name__')|setattr(Plain,'__module__',1) or 1|setattr(Plain,'__doc__',1) or 1|setattr(m,'nope',1) or 1|m.nope|m.nop|Meth.nope|os.nope|type(f1)()|type(f1)(1,2)|type(f1)(f1.__code__,1)|type(f1)(f1.__code__,{},1)|type(f1)(f1.__code__,{},'a',1)|type(f1)(f1.__code__,{},'a',(),1)|type(m.m)()|type(m.m)(1,2)|type(m.m)(f1,None)|type(os)()|type(os)(1)|type(os)('a',1) or 1|type(f1.__code__)()|type((lambda: (yield))())()|type(len)()|type(None)(1)|type(...)(1)|type(NotImplemented)(1)|type(str.upper)()|type(iter([]))()|type(x for x in [])()|type({}.keys())()|type(1 .__add__)()|type(int.__add__)()|type(range(1).__iter__())()|BaseException.__new__()|BaseException().with_traceback()|BaseException().with_traceback(1)|BaseException().add_note()|BaseException().add_note(1)|setattr(BaseException(),'args',1)|setattr(BaseException(),'__traceback__',1)|setattr(BaseException(),'__cause__',1)|setattr(BaseException(),'__context__',1)|BaseException().__setstate__(1)|ImportError(x=1)|AttributeError(x=1)|NameError(x=1)|UnicodeDecodeError()|UnicodeDecodeError(1,2,3,4,5)|UnicodeEncodeError('a','b',1,2)|SyntaxError('a',1)|SyntaxError('a',(1,2))|OSError(1,2,3,4,5,6) and 1|StopIteration(x=1)|ExceptionGroup()|ExceptionGroup('a')|ExceptionGroup(1,[])|ExceptionGroup('a',[])|ExceptionGroup('a',[1])|ExceptionGroup('a',1)|ExceptionGroup('a',[KeyboardInterrupt()])|BaseExceptionGroup('a',[ValueError()]).split()|BaseExceptionGroup('a',[ValueError()]).split(1)|BaseExceptionGroup('a',[ValueError()]).derive()""".split("|"):
    say(text, lambda: eval(text))
