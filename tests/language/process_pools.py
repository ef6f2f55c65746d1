# Pools under each start method, pipes, shared memory, managers, pipelines, and errors that cross processes.
import multiprocessing as mp, concurrent.futures as cf, os, sys, time, subprocess, signal, functools, itertools, collections, queue, tempfile, shlex, traceback, array, ctypes
from multiprocessing import shared_memory, managers

class Odd(Exception):

    def __init__(self, n, why='odd'):
        super().__init__(n, why)
        self.n = n

def work(n):
    if n == 13:
        raise Odd(n)
    return (n, sum((i * i for i in range(n * 100))), mp.current_process().name.split('-')[0])

def init(v):
    global SHARED
    SHARED = v

def bump(i):
    with SHARED.get_lock():
        SHARED.value += i
    return i

def die(n):
    os._exit(7)

def child(conn):
    while (m := conn.recv()) is not None:
        conn.send(m * 2)
    conn.close()

def producer(q, n):
    for i in range(n):
        q.put((os.getpid() > 0, i))
    q.put(None)

def main():
    for method in ('fork', 'spawn', 'forkserver'):
        ctx = mp.get_context(method)
        v = ctx.Value('q', 0)
        with ctx.Pool(2, init, (v,)) as pool:
            print(method, [r[1] for r in pool.map(work, range(12), chunksize=3)][-1], sum(pool.imap_unordered(bump, range(50))), v.value)
            try:
                pool.map(work, range(20))
            except Odd as e:
                print('odd', e.args, e.n, type(e.__cause__).__name__, 'work' in str(e.__cause__))
            r = pool.apply_async(time.sleep, (5,))
            try:
                r.get(0.05)
            except mp.TimeoutError:
                print('timeout')
    a, b = mp.Pipe()
    p = mp.Process(target=child, args=(b,), name='echo')
    p.start()
    a.send([1, 'x'])
    print(a.recv())
    a.send(None)
    p.join()
    print(p.exitcode, p.name, p.is_alive())
    q = mp.Queue()
    p = mp.Process(target=producer, args=(q, 1000))
    p.start()
    print(sum((x[1] for x in iter(q.get, None))))
    p.join()
    shm = shared_memory.SharedMemory(create=True, size=64)
    shm.buf[:5] = b'hello'
    s2 = shared_memory.SharedMemory(shm.name)
    print(bytes(s2.buf[:5]))
    s2.close()
    shm.close()
    shm.unlink()
    with mp.Manager() as m:
        d = m.dict()
        l = m.list([3, 1, 2])
        ps = [mp.Process(target=d.__setitem__, args=(i, i * i)) for i in range(3)]
        [p.start() for p in ps]
        [p.join() for p in ps]
        l.sort()
        print(dict(sorted(d.items())), list(l))
    with cf.ProcessPoolExecutor(2, mp_context=mp.get_context('fork')) as ex:
        fs = [ex.submit(work, i) for i in (3, 13)]
        print([type(f.exception()).__name__ for f in fs], [type(e).__name__ for e in [fs[1].exception().__cause__]])
        try:
            ex.submit(die, 0).result()
        except cf.process.BrokenProcessPool as e:
            print(type(e).__name__, str(e)[:40])
    p = mp.Process(target=time.sleep, args=(30,))
    p.start()
    p.terminate()
    p.join()
    print(p.exitcode)
    r, w = os.pipe()
    p1 = subprocess.Popen([sys.executable, '-c', "for i in range(20000): print(i, 'x' * (i % 7))"], stdout=subprocess.PIPE)
    p2 = subprocess.Popen([sys.executable, '-c', "import sys\nfor l in sys.stdin:\n  if l.split()[0].endswith('7'): sys.stdout.write(l)"], stdin=p1.stdout, stdout=subprocess.PIPE)
    p1.stdout.close()
    p3 = subprocess.Popen(['sort', '-r'], stdin=p2.stdout, stdout=subprocess.PIPE, text=True, env={'LC_ALL': 'C'})
    p2.stdout.close()
    out = p3.communicate()[0].splitlines()
    print(len(out), out[:2], p1.wait(), p2.wait(), p3.returncode)
    p1 = subprocess.Popen([sys.executable, '-c', "while True: print('y' * 100)"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p1.stdout.readline()
    p1.stdout.close()
    err = p1.stderr.read().decode()
    print(p1.wait(), err)
    try:
        subprocess.run([sys.executable, '-c', "import sys; sys.exit('oops')"], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as e:
        print(e.returncode, e.stderr, str(e).replace(sys.executable, 'PY'))
    try:
        subprocess.run(['sleep', '9'], timeout=0.05)
    except subprocess.TimeoutExpired as e:
        print(e)
    try:
        subprocess.run(['/nonexistent/x'])
    except FileNotFoundError as e:
        print(e)
    print(subprocess.run('echo $((6*7)); exit 5', shell=True, capture_output=True), subprocess.getstatusoutput('false'))
    p = subprocess.run([sys.executable, '-c', 'import os; os.kill(os.getpid(), 9)'])
    print(p.returncode)
if __name__ == '__main__':
    main()
