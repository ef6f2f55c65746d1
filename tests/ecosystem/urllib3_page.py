"""urllib3 over a local server: pools, retries, redirects, bodies, decoding, time-outs, and certifi, idna and chardet beside it."""
import gzip
import http.server
import io
import json
import socket
import threading
import zlib

import certifi
import chardet
import idna
import urllib3
from urllib3.fields import RequestField
from urllib3.util import Retry, Timeout, make_headers, parse_url

tries = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        if path == "/echo":
            wanted = {k.lower(): v for k, v in self.headers.items() if k.lower() not in ("host", "user-agent", "content-type")}
            self.answer(200, json.dumps([self.command, self.path, wanted, len(body)]).encode(), Content_Type="application/json")
        elif path == "/gzip":
            self.answer(200, gzip.compress(b"zipped " * 500, mtime=0), Content_Encoding="gzip")
        elif path == "/deflate":
            self.answer(200, zlib.compress(b"deflated " * 500), Content_Encoding="deflate")
        elif path == "/broken":
            self.answer(200, b"not gzip", Content_Encoding="gzip")
        elif path == "/away":
            self.answer(303, b"", Location="/echo?from=away")
        elif path == "/circle":
            self.answer(302, b"", Location="/circle")
        elif path == "/busy":
            tries[self.path] = tries.get(self.path, 0) + 1
            self.answer(503 if tries[self.path] < 3 else 200, b"%d tries" % tries[self.path], Retry_After="0")
        elif path == "/slow":
            threading.Event().wait(0.5)
            self.answer(200, b"slow")
        elif path == "/drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.answer(404, b"no such page")

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *args):
        pass


def attempt(f):
    try:
        r = f()
        print(r.status, r.data[:90])
    except Exception as e:
        print(type(e).__name__, type(e.__cause__ or e.__context__).__name__, str(getattr(e, "reason", ""))[-60:].split("0x")[0])


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):       # a client that gave up may be noticed, or not
        pass


server = Quiet(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
base = "http://127.0.0.1:%d" % server.server_port
pool = urllib3.PoolManager(num_pools=3, headers={"X-Common": "yes"}, maxsize=2)
quick = Retry(total=4, backoff_factor=0, status_forcelist=[503], redirect=2)
attempt(lambda: pool.request("GET", base + "/echo", fields={"a": "1 é", "b": "x"}))
attempt(lambda: pool.request("POST", base + "/echo", fields={"f": ("name.txt", b"bytes", "text/plain"), "k": "v"}, multipart_boundary="BOUND"))
attempt(lambda: pool.request("PUT", base + "/echo", json={"k": [1, None]}))
attempt(lambda: pool.request("POST", base + "/echo", body=(b"part" for _ in range(3))))
attempt(lambda: pool.request("HEAD", base + "/echo"))
for path in ("/gzip", "/deflate", "/broken", "/away", "/circle", "/busy", "/chunks", "/drop", "/nothing"):
    attempt(lambda: pool.request("GET", base + path, retries=quick))
attempt(lambda: pool.request("GET", base + "/busy?again", retries=False))
attempt(lambda: pool.request("GET", base + "/away", redirect=False))
attempt(lambda: pool.request("GET", base + "/slow", timeout=Timeout(connect=1, read=0.1), retries=False))
attempt(lambda: pool.request("GET", "http://127.0.0.1:1/", retries=1))
attempt(lambda: pool.request("GET", "ftp://x/"))
attempt(lambda: pool.request("GET", "http://[::bad/"))
r = pool.request("GET", base + "/chunks", preload_content=False)
print(list(r.stream(4)), r.headers["transfer-encoding"], r.version, r.closed)
r.release_conn()
r = pool.request("GET", base + "/gzip", preload_content=False)
print(r.read(7), r.tell(), r.read1(5) if hasattr(r, "read1") else b"", len(r.read()))
text = io.TextIOWrapper(pool.request("GET", base + "/echo?lines", preload_content=False), encoding="utf-8")
print(text.readline()[:20])
results = []
threads = [threading.Thread(target=lambda i=i: results.append(pool.request("GET", base + "/echo?%d" % i).status)) for i in range(12)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(results, pool.connection_from_url(base).num_requests > 20)
print(parse_url("HTTP://User:pw@Example.COM:80/a/../b%7e?q=1#f"), parse_url("//x").host, make_headers(basic_auth="a:b", accept_encoding=True))
print(Retry(3).increment("GET", "/x", error=urllib3.exceptions.ConnectTimeoutError()), RequestField("n", "v", "é.txt").headers)
headers = urllib3.HTTPHeaderDict([("A", "1"), ("a", "2"), ("B", "3")])
print(headers, headers["a"], headers.getlist("A"), dict(headers), "b" in headers)
print(idna.encode("bücher.example").decode(), idna.decode("xn--bcher-kva.example"), chardet.detect("Это русский текст для проверки".encode("koi8-r"))["encoding"], certifi.where().rpartition("/")[2])
for bad in ("a" * 70, "-x", "\u0640\u0640.com"):
    try:
        print(idna.encode(bad))
    except idna.IDNAError as e:
        print(e)
server.shutdown()
