"""How deep each construct may be nested, and what is said beyond: the type of the error at several depths, for source and for trees made
by hand."""
import ast
import copy

DEPTHS = 10, 90, 110, 180, 210, 1000, 3000, 20000
LIMIT = {"comprehension clauses": 3000, "ListComp": 100,                          # beyond, CPython crashes,
         "Lambda": 900, "GeneratorExp": 900, "FunctionDef": 900, "ClassDef": 900}   # or takes long

SOURCES = {
    "parentheses": lambda n: "(" * n + ")" * n,
    "brackets": lambda n: "[" * n + "]" * n,
    "open": lambda n: "(" * n,
    "braces": lambda n: "{" * n + "1" + "}" * n,
    "dicts": lambda n: "{1:" * n + "1" + "}" * n,
    "blocks": lambda n: "".join(" " * i + "if x:\n" for i in range(n)) + " " * n + "pass\n" if n < 3000 else "if x: " * n,
    "f-strings": lambda n: "f'{" * n + "1" + "}'" * n,
    "f-string specs": lambda n: "f'" + "{1:" * n + "}" * n + "'",
    "attributes": lambda n: "a" + ".b" * n,
    "calls": lambda n: "a" + "()" * n,
    "nested calls": lambda n: "a(" * n + ")" * n,
    "subscripts": lambda n: "a" + "[0]" * n,
    "minus": lambda n: "-" * n + "1",
    "minus name": lambda n: "-" * n + "a",
    "not": lambda n: "not " * n + "a",
    "await": lambda n: "async def f():\n " + "await (" * n + "a" + ")" * n,
    "comprehensions": lambda n: "[x for x in " * n + "a" + "]" * n,
    "comprehension clauses": lambda n: "[x " + "for x in a " * n + "]",
    "elif": lambda n: "if a: b\n" + "elif a: b\n" * n,
    "else if": lambda n: "".join(" " * i + "if a: b\n" + " " * i + "else:\n" for i in range(n)) + " " * n + "c\n" if n < 3000 else "x=" * n,
    "sum": lambda n: "a" + "+a" * n,
    "sum of numbers": lambda n: "1" + "+1" * n,
    "sum of strings": lambda n: "'a'" + "+'a'" * n,
    "adjacent strings": lambda n: "'a'" * n,
    "adjacent f-strings": lambda n: "f'{a}'" * n,
    "power": lambda n: "a" + "**a" * n,
    "lambda": lambda n: "lambda: " * n + "a",
    "decorators": lambda n: "@a\n" * n + "def f(): pass\n",
    "patterns": lambda n: "match a:\n case " + "[" * n + "x" + "]" * n + ": pass\n",
    "class patterns": lambda n: "match a:\n case " + "A(" * n + ")" * n + ": pass\n",
    "or patterns": lambda n: "match a:\n case " + "1|" * n + "1: pass\n",
    "type params": lambda n: "def f[T: (" + "[" * n + "]" * n + ")](): pass\n",
    "and": lambda n: "a" + " and a" * n,
    "and or": lambda n: "a and (a or " * n + "a" + ")" * n,
    "comparisons": lambda n: "a" + "<a" * n,
    "ternary": lambda n: "a if a else " * n + "a",
    "assignments": lambda n: "a=" * n + "a",
    "walrus": lambda n: "(a:=" * n + "a" + ")" * n,
    "starred": lambda n: "*" * n + "a",
    "functions": lambda n: "".join(" " * i + "def f():\n" for i in range(n)) + " " * n + "pass\n" if n < 3000 else "yield " * n,
    "classes": lambda n: "".join(" " * i + "class A:\n" for i in range(n)) + " " * n + "pass\n" if n < 3000 else "del " * n,
    "try": lambda n: "".join(" " * i + "try:\n" for i in range(n)) + " " * n + "pass\n" if n < 1000 else "del a" + ",a" * n,
    "for": lambda n: "".join(" " * i + "for a in b:\n" for i in range(n)) + " " * n + "pass\n" if n < 1000 else "for " * n,
    "with": lambda n: "".join(" " * i + "with a:\n" for i in range(n)) + " " * n + "pass\n" if n < 1000 else "with a" + ",a" * n + ": pass",
    "while": lambda n: "".join(" " * i + "while a:\n" for i in range(n)) + " " * n + "pass\n" if n < 1000 else "while " * n,
    "semicolons": lambda n: "a;" * n,
    "dots": lambda n: "from " + "." * n + " import a",
    "dotted import": lambda n: "import a" + ".a" * min(n, 2000),
    "backslashes": lambda n: "a = \\\n" + "\\\n" * n + "1",
    "comments": lambda n: "#\n" * n + "1",
}


def nest(make, leaf, n):
    node = leaf
    for _ in range(n):
        node = make(node)
    return node


