"""The module sqlite3: results, messages, warnings and error codes of calls right and wrong, closed and not yet open, in and out of turn."""
import collections
import contextlib
import inspect
import io
import re
import sqlite3
import sys
import threading
import types
import warnings


def tidy(text):
    return re.sub(r"\d{12,}", "N", re.sub(r"0x[0-9a-f]+", "0xX", text))


def show(label, f):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            r = repr(f())
        except BaseException as e:
            r = f"{type(e).__name__}: {e}"
            c = e.__context__
            while c:
                r += f" <- {type(c).__name__}: {c}"
                c = c.__context__
            if hasattr(e, "sqlite_errorcode"):
                r += f" [{e.sqlite_errorcode} {e.sqlite_errorname}]"
    print(tidy(f"{label} => {r}"), *[f"{w.category.__name__}: {w.message}" for w in told])


def new(**options):
    return sqlite3.connect(":memory:", **options)


def bad(*args):
    1 / 0


warnings.simplefilter("ignore", ResourceWarning)
cx = new()
for call in """\
sqlite3.connect()
sqlite3.connect(1)
sqlite3.connect(None)
sqlite3.connect(":memory:\0")
sqlite3.connect(":memory:", timeout="a")
sqlite3.connect(":memory:", detect_types="a")
sqlite3.connect(":memory:", detect_types=2**40)
sqlite3.connect(":memory:", isolation_level=1)
sqlite3.connect(":memory:", isolation_level="x")
sqlite3.connect(":memory:", isolation_level="x\\0")
sqlite3.connect(":memory:", isolation_level="\\udc80")
sqlite3.connect(":memory:", autocommit=2)
sqlite3.connect(":memory:", autocommit=None)
sqlite3.connect(":memory:", autocommit=0).autocommit
sqlite3.connect(":memory:", autocommit=1).autocommit
sqlite3.connect(":memory:", autocommit=-1.0).autocommit
sqlite3.connect(":memory:", 1, 2, 3)
sqlite3.connect(":memory:", 1, 2, None, True, sqlite3.Connection, 3, False, 4)
sqlite3.Connection(":memory:", 1, 2, None, True, sqlite3.Connection, 3, False, 4)
sqlite3.Connection(":memory:", 1)
sqlite3.Connection()
sqlite3.Connection(":memory:", bogus=1)
sqlite3.connect(":memory:", bogus=1)
sqlite3.connect(":memory:", factory=None)
sqlite3.connect(":memory:", factory=3)
sqlite3.connect(":memory:", factory=lambda *a, **k: (a, k))
sqlite3.connect(":memory:", 3, factory=lambda *a, **k: (a, k))
sqlite3.connect(database=":memory:", factory=lambda *a, **k: (a, k))
sqlite3.connect(":memory:", cached_statements="a")
sqlite3.connect(":memory:", cached_statements=-5)
sqlite3.connect(":memory:", uri=3)
sqlite3.connect(":memory:", check_same_thread=3)
sqlite3.connect("/")
sqlite3.connect("file:nope?mode=bogus", uri=True)
sqlite3.connect("file:nope?vfs=bogus", uri=True)
cx.execute()
cx.execute(1)
cx.execute("select 1", 2, 3)
cx.execute("select 1", 2)
cx.execute("select ?", 2)
cx.execute("select ?", "ab")
cx.execute("select ?", b"a").fetchall()
cx.execute("select ?", {1})
cx.execute("select ?", iter([1]))
cx.execute("select ?", range(1)).fetchall()
cx.execute("select ?", None)
cx.execute("select 1", None)
cx.execute("select ?", {})
cx.execute("select :a", {})
cx.execute("select :a", {'a':[]})
cx.execute("select ?", ([],))
cx.execute("select ?", (2**63,))
cx.execute("select :a", {'a':2**63})
cx.execute("select ?, ?", (1,))
cx.execute("select ?", (1,2))
cx.execute("select :a, @b, $c", {'a':1,'b':2,'c':3}).fetchall()
cx.execute("select :a, @b, $c", (1,2,3)).fetchall()
cx.execute("")
cx.execute("").fetchall()
cx.execute("--x").description
cx.execute("select 1; select 2")
cx.execute("select 1;;;").fetchall()
cx.execute("select 1; --x")
cx.execute("select")
cx.execute("sel\0ect")
cx.execute("select '\\udc80'")
cx.execute("select ?", ("\\udc80",))
cx.executemany("select ?", [(1,)])
cx.executemany("select 1", 1)
cx.executemany("create table tt(a)", [(),()])
cx.executemany("insert into tt values(?)", [1])
cx.executemany("insert into tt values(?)", ["a"]).rowcount
cx.executemany("insert into tt values(?)", [])
cx.executemany("insert into tt values(?) returning a", [(1,),(2,)]).fetchall()
cx.execute("insert into tt values(?) returning a", (1,)).fetchall()
cx.executescript(1)
cx.executescript("a\0b")
cx.executescript("select 1; bogus")
cx.executescript("\\udc80")
cx.executescript("select 1").fetchall()
cx.cursor(1)
cx.cursor(None)
cx.cursor(lambda c: 3)
cx.cursor(factory=lambda c: 3)
cx.cursor(bogus=1)
cx.cursor(1,2)
cx.row_factory
cx.text_factory
cx.total_changes
cx.in_transaction
cx.isolation_level
setattr(cx, 'isolation_level', 3)
setattr(cx, 'isolation_level', 'BOGUS')
delattr(cx, 'isolation_level')
setattr(cx, 'autocommit', 7)
setattr(cx, 'autocommit', 'a')
setattr(cx, 'autocommit', 1.0)
cx.row_factory
cx.execute("select 1").fetchall()
setattr(cx, 'row_factory', None)
cx.text_factory
cx.execute("select 'a'").fetchall()
setattr(cx, 'text_factory', str)
setattr(cx, 'Error', 1)
setattr(cx, 'total_changes', 1)
setattr(cx, 'bogus', 1)
cx.getlimit('a')
cx.getlimit(-1)
cx.getlimit(12)
cx.setlimit(0)
cx.setlimit(-1, 0)
cx.setlimit(0, 'a')
cx.setlimit(0, 2**40)
cx.getconfig(1)
cx.getconfig(2**40)
cx.setconfig(1)
cx.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_FKEY, 3)
cx.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_FKEY, [])
cx.getconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_FKEY)
cx.create_function()
cx.create_function("a", 1)
cx.create_function("a", 1, None)
cx.create_function("a", 200, len)
cx.create_function("a"*300, 1, len)
cx.create_function("a\\0", 1, len)
cx.create_function(1, 1, len)
cx.create_function("a", "b", len)
cx.create_function("a", 1, 5)
cx.execute("select a(1)")
cx.create_function("a", 1, len, deterministic=[])
cx.create_function("a", 1, len, True)
cx.create_function("a", narg=1, func=len)
cx.create_function(name="a", narg=1, func=len)
cx.create_aggregate("a", 1)
cx.create_aggregate("a", -100, len)
cx.create_aggregate("a", 1, None)
cx.create_aggregate("a", n_arg=1, aggregate_class=None)
cx.create_window_function("a", 1, None)
cx.create_window_function("a", 1)
cx.create_window_function("a", -100, len)
cx.create_window_function("a"*300, 1, len)
cx.create_collation("a")
cx.create_collation("a", 3)
cx.create_collation("a\\0", len)
cx.create_collation("\\udc80", len)
cx.set_authorizer()
cx.set_authorizer(1)
cx.execute("select 1 union select 2")
cx.set_authorizer(lambda *a: 7)
cx.execute("select 3 union select 2")
cx.set_authorizer(None)
cx.set_authorizer(authorizer_callback=None)
cx.set_progress_handler()
cx.set_progress_handler(None)
cx.set_progress_handler(None, 'a')
cx.set_progress_handler(lambda:2**70, 1)
cx.execute("select 3 union select 4")
cx.set_progress_handler(1, 1)
cx.execute("select 3 union select 5")
cx.set_progress_handler(None, 0)
cx.set_progress_handler(None, n=0)
cx.set_progress_handler(progress_handler=None, n=0)
cx.set_trace_callback()
cx.set_trace_callback(trace_callback=None)
cx.set_trace_callback(3)
cx.execute("select 7")
cx.set_trace_callback(None)
cx.backup()
cx.backup(1)
cx.backup(cx)
cx.backup(sqlite3.connect(":memory:"), pages='a')
cx.backup(sqlite3.connect(":memory:"), progress=1)
cx.backup(sqlite3.connect(":memory:"), name=1)
cx.backup(sqlite3.connect(":memory:"), name="x")
cx.backup(sqlite3.connect(":memory:"), sleep="x")
cx.backup(sqlite3.connect(":memory:"), sleep=-1)
cx.backup(sqlite3.connect(":memory:"), 3)
cx.backup(sqlite3.Connection.__new__(sqlite3.Connection))
cx.serialize(name="x")
cx.serialize("x")
cx.serialize(name=1)
cx.deserialize(1)
cx.deserialize(b'', name="x")
cx.deserialize(b'')
cx.execute("create table t(b)")
cx.execute("insert into t values(zeroblob(10))")
cx.blobopen()
cx.blobopen(1,2,3)
cx.blobopen("t","b",2)
cx.blobopen("t","b",2**70)
cx.blobopen("t","b","a")
cx.blobopen("t","b",1.0)
cx.blobopen("t","b",1, readonly=[])
cx.blobopen("t","b",1, name="x")
cx.blobopen("t","b",1, True)
cx.blobopen("x","b",1)
cx.enable_load_extension()
cx.enable_load_extension([])
cx.load_extension()
cx.load_extension("x")
cx.load_extension("x", entrypoint=1)
cx.load_extension("x", entrypoint="a\\0")
cx.load_extension("x", "y")
cx()
cx(1)
cx("select 1")
cx("select 1", 2)
cx(sql="select 1")
cx("")
cx("select 1; select 2")
cx.iterdump(1)
cx.iterdump(filter=1)
cx.__exit__()
cx.__exit__(None,None,None)
cx.__exit__(1,None,None)
cx.interrupt(1)
sqlite3.Cursor()
sqlite3.Cursor(1)
sqlite3.Cursor(cx, 1)
sqlite3.Cursor(connection=cx)
sqlite3.Cursor(cx).fetchall()
sqlite3.Cursor(cx).fetchone()
sqlite3.Cursor(cx).fetchmany('a')
sqlite3.Cursor(cx).fetchmany(-1)
sqlite3.Cursor(cx).fetchmany(0)
cx.execute("select 1 union select 2").fetchmany(0)
cx.execute("select 1 union select 2").fetchmany(-1)
cx.execute("select 1 union select 2").fetchmany(2**40)
sqlite3.Cursor(cx).setinputsizes()
sqlite3.Cursor(cx).setinputsizes(1)
sqlite3.Cursor(cx).setoutputsize()
sqlite3.Cursor(cx).setoutputsize(1,2,3)
sqlite3.Cursor(cx).lastrowid
sqlite3.Cursor(cx).rowcount
sqlite3.Cursor(cx).description
sqlite3.Cursor(cx).arraysize
sqlite3.Cursor(cx).row_factory
setattr(sqlite3.Cursor(cx),'arraysize', 'a')
setattr(sqlite3.Cursor(cx),'arraysize', 2**40)
delattr(sqlite3.Cursor(cx),'arraysize')
setattr(sqlite3.Cursor(cx),'connection', 'a')
delattr(sqlite3.Cursor(cx),'row_factory')
sqlite3.Row()
sqlite3.Row(1,2)
sqlite3.Row(sqlite3.Cursor(cx),2)
sqlite3.Row(sqlite3.Cursor(cx),())
sqlite3.Row(sqlite3.Cursor(cx),(1,2)).keys()
sqlite3.Row(sqlite3.Cursor(cx),(1,2))[0]
sqlite3.Row(sqlite3.Cursor(cx),(1,2))['a']
sqlite3.Row(cx.execute('select 1 a, 2 b'),(1,))['b']
sqlite3.Row(cx.execute('select 1 a, 2 b'),(1,))[1]
sqlite3.Row(cx.execute('select 1 a, 2 b'),(1,))[2**70]
sqlite3.Row(cx.execute('select 1 a, 2 b'),(1,))[1.0]
sqlite3.Row(cx.execute('select 1 a, 2 b'),(1,2,3))[1:]
sqlite3.Row(cx.execute('select 1 a, 2 b'),(1,2,3), x=1)
sqlite3.Row(cursor=1, row=2)
sqlite3.Blob()
sqlite3.PrepareProtocol(1,2,x=3)
sqlite3.adapt()
sqlite3.adapt(1)
sqlite3.adapt(1,2)
sqlite3.adapt(1,2,3)
sqlite3.adapt(1,2,3,4)
sqlite3.adapt(1,proto=2)
sqlite3.adapt([],[])
sqlite3.complete_statement()
sqlite3.complete_statement(1)
sqlite3.complete_statement("\\0")
sqlite3.complete_statement("select 1;")
sqlite3.complete_statement(statement="select 1")
sqlite3.enable_callback_tracebacks()
sqlite3.enable_callback_tracebacks("a")
sqlite3.enable_callback_tracebacks(0)
sqlite3.enable_callback_tracebacks(2**40)
sqlite3.register_adapter()
sqlite3.register_adapter([],2)
sqlite3.register_converter(1,2)
sqlite3.register_converter("ab")
sqlite3.converters.keys()
sqlite3.adapters.keys()
type(cx.execute("select 1").close())
cx.close(1)
""".splitlines():
    show(call, lambda: eval(call))

