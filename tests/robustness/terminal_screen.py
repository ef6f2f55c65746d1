"""Curses on a pseudo-terminal: calls too early and too late, hostile arguments, callbacks that raise; and the shell of the library."""
import os
import pty
import select
import signal
import sys
import tempfile
import time

try:
    import _curses
    import _curses_panel
except ImportError:
    print("OK (without curses)")
    sys.exit()
if len(sys.argv) < 2:
    sys.argv.append(sys.executable)

CHILD = r'''
import _curses, _curses_panel, io, sys, gc
atoms = [None, 0, 1, -1, 2**15, 2**31, 2**63, 2**64, -2**63 - 1, 1.5, "", "a", "ab", "\xe9", "\u20ac", "\0", "\ud800", b"", b"a", b"ab", b"\xff", [], object()]
more = [(), (1, 1), (1, "x"), ("a", 2**63), (-1, -1), (1000, 1000), (1, 1, "a"), ("a", 1, 1), (0, -2, 0), (1, 1, "a", 1), (-1, -1, -1, -1), (100, 100, 0, 0),
        (1, 1, "abc", 2, 0), tuple(range(6)), tuple(range(7)), tuple(range(12))]
leave = {"initscr", "endwin", "setupterm", "error", "window", "filter", "use_env", "napms", "delay_output", "getwin", "halfdelay", "raw", "cbreak"}
def call(function, *args):
    try:
        return function(*args)
    except (_curses.error, _curses_panel.error, TypeError, ValueError, OverflowError, UnicodeError, AttributeError, RuntimeError, OSError) as e:
        return e
def sweep(owner, names, skip=()):
    for name in names:
        if name.startswith("__") or name in skip or not callable(getattr(owner, name)): continue
        for a in atoms: call(getattr(owner, name), a)
        for a in more: call(getattr(owner, name), *a)
sweep(_curses, dir(_curses), leave)
assert "must call initscr() first" in str(call(_curses.beep)) and "setupterm() first" in str(call(_curses.tigetnum, "cols"))
assert "must call initscr() first" in str(call(_curses_panel.top_panel))
_curses.setupterm(fd=1)
# A parameter is a number: it must not be followed as a string.
for bad in (b"%p1%s", b"%p1%l%d", b"%p1%10.5s", b"%p1%:-10s", b"%", b"%p", b"%{", b"%p1%p2%+%s", b"%?%p1%t%s%;"): call(_curses.tparm, bad, 1)
assert _curses.tparm(b"%p1%d-%p2%d", 3, 4) == b"3-4"
screen = _curses.initscr()
_curses.noecho()
screen.timeout(0)
_curses.start_color()
sweep(_curses, dir(_curses), leave | {"resize_term", "resizeterm"})
assert isinstance(call(_curses.resize_term, 35000, 1), OverflowError)
_curses.flushinp()
for kind in (lambda: _curses.newwin(5, 10, 2, 2), lambda: _curses.newpad(20, 20), lambda: screen.derwin(4, 4, 1, 1)):
    for name in dir(_curses.window):
        window = kind()
        window.timeout(0)
        sweep(window, [name], {"getstr"})
        call(window.addstr, "x")
# Files that lie, raise, and come back.
class File:
    def __init__(self, data): self.data = data
    def read(self): return self.data
    def write(self, data): raise KeyError
for data in (b"", b"garbage", "text", None, b"\x88\x88" * 600, b"x" * 70000): assert isinstance(call(_curses.getwin, File(data)), (_curses.error, TypeError))
try:
    screen.putwin(File(0))
    raise AssertionError
except KeyError:
    pass
copy = io.BytesIO()
screen.putwin(copy)
copy.seek(0)
_curses.getwin(copy).addstr("again")
# A window outlives what it is part of; a panel its window; what a panel keeps may replace itself.
part = _curses.newwin(5, 5).derwin(3, 3, 1, 1).derwin(2, 2, 0, 0)
gc.collect()
part.addstr("x")
panel = _curses_panel.new_panel(_curses.newwin(3, 3))
other = _curses_panel.new_panel(part)
class Last:
    def __del__(self): panel.set_userptr(7)
panel.set_userptr(Last())
panel.set_userptr(8)
assert panel.userptr() == 7 and panel.above() is other and other.below() is panel
for name in dir(_curses_panel.panel): sweep(panel, [name], {"set_userptr", "replace"})
call(panel.replace, part), call(panel.replace, 3)
del other, part
_curses_panel.update_panels()
assert _curses_panel.top_panel() is panel
# Encodings that do not exist.
window = _curses.newwin(2, 2)
window.encoding = "nosuch"
try: window.insch("\xe9")
except LookupError: pass
# The module again: the same screen.
first = _curses.error
del sys.modules["_curses"]
import _curses as again
assert again.error is first and again.can_change_color() in (True, False)
_curses.endwin()
call(screen.addstr, "x"), call(screen.refresh), call(screen.getch), call(_curses.beep), _curses.endwin()
open(sys.argv[1], "w").write("fine")
'''

