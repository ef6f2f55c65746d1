"""TLS connections whose callbacks use, change or drop them; many threads on one; what is deleted, reused or half closed."""
import _ssl
import gc
import os
import socket
import ssl
import sys
import test
import threading
import time
import weakref

FOLDER = os.path.join(os.path.dirname(test.__file__), "certdata") + os.sep
Bio = _ssl.MemoryBIO
sys.unraisablehook = lambda u: None


def contexts():
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(FOLDER + "keycert3.pem")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(FOLDER + "pycacert.pem")
    return client, server


class Owner:
    pass


def pair(client, server, owners=(None, None)):
    a, b = Bio(), Bio()
    return client._wrap_bio(a, b, False, "localhost", owner=owners[0]), server._wrap_bio(b, a, True, owner=owners[1])


def shake(x, y, turns=4):
    for _ in range(turns):
        for z in (x, y):
            try:
                z.do_handshake()
            except ssl.SSLWantReadError:
                pass


def refused(function, *errors):
    try:
        function()
    except errors:
        return True
    return False


# A connection without owner is what its callbacks are given; whatever they do with it is harmless or refused.
client, server = contexts()
other = contexts()[1]
seen = []


def use(conn, changing):
    for f in (conn.do_handshake, lambda: conn.read(1), lambda: conn.read(1, bytearray(1)), lambda: conn.write(b"x"), conn.shutdown):
        seen.append(refused(f, RuntimeError))
    for f in (conn.cipher, conn.version, conn.pending, conn.shared_ciphers, conn.get_unverified_chain, conn.get_verified_chain, conn.compression,
              conn.selected_alpn_protocol, lambda: conn.session, lambda: conn.session_reused, conn.get_channel_binding, lambda: conn.owner):
        f()
    refused(conn.getpeercert, ValueError)
    refused(conn.verify_client_post_handshake, ssl.SSLError)
    if changing:
        conn.context = other
    else:
        seen.append(refused(lambda: setattr(conn, "context", other), RuntimeError))
    gc.collect()


def named(conn, name, context):
    use(conn, True)
    server.sni_callback = None
    server._set_alpn_protocols(b"\x02h2" * 100)


def message(conn, *_):
    use(conn, False)
    client._msg_callback = None


server.sni_callback = named
x, y = pair(client, server)
shake(x, y)
assert y.context is other and all(seen) and len(seen) == 5, seen
client._msg_callback = message
x, y = pair(client, server)
shake(x, y)
assert x.cipher() and all(seen) and len(seen) == 11, seen
x.write(b"still fine")
assert y.read(100) == b"still fine"
client._msg_callback = None

# A session that is put in while the handshake is under way; in the wrong place; deleted.
session = x.session
x, y = pair(client, server)
refused(x.do_handshake, ssl.SSLWantReadError)
assert refused(lambda: setattr(x, "session", session), ValueError)
assert refused(lambda: setattr(x, "context", other), RuntimeError, TypeError)
for name in ("context", "owner", "session"):
    assert refused(lambda: delattr(x, name), TypeError, AttributeError)
for name in ("keylog_filename", "_msg_callback", "verify_flags", "options", "minimum_version"):
    assert refused(lambda: ssl._SSLContext.__dict__[name].__delete__(client), TypeError, AttributeError), name
shake(x, y)

# Callbacks that let go of the connection, the owner and the context.
for _ in range(20):
    client, server = contexts()
    holder = []

    def drop(*_):
        holder.clear()
        gc.collect()
        return 80 if len(drop.__code__.co_varnames) > 5 else None

    server.sni_callback = drop
    client._msg_callback = drop
    holder += pair(client, server, (owner := Owner(), None))
    a, b = (z.do_handshake for z in holder)
    del owner, client, server
    for _ in range(3):
        for f in (a, b):
            refused(f, ssl.SSLError)
    del a, b, f

# Passwords: asked for while loading; loading again from there; changing what was given.
client, server = contexts()
depth = []


def password():
    depth.append(1)
    if len(depth) < 5:
        server.load_cert_chain(FOLDER + "keycert.passwd.pem", password=password)
        server.wrap_bio(Bio(), Bio(), True)
        server.get_ciphers()
    return bytearray(b"somepass")


server.load_cert_chain(FOLDER + "keycert.passwd.pem", password=password)
assert len(depth) == 5
assert refused(lambda: server.load_cert_chain(FOLDER + "keycert.passwd.pem", password=lambda: 1 / 0), ZeroDivisionError)
server.load_cert_chain(FOLDER + "keycert3.pem")

# Cycles through contexts, callbacks, connections, sessions are collected.
gone = []
for _ in range(5):
    client, server = contexts()
    owner = Owner()
    x, y = pair(client, server, (owner, None))
    owner.kept = x, y, client, server
    server.sni_callback = lambda *_, o=owner: None
    client._msg_callback = lambda *_, o=owner: None
    shake(x, y)
    owner.session = x.session
    gone.append(weakref.ref(owner))
del client, server, owner, x, y, holder, named, message, use
gc.collect()
gc.collect()
assert not [g for g in gone if g()], gone

