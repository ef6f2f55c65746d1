"""Prompts on a pseudo-terminal: editing, completion, hooks that raise and re-enter, signals, threads, a fork while a line is read."""
import os
import pty
import select
import signal
import sys
import tempfile
import time

try:
    import readline
except ImportError:
    print("OK (without readline)")
    sys.exit()
if len(sys.argv) < 2:
    sys.argv.append(sys.executable)
home = tempfile.TemporaryDirectory()
environment = dict(os.environ, TERM="xterm", PYTHON_BASIC_REPL="1", PYTHON_COLORS="0", LC_ALL="C.UTF-8", INPUTRC="/dev/null", HOME=home.name)
environment.pop("PYTHONHISTORY", None)


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
            limit = time.monotonic() + 30
            while wanted is None or wanted.encode() not in shown[seen:]:
                if not select.select([fd], [], [], max(0, limit - time.monotonic()))[0]:
                    raise AssertionError("%r did not come after %r" % (wanted, shown))
                try:
                    data = os.read(fd, 4096)
                except OSError:
                    data = b""
                if not data:
                    assert wanted is None, (wanted, shown)
                    break
                shown += data
            if wanted is not None:
                seen = shown.index(wanted.encode(), seen) + len(wanted.encode())
            if isinstance(typed, int):
                os.kill(pid, typed)
            elif typed is not None:
                os.write(fd, typed.encode())
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        status = os.waitpid(pid, 0)[1]
        os.close(fd)
    return shown.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def check(shown, *texts):
    at = 0
    for text in texts:
        found = shown.find(text, at)
        assert found >= 0, (text, shown)
        at = found + len(text)


# The interactive prompt: a block, history, completion, Ctrl-C in a line and in a block, Ctrl-D.
shown, status = drive(["-q"], (">>> ", "6*7\r"), ("42\r\n>>> ", "for i in range(2):\r"), ("... ", "\tprint('item', i)\r"), ("... ", "\r"),
                      ("item 1\r\n>>> ", "\x1b[A\x1b[A\x1b[A\r"), ("42\r\n>>> ", "unfinished"), ("unfinished", "\x03"), ("\r\nKeyboardInterrupt\r\n>>> ", "import os\r"),
                      (">>> ", "type(os.getpi\t"), ("d()", ")\r"), ("'int'>",  ""), (">>> ", "def f():\r"), ("... ", "x"), ("x", "\x03"), ("KeyboardInterrupt\r\n>>> ", "f\r"),
                      ("NameError", ""), (">>> ", "'\xe9\u20ac'+'\x02\x02x'\r"), (">>> ", "\x04"))
assert status == 0, (status, shown)
with open(os.path.join(home.name, ".python_history"), encoding="utf-8") as f:
    assert f.read().startswith("6*7\nfor i in range(2):\n\tprint('item', i)\n6*7\nimport os\ntype(os.getpid())\ndef f():\nf\n"), f
# A signal's handler may raise anything at the prompt.
shown, status = drive(["-q"], (">>> ", "import signal; _ = signal.signal(signal.SIGUSR1, lambda *a: 1/0)\r"), (">>> ", "abc"), ("abc", signal.SIGUSR1),
                      ("ZeroDivisionError", ""), (">>> ", "raise SystemExit(3)\r"))
assert status == 3, (status, shown)

# input(): interrupted, at the end, and what it leaves of the terminal's modes.
shown, status = drive(["-c", """
import readline, termios
modes = termios.tcgetattr(0)
print(repr(input('a> ')), readline.get_current_history_length())
for prompt in ('b> ', 'c> '):
    try: input(prompt)
    except (KeyboardInterrupt, EOFError) as e: print(repr(e))
print(termios.tcgetattr(0) == modes)
"""], ("a> ", "xyz\x01>\r"), ("b> ", "lost"), ("lost", "\x03"), ("c> ", "\x04"))
check(shown, "'>xyz' 1", "KeyboardInterrupt()", "EOFError()", "True")
assert status == 0

# Hooks that raise, remove themselves, read a line of their own, return nonsense.
shown, status = drive(["-c", r"""
import readline, signal
def pre():
    readline.insert_text('pre'); readline.redisplay(); readline.set_pre_input_hook(None); 1/0
readline.set_startup_hook(lambda: readline.set_startup_hook(None))
readline.set_pre_input_hook(pre)
print(repr(input('a> ')))
readline.parse_and_bind('tab: complete')
calls = []
def nested(text, state):
    readline.set_completer(None)
    try: input('never> ')
    except RuntimeError as e: calls.append(str(e)); raise
readline.set_completer(nested)
print(repr(input('b> ')), calls)
for answer in (5, b'x', 'null\0', '\ud800', [], -1.5):
    readline.set_completer(lambda text, state: answer)
    print(repr(input('c> ')))
def words(text, state):
    if state == 0: print((text, readline.get_line_buffer(), readline.get_begidx(), readline.get_endidx()))
    return (text + '1', text + '2', None)[state]
readline.set_completer(words)
readline.set_completion_display_matches_hook(lambda *a: print(a))
print(repr(input('d> ')))
readline.set_completion_display_matches_hook(lambda *a: a[1].clear() or 1/0)
print(repr(input('e> ')))
signal.signal(signal.SIGALRM, lambda *a: print('alarm'))
signal.setitimer(signal.ITIMER_REAL, 0.05)
print(repr(input('f> ')))
def stop(*a): raise LookupError('stopped')
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try: input('g> ')
except LookupError as e: print(e)
print(repr(input('h> ')))
"""], ("a> pre", "\r"), ("b> ", "q\t\r"), *[("c> ", "w\t\r")] * 6, ("d> ", "\xe9 \u20ac\t"), ("(", "\t"), ("2'], ", "\r"), ("e> ", "v\t\t\r"),
   ("alarm", "after\r"), ("stopped", ""), ("h> ", "last\r"))
check(shown, "'pre'", """'q' ["can't re-enter readline"]""", "'w'", "('\u20ac', '\xe9 \u20ac', 2, 3)", "('\u20ac', ['\u20ac1', '\u20ac2'], 2)", "'after'", "'last'")
assert status == 0, shown

# Two threads wait for their turn; the child of a fork need not wait for the thread that stayed in the parent.
shown, status = drive(["-W", "ignore", "-c", """
import os, readline, threading, time
started = threading.Event()
def read(): started.set(); print(repr(input('t> ')))
threads = [threading.Thread(target=read) for _ in range(2)]
for t in threads: t.start()
started.wait(); time.sleep(0.2)
if os.fork() == 0:
    print(repr(input('child> '))); os._exit(0)
os.wait()
print('waited', flush=True)
for t in threads: t.join()
"""], ("child> ", "one\rtwo\rthree\r"))
check(shown, "child> ", "waited")          # who gets which letter is a matter of chance: both processes read one terminal
assert status == 0, shown

# Wrong arguments.
for call in (lambda: readline.add_history(1), lambda: readline.add_history("a\0"), lambda: readline.insert_text(None), lambda: readline.parse_and_bind(b"x"),
             lambda: readline.set_completer_delims(3), lambda: readline.remove_history_item(-1), lambda: readline.remove_history_item(10**6),
             lambda: readline.replace_history_item(2**70, "x"), lambda: readline.get_history_item(-2**70), lambda: readline.append_history_file(-2**31),
             lambda: readline.set_completer(1), lambda: readline.set_startup_hook(1), lambda: readline.read_history_file(home.name + "/none")):
    try:
        call()
        raise AssertionError
    except (TypeError, ValueError, OverflowError, OSError):
        pass
print("OK")
