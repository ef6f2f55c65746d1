# How programs end: signals, exit codes, interrupts in odd places, errors nobody catches, closed streams. Every case runs in a fresh
# interpreter.
import re
import subprocess
import sys

CASES = r"""
### graceful
import signal, threading, time, os, atexit, sys
stop = threading.Event(); atexit.register(print, "atexit 1"); atexit.register(lambda: print("atexit 2"))
signal.signal(signal.SIGTERM, lambda s, f: (print("got", signal.Signals(s).name, f.f_code.co_name), stop.set()))
def worker():
    n = 0
    while not stop.wait(.005): n += 1
    print("worker done", n > 0)
t = threading.Thread(target=worker); t.start(); threading.Timer(.03, os.kill, (os.getpid(), signal.SIGTERM)).start()
t.join(); print(signal.getsignal(signal.SIGTERM) is not None); sys.exit(4)
### kbd
import os, signal, time
def f():
    try: os.kill(os.getpid(), signal.SIGINT); time.sleep(5)
    finally: print('cleanup')
f()
### kbd_lock
import threading, os, signal
l = threading.Lock(); l.acquire()
threading.Timer(.05, os.kill, (os.getpid(), signal.SIGINT)).start()
try: l.acquire()
except KeyboardInterrupt as e: print('out', e)
try:
    threading.Timer(.05, os.kill, (os.getpid(), signal.SIGINT)).start(); threading.Thread(target=lambda: __import__('time').sleep(.2)).start(); threading.Event().wait()
except KeyboardInterrupt: print('ev')
### kbd_asyncio
import asyncio, os, signal
async def main():
    asyncio.get_running_loop().call_later(.03, os.kill, os.getpid(), signal.SIGINT)
    try: await asyncio.sleep(10)
    except asyncio.CancelledError: print('cancelled'); raise
    finally: print('fin')
asyncio.run(main())
### kbd_loop
import os, signal, threading
threading.Timer(.05, os.kill, (os.getpid(), signal.SIGINT)).start()
n = 0
while True: n += 1
### kbd_io
import os, signal, threading
r, w = os.pipe(); threading.Timer(.05, os.kill, (os.getpid(), signal.SIGINT)).start()
os.read(r, 1)
### thread_exc
import threading
def f(): g()
def g(): raise ValueError('in thread')
t = threading.Thread(target=f, name='T1'); t.start(); t.join(); print('alive')
threading.excepthook = lambda a: print('hook', a.exc_type.__name__, a.thread.name)
t = threading.Thread(target=f, name='T2'); t.start(); t.join()
t = threading.Thread(target=lambda: exit(3)); t.start(); t.join()
### exit_thread
import threading, time, sys
def f(): time.sleep(.1); print('late'); raise KeyError(1)
threading.Thread(target=f).start(); sys.exit(2)
### daemon
import threading, time
threading.Thread(target=lambda: [time.sleep(.001) for _ in iter(int, 1)], daemon=True).start(); time.sleep(.02); print('end')
### del_exc
class A:
    def __del__(self): raise ValueError('del')
a = A(); del a; print('on')
b = A()
### chain
def f():
    try: {}['k']
    except KeyError as e:
        e.add_note('a note'); raise RuntimeError('two\nlines') from e
try: f()
finally: raise ExceptionGroup('g', [ValueError(1), TypeError('x')])
### exit_str
raise SystemExit('message')
### exit_obj
import sys; sys.exit(256 + 5)
### exit_neg
import sys; sys.exit(-1)
### exit_none
raise SystemExit(None)
### exit_float
raise SystemExit(1.5)
### recursion
def f(n): return f(n + 1)
f(0)
### recursion2
class A:
    def __getattr__(self, n): return getattr(self, n + 'x')
try: A().y
except RecursionError as e: print(e)
l = []
for i in range(100000): l = [l]
try: repr(l)
except RecursionError as e: print(e)
try: l == [[l]]; print(hash((1,)))
except RecursionError as e: print(e)
import json
try: json.dumps(l)
except RecursionError as e: print(str(e)[:40])
t = ()
for i in range(200000): t = (t,)
del t, l; print('freed')
### syntax
x = 1
if x
  y
### syntax2
print('a' 'b
### indent
def f():
	x = 1
        y = 2
### name
imprt = 1
print(imprt_)
### attr
import collections
collections.defaultdct
### unpack
a, b = 1, 2, 3
### argerr
def foo(a, *, b): pass
foo(1, 2, c=3)
### nested
def o():
    def i(x):
        return x['a']['b'][0](1 + (2 / 0))
    return i
o()({'a': {'b': [print]}})
### stdout_closed
import os, sys
os.close(1)
print('x')
### unicode
print('\udc80')
### nonascii
raise ValueError('é\u20ac\U0001f600 \ud800')
### excepthook
import sys
sys.excepthook = lambda *a: 1/0
raise ValueError('orig')
### stderr_none
import sys
sys.stderr = None
1/0
### atexit_err
import atexit
atexit.register(lambda: 1/0)
print('x')
### exec_err
exec('def f():\n  1/0\nf()')
### long_tb
def f(n):
    if n: f(n - 1)
    else: raise ValueError
f(20)
### asyncio_never
import asyncio
async def f(): pass
f()
print('x')
### task_destroyed
import asyncio
async def main(): asyncio.create_task(boom()); await asyncio.sleep(.01)
async def boom(): raise ValueError('lost')
asyncio.run(main())
### sigpipe_default
import signal, os
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
r, w = os.pipe(); os.close(r); os.write(w, b'x'); print('no')
### abort
import os, faulthandler
faulthandler.enable()
def f(): os.abort()
f()
### segv
import faulthandler, ctypes
faulthandler.enable()
def f(): ctypes.string_at(0)
f()
### input_eof
input('? ')
### alarm
import signal, time
signal.signal(signal.SIGALRM, lambda *a: 1/0)
signal.setitimer(signal.ITIMER_REAL, .02)
time.sleep(5)
### fork
import os, sys
pid = os.fork()
if pid == 0: print('child'); sys.exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
### warn
import warnings
warnings.warn('careful'); open('/dev/null'); x = 'a' is 'b'
### resource
import sys, warnings
warnings.simplefilter('always')
def f(): open('/dev/null')
f()
"""


def tidy(text):
    text = text.decode("utf-8", "backslashreplace")
    return re.sub(r"0x[0-9a-f]+", "0x...", re.sub(r'"/[^"]*/lib', '"LIB', text))


for case in CASES.split("### ")[1:]:
    name, _, text = case.partition("\n")
    p = subprocess.Popen([sys.executable, "-X", "utf8", "-c", text.rstrip("\n")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(timeout=100)
    print("==", name, p.returncode)
    print(tidy(out))
    print(tidy(err)[:120 if name == "segv" else None])
