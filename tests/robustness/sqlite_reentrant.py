"""Callbacks of SQLite that close, reopen, redefine, collect and run other threads in the middle of what called them. CPython crashes in several of these."""
import gc
import sqlite3
import threading
import warnings
import weakref

warnings.simplefilter("ignore")


def new(**options):
    cx = sqlite3.connect(":memory:", **options)
    cx.execute("create table t(a)")
    cx.executemany("insert into t values(?)", [(i,) for i in range(5)])
    cx.commit()
    return cx


def fails(kind, text, call, *args, **kwargs):
    try:
        result = call(*args, **kwargs)
    except kind as e:
        assert text in str(e), (text, str(e))
        return e
    raise AssertionError(f"no {kind.__name__}: {result!r}")


closed = "Cannot operate on a closed database."

# The connection is closed, or opened anew, by what one of its statements calls.
for change in (lambda cx: cx.close(), lambda cx: cx.__init__(":memory:")):
    for sql in ("select f()", "insert into t select f()", "select a, f() from t", "create table u as select f() as x", "select f() from t order by f() returning"):
        cx = new()
        cx.create_function("f", 0, lambda: change(cx))
        try:
            cx.execute(sql).fetchall()
        except sqlite3.Error:
            pass
    cx = new()
    cx.create_function("f", 1, lambda x: change(cx) or x)
    try:
        cx.executemany("insert into t values (f(?))", [(1,), (2,)])
    except sqlite3.Error:
        pass
    cx = new()
    cx.create_function("f", 0, lambda: change(cx))
    try:
        cx.executescript("select f(); select f(); insert into t values (1); select 1;")
    except sqlite3.Error:
        pass
    cx = new()
    try:
        cx.executemany("insert into t values (?)", ((change(cx) or i,) for i in range(3)))
    except sqlite3.Error:
        pass

    for setter in ("set_trace_callback", "set_authorizer"):
        cx = new()
        getattr(cx, setter)(lambda *a: change(cx) or 0)
        try:
            cx.execute("select a from t order by a").fetchall()
            cx.execute("delete from t")
            cx.commit()
        except sqlite3.Error:
            pass
    cx = new()
    cx.set_progress_handler(lambda *a: change(cx), 1)
    try:
        cx.execute("select a from t union select a + 1 from t").fetchall()
    except sqlite3.Error:
        pass
    cx = new()
    cx.create_collation("c", lambda a, b: change(cx) or 0)
    try:
        cx.execute("select cast(a as text) as x from t order by x collate c").fetchall()
    except (sqlite3.Error, TypeError):
        pass

    class Aggregate:
        def step(self, *args): change(cx)
        inverse = step
        def finalize(self): change(cx)
        value = finalize

    for make in ("create_aggregate", "create_window_function"):
        cx = new()
        getattr(cx, make)("g", 1, Aggregate)
        for sql in ("select g(a) from t", "select g(a) over (order by a rows between 1 preceding and 1 following) from t"):
            try:
                cx.execute(sql).fetchall()
            except sqlite3.Error:
                pass

    sqlite3.register_converter("change", lambda b: change(cx))
    cx = new(detect_types=sqlite3.PARSE_COLNAMES)
    try:
        cx.execute('select a as "a [change]", a as "b [change]" from t').fetchall()
    except sqlite3.Error:
        pass

    class Adapted:
        def __conform__(self, protocol):
            change(cx)
            return 1

    cx = new()
    try:
        cx.execute("insert into t values (?), (?)", (Adapted(), Adapted()))
    except sqlite3.Error:
        pass

    class Text(str):
        def __hash__(self):
            change(cx)
            return 1
        def __eq__(self, other):
            return True

    cx = new()
    try:
        cx.execute(Text("insert into t values (1)"))
    except sqlite3.Error:
        pass

    cx = new()
    cx.text_factory = lambda b: change(cx)
    try:
        cx.execute("select cast(a as text), cast(a as text) from t").fetchall()
    except sqlite3.Error:
        pass
    cx = new()
    cx.row_factory = lambda cu, row: change(cx)
    try:
        cx.execute("select a from t").fetchall()
    except sqlite3.Error:
        pass

# ... and by a backup's progress: of the source, of the target.
for which in (0, 1):
    for change in (lambda cx: cx.close(), lambda cx: cx.__init__(":memory:")):
        pair = new(), sqlite3.connect(":memory:")
        pair[0].executemany("insert into t values(?)", [("x" * 2000,) for i in range(100)])
        pair[0].commit()
        pair[0].backup(pair[1], pages=1, progress=lambda *a: change(pair[which]))

