"""ssl: wrong arguments, certificates, connections over memory and over sockets, sessions, callbacks, what goes wrong and how it is said."""
import _ssl
import os
import signal
import socket
import ssl
import sys
import test
import threading
import warnings

FOLDER = os.path.join(os.path.dirname(test.__file__), "certdata") + os.sep
Bio, Context = _ssl.MemoryBIO, _ssl._SSLContext
warnings.simplefilter("ignore")
sys.unraisablehook = lambda u: print("  unraisable:", u.exc_type.__name__, u.exc_value, u.err_msg)


def attempt(label, function):
    """The texts of alerts depend on OpenSSL's version: the reason alone is shown for those."""
    try:
        print(label, "->", function())
    except Exception as e:
        reason = getattr(e, "reason", None)
        said = e.args if not reason or "ALERT" not in reason else e.args[0]
        print(label, "!!", type(e).__module__, type(e).__name__, str(said).replace(FOLDER, ""), getattr(e, "library", ""), reason,
              getattr(e, "verify_code", ""), getattr(e, "verify_message", ""), repr(e.__context__))


def contexts(verify=False):
    server = Context(_ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(FOLDER + "keycert3.pem")
    client = Context(_ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        client.load_verify_locations(FOLDER + "pycacert.pem")
    else:
        client.check_hostname = False
        client.verify_mode = _ssl.CERT_NONE
    return client, server


class Owner:
    pass


def pair(client, server, host="localhost", **k):
    a, b = Bio(), Bio()
    owners = Owner(), Owner()
    x = client._wrap_bio(a, b, False, host, owner=owners[0], **k)
    y = server._wrap_bio(b, a, True, None, owner=owners[1])
    return x, y, owners


def shake(x, y, turns=4):
    for _ in range(turns):
        for z in (x, y):
            try:
                z.do_handshake()
            except ssl.SSLWantReadError:
                pass


# Attributes of a context.
for name in ("check_hostname _host_flags minimum_version maximum_version _msg_callback sni_callback num_tickets options post_handshake_auth "
             "protocol verify_flags verify_mode security_level").split():
    for value in (None, "x", -1, 0, 2 ** 70, 2 ** 40, 3.5, len):
        def change():
            for c in (Context(16), Context(17)):
                setattr(c, name, value)
            return getattr(c, name)
        attempt(f"{name} = {value!r}", change)
    attempt("del " + name, lambda: delattr(Context(17), name))
for bad in ((), ("a",), (99,), (1,), (2 ** 40,), (2, 3)):
    attempt(f"context {bad}", lambda: Context(*bad))
for version in (768, 769, 771, 772, 5, 0x7f):
    def change():
        c = Context(2)
        c.minimum_version = c.maximum_version = version
        return c.minimum_version, c.maximum_version
    attempt(f"version {version}", change)

# Files.
client, server = contexts()
for arguments in (("keycert.pem",), ("ssl_cert.pem",), ("ssl_key.pem",), ("nope",), ("badcert.pem",), ("nullcert.pem",), ("ssl_cert.pem", "keycert3.pem"),
                  ("ssl_cert.pem", "nope"), ("",), ("keycert.passwd.pem", None, "bad"), ("keycert.passwd.pem", None, "x" * 2000),
                  ("keycert.passwd.pem", None, lambda: 1), ("keycert.passwd.pem", None, lambda: 1 / 0), ("keycert.passwd.pem", None, 5),
                  ("keycert.passwd.pem", None, bytearray(b"somepass"))):
    paths = [FOLDER + a if isinstance(a, str) else a for a in arguments[:2]] + list(arguments[2:])
    attempt("chain " + str(arguments[:2]), lambda: Context(17).load_cert_chain(*paths))
attempt("chain", lambda: Context(17).load_cert_chain(None))
attempt("chain", lambda: Context(17).load_cert_chain("a\0b"))
pem = open(FOLDER + "pycacert.pem").read()
der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN"):])
for data in (1, "", b"", "\xe9", "x", b"x", pem, der, der + der, der + b"xx", pem + pem, pem + "trash", bytearray(der), memoryview(der)[::2]):
    attempt("authorities " + str(type(data)), lambda: Context(16).load_verify_locations(None, None, data))
for path in (FOLDER + "badcert.pem", FOLDER + "nullcert.pem", "nope", 1):
    attempt("authorities", lambda: Context(16).load_verify_locations(path))
for path in ("nope", FOLDER + "ffdh3072.pem", FOLDER + "keycert.pem", None):
    attempt("parameters", lambda: client.load_dh_params(path))
for curve in ("prime256v1", b"prime256v1", "nope", 1, "", "a\0"):
    attempt("curve", lambda: client.set_ecdh_curve(curve))
for name in ("x", 1, "", "a\0", "@SECLEVEL=9"):
    attempt("ciphers", lambda: client.set_ciphers(name))
for protocols in (b"", b"\x05a", "x", b"\x01a"):
    attempt("protocols", lambda: client._set_alpn_protocols(protocols))
for name in ("allsans", "nullbytecert", "talos-2019-0758", "nosan", "idnsans", "nokia", "leaf-missing-aki.ca", "badcert"):
    attempt(name, lambda: _ssl._test_decode_cert(FOLDER + name + ".pem"))
for f in (lambda: _ssl.txt2obj("serverAuth", True), lambda: _ssl.txt2obj("serverAuth"), lambda: _ssl.nid2obj(129), lambda: _ssl.nid2obj(-1),
          lambda: _ssl.RAND_bytes(-1), lambda: _ssl.RAND_add(1, 1), lambda: len(_ssl.RAND_bytes(5))):
    attempt("function", f)

# Memory.
bio = Bio()
for f in (lambda: bio.write("a"), lambda: bio.write(b"abc"), lambda: bio.read(2), lambda: bio.read(-5), lambda: (bio.eof, bio.pending), bio.write_eof,
          lambda: (bio.eof, bio.read()), lambda: bio.write(b"x"), lambda: Bio(1), lambda: bio.read(None)):
    attempt("bio", f)

# Making connections.
for arguments in ((), (1, Bio(), False), (Bio(), 1, False), (Bio(), Bio(), True), (Bio(), Bio(), False, 1), (Bio(), Bio(), False, ""),
                  (Bio(), Bio(), False, ".a"), (Bio(), Bio(), False, "\xe9"), (Bio(), Bio(), False, "a\0b"), (Bio(), Bio(), False, "x" * 300)):
    attempt("wrap_bio", lambda: client._wrap_bio(*arguments))
attempt("owner", lambda: client._wrap_bio(Bio(), Bio(), False, None, owner=1))
attempt("session", lambda: client._wrap_bio(Bio(), Bio(), False, None, session=1))
attempt("wrap_socket", lambda: client._wrap_socket(1, False))
x = client._wrap_bio(Bio(), Bio(), False, "host")
for arguments in ((), (1,), (0,), (-1,), ("x",), (5, b"abc"), (5, bytearray(3)), (0, bytearray()), (1, 2, 3)):
    attempt(f"read {arguments}", lambda: x.read(*arguments))
for data in (b"abc", "x", memoryview(b"abc")[::2]):
    attempt("write", lambda: x.write(data))
for name in ("context", "owner", "session", "server_side", "server_hostname", "session_reused"):
    attempt("set " + name, lambda: setattr(x, name, 1))
QUERIES = "pending cipher shared_ciphers version selected_alpn_protocol compression get_unverified_chain get_verified_chain getpeercert".split()
for name in QUERIES:
    attempt(name, getattr(x, name))

# The other side ends, or talks something else.
i, o = Bio(), Bio()
x = client._wrap_bio(i, o, False, "host")
attempt("start", x.do_handshake)
i.write_eof()
for f in (x.do_handshake, x.do_handshake, lambda: x.read(5), lambda: x.write(b"x"), x.shutdown):
    attempt("ended", f)
i, o = Bio(), Bio()
y = server._wrap_bio(i, o, True)
i.write(b"GET / HTTP/1.0\r\n\r\n")
attempt("http", y.do_handshake)

# Certificates that do not do.
for host in ("wrong", "10.0.0.1", "localhost"):
    client, server = contexts(verify=host != "localhost")
    if host == "localhost":
        client.verify_mode = _ssl.CERT_REQUIRED
    x, y, keep = pair(client, server, host)
    attempt(host, lambda: shake(x, y))
    attempt("server", y.do_handshake)
    attempt("again", x.do_handshake)

# One that does: what it can tell; reading, writing, closing.
for maximum in (_ssl.PROTO_TLSv1_3, _ssl.PROTO_TLSv1_2):
    client, server = contexts(verify=True)
    client.maximum_version = maximum
    client._set_alpn_protocols(b"\x01a\x02bc")
    server._set_alpn_protocols(b"\x02bc\x01a")
    x, y, keep = pair(client, server)
    attempt("handshake", lambda: shake(x, y))
    for z in (x, y):
        for name in QUERIES:
            if name != "shared_ciphers":
                attempt(name, getattr(z, name))
        attempt("binding", lambda: z.get_channel_binding() == y.get_channel_binding())
        attempt("binding", lambda: z.get_channel_binding("foo"))
        attempt("late", lambda: setattr(z, "session", z.session))
        attempt("verify later", z.verify_client_post_handshake)
    c = x.get_unverified_chain()[0]
    attempt("certificate", lambda: (c, c == x.get_verified_chain()[0], c != 1, hash(c) == hash(x.get_verified_chain()[0])))
    for format in (1, 2, 257, 3, "x"):
        attempt("public_bytes", lambda: c.public_bytes(format)[:40])
    attempt("order", lambda: c < c)
    y.write(b"hello")
    attempt("read", lambda: (x.read(0), x.read(2), x.pending(), x.read(100)))
    attempt("nothing", lambda: x.read(1))
    attempt("big", lambda: y.write(b"x" * 50000))
    attempt("big", lambda: [len(x.read(1 << 20)) for _ in range(4)])
    session = x.session
    attempt("session", lambda: (session == x.session, session == 1, type(session.id), session.timeout))
    attempt("hash", lambda: hash(session))
    if maximum == _ssl.PROTO_TLSv1_2:
        x2, y2, keep2 = pair(client, server, session=session)
        shake(x2, y2)
        attempt("resumed", lambda: (x2.session_reused, y2.session_reused, x2.get_channel_binding() == y2.get_channel_binding()))
        attempt("other context", lambda: pair(Context(16), server, session=session))
    for f in (x.shutdown, lambda: y.read(1), y.shutdown, x.shutdown, lambda: x.read(1), lambda: x.write(b"1"), lambda: y.write(b"1")):
        attempt("closing", f)

# Callbacks.
for callback in (lambda *a: print("  named", a[1], type(a[0])), lambda *a: 1 / 0, lambda *a: "x", lambda *a: 80, lambda *a: 2 ** 80, lambda: 0):
    client, server = contexts()
    server.sni_callback = callback
    x, y, keep = pair(client, server)
    attempt("names", lambda: shake(x, y))
    attempt("client", x.do_handshake)
client, server = contexts()
client._msg_callback = lambda *a: 1 / 0
x, y, keep = pair(client, server)
attempt("messages", x.do_handshake)


def with_keys(client_callback, server_callback, hint=None):
    client, server = contexts()
    client.maximum_version = server.maximum_version = _ssl.PROTO_TLSv1_2
    client.set_ciphers("PSK")
    server.set_ciphers("PSK")
    client.set_psk_client_callback(client_callback)
    server.set_psk_server_callback(server_callback, hint)
    x, y, keep = pair(client, server)
    attempt("keys", lambda: shake(x, y))
    attempt("keys", lambda: x.cipher() is not None)


with_keys(lambda hint: print("  hint", hint) or ("me", b"k"), lambda name: print("  name", name) or b"k", "hint")
for result in (1, ("a",), ("a", "b"), ("a", b""), ("x" * 500, b"k"), ("a", b"k" * 2000)):
    with_keys(lambda hint: result, lambda name: b"k")
for result in (1, "x", b"", b"k" * 3000):
    with_keys(lambda hint: ("me", b"k"), lambda name: result)
with_keys(lambda hint: 1 / 0, lambda name: b"k")

# Sockets: timeouts, non-blocking, closed, gone, signals.
client, server = contexts()


def connected(timeout=None):
    a, b = socket.socketpair()
    x, y = client._wrap_socket(a, False), server._wrap_socket(b, True)
    t = threading.Thread(target=y.do_handshake)
    t.start()
    x.do_handshake()
    t.join()
    a.settimeout(timeout)
    return a, b, x, y


def operations(label, x):
    for f in (x.do_handshake, lambda: x.read(1), lambda: x.write(b"a"), x.shutdown):
        attempt(label, f)


a, b = socket.socketpair()
a.settimeout(0.05)
operations("timeout", client._wrap_socket(a, False))
a.setblocking(False)
operations("non-blocking", client._wrap_socket(a, False))
a.settimeout(1)
x = client._wrap_socket(a, False)
a.close()
operations("closed", x)
a, b = socket.socketpair()
x = client._wrap_socket(a, False)
del a
operations("gone", x)
a, b, x, y = connected(0.05)
attempt("read", lambda: x.read(5))
attempt("full", lambda: [x.write(b"x" * 1000000) for _ in range(100)])
attempt("other", lambda: x.write(b"other"))
a, b, x, y = connected(0.05)
attempt("shutdown", x.shutdown)
attempt("peer", lambda: y.read(1))
attempt("peer", lambda: y.shutdown() is b)
attempt("shutdown", lambda: x.shutdown() is a)
a, b, x, y = connected()


def interrupt(*_):
    raise KeyError("signal")


signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.1)
attempt("interrupted", lambda: x.read(1))
signal.signal(signal.SIGALRM, lambda *_: y.write(b"from the handler"))
signal.setitimer(signal.ITIMER_REAL, 0.1)
attempt("answered", lambda: x.read(100))
