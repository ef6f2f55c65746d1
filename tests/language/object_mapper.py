# A small object mapper: descriptors, a metaclass, __init_subclass__, __set_name__, operators, weak identities.
import typing, datetime, itertools, functools, weakref, re, collections, abc, inspect, types, operator, contextlib, enum, pickle, copy, decimal, reprlib
T = typing.TypeVar('T')

class Expr:

    def __init__(self, sql, args=()):
        self.sql, self.args = (sql, list(args))

    def _bin(op):

        def f(self, o):
            o = o if isinstance(o, Expr) else Expr('?', [o])
            return Expr(f'({self.sql} {op} {o.sql})', self.args + o.args)
        return f
    __eq__, __ne__, __lt__, __le__, __gt__, __ge__, __and__, __or__, __add__, __mul__ = map(_bin, '= <> < <= > >= AND OR + *'.split())
    __hash__ = object.__hash__

    def __invert__(self):
        return Expr(f'NOT {self.sql}', self.args)

    def __neg__(self):
        return Expr(self.sql + ' DESC', self.args)

    def in_(self, xs):
        xs = list(xs)
        return Expr(f"{self.sql} IN ({', '.join('?' * len(xs))})", self.args + xs)

    def __bool__(self):
        raise TypeError('an expression has no truth value')

class Field(Expr, typing.Generic[T]):
    counter = itertools.count()

    def __init__(self, typ: type[T], default=None, null=False, validate=None):
        self.typ, self.default, self.null, self.validate = (typ, default, null, validate)
        self.order = next(Field.counter)
        self.args = []

    def __set_name__(self, owner, name):
        self.name = name
        self.owner = owner

    @property
    def sql(self):
        return f'{self.owner.__table__}.{self.name}'

    @typing.overload
    def __get__(self, obj: None, owner) -> 'Field[T]':
        ...

    @typing.overload
    def __get__(self, obj: object, owner) -> T:
        ...

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        try:
            return obj.__dict__[self.name]
        except KeyError:
            return self.default() if callable(self.default) else self.default

    def __set__(self, obj, v):
        if v is None and (not self.null):
            raise ValueError(f'{type(obj).__name__}.{self.name} may not be None')
        if v is not None and (not isinstance(v, self.typ)):
            try:
                v = self.typ(v)
            except Exception as e:
                raise TypeError(f'{self.name}: cannot make {self.typ.__name__} of {v!r}') from e
        if self.validate and (not self.validate(v)):
            raise ValueError(f'{self.name}: bad value {v!r}')
        if obj.__dict__.get(self.name, self) != v if not isinstance(obj.__dict__.get(self.name, self), Field) else True:
            obj.__dirty__.add(self.name)
        obj.__dict__[self.name] = v

    def __delete__(self, obj):
        del obj.__dict__[self.name]

class Ref(Field):

    def __init__(self, target, **kw):
        super().__init__(int, **kw)
        self.target = target

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        return Session.current.get(Model.registry[self.target], obj.__dict__[self.name]) if self.name in obj.__dict__ else None

    def __set__(self, obj, v):
        super().__set__(obj, v.id if isinstance(v, Model) else v)

class Meta(abc.ABCMeta):

    @classmethod
    def __prepare__(mcls, name, bases, **kw):
        return collections.OrderedDict()

    def __new__(mcls, name, bases, ns, table=None, **kw):
        cls = super().__new__(mcls, name, bases, dict(ns), **kw)
        cls.__table__ = table or re.sub('(?<!^)(?=[A-Z])', '_', name).lower()
        cls.__fields__ = types.MappingProxyType({n: f for k in reversed(cls.__mro__) for n, f in sorted(((n, f) for n, f in vars(k).items() if isinstance(f, Field)), key=lambda t: t[1].order)})
        for n, f in vars(cls).items():
            if isinstance(f, Field):
                f.owner = cls
        return cls

    def __call__(cls, *a, **k):
        o = super().__call__(*a, **k)
        o.__dirty__ = set(o.__dirty__)
        return o

    def __iter__(cls):
        return iter(cls.__fields__)

    def __len__(cls):
        return len(cls.__fields__)

    def __bool__(cls):
        return True

    def __getitem__(cls, k):
        return Session.current.get(cls, k)

    def __instancecheck__(cls, o):
        return super().__instancecheck__(o) or getattr(o, '__quacks__', None) == cls.__name__

    def __dir__(cls):
        return [*super().__dir__(), 'extra']

    @property
    def objects(cls):
        return Query(cls)

class Model(metaclass=Meta):
    registry: typing.ClassVar[dict] = {}
    id = Field(int, null=True)

    def __init_subclass__(cls, abstract=False, **kw):
        super().__init_subclass__(**kw)
        if not abstract:
            Model.registry[cls.__name__] = cls

    def __new__(cls, *a, **k):
        o = super().__new__(cls)
        o.__dict__['__dirty__'] = set()
        return o

    def __init__(self, **kw):
        for k, v in kw.items():
            if k not in type(self).__fields__:
                raise TypeError(f'{type(self).__name__}() got an unexpected field {k!r}')
            setattr(self, k, v)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join((f'{n}={self.__dict__.get(n)!r}' for n in type(self)))})"

    def __eq__(self, o):
        return type(self) is type(o) and self.id == o.id

    def __hash__(self):
        return hash((type(self), self.id))

    def __getstate__(self):
        return {n: self.__dict__.get(n) for n in type(self)}

    def __setstate__(self, s):
        self.__dict__.update(s, __dirty__=set())

