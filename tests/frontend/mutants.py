"""What the front end says about texts broken at random: error, place, caret picture and warnings equal CPython's.

    mutants.py --python PY [--count N] [--seed S] [--show K]     both interpreters judge the same N texts
    mutants.py --judge SEED COUNT                                one interpreter's texts and verdicts, one a line

Statements of the standard library, the texts inside its tests and constructs.txt are the stock;
tokens, characters, lines and indentation of them are dropped, doubled, swapped, replaced. Texts are made by `random` and `re` alone,
so equal seeds are equal texts. The default seed is the date's.
"""
import argparse
import ast
import codeop
import hashlib
import io
import os
import random
import re
import subprocess
import sys
import symtable
import time
import tokenize
import traceback
import types
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
DEPS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "deps", "debian13", "usr")
REFERENCE = os.path.join(DEPS, "bin", "python3.13")
STDLIB = os.path.join(DEPS, "lib", "python3.13")
CHUNK = 2000

WORDS = ("( ) [ ] { } , : ; = == := + - * ** / // @ & | ^ ~ < > != -> . ... ! <> += **= //= @= >>= << % if else elif for in while def class lambda not "
         "and or is try except finally with as import from return yield await async pass break continue del global nonlocal raise assert None "
         "True False match case type _ print exec x y z 1 2.5 3j 0 'a' b'a' f'a' f'{a}' f'{ f'{a!r:>{b}}' f'{a=}' f'{*a}' f'{!' f'{a:{b' r'\\' '\\d' b'\\400' "
         "'\\x1' '\\N{x}' '\\777' u'a' rb'' fr'{a}\\d' '''a ''' \"\"\" \\ $ ? ` # @x *a **b *, /, __debug__ self a.b a[0] f() (a) (a,) [a] {a} {a:b} [*a] {**a} "
         "1_0 1__0 0x 0xg 0o8 0b2 01 1e 1.e5 1_ 0_7 1if 0or 1in 9999999999999999999999 1.5j2 1jif 0xfor is_ elseif else: except* async_for await_ "
         "a:int a=1 (yield) (await_x) yield_from lambda: not_in is_not from__future__ [T] [T:int] [*T] [**T] [T=1] [] [T,T] case_ match_ type_x=1 "
         "with(a): nonlocal_x global_x return_x \u00e9 \u03b1\u03b2 \u20ac \u00b2 x\u00b2 \u201c \U0001f600 \ufeff \xa0 \u2028 \u2212 \uff11 \ufb01 \u212b "
         "\t \f \0 \r \r\n \x01 \x7f\x80 \x1a").split(" ")
SPELT = {"\\": "\\", "yield_from": "yield from x", "await_": "await x", "is_not": "is not", "not_in": "not in", "case_": "case x:", "match_": "match x:\n",
         "type_x=1": "type x = 1", "nonlocal_x": "nonlocal x", "global_x": "global x", "return_x": "return x", "elseif": "else if", "(await_x)": "(await x)",
         "from__future__": "from __future__ import annotations", "is_": "is 1", "await_x": "await x"}
WORDS = [SPELT.get(w, w) for w in WORDS] + [" ", "\n", "\n\n", "\n ", "\n    ", "\n\t", "\\\n", "\\ \n", "  ", "        ", "# type: int", "# type: ignore[x]"]

with open(os.path.join(HERE, "constructs.txt"), encoding="utf-8") as f:
    CONSTRUCTS = f.read()


ONE_LINE = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x0b": "\\v", "\x0c": "\\f", "\x1c": "?", "\x1d": "?", "\x1e": "?",
                          "\x85": "?", "\u2028": "?", "\u2029": "?"})


def pieces(text):
    return re.findall(r"[^\S\n]+|\w+|'''|\"\"\"|[-+*/%@&|^<>=!:]=|\*\*|//|->|\.\.\.|\n[ \t]*|.", text, re.S)


