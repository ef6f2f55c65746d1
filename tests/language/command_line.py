# The command line, the environment and what they print: every line comes from a fresh interpreter.
import os
import re
import subprocess
import sys
import tempfile
import zipfile

here = tempfile.mkdtemp()


def show(title, *args, env=None, stdin=b"", cwd=here):
    full = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    full.update(env or {})
    p = subprocess.run([sys.executable, *args], input=stdin, capture_output=True, env=full, cwd=cwd, timeout=60)
    print("==", title, "->", p.returncode)
    for name, text in (("out", p.stdout), ("err", p.stderr)):
        text = text.decode("utf-8", "backslashreplace").replace(here, "<HERE>").replace(sys.executable, "<PYTHON>")
        text = re.sub(r"object refcount : \d+", "object refcount : N", re.sub(r"0x[0-9a-f]+", "0x...", text))
        for line in text.splitlines():
            print("  ", name, line)


def write(name, text, mode="w"):
    path = os.path.join(here, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode, **({} if "b" in mode else {"encoding": "utf-8"})) as f:
        f.write(text)
    return path


script = write("script.py", "import sys\nprint(sys.argv[1:], __name__, sys.path[0] == %r)\n" % here)
show("file", "script.py", "a", "b c")
show("file, absolute", script)
show("-c", "-c", "import sys; print(sys.argv)", "x", "-y")
show("-m", "-m", "script", "x")
show("-m package without main", "-m", "json")
show("-m missing", "-m", "no_such_module")
show("-m missing submodule", "-m", "json.nothing")
show("stdin", stdin=b"import sys\nprint(sys.argv, __name__)\n")
show("- with arguments", "-", "1", "2", stdin=b"import sys; print(sys.argv)\n")
show("stdin, no newline at the end", stdin=b"print(1)")
show("stdin, syntax error", stdin=b"print(1)\nx = = 2\n")
show("stdin, exception", stdin=b"def f():\n    1/0\nf()\n")
write("pkg/__init__.py", "print('pkg')\n")
write("pkg/__main__.py", "import sys\nprint('main', __package__, __spec__.name, sys.argv[1:])\n")
show("-m package", "-m", "pkg", "q")
show("directory", "pkg")
with zipfile.ZipFile(os.path.join(here, "app.zip"), "w") as z:
    z.writestr("__main__.py", "import helper, sys\nprint(helper.value, sys.path[0].endswith('app.zip'))\n")
    z.writestr("helper.py", "value = 42\n")
show("zip", "app.zip")
os.mkdir(os.path.join(here, "empty"))
show("directory without main", "empty")
show("missing file", "missing.py")
show("-V", "-V")
show("unknown option", "-Z")
show("unknown long option", "--nonsense")
show("-c without argument", "-c")
show("-W", "-W", "error", "-c", "import warnings; warnings.warn('w')")
show("-W always", "-W", "always::UserWarning", "-c", "import warnings; warnings.warn('w')")
show("-W bad", "-W", "nonsense:::::x", "-c", "0")
show("-O", "-O", "-c", "assert 0; print(__debug__)")
show("-OO", "-OO", "-c", "def f(): 'doc'\nprint(f.__doc__, __debug__)")
show("-B -I -E -s -S flags", "-BIEsS", "-c", "import sys; print(sys.flags.dont_write_bytecode, sys.flags.isolated, 'site' in sys.modules)")
show("-P", "-P", "-c", "import sys; print('' in sys.path)")
show("-q -i", "-q", "-i", "-c", "x = 1", stdin=b"print(x + 1)\n")
for typed in (b"x = 1\rprint(x)\nx\n", b"x = 1", b"(1", b"if 1:\n  2", b'"""\na', b"x = 1 # a\n\nx\n", b"(1\n\n]\n"):
    show("prompt %r" % typed, "-i", "-q", stdin=typed)
for typed in (b"\xff\n1\n", b"(1\n\xff\n1\n", b"x = '\xff'\nlen(x)\n"):
    for encoding in "utf-8", "latin-1", "ascii":
        show("prompt %r in %s" % (typed, encoding), "-i", "-q", stdin=typed, env={"PYTHONIOENCODING": encoding})
