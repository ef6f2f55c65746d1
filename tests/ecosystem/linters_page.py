"""pycodestyle and pyflakes over the standard library, and over a file with a fault of every kind."""
import glob
import io
import os
import sys
from contextlib import redirect_stdout

import pycodestyle
import pyflakes
from pyflakes import api, checker, messages, reporter

FAULTY = '''import os, sys
from os import *
from sys import path as path
import re as re, json
def f( a,b = 1 ) :
  global undefined_global
  x=1;y = 2
  lambda: nosuch
  try: pass
  except: pass
  except ValueError as e: pass
  return a==None or not a in [b] or type(a) == type(b)
class C (object):
\tdef m(self): return '%s %s' % (1,)
\tdef m(self): return '{} {1}'.format(1, 2), f'no placeholders', '%(a)s' % {'b': 1}
if x is 'a': print(undefined_name, __file__, __path__)
assert (1, 'always true')
l = 1
def g(a, a2=[], *args, **kw):
    from nowhere import thing
    del a
    print >>sys.stderr, a
    yield
    for i in range(3): break
    else: continue_ = {'k': 1, 'k': 2}
    raise NotImplemented
def h():
    unused = 1
    def inner(): nonlocal unused; unused = 2
    with open('x') as (f1, f2): pass
    return locals
__all__ = ['missing', 'g']
async def co(): await 1; [await z async for z in y]
match l:
    case {'a': q, **rest}: pass
type X[T] = list[T]
long_line = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
d = dict( a = 1 )[ 'a' ]
result = long_line \\
    + d
foo = long_function_name(1,
  2,
        3)
if True :
    pass #comment
#bad comment
x = x  +1
def annotated(x:int=3)->"List[int]": pass
'''


def main():
    print("pycodestyle", pycodestyle.__version__, "pyflakes", pyflakes.__version__)
    library = os.path.dirname(os.__file__)
    every = sorted(glob.glob(os.path.join(library, "*.py")) + glob.glob(os.path.join(library, "*", "*.py")))
    every = [p for p in every if not p.startswith(os.path.join(library, "test") + os.sep) and not p.startswith(os.path.join(library, "idlelib") + os.sep)]

    total = 0
    for path in every:
        out = io.StringIO()
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            total += api.check(f.read(), os.path.relpath(path, library), reporter.Reporter(out, out))
        print(out.getvalue(), end="")
    print(total, "messages of pyflakes in", len(every), "files")

    style = pycodestyle.StyleGuide(quiet=0, select=["E", "W"], ignore=[], max_line_length=79)
    chosen = [p for p in every if os.path.basename(p)[0] in "abcd" and os.path.dirname(p) == library][:36]
    out = io.StringIO()
    with redirect_stdout(out):
        report = style.check_files(chosen)
    print(out.getvalue().replace(library, "lib"))
    print(report.total_errors, sorted(report.counters.items()))
    print("\n".join(report.get_statistics()))

    with open("faulty.py", "w") as f:
        f.write(FAULTY)
    api.check(FAULTY, "faulty.py", reporter.Reporter(sys.stdout, sys.stdout))
    for text in ("def f(:\n", "x = 'abc\n", "if 1:\npass\n", "\tx\n        y\n", "f'{a'\n", "x = (\n", "\x00", "# coding: nosuch\n", "print 1\n", "return 1\n", "a = 1\n\x0c\nb = 2"):
        api.check(text, "text", reporter.Reporter(sys.stdout, sys.stdout))
        pycodestyle.Checker(lines=text.splitlines(True), options=style.options).check_all()
    pycodestyle.StyleGuide(show_source=True, show_pep8=True, max_doc_length=60, hang_closing=True).check_files(["faulty.py"])
    print(sorted(name for name in vars(messages) if isinstance(getattr(messages, name), type)), len(checker.Checker._ast_node_scope) if hasattr(checker.Checker, "_ast_node_scope") else 0)


main()