def stock(rng):
    """Texts to break: statements of some files, what tests quote, the constructs alone, in pairs and in blocks."""
    files = []
    for root, dirs, names in os.walk(STDLIB):
        dirs[:] = sorted(d for d in dirs if d not in ("__pycache__", "dist-packages"))
        files += [os.path.join(root, n) for n in sorted(names) if n.endswith(".py")]
    texts = []
    for path in rng.sample(files, 12):
        with open(path, encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines(True)
        for _ in range(40):
            first = rng.randrange(len(lines)) if lines else 0
            part = lines[first:first + rng.choice((1, 1, 2, 3, 5, 9, 15))]
            if part and len("".join(part)) < 900:
                margin = min((len(p) - len(p.lstrip()) for p in part if p.strip()), default=0)
                texts.append("".join(p[margin:] if not p[:margin].strip() else p for p in part))
    quoted = ["test_syntax", "test_fstring", "test_exceptions", "test_named_expressions", "test_patma", "test_type_params", "test_grammar", "test_generators",
              "test_scope", "test_string_literals", "test_type_comments", "test_unpack_ex", "test_except_star", "test_global", "test_future_stmt/test_future",
              "test_coroutines", "test_positional_only_arg", "test_eof", "test_codeop", "test_compile", "test_type_aliases", "test_annotations"]
    for name in rng.sample(quoted, 3):
        path = os.path.join(STDLIB, "test", name + ".py")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as f:
            for node in ast.walk(ast.parse(f.read())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and 2 < len(node.value) < 700:
                    texts.append(node.value)
                    shown = re.findall(r"^ *(?:>>>|\.\.\.) ?(.*)", node.value, re.M)
                    if shown:
                        texts.append("\n".join(shown) + "\n")
    constructs = re.findall(r"(?m)^\S.*\n(?:[ \t]+.*\n|(?:except|else|elif|finally|case)\b.*\n)*", CONSTRUCTS)
    return texts, constructs


def indented(text, by="    "):
    return "".join(by + line for line in text.splitlines(True))


def draw(rng, texts, constructs):
    k = rng.randrange(10)
    if k < 3:
        return rng.choice(texts)
    text = rng.choice(constructs)
    if k == 3:
        return text + rng.choice(constructs)
    if k == 4:
        head = rng.choice(("def f():\n", "async def f():\n", "class C:\n", "if a:\n", "while a:\n", "for a in b:\n", "with a:\n", "try:\n", "match a:\n  case b:\n",
                           "def f(x, y):\n", "class C[T]:\n", "def f[T]():\n", "else:\n", "try: x\nexcept* A:\n", "try: x\nfinally:\n", "async def f(x):\n"))
        return head + indented(text) + rng.choice(("", rng.choice(constructs), "else: y\n", "finally: y\n", "except: y\n"))
    if k == 5:
        return "def f(x):\n    x = 1\n" + indented(rng.choice(("def g():\n", "class C:\n", "async def g(x):\n", "def g[T](y):\n")) + indented(text))
    if k == 6:
        return rng.choice(("(%s)", "f(%s)", "[%s]", "{%s}", "x = %s", "f'{%s}'", "lambda: %s", "[%s for a in b]", "x[%s]", "%s = 1", "del %s", "for %s in x: pass",
                           "with x as %s: pass", "def f(%s): pass", "return %s", "import %s", "from a import %s", "class C(%s): pass", "@%s\ndef f(): pass",
                           "case %s: pass", "match x:\n case %s: pass", "x: %s = 1", "def f[%s](): pass", "type X = %s", "{%s: 1}", "{1: %s}", "f(a=%s)",
                           "f(**%s)", "f(*%s)", "not %s", "-%s", "await %s", "yield %s", "%s if a else b", "a if %s else b", "(%s := 1)", "assert %s", "raise %s",
                           "global %s", "f'''{%s!r:>{%s}}'''", "try: x\nexcept %s: y", "except %s as e: pass", "def f(a=%s, b): pass", "a[%s:1]", "%s;", "%s, = x")
                          ).replace("%s", text.rstrip("\n")) + "\n"
    return text


def mutate(rng, text):
    parts = pieces(text)
    for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 2, 3, 4))):
        if not parts:
            break
        i = rng.randrange(len(parts))
        k = rng.randrange(16)
        if k <= 2:
            del parts[i]
        elif k == 3:
            parts.insert(i, parts[i])
        elif k == 4:
            j = rng.randrange(len(parts))
            parts[i], parts[j] = parts[j], parts[i]
        elif k <= 6:
            parts[i] = rng.choice(WORDS)
        elif k <= 8:
            parts.insert(i, " " + rng.choice(WORDS) + " ")
        elif k == 9:
            parts.insert(i, rng.choice(WORDS))
        elif k == 10 and rng.randrange(3) == 0:
            parts = parts[:i]
        elif k == 11:                                   # one character out, in, or another
            p = parts[i]
            at = rng.randrange(len(p) + 1)
            c = rng.choice("".join(map(chr, range(128))) + "\"'\\{}()[]#\n\t\xe9\u20ac")
            parts[i] = rng.choice((p[:at] + p[at + 1:], p[:at] + c + p[at:], p[:at] + c + p[at + 1:]))
        elif k == 12:                                   # a bracket or quote gone or doubled
            where = [n for n, p in enumerate(parts) if p in ("(", ")", "[", "]", "{", "}", "'", '"', "'''", '"""', ":", ",", "=")]
            if where:
                n = rng.choice(where)
                parts[n] = rng.choice(("", parts[n] * 2, rng.choice("()[]{}'\":,=")))
        elif k == 13:                                   # indentation
            where = [n for n, p in enumerate(parts) if p.startswith("\n")]
            if where:
                n = rng.choice(where)
                parts[n] = rng.choice(("\n", "\n ", "\n  ", "\n\t", "\n    \t", "\n\t    ", "\n        ", "\n\f", "\r\n", "\r", " ", "\n" + parts[n], "\n#c" + parts[n]))
        elif k == 14:                                   # a word of this text somewhere else
            parts.insert(i, rng.choice(parts))
        else:
            j = min(len(parts), i + rng.randrange(6))
            parts[i:j] = [rng.choice(WORDS)] if rng.randrange(2) else []
    text = "".join(parts)
    if rng.randrange(12) == 0:
        text = text.rstrip("\n")
    return text


