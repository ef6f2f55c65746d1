"""Digests of what the front end makes of files besides plain modules: other modes, flags, optimisation levels, trees as input,
unfinished text, warnings, symbol tables, marshal versions.

    modes.py LIBDIR [--step N] [--offset K] [--only SUBSTR] [--dump VARIANT:RELPATH]

Prints `VARIANT<TAB>RELPATH<TAB>DIGEST` for every N-th file. Equal lines under two interpreters: equal front ends.
"""
import argparse
import ast
import codeop
import marshal
import os
import symtable
import sys
import tokenize
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from digest import code_text, digest

ONLY_AST, OPTIMIZED_AST = ast.PyCF_ONLY_AST, ast.PyCF_OPTIMIZED_AST
TYPE_COMMENTS, TOP_LEVEL_AWAIT = ast.PyCF_TYPE_COMMENTS, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
DONT_IMPLY_DEDENT, INCOMPLETE, ANNOTATIONS = 0x200, 0x4000, 0x1000000


def code(source, rel, mode="exec", flags=0, optimize=0):
    out = []
    code_text(compile(source, rel, mode, flags, True, optimize), out)
    return "\n".join(out)


def tree(source, rel, mode="exec", flags=ONLY_AST, optimize=0, **options):
    made = compile(source, rel, mode, flags | ONLY_AST, True, optimize, **options)
    for node in ast.walk(made) if flags & OPTIMIZED_AST == OPTIMIZED_AST else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, frozenset):
            node.value = "set", sorted(map(repr, node.value))       # the order is nobody's promise
    return ast.dump(made, include_attributes=True)


def guarded(function, *args, **options):
    try:
        return function(*args, **options)
    except (SyntaxError, ValueError, TypeError, RecursionError, OverflowError) as e:
        return "%s: %s" % (type(e).__name__, "" if isinstance(e, RecursionError) else e.args)


def top_statements(text):
    lines = text.splitlines(True)
    for node in ast.parse(text).body:
        first = min([node.lineno] + [d.lineno for d in getattr(node, "decorator_list", [])])
        yield node, "".join(lines[first - 1:node.end_lineno]) + "\n"


def single(text, rel):
    out = []
    for node, part in top_statements(text):
        out.append(guarded(code, part, rel, "single"))
        out.append(guarded(code, part, rel, "single", DONT_IMPLY_DEDENT))
    return "\n".join(out)


def evaluated(text, rel):
    out, seen = [], 0
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.expr) and not isinstance(node, (ast.Name, ast.Constant, ast.Starred, ast.Slice)) and len(out) < 400:
            seen += 1
            if seen % 5 == 0:
                out.append(guarded(code, ast.unparse(node), rel, "eval"))
                out.append(guarded(code, ast.Expression(node), rel, "eval", 0, 2))
    return "\n".join(out)