# A transaction is rolled back by closing, and the trace of that closes again.
cx = sqlite3.connect(":memory:", autocommit=False)
cx.execute("create table t(a)")
traced = []
cx.set_trace_callback(lambda sql: traced.append(sql) or cx.close())
cx.close()
assert traced == ["ROLLBACK"], traced
fails(sqlite3.ProgrammingError, closed, cx.execute, "select 1")
cx = sqlite3.connect(":memory:", autocommit=False)
cx.set_trace_callback(lambda sql: cx.close())
fails(sqlite3.OperationalError, "cannot commit", cx.commit)
fails(sqlite3.ProgrammingError, closed, cx.commit)

# A cursor is at work: nothing else may be done with it, also while it goes on to the next row.
cx = new()
cu = cx.cursor()
refused = []


def again(*args):
    for method, given in (("fetchone", ()), ("fetchall", ()), ("execute", ("select 1",)), ("executemany", ("delete from t", [()])), ("executescript", ("",)),
                          ("close", ()), ("__init__", (cx,)), ("__next__", ()), ("fetchmany", (2,))):
        refused.append(str(fails(sqlite3.ProgrammingError, "Recursive use of cursors not allowed.", getattr(cu, method), *given)))
    return 1


cx.create_function("again", -1, again)
assert cu.execute("select again(a) from t").fetchall() == [(1,)] * 5
assert len(refused) == 45, len(refused)

# Hooks that take themselves away, or put others in their place, many times.
for setter, more in (("set_trace_callback", ()), ("set_authorizer", ()), ("set_progress_handler", (1,))):
    cx = new()
    counter = 0

    def hook(*args):
        global counter
        counter += 1
        getattr(cx, setter)(None if counter % 3 == 0 else (lambda *a: hook()), *more)
        gc.collect()
        return 0

    getattr(cx, setter)(hook, *more)
    for i in range(10):
        cx.execute(f"select a + {i} from t union select 7").fetchall()
    assert counter, setter

cx = new()
cx.create_function("f", 0, lambda: cx.create_function("f", 0, None) or 1)
fails(sqlite3.OperationalError, "user-defined function raised exception", cx.execute, "select f()")
cx.create_function("h", 0, lambda: cx.create_function("k", 0, None) or 1)
assert cx.execute("select h()").fetchone() == (1,)

# Attributes deleted.
cx = new()
del cx.row_factory, cx.text_factory
assert cx.execute("select 'a', a from t").fetchone() == ("a", 0)
cu = cx.execute("select 1")
del cu.row_factory
assert cu.fetchone() == (1,) and cu.row_factory is None
fails(AttributeError, "cannot delete attribute", delattr, cx, "autocommit")
fails(AttributeError, "cannot delete attribute", delattr, cx, "isolation_level")
fails(ValueError, "autocommit must be", setattr, cx, "autocommit", 2 ** 80)

# Without __init__, and without that of the base.
bare = sqlite3.Cursor.__new__(sqlite3.Cursor)
row = sqlite3.Row(bare, (1, 2))
assert row.keys() == [] and row[1] == 2 and hash(row) == hash(sqlite3.Row(bare, (1, 2))) and row == sqlite3.Row(bare, (1, 2))
fails(sqlite3.ProgrammingError, "Base Cursor.__init__ not called.", bare.close)
bare = sqlite3.Connection.__new__(sqlite3.Connection)
fails(sqlite3.ProgrammingError, "Base Connection.__init__ not called.", sqlite3.Cursor(bare).execute, "select 1")
fails(sqlite3.ProgrammingError, "Base Connection.__init__ not called.", bare.backup, cx)
fails(sqlite3.ProgrammingError, "Base Connection.__init__ not called.", cx.backup, bare)


class Caller(sqlite3.Connection):
    def __call__(self, sql):
        return 42


fails(TypeError, "", Caller(":memory:").execute, "select 1")

# Blobs, of a changed row and of a closed connection; an index and a buffer that close.
cx = new()
cx.execute("create table b(x)")
cx.execute("insert into b values (zeroblob(10))")


class Closes:
    def __index__(self):
        blob.close()
        return 1

    def __buffer__(self, flags):
        blob.close()
        return memoryview(b"ab")


blob = cx.blobopen("b", "x", 1)
assert blob[::-1] == bytes(10)
fails(sqlite3.ProgrammingError, "closed blob", blob.__getitem__, Closes())
for call in (lambda: blob.write(Closes()), lambda: blob.__setitem__(slice(0, 2), Closes()), lambda: blob.__setitem__(slice(0, 4, 2), Closes()),
             lambda: blob.__setitem__(Closes(), 1), lambda: blob[Closes():3], lambda: blob.__setitem__(slice(Closes(), 3), b"ab")):
    blob = cx.blobopen("b", "x", 1)
    fails(sqlite3.ProgrammingError, "closed blob", call)
blob = cx.blobopen("b", "x", 1)
blob.seek(3)
cx.execute("update b set x = 'changed'")
for call in (blob.read, lambda: blob.read(0), lambda: blob[0:3]):
    fails(sqlite3.OperationalError, "query aborted", call)