for tb in (0, 1):
    sqlite3.enable_callback_tracebacks(tb)
    sys.unraisablehook = lambda u: print('   unraisable', u.exc_type.__name__, u.exc_value, u.err_msg, getattr(u.object, '__name__', u.object))
    cx = new()
    cx.create_collation("c", bad)
    show("collation raises", lambda: cx.execute("select x from (select 'a' as x union select 'b' union select 'c') order by x collate c").fetchall())
    cx.create_collation("c", lambda a,b: "x")
    show("collation bad type", lambda: cx.execute("select x from (select 'a' as x union select 'b') order by x collate c").fetchall())
    cx.create_function("f", -1, bad)
    show("func raises", lambda: cx.execute("select f(1)"))
    show("func raises later", lambda: cx.execute("select case when x > 1 then f(1) else 1 end from (select 1 as x union select 2)").fetchall())
    cx.create_function("f", -1, lambda *a: object())
    show("func bad result", lambda: cx.execute("select f(1)"))
    cx.create_function("f", -1, lambda *a: 2**80)
    show("func big", lambda: cx.execute("select f(1)"))
    show("func bad text", lambda: cx.execute("select f(cast(x'ff' as text))"))
    cx.set_authorizer(bad)
    show("auth raises", lambda: cx.execute("select 1 as zz"))
    cx.set_authorizer(lambda *a: 'x')
    show("auth str", lambda: cx.execute("select 1 as zz1"))
    cx.set_authorizer(None)
    cx.set_progress_handler(bad, 1)
    show("progress raises", lambda: cx.execute("select 1 as zz2 union select 3").fetchall())
    cx.set_progress_handler(None, 1)
    cx.set_trace_callback(bad)
    show("trace raises", lambda: cx.execute("select 1 as zz3").fetchall())
    cx.set_trace_callback(None)
    class A:
        def step(self, *a): raise KeyError('s')
        def finalize(self): raise KeyError('f')
        value = inverse = step
    cx.create_aggregate("agg", 1, A)
    show("agg", lambda: cx.execute("select agg(1)").fetchall())
    cx.create_window_function("agg", 1, A)
    show("win", lambda: cx.execute("select agg(1) over () from (select 1 union select 2)").fetchall())
    class A:
        def __init__(self): raise KeyError('i')
    cx.create_window_function("agg", 1, A)
    show("win init", lambda: cx.execute("select agg(x) over (order by x rows between 1 preceding and 1 following) from (select 1 as x union select 2)").fetchall())
    cx.create_aggregate("agg", 1, 5)
    show("agg not callable", lambda: cx.execute("select agg(1)").fetchall())
