"""The functions of _lzma: results and messages."""
import _lzma
import lzma


def t(f):
    try: print(repr(f()))
    except BaseException as e: print(type(e).__module__,type(e).__name__, e)
C=_lzma.LZMACompressor; D=_lzma.LZMADecompressor
for a,k in [((),dict(format=9)),((),dict(format=2,check=1)),((),dict(format=3)),((),dict(format=3,preset=6)),((),dict(preset=6,filters=[])),((),dict(preset=99)),((),dict(preset=-1)),((),dict(preset='a')),((),dict(preset=2**40)),((),dict(filters=[])),((),dict(filters=3)),((),dict(filters=[3])),((),dict(filters=[{}])),((),dict(filters=[{'id':99}])),((),dict(filters=[{'id':0x21,'foo':1}])),((),dict(filters=[{'id':0x21,'preset':99}])),((),dict(filters=[{'id':0x21,'dict_size':-1}])),((),dict(filters=[{'id':0x21,'dict_size':'a'}])),((),dict(filters=[{'id':0x21}]*5)),((),dict(filters=[{'id':0x21}]*2)),((),dict(format=2,filters=[{'id':0x21}])),((),dict(format=2,filters=[{'id':0x4000000000000001}])),((),dict(check=99)),((),dict(check='a')),((1,2,3,4,5),{}),((),dict(filters=[{'id':3,'dist':1,'x':2}])),((),dict(filters=[{'id':4,'start_offset':1,'x':2}])),((),dict(filters=[{'id':3,'dist':0},{'id':0x21}])),((),dict(filters=[{'id':-1}])),((),dict(filters=[{'id':2**70}])),((),dict(filters=({'id':0x21},))),((),dict(filters={0:{'id':0x21}})),((),dict(filters=[{'id':0x21,5:1}]))]:
    t(lambda: type(C(*a,**k)))
for k in [dict(format=9),dict(format=3),dict(format=3,memlimit=3,filters=[{'id':0x21}]),dict(format=1,filters=[]),dict(memlimit='a'),dict(memlimit=-1),dict(memlimit=2**70),dict(format=3,filters=[]),dict(filters=[{'id':0x21}])]:
    t(lambda: type(D(**k)))
c=C(); t(lambda:c.compress(3)); t(lambda:c.compress('a')); t(lambda:c.compress(b'abc')); x=c.flush(); t(lambda:c.flush()); t(lambda:c.compress(b'a'))
data=lzma.compress(b'hello'*100)
d=D(); t(lambda:(d.check,d.eof,d.needs_input,d.unused_data)); t(lambda:d.decompress(data[:20])); t(lambda:(d.check,d.eof,d.needs_input,d.unused_data)); t(lambda:len(d.decompress(data[20:]+b'xyz'))); t(lambda:(d.check,d.eof,d.needs_input,d.unused_data)); t(lambda:d.decompress(b''))
d=D(); t(lambda:d.decompress(data,3)); t(lambda:(d.check,d.eof,d.needs_input)); t(lambda:d.decompress(b'',4)); t(lambda:len(d.decompress(b''))); t(lambda:(d.check,d.eof,d.needs_input))
d=D(); t(lambda:d.decompress(b'foo'*100)); t(lambda:d.decompress(b''))
d=D(memlimit=100); t(lambda:d.decompress(data))
d=D(format=2); t(lambda:d.decompress(data))
t(lambda:D().decompress()); t(lambda:D().decompress(b'',b'')); t(lambda:D().decompress(3))
t(lambda:_lzma.is_check_supported(3)); t(lambda:_lzma.is_check_supported(1)); t(lambda:_lzma.is_check_supported()); t(lambda:_lzma.is_check_supported('a'))
E=_lzma._encode_filter_properties; DD=_lzma._decode_filter_properties
for f in [3,{},{'id':0x21},{'id':0x21,'dict_size':4096},{'id':0x4000000000000001,'lc':1},{'id':3,'dist':5},{'id':4},{'id':4,'start_offset':16},{'id':0x21,'dict_size':2**31},{'id':99}]:
    t(lambda:E(f))
for a in [(0x21,b''),(0x21,b'\x10'),(0x4000000000000001,b']\0\0\x80\0'),(3,b'\5'),(4,b''),(4,b'\x10\0\0\0'),(99,b''),('a',b''),(3,3),(3,),(0x21,b'\xff')]: t(lambda:DD(*a))
import pickle,copy
t(lambda:pickle.dumps(C())); t(lambda:pickle.dumps(D())); t(lambda:copy.copy(C()))
t(lambda:D().__init__()); t(lambda:C.__new__(C).compress(b''))
d=D()
t(lambda:setattr(d,'eof',1))
