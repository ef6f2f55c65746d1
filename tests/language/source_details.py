"""Corners of the front end: which error wins, where it is, which flags a module gets, tokens at odd line ends."""
import ast
import contextlib
import dis
import io
import tempfile
import tokenize
import warnings


def verdict(source, mode="exec", flags=0, **options):
    try:
        made = compile(source, "<f>", mode, flags, True, **options)
    except SyntaxError as e:
        return e.args
    return ast.dump(made, include_attributes=True) if isinstance(made, ast.AST) else made.co_flags


# A bound of a starred type parameter is refused by the first pass already: what comes behind has not been looked at.
for source in ("def f[*T: int](): pass", "def f[*T: int b](): pass", "def f[*T: int'a'(): pass", "def f[**T: (int, str) x](): pass", "class C[T, *U:]: pass",
               "class C[**U:]: pass", "def f[*T: é int](): pass", "type X[*T: int = 1] = 2 3"):
    print(source, verdict(source))

# What the first pass expected is forgotten by the second.
for first in ("x", "f(a for b in c)", "f(a, (b for c in d))", "f(d)(a for b in c)"):
    for second in ("def f[T: int =fi str](a: ) -> T: yield a", "def f x", "try x", "def f[T b]()"):
        print(first, "/", second, verdict(first + "\n" + second + "\n"))

# Whether the feature is there is asked by whoever explores it, also while an error is explained.
for source in ("a := 1", "f(a := 1 b)", "def f(a, /): pass x", "def f(a, /, b=1, /): pass", "lambda a=1, /, b: 1 2", "x: int = 1 2", "x @= 1 2", "x @ y z",
               "async def f(): x y", "async for x in y: x y", "async with x: x y", "[a async for b in c d]", "await x y", "try: x\nexcept* y: z w",
               "match x:\n  case y: z w", "type x = y z", "def f[T=int](): x y", "def f[*T=int](): x y", "class c[T]: x y", "1_0 x"):
    print(source, [verdict(source, flags=ast.PyCF_ONLY_AST, _feature_version=minor) for minor in (4, 5, 7, 9, 11, 12)])

# With top-level await, a generator expression makes a coroutine of its module, too.
for source in ("(a async for b in c)", "(a for b in c async for d in e)", "((x async for x in y) for z in w)", "(await x for a in b)", "class C: (await x for a in b)",
               "[(a for b in c async for d in e) for f in g]", "lambda: (a async for b in c)", "(x for x in (y async for y in z))"):
    print(source, verdict(source, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), verdict(source, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))

# A `type: ignore` alone on its line takes the newline along.
for source in (" # type: ignore[x] error", "# type: ignore\nx", "x # type: ignore[a]  ", "if x:\n  # type: ignore[a]\n  y", "# type: ignore[a]\r\nx", "(\n# type: ignore[a]\n)"):
    print(repr(source), verdict(source, flags=ast.PyCF_ONLY_AST | ast.PyCF_TYPE_COMMENTS))

# Lines that end in a carriage return, and a readline that returns more than a line.
for source in ("a\r", "a\rb\r", "a\n\r", "#a\r", "\r", "if x:\r a\r", "a\r\n"):
    print(repr(source), [tuple(t) for t in tokenize.tokenize(io.BytesIO(source.encode()).readline)])
for t in tokenize.generate_tokens(iter(["if a:\n  b = '''c\nd'''\n", "e\n"]).__next__):
    print(tuple(t))

# Nested functions compile in reasonable time; long dotted names, too.
code = compile("lambda: " * 800 + "a", "<f>", "eval")
depth = 0
while code.co_consts and hasattr(code.co_consts[0], "co_code"):
    code = code.co_consts[0]
    depth += 1
print(depth, code.co_names)
print(len(compile("import a" + ".b" * 3000, "<f>", "exec").co_names[0]), ast.dump(ast.parse("import a . b, \ufb01.c as d, e.\\\nf")))

# A warning's line is shown without the blanks around it.
with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), warnings.catch_warnings():
    with open("warned.py", "w") as f:
        f.write("if 1:\n \t x = 1 is 2   \t\n")
    with open("warned.py") as f:
        warnings.simplefilter("always")
        compile(f.read(), "warned.py", "exec")

# What cannot be decoded in a format comes without a place; what comes before it is still seen first.
for source in (r"f'{x:\xz}'", r"f'{x:\xz", r"(f'{x:\xz}' a", r"f'{x:{y}\xz}", r"f'{x y:\xz}'", r"a b f'{x:\xz}'", r"f'{x:{y:\N{z}}}'", r"f'\xz{x:\xz}'", r"f'\xz{x}'"):
    try:
        compile(source, "<f>", "exec")
    except (SyntaxError, UnicodeDecodeError) as e:
        print(source, type(e).__name__, e.args)