sqlite3.enable_callback_tracebacks(0)
cx = new()
cx.execute("create table t(a)")
show("lastrowid select", lambda: cx.execute("select 1").lastrowid)
cx.executemany("insert into t values(?)", [(1,),(2,)])
cu = cx.cursor()
show("lastrowid many", lambda: cu.executemany("insert into t values(?)", [(1,),(2,)]).lastrowid)
show("lastrowid select after", lambda: cu.execute("select 1").lastrowid)
show("lastrowid script", lambda: cu.executescript("insert into t values(7)").lastrowid)
show("rowcount after script", lambda: cu.rowcount)
show("in_tx", lambda: cx.in_transaction)
# closing inside callbacks
cx = new(); cx.create_function("f", 0, lambda: cx.close())
cx2 = new(); cx2.close()
for e in """cx2.isolation_level
cx2.total_changes
cx2.in_transaction
cx2.autocommit
cx2.close()
cx2.__enter__()
cx2.__exit__(None,None,None)
cx2.__exit__(1,None,None)
cx2.interrupt()
cx2.backup(new())
cx2.backup(cx2)
new().backup(cx2)
new().backup(cx2, progress=1)
cx2.backup(new(), progress=1)
cx2.serialize()
cx2.deserialize(b'')
cx2.getlimit(0)
cx2.getlimit(99)
cx2.getconfig(99)
cx2.setconfig(99)
cx2.blobopen('a','b',1)
cx2.iterdump()
cx2.execute('select 1')
cx2.executemany('select 1', [])
cx2.executescript('select 1')
cx2.cursor(3)
cx2('x')
cx2(1)
cx2.create_collation('x', 3)
cx2.enable_load_extension(1)
cx2.load_extension('x')
cx2.row_factory
cx2.text_factory
cx2.Error
setattr(cx2,'isolation_level',None)
setattr(cx2,'isolation_level','')
setattr(cx2,'isolation_level',3)
setattr(cx2,'autocommit',True)
setattr(cx2,'autocommit',-1)
setattr(cx2,'autocommit',5)
sqlite3.Cursor(cx2)
sqlite3.Cursor(cx2).close()
sqlite3.Cursor(cx2).fetchone()
""".splitlines(): show("closed "+e, lambda: eval(e))
un = sqlite3.Connection.__new__(sqlite3.Connection)
uc = sqlite3.Cursor.__new__(sqlite3.Cursor)
for e in """un.isolation_level
un.total_changes
un.in_transaction
un.autocommit
un.close()
un.__enter__()
un.__exit__(None,None,None)
un.interrupt()
un.serialize()
un.getlimit(0)
un.iterdump()
un.execute('select 1')
un.row_factory
un.text_factory
un.Error
un.commit()
un.rollback()
un('x')
un.create_function('a',1,len)
un.set_authorizer(None)
un.enable_load_extension(1)
setattr(un,'isolation_level','')
setattr(un,'autocommit',True)
uc.execute('x')
uc.executemany('x', [])
uc.executescript('x')
uc.close()
uc.fetchone()
uc.fetchall()
next(uc)
iter(uc) is uc
uc.description
uc.rowcount
uc.lastrowid
uc.arraysize
uc.row_factory
uc.connection
uc.setinputsizes(1)
""".splitlines():
    if not e: continue
    if e.startswith("sqlite3.Row(uc,(1"): continue
    show("uninit "+e, lambda: eval(e))
