"""Trace and profile functions that do what they should not: nothing may crash, and tracing must go on or end cleanly."""
import gc
import sys
import threading
import warnings

warnings.simplefilter("ignore")
sys.unraisablehook = lambda u: None


def sample(n):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
        else:
            total -= 1
        try:
            total // (i % 3)
        except ZeroDivisionError:
            total += 100
    with open("/dev/null") as f:
        f.read()
    squares = [x * x for x in range(n)]
    return total + sum(squares)


def gen(n):
    try:
        for i in range(n):
            yield i
    finally:
        n = -1


def delegate(n):
    return (yield from gen(n))


async def coro(n):
    for i in range(n):
        await Once()
    return n


class Once:
    def __await__(self):
        yield 1


async def agen(n):
    for i in range(n):
        yield i
        await Once()


async def use_agen(n):
    async for x in agen(n):
        if x == 2:
            break
    return [x async for x in agen(n)]


def drive(c):
    try:
        while True:
            c.send(None)
    except StopIteration as e:
        return e.value


class Thing:
    def __init__(self, x):
        self.x = x

    def __getitem__(self, i):
        return self.x + i

    @property
    def p(self):
        return self[1]

    def __del__(self):
        self.x = None


def workload():
    sample(5)
    list(delegate(4))
    g = gen(4)
    next(g)
    g.close()
    g = delegate(3)
    next(g)
    try:
        g.throw(KeyError)
    except KeyError:
        pass
    drive(coro(3))
    drive(use_agen(4))
    t = Thing(3)
    t.p, t[2]
    del t
    try:
        {}[1]
    except KeyError as e:
        e.__traceback__.tb_frame.f_locals
    max([3, 1], key=lambda v: -v)
    exec("class Q:\n  y = 1\n  def f(self): return 1\nQ().f()", {})


ERRORS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, StopIteration, StopAsyncIteration, NameError, ArithmeticError)


def under(setter, function, work=workload):
    """work() under a trace or profile function, whatever that does; the function is off afterwards."""
    for attempt in range(50):                    # even the call that switches off is an event, and each line here
        try:
            if attempt == 0:
                setter(function)
                work()
            setter(None)
            return
        except ERRORS:
            pass
        except Hostile:
            pass
    raise SystemExit("cannot be switched off")


class Hostile(Exception):
    pass


# ---- raise at the n-th event --------------------------------------------------------------------------------------------------------

for setter in (sys.settrace, sys.setprofile):
    for n in range(1, 400, 3):
        count = 0

        def raising(frame, event, arg):
            global count
            count += 1
            if count == n:
                raise Hostile(event)
            return raising

        under(setter, raising)
        assert sys.gettrace() is None and sys.getprofile() is None

# ---- set every attribute at every event ---------------------------------------------------------------------------------------------

def every_attribute(frame, event, arg):
    frame.f_trace_opcodes = not frame.f_trace_opcodes
    frame.f_trace_lines = event != "opcode"
    frame.f_trace = every_attribute
    if event == "return":
        del frame.f_trace
    for line in (frame.f_lineno, frame.f_code.co_firstlineno, 10**9, -1):
        try:
            frame.f_lineno = line
        except ValueError:
            pass
    return every_attribute


limit = 3000


def bounded(frame, event, arg):
    global limit
    limit -= 1
    if limit < 0:
        raise Hostile
    return every_attribute(frame, event, arg) and bounded


under(sys.settrace, bounded)

# ---- jumps everywhere ------------------------------------------------------------------------------------------------------------------

def jumper(target, frames_back, wanted):
    steps = 0

    def trace(frame, event, arg):
        nonlocal steps
        steps += 1
        if steps > 2000:
            raise Hostile
        frame.f_trace_opcodes = wanted == "opcode"
        if event == wanted and steps % 3 == 0:
            f = frame
            for _ in range(frames_back):
                f = f.f_back or f
            try:
                f.f_lineno = f.f_code.co_firstlineno + target
            except ValueError:
                pass
        return trace
    return trace


for wanted in ("line", "opcode", "return", "call", "exception"):
    for target in range(0, 17):
        for back in (0, 1, 2):
            under(sys.settrace, jumper(target, back, wanted))

# ---- moved with a full stack, and an exception right after ---------------------------------------------------------------------------------

def full_stack():
    values = [object()]
    def inner(v, w): pass
    inner(
        values[0],
        values[0]
    )


def move_and_raise(frame, event, arg):
    if frame.f_code is full_stack.__code__ and event == "line" and frame.f_lineno > frame.f_code.co_firstlineno + 3:
        frame.f_lineno = frame.f_code.co_firstlineno + 2
        raise Hostile
    return move_and_raise


for n in range(200):
    under(sys.settrace, move_and_raise, full_stack)

# ---- a generator moved at its yields, for long -------------------------------------------------------------------------------------------

def yielder(out):
    a = 1
    out.append(a)
    b = yield a
    out.append(b)
    with open("/dev/null") as f:
        c = yield b
    yield c


for target in range(1, 8):
    def back_again(frame, event, arg):
        if frame.f_code is yielder.__code__ and event == "return":
            try:
                frame.f_lineno = frame.f_code.co_firstlineno + target
            except ValueError:
                pass
        return back_again

    for end in ("close", "throw", "drop", "for", "from"):
        sys.settrace(back_again)
        try:
            out = []
            g = yielder(out)
            if end == "for":
                for i, x in enumerate(g):
                    if i > 50:
                        break
            elif end == "from":
                def outer():
                    yield from g
                for i, x in enumerate(outer()):
                    if i > 50:
                        break
            else:
                for i in range(50):
                    next(g)
                if end == "close":
                    g.close()
                elif end == "throw":
                    g.throw(Hostile)
                del g
        except (StopIteration, Hostile, ValueError, RuntimeError, TypeError, AttributeError):
            pass
        sys.settrace(None)

