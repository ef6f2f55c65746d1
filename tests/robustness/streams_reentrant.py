"""Buffered streams whose raw stream, or whose arguments, change the buffered stream under a call."""
import io
import struct


class Raw(io.RawIOBase):
    """Always more to read; during a read or a look at `closed`, act() is called once."""
    act = None

    def once(self):
        act, self.act = self.act, None
        if act:
            act()

    def readable(self):
        return True

    def readinto(self, b):
        self.once()
        b[:] = bytes(len(b))
        return len(b)

    @property
    def closed(self):
        self.once()
        return False


def attempt(function, *args):
    try:
        return function(*args)
    except (ValueError, RuntimeError, AttributeError, OSError):
        return None


# __init__ while a read is going on: refused, for the buffer is in use.
for size in 16, 1 << 20:
    for method in "read", "readinto", "peek", "readline":
        raw = Raw()
        reader = io.BufferedReader(raw, 4096)
        raw.act = lambda: attempt(reader.__init__, Raw(), size)
        argument = {"read": 50, "readinto": bytearray(5000), "peek": 1, "readline": 100}[method]
        attempt(getattr(reader, method), argument)
        assert len(reader.read(10000)) == 10000

# readline() looks at `closed`, which reads what it was about to look through.
raw = Raw()
reader = io.BufferedReader(raw, 1 << 16)
reader.peek()
raw.act = lambda: reader.read((1 << 16) - 8)
assert len(reader.readline(1 << 15)) in (8, 1 << 15)


# An argument that closes or detaches the stream on its way to a number.
class Number:
    def __init__(self, act):
        self.act = act

    def __index__(self):
        self.act()
        return 10


for method in "read", "read1", "peek", "readline", "seek":
    for act in "close", "detach":
        reader = io.BufferedReader(io.BytesIO(b"x" * 100000))
        attempt(getattr(reader, method), Number(getattr(reader, act)))
        writer = io.BufferedRandom(io.BytesIO(b"x" * 100000))
        attempt(getattr(writer, method), Number(getattr(writer, act)))


# flush() of a subclass detaches the raw stream: in close(), in detach(), in a read.
class Detaching(io.BufferedReader):
    depth = 0

    def flush(self):
        if self.depth == 0:
            self.depth = 1
            super().detach()


attempt(Detaching(io.BytesIO(b"abc")).close)
attempt(Detaching(io.BytesIO(b"abc")).detach)


class Lax(io.BufferedReader):
    def flush(self):
        pass


raw = Raw()
reader = Lax(raw, 64)
raw.act = lambda: attempt(reader.detach)
attempt(reader.read, 1000)
raw = None


# Whoever keeps the view that a raw stream was given cannot see memory that is gone; an export of it does no harm.
class Keeping(io.RawIOBase):
    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, b):
        b[:3] = b"abc"
        self.export = struct.iter_unpack("B", b)
        return 3

    def write(self, b):
        self.view = b
        return len(b)


reader = io.BufferedReader(Keeping())
assert reader.read(2) == b"ab"
raw = Keeping()
writer = io.BufferedWriter(raw)
writer.write(b"x" * 10)
writer.flush()
del writer
try:
    bytes(raw.view)
    raise AssertionError
except ValueError:
    pass


# raw readinto() that returns nonsense: the reason is cause and context.
class Nonsense(Raw):
    def readinto(self, b):
        return "no number"


try:
    io.BufferedReader(Nonsense()).read(1)
    raise AssertionError
except OSError as e:
    assert isinstance(e.__cause__, TypeError) and e.__context__ is e.__cause__

print("OK")
