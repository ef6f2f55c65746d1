"""The functions of _json one by one: results, messages, positions."""
import _json
import json


def t(f):
    try: print(repr(f()))
    except BaseException as e: print(type(e).__module__,type(e).__name__, e, '|', repr(e.__cause__), repr(e.__context__), getattr(e,'__notes__',None))
S=_json.scanstring
for a in [(),('a',),('abc"',0),('abc',0),('abc"',5),('abc"',-1),('abc"',4),(b'abc"',0),('a\n"',0),('a\n"',0,False),('a\\',0),('\\x"',0),('\\u12',0),('\\u12g4"',0),('\\ud834\\udd20"',0),('\\ud834\\u0020"',0),('\\ud834"',0),('\\ud834\\u12"',0),('\\"\\\\\\/\\b\\f\\n\\r\\t"',0),('\u1234\\u00e9"',0,True),('a','b'),('abc"',0,1,2),('\\',0),('\\u',0),('"',1)]:
    t(lambda:S(*a))
for f in (_json.encode_basestring,_json.encode_basestring_ascii):
    for a in ['','abc','a"\\\n\x00\x7f\x1fé\u1234\U00012345\ud800',3,b'a',None]:
        t(lambda:f(a))
t(lambda:_json.encode_basestring())
from types import SimpleNamespace as NS
base=dict(strict=True,object_hook=None,object_pairs_hook=None,parse_float=float,parse_int=int,parse_constant=lambda x:('const',x))
def mk(**k): return _json.make_scanner(NS(**{**base,**k}))
t(lambda:_json.make_scanner())
t(lambda:_json.make_scanner(1))
t(lambda:_json.make_scanner(NS(strict=1)))
s=mk()
for n in 'strict object_hook object_pairs_hook parse_float parse_int parse_constant'.split(): t(lambda:getattr(s,n) if n!='parse_constant' else 1)
t(lambda:setattr(s,'strict',3))
t(lambda:s()); t(lambda:s('1')); t(lambda:s('1',0)); t(lambda:s(b'1',0)); t(lambda:s('1',-1)); t(lambda:s('1',1)); t(lambda:s(string='[1]',idx=0))
for d in ['', '-', '-a', '01','1.','1.5','1e5','1e','1E+','-0','-0.0','1.e5','123456789012345678901234567890','NaN','-Infinity','Infinity','Infinit','Na','nul','null','true','tru','false','"','"abc"','[','[1','[1,','[1,]','[,','[]','[ ]','[1 2]','[1 ,2]','{','{}','{ }','{"a','{"a"','{"a":','{"a":1','{"a":1,','{"a":1,}','{"a":1 ,"b":2}','{1:2}','{"a" 1}','{"a":1 "b"}','{"a":1, b}','{"a":1,\n}','[1,\n]',' 1','1 ','\t[\n1\r]','[1,2,]','{,}','\u0661','1\u0661','nan','{"a":}','{"a":,}','[tru]','{"a":[}']:
    t(lambda:s(d,0))
    t(lambda:json.loads(d))
t(lambda:mk(object_hook=lambda d:('h',d))('{"a":{"b":1}}',0))
t(lambda:mk(object_pairs_hook=lambda d:('p',d))('{"a":{"b":1,"b":2}}',0))
t(lambda:mk(object_pairs_hook=lambda d:('p',d))('{}',0))
t(lambda:mk(parse_int=lambda d:('i',d),parse_float=lambda d:('f',d))('[1,-2,1.5,1e5]',0))
t(lambda:mk(object_hook=3)('{}',0))
t(lambda:mk(strict=0)('"\n"',0))
class CC:
    def __getattr__(s,n): raise RuntimeError(n)
t(lambda:_json.make_scanner(CC()))
t(lambda:json.loads('['*100000))
t(lambda:json.loads('{"a":'*100000))
# encoder
E=_json.make_encoder
def default(o): raise TypeError('no '+type(o).__name__)
def en(o,markers={},default=default,encoder=_json.encode_basestring_ascii,indent=None,ks=': ',is_=', ',sk=False,skip=False,nan=True):
    return E(markers,default,encoder,indent,ks,is_,sk,skip,nan)(o,0)
t(lambda:E())
t(lambda:E(1,2,3,4,5,6,7,8,9))
e=E(None,default,_json.encode_basestring,None,':',',',True,False,True)
for n in 'markers default encoder indent key_separator item_separator sort_keys skipkeys allow_nan'.split(): t(lambda:getattr(e,n,'NOATTR') if n!='default' else 1)
t(lambda:e()); t(lambda:e(1)); t(lambda:e(1,0)); t(lambda:e(1,'a')); t(lambda:e(obj=[1],_current_indent_level=0))
class I(int): __repr__=lambda s:'I!'
class F(float): __repr__=lambda s:'F!'
class St(str): pass
class D(dict): pass
class L(list): pass
import enum
class IE(enum.IntEnum): A=3
for o in [None,True,False,1,-1,10**40,1.5,float('inf'),float('nan'),-float('inf'),'a"é',[],(),{},[1,[2,(3,)]],{'a':1,'b':[{}]},{1:2,None:3,True:4,1.5:5,False:6},{(1,):2},I(4),F(1.5),St('x'),D(a=1),L([1]),object,{1,2},{float('nan'):1},[float('inf')],{I(3):F(2)},IE.A,{IE.A:1},{b'a':1},{1:1,'1':2}]:
    for k in [dict(),dict(indent=2),dict(sk=True),dict(nan=False),dict(skip=True),dict(encoder=lambda s:'<%s>'%s),dict(default=repr),dict(markers=None)]:
        t(lambda:en(o,**k))
