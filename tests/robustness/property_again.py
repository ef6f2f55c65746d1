"""property.__init__ once more on a property that specialised code reads: the getter it had goes, and is not called again."""
import gc


def read(o):
    return o.value


def make(answer):
    namespace = {}
    exec(f"def getter(self): return {answer}", namespace)
    return namespace["getter"]


class C:
    value = property(make(0))


class D(C):
    pass


for answer in range(1, 50):
    for o in (C(), D()) * 30:                  # the reading code is specialised
        assert read(o) == answer - 1, (read(o), answer)
    C.__dict__["value"].__init__(make(answer))
    gc.collect()
    filler = [make(-1) for _ in range(20)]     # where the freed getter was
    assert read(C()) == answer and read(D()) == answer, (read(C()), answer)

# The getter drops itself while it runs.
class Self:
    def value(self):
        Self.__dict__["value"].__init__(make(7))
        return 5
    value = property(value)


for round in range(100):
    if round == 50:
        def value(self):
            Self.__dict__["value"].__init__(make(7))
            return 5
        Self.__dict__["value"].__init__(value)
        del value
        assert read(Self()) == 5
    else:
        assert read(Self()) == (5 if round == 0 else 7)


# A class in a cycle whose parts read the property while they die.
class Dying:
    def __init__(self):
        self.me = self
    def __del__(self):
        assert read(self) == 3


for round in range(20):
    class Owner(Dying):
        value = property(make(3))
    for _ in range(30):
        read(Owner())
    owner = Owner()
    owner.cls = Owner
    del owner, Owner
    gc.collect()
print("OK")
