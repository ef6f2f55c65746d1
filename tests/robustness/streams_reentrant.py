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

# Streams in memory: an argument closes them on its way to a number, or takes a view that must not move.
for cls, content in (io.BytesIO, b"abc\ndef" * 10), (io.StringIO, "abc\ndef" * 10):
    for method in "read", "readline", "truncate", "seek", "read1":
        stream = cls(content)
        if hasattr(stream, method):
            assert attempt(getattr(stream, method), Number(stream.close)) is None
stream = io.BytesIO(b"x" * 1000)
views = []
try:
    stream.truncate(Number(lambda: views.append(stream.getbuffer())))
    raise AssertionError
except BufferError:
    pass
assert bytes(views[0]) == b"x" * 1000
del views

# The hash of a value that was let go of is not the hash of what was written over it.
stream = io.BytesIO(b"abcdefgh")
stream.write(b"A")
hash(stream.getvalue())
stream.seek(0)
stream.write(b"B")
assert hash(stream.getvalue()) == hash(b"Bbcdefgh")


# Text: the buffer below detaches the wrapper, or calls its __init__, in every method it is asked for.
class Below(io.BytesIO):
    act = None

    def once(self):
        act, self.act = self.act, None
        if act:
            act()


def below_method(name):
    def method(self, *args):
        self.once()
        return getattr(io.BytesIO, name)(self, *args)
    return method


names = "read", "read1", "write", "flush", "seek", "tell", "readable", "writable", "seekable"
for name in names:
    setattr(Below, name, below_method(name))
Below.closed = property(lambda self: (self.once(), False)[1])


class NoFlush(io.TextIOWrapper):
    def flush(self):
        pass


def torment(cls, what, prepare, call):
    text = cls(Below(b"abc\ndef\n" * 5000), encoding="utf-8", errors="backslashreplace")
    attempt(prepare, text)
    buffer = text.buffer
    buffer.act = (lambda: attempt(text.detach), lambda: attempt(text.__init__, Below(b"xyz"), "utf-16"),
                  lambda: attempt(text.__init__, Below(b"xyz"), "no such"),
                  lambda: attempt(text.reconfigure, encoding="latin-1"))[what]
    try:
        call(text)
    except (StopIteration, LookupError, ValueError, RuntimeError, OSError, TypeError, SystemError):
        pass
    buffer.act = None


for cls in io.TextIOWrapper, NoFlush:
    for what in range(4):
        for call in (lambda t: t.read(3), lambda t: t.read(), lambda t: t.readline(), lambda t: next(t), lambda t: t.write("x" * 10000),
                     lambda t: t.seek(0), lambda t: t.seek(0, 2), lambda t: t.tell(), lambda t: t.truncate(1), lambda t: t.close(),
                     lambda t: t.flush(), lambda t: t.reconfigure(encoding="latin-1"), lambda t: t.readline(Number(t.detach)),
                     lambda t: t.__init__(Below(b"abc"), encoding="ascii")):
            for prepare in (lambda t: None, lambda t: t.read(1), lambda t: t.write("abc")):
                torment(cls, what, prepare, call)

# A cookie that skips a negative number of characters.
text = io.TextIOWrapper(io.BytesIO(b"abc\ndef\n" * 100))
text.read(1)
try:
    text.seek(((1 << 32) - 100000 << 128) + (10 << 96))
    raise AssertionError
except OSError:
    pass
text.readline()


# A decoder whose flags run code when tell() takes them for a number.
class Flags:
    def __index__(self):
        text.seek(0)
        return 0


class Decoder:
    def decode(self, data, final=False):
        return bytes(data).decode("latin-1") if not final else 7

    def getstate(self):
        return b"", Flags()

    def setstate(self, state):
        pass

    def reset(self):
        pass


import codecs
codecs.register(lambda name: codecs.CodecInfo(codecs.latin_1_encode, codecs.latin_1_decode, name="hostile", incrementalencoder=codecs.IncrementalEncoder,
                                              incrementaldecoder=lambda errors: Decoder()) if name == "hostile" else None)
text = io.TextIOWrapper(io.BytesIO(b"abc\ndef\n" * 100), encoding="hostile", newline="\n")
attempt(text.read, 3)
try:
    text.tell()
except (TypeError, OSError, RecursionError):
    pass

print("OK")