L, S = ast.Load(), ast.Store()
TREES = {
    "UnaryOp": lambda x: ast.UnaryOp(ast.USub(), x),
    "Not": lambda x: ast.UnaryOp(ast.Not(), x),
    "BinOp left": lambda x: ast.BinOp(x, ast.Add(), ast.Name("a", L)),
    "BinOp right": lambda x: ast.BinOp(ast.Name("a", L), ast.Add(), x),
    "BoolOp": lambda x: ast.BoolOp(ast.And(), [ast.Name("a", L), x]),
    "Compare": lambda x: ast.Compare(x, [ast.Lt()], [ast.Name("a", L)]),
    "Call": lambda x: ast.Call(x, [], []),
    "Call argument": lambda x: ast.Call(ast.Name("a", L), [x], []),
    "Attribute": lambda x: ast.Attribute(x, "b", L),
    "Subscript": lambda x: ast.Subscript(x, ast.Name("a", L), L),
    "Slice": lambda x: ast.Subscript(ast.Name("a", L), ast.Slice(x), L),
    "List": lambda x: ast.List([x], L),
    "Tuple": lambda x: ast.Tuple([x], L),
    "Set": lambda x: ast.Set([x]),
    "Dict": lambda x: ast.Dict([x], [ast.Name("a", L)]),
    "Lambda": lambda x: ast.Lambda(ast.arguments([], [], None, [], [], None, []), x),
    "IfExp": lambda x: ast.IfExp(ast.Name("a", L), ast.Name("a", L), x),
    "NamedExpr": lambda x: ast.NamedExpr(ast.Name("a", S), x),
    "ListComp": lambda x: ast.ListComp(x, [ast.comprehension(ast.Name("b", S), ast.Name("c", L), [], 0)]),
    "GeneratorExp": lambda x: ast.GeneratorExp(ast.Name("a", L), [ast.comprehension(ast.Name("b", S), x, [], 0)]),
    "JoinedStr": lambda x: ast.JoinedStr([ast.FormattedValue(x, -1, None)]),
    "format_spec": lambda x: ast.JoinedStr([ast.FormattedValue(ast.Name("a", L), -1, x if isinstance(x, ast.JoinedStr) else ast.JoinedStr([]))]),
    "Starred": lambda x: ast.Tuple([ast.Starred(x, L)], L),
}
STATEMENTS = {
    "If": lambda s: ast.If(ast.Name("a", L), [s], []),
    "If else": lambda s: ast.If(ast.Name("a", L), [ast.Pass()], [s]),
    "For": lambda s: ast.For(ast.Name("a", S), ast.Name("a", L), [s], []),
    "While": lambda s: ast.While(ast.Name("a", L), [s], []),
    "With": lambda s: ast.With([ast.withitem(ast.Name("a", L))], [s]),
    "Try": lambda s: ast.Try([s], [], [], [ast.Pass()]),
    "FunctionDef": lambda s: ast.FunctionDef("f", ast.arguments([], [], None, [], [], None, []), [s], []),
    "ClassDef": lambda s: ast.ClassDef("f", [], [], [s], []),
    "Match": lambda s: ast.Match(ast.Name("a", L), [ast.match_case(ast.MatchAs(), None, [s])]),
}
PATTERNS = {
    "MatchSequence": lambda p: ast.MatchSequence([p]),
    "MatchAs": lambda p: ast.MatchAs(p, "a"),
    "MatchOr": lambda p: ast.MatchOr([ast.MatchValue(ast.Constant(1)), p]),
    "MatchClass": lambda p: ast.MatchClass(ast.Name("A", L), [p], [], []),
    "MatchMapping": lambda p: ast.MatchMapping([ast.Constant(1)], [p]),
}


def verdict(function, *args):
    try:
        function(*args)
        return "ok"
    except (SyntaxError, MemoryError) as e:
        return "%s: %s" % (type(e).__name__, e.args[0] if e.args else "")
    except RecursionError:
        return "RecursionError"
    except Exception as e:
        return "%s: %s" % (type(e).__name__, e)


def sources():
    for name, make in SOURCES.items():
        seen = []
        for n in DEPTHS:
            if n > LIMIT.get(name, n):
                break
            seen.append(verdict(compile, make(n), "<f>", "exec"))
        print("%-22s" % name, runs(seen))


def brackets():
    """How many `not` fit behind a hundred brackets, which is what is left of the parser's depth."""
    for opening in ("(", "[", "{", "{a:", "(a,", "f(", "f(a,", "f(b=", "f(*", "a[", "a[b:", "a[b,", "(a or ", "a and (", "a and (a or ", "a+(", "-(", "a**(", "a<(",
                    "lambda:", "b if c else ", "(b if c else ", "[a for a in "):
        closing = "".join({"(": ")", "[": "]", "{": "}"}.get(c, "") for c in reversed(opening)) * 100
        low, high = 1000, 7000
        while low < high:
            middle = (low + high) // 2
            if verdict(compile, opening * 100 + "not " * middle + "a" + closing, "<f>", "eval", ast.PyCF_ONLY_AST).startswith("MemoryError"):
                high = middle
            else:
                low = middle + 1
        print("%-16s" % opening, round(low, -2))


def runs(seen):
    """Each verdict once, with the first depth that has it."""
    return "; ".join("%d %s" % (n, v) for i, (n, v) in enumerate(zip(DEPTHS, seen)) if i == 0 or v != seen[i - 1])


def placed(tree):
    """ast.fix_missing_locations without its recursion."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, ast.AST):
            if "lineno" in node._attributes:
                node.lineno = node.end_lineno = 1
                node.col_offset = node.end_col_offset = 0
            stack += [getattr(node, f) for f in node._fields if hasattr(node, f)]
    return tree


def trees():
    def check(name, make, leaf, module):
        for n in 10, 900, 5000, 11000:
            if n > LIMIT.get(name, n):
                break
            tree = placed(module(nest(make, leaf(), n)))
            print("%-15s %6d" % (name, n), verdict(compile, tree, "<f>", "exec"), "|", verdict(ast.unparse, tree), "|", verdict(copy.deepcopy, tree), "|",
                  verdict(ast.dump, tree), "|", verdict(ast.literal_eval, tree.body[0]).split(":")[0])

    for name, make in TREES.items():
        check(name, make, lambda: ast.Name("a", L), lambda x: ast.Module([ast.Expr(x)], []))
    for name, make in STATEMENTS.items():
        check(name, make, ast.Pass, lambda x: ast.Module([x], []))
    for name, make in PATTERNS.items():
        check(name, make, ast.MatchAs, lambda x: ast.Module([ast.Match(ast.Name("a", L), [ast.match_case(x, None, [ast.Pass()])])], []))


sources()
brackets()
trees()
