# A loader of plug-ins: finders, loaders, reload, lazy modules, zip files, resources, and what inspect says of it all.
import importlib, importlib.util, importlib.abc, importlib.machinery, importlib.resources, importlib.metadata, inspect, sys, os, tempfile, textwrap, types, zipfile, pkgutil, ast, dis, io, linecache, runpy, traceback, typing, functools, warnings, contextlib, time

class StringFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):

    def __init__(self, texts):
        self.texts = texts

    def find_spec(self, name, path=None, target=None):
        if name in self.texts:
            return importlib.util.spec_from_loader(name, self, origin='mem:' + name, is_package=self.is_package(name))

    def is_package(self, name):
        return any((t.startswith(name + '.') for t in self.texts))

    def get_source(self, name):
        return self.texts[name]

    def create_module(self, spec):
        return None

class Hook(ast.NodeTransformer):

    def visit_Constant(self, n):
        return ast.copy_location(ast.Constant(n.value * 2), n) if isinstance(n.value, int) and (not isinstance(n.value, bool)) else n

def main():
    td = tempfile.mkdtemp()
    sys.dont_write_bytecode = False

    def write(rel, text):
        p = os.path.join(td, rel)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        open(p, 'w').write(textwrap.dedent(text))
        return p
    write('plugs/__init__.py', 'REG = {}\ndef register(f): REG[f.__name__] = f; return f\n')
    write('plugs/a.py', '\n        """Plug A."""\n        from . import register\n        from .sub import helper\n        @register\n        def alpha(x: int, /, y: "str" = "q", *args, key=None, **kw) -> list[int]:\n            """Does alpha.\n\n            More."""\n            return [helper(x), y]\n        class Base:\n            def m(self): "doc of m"\n            @property\n            def p(self) -> int: return 1\n            @staticmethod\n            def s(): ...\n            @classmethod\n            def c(cls): ...\n        class Child(Base):\n            def m(self): return super().m()\n    ')
    write('plugs/sub/__init__.py', 'def helper(x): return x + 1\n')
    write('plugs/bad.py', 'def f(:\n  pass\n')
    write('plugs/err.py', 'import plugs.nosuch\n')
    write('plugs/boom.py', 'x = 1\n\ndef g():\n    return 1 / 0\ng()\n')
    write('plugs/data.txt', 'data é\n')
    write('plugs/circ1.py', 'from .circ2 import y\nx = 1\n')
    write('plugs/circ2.py', 'from .circ1 import x\ny = 2\n')
    write('plugs/lazy.py', "print('lazy loaded')\nval = 5\ndef __getattr__(n): return 'dyn ' + n\ndef __dir__(): return ['zz']\n")
    sys.path.insert(0, td)
    import plugs
    for info in sorted(pkgutil.walk_packages(plugs.__path__, 'plugs.'), key=lambda i: i.name):
        try:
            m = importlib.import_module(info.name)
            print('ok', info.name, info.ispkg)
        except BaseException as e:
            print(type(e).__name__, str(e).replace(td, 'TD'))
            print(''.join(traceback.format_exception(e)).replace(td, 'TD'))
    from plugs import a
    f = plugs.REG['alpha']
    sig = inspect.signature(f)
    print(sig, sig.return_annotation, [(p.name, p.kind.description, p.default if p.default is not p.empty else None) for p in sig.parameters.values()])
    print(inspect.getdoc(f), '|', inspect.getsource(f), inspect.getsourcelines(a.Child)[1], inspect.getdoc(a.Child.m), inspect.getmodule(f).__name__)
    ba = sig.bind(1, 'z', 3, key=4, w=5)
    ba.apply_defaults()
    print(ba.arguments, ba.args, ba.kwargs)
    for bad in ((), (1, 2)):
        try:
            print(sig.bind(*bad, x=9))
        except TypeError as e:
            print(e)
    print([(n, k.kind, k.defining_class.__name__) for n in ('m', 'p', 's', 'c') for k in inspect.classify_class_attrs(a.Child) if k.name == n])
    print([n for n, _ in inspect.getmembers(a, inspect.isclass)], inspect.getmro(a.Child), typing.get_type_hints(f))
    print(inspect.getclosurevars(main).nonlocals, [fi.function for fi in inspect.stack()][-1])
    sys.meta_path.insert(0, StringFinder({'mem': 'from . import inner\nz = inner.w', 'mem.inner': 'w = 7\nraise_ = lambda: 1/0'}))
    import mem
    print(mem.z, mem.__spec__.origin, mem.__loader__.__class__.__name__, repr(mem))
    try:
        mem.inner.raise_()
    except ZeroDivisionError as e:
        print(traceback.format_exc().splitlines()[-3:])
    p = write('hot.py', 'V = 1\ndef f(): return V\n')
    import hot
    old = hot.f
    print(hot.f())
    time.sleep(0.01)
    open(p, 'w').write('V = 22\ndef f(): return V * 2\n')
    os.utime(p, (1, 10 ** 9))
    importlib.reload(hot)
    print(hot.f(), old())
    spec = importlib.util.find_spec('plugs.lazy')
    del sys.modules['plugs.lazy']
    spec.loader = importlib.util.LazyLoader(spec.loader)
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    print('before')
    print(m.val, m.other, dir(m))
    z = os.path.join(td, 'z.zip')
    zipfile.ZipFile(z, 'w').writestr('zpkg/__init__.py', 'import zpkg.m2\n')
    zf = zipfile.ZipFile(z, 'a')
    zf.writestr('zpkg/m2.py', "def boom():\n    raise KeyError('zip')\n")
    zf.writestr('zpkg/r.txt', 'res')
    zf.writestr('__main__.py', "import sys; print('zip main', len(sys.argv), __name__)")
    zf.close()
    sys.path.insert(0, z)
    import zpkg
    print(zpkg.__file__.replace(td, 'TD'), importlib.resources.files(zpkg).joinpath('r.txt').read_text(), importlib.resources.files(plugs).joinpath('data.txt').read_text('utf8'))
    try:
        zpkg.m2.boom()
    except KeyError:
        print(traceback.format_exc().replace(td, 'TD'))
    runpy.run_path(z, run_name='__main__')
    print(runpy.run_module('plugs.circ2', run_name='x') if 0 else sorted((k for k in runpy.run_path(p) if k[0] != '_')))
    tree = Hook().visit(ast.parse("def g(a=2):\n    return [a + 3, 'k', True]\n"))
    ns = {}
    exec(compile(ast.fix_missing_locations(tree), '<hook>', 'exec'), ns)
    print(ns['g'](), ast.unparse(tree))
    b = io.StringIO()
    dis.dis(ns['g'], file=b)
    print(b.getvalue())
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter('always')
        exec("'\\d'; assert (1, 'x')")
        warnings.warn('hey', DeprecationWarning, stacklevel=2)
        print([(x.category.__name__, str(x.message)) for x in w])
    print(importlib.util.resolve_name('.b', 'plugs.sub'), importlib.machinery.all_suffixes(), importlib.util.cache_from_source('/x/y.py'))
    try:
        from plugs import nothing
    except ImportError as e:
        print(str(e).replace(td, 'TD'), e.name)
    try:
        import plugs.a.deeper
    except ImportError as e:
        print(e)
    print(inspect.getattr_static(a.Base, 'p').__class__.__name__, inspect.isroutine(len), inspect.signature(dict.fromkeys), inspect.getfullargspec(f), inspect.unwrap(functools.wraps(f)(lambda: 0)) is f)
main()
