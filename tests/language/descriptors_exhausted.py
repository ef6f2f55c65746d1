# No file descriptor is left: what fails, with which words, and that everything works again afterwards.
import asyncio
import importlib
import os
import re
import resource
import select
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
library = os.path.dirname(os.__file__)


def attempt(name, f):
    try:
        print(name, f())
    except BaseException as e:
        print(name, type(e).__name__, str(e).replace(library, "LIB").replace(os.getcwd(), "CWD"))


def in_thread():
    seen = []
    t = threading.Thread(target=seen.append, args=(1,))
    t.start()
    t.join()
    return seen


def ignored(unraisable):
    print("ignored:", unraisable.exc_type.__name__, unraisable.exc_value)


sys.unraisablehook = ignored
held = []
try:
    while True:
        held.append(open("/dev/null"))
except OSError as e:
    print(type(e).__name__, e, len(held) > 20)
attempt("import", lambda: importlib.import_module("colorsys"))
attempt("socket", socket.socket)
attempt("subprocess", lambda: subprocess.run(["true"]))
attempt("pipe", os.pipe)
attempt("temporary file", tempfile.TemporaryFile)
attempt("listdir", lambda: os.listdir("/"))
attempt("scandir", lambda: list(os.scandir("/")))
attempt("walk", lambda: list(os.walk("/etc")))
attempt("event loop", asyncio.new_event_loop)
attempt("epoll", select.epoll)
attempt("thread", in_thread)
attempt("urandom", lambda: len(os.urandom(4)))
attempt("dup", lambda: os.dup(1))
try:
    1 / 0
except ZeroDivisionError:
    text = traceback.format_exc()
    print(re.sub(r'".*/', '"', text))
held.clear()
attempt("again", lambda: importlib.import_module("colorsys").__name__)
attempt("again", lambda: subprocess.run(["true"]).returncode)
