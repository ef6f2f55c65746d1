"""What a profile-guided build trains on besides the benchmark programs: compiling and importing the library, a short run of each kind of service."""
import ast
import collections
import concurrent.futures
import copy
import datetime
import decimal
import difflib
import dis
import enum
import fractions
import glob
import io
import marshal
import os
import pickle
import re
import struct
import subprocess
import sys
import tempfile
import threading
import tokenize
import traceback
import typing
import unittest
import weakref

LIBRARY = os.path.dirname(os.__file__)


def compile_library():
    for path in sorted(glob.glob(os.path.join(LIBRARY, "[a-i]*.py")))[::3]:
        with open(path, "rb") as f:
            source = f.read()
        code = compile(source, path, "exec")
        marshal.loads(marshal.dumps(code))
    with open(os.path.join(LIBRARY, "textwrap.py"), "rb") as f:
        for _ in tokenize.tokenize(f.readline):
            pass
    tree = ast.parse(open(os.path.join(LIBRARY, "heapq.py")).read())
    ast.unparse(tree)
    dis.dis(compile_library, file=io.StringIO())


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Sum(unittest.TestCase):
    def test_sum(self):
        for i in range(200):
            with self.subTest(i=i):
                self.assertEqual(sum([i, 1]), i + 1)

    def test_raises(self):
        with self.assertRaises(ValueError):
            int("x")


def services():
    unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(Sum))
    for i in range(300):
        datetime.datetime(2026, 1, 1) + datetime.timedelta(days=i)
        decimal.Decimal(i) / 7
        fractions.Fraction(i, 7) + 1
        Colour(1 + i % 2).name
        struct.unpack("<iHd", struct.pack("<iHd", i, i, i / 3))
        pickle.loads(pickle.dumps({"a": [i, (i, str(i))]}))
        copy.copy([i])
        weakref.ref(Sum)
    list(difflib.unified_diff([str(i) for i in range(200)], [str(i * 2) for i in range(200)]))
    try:
        raise KeyError("x")
    except KeyError:
        traceback.format_exc()
    with tempfile.TemporaryDirectory() as folder:
        for i in range(20):
            with open(os.path.join(folder, "f%d" % i), "w") as f:
                f.write("line\n" * 50)
            with open(os.path.join(folder, "f%d" % i)) as f:
                collections.Counter(f.read().split())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(len, [str(i) for i in range(200)]))
    lock = threading.Lock()
    for _ in range(1000):
        with lock:
            pass
    typing.get_type_hints(compile_library)
    re.compile("|".join("word%d" % i for i in range(50))).search("word49")


compile_library()
services()
for code in ("pass", "import asyncio, dataclasses, json, re, typing, argparse, logging"):
    subprocess.run([sys.executable, "-c", code], check=True)
