"""Runs CPython's test modules under the oracle with this front end in place of its own: _ast and _tokenize are ours, and compile(),
eval() and exec() of text parse with ours first, then hand an equivalent tree to the oracle's compiler.
    run_tests.py MODULE... [-v]"""
import builtins, sys
import frontend_ext

theirs = __import__("_ast")
ours = frontend_ext.module("_ast")
sys.modules["_ast"] = ours
sys.modules["_tokenize"] = frontend_ext.module("_tokenize")
real_compile, real_eval, real_exec = builtins.compile, builtins.eval, builtins.exec

def convert(node):
    if isinstance(node, list):
        return [convert(x) for x in node]
    if isinstance(node, ours.AST):
        cls = getattr(theirs, type(node).__name__)
        new = cls.__new__(cls)
        for k in node._fields + node._attributes:
            if hasattr(node, k):
                setattr(new, k, convert(getattr(node, k)))
        return new
    return node

MODES = {"exec": 0, "eval": 1, "single": 2}
FUTURE = 0x1FFE010
def compile(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1):
    if mode not in ("exec", "eval", "single", "func_type"):
        return real_compile(source, filename, mode, flags, True, optimize)
    frame = sys._getframe(1)
    if not dont_inherit:
        flags |= frame.f_code.co_flags & FUTURE
    if isinstance(filename, bytes):
        filename = filename.decode()
    if isinstance(source, ours.AST):
        if flags & 0x400 and not flags & 0x8000:
            return source
        tree = frontend_ext.check(source, MODES[mode])
    elif isinstance(source, (str, bytes, bytearray, memoryview)):
        tree = frontend_ext.parse(source, filename, mode, flags, _feature_version)
        if flags & 0x8400 == 0x400:
            return tree
        if mode == "single" and flags & 0x4200:
            return real_compile(source, filename, mode, flags, True, optimize)
        text = source if isinstance(source, str) else None
        try:
            return real_compile(convert(tree), filename, mode, flags, True, optimize)
        except SyntaxError:
            return real_compile(source, filename, mode, flags, True, optimize)
    else:
        return real_compile(source, filename, mode, flags, True, optimize, _feature_version=_feature_version)
    result = real_compile(convert(tree), filename, mode, flags, True, optimize)
    return result
builtins.compile = compile
if __name__ == "__main__":
    import unittest
    sys.argv[0] = "run_tests"
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    opts = [a for a in sys.argv[1:] if a.startswith("-")]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(verbosity=2 if "-v" in opts else 1).run(suite)
    sys.exit(not result.wasSuccessful())