class Query:

    def __init__(self, model, where=(), order=(), lim=None):
        self.model, self.where, self.ordering, self.lim = (model, where, order, lim)

    def _with(self, **kw):
        q = copy.copy(self)
        vars(q).update(kw)
        return q

    def filter(self, *es, **kw):
        return self._with(where=(*self.where, *es, *(getattr(self.model, k) == v for k, v in kw.items())))

    def order_by(self, *es):
        return self._with(ordering=es)

    def __getitem__(self, s):
        return self._with(lim=(s.start or 0, s.stop)) if isinstance(s, slice) else list(self)[operator.index(s)]

    def __iter__(self):
        return Session.current.run(self)

    def sql(self):
        w = functools.reduce(operator.and_, self.where) if self.where else None
        return (' '.join(filter(None, [f"SELECT {', '.join(self.model)} FROM {self.model.__table__}", f'WHERE {w.sql}' if w is not None else None, f"ORDER BY {', '.join((e.sql for e in self.ordering))}" if self.ordering else None, f'LIMIT {self.lim[1]} OFFSET {self.lim[0]}' if self.lim else None])), w.args if w is not None else [])

class Session:
    current = None

    def __init__(self):
        self.rows = collections.defaultdict(dict)
        self.identity = weakref.WeakValueDictionary()
        self.log = []

    def __enter__(self):
        Session.current = self
        return self

    def __exit__(self, *a):
        Session.current = None

    def add(self, *objs):
        for o in objs:
            if o.id is None:
                o.id = len(self.rows[type(o)]) + 1
            self.rows[type(o)][o.id] = o.__getstate__()
            self.identity[type(o), o.id] = o
            self.log.append((type(o).__table__, sorted(o.__dirty__)))
            o.__dirty__.clear()

    def get(self, cls, id):
        if (o := self.identity.get((cls, id))) is None:
            o = cls.__new__(cls)
            o.__setstate__(self.rows[cls][id])
            self.identity[cls, id] = o
        return o

    def run(self, q):
        sql, args = q.sql()
        self.log.append((sql, args))
        for id in itertools.islice(list(self.rows[q.model]), *(q.lim or (None,))):
            yield self.get(q.model, id)

class Timestamped(Model, abstract=True):
    created = Field(datetime.date, default=lambda: datetime.date(2024, 1, 1))

class Author(Timestamped):
    name = Field(str)
    age = Field(int, null=True, validate=lambda v: v is None or v >= 0)

class BookTitle(Timestamped, table='books'):
    title = Field(str)
    author = Ref('Author')
    price = Field(decimal.Decimal, default=decimal.Decimal(0))

def attempt(f, *a, **k):
    try:
        print(f(*a, **k))
    except Exception as e:
        print(type(e).__name__, e, '|', repr(e.__cause__))

def main():
    with Session() as s:
        s.add(*[Author(name=f'N{i}', age=str(20 + i)) for i in range(5)])
        s.add((b := BookTitle(title='T', author=Author[2], price='9.50')))
        print(b, b.author, b.author is Author[2], b.created, list(BookTitle), len(Author), Author.__table__, BookTitle.price.sql)
        print(Author.objects.filter((Author.age > 3) & ~(Author.name == 'x') | Author.id.in_([1, 2]), name='N1').order_by(-Author.age, Author.name)[2:4].sql())
        print(list(Author.objects[1:3]), Author.objects[0], s.log[:2])
        attempt(Author, nme=1)
        attempt(Author, name=None)
        attempt(Author, age='x')
        attempt(Author, age=-1)
        attempt(lambda: bool(Author.age == 3))
        attempt(lambda: Author.nothing)
        attempt(delattr, b, 'price')
        attempt(delattr, b, 'price')
        attempt(lambda: Author[99])
        p = pickle.loads(pickle.dumps(b))
        print(p == b, p is b, copy.deepcopy(b), sorted(Model.registry), Field[int], Field.__class_getitem__(str).__args__)
        for i in range(20000):
            a = Author(name='x', age=i)
            a.age += 1
            a.name == 'x'
            a.age
        print(a, sorted(a.__dirty__), isinstance(types.SimpleNamespace(__quacks__='Author'), Author), 'extra' in dir(Author), Author.__mro__, type(Author).__name__)
    attempt(lambda: type('Bad', (Author, BookTitle), {'__slots__': ('q',)}))
    attempt(lambda: types.new_class('N', (Model,), {'abstract': True, 'table': 'zz'}).__table__)
    attempt(lambda: type('X', (int, str), {}))
    attempt(lambda: type('Y', (Model, Author), {}))

    class Boom:

        def __set_name__(self, o, n):
            raise ValueError('no name')
    attempt(lambda: type('Z', (), {'b': Boom()}))
main()