show("-i", "-i", "-q", stdin=b"1 + 1\nfor i in range(2):\n    i\n\n1/0\n'end'\nimport sys; sys.exit(3)\n")
show("-x", "-x", write("x.py", "this is not python\nprint('second line', __name__)\n"))
show("-u", "-u", "-c", "import sys; print(sys.stdout.line_buffering, sys.stdout.write_through)")
show("-b", "-b", "-c", "print(b'a' == 'a')")
show("-bb", "-bb", "-c", "print(b'a' == 'a')")
show("-X utf8=0", "-X", "utf8=0", "-c", "import sys; print(sys.flags.utf8_mode)", env={"LC_ALL": "C.UTF-8"})
show("-X utf8=2", "-X", "utf8=2", "-c", "0")
show("-X dev", "-X", "dev", "-c", "import sys; print(sys.flags.dev_mode, sys.warnoptions)")
show("-X int_max_str_digits", "-X", "int_max_str_digits=640", "-c", "str(10**641)")
show("-X int_max_str_digits bad", "-X", "int_max_str_digits=1", "-c", "0")
show("-X no_debug_ranges", "-X", "no_debug_ranges", script.replace("script.py", "nope.py"))
show("no_debug_ranges traceback", "-X", "no_debug_ranges", write("tb.py", "def f(a):\n    return a.b.c + a.d\nf(1)\n"))
show("traceback", "tb.py")
show("PYTHONHASHSEED", "-c", "print(hash('taipan'), hash(b'x'))", env={"PYTHONHASHSEED": "0"})
show("PYTHONHASHSEED bad", "-c", "0", env={"PYTHONHASHSEED": "x"})
show("PYTHONSTARTUP not read", "-c", "0", env={"PYTHONSTARTUP": "/nonexistent"})
show("PYTHONPATH", "-c", "import sys; print(sys.path[:3])", env={"PYTHONPATH": "/a:/b"})
show("PYTHONIOENCODING", "-c", "print('\\xe9')", env={"PYTHONIOENCODING": "latin-1:strict"})
show("PYTHONWARNINGS", "-c", "import warnings; warnings.warn('w')", env={"PYTHONWARNINGS": "error"})
show("PYTHONINSPECT", "-c", "y = 5", env={"PYTHONINSPECT": "1"}, stdin=b"y\n")
show("PYTHONOPTIMIZE", "-c", "print(__debug__)", env={"PYTHONOPTIMIZE": "2"})
show("PYTHONSAFEPATH", "-c", "import sys; print('' in sys.path)", env={"PYTHONSAFEPATH": "1"})
for code in ("raise SystemExit", "raise SystemExit(3)", "raise SystemExit('text')", "raise SystemExit(None)", "raise SystemExit(2.5)",
             "import sys; sys.exit([1])", "import sys; sys.exit(256)", "import sys; sys.exit(-1)", "import os; os._exit(9)", "raise KeyboardInterrupt",
             "import os, signal; os.kill(os.getpid(), signal.SIGINT)", "import os; os.abort()", "import os, signal; os.kill(os.getpid(), 15)",
             "raise BaseException('b')", "raise ExceptionGroup('g', [ValueError(1), TypeError('t')])",
             "import atexit\n@atexit.register\ndef f(): raise ValueError('late')",
             "import threading\ndef t(): raise ValueError('thread')\nx = threading.Thread(target=t, name='T1'); x.start(); x.join()",
             "class A:\n    def __del__(self): raise ValueError('del')\nA()",
             "import sys\ndef hook(*a): print('hook', a[0].__name__)\nsys.excepthook = hook\n1/0",
             "import sys\nsys.excepthook = None\n1/0",
             "import sys\ndef hook(*a): raise TypeError('in hook')\nsys.excepthook = hook\n1/0",
             "import sys\nsys.stderr = None\n1/0", "import sys\nsys.stdout = None\nprint(1)", "import sys\nsys.stdout.close()\nprint(1)",
             "import sys\nsys.stdout.close()", "import sys\nsys.stderr.close()\n1/0", "import os\nos.close(1)\nprint('x')", "import os\nos.close(2)\n1/0",
             "def f(): yield\nprint(type(f()).__name__)", "import sys; print(sys.executable != '', sys.flags.interactive)",
             "try:\n    1/0\nexcept ZeroDivisionError as e:\n    e.add_note('a note')\n    raise ValueError('v') from e",
             "try:\n    1/0\nexcept ZeroDivisionError:\n    undefined_name", "import collections\ncollections.namedtupel", "prnt(1)",
             "from collections import namedtupel", "import collectoins", "class A:\n    def meth(self): pass\nA().mth"):
    show(code.replace("\n", " | "), "-c", code)
for code in (b"x = '\xff'\n", b"# coding: nonsense\nx\n", b"# coding: latin-1\nprint(ascii('\xe9'))\n", b"\xef\xbb\xbfprint('bom')\n", b"\xef\xbb\xbf# coding: latin-1\n",
             b"a = 1\0\n", b"if 1:\n\tx = 1\n        y = 2\n", b"if 1:\n    a\n  b\n", b"\f\nprint('form feed')\n", b"print('cr')\rprint('only')\r",
             b"print('crlf')\r\n", b"x = (1,\n", b"'''abc\n", b"'abc\n", b"f'{x\n'", b"f'{}'", b"x = 1 +\n", b"def f(:\n", b"a b\n", b"print 1\n", b"exec 'x'\n", b"1 = x\n", b"x = 0777\n", b"1__0\n",
             b"0b12\n", b"1e\n", b"x = 5abc\n", b"\\ \n", b"$\n", b"x = \xe2\x82\xac\n", b"return\n", b"yield\n", b"await x\n", b"break\n", b"continue\n", b"def f():\n    x = 1\n    global x\n",
             b"def f(a, a): pass\n", b"f(a=1, a=2)\n", b"f(**a, b)\n", b"f(a=1, b)\n", b"nonlocal x\n", b"class A:\n    nonlocal y\n", b"lambda: (yield)\n", b"import *\n", b"from __future__ import braces\n", b"from __future__ import nothing\n",
             b"x: int: 3\n", b"del f()\n", b"(a, b) += 1\n", b"a + 1 = 2\n", b"for 1 in x: pass\n", b"with a as 1: pass\n", b"try: pass\n", b"try:\n    pass\nexcept:\n    pass\nexcept A:\n    pass\n",
             b"match x:\n    case a: pass\n    case b: pass\n", b"case = 1; match = 2; type = 3; print(case, match, type)\n", b"None = 1\n", b"f() = 1\n", b"x if y\n", b"[x for x in y if]\n", b"{a: 1, b}\n", b"{1:2, **}\n", b"*a\n", b"print(*)\n",
             b"if x = 1: pass\n", b"while True print(1)\n", b"else: pass\n", b"elif x: pass\n", b"  x = 1\n", b"async x\n", b"@\nx\n", b"a := 1\n", b"(a.b := 1)\n", b"assert(x, 'y')\n", b"x is 1\n", b"'\\d'\n", b"[1](2)\n", b"[1 2]\n", b"1 if 2 else pass\n"):
    show(ascii(code), write("bad.py", code, "wb"))
