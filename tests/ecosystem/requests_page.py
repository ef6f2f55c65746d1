"""requests, over a server on the loopback interface: methods, redirects, cookies, sessions, streams, authentication, errors."""
import base64
import gzip
import http.server
import io
import json
import threading
import zlib

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from urllib3.util.retry import Retry

ATTEMPTS = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Loop/1.0", ""

    def date_time_string(self, timestamp=None):
        return "Thu, 01 Jan 2025 00:00:00 GMT"

    def log_message(self, *args):
        pass

    def reply(self, body, status=200, headers=(), kind="text/plain; charset=utf-8"):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        n = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(n)
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        path, _, query = self.path.partition("?")
        if path == "/echo":
            headers = {k: v for k, v in self.headers.items() if k not in ("Host", "User-Agent")}
            if "boundary=" in headers.get("Content-Type", ""):
                boundary = headers["Content-Type"].split("boundary=")[1]
                body, headers["Content-Type"] = body.replace(boundary.encode(), b"BOUNDARY"), "multipart/form-data"
            self.reply(json.dumps({"method": self.command, "query": query, "headers": headers, "body": body.decode("latin-1")}), kind="application/json")
        elif path.startswith("/redirect/"):
            left = int(path.split("/")[-1])
            self.reply("", 302, [("Location", "/redirect/%d" % (left - 1) if left else "/echo?done"), ("Set-Cookie", "hop%d=1; Path=/" % left)])
        elif path.startswith("/status/"):
            self.reply("status body", int(path.split("/")[-1]), [("X-Thing", "a"), ("X-Thing", "b")])
        elif path == "/see-other":
            self.reply("", 303, [("Location", "/echo")])
        elif path == "/keep":
            self.reply("", 307, [("Location", "/echo")])
        elif path == "/loop":
            self.reply("", 301, [("Location", "/loop")])
        elif path == "/gzip":
            self.reply(gzip.compress(b"squeezed " * 100, mtime=0), headers=[("Content-Encoding", "gzip")])
        elif path == "/deflate":
            self.reply(zlib.compress(b"deflated " * 100), headers=[("Content-Encoding", "deflate")])
        elif path == "/latin":
            self.reply("caf\xe9 \xa3".encode("latin-1"), kind="text/html; charset=iso-8859-1")
        elif path == "/guess":
            self.reply("Gr\u00fc\u00dfe aus K\u00f6ln, \u0441\u043f\u0430\u0441\u0438\u0431\u043e".encode("utf-8"), kind="application/octet-stream")
        elif path == "/lines":
            self.reply("".join("line %d\n" % i for i in range(50)))
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"one,", b"two,", b"three" * 50):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        elif path == "/cookies":
            self.reply(json.dumps(sorted((self.headers.get("Cookie") or "").split("; "))), headers=[("Set-Cookie", "a=1; Path=/; HttpOnly"), ("Set-Cookie", 'b="two words"; Max-Age=100')], kind="application/json")
        elif path == "/basic":
            wanted = "Basic " + base64.b64encode(b"user:pass w\xc3\xb6rd").decode()
            ok = self.headers.get("Authorization") == wanted
            self.reply("ok" if ok else "no", 200 if ok else 401, [] if ok else [("WWW-Authenticate", 'Basic realm="x"')])
        elif path == "/digest":
            given = self.headers.get("Authorization", "")
            ok = given.startswith("Digest ") and 'username="u"' in given and "nc=0000000" in given
            self.reply("digested" if ok else "", 200 if ok else 401, [] if ok else [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256, opaque="o"')])
        elif path == "/flaky":
            ATTEMPTS[path] = ATTEMPTS.get(path, 0) + 1
            self.reply("attempt %d" % ATTEMPTS[path], 503 if ATTEMPTS[path] < 3 else 200)
        elif path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"short")
            self.close_connection = True
        elif path == "/drop":
            self.close_connection = True
        elif path == "/slow":
            stop.wait(5)
            self.close_connection = True
        elif path == "/badjson":
            self.reply('{"a": [1, 2', kind="application/json")
        else:
            self.reply("not here", 404)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = handle_any


class Token(AuthBase):
    def __call__(self, request):
        request.headers["X-Token"] = "t"
        return request


stop = threading.Event()


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


server = Quiet(("127.0.0.1", 0), Handler)
BASE = "http://127.0.0.1:%d" % server.server_port


def attempt(what, f):
    try:
        r = f()
    except Exception as e:
        print(what, "->", type(e).__name__, str(e).replace(str(server.server_port), "PORT")[:300])
        return
    if isinstance(r, requests.Response):
        print(what, "->", r.status_code, r.reason, sorted((k, v) for k, v in r.headers.items() if k != "Date"), repr(r.text[:400]))
    else:
        print(what, "->", r)


def main():
    print("requests", requests.__version__)
    get, post = requests.get, requests.post
    attempt("get", lambda: get(BASE + "/echo", params={"a": [1, 2], "b": "\u00e9 &", "none": None}, headers={"X-Mine": "1"}))
    attempt("form", lambda: post(BASE + "/echo", data={"k": "v w", "l": ["1", "2"]}))
    attempt("json", lambda: post(BASE + "/echo", json={"k": [1, None, "\u00e9"]}))
    attempt("bytes", lambda: requests.put(BASE + "/echo", data=b"\x00\xff"))
    attempt("stream up", lambda: post(BASE + "/echo", data=(b"p%d" % i for i in range(3))))
    attempt("files", lambda: post(BASE + "/echo", files={"f": ("name.txt", io.BytesIO(b"content"), "text/x", {"X-A": "b"})}, data={"field": "value"}))
    for method in ("patch", "delete", "options", "head"):
        attempt(method, lambda: getattr(requests, method)(BASE + "/echo"))
    attempt("redirects", lambda: [(h.status_code, h.headers["Location"]) for h in get(BASE + "/redirect/3").history])
    attempt("see other", lambda: post(BASE + "/see-other", data="x"))
    attempt("temporary", lambda: post(BASE + "/keep", data="x"))
    attempt("no redirect", lambda: get(BASE + "/redirect/3", allow_redirects=False))
    attempt("loop", lambda: get(BASE + "/loop"))
    for status in (204, 400, 404, 418, 500):
        attempt("status", lambda: get(BASE + "/status/%d" % status))
        attempt("raise", lambda: get(BASE + "/status/%d" % status).raise_for_status())
    for path in ("/gzip", "/deflate", "/latin", "/guess", "/chunked", "/missing"):
        attempt(path, lambda: get(BASE + path))
    attempt("encoding", lambda: (get(BASE + "/latin").encoding, get(BASE + "/guess").apparent_encoding))
    attempt("lines", lambda: [line for line in get(BASE + "/lines", stream=True).iter_lines(decode_unicode=True)][-3:])
    attempt("content", lambda: [len(c) for c in get(BASE + "/lines", stream=True).iter_content(100)])
    attempt("raw", lambda: get(BASE + "/gzip", stream=True).raw.read(10))
    attempt("basic", lambda: get(BASE + "/basic", auth=HTTPBasicAuth("user", "pass w\u00f6rd".encode())))
    attempt("basic wrong", lambda: get(BASE + "/basic", auth=("user", "x")))
    attempt("digest", lambda: get(BASE + "/digest", auth=HTTPDigestAuth("u", "p")))
    attempt("token", lambda: get(BASE + "/echo", auth=Token()))
    attempt("bad json", lambda: get(BASE + "/badjson").json())
    attempt("short", lambda: get(BASE + "/short"))
    attempt("drop", lambda: get(BASE + "/drop"))
    attempt("timeout", lambda: get(BASE + "/slow", timeout=0.2))
    attempt("scheme", lambda: get("nosuch://x"))
    attempt("no scheme", lambda: get("example"))
    attempt("bad url", lambda: get("http://[::1"))
    attempt("bad header", lambda: get(BASE + "/echo", headers={"X": "a\nb"}))

    with requests.Session() as s:
        s.headers["X-Session"] = "yes"
        s.params = {"always": "1"}
        s.auth = Token()
        seen = []
        s.hooks["response"].append(lambda r, *args, **kwargs: seen.append(r.status_code))
        for _ in range(2):
            attempt("session", lambda: s.get(BASE + "/cookies", cookies={"mine": "m"}))
        attempt("jar", lambda: sorted((c.name, c.value, c.path) for c in s.cookies))
        s.cookies.clear()
        s.get(BASE + "/redirect/2")
        attempt("jar", lambda: sorted(s.cookies.get_dict().items()))
        s.mount(BASE, HTTPAdapter(max_retries=Retry(total=4, status_forcelist=[503], backoff_factor=0.001)))
        attempt("retried", lambda: s.get(BASE + "/flaky"))
        attempt("echo", lambda: s.post(BASE + "/echo", data="x", headers={"X-Session": None}))
        print(seen)
        request = requests.Request("POST", BASE + "/echo?x=1", data=[("a", "1"), ("a", "2")])
        prepared = s.prepare_request(request)
        print(prepared, prepared.method, prepared.url.replace(str(server.server_port), "PORT"), prepared.body, sorted(prepared.headers.items())[-2:])
        attempt("prepared", lambda: s.send(prepared))
        results = [None] * 8
        threads = [threading.Thread(target=lambda i=i: results.__setitem__(i, s.get(BASE + "/echo", params={"i": i}).json()["query"])) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(results)
    print(requests.codes.ok, requests.codes["\u2713"], requests.utils.get_encoding_from_headers({"content-type": "text/html"}), requests.utils.parse_header_links('<http://x/p2>; rel="next", <http://x/p9>; rel=last'),
          requests.structures.CaseInsensitiveDict({"A": 1})["a"], requests.utils.requote_uri("http://x/a b%2f?\u00e9"))


threading.Thread(target=server.serve_forever, daemon=True).start()
main()
stop.set()
server.shutdown()
server.server_close()
