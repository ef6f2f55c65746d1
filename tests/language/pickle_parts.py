"""Pickles and the messages for what cannot be pickled or read."""
import pickle,_pickle,io,copyreg,sys,re
def t(f):
    try: print(re.sub('0x[0-9a-f]+', 'ADDRESS', repr(f())))
    except BaseException as e: print(type(e).__module__, type(e).__name__, re.sub('0x[0-9a-f]+', 'ADDRESS', str(e)), '|', repr(e.__cause__), repr(e.__context__))
P=_pickle.Pickler; U=_pickle.Unpickler
p=P(io.BytesIO())
t(lambda:p.persistent_id)
t(lambda:p.persistent_id(3))
u=U(io.BytesIO(b'P5\n.'))
t(lambda:u.persistent_load)
t(lambda:u.persistent_load(3))
t(lambda:u.load())
t(lambda:P())
t(lambda:P(3))
t(lambda:P(io.BytesIO(),9))
t(lambda:P(io.BytesIO(),'a'))
t(lambda:P(io.BytesIO(),4,True,print))
t(lambda:U(3))
t(lambda:U(io.BytesIO(),True))
t(lambda:U(io.BytesIO(),encoding=3))
t(lambda:U(io.BytesIO(),encoding='a\0b'))
t(lambda:U(io.BytesIO(),buffers=3))
def f():
    def g(): pass
    return g
class A:
    class B: pass
