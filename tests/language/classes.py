"""Classes: metaclasses, descriptors, slots, MRO, super, __init_subclass__, __set_name__, instance dictionaries."""
class Meta(type):
    def __new__(m, name, bases, ns, **kw):
        ns["made_by"] = m.__name__
        return super().__new__(m, name, bases, ns)
    def __init__(cls, name, bases, ns, **kw):
        super().__init__(name, bases, ns)
class Named:
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, o, t=None): return self if o is None else (self.name, o.__dict__.get(self.name))
    def __set__(self, o, v): o.__dict__[self.name] = v
class A(metaclass=Meta, flag=1):
    x = Named()
    def __init_subclass__(cls, **kw): print("subclass", cls.__name__, kw)
class B(A, colour="red"):
    __slots__ = ("s",)
    def who(self): return "B"
class C(A):
    def who(self): return "C"
class D(B, C):
    def who(self): return "D" + super().who()
d = D(); d.x = 5; d.s = 1
print(d.x, d.s, d.who(), [k.__name__ for k in D.__mro__], D.made_by)
print(A.__basicsize__, A.__dictoffset__, A.__weakrefoffset__)
try:
    class E(int, str): pass
except TypeError as e: print(e)
class P:
    def __init__(self): self.a = 1; self.b = 2
p = P(); q = P()
p.__dict__["c"] = 3; del p.a; p.a = 9
print(list(p.__dict__.items()), list(vars(q)), p.c)