# subclass overrides
class C(sqlite3.Connection):
    log = []
    def commit(self): self.log.append('commit'); return super().commit()
    def rollback(self): self.log.append('rollback'); return super().rollback()
    def cursor(self, *a, **k): self.log.append('cursor'); return super().cursor(*a, **k)
    def execute(self, *a, **k): self.log.append('execute'); return super().execute(*a, **k)
    def __call__(self, *a): self.log.append(('call',a)); return super().__call__(*a)
c = C(":memory:")
with c: c.execute("select 1"); c.executescript("select 2")
c.isolation_level = None
print(c.log)
class Cu(sqlite3.Cursor):
    log=[]
    def execute(self, *a): self.log.append('execute'); return super().execute(*a)
    def __next__(self): self.log.append('next'); return super().__next__()
    def close(self): self.log.append('close'); return super().close()
    def fetchone(self): self.log.append('fetchone'); return super().fetchone()
cu = c.cursor(Cu); cu.execute("select 1"); cu.fetchall(); cu.fetchmany(2); cu.fetchone(); print(Cu.log)
class D(sqlite3.Connection):
    def cursor(self): return 5
show("cursor override", lambda: D(":memory:").execute("select 1"))
class E(sqlite3.Connection):
    def cursor(self):
        class X:
            def execute(self, *a): return ('x', a)
            def executemany(self, *a): return ('m', a)
            def executescript(self, *a): return ('s', a)
        return X()