blob = cx.blobopen("b", "x", 1)
other = cx.blobopen("b", "x", 1)
cx.__init__(":memory:")
fails(sqlite3.ProgrammingError, "closed blob", blob.read)
del blob, other
gc.collect()


# Cycles through everything, collected; a finalizer that is hidden.
class Hidden(sqlite3.Connection):
    def __del__(self):
        pass


for kind in (sqlite3.Connection, Hidden):
    for i in range(20):
        cx = kind(":memory:")
        cx.execute("create table t(a)")
        cx.execute("insert into t values (zeroblob(3))")
        for setter, more in (("set_trace_callback", ()), ("set_authorizer", ()), ("set_progress_handler", (100,))):
            getattr(cx, setter)(lambda *a, cx=cx: 0, *more)
        cx.create_function("f", 0, lambda cx=cx: 1)
        cx.create_collation("c", lambda a, b, cx=cx: 0)
        cx.row_factory = lambda cu, row, cx=cx: (cx, row)
        keep = [cx.execute("select f()"), cx.blobopen("t", "a", 1), cx]
        keep.append(keep)
    del cx, keep
    gc.collect()


# What the library keeps is seen by the collector, also where a statement keeps the database after the connection was closed.
class Referred(sqlite3.Connection):
    pass


def in_cycle(which):
    cx = Referred(":memory:")
    cu = None
    if which & 1: cx.create_function("f", 0, lambda: (cx, cu))
    if which & 2: cx.set_trace_callback(lambda sql: cx)
    if which & 4: cx.execute("select 1")
    if which & 8: cu = cx.execute("select 1 union select 2")
    if which & 16: cx.create_collation("c", lambda a, b: cx)
    if which & 32: cx.close()
    return weakref.ref(cx)


for which in range(64):
    ref = in_cycle(which)
    gc.collect()
    assert ref() is None, which


# A cursor whose connection is garbage, taken away in the middle of its rows.
class Sum:
    def __init__(self): self.n = 0
    def step(self, x): self.n += 1
    def finalize(self): gc.collect(); return self.n


def half_way():
    cx = new()
    cx.create_aggregate("s", 1, Sum)
    class InCycle(sqlite3.Cursor):
        pass

    cu = cx.cursor(InCycle)
    cu.execute("select a, s(a) from t group by a")
    cu.fetchone()
    cu.me = cu
    return cu


for i in range(5):
    cu = half_way()
    gc.collect()
    del cu
    gc.collect()

# Exceptions of collations come through; what follows is not called.
calls = []
cx = new()
cx.create_collation("c", lambda a, b: calls.append(1) or 1 / 0)
fails(ZeroDivisionError, "division", cx.execute, "select cast(a as text) as x from t order by x collate c")
assert len(calls) == 1
fails(ZeroDivisionError, "division", cx.executescript, "select cast(a as text) as x from t order by x collate c")
fails(ZeroDivisionError, "division", cx.execute, "create table z as select cast(a as text) as x from t order by x collate c")

# Statements too big, too many parameters, deep nesting, huge integers.
fails(sqlite3.OperationalError, "", cx.execute, "select " + "(" * 5000 + "1" + ")" * 5000)
fails(sqlite3.OperationalError, "too many columns", cx.execute, "select " + ",".join("?" * 40000), range(40000))
assert len(cx.execute("select " + ",".join("?" * 300), range(300)).fetchone()) == 300
cx.create_function("count", -1, lambda *a: len(a))
assert cx.execute("select count(" + ",".join("?" * 100) + ")", range(100)).fetchone() == (100,)
cx.create_function("deep", 1, lambda n: cx.execute("select deep(?)", (n + 1,)).fetchone()[0])
fails(sqlite3.OperationalError, "user-defined function raised exception", cx.execute, "select deep(0)")

# One connection, several threads, one of which closes it.
for round in range(10):
    cx = new(check_same_thread=False)
    cx.create_function("f", 1, lambda x: x)
    cx.set_progress_handler(lambda: 0, 5)
    errors = []

    def work():
        try:
            for i in range(200):
                cx.execute("insert into t values (f(?))", (i,))
                cx.execute("select f(a) from t limit 20").fetchall()
                cx.set_trace_callback(None if i % 3 else lambda sql: None)
                cx.set_progress_handler(lambda: 0, 5)
                cx.set_authorizer(lambda *a: 0)
                cx.create_function("g", 0, lambda: i)
        except sqlite3.Error:
            pass
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=work) for i in range(4)]
    for t in threads: t.start()
    if round % 2: cx.close()
    for t in threads: t.join()
    assert not errors, errors

# One cursor, several threads: it is refused, or works.
cx = new(check_same_thread=False)
cu = cx.cursor()
outcomes = set()


def share():
    for i in range(300):
        try:
            cu.execute("select a from t").fetchall()
        except sqlite3.ProgrammingError as e:
            outcomes.add(str(e))


threads = [threading.Thread(target=share) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert outcomes <= {"Recursive use of cursors not allowed."}, outcomes

print("OK")
