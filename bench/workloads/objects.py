"""Programs of classes: a scheduler, constraint propagation, rays, properties, slots, dataclasses."""
from dataclasses import dataclass
from pyperf import Runner


# ---- a scheduler of tasks that pass packets (after the idea of Richards) ----

class Packet:
    def __init__(self, link, ident, kind):
        self.link = link
        self.ident = ident
        self.kind = kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        p = queue
        while p.link is not None:
            p = p.link
        p.link = self
        return queue


class TaskState:
    def __init__(self):
        self.packet_pending = False
        self.task_waiting = False
        self.task_holding = False

    def is_held_or_waiting(self):
        return self.task_holding or (not self.packet_pending and self.task_waiting)


class Task(TaskState):
    def __init__(self, ident, priority, queue, scheduler):
        TaskState.__init__(self)
        self.ident = ident
        self.priority = priority
        self.input = queue
        self.packet_pending = queue is not None
        self.scheduler = scheduler
        self.count = 0

    def add_packet(self, p, old):
        self.input = p.append_to(self.input)
        self.packet_pending = True
        return self if self.priority > old.priority else old

    def run(self):
        p = self.input
        if p is not None:
            self.input = p.link
            self.packet_pending = self.input is not None
        return self.work(p)


class Worker(Task):
    def work(self, p):
        if p is None:
            self.task_waiting = True
            return None
        self.count += 1
        for i in range(4):
            p.data[i] = (p.datum + i) & 255
        p.datum += 1
        self.scheduler.total += 1
        return self.scheduler.send(p, (self.ident + 1) % len(self.scheduler.tasks))


class Idle(Task):
    def work(self, p):
        self.count += 1
        if self.count % 7 == 0:
            return self.scheduler.send(Packet(None, self.ident, 1), self.count % len(self.scheduler.tasks))
        return self


class Scheduler:
    def __init__(self, n):
        self.total = 0
        self.tasks = []
        for i in range(n):
            q = Packet(None, i, 0) if i % 2 else None
            self.tasks.append((Idle if i == 0 else Worker)(i, i * 10, q, self))

    def send(self, p, to):
        task = self.tasks[to]
        p.ident = to
        return task.add_packet(p, self.tasks[0])

    def run(self, steps):
        while steps > 0:
            for task in self.tasks:
                if not task.is_held_or_waiting() or task.input is not None:
                    task.task_waiting = False
                    task.run()
                steps -= 1
                if task.input is not None and task.ident == 0:
                    task.input = None
        return self.total


def scheduler():
    return Scheduler(6).run(30000)


# ---- constraints (after the idea of DeltaBlue) ----

class Variable:
    def __init__(self, name, value=0):
        self.name, self.value, self.constraints, self.determined_by, self.stay = name, value, [], None, True

    def add(self, c):
        self.constraints.append(c)


class Constraint:
    def __init__(self, strength):
        self.strength = strength

    def is_input(self):
        return False

    def weaker(self, other):
        return self.strength > other.strength


class Equal(Constraint):
    def __init__(self, a, b, strength=1):
        super().__init__(strength)
        self.a, self.b = a, b
        a.add(self)
        b.add(self)

    def output(self):
        return self.b

    def execute(self):
        self.b.value = self.a.value


class Scale(Equal):
    def __init__(self, a, scale, offset, b):
        super().__init__(a, b, 2)
        self.scale, self.offset = scale, offset

    def execute(self):
        self.b.value = self.a.value * self.scale.value + self.offset.value


def constraints():
    variables = [Variable("v%d" % i) for i in range(100)]
    chain = [Equal(a, b) for a, b in zip(variables, variables[1:])]
    scale, offset = Variable("scale", 2), Variable("offset", 1)
    chain += [Scale(v, scale, offset, Variable("out")) for v in variables]
    total = 0
    for value in range(40):
        variables[0].value = value
        for c in chain:
            if not c.is_input():
                c.execute()
                c.output().determined_by = c
        total += chain[-1].output().value
    return total


# ---- rays and spheres: operators of classes ----

class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, o):
        return Vector(self.x + o.x, self.y + o.y, self.z + o.z)

    def __sub__(self, o):
        return Vector(self.x - o.x, self.y - o.y, self.z - o.z)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k, self.z * k)

    def dot(self, o):
        return self.x * o.x + self.y * o.y + self.z * o.z


class Sphere:
    def __init__(self, centre, radius):
        self.centre = centre
        self.radius = radius

    def hit(self, origin, direction):
        to = self.centre - origin
        along = to.dot(direction)
        d = self.radius * self.radius - (to.dot(to) - along * along)
        return None if d < 0 else along - d ** 0.5


def rays():
    spheres = [Sphere(Vector(i - 5.0, 0.5 * i, 10.0 + i), 1.5) for i in range(8)]
    origin, hits = Vector(0.0, 0.0, 0.0), 0
    for y in range(24):
        for x in range(24):
            d = Vector((x - 12) / 12.0, (y - 12) / 12.0, 1.0)
            d = d * (1.0 / d.dot(d) ** 0.5)
            best = None
            for s in spheres:
                t = s.hit(origin, d)
                if t is not None and (best is None or t < best):
                    best = t
            if best is not None:
                hits += 1
    return hits


# ---- attributes ----

class Account:
    interest = 0.03

    def __init__(self, owner, balance):
        self.owner = owner
        self._balance = balance
        self.history = []

    @property
    def balance(self):
        return self._balance

    @balance.setter
    def balance(self, value):
        self._balance = value

    @staticmethod
    def fee(amount):
        return amount * 0.01

    @classmethod
    def rate(cls):
        return cls.interest

    def deposit(self, amount, *, note=None):
        self.balance += amount - self.fee(amount)
        return self


def properties():
    a = Account("x", 100.0)
    for i in range(20000):
        a.deposit(1.0, note=None)
        a.balance *= 1.0 + a.rate() * 0.0001
    return a.balance


@dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tag: str = ""


def dataclasses_():
    points = [Point(i * 7919 % 1000, i, "p") for i in range(3000)]
    same = sum(p == Point(p.x, p.y, "p") for p in points)
    points.sort()
    return same, points[0].x


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right


def make_tree(depth):
    return Node(None, None) if depth == 0 else Node(make_tree(depth - 1), make_tree(depth - 1))


def check_tree(node):
    return 1 if node.left is None else 1 + check_tree(node.left) + check_tree(node.right)


def trees():
    return sum(check_tree(make_tree(9)) for _ in range(10))


class Tokens:
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]

    def __iter__(self):
        return iter(self.items)

    def __contains__(self, x):
        return x in self.items


def containers():
    t, n = Tokens(list(range(100))), 0
    for _ in range(100):
        for i in range(len(t)):
            n += t[i]
        for x in t:
            n += x
        n += 50 in t
    return n


class Shape2:
    def area(self):
        raise NotImplementedError


class Square(Shape2):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side * self.side


class Circle(Shape2):
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return 3 * self.radius * self.radius


class Ring(Circle):
    def area(self):
        return super().area() - 1


def polymorphism():
    shapes = [(Square, Circle, Ring)[i % 3](i) for i in range(3000)]
    return sum([s.area() for s in shapes for _ in range(10)])


r = Runner()
for f in (scheduler, constraints, rays, properties, dataclasses_, trees, containers, polymorphism):
    r.bench_func("objects_" + f.__name__.strip("_"), f)