show("cursor override2", lambda: (E(":memory:").execute("select 1"), E(":memory:").execute(3, 4), E(":memory:").executemany(3, 4), E(":memory:").executescript(3)))
# blobs
cx = new(); cx.execute("create table t(b)"); cx.execute("insert into t values(zeroblob(10))")
b = cx.blobopen("t","b",1)
for e in """len(b)
b[0]
b[10]
b[-11]
b['a']
b[1:2:0]
b[2**70]
b[1.0]
b[5:1]
b.read('a')
b.read(2**40)
b.read(3)
b.read(-5)
b.read()
b.tell()
b.seek()
b.seek('a')
b.seek(2**40)
b.seek(0,5)
b.seek(11)
b.seek(-1)
b.seek(-1,2)
b.seek(2**31-1,1)
b.tell()
b.write('a')
b.write(1)
b.write(b'abc')
b.write(b'')
b.seek(0)
b.write(bytearray(b'xyz'))
b.write(memoryview(b'abcd')[::2])
b.__setitem__(0, 300)
b.__setitem__(0, 'a')
b.__setitem__(0, 2**80)
b.__setitem__(2**80, 1)
b.__setitem__('a', 1)
b.__setitem__(99, 1)
b.__setitem__(99, 'a')
b.__setitem__(slice(0,2), b'abc')
b.__setitem__(slice(0,2), 'ab')
b.__setitem__(slice(0,2), 5)
b.__setitem__(slice(0,10,5), b'QQ')
b.__setitem__(slice(0,10,-5), b'RS')
b[:]
b[::3]
b.__delitem__(0)
b.__delitem__(slice(0,1))
b.__delitem__('a')
list(b)
b in b
iter(b)
b.connection
b.__enter__() is b
cx.execute("update t set b='abc'") and None
b.read()
b[0]
b[0:2]
b[0:4:2]
b.__setitem__(0,1)
b.__setitem__(slice(0,2),b'ab')
b.write(b'a')
len(b)
b.__exit__()
b.__exit__(None,None,None)
b.close()
len(b)
b[0]
b.read()
b.__exit__(None,None,None)
type(b)()
cx.blobopen("t","b",1).read()
cx.execute("update t set b=5") and None
cx.blobopen("t","b",1)
cx.execute("update t set b=null") and None
cx.blobopen("t","b",1)
""".splitlines(): 
    if e: show("blob "+e, lambda: eval(e))
