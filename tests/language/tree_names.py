"""Code made of trees whose names are equal strings, but not the same object, and names that no text could have."""
import ast
def name(s): return "".join(list(s))
def module(body, **kw):
    f = ast.FunctionDef(name="<f:x>", args=ast.arguments(posonlyargs=[], args=[ast.arg(name(".self"))], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=ast.arg(name(".kwargs")), defaults=[]), body=body, decorator_list=[], returns=None, type_params=[])
    m = ast.Module([f], [])
    ast.fix_missing_locations(m)
    ns = {}
    code = compile(m, "<made>", "exec")
    print(code.co_names, [(c.co_name, c.co_varnames, c.co_names, c.co_flags) for c in code.co_consts if hasattr(c, "co_name")])
    exec(code, ns)
    return ns["<f:x>"]
def load(s): return ast.Name(name(s), ast.Load())
def store(s, v): return ast.Assign([ast.Name(name(s), ast.Store())], v)
f = module([ast.Return(ast.Tuple([load(".self"), load(".kwargs")], ast.Load()))])
print(f(1, a=2))
f = module([store(".t", ast.Constant(5)), ast.Return(ast.Lambda(ast.arguments([], [], None, [], [], None, []), load(".t")))])
print(f(1)(), f.__code__.co_cellvars)
f = module([ast.Return(ast.JoinedStr([ast.FormattedValue(load(".kwargs"), -1, None)]))])
print(f(1, **{"b c": 2}))
f = module([ast.If(load(".self"), [store("q", load(".kwargs"))], [store("q", ast.Constant(""))]), ast.Return(load("q"))])
print(f(1, a=2), f(0))
f = module([ast.Global([name("gg")]), store("gg", ast.Constant(1)), ast.Return(load("gg"))])
print(f(1), f.__globals__["gg"])
f = module([store("a_b", load(".self")), ast.For(ast.Name(name("a_b"), ast.Store()), ast.List([load("a_b")], ast.Load()), [ast.Expr(load("a_b"))], []), ast.Delete([ast.Name(name("a_b"), ast.Del())]), ast.Return(ast.Call(load("locals"), [], []))])
print(f(4, z=1))
try: module([ast.Global([name(".self")])])
except SyntaxError as e: print(e)
tree = ast.parse("def f(self_):\n  x = 1\n  def g():\n    nonlocal x\n    x += 1\n    return [self_ for self_ in (x, self_)]\n  return g, __class__\nclass A:\n  m = f\n  def h(self): return __class__, super().__repr__")
class Fresh(ast.NodeTransformer):
    def generic_visit(self, node):
        for k, v in ast.iter_fields(node):
            if type(v) is str: setattr(node, k, name(v))
            if type(v) is list and v and type(v[0]) is str: setattr(node, k, [name(s) for s in v])
        return super().generic_visit(node)
ns = {"__class__": 9}
exec(compile(Fresh().visit(tree), "t", "exec"), ns)
print(ns["f"](7)[0](), ns["A"]().h()[0])
