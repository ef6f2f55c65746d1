# Keys of match objects, and comparisons through mapping proxies.
import re, types
for p in ('x', '(?P<a>x)'):
    m = re.match(p, 'x')
    for k in ([], {}, 'q', 5, None, 10**30):
        for f in (m.__getitem__, m.group, m.start, m.span):
            try: print(f(k))
            except Exception as e: print(type(e).__name__, e)
mp = types.MappingProxyType
for a, b in ((mp({}), mp({})), (mp({}), {}), ({}, mp({})), (mp({}), 5), (5, mp({}))):
    for op in ('<', '<=', '>', '>=', '==', '!='):
        try: print(eval('a %s b' % op))
        except TypeError as e: print(e)
class D(dict):
    def __lt__(self, o): return ('lt', type(o).__name__)
    def __gt__(self, o): return ('gt', type(o).__name__)
    def __eq__(self, o): return ('eq', type(o).__name__)
for a, b in ((mp(D()), mp(D())), (mp({}), mp(D())), (mp(D()), mp({})), (mp(D()), {}), ({}, mp(D()))):
    print(a < b, a > b, a == b)