# One connection, many threads: reading, writing, asking; over sockets, so that readers wait.
client, server = contexts()
a, b = socket.socketpair()
x, y = client._wrap_socket(a, False, "localhost"), server._wrap_socket(b, True)
t = threading.Thread(target=y.do_handshake)
t.start()
x.do_handshake()
t.join()
PIECE, TIMES = 3000, 150
counts, failures = [0, 0], []


def guarded(function):
    def run():
        try:
            function()
        except Exception as e:
            failures.append(repr(e))
    t = threading.Thread(target=run)
    t.start()
    return t


def writer(z):
    for _ in range(TIMES):
        z.write(b"x" * PIECE)


def reader(z, i):
    while counts[i] < PIECE * TIMES * 2:
        counts[i] += len(z.read(10000))


def asker(z):
    for _ in range(300):
        z.cipher(), z.version(), z.pending(), z.get_unverified_chain(), z.session, z.getpeercert(True)


threads = [guarded(f) for z, i in ((x, 0), (y, 1)) for f in (lambda z=z: writer(z), lambda z=z: writer(z), lambda z=z, i=i: reader(z, i), lambda z=z: asker(z))]
for t in threads:
    t.join()
assert not failures and counts == [PIECE * TIMES * 2] * 2, (failures, counts)

# The socket is shut down and closed below a reader.
t = guarded(lambda: x.read(1))
a.shutdown(socket.SHUT_RDWR)
t.join()
assert len(failures) == 1, failures
a.close()
for f in (x.do_handshake, lambda: x.read(1), lambda: x.write(b"x"), x.shutdown):
    refused(f, OSError)

# One MemoryBIO at both ends, in several connections and threads.
bio, bio2 = Bio(), Bio()
connections = [client._wrap_bio(bio, bio, False, "localhost") for _ in range(3)] + [server._wrap_bio(bio, bio2, True) for _ in range(3)]


def muddle(z):
    for _ in range(100):
        for f in (z.do_handshake, lambda: z.read(5), lambda: z.write(b"abc"), z.shutdown, lambda: bio.write(bio2.read()), lambda: bio.read(7)):
            refused(f, ssl.SSLError)


failures.clear()
threads = [guarded(lambda z=z: muddle(z)) for z in connections * 2]
for t in threads:
    t.join()
assert not failures, failures

# A buffer that is read into cannot change its size meanwhile; bytes that are no handshake at all.
x, y = pair(client, server)
for junk in (b"", b"\x16", b"\x16\x03\x01\x00\x05\x01", b"\x16\x03\x03\xff\xff" + bytes(70000), os.urandom(3000), b"\x15\x03\x03\x00\x02\x02\x28"):
    i, o = Bio(), Bio()
    z = server._wrap_bio(i, o, True)
    i.write(junk)
    for _ in range(3):
        refused(z.do_handshake, ssl.SSLError)
    refused(lambda: z.read(10), ssl.SSLError)
    refused(z.shutdown, ssl.SSLError)

# A handshake damaged at every place.
x, y = pair(client, server)
i, o = Bio(), Bio()
z = client._wrap_bio(i, o, False, "localhost")
refused(z.do_handshake, ssl.SSLWantReadError)
hello = o.read()
for at in range(0, len(hello), 3):
    i, o = Bio(), Bio()
    y = server._wrap_bio(i, o, True)
    i.write(hello[:at] + bytes([hello[at] ^ 0x55]) + hello[at + 1:])
    refused(y.do_handshake, ssl.SSLError)
    y.shared_ciphers(), y.session, y.version()
    refused(y.getpeercert, ValueError)

# A context whose settings change while other threads shake hands with it.
client, server = contexts()
stop = time.monotonic() + 1
failures.clear()


def handshakes():
    while time.monotonic() < stop:
        x, y = pair(client, server)
        shake(x, y)
        x.write(b"x")
        assert y.read(5) == b"x" and y.shared_ciphers() is not None


def changes():
    turn = 0
    while time.monotonic() < stop:
        turn += 1
        for context in (client, server):
            context.set_ciphers(("ALL", "HIGH", "ECDHE+AESGCM")[turn % 3])
            context.set_alpn_protocols(["a" * (turn % 200 + 1), "b"])
        server.sni_callback = None if turn % 2 else (lambda connection, name, context: context.set_ciphers("ALL"))
        client.load_verify_locations(FOLDER + "pycacert.pem")
        server.load_cert_chain(FOLDER + "keycert3.pem")


threads = [guarded(f) for f in (handshakes, handshakes, changes, changes)]
for t in threads:
    t.join()
assert not failures, failures

# Types that cannot be made or derived from, sizes that make no sense.
for kind in (_ssl._SSLSocket, _ssl.SSLSession, _ssl.Certificate):
    assert refused(kind, TypeError)
    assert refused(lambda: object.__new__(kind), TypeError)
assert refused(lambda: type("Derived", (Bio,), {}), TypeError)
raw = ssl._SSLContext.__new__
assert refused(lambda: raw(ssl._SSLContext), TypeError)
assert refused(lambda: raw(object, 2), TypeError)
assert refused(lambda: x.read(-1), ValueError)
assert refused(lambda: x.read(2 ** 70), OverflowError)
assert refused(lambda: x.read(2 ** 62), ssl.SSLWantReadError)
assert Bio().read(2 ** 30) == b""
print("OK")
