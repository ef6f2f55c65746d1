"""Callbacks of sys.monitoring that raise, disable, restart, free their tool, jump, from several threads: nothing may crash."""
import sys
import threading
import warnings

warnings.simplefilter("ignore")
sys.unraisablehook = lambda u: None
m = sys.monitoring
E = m.events
ALL = [getattr(E, n) for n in dir(E) if n.isupper() and n != "NO_EVENTS"]
SET = 0
for e in ALL:
    SET |= e
LOCAL = SET & ((1 << 10) - 1)


class Hostile(Exception):
    pass


def ours(code):
    """Only what is being tested is disturbed, not the program that tests."""
    return code in CODES


def gen(n):
    try:
        for i in range(n):
            yield i
    except KeyError:
        yield -1


async def co():
    class A:
        def __await__(self):
            yield 1
    await A()


class Super:
    def f(self, *a, **k):
        return a


class Sub(Super):
    def f(self, *a, **k):
        try:
            return super().f(*a, **k)
        except AttributeError:
            pass


def workload():
    total = 0
    for i in range(6):
        if i & 1:
            total += i
        while total > 20:
            total -= 7
    for x in gen(3):
        total += x
    g = gen(3)
    next(g)
    try:
        g.throw(KeyError)
    except KeyError:
        pass
    c = co()
    c.send(None)
    c.close()
    Sub().f(1, 2, k=3)
    Sub().f(*(1,), **{"z": 2})
    [y for y in map(str, (1, 2)) if y]
    try:
        {}[1]
    except KeyError:
        try:
            raise ValueError
        except* ValueError:
            pass
    with open("/dev/null") as f:
        f.read(1)
    return total


CODES = {f.__code__ for f in (gen, co, workload, Super.f, Sub.f)}
ERRORS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, StopIteration, StopAsyncIteration, NameError, ArithmeticError,
          Hostile, ExceptionGroup)


def off():
    for attempt in range(200):
        try:
            for tool in range(6):
                for e in ALL:
                    m.register_callback(tool, e, None)
                if m.get_tool(tool):
                    m.set_events(tool, 0)
                    for f in (gen, co, workload, Super.f, Sub.f):
                        m.set_local_events(tool, f.__code__, 0)
                    m.free_tool_id(tool)
            return
        except ERRORS:
            pass
    raise SystemExit("cannot be switched off")


def under(callback, events=SET, tools=(0,), local=False, work=workload):
    for tool in tools:
        m.use_tool_id(tool, "hostile")
        for e in ALL:
            m.register_callback(tool, e, callback)
    try:
        for tool in tools:
            if local:
                for f in (gen, co, workload, Super.f, Sub.f):
                    m.set_local_events(tool, f.__code__, events & LOCAL)
            else:
                m.set_events(tool, events)
        work()
    except ERRORS:
        pass
    off()


# raise at the n-th event
for local in (False, True):
    for n in range(1, 500, 2):
        count = 0

        def raising(code, *args):
            global count
            count += ours(code)
            if count == n:
                count += 1
                raise Hostile

        under(raising, local=local)

# raise always, for each event alone and in pairs
def always(code, *args):
    if ours(code):
        raise Hostile


for e in ALL:
    if e not in (E.C_RETURN, E.C_RAISE):
        under(always, e)
        under(always, e | E.LINE, (0, 3))

# an error at the entry of a handler leaves nothing behind that counts as handled
def handle():
    try:
        try:
            {}[1]
        except KeyError:
            pass
        finally:
            pass
    except ValueError:
        return 1


CODES.add(handle.__code__)


def outer():
    before = sys.exception()
    under(lambda code, *args: m.DISABLE if code is handle.__code__ else None, E.EXCEPTION_HANDLED, work=handle)
    assert sys.exception() is before


outer()

# DISABLE always, in turns, and where that is an error
turn = 0


def disable(code, *args):
    return m.DISABLE if ours(code) else None


def in_turns(code, *args):
    global turn
    if not ours(code):
        return None
    turn += 1
    if turn % 17 == 0:
        m.restart_events()
    return m.DISABLE if turn % 3 else None


for callback in (disable, in_turns):
    for e in ALL:
        if e not in (E.C_RETURN, E.C_RAISE):
            under(callback, e, (0, 1, 5))
    under(callback, LOCAL, (0, 1))
    under(callback, LOCAL, (0, 1), True)

# callbacks that change everything while they run
def rebuild(code, *args):
    global turn
    turn += 1
    step = turn % 8
    if step == 0:
        m.set_events(0, LOCAL)
    elif step == 1:
        m.set_events(0, E.LINE)
    elif step == 2:
        m.set_local_events(0, code, LOCAL)
    elif step == 3:
        m.set_local_events(0, code, 0)
    elif step == 4:
        m.restart_events()
    elif step == 5:
        sys.settrace(lambda *a: None if turn % 2 else rebuild_trace)
    elif step == 6:
        sys.settrace(None)
    elif step == 7:
        for e in ALL:
            m.register_callback(0, e, rebuild)


def rebuild_trace(frame, event, arg):
    frame.f_trace_opcodes = True
    return rebuild_trace


for i in range(20):
    under(rebuild)
    sys.settrace(None)

# a callback that frees its own tool, and one that is freed while it runs
def freeing(*args):
    m.free_tool_id(0)


class Callback:
    def __call__(self, code, *args):
        for e in ALL:
            m.register_callback(0, e, None)
        return m.DISABLE if ours(code) else None

    def __del__(self):
        workload()


under(freeing)
under(Callback())

# moving the frame from each event
def moving(code, *args):
    global turn
    if not ours(code):
        return
    turn += 1
    if turn > 3000:
        raise Hostile
    f = sys._getframe(1)
    for line in (turn % 25, turn % 7):
        try:
            f.f_lineno = code.co_firstlineno + line
            break
        except ValueError:
            pass


for e in ALL:
    if e not in (E.C_RETURN, E.C_RAISE):
        turn = 0
        under(moving, e)

# callbacks that are not callable, take other arguments, or are deep
def deep(code, *args):
    def down():
        down()
    down()


for callback in (1, lambda: 0, len, deep, str, m.set_events, dict.get):
    under(callback, local=True)

# events of other threads
stop = False


def switching():
    turn = 0
    while not stop:
        turn += 1
        try:
            m.use_tool_id(4, "x")
            m.register_callback(4, E.LINE, disable if turn & 1 else print_nothing)
            m.register_callback(4, E.CALL, print_nothing)
            m.set_events(4, (LOCAL, E.LINE, E.CALL, SET)[turn % 4])
            m.set_local_events(4, workload.__code__, (0, LOCAL)[turn % 2])
            m.restart_events()
            m.set_events(4, 0)
            m.free_tool_id(4)
        except ERRORS:
            m.free_tool_id(4)


def print_nothing(*args):
    pass


def working():
    for _ in range(40):
        workload()


switcher = threading.Thread(target=switching)
workers = [threading.Thread(target=working) for _ in range(3)]
switcher.start()
for w in workers:
    w.start()
for w in workers:
    w.join()
stop = True
switcher.join()
off()

# code of other compilers: little stack, odd lines
def tiny():
    pass


for stack in (0, 1):
    for table in (b"", b"\xff" * 8, b"\x80\x00", tiny.__code__.co_linetable[:1]):
        tiny.__code__ = tiny.__code__.replace(co_stacksize=stack, co_linetable=table)
        under(print_nothing, work=tiny)
        sys.settrace(rebuild_trace)
        tiny()
        sys.settrace(None)

assert workload() == workload()
print("OK")