t(lambda:pickle.dumps(f()))
t(lambda:pickle.dumps(f(),1))
t(lambda:pickle.dumps(lambda:1))
t(lambda:pickle.dumps(sys))
t(lambda:pickle.loads(b'cos\nfoo\n.'))
t(lambda:pickle.loads(b'\x80\x04\x8c\x02os\x8c\x08path.foo\x93.'))
t(lambda:pickle.loads(b'\x80\x04\x8c\x02os\x8c\x0apath.<locals>.foo\x93.'))
t(lambda:pickle.loads(b'\x80\x04\x8c\x02os\x8c\x12path.<locals>.fooo\x93.'))
t(lambda:pickle.loads(b'cnosuch\nfoo\n.'))
t(lambda:pickle.loads(b''))
t(lambda:pickle.loads(b'N'))
t(lambda:pickle.loads(b'X\x05'))
t(lambda:pickle.loads(3))
t(lambda:pickle.loads('abc'))
t(lambda:pickle.loads(b'g5\n.'))
t(lambda:pickle.loads(b'h\5.'))
t(lambda:pickle.loads(b'j\5\0\0\0.'))
t(lambda:pickle.loads(b'j\xff\xff\xff\xff.'))
t(lambda:pickle.loads(b'g-5\n.'))
t(lambda:pickle.loads(b'gx\n.'))
t(lambda:pickle.loads(b'Np-5\n.'))
t(lambda:pickle.loads(b'Npx\n.'))
t(lambda:pickle.loads(b'Ix\n.'))
t(lambda:pickle.loads(b'I\n.'))
t(lambda:pickle.loads(b'I0x10\n.'))
t(lambda:pickle.loads(b'I99999999999999999999999999\n.'))
t(lambda:pickle.loads(b'L0x10L\n.'))
t(lambda:pickle.loads(b'Lxx\n.'))
t(lambda:pickle.loads(b'Fxx\n.'))
t(lambda:pickle.loads(b'F1e999\n.'))
t(lambda:pickle.loads(b'\x8b\xff\xff\xff\xff.'))
t(lambda:pickle.loads(b'T\xff\xff\xff\xff.'))
t(lambda:pickle.loads(b'X\xff\xff\xff\xff.'))
t(lambda:pickle.loads(b'\x8d\xff\xff\xff\xff\xff\xff\xff\xff.'))
t(lambda:pickle.loads(b'\x96\xff\xff\xff\xff\xff\xff\xff\xff.'))
t(lambda:pickle.loads(b'\x95\xff\xff\xff\xff\xff\xff\xff\xff.'))
t(lambda:pickle.loads(b'\x95\xff\xff\xff\xff\xff\xff\xff\x7f.'))
t(lambda:pickle.loads(b'\x95\xff\xff\xff\xff\xff\xff\x0f\x00.'))
t(lambda:pickle.loads(b'\x80\x09.'))
t(lambda:pickle.loads(b'\xff'))
t(lambda:pickle.loads(b"'"))
t(lambda:pickle.loads(b"\\"))
t(lambda:pickle.loads(b"z"))
t(lambda:pickle.loads(b"."))
t(lambda:pickle.loads(b"(."))
t(lambda:pickle.loads(b"0."))
t(lambda:pickle.loads(b"t."))
t(lambda:pickle.loads(b"(Nd."))
t(lambda:pickle.loads(b"}(Nu."))
t(lambda:pickle.loads(b"Na."))
t(lambda:pickle.loads(b"NNa."))
t(lambda:pickle.loads(b"NNNs."))
t(lambda:pickle.loads(b"N(N\x90."))
t(lambda:pickle.loads(b"NNb."))
t(lambda:pickle.loads(b"N}b."))
t(lambda:pickle.loads(b"N}}\x86b."))
t(lambda:pickle.loads(b"NN\x86b."))
t(lambda:pickle.loads(b"NNR."))
t(lambda:pickle.loads(b"cint\nint\nNR."))
t(lambda:pickle.loads(b"cbuiltins\nint\nNR."))
t(lambda:pickle.loads(b"cbuiltins\nint\nN\x81."))
t(lambda:pickle.loads(b"N)\x81."))
t(lambda:pickle.loads(b"N)}\x92."))
t(lambda:pickle.loads(b"cbuiltins\nint\n))\x92."))
t(lambda:pickle.loads(b"cbuiltins\nint\n}}\x92."))
t(lambda:pickle.loads(b"(o."))
t(lambda:pickle.loads(b"(NNo."))
t(lambda:pickle.loads(b"(No."))
t(lambda:pickle.loads(b"(iabc\ndef\n."))
t(lambda:pickle.loads(b"(i\ndef\n."))
t(lambda:pickle.loads(b"c\ndef\n."))
t(lambda:pickle.loads(b"(ibuiltins\ndef\n."))
t(lambda:pickle.loads(b"NN\x93."))
t(lambda:pickle.loads(b"Sabc\n."))
t(lambda:pickle.loads(b"S'abc\\x'\n."))
t(lambda:pickle.loads(b"S'abc\\xff'\n."))
t(lambda:pickle.loads(b"\x82\x00."))
t(lambda:pickle.loads(b"\x82\xf0."))
t(lambda:pickle.loads(b"\x84\xff\xff\xff\xff."))
t(lambda:pickle.loads(b"\x97."))
t(lambda:pickle.loads(b"\x97.",buffers=[]))
t(lambda:pickle.loads(b"\x98."))
t(lambda:pickle.loads(b"N\x98."))
t(lambda:pickle.loads(b"Q."))
t(lambda:pickle.loads(b"NQ."))
t(lambda:pickle.loads(b"P\xff\n."))
t(lambda:pickle.loads(b"2."))
t(lambda:pickle.loads(b"1."))
t(lambda:pickle.loads(b"\x94."))
t(lambda:pickle.loads(b"q\0."))
t(lambda:pickle.loads(b"\x8c\x01\xff."))
t(lambda:pickle.loads(b"(]\x91."))
class R:
    def __init__(s,v): s.v=v
    def __reduce__(s): return s.v
for v in [3,(),(1,2),(int,2),(int,(),1,2),(int,(),1,None,2),(int,(),1,None,None,2),(1,)*7,'foo','x.y','<locals>.a', ('a','b'),(copyreg.__newobj__,()),(copyreg.__newobj__,(3,)),(copyreg.__newobj__,(int,)),(copyreg.__newobj_ex__,()),(copyreg.__newobj_ex__,(1,2,3)),(copyreg.__newobj_ex__,(int,2,3)),(copyreg.__newobj_ex__,(int,(),3)),(list,(),None,iter(3*[2])),(dict,(),None,None,iter([1])),(dict,(),None,None,iter([(1,)])), None]:
    for proto in (2,4): t(lambda:pickle.dumps(R(v),proto))
l=[];l.append(l)
def fast(o,pr=4):
    p=P(io.BytesIO(),pr); p.fast=True; return p.dump(o)
