"""The inputs that fuzzing found, and the seeds: compiled, unmarshalled and looked at as the fuzz targets do; never a crash."""
import ast
import glob
import marshal
import os
import types
import warnings

warnings.simplefilter("ignore")
corpus = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fuzz", "corpus")
FLAGS = [0, ast.PyCF_ONLY_AST, ast.PyCF_TYPE_COMMENTS | ast.PyCF_ONLY_AST, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, ast.PyCF_OPTIMIZED_AST, 0x200, 0x4200, 0x100000]


def look(o, depth=0):
    repr(o)
    if isinstance(o, types.CodeType):
        o.co_code, o.co_varnames, o.co_cellvars, o.co_freevars, hash(o), o == o
        for _ in zip(range(1000), o.co_lines()): pass
        for _ in zip(range(1000), o.co_positions()): pass
        o.replace(co_name="x")
        if depth < 5:
            for c in o.co_consts: look(c, depth + 1)
    marshal.dumps(o)


counts = {}
for path in sorted(glob.glob(os.path.join(corpus, "*", "*"))):
    kind = os.path.basename(os.path.dirname(path))
    with open(path, "rb") as f:
        data = f.read()
    try:
        if kind == "marshal":
            look(marshal.loads(data))
        else:
            mode = ("exec", "eval", "single", "func_type")[data[0] & 3]
            flags = FLAGS[data[0] >> 2 & 7] | (ast.PyCF_ONLY_AST if mode == "func_type" else 0)
            code = compile(data[1:], "<fuzz>", mode, flags, True, (data[0] >> 5) % 3)
            if isinstance(code, types.CodeType):
                # As version 2 writes them: code with a NaN in it does not equal its copy.
                assert marshal.dumps(marshal.loads(marshal.dumps(code)), 2) == marshal.dumps(code, 2)
        outcome = "fine"
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError, EOFError, TypeError, SystemError) as e:
        outcome = "refused"
    counts[kind, outcome] = counts.get((kind, outcome), 0) + 1
assert counts["compile", "fine"] > 30 and counts["marshal", "fine"] > 50, counts

# Opcodes that only monitoring puts into code.
for op in (17, 236, 253, 254, 255):
    code = (lambda: 1).__code__.replace(co_code=bytes([149, 0, op, 0, 36, 0]), co_stacksize=3)
    code.co_code, hash(code)
print("OK")
