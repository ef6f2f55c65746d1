"""Lists and dicts whose items run code that changes them while a C function walks through them."""
import csv
import ctypes
import marshal
import os
import socket
import struct


class Changing:
    """An int and a buffer; act() is called whenever someone asks for either."""

    def __init__(self, act, data=b"x"):
        self.act, self.data = act, data

    def __index__(self):
        self.act()
        return 1

    def __buffer__(self, flags):
        self.act()
        return memoryview(self.data)


def attempt(function, *args):
    try:
        return function(*args)
    except (ValueError, TypeError, OSError, OverflowError, AttributeError, RuntimeError):
        return None


left, right = socket.socketpair()

# sendmsg(): buffers, then ancillary data, that shrink or grow the list they stand in.
for act in (lambda: items.clear(), lambda: items.extend(b"y" * 10 for _ in range(1000)), lambda: items.__setitem__(slice(1, None), [])):
    items = [Changing(lambda: act())] + [b"abc" * 10 for _ in range(20)]
    attempt(left.sendmsg, items)
    items = [(0, 0, Changing(lambda: act(), b"z" * 8))] + [(0, 0, b"q" * 100) for _ in range(20)]
    attempt(left.sendmsg, [b"a"], items)
    items = [bytearray(3) for _ in range(3)]
    items[0] = Changing(lambda: act(), bytearray(5))
    attempt(right.recvmsg_into, items, 0, socket.MSG_DONTWAIT)

# Ancillary data that is larger when it is asked for again.


class Grow:
    size = 8

    def __buffer__(self, flags):
        self.size *= 1000
        return memoryview(bytes(self.size))


attempt(left.sendmsg, [b"a"], [(0, 0, Grow())])

# marshal: a buffer in a list or a dict that empties it.
for _ in range(3):
    items = []
    items += [Changing(items.clear)] + [object() for _ in range(0)] + [(i, str(i) * 3) for i in range(100)]
    attempt(marshal.dumps, items)
    d = {}
    d.update({(1, 2): Changing(d.clear)})
    d.update({(i, i): [i] for i in range(100)})
    attempt(marshal.dumps, d)

# posix_spawn(): an action whose tag empties the list of actions.
actions = []
actions += [(Changing(actions.clear), 5), (os.POSIX_SPAWN_CLOSE, 6)]
pid = attempt(lambda: os.posix_spawn("/bin/true", ["true"], {}, file_actions=actions))
if pid:
    os.waitpid(pid, 0)

# ctypes: a number of bits that empties _fields_, or lays out a later field's type.
fields = []
fields += [("a%d" % i, ctypes.c_int, Changing(fields.clear)) for i in range(50)]
attempt(lambda: type("S", (ctypes.Structure,), {"_fields_": fields}))
assert attempt(lambda: type("S", (ctypes.Structure,), {"_fields_": [("b", ctypes.c_int, Changing(lambda: None))]}))


class Later(ctypes.Structure):
    pass


def lay_out():
    attempt(setattr, Later, "_fields_", [("x%d" % i, ctypes.c_int) for i in range(3)])


attempt(lambda: type("S", (ctypes.Structure,), {"_fields_": [("l", Later * 2), ("b", ctypes.c_int, Changing(lay_out))] * 3}))

# ctypes: failing conversions do not use up the recursion depth.
class Odd:
    _as_parameter_ = object()


getpid = ctypes.CDLL(None).getpid
for _ in range(60000):
    try:
        getpid(Odd())
        raise AssertionError
    except ctypes.ArgumentError:
        pass


# ctypes: a class that is made for an output parameter sets other argument types.
class Output(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int)]

    def __init__(self):
        function.argtypes = function.restype = None


pointer = ctypes.POINTER(Output)
for _ in range(20):
    function = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, pointer)(("getpid", ctypes.CDLL(None)), ((2, "a"), (2, "b"), (2, "c")))
    function.argtypes = (pointer,) + (pointer, pointer)
    attempt(function)


# csv: the lines come from an iterator that asks the same reader for a record.
class Lines:
    count = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.count += 1
        if self.count in (1, 4):
            attempt(next, reader)
        if self.count > 8:
            raise StopIteration
        return 'a,"b' + '"' * (self.count % 2)


for _ in range(5):
    reader = csv.reader(Lines())
    try:
        list(reader)
    except csv.Error:
        pass

# struct: another format for the Struct that an iterator goes by.
for other in "100s", "", "qqqq" * 50:
    format = struct.Struct("iiii")
    iterator = format.iter_unpack(bytes(160))
    next(iterator)
    format.__init__(other)
    attempt(list, iterator)
    attempt(iterator.__length_hint__)
    format = struct.Struct("iiii")
    try:
        list(format.iter_unpack(Changing(lambda: format.__init__(other), bytes(160))))
    except (struct.error, RuntimeError):
        pass

left.close()
right.close()
print("OK")
