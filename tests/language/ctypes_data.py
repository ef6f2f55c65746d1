"""ctypes: data of every kind, what is refused and in which words, layouts, calls and callbacks."""
import array
import ctypes as c
import pickle
import re


class S(c.Structure):
    _fields_ = [("a", c.c_int), ("b", c.c_char * 3), ("c", c.c_int, 3)]


class U(c.Union):
    _fields_ = [("i", c.c_uint32), ("b", c.c_uint8 * 4), ("f", c.c_float)]


class Inner(c.Structure):
    _fields_ = [("x", c.c_short), ("y", c.c_double)]


class Outer(c.Structure):
    _anonymous_ = ["inner"]
    _fields_ = [("inner", Inner), ("list", Inner * 2), ("p", c.POINTER(c.c_int)), ("s", c.c_char_p), ("w", c.c_wchar * 4)]


class Packed(c.BigEndianStructure):
    _pack_ = 1
    _fields_ = [("a", c.c_uint16), ("b", c.c_uint32), ("c", c.c_float)]


def attempt(f):
    try:
        r = f()
    except Exception as e:
        r = (type(e).__name__, str(e))
    print(re.sub(r"0x[0-9a-f]+", "0x...", re.sub(r"[^ ']*(taipan|python3\.13): ", "", repr(r))))


libc = c.CDLL(None)
bare = c.POINTER(c.c_int)
for f in (
    lambda: c.c_char("ab"), lambda: c.c_wchar("ab"), lambda: c.c_wchar(3), lambda: c.c_int("x"), lambda: c.c_char_p(2.5), lambda: c.c_wchar_p(2.5), lambda: c.c_void_p("x"),
    lambda: c.c_char_p.from_param(2.5), lambda: c.c_void_p.from_param(2.5), lambda: c.c_wchar_p.from_param(b""), lambda: c.c_int.from_param("x"), lambda: S.from_param(3),
    lambda: S(1, 2, 3, 4), lambda: S(1, a=2), lambda: S.from_buffer(b"x" * 30), lambda: S.from_buffer_copy(b"x"), lambda: S.from_buffer(bytearray(3)), lambda: c.Structure(),
    lambda: c.Array(), lambda: c._SimpleCData(), lambda: bare(5), lambda: bare().contents, lambda: bare()[0], lambda: (c.c_int * 3)(1, 2, 3, 4), lambda: (c.c_int * 3)()[3],
    lambda: c.c_int * -1, lambda: c.sizeof(3), lambda: c.byref(3), lambda: c.addressof(3), lambda: libc.strlen(2.5), lambda: libc.nosuchfn, lambda: c.CDLL("nosuch.so"),
    lambda: c.cast(3, c.c_int), lambda: c.cast(b"abc", c.c_char_p).value, lambda: type("X", (c.Structure,), {"_fields_": [("a", 3)]}),
    lambda: type("X", (c.Structure,), {"_fields_": [("a", c.c_float, 3)]}), lambda: type("X", (c.Structure,), {"_fields_": [("a", c.c_int, 33)]}),
    lambda: type("X", (c.Structure,), {"_fields_": 3}), lambda: type("X", (c._SimpleCData,), {"_type_": "y"}), lambda: type("X", (c._SimpleCData,), {}),
    lambda: type("X", (c.Array,), {}), lambda: setattr(S, "_fields_", []), lambda: delattr(S(), "a"), lambda: setattr(S(), "a", "x"), lambda: c.resize(S(), 1),
    lambda: c.py_object(), lambda: c.py_object().value, lambda: c.POINTER(3), lambda: c.create_string_buffer(b"abc", 2), lambda: (c.c_char * 3)(b"x").raw,
    lambda: setattr((c.c_char * 3)(), "value", b"abcd"), lambda: setattr((c.c_char * 3)(), "raw", b"abcd"), lambda: setattr((c.c_wchar * 3)(), "value", "abcd"),
    lambda: c.CFUNCTYPE(c.c_int, 3), lambda: c.CFUNCTYPE(c.c_int)("x"), lambda: (c.c_int * 2)(1, "x"), lambda: pickle.dumps(c.c_char_p(b"")), lambda: c.c_int.in_dll(libc, "nosuch"),
    lambda: hash(c.c_int(3)), lambda: c.c_int.from_address("x"), lambda: S.a, lambda: S.c, lambda: (S.b.offset, S.b.size), lambda: memoryview(S()).format,
    lambda: c.byref(c.c_int(3)), lambda: c.c_int.from_param(3), lambda: S(1, b"ab", 3).c, lambda: S(c=9).c, lambda: S(5, b"abcd"), lambda: c.c_byte(300), lambda: c.c_uint(-1),
    lambda: c.c_bool(2), lambda: c.c_float(1 / 3), lambda: c.c_longdouble(0.5), lambda: c.c_char(65), lambda: c.c_wchar("é"), lambda: c.c_wchar_p("aé").value, lambda: c.c_char_p(b"x").value,
    lambda: c.c_uint64(1 << 65 | 7), lambda: [U(f=1.5).i, list(U(f=1.5).b), c.sizeof(U)], lambda: [Outer.x.offset, Outer.list.offset, c.sizeof(Outer), c.alignment(Outer)],
    lambda: bytes(Packed(0x102, 0x3040506, 1.0)), lambda: [Packed.b.offset, c.sizeof(Packed)], lambda: (c.c_int * 3)(1, 2, 3)[::-1], lambda: (c.c_char * 4)(*b"abcd")[1:3],
    lambda: memoryview((c.c_short * 2 * 3)()).shape, lambda: memoryview(bytes(3)).cast("B") and memoryview((c.c_double * 2)(1, 2)).tolist() if False else memoryview((c.c_double * 2)(1, 2)).format,
    lambda: c.c_int.__ctype_be__(1).value, lambda: bytes(c.c_int.__ctype_be__(1)), lambda: pickle.loads(pickle.dumps(c.c_double(2.5))), lambda: bool(c.c_int(0)), lambda: bool(bare()),
    lambda: c.POINTER(c.c_int) is bare, lambda: c.c_int * 3 is c.c_int * 3, lambda: bare.__name__, lambda: (c.c_int * 3).__name__, lambda: c.string_at(b"hello", 3), lambda: c.wstring_at("hello"),
    lambda: c.sizeof(c.c_longdouble), lambda: c.c_void_p(0).value, lambda: c.c_void_p(5).value, lambda: len((c.c_int * 7)()), lambda: S.from_buffer_copy(bytes(range(20)), 4).a,
):
    attempt(f)

