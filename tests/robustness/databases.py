"""dbm.ndbm and dbm.gnu: wrong keys, closed and read-only databases, damaged files, a key whose buffer closes the database."""
import os
import sys
import tempfile

found = 0
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)


def fails(kind, function, *args):
    try:
        function(*args)
    except kind:
        return
    raise AssertionError((kind, function, args))


class Closing:
    def __init__(self, database): self.database = database
    def __buffer__(self, flags):
        self.database.close()
        return memoryview(bytes(1000))


for name in ("_dbm", "_gdbm"):
    try:
        module = __import__(name)
    except ImportError:
        continue
    found += 1
    fails((TypeError, module.error), module.open, name, "x")
    fails(module.error, module.open, "nowhere/" + name, "c")
    fails(module.error, module.open, name, "r")
    for bad in (("a\0", "c"), ("a", "c\0"), (3,), ("a", 3), ("a", "c", 2**40), ("a", "c", "x")):
        fails((TypeError, ValueError, OverflowError), module.open, *bad)
    database = module.open(name, "n")
    for i in range(500):
        database[str(i)] = b"%d" % i * i
    assert len(database) == 500 and all(database[str(i)] == b"%d" % i * i for i in range(500))
    for bad in (None, 1, [], bytearray(b"x"), memoryview(b"x"), "\ud800", Closing(database)):
        fails((TypeError, UnicodeError), database.__setitem__, bad, "x")
        fails((TypeError, UnicodeError), database.__setitem__, "x", bad)
        fails((TypeError, UnicodeError), database.__getitem__, bad)
        fails((TypeError, UnicodeError), database.__delitem__, bad)
        fails((TypeError, UnicodeError), database.__contains__, bad)
        fails((TypeError, UnicodeError), database.get, bad)
        fails((TypeError, UnicodeError), database.setdefault, "y", bad)
    fails(KeyError, database.__getitem__, "none")
    fails(KeyError, database.__delitem__, "none")
    assert database.get("none", 3) == 3 and database.setdefault("new", b"1") == b"1" and database["new"] == b"1"
    # Keys that go while all are walked through.
    for key in database.keys():
        del database[key]
    assert not database and len(database) == 0 and database.keys() == []
    database["kept"] = "1"
    database.close()
    database.close()
    for method in ("keys", "clear", "__len__", "__bool__"):
        fails(module.error, getattr(database, method))
    fails(module.error, database.get, "a")
    with module.open(name, "r") as database:
        assert database["kept"] == b"1"
        fails(module.error, database.__setitem__, "a", "b")
        fails(module.error, database.__delitem__, "kept")
        fails(module.error, database.clear)
    # Any byte of a file may be another: errors, or other contents, and never a crash.
    files = [f for f in os.listdir() if f.startswith(name)]
    for file in files:
        with open(file, "rb") as f:
            good = f.read()
        for at in [*range(0, 128, 4), *range(128, len(good), max(1, len(good) // 60))]:
            with open(file, "wb") as f:
                f.write(good[:at] + b"\xff\xff" + good[at + 2:])
            try:
                with module.open(name, "w") as database:
                    database.get("kept"), database.keys()[:3]
                    database["more"] = "x"
                    database.clear()
            except (module.error, KeyError, OSError):
                pass
        with open(file, "wb") as f:
            f.write(good)
    fails(TypeError, type(database))
print("OK" if found else "OK (without databases)")