t(lambda:en('a',encoder=lambda s:3))
t(lambda:en({'a':1},encoder=lambda s:3))
t(lambda:en(['a'],encoder=lambda s:3))
l=[];l.append(l); t(lambda:en(l)); t(lambda:en(l,markers=None))
d={};d['a']=d; t(lambda:en(d)); t(lambda:json.dumps(d)); t(lambda:json.dumps(l)); t(lambda:json.dumps({'a':[object()]})); t(lambda:json.dumps({'a':{2:[1,{1,2}]}}))
t(lambda:json.dumps([1,{'a':[],'b':{}, 'c':[1,2]}],indent=4)); t(lambda:json.dumps([1,{'a':[],'b':{}, 'c':[1,2]}],indent='\t',separators=(',','='))); t(lambda:json.dumps([[],{}],indent=0)); t(lambda:json.dumps({3:1,1:2,'a':1},sort_keys=True)); t(lambda:json.dumps({3:1,1:2},sort_keys=True)); t(lambda:json.dumps({'b':1,'a':2},sort_keys=True,indent=1))
class Dflt(json.JSONEncoder):
    def default(s,o): return [o]
try: Dflt().encode(object)
except BaseException as e: print(type(e),str(e)[:80])
class Bad(dict):
    def items(s): return [1,2]
t(lambda:json.dumps(Bad(a=1)))
class Bad(dict):
    def items(s): return [(1,2,3)]
t(lambda:json.dumps(Bad(a=1)))
class Bad(dict):
    def items(s): return 3
t(lambda:json.dumps(Bad(a=1)))
class Bad(dict):
    def items(s): return [('x',5),('y',6)]
t(lambda:json.dumps(Bad())); t(lambda:json.dumps(Bad(a=1)));t(lambda:json.dumps(Bad(a=1),sort_keys=True))
def deep(n):
    x=[]
    for i in range(n): x=[x]
    return x
try: json.dumps(deep(100000))
except RecursionError as e: print(e, getattr(e,'__notes__',None))


class S(str):
    def __mul__(s,n): print('mul',n); return str.__mul__(s,n)
    def __rmul__(s,n): print('rmul',n); return str.__rmul__(s,n)
    def __add__(s,n): print('add',n); return str.__add__(s,n)
    def __radd__(s,n): print('radd',n); return str.__radd__(s,n)
class X:
    def __mul__(s,n): print('mul',n); return '-'*n
    def __radd__(s,n): print('radd',repr(n)); return n+'r'
def en(o,lvl=0,indent=None):
    try: return E({},repr,_json.encode_basestring,indent,': ',', ',False,False,True)(o,lvl)
    except BaseException as e: return repr(e)
for lvl in (0,1,2,-1): print(en([1,{'a':[]},[2]],lvl,'  '),en({'a':{1:[2]}},lvl,'  '), en([],lvl,'  '),en(3,lvl,'  '))
print(en([1,[2,[3]]],0,S('..')))
print(en([1,[2,[3]]],1,S('..')))
print(en([1,[2,[3]]],0,X())); print(en({1:2},0,X())); print(en([1,[2,[3]]],3,X()));  print(en([1,[2,[3]]],0,b'x')); print(en([1,[2,[3]]],0,1.5)); print(en([],0,1.5)); print(en([1],0,''));print(en([1],0,True))
def E2(*a):
    try: return E(*a)
    except BaseException as e: return repr(e)
print(E2(1,2,3,4,'5','6',7,8,9)); print(E2(None,2,3,4,'5','6',7,8)); print(E2(None,2,3,4,'5','6',7,8,9,10)); print(E2(None,repr,repr,None,None,'',0,0,0))
def rec(o): return o
e=E({},rec,_json.encode_basestring,None,': ',', ',False,False,True)
try: e(object(),0)
except BaseException as x: print(repr(x))
def rec(o): return [o]
e=E({},rec,_json.encode_basestring,None,': ',', ',False,False,True)
try: e(object(),0)
except BaseException as x: print(repr(x))
class Q: pass
m={}
e=E(m,lambda o:print('in',len(m)) or 1,_json.encode_basestring,None,': ',', ',False,False,True)
print(e([[Q()],{'a':Q()}],0),m)
class Lst(list):
    def __iter__(s): print('iter'); return iter([7,8])
print(en(Lst([1,2])),en(Lst()))
class D(dict):
    def items(s): print('items'); return {'q':1}.items()
print(en(D(a=1)),en(D()))
print(E(None,repr,_json.encode_basestring,None,': ',', ',True,False,True)(D(a=1),0))
def chg(o):
    l.append(1) if len(l)<10 else 0
    return 0
l=[Q(),Q()]
print(E(None,chg,_json.encode_basestring,None,': ',', ',True,False,True)(l,0))
d={'a':Q(),'b':Q()}
def chg(o):
    d[len(d)]=1
    return 0
try: print(E(None,chg,_json.encode_basestring,None,': ',', ',False,False,True)(d,0))
except BaseException as x: print(repr(x))
l=[Q(),Q(),Q()]
def chg(o):
    l.clear()
    return 0
print(E(None,chg,_json.encode_basestring,None,': ',', ',True,False,True)(l,0))
