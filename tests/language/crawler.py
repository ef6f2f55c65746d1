# An asyncio crawler over a local server: limits, retries, time-outs, cancellation, task groups, subprocesses.
import asyncio, collections, re, time, contextlib, sys, urllib.parse, random, signal, functools, warnings
PAGES = {f'/p{i}': ''.join((f'<a href="/p{j}">x</a>' for j in ((i * 2 + 1) % 60, (i * 3 + 2) % 60, 99 if i % 7 == 0 else i))) for i in range(60)}
hits = collections.Counter()

async def serve(reader, writer):
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            method, path, _ = line.decode().split()
            while (await reader.readline()).strip():
                pass
            hits[path] += 1
            if path == '/p7' and hits[path] < 3:
                writer.write(b'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
                await writer.drain()
                continue
            if path == '/p13':
                await asyncio.sleep(30)
            if path == '/p17':
                writer.transport.abort()
                return
            body = PAGES.get(path)
            status = b'200 OK' if body is not None else b'404 Not Found'
            body = (body or '').encode()
            writer.write(b'HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s' % (status, len(body), body))
            await writer.drain()
    except (ConnectionResetError, asyncio.CancelledError):
        pass
    finally:
        writer.close()

class Crawler:

    def __init__(self, port, limit):
        self.port, self.sem, self.seen, self.results, self.q = (port, asyncio.Semaphore(limit), set(), {}, asyncio.Queue())

    async def fetch(self, path):
        async with self.sem, asyncio.timeout(1.5):
            r, w = await asyncio.open_connection('127.0.0.1', self.port)
            try:
                w.write(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
                status = int((await r.readline()).split()[1])
                n = 0
                while (h := (await r.readline()).strip()):
                    k, _, v = h.partition(b':')
                    if k.lower() == b'content-length':
                        n = int(v)
                return (status, (await r.readexactly(n)).decode())
            finally:
                w.close()
                with contextlib.suppress(OSError):
                    await w.wait_closed()

    async def worker(self, name):
        while True:
            path, tries = await self.q.get()
            try:
                status, body = await self.fetch(path)
                if status == 503:
                    raise ConnectionError('busy')
                self.results[path] = status
                for link in re.findall('href="([^"]+)"', body):
                    if link not in self.seen:
                        self.seen.add(link)
                        self.q.put_nowait((link, 0))
            except (OSError, TimeoutError, IndexError) as e:
                if tries < 3 and (not isinstance(e, TimeoutError)):
                    self.q.put_nowait((path, tries + 1))
                else:
                    self.results[path] = type(e).__name__
            finally:
                self.q.task_done()

    async def run(self, start):
        self.seen.add(start)
        self.q.put_nowait((start, 0))
        ws = [asyncio.create_task(self.worker(i), name=f'w{i}') for i in range(6)]
        await self.q.join()
        for w in ws:
            w.cancel()
        rs = await asyncio.gather(*ws, return_exceptions=True)
        return collections.Counter((type(r).__name__ for r in rs))

async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    c = Crawler(server.sockets[0].getsockname()[1], 4)
    print(await c.run('/p0'))
    print(len(c.results), collections.Counter(c.results.values()), c.results.get('/p13'), c.results.get('/p17'), hits['/p7'])
    try:
        async with asyncio.TaskGroup() as tg:

            async def bad():
                await asyncio.sleep(0.01)
                raise ValueError('bad')

            async def long():
                try:
                    await asyncio.sleep(10)
                except asyncio.CancelledError:
                    print('cancelled long')
                    raise
            tg.create_task(bad())
            tg.create_task(long())
            tg.create_task(bad())
    except* ValueError as eg:
        print(len(eg.exceptions), repr(eg))
    ev = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.call_later(0.01, ev.set)
    await ev.wait()
    loop.add_signal_handler(signal.SIGUSR1, lambda: print('usr1'))
    import os
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0.02)

    async def agen():
        try:
            for i in range(10):
                yield i
                await asyncio.sleep(0)
        finally:
            print('agen closed')
    async for x in agen():
        if x == 3:
            break
    print(await asyncio.to_thread(sum, range(1000)), [x async for x in agen() if x % 3 == 0])
    p = await asyncio.create_subprocess_exec(sys.executable, '-c', 'import sys; print(sys.stdin.read().upper()); sys.exit(3)', stdin=-1, stdout=-1)
    print(await p.communicate(b'abc'), p.returncode)
    done, pend = await asyncio.wait([asyncio.create_task(asyncio.sleep(t, t)) for t in (0.01, 0.02, 5)], timeout=1.5)
    print(sorted((d.result() for d in done)), len(pend))
    loop.set_exception_handler(lambda l, ctx: print('handler:', ctx['message'], repr(ctx.get('exception'))))
    t = asyncio.create_task(bad())
    await asyncio.sleep(0.03)
    del t
    import gc
    gc.collect()
    server.close()
    lock, order = (asyncio.Lock(), [])

    async def crit(i):
        async with lock:
            order.append(i)
            await asyncio.sleep(0)
            order.append(i)
    await asyncio.gather(*map(crit, range(5)))
    print(order)
    cond = asyncio.Condition()

    async def waiter():
        async with cond:
            await cond.wait_for(lambda: len(order) == 11)
            return 'ok'
    w = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    async with cond:
        order.append(1)
        cond.notify_all()
    print(await w)
asyncio.run(main())