def code_text(code, out):
    out.append("%s %s %s %s %s %s %s" % (code.co_name, code.co_flags, code.co_stacksize, code.co_firstlineno, code.co_names, code.co_varnames, code.co_freevars))
    out += [code.co_code.hex(), code.co_linetable.hex(), code.co_exceptiontable.hex()]
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            code_text(c, out)
        else:
            out.append(sorted(map(repr, c)) if isinstance(c, frozenset) else repr(c))


def outcome(function, picture=False):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = function()
            if isinstance(result, types.CodeType):
                out = []
                code_text(result, out)
                result = "ok " + hashlib.md5(repr(out).encode()).hexdigest()
            elif not isinstance(result, str):
                result = "ok " + repr(result)
        except RecursionError:
            result = "RecursionError"
        except SyntaxError as e:
            result = "%s: %r %r %r" % (type(e).__name__, e.args, e.print_file_and_line, getattr(e, "_metadata", None))
            if picture:
                result += " " + repr("".join(traceback.format_exception_only(e)))
        except Exception as e:
            result = re.sub("0x[0-9a-f]{6,}", "0x...", "%s: %r" % (type(e).__name__, e.args))
    if seen:
        result += " warns %r" % [(w.category.__name__, str(w.message), w.filename, w.lineno) for w in seen]
    return result


def tokens_of(text, extra):
    out = []
    try:
        if extra:
            for t in tokenize.generate_tokens(io.StringIO(text).readline):
                out.append(tuple(t)[:4])
        else:
            for t in tokenize.tokenize(io.BytesIO(text.encode("utf-8", "surrogatepass")).readline):
                out.append(tuple(t)[:4])
    except Exception as e:
        return "%d %s %s: %r" % (len(out), hashlib.md5(repr(out).encode()).hexdigest(), type(e).__name__, e.args)
    return hashlib.md5(repr(out).encode()).hexdigest() + " %d" % len(out)


def table_text(t):
    return "%s %s %s %s (%s)" % (t.get_type(), t.get_name(), t.get_lineno(),
                                 [(s.get_name(), s._Symbol__flags, s._Symbol__scope) for s in sorted(t.get_symbols(), key=lambda s: s.get_name())],
                                 " ".join(map(table_text, t.get_children())))


