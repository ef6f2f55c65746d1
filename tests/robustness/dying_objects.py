"""Objects are met while they die: with a count of zero, or put off because the structure they are part of is deep. What still leads
to them (lists of weak references and of subclasses, frames of generators) must not bring them back, and what destroys them must not
look at classes that have gone meanwhile."""
import gc
import sys
import weakref

gc.disable()


class Thing:
    pass


class Ref(weakref.ref):
    pass


class Calls:
    def __init__(self, function):
        self.function = function

    def __del__(self):
        self.function()


def fill():
    """Takes what was freed, so that using it shows."""
    return [[(i,) * 3 for i in range(300)], [type("Filler", (), {"__slots__": ("a",)}) for _ in range(20)], [Ref(Thing) for _ in range(50)]]


def weakref_attribute():
    thing, got = Thing(), []
    ref = Ref(thing)
    ref.last = Calls(lambda: got.append(thing.__weakref__))
    del ref
    kept = fill()
    assert got == [None], got
    other = weakref.ref(thing)
    assert thing.__weakref__ is other and kept


def callback_of_dying_reference():
    """The collector finds the object to be garbage while its weak reference is being destroyed."""
    called = []
    thing = Thing()
    thing.me = thing
    ref = Ref(thing, called.append)
    ref.last = Calls(gc.collect)
    del thing
    del ref
    kept = fill()
    assert called == [] and kept


def bases_while_slots_are_cleared():
    names = ("a", "b", "c")
    classes = [type("Base", (), {"__slots__": names})]
    other = type("Other", (), {"__slots__": names})
    derived = type("Derived", (classes[0],), {"__slots__": ()})
    gone = weakref.ref(classes[0])

    def replace():
        derived.__bases__ = (other,)
        classes.clear()
        gc.collect()
        fill()

    freed = []
    instance = derived()
    instance.a, instance.b, instance.c = Calls(replace), Calls(lambda: freed.append("b")), Calls(lambda: freed.append("c"))
    del instance
    assert freed == ["b", "c"], freed
    gc.collect()
    assert gone() is None


def class_assigned_by_finalizer():
    class Other:
        __slots__ = ("a", "b")

    def make():
        class Finalized:
            __slots__ = ("a", "b")

            def __del__(self):
                self.__class__ = Other
                gc.collect()
                fill()
        return Finalized()

    freed = []
    instance = make()
    instance.a, instance.b = Calls(lambda: freed.append("a")), Calls(lambda: freed.append("b"))
    gc.collect()
    del instance
    assert freed == ["a", "b"], freed


def frame_of_dying_generator():
    def generator():
        yield

    called = []
    for _ in range(3):
        g = generator()
        frame = g.gi_frame
        ref = weakref.ref(g, lambda _: called.append(frame.clear()))
        del g
        kept = fill()
    assert called == [None] * 3 and ref() is None and kept


def metaclass_changes_orders():
    """The message about inconsistent bases asks the metaclass for hashes."""
    class Meta(type):
        def __hash__(cls):
            if armed:
                armed.clear()
                b.__bases__ = (r,)
                gc.collect()
                fill()
            return type.__hash__(cls)

    armed = []
    p, q, r = (Meta(name, (), {}) for name in "PQR")
    a, b = Meta("A", (p, q), {}), Meta("B", (q, p), {})
    armed.append(True)
    try:
        Meta("C", (a, b), {})
    except TypeError as e:
        assert "consistent method resolution" in str(e)
    assert not armed


def deep(make, hook):
    """Destroys a deep structure; at every level what make() gives is destroyed, then hook runs."""
    code, refs, levels = compile("1", "", "eval"), [], []
    for i in range(15000):
        dying = code.replace(co_firstlineno=i + 1)           # not collectable: never put off
        refs.append(weakref.ref(dying, hook))
        levels = [levels, dying, make()]
        del dying
    del levels


def put_off_references():
    thing, counts = Thing(), []

    def look(_):
        ref = thing.__weakref__
        if ref is not None:
            counts.append(sys.getrefcount(ref))

    deep(lambda: Ref(thing), look)
    assert counts and min(counts) > 0, min(counts)


def put_off_callbacks():
    things, called, counts = [Thing()], [], []
    things[0].me = things[0]

    def callback(ref):
        called.append(ref)
        counts.append(sys.getrefcount(ref))

    at = [0]

    def look(_):
        at[0] += 1
        if things and at[0] > 3000 and put_off():
            things.clear()
            gc.collect()

    probe, probed = Thing(), []

    def put_off():
        """Is what has just been destroyed put off?"""
        probed.append(weakref.getweakrefcount(probe) != len(weakref.getweakrefs(probe)))
        return probed[-1]

    deep(lambda: (weakref.ref(things[0], callback) if things else None, Ref(probe)), look)
    assert all(c > 0 for c in counts)
    assert all(isinstance(r, weakref.ref) and r() is None for r in called)


def put_off_generators():
    def generator():
        yield

    frames, cleared = [], []

    def make():
        g = generator()
        frames.append(g.gi_frame)
        return g

    def look(_):
        cleared.append(frames.pop().clear())

    deep(make, look)
    assert cleared == [None] * 15000


def put_off_classes():
    class Root:
        pass

    class Other(Root):
        pass

    class Base(Root):
        pass

    made = [type(f"Sub{i}", (Base,), {}) for i in range(20)]
    last = [weakref.ref(c) for c in made]
    at = [0]

    def look(_):
        at[0] += 1
        if at[0] > 3900 and made:
            made.pop()
            gc.collect(0)
        if at[0] > 3900:
            for c in Base.__subclasses__():
                assert sys.getrefcount(c) > 0
            Base.attribute = at[0]
            if at[0] % 1000 == 0:
                Base.__bases__ = (Other if Base.__bases__ == (Root,) else Root,)
                Base.__len__ = lambda self: 3

    deep(lambda: None, look)
    gc.collect()
    assert all(r() is None for r in last) and Base.__subclasses__() == []


def near_the_end_of_the_stack():
    """Recursion that needs much stack a level comes to its end long before the count does; what is destroyed there is deep."""
    sys.setrecursionlimit(10 ** 6)
    made, died = [], []

    class Counted:
        def __init__(self, inner):
            self.inner = inner

        def __del__(self):
            died.append(1)

    class Compared:
        def __lt__(self, other):
            try:
                return sorted([Compared(), Compared()])
            except RecursionError:
                made.clear()
                raise

    def nested(make):
        inner = []
        for _ in range(30000):
            inner = make(inner)
        return inner

    try:
        for make in lambda o: [o], lambda o: {"a": o}, lambda o: (o,), Counted:
            made.append(nested(make))
            try:
                sorted([Compared(), Compared()])
            except RecursionError:
                pass
            assert not made
    finally:
        sys.setrecursionlimit(1000)
    assert len(died) == 30000, len(died)


for test in (weakref_attribute, callback_of_dying_reference, bases_while_slots_are_cleared, class_assigned_by_finalizer,
             frame_of_dying_generator, metaclass_changes_orders, put_off_references, put_off_callbacks, put_off_generators,
             put_off_classes, near_the_end_of_the_stack):
    if len(sys.argv) < 2 or sys.argv[1] == test.__name__:
        test()
print("OK")
