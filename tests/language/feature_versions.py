"""Which version of the language is asked for, and where: ast.parse(feature_version=...)."""
import ast
for src in ["def f(a, /): pass","def f(a, /, b): pass","def f(a=1, /, b=2, *c, d, **e): pass","lambda a, /: 1","lambda a, /, b=3, **k: 1","x = lambda a, /: 1","async def f():\n  await x\n","async def f():\n async for x in y: pass\n","async def f():\n async with x: pass\n","[x async for x in y]","1_000","x: int","x: int = 3","x @ y","x @= y","(y := 3)","match x:\n case 1: pass\n","def f[T](): pass","class A[T=int]: pass","type X = int","try: pass\nexcept* A: pass\n","async def f(a,/): await x","with (a as b, c as d): pass","with (a, b): pass","with (a as b): pass", "f'{x!r}'","@a.b[1]\ndef f(): pass\n","return *a, b","for x in *a, b: pass","def f(*args: *x): pass","x[*a]", "x[a:=1]","{a:=1}","print(f'{a:{b}}')", "try:\n pass\nfinally:\n while 1:\n  continue\n","def f(**k,): pass","f(**k, *a)", "try: pass\nexcept A, B: pass", "except* A"]:
    for v in range(3,14):
        try: r=ast.dump(ast.parse(src, feature_version=(3,v)))
        except SyntaxError as e: r=e.args
        print(v,src.encode(),r)
