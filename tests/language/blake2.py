"""BLAKE2: parameters, their limits and what is wrong with others; digests of every block boundary."""
from _blake2 import blake2b, blake2s
import _blake2
print({k:v for k,v in vars(_blake2).items() if not k.startswith('__')})
print(list(vars(blake2b)),blake2b.__flags__)
for kw in [dict(digest_size=0),dict(digest_size=65),dict(key=b'x'*65),dict(salt=b'x'*17),dict(person=b'y'*17),dict(fanout=256),dict(fanout=-1),dict(depth=0),dict(depth=256),dict(leaf_size=-1),dict(leaf_size=1<<32),dict(leaf_size=1<<70),dict(leaf_size=-1<<70),dict(node_offset=-1),dict(node_offset=1<<48),dict(node_offset=1<<64),dict(node_depth=-1),dict(node_depth=256),dict(inner_size=-1),dict(inner_size=65),dict(inner_size=1<<40),dict(key='s'),dict(digest_size='x'),dict(salt=None),dict(data=b''),dict(last_node=[]),dict(last_node=2), dict(leaf_size=2.5), dict(zz=1),dict(string=b'x'),
  dict(key=b'k'),dict(key=b'k'*32,salt=b'salt',person=b'pers',digest_size=20,fanout=2,depth=3,leaf_size=4000000000,node_offset=77777777777,node_depth=6,inner_size=7,last_node=True), dict(data=b'a',string=b'b')]:
    for c in (blake2b, blake2s):
        try: print(kw, c(**kw).hexdigest())
        except Exception as e: print(kw, c.__name__, type(e).__name__, e)
for a in ('s',3,None,memoryview(bytearray(b'abcdef'))[::2], memoryview(b'abcd').cast('B',(2,2))):
    try: print(blake2b(a).hexdigest())
    except Exception as e: print(type(a), type(e).__name__, e)
try:
    class X(blake2b): pass
except Exception as e: print(e)
print(blake2b.update.__text_signature__, blake2b().name, blake2s(digest_size=3).digest_size, blake2s().block_size)
for f in (lambda: setattr(blake2b(),'zz',1), lambda: setattr(blake2b,'zz',1), lambda: blake2b(1,2)):
    try: f()
    except Exception as e: print(e)
for n in (0,1,63,64,65,127,128,129,255,256,257,1000,5000):
    for c in (blake2b, blake2s):
        d=bytes(i*7%256 for i in range(n)); h=c(d,key=b'abc'); g=c(key=b'abc')
        for x in d: g.update(bytes([x]))
        k=h.copy(); k.update(b'x'); print(n,h.hexdigest(), h.digest()==g.digest(), k.hexdigest())
