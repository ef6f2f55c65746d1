"""Queues, channels and shared buffers between interpreters that come and go, in threads, and with what is put into itself."""
import gc
import sys
import threading
import time

import _interpchannels as channels
import _interpqueues as queues
import _interpreters as interpreters
sys.path[:0] = [p for p in sys.path if p.endswith('python3.13')]
from test.support import interpreters as high
from test.support.interpreters import queues as high_queues

REMOVE, ERROR, REPLACE = 1, 2, 3


def run(interp, code):
    problem = interpreters.run_string(interp, code)
    assert problem is None, problem


# What an interpreter leaves behind when it ends.
q = queues.create(0, 0, REPLACE)
queues.bind(q)
c = channels.create(REPLACE)
try:
    channels.recv(c)
except channels.ChannelEmptyError:
    pass
interp = interpreters.create()
for op in (REMOVE, ERROR, REPLACE):
    run(interp, f'import _interpqueues as q; q.put({q}, "x" * 1000, 0, {op}); q.put({q}, (1, ("y",)), 0, {op})')
    run(interp, f'import _interpchannels as c; c.send({int(c)}, b"x" * 1000, {op}, blocking=False)')
queues.put(q, 'mine', 0, REMOVE)
interpreters.destroy(interp)
assert queues.get_count(q) == 5, queues.get_count(q)
assert [queues.get(q) for _ in range(5)] == [(None, 0, 2), (None, 0, 2), (None, 0, 3), (None, 0, 3), ('mine', 0, None)]
assert channels.get_count(c) == 2
assert channels.recv(c) == (None, 2) and channels.recv(c) == (None, 3)

# A buffer of an interpreter that is gone; one that is resized while it is lent; one that comes home.
interp = interpreters.create()
run(interp, f'''
import _interpchannels as c, array
data = array.array('i', range(1000))
c.send_buffer({int(c)}, data, blocking=False)
c.send_buffer({int(c)}, bytearray(b"spam" * 1000), blocking=False)
''')
first, second = channels.recv(c)[0], channels.recv(c)[0]
interpreters.destroy(interp)
gc.collect()
assert first.format == 'i' and first[999] == 999 and bytes(second[:4]) == b'spam'
second[0] = 88
del first, second
data = bytearray(b'abc')
channels.send_buffer(c, data, blocking=False)
try:
    data.append(1)
    raise AssertionError('resized while lent')
except BufferError:
    pass
view = channels.recv(c)[0]
view[0] = 65
assert data == b'Abc'
del view
data.append(1)

# A queue in itself; a channel in itself; objects that do not cross.
own = high.create_queue()
own.put(own, syncobj=True)
number = own.id
del own
gc.collect()
assert number in [entry[0] for entry in queues.list_all()]       # it holds itself
queues.destroy(number)
channels.send(c, c, blocking=False)
assert channels.recv(c)[0] == c
for bad in (object(), (1, [2]), 2**100):
    try:
        queues.put(q, bad, 0, REPLACE)
        raise AssertionError(bad)
    except (ValueError, OverflowError):
        pass
deep = ()
for _ in range(100_000):
    deep = (deep,)
try:
    queues.put(q, deep, 0, REPLACE)
    raise AssertionError('a very deep tuple crossed')
except RecursionError:
    pass
del deep

# Names that vanish while they are asked for.
class Number:
    def __index__(self):
        queues.destroy(q)
        return q
try:
    queues.get(Number())
    raise AssertionError('got from nothing')
except queues.QueueNotFoundError:
    pass

# IDs of channels that are not there yet, or no longer: they do not count.
ahead = channels._channel_id(int(channels.create(REPLACE)) + 1, force=True)
c = channels.create(REPLACE)
assert int(ahead) == int(c)
del ahead
assert channels.get_info(c).open

# Senders that wait, and give up, beside receivers and one who closes.
for round in range(5):
    c = channels.create(REPLACE)
    outcome = []

    def sender(n):
        for i in range(20):
            try:
                channels.send(c, (n, i), timeout=0.002 if i % 3 else 5)
                outcome.append('sent')
            except TimeoutError:
                outcome.append('timeout')
            except channels.ChannelClosedError:
                outcome.append('closed')

    def receiver():
        while 'stop' not in outcome:
            try:
                channels.recv(c)
            except channels.ChannelEmptyError:
                time.sleep(0.0005)
            except channels.ChannelClosedError:
                return

    threads = [threading.Thread(target=sender, args=(n,)) for n in range(4)] + [threading.Thread(target=receiver) for _ in range(2)]
    for t in threads: t.start()
    if round % 2:
        time.sleep(0.02)
        channels.close(c, force=True)
    for t in threads[:4]: t.join()
    outcome.append('stop')
    for t in threads: t.join()
    assert len(outcome) == 81, outcome

# Interpreters with a GIL each that push and pull at once.
work, back = high.create_queue(), high.create_queue()
script = f'''
from test.support.interpreters import queues
work, back = queues.Queue({work.id}), queues.Queue({back.id})
while (item := work.get()) is not None:
    back.put((item, item * 2), syncobj=True)
'''
threads = [threading.Thread(target=high.create().exec, args=(script,)) for _ in range(3)]
for t in threads: t.start()
for i in range(300): work.put(i)
got = sorted(back.get(timeout=30) for _ in range(300))
for t in threads: work.put(None)
for t in threads: t.join()
assert got == [(i, 2 * i) for i in range(300)]
print('OK')