def cut(text, rel):
    """Text that ends in the middle: which error, where."""
    out = []
    for i in range(1, 40):
        part = text[:len(text) * i // 40]
        out.append(guarded(tree, part, rel))
        out.append(guarded(tree, part, rel, "exec", INCOMPLETE | DONT_IMPLY_DEDENT))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out.append(str(codeop.compile_command(part[-300:].lstrip(), rel) is None))
        except (SyntaxError, ValueError, OverflowError) as e:
            out.append("%s: %s" % (type(e).__name__, e.args))
    return "\n".join(out)


def damaged(text, rel):
    """One line with something left out, at many places."""
    out, lines = [], text.splitlines(True)
    for i in range(0, len(lines), max(1, len(lines) // 30)):
        line = lines[i]
        for at in (len(line) // 4, len(line) // 2, len(line) * 3 // 4):
            part = "".join(lines[:i]) + line[:at] + line[at + 1:] + "".join(lines[i + 1:i + 40])
            got = guarded(tree, part, rel)
            out.append(got if got.startswith(("Syntax", "Indent", "Tab")) else digest(got))
    return "\n".join(out)


def warned(source, rel):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        compile(source, rel, "exec", 0, True, 0)
    return "\n".join("%s %s %s %s" % (w.category.__name__, w.message, w.filename, w.lineno) for w in seen)


def symbols(text, rel):
    out = []

    def walk(table, indent):
        out.append("%s%s %s %s %s" % (indent, table.get_type(), table.get_name(), table.get_lineno(), table.is_nested()))
        for s in sorted(table.get_symbols(), key=lambda s: s.get_name()):
            out.append("%s  %s %s %s %s %s %s %s %s %s" % (indent, s, s.is_referenced(), s.is_parameter(), s.is_global(), s.is_local(),
                       s.is_free(), s.is_imported(), s.is_assigned(), s.is_annotated()))
        for child in table.get_children():
            walk(child, indent + "  ")
    walk(symtable.symtable(text, rel, "exec"), "")
    return "\n".join(out)


def marshalled(source, rel):
    made = compile(source, rel, "exec", 0, True, 0)
    out = []
    for version in range(5):
        data = marshal.dumps(made, version)
        out.append(data.hex())
        again = []
        code_text(marshal.loads(data), again)
        out.append("\n".join(again))
    return "\n".join(out)


def tokens(text):
    lines = iter(text.splitlines(True))
    return "\n".join("%d %r %r %r" % (t.type, t.string, t.start, t.end) for t in tokenize.generate_tokens(lambda: next(lines, "")))


def parsed_feature(text, rel):
    return "\n".join(guarded(tree, text, rel, "exec", TYPE_COMMENTS, _feature_version=minor) for minor in (4, 6, 8, 12))


def variants(path, rel):
    with open(path, "rb") as f:
        source = f.read()
    try:
        encoding = tokenize.detect_encoding(iter(source.splitlines(True)).__next__)[0]
        text = source.decode(encoding)
        ast.parse(text)
    except (SyntaxError, ValueError, UnicodeError):
        text = None
    for level in (1, 2):
        yield "optimize=%d" % level, lambda: code(source, rel, "exec", 0, level)
    yield "annotations", lambda: code(source, rel, "exec", ANNOTATIONS)
    yield "await", lambda: code(source, rel, "exec", TOP_LEVEL_AWAIT)
    yield "type_comments", lambda: tree(source, rel, "exec", TYPE_COMMENTS)
    for level in (0, 1, 2):
        yield "optimized_ast=%d" % level, lambda: tree(source, rel, "exec", OPTIMIZED_AST, level)
    yield "warnings", lambda: warned(source, rel)
    yield "marshal", lambda: marshalled(source, rel)
    if text is None:
        return
    yield "tree", lambda: code(ast.parse(text), rel)
    yield "tree_optimize", lambda: code(ast.parse(text), rel, "exec", ANNOTATIONS, 2)
    yield "unparse", lambda: ast.unparse(ast.parse(text))
    yield "single", lambda: single(text, rel)
    yield "eval", lambda: evaluated(text, rel)
    yield "cut", lambda: cut(text, rel)
    yield "damaged", lambda: damaged(text, rel)
    yield "feature_version", lambda: parsed_feature(text, rel)
    yield "symtable", lambda: symbols(text, rel)
    yield "tokens", lambda: tokens(text)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("libdir")
    p.add_argument("--step", type=int, default=1)
    p.add_argument("--offset", type=int, default=0)
    p.add_argument("--only", default="")
    p.add_argument("--dump")
    a = p.parse_args()
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20000)
    if a.dump:
        variant, rel = a.dump.split(":", 1)
        for name, make in variants(os.path.join(a.libdir, rel), rel):
            if name == variant:
                print(guarded(make))
        return
    rels = []
    for root, dirs, files in os.walk(a.libdir):
        dirs[:] = [d for d in dirs if d != "__pycache__"]
        rels += [os.path.relpath(os.path.join(root, f), a.libdir) for f in files if f.endswith(".py")]
    for rel in sorted(r for r in rels if a.only in r)[a.offset::a.step]:
        path = os.path.join(a.libdir, rel)
        for name, make in variants(path, rel):
            print("%s\t%s\t%s" % (name, rel, digest(guarded(make))), flush=True)


if __name__ == "__main__":
    main()