# ---- resuming, closing and clearing what is being traced ---------------------------------------------------------------------------------

def meddling(frame, event, arg):
    for o in gc.get_referrers(frame)[:3]:
        pass
    for name in list(frame.f_locals):
        v = frame.f_locals[name]
        if hasattr(v, "close") and hasattr(v, "gi_frame"):
            for action in (v.close, lambda: next(v), lambda: v.throw(Hostile), v.__del__ if hasattr(v, "__del__") else v.close):
                try:
                    action()
                except (ValueError, StopIteration, Hostile, RuntimeError, AttributeError, KeyError):
                    pass
    try:
        frame.clear()
    except RuntimeError:
        pass
    if "g" in frame.f_locals and event == "line":
        frame.f_locals["g"] = None
    return meddling


def itself():
    def inner():
        me = holder[0]
        yield me
        yield 2
    holder = []
    holder.append(inner())
    for _ in range(2):
        next(holder[0])
    g = holder[0]
    g = delegate(3)
    try:
        for x in g:
            pass
    except TypeError:
        pass


for setter in (sys.settrace, sys.setprofile):
    under(setter, meddling, itself)
    under(setter, meddling)

# ---- deleting itself, dying in the middle ------------------------------------------------------------------------------------------------

class Suicidal:
    def __init__(self, setter):
        self.setter = setter

    def __call__(self, frame, event, arg):
        self.setter(None)
        frame.f_trace = None
        return self

    def __del__(self):
        self.setter(None)


class Replacing:
    left = 300

    def __init__(self, setter):
        self.setter = setter

    def __call__(self, frame, event, arg):
        Replacing.left -= 1
        if Replacing.left > 0:
            self.setter(Replacing(self.setter))
        return Replacing(self.setter)


for setter in (sys.settrace, sys.setprofile):
    for cls in (Suicidal, Replacing):
        Replacing.left = 300
        under(setter, cls(setter))

# ---- keeping frames, and their resurrection -----------------------------------------------------------------------------------------------

kept = []


class Phoenix:
    def __init__(self, frame):
        self.frame = frame

    def __del__(self):
        kept.append(self.frame)


def keeping(frame, event, arg):
    frame.f_locals["phoenix"] = Phoenix(frame)
    kept.append(frame)
    return keeping


for setter in (sys.settrace, sys.setprofile):
    under(setter, keeping)
    for f in kept[:200]:
        f.f_lineno, f.f_lasti, f.f_back, dict(f.f_locals), f.f_code.co_name, repr(f)
        try:
            f.clear()
        except RuntimeError:
            pass
    kept.clear()
    gc.collect()
    kept.clear()

# ---- deep recursion ----------------------------------------------------------------------------------------------------------------------

def deep(n):
    return deep(n + 1)


def quiet(frame, event, arg):
    return quiet


def recursing(frame, event, arg):
    deep(0)
    return recursing


for setter in (sys.settrace, sys.setprofile):
    for function in (quiet, recursing):
        try:
            setter(function)
            deep(0)
        except RecursionError:
            pass
        setter(None)

# ---- changing the code that runs --------------------------------------------------------------------------------------------------------------

def recoding(frame, event, arg):
    deep.__code__ = deep.__code__.replace()
    sample.__code__ = sample.__code__.replace(co_firstlineno=sample.__code__.co_firstlineno)
    frame.f_code._varname_from_oparg
    return recoding


for setter in (sys.settrace, sys.setprofile):
    under(setter, recoding)

# ---- switching from other threads ------------------------------------------------------------------------------------------------------------------

stop = False


def switching():
    while not stop:
        threading.settrace_all_threads(quiet)
        threading.setprofile_all_threads(quiet)
        threading.settrace_all_threads(None)
        threading.setprofile_all_threads(None)


def working():
    for _ in range(30):
        workload()


workers = [threading.Thread(target=working) for _ in range(3)]
switcher = threading.Thread(target=switching)
switcher.start()
for w in workers:
    w.start()
for w in workers:
    w.join()
stop = True
switcher.join()
threading.settrace_all_threads(None)
threading.setprofile_all_threads(None)
sys.settrace(None)
sys.setprofile(None)

# a thread that ends while traced is no longer counted: nothing stays instrumented

def traced_thread():
    sys.settrace(quiet)
    sys.setprofile(quiet)


t = threading.Thread(target=traced_thread)
t.start()
t.join()


def plain():
    return 1


plain()
assert not sys.monitoring._all_events() or sys.settrace(None) is None


# The old functions' destructors end the threads that settrace_all_threads() goes through.
def ends_threads(set_own, set_all):
    class Function:
        def __init__(self, last):
            self.last = last

        def __call__(self, *args):
            return None

        def __del__(self):
            if self.last and threads:
                for event, thread in threads:
                    event.set()
                    thread.join()
                threads.clear()
                ended.append(True)

    def run(event, last):
        set_own(Function(last))
        ready.release()
        event.wait()

    for which in range(4):
        threads, ended, ready = [], [], threading.Semaphore(0)
        for i in range(4):
            event = threading.Event()
            threads.append((event, threading.Thread(target=run, args=(event, i == which))))
            threads[-1][1].start()
        for _ in range(4):
            ready.acquire()
        set_all(None)
        assert ended
        more = [threading.Thread(target=plain) for _ in range(4)]
        for thread in more:
            thread.start()
        for thread in more:
            thread.join()


ends_threads(sys.settrace, threading.settrace_all_threads)
ends_threads(sys.setprofile, threading.setprofile_all_threads)

print("OK")