cx.execute("insert into t values(zeroblob(10))")
b = cx.blobopen("t","b",2, readonly=True)
show("ro write", lambda: b.write(b'a'))
show("ro set", lambda: b.__setitem__(0, 1))
cx.close()
for e in "b.read() len(b) b.tell() b.close() b[0] b.__enter__()".split(): show("cxclosed "+e, lambda: eval(e))
# misc
cx = new()
show("stale errcode", lambda: cx.execute("selectx"))
show("stale empty", lambda: cx.execute(""))
show("stale list", lambda: cx.execute("select ?", ([],)))
show("stale list2", lambda: cx.execute("select ?", ([],)))
show("stale big", lambda: cx.execute("select ?", (2**70,)))
class M:
    def __getitem__(self, k): raise LookupError(k)
    def keys(self): return []
show("mapping lookup", lambda: cx.execute("select :a", M()))
class M(dict):
    def __getitem__(self, k): raise ZeroDivisionError(k)
show("mapping err", lambda: cx.execute("select :a", M()))
class M(dict):
    def __getitem__(self, k): raise IndexError(k)
show("mapping err", lambda: cx.execute("select :a", M()))
show("chainmap", lambda: cx.execute("select :a", collections.ChainMap({'a':1})).fetchall())
show("userdict", lambda: cx.execute("select :a", collections.UserDict({'a':1})).fetchall())
show("mappingproxy", lambda: cx.execute("select :a", types.MappingProxyType({'a':1})).fetchall())
show("deque", lambda: cx.execute("select ?", collections.deque([1])).fetchall())
show("set", lambda: cx.execute("select ?", {1}))
class S:
    def __len__(self): return 1
    def __getitem__(self, i): raise IndexError("boo")
