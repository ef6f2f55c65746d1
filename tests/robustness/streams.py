"""Closed, full, broken and interrupted streams: clear errors, and what was written stays written."""
import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

python = sys.argv[1]


def run(code, **kw):
    return subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, **kw)


# A full device: ENOSPC at the flush, exit status 120 when nobody asked before.
with open("/dev/full", "w") as full:
    p = subprocess.run([python, "-c", "print('x')"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert p.returncode in (1, 120) and "No space left on device" in p.stderr, p
    p = subprocess.run([python, "-c", "import sys\ntry:\n    print('x', flush=True)\nexcept OSError as e:\n    sys.exit(e.errno)"], stdout=full, stderr=subprocess.PIPE)
    assert p.returncode in (errno.ENOSPC, 120), p
f = open("/dev/full", "wb")
f.write(b"data")
try:
    f.flush()
    raise AssertionError
except OSError as e:
    assert e.errno == errno.ENOSPC
try:
    f.close()
except OSError as e:
    assert e.errno == errno.ENOSPC
assert f.closed
# A limit on file size: what fitted stays.
import resource
with tempfile.TemporaryDirectory() as folder:
    name = os.path.join(folder, "limited")
    p = run("import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))\n"
            "f = open(%r, 'wb', buffering=100)\ntry:\n    for i in range(1000): f.write(b'x' * 100)\nexcept OSError as e:\n    print(e.errno)\n" % name)
    assert "27" in p.stdout, p
    assert os.path.getsize(name) == 10000
# Broken pipe.
r, w = os.pipe()
os.close(r)
try:
    os.write(w, b"x")
    raise AssertionError
except BrokenPipeError:
    pass
os.close(w)
p = subprocess.Popen([python, "-c", "for i in range(100000): print(i)"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdout.readline()
p.stdout.close()
err = p.stderr.read()
p.stderr.close()
assert p.wait() in (1, 120) and b"BrokenPipeError" in err, err
# Standard streams that are closed at start or taken away.
for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
    p = subprocess.run(["sh", "-c", '%s -c "import sys; print(1); sys.stderr" %s' % (python, closed)], capture_output=True)
    assert p.returncode in (0, 120), (closed, p)
for code in ("import sys; sys.stdin.close(); input()", "import sys; del sys.stdout; print(1)", "import sys; del sys.stderr; 1/0", "import sys; sys.stdout = 5; print(1)",
             "import sys; sys.stdin = None; input()", "import sys, os; os.close(0); sys.stdin.read()"):
    p = run(code, stdin=subprocess.DEVNULL)
    assert p.returncode in (0, 1, 120), (code, p)
# System calls that a signal interrupts go on (PEP 475); a handler that raises ends them.
ticks = []
signal.signal(signal.SIGALRM, lambda *a: ticks.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
start = time.monotonic()
time.sleep(0.3)
assert time.monotonic() - start >= 0.3 and ticks
r, w = os.pipe()
threading.Timer(0.2, lambda: os.write(w, b"late")).start()
assert os.read(r, 10) == b"late"
threading.Timer(0.2, lambda: os.write(w, b"line\n")).start()
assert open(r, "rb", closefd=False).readline() == b"line\n"
import select
threading.Timer(0.2, lambda: os.write(w, b"z")).start()
assert select.select([r], [], [], 5)[0] == [r]
lock = threading.Lock()
lock.acquire()
assert not lock.acquire(timeout=0.2)
signal.setitimer(signal.ITIMER_REAL, 0)


class Stop(Exception):
    pass


def handler(*a):
    raise Stop


signal.signal(signal.SIGALRM, handler)
for blocking in (lambda: time.sleep(10), lambda: lock.acquire(), lambda: select.select([], [], [], 10), lambda: (os.read(r, 1), os.read(r, 1))):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        blocking()
        raise AssertionError
    except Stop:
        pass
print("OK")
