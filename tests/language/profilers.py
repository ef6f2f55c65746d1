# cProfile, profile, settrace, sys.monitoring, tracemalloc, trace, faulthandler, bdb and the callbacks of the collector.
import cProfile, pstats, io, tracemalloc, sys, time, gc, timeit, re, trace, faulthandler, tempfile, threading, os, linecache, profile, bdb, collections

def leaf(n):
    return sum(range(n))

def mid(n):
    return [leaf(i) for i in range(n)] + [len('x') for _ in range(3)]

def rec(n):
    return n if n < 2 else rec(n - 1) + rec(n - 2)

class K:

    def meth(self):
        return sorted([3, 1, 2], key=lambda x: -x)

def gen(n):
    for i in range(n):
        yield i

def job():
    mid(30)
    rec(10)
    K().meth()
    list(gen(5))
    'a,b'.split(',')
    {}.get(1)

def main():
    pr = cProfile.Profile()
    pr.enable()
    job()
    pr.disable()
    s = io.StringIO()
    st = pstats.Stats(pr, stream=s).strip_dirs().sort_stats('name')
    st.print_stats()
    st.print_callers('leaf|meth')
    print(re.sub('\\d+\\.\\d+', 'N.N', s.getvalue()))
    try:
        pr.runcall(lambda: 1 / 0)
    except ZeroDivisionError:
        print('err ok')
    s = io.StringIO()
    p2 = profile.Profile()
    p2.runcall(mid, 5)
    pstats.Stats(p2, stream=s).strip_dirs().sort_stats('name').print_stats()
    print(re.sub('\\d+\\.\\d+', 'N.N', s.getvalue()))
    ev = []

    def tr(f, e, a):
        if f.f_code.co_filename == __file__:
            ev.append((f.f_code.co_name, e, f.f_lineno, a if e == 'exception' and 0 else None))
            return tr
    sys.settrace(tr)
    rec(2)
    list(gen(2))
    sys.settrace(None)
    print(ev)
    mon = sys.monitoring
    mon.use_tool_id(3, 't')
    cnt = collections.Counter()
    for e in ('PY_START', 'PY_RETURN', 'LINE', 'JUMP', 'BRANCH', 'CALL', 'PY_YIELD', 'RAISE'):
        mon.register_callback(3, getattr(mon.events, e), lambda code, *a, e=e: cnt.update([(e, code.co_name)]) if code.co_filename == __file__ else None)
    mon.set_events(3, mon.events.PY_START | mon.events.PY_RETURN | mon.events.LINE | mon.events.JUMP | mon.events.BRANCH | mon.events.CALL | mon.events.PY_YIELD)
    job()
    mon.set_events(3, 0)
    mon.free_tool_id(3)
    print(sorted(((k, v) for k, v in cnt.items() if k[1] != 'main')))
    tracemalloc.start(5)
    a = [bytes(1000) for _ in range(100)]
    s1 = tracemalloc.take_snapshot()
    b = ['x' * 2000 + str(i) for i in range(50)]
    s2 = tracemalloc.take_snapshot()
    top = [d for d in s2.compare_to(s1, 'lineno') if d.traceback[0].filename == __file__]
    print([(d.traceback[0].lineno, d.size_diff > 100000) for d in top if d.size_diff > 10000])
    print(tracemalloc.get_object_traceback(a[0])[-1].lineno > 0, tracemalloc.get_traced_memory()[1] > 200000)
    tracemalloc.stop()
    print(timeit.timeit('x + 1', 'x = 1', number=1000) > 0)
    t = trace.Trace(count=1, trace=0)
    t.runfunc(mid, 3)
    print(sorted(((l, c) for (f, l), c in t.results().counts.items() if f == __file__)))
    with tempfile.TemporaryFile() as f:
        faulthandler.dump_traceback(f, all_threads=False)
        f.seek(0)
        print(re.sub(b'".*/', b'"', f.read()).decode())
    gc.collect()
    log = []
    gc.callbacks.append(lambda ph, info: log.append((ph, info['generation'], sorted(info))))
    gc.collect(1)
    gc.callbacks.clear()
    print(log)

    class C:
        pass
    c = C()
    c.me = c
    i = id(c)
    del c
    print(gc.collect() > 0, gc.get_stats()[2].keys(), gc.isenabled(), gc.get_threshold())
    x = []
    print(len(gc.get_referrers(x)), gc.is_tracked(x), gc.is_tracked(()), sys.getrefcount(x), sys.getsizeof('abc'), sys.getsizeof(2 ** 100), sys.getsizeof(C()) if 0 else '')

    class D(bdb.Bdb):

        def user_line(self, f):
            out.append((f.f_code.co_name, f.f_lineno))
            self.set_step()
    out = []
    d = D()
    d.runcall(rec, 2)
    print(out)
main()
