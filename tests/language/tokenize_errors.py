"""tokenize: what it makes of broken text, and where it says the fault is."""
import tokenize, io
for t in ("def f(:\n","x = (\n","x = (","x = (1,\n\n  2","x = '''abc\n","'abc\n","if 1:\n  x\n y\n","f'{a'\n","f'''{a\n","x = [\n# c\n","a\\","a\\\n","é = (\n", "(é\n","(a # c", "x)\n","(]\n","0777\n","1_\n","$\n","a b'é'\n","f'{a!}'\n","f'{'\n", "\x00\n","'''é\nb", "\tx\n  y\n        z\n", "if 1:\n\tx\n        y\n","1.e\n","0b2\n","€\n","x = 1 \\\n  \\\n","{'a':\n f'{x:{y\n"):
    for extra in (False, True):
        try:
            l = [tuple(x)[:4] for x in (tokenize.tokenize(io.BytesIO(t.encode()).readline) if extra else tokenize.generate_tokens(io.StringIO(t).readline))]
            print(repr(t), len(l), l[-3:])
        except Exception as e:
            print(repr(t), type(e).__name__, e, e.args)
