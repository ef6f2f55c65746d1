"""mro() methods that assign __bases__ while __bases__ is being assigned: a class is listed under its bases and nowhere else."""
import gc


class Meta(type):
    then = None

    def mro(cls):
        then, Meta.then = Meta.then, None
        if then:
            cls.__bases__ = then
        return type.mro(cls)


def listed(base, cls):
    return sum(c is cls for c in base.__subclasses__())


def check(before, outer, inner):
    bases = {name: Meta(name, (), {}) for name in "ABC"}
    tuples = [tuple(bases[name] for name in names) for names in (before, outer, inner)]
    cls = Meta("X", tuples[0], {})
    Meta.then = tuples[2]
    cls.__bases__ = tuples[1]
    assert cls.__bases__ == tuples[2], cls.__bases__
    for name, base in bases.items():
        assert listed(base, cls) == (name in inner), (before, outer, inner, name, base.__subclasses__())
    cls.__bases__ = tuples[0]
    for name, base in bases.items():
        assert listed(base, cls) == (name in before), (before, outer, inner, name)
    del cls
    gc.collect()
    for name, base in bases.items():
        assert base.__subclasses__() == [], (name, base.__subclasses__())


for before in ("A", "AB"):
    for outer in ("B", "AB", "BC"):
        for inner in ("C", "CA", "A", "BA"):
            if before[:1] != inner or before != outer:
                check(before, outer, inner)


class Early(type):
    nested = False

    def mro(cls):
        if cls.__mro__ is None and not Early.nested:
            Early.nested = True
            cls.__bases__ += ()                 # before the class is complete
            Early.nested = False
        return type.mro(cls)


class Base(metaclass=Early):
    pass


cls = Early("Derived", (Base,), {})
assert listed(Base, cls) == 1
del cls
gc.collect()
assert Base.__subclasses__() == []
print("OK")