show("seq err", lambda: cx.execute("select ?", S()))
class S:
    def __len__(self): return 2**70
    def __getitem__(self, i): return 1
show("seq len", lambda: cx.execute("select ?", S()))
show("decltypes err", lambda: new(detect_types=1).execute('select cast(1 as foo)').fetchall())
sqlite3.register_converter("boom", bad)
cxd = new(detect_types=3)
show("converter raises", lambda: cxd.execute('select 1 as "x [boom]"').fetchall())
show("converter raises desc", lambda: cxd.execute('select 1 as "x [boom]"').description)
show("colname weird", lambda: cxd.execute('select 1 as "[x] y [a", 2 as "[]", 3 as "q[boom ]", 4 as " [x]"').description)
show("many params bad iter", lambda: cx.executemany("insert into t values(?)", bad))
cx.execute("create table t(a)")
def gen():
    yield (1,)
    1/0
show("gen raises", lambda: cx.executemany("insert into t values(?)", gen()))
show("after", lambda: (cx.execute("select * from t").fetchall(), cx.in_transaction))
cu = cx.cursor()
show("many 2", lambda: cu.executemany("insert into t values(?)", [(1,), 5]))
show("rowcount after error", lambda: cu.rowcount)
show("text_factory None", lambda: (setattr(cx,'text_factory',None), cx.execute("select 'a'").fetchall()))
show("text_factory int", lambda: (setattr(cx,'text_factory',int), cx.execute("select '12'").fetchall()))
class SS(str): pass
show("text_factory sub", lambda: (setattr(cx,'text_factory',SS), cx.execute("select '12'").fetchall()))
class BB(bytes): pass
show("text_factory bytes sub", lambda: (setattr(cx,'text_factory',BB), type(cx.execute("select '12'").fetchone()[0])))
cx.text_factory = str
cx.row_factory = 5
show("row_factory int", lambda: cx.execute("select 1").fetchall())
cx.row_factory = lambda *a: 1/0
show("row_factory raises", lambda: cx.execute("select 1").fetchall())
def rf(c, r): c.close(); return r
cx.row_factory = rf
show("row_factory closes", lambda: cx.execute("select 1 union select 2").fetchall())
def rf(c, r): c.execute("select 5"); return r
cx.row_factory = rf
show("row_factory executes", lambda: cx.execute("select 1 union select 2").fetchone())
cx.row_factory = None
show("undecodable", lambda: cx.execute("select cast(x'41ff42' as text)").fetchall())
show("undecodable long", lambda: cx.execute("select cast(x'41ff42' as text) || ? as "+'c'*150, ('y'*300,)).fetchall())
show("select *", lambda: cx.execute("select 1.5, null, 'é', x'00ff', 9223372036854775807, -9223372036854775808, 1e400, -1e400").fetchall())
show("is", lambda: cx.execute("select ?", (True,)).fetchall())
show("memoryview", lambda: cx.execute("select ?, ?, ?", (memoryview(b''), bytearray(), b'')).fetchall())
r = []
def inthread():
    for e in "cx.execute('select') cx.close() cx.isolation_level cx.autocommit cx.total_changes cx.in_transaction cx.interrupt() cx.__enter__() cx.__exit__(None,None,None) cx.iterdump() cx.backup(new()) cx.getconfig(1002) cx('x') setattr(cx,'isolation_level',None) setattr(cx,'autocommit',True) sqlite3.Cursor(cx) cu.fetchone() cu.close() next(cu) cx.serialize() cx.enable_load_extension(1) cx.load_extension('x') cx.cursor() cu.executescript('x') cx.create_collation('\\udc80',3) new().backup(cx)".split():
        show("thread "+e, lambda: eval(e, globals()))