o = Outer(inner=Inner(1, 2.5), s=b"text", w="wide")
o.list[1].y, o.x = 7.25, -3
n = c.c_int(42)
o.p = c.pointer(n)
o.p[0] += 1
print(n, o.x, o.y, o.list[1].y, o.s, o.w, o.p.contents, len(o._objects), o.inner._b_base_ is o, o._b_needsfree_)
a = array.array("i", [1, 2, 3])
view = (c.c_int * 3).from_buffer(a)
view[1] = 20
print(a, view._objects is not None)

libc.strtol.argtypes, libc.strtol.restype = [c.c_char_p, c.POINTER(c.c_char_p), c.c_int], c.c_long
end = c.c_char_p()
print(libc.strtol(b"123abc", c.byref(end), 10), end.value)
attempt(lambda: libc.strtol("x", None, 10))
attempt(lambda: libc.strtol(b"1"))
libc.div.argtypes = [c.c_int, c.c_int]


class Div(c.Structure):
    _fields_ = [("quot", c.c_int), ("rem", c.c_int)]


libc.div.restype = Div
d = libc.div(17, 5)
print(d.quot, d.rem)
numbers = (c.c_int * 6)(5, 2, 9, -1, 7, 0)
compare = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_int), c.POINTER(c.c_int))(lambda x, y: x[0] - y[0])
libc.qsort(numbers, len(numbers), c.sizeof(c.c_int), compare)
print(list(numbers))
libc.labs.restype = lambda value: "result %d" % value
print(libc.labs(-5), libc.abs(-3))
libc.abs.errcheck = lambda result, function, args: (result, args)
print(libc.abs(-4))
proto = c.CFUNCTYPE(c.c_double, c.c_double, c.c_double)
power = proto(("pow", c.CDLL("libm.so.6")), ((1, "x"), (1, "y", 2.0)))
print(power(3.0), power(2.0, 10.0), power(y=3.0, x=2.0))
attempt(lambda: power())
attempt(lambda: power(1.0, 2.0, 3.0))
print(proto(lambda x, y: x * y)(1.5, 4))
text = c.create_string_buffer(40)
print(libc.snprintf(text, c.c_size_t(40), b"%d %s %.2f", 5, b"str", c.c_double(2.5)), text.value)
libc2 = c.CDLL(None, use_errno=True)
c.set_errno(0)
print(libc2.close(-1), c.get_errno(), c.set_errno(3), c.get_errno())
print(c.pythonapi.PyLong_FromLong and c.PYFUNCTYPE(c.py_object, c.c_long)(("PyLong_FromLong", c.pythonapi))(77))
attempt(lambda: c.PYFUNCTYPE(c.py_object, c.c_char_p)(("PyUnicode_FromString", c.pythonapi))(b"\xff"))


class Node(c.Structure):
    pass


Node._fields_ = [("value", c.c_int), ("next", c.POINTER(Node))]
second = Node(2)
first = Node(1, c.pointer(second))
print(first.next.contents.value, bool(second.next), first.next[0].value)


class Number:
    _as_parameter_ = 9


print(libc.abs(Number()))