home = tempfile.TemporaryDirectory()
environment = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8", HOME=home.name)
for name in ("PYTHON_BASIC_REPL", "PYTHONHISTORY", "NO_COLOR", "PYTHON_COLORS", "PYTHONSTARTUP"):
    environment.pop(name, None)


def drive(arguments, *steps):
    """Runs the interpreter on a terminal: each step waits for a text and then types another. What the terminal showed."""
    pid, fd = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)       # a job in the background inherits that it is ignored
        os.execvpe(sys.argv[1], [sys.argv[1], *arguments], environment)
    shown = b""
    seen = 0
    try:
        for wanted, typed in (*steps, (None, None)):
            limit = time.monotonic() + 60
            while wanted is None or wanted.encode() not in shown[seen:]:
                if not select.select([fd], [], [], max(0, limit - time.monotonic()))[0]:
                    raise AssertionError("%r did not come after %r" % (wanted, shown[-2000:]))
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    data = b""
                if not data:
                    assert wanted is None, (wanted, shown[-2000:])
                    break
                shown += data
            if wanted is not None:
                seen = shown.index(wanted.encode(), seen) + len(wanted.encode())
            if typed is not None:
                os.write(fd, typed.encode())
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        status = os.waitpid(pid, 0)[1]
        os.close(fd)
    return shown, os.waitstatus_to_exitcode(status)


result = os.path.join(home.name, "result")
shown, status = drive(["-c", CHILD, result])
assert status == 0 and os.path.exists(result), (status, shown[-1500:])
with open(result) as f:
    assert f.read() == "fine"

# The shell: a block with indentation, editing it again, an interrupt, a paste, history (F2 shows it), a signal of the exit.
READY = "\x1b[1;35m>>> \x1b[0m\x1b[4D\x1b[?12l\x1b[?25h\x1b[4C"
shown, status = drive(["-q"], (READY, "6*7\r"), ("\x1b>42\r\n", ""), (READY, "def f(a):\r"), ("... ", "return a+1\r"), ("... ", "\r"), (READY, "f(4)\r"),
                      ("\x1b>5\r\n", ""), (READY, "\x1bOA\x1bOA"), ("return a+1", "\x03"), ("KeyboardInterrupt", ""), (READY, "import os\r"),
                      (READY, "os.getpi\t"), ("os.getpid()", "\x15"), (READY[:17], "\x1b[200~x = 5\nif x:\n    print('pasted', x)\n\x1b[201~"), ("... ", "\r"),
                      ("\x1b>pasted 5\r\n", ""), (READY, "1/0\r"), ("ZeroDivisionError", ""), (READY, "raise SystemExit(3)\r"))
assert status == 3, (status, shown[-1500:])
with open(os.path.join(home.name, ".python_history")) as f:
    assert f.read().startswith("6*7\ndef f(a):")
shown, status = drive(["-q", "-i", "-c", "a = 5"], (READY, "a\r"), ("\x1b>5\r\n", ""), (READY, "\x04"))
assert status == 0
environment["PYTHON_BASIC_REPL"] = "1"
environment["PYTHON_COLORS"] = "0"
shown, status = drive(["-q", "-i", "-c", "a = 5"], (">>> ", "a\r"), ("5\r\n>>> ", "\x04"))
assert status == 0 and b"2004h" not in shown
print("OK")