t = threading.Thread(target=inthread); t.start(); t.join()
# re-entrancy
cx = new(detect_types=3); cu = cx.cursor()
cu.execute("create table t(a)")
for m in "close() fetchone() fetchall() fetchmany() __init__(cx) __next__()".split():
    rr = []
    def conv(x):
        show("  reent "+m, lambda: eval("cu."+m)); return 1
    sqlite3.register_converter("re", conv)
    show("re "+m, lambda: cu.execute('select 1 as "x [re]"').fetchall())
    def it():
        show("  reent it "+m, lambda: eval("cu."+m)); yield (1,)
    show("re it "+m, lambda: cu.executemany('insert into t values(?)', it()).rowcount)
cx.create_function("g", 0, lambda: cx.commit() or 1)
show("commit in func", lambda: cx.execute("insert into t select g()"))
cx.create_function("g", 0, lambda: cx.rollback() or 1)
show("rollback in func", lambda: cx.execute("insert into t select g()"))
cx.create_function("g", 0, lambda: cx.create_function("g",0,None) or 1)
show("redefine in func", lambda: cx.execute("insert into t select g()"))
cx.create_function("g", 0, lambda: cx.set_trace_callback(None) or 1)
cx.set_trace_callback(lambda s: cx.set_trace_callback(None))
show("untrace in trace", lambda: cx.execute("select g()").fetchall())
cx.set_authorizer(lambda *a: cx.set_authorizer(None) or 0)
show("unauth in auth", lambda: cx.execute("select 1 as hh").fetchall())
cx.set_progress_handler(lambda: cx.set_progress_handler(None, 0), 1)
show("unprog in prog", lambda: cx.execute("select 1 as hh union select 2").fetchall())
bk = new()

cx = sqlite3.connect(":memory:"); cu = cx.cursor(); cu.execute("create table t(a)")
# same statement in two cursors interleaved
c2 = cx.cursor()
def it():
    for i in range(3):
        c2.execute("insert into t values(?)", (i+10,))
        yield (i,)
print(cu.executemany("insert into t values(?)", it()).rowcount)
print(cx.execute("select * from t").fetchall())
a = cx.execute("select a from t"); print(next(a)); b = cx.execute("select a from t"); print(next(b), next(a), next(b), a.fetchall(), b.fetchall())
for sql in ("insert into t values (1)", "select 1", "create table u(x)", "pragma user_version", "update t set a=1", "insert into t values(2),(3) returning a", "begin", "commit", "with x as (select 1) insert into t select * from x", "/* c */ -- d\n  RePlace into t values(1)", "vacuum", "delete from t"):
    try:
        cu.execute(sql); print(sql, cu.rowcount, cu.description, cu.lastrowid, cx.in_transaction, cu.fetchall(), cu.rowcount, cx.total_changes)
    except Exception as e: print(sql, type(e), e)
for sql in ("update t set a=1", "begin", "insert into t values(2) returning a", "create table if not exists u(x)", "commit", "", "-- c"):
    try:
        cu.executemany(sql, [(), ()]); print(sql, cu.rowcount, cu.description, cu.lastrowid, cx.in_transaction, cu.fetchall(), cu.rowcount, cx.total_changes)
    except Exception as e: print(sql, type(e), e)
cu.executemany("insert into t values(2) returning a", [()]); print(cu.rowcount, cu.description, cu.fetchall())
print(cx.isolation_level, cx.in_transaction)
cx.commit()
print([x for x in cx.iterdump()], [x for x in cx.iterdump(filter="u%")])
for t in (sqlite3.Connection, sqlite3.Cursor, sqlite3.Row, sqlite3.Blob, sqlite3.PrepareProtocol):
    print(t, t.__module__, t.__flags__ & 0x7fff, t.__name__, t.__qualname__, t.__weakrefoffset__ != 0, t.__dictoffset__)
    for k, v in sorted(t.__dict__.items()):
        print('  ', k, type(v).__name__, repr(getattr(v,'__text_signature__',None)))
import _sqlite3
for k, v in sorted(vars(_sqlite3).items()):
    if k.startswith('__'): continue
    print(k, '' if k == 'sqlite_version' else v if isinstance(v, (int, str)) else '' if not callable(v) else getattr(v, '__text_signature__', None), type(v).__name__)
    if isinstance(v, type): print(v.__mro__, v.__module__)