def judge(rng, text):
    """One of several questions, with what was asked."""
    mode = rng.choice(("exec",) * 7 + ("single", "eval"))
    flags = rng.choice((0,) * 10 + (ast.PyCF_TYPE_COMMENTS | ast.PyCF_ONLY_AST, 0x4000, 0x200, 0x4200, ast.PyCF_ONLY_AST, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                                    0x1000000, ast.PyCF_OPTIMIZED_AST))
    kind = rng.randrange(24)
    seed = rng.randrange(1 << 30)

    def made(t):
        r = compile(t, "<f>", mode, flags, True)
        return r if isinstance(r, types.CodeType) else ast.dump(r, include_attributes=True)
    asked = "%s %x " % (mode, flags)
    if kind == 0:
        return asked + "tokens " + tokens_of(text, seed & 1)
    if kind == 1:
        return asked + "symtable " + outcome(lambda: table_text(symtable.symtable(text, "<f>", mode)))
    if kind == 2:
        return asked + "codeop " + outcome(lambda: codeop.compile_command(text, "<f>", ("single", "exec")[seed & 1]))
    if kind == 3:
        return asked + "bytes " + outcome(lambda: made(text.encode("utf-8", "surrogatepass")))
    if kind == 4:
        return asked + "feature " + outcome(lambda: ast.dump(ast.parse(text, "<f>", feature_version=(3, seed % 10 + 4), type_comments=bool(seed & 16)), include_attributes=True))
    if kind == 5:
        def strict():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return made(text)
        return asked + "strict " + outcome(strict, True)
    if kind == 6:
        return asked + "func_type " + outcome(lambda: ast.dump(compile(text, "<f>", "func_type", ast.PyCF_ONLY_AST), include_attributes=True))
    if kind == 7:
        return asked + "literal " + outcome(lambda: repr(ast.literal_eval(text)))
    if kind == 8:
        return asked + "unparse " + outcome(lambda: ast.unparse(ast.parse(text)))
    return asked + outcome(lambda: made(text), kind > 18)


def texts(seed, count):
    rng = random.Random(seed)
    have, constructs = stock(rng)
    for _ in range(count):
        text = mutate(rng, draw(rng, have, constructs))
        yield text, random.Random(rng.randrange(1 << 60))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--python")
    p.add_argument("--count", type=int, default=20000)
    p.add_argument("--seed", type=int, default=int(time.strftime("%Y%m%d")))
    p.add_argument("--show", type=int, default=20)
    p.add_argument("--judge", type=int, nargs=2)
    a = p.parse_args()
    if a.judge:
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        for number, (text, rng) in enumerate(texts(*a.judge)):
            print("%d %s\t%s" % (number, ascii(text), judge(rng, text).translate(ONE_LINE)))
        return 0
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0", PYTHONIOENCODING="utf-8")
    total = wrong = bad = 0
    print("seed", a.seed)
    for chunk in range((a.count + CHUNK - 1) // CHUNK):
        seed = a.seed * 100000 + chunk
        said = []
        for python in (REFERENCE, a.python):
            q = subprocess.run([python, os.path.abspath(__file__), "--judge", str(seed), str(CHUNK)], capture_output=True, env=env)
            said.append(q.stdout.decode("utf-8", "replace").split("\n"))
            if q.returncode:
                print("status %s of %s --judge %d %d after %d texts: %s" % (q.returncode, python, seed, CHUNK, len(said[-1]) - 1, q.stderr.decode(errors="replace")[-800:]))
        for i in range(CHUNK):
            x, y = (s[i] if i < len(s) else "none of %s" % python for s, python in zip(said, ("CPython", "Taipan")))
            total += 1
            wrong += "Error" in x.split("\t")[-1][:40]
            if x != y:
                bad += 1
                if bad <= a.show:
                    text, _, x = x.rpartition("\t")
                    print("DIFF %d %s\n    cpython %s\n    taipan  %s" % (seed, text, x[:900], y.rpartition("\t")[2][:900]), flush=True)
    print("%d passed, %d failed, 0 skipped" % (total - bad, bad), "(%d of the texts are wrong ones)" % wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