import re
def tt(f):
    try: print(repr(f()))
    except BaseException as e: print(type(e).__name__, re.sub('0x[0-9a-f]+','ADDR',str(e)))
tt(lambda:fast(l))
d={};d[1]=d
tt(lambda:fast(d))
tu=([],);tu[0].append(tu)
tt(lambda:fast(tu))
class S: pass
s=S();s.x=s
tt(lambda:fast(s))
class H(S):
    __hash__=object.__hash__
h=H();fs=frozenset([h]);h.x=fs
tt(lambda:fast(fs))
h=H();fs={h};h.x=fs
tt(lambda:fast(fs))
t(lambda:pickle.dumps(pickle.PickleBuffer(b'a'),4))
t(lambda:pickle.dumps(pickle.PickleBuffer(memoryview(b'abcd')[::2]),5))
t(lambda:p.memo)
p.dump([1,'a'])
t(lambda:sorted([(k-k,v) for k,v in p.memo.copy().items()],key=repr))
def setm(o,v): o.memo=v
t(lambda:setm(p,3)); t(lambda:setm(p,{1:2})); t(lambda:setm(p,{1:(2,)})); t(lambda:setm(p,{1:('a',2)})); t(lambda:delattr(p,'memo'))
t(lambda:setm(u,3)); t(lambda:setm(u,{'a':2})); t(lambda:setm(u,{-1:(2,)})); t(lambda:delattr(u,'memo')); t(lambda:u.memo.copy()); t(lambda:u.memo.__reduce__())
t(lambda:p.memo.foo); t(lambda:type(p.memo)()); t(lambda:type(p.memo)(p)); t(lambda:hash(p.memo))
t(lambda:p.dispatch_table); t(lambda:p.bin); t(lambda:p.fast)
class PP(P):
    def __init__(s): pass
t(lambda:PP().dump(3))
class UU(U):
    def __init__(s): pass
t(lambda:UU().load())
t(lambda:UU().find_class('os','path'))
t(lambda:pickle.dump(1,2)); t(lambda:pickle.dumps()); t(lambda:pickle.dumps(1,2,3)); t(lambda:pickle.load(3)); t(lambda:pickle.dumps(1,protocol=2,fix_imports=1))
copyreg.dispatch_table; copyreg.add_extension('__main__','A',200)
A.__qualname__='A'
t(lambda:pickle.dumps(A)); 
class Big: pass
copyreg.add_extension('__main__','Big',70000)
t(lambda:pickle.dumps(Big)); 
copyreg._extension_registry['__main__','S']=-3
t(lambda:pickle.dumps(S)); 
copyreg._extension_registry['__main__','S']='a'
t(lambda:pickle.dumps(S)); 
copyreg._inverted_registry[77]=3
t(lambda:pickle.loads(b'\x82\x4d.')); 
class Mod:pass
Mod.__module__='nosuch'
t(lambda:pickle.dumps(Mod))
Mod.__module__='os'
t(lambda:pickle.dumps(Mod))
Mod.__module__=None
t(lambda:pickle.dumps(Mod))
Mod.__module__=3
t(lambda:pickle.dumps(Mod))
class B2: pass
B3=B2
B2=3
t(lambda:pickle.dumps(B3))
class É: pass
for pr in range(6): t(lambda:pickle.dumps(É,pr))
for pr in range(6): t(lambda:pickle.dumps(A.B,pr))
for pr in range(6): t(lambda:pickle.dumps([NotImplemented,type(None),...,type(...),1.5,True,{1},frozenset([2]),b'a',b'',bytearray(b'a'),bytearray(),10**30,-128,-2**31,2**31,70000,300,'a\n\\é\u1234\U00012345\udc80',(),(1,),(1,2,3,4), R((copyreg.__newobj_ex__,(int,(),{}))), range(3), slice(1,2)],pr))


class A:
    class B:
        class C:
            class D: pass
for pr in range(5): print(pickle.dumps([A.B.C.D,A.B],pr))
import collections
collections.Z=A.B
A.B.__module__='collections'; A.B.__qualname__='UserDict.fromkeys'
try: print(pickle.dumps(A.B,2))
except Exception as e: print(e)
A.B.__module__='test.support'; A.B.__qualname__='Z'
try: print(pickle.dumps(A.B,2))
except Exception as e: print(e)
