"""In which order cyclic garbage is finalised: as it was made, whatever its age, also at exit."""
import gc
import sys

gc.disable()
seen = []


class Part:
    def __init__(self, name, *parts):
        self.name, self.parts = name, parts

    def __del__(self):
        seen.append(self.name)


class Wide(Part):
    def __init__(self, name, *parts):
        super().__init__(name, *parts)
        self.a = self.b = self.c = self.d = self.e = self.f = 1


class Slotted:
    __slots__ = ("name", "me", "other", "another")

    def __init__(self, name):
        self.name, self.me = name, self

    def __del__(self):
        seen.append(self.name)


def ring(round):
    fillers = [[] for _ in range(7)]
    holder = []
    outer = Wide(f"outer{round}", holder)
    holder.append(outer)
    inner = [(Part, Wide)[i % 2](f"inner{round}.{i}", holder) for i in range(5)]
    odd = Slotted(f"slotted{round}")
    late = Part(f"late{round}", odd, holder)
    holder.extend(inner + [odd, late])
    odd.other = holder
    return outer


def report(title):
    print(title, *seen)
    seen.clear()


def pair(round):
    outer = Wide(f"outer{round}")
    outer.inner = Slotted(f"inner{round}")
    outer.inner.other = outer
    return outer


for round in range(5):               # young: as they were made
    fillers = [[i] for i in range(round * 3)]
    old = ring(round)
    del fillers
    del old
    gc.collect(round % 3)
    report("young:")

for age in range(1, 4):              # after one, two, three collections: the one that others lead to comes later
    kept = [pair(i) for i in range(40)]
    for generation in range(age):
        gc.collect(generation if age < 3 else 2)
    report("nothing yet:")
    for i in 7, 21, 3:
        kept[i] = None
        gc.collect()
        report(f"age {age}:")
    kept.clear()
    gc.collect()
    print(len(seen), all(seen.index("outer" + name[5:]) < seen.index(name) for name in seen if name[0] == "i"))
    seen.clear()

# Addresses are used again.
for i in range(300):
    old = ring("x")
    if i % 10 == 0:
        gc.collect()
    if i % 3 == 0:
        gc.collect(0)
    del old
    if i % 7 == 0:
        gc.collect()
gc.collect()
print(len(seen))
seen.clear()


class AtExit(Part):
    def __del__(self):
        print("at exit:", self.name, file=sys.__stdout__)


first = AtExit("made first")
second = AtExit("made second", first)
first.other = second
third = AtExit("made third", first)
first.third = third


class Socket:
    def __init__(self, name):
        self.name, self.open = name, True

    def __del__(self):
        self.open = False


class Loop:
    def __init__(self):
        self.left, self.right = Socket("left"), Socket("right")
        self.callbacks = {1: self.read}

    def read(self):
        pass

    def __del__(self):
        print("loop:", self.left.open, self.right.open)


loop = Loop()
import asyncio
events = asyncio.new_event_loop()
