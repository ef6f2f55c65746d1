"""pytest: a small suite with fixtures, parameters, marks, failures and captured output; its report without the times."""
import os
import re
import subprocess
import sys

FILES = {
    "conftest.py": '''
import pytest

@pytest.fixture(scope="session")
def numbers():
    yield [1, 2, 3]
    print("session teardown")

@pytest.fixture(params=["a", "b"], ids=lambda p: "letter-" + p)
def letter(request):
    return request.param

@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store.txt"
    path.write_text("content")
    return path

def pytest_addoption(parser):
    parser.addoption("--shout", action="store_true")

def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: "last" in item.keywords)

def pytest_assertrepr_compare(op, left, right):
    if type(left).__name__ == type(right).__name__ == "Money" and op == "==":
        return ["money differs:", "   %s != %s" % (left.amount, right.amount)]
''',
    "pytest.ini": "[pytest]\nmarkers =\n    last: runs last\n    slow: takes long\nfilterwarnings =\n    default\n",
    "test_passing.py": '''
"""Doc with an example.

>>> 1 + 1
2
>>> print("x")
y
"""
import pytest

class TestClass:
    value = 0

    @pytest.fixture(autouse=True)
    def prepare(self):
        self.value = 5

    def setup_method(self, method):
        print("setup", method.__name__)

    def test_value(self, numbers):
        assert self.value + sum(numbers) == 11

    @pytest.mark.parametrize("x, y", [(1, 2), pytest.param(3, 4, id="named"), pytest.param(5, 5, marks=pytest.mark.xfail)])
    @pytest.mark.parametrize("z", [True, None])
    def test_parameters(self, x, y, z):
        assert x != y

def test_letter(letter, store):
    assert letter in "ab" and store.read_text() == "content"

def test_raises():
    with pytest.raises(ValueError, match=r"invalid literal .*'x'") as info:
        int("x")
    assert info.type is ValueError
    with pytest.raises(ExceptionGroup):
        raise ExceptionGroup("g", [ValueError(1)])

@pytest.mark.last
def test_last(capsys, monkeypatch, caplog, recwarn):
    import logging, os, warnings
    print("hello")
    assert capsys.readouterr().out == "hello\\n"
    monkeypatch.setenv("X", "1")
    assert os.environ["X"] == "1"
    logging.getLogger("l").warning("warned %d", 3)
    assert caplog.record_tuples == [("l", 30, "warned 3")]
    warnings.warn("w", UserWarning)
    assert len(recwarn) == 1
    assert 0.1 + 0.2 == pytest.approx(0.3)

@pytest.mark.skip(reason="not today")
def test_skipped(): pass

@pytest.mark.skipif("sys.version_info > (3,)")
def test_skipped_too(): pass

@pytest.mark.xfail(strict=True)
def test_unexpected_pass(): pass

def test_inside():
    pytest.skip("skips itself")
''',
    "test_failing.py": '''
import collections, dataclasses, logging, sys, warnings
import pytest

@dataclasses.dataclass
class Point:
    x: int
    y: list

class Money:
    def __init__(self, amount): self.amount = amount

def test_compare_lists(): assert [1, 2, 3, {"a": 1}] == [1, 2, 4, {"a": 2}]
def test_compare_dicts(): assert {"a": 1, "b": [1, 2], "c": 3} == {"a": 1, "b": [1, 3], "d": 4}
def test_compare_sets(): assert {1, 2, 3} == {2, 3, 4}
def test_compare_text(): assert "one\\ntwo\\nthree" == "one\\n2\\nthree"
def test_compare_points(): assert Point(1, [1, 2]) == Point(1, [1, 3])
def test_money(): assert Money(1) == Money(2)
def test_in(): assert 5 in range(3), "with a message"
def test_calls():
    def f(a, b=2): return a * b
    values = {"k": 3}
    assert f(values["k"], b=4) + len("abc") > 2 ** 5 and not False
def test_boolean():
    x = None
    assert x is not None or (x and x.y) or [i for i in range(3) if i > 5]
def test_approx(): assert [0.1, 0.25] == pytest.approx([0.1, 0.26])
def test_not_raised():
    with pytest.raises(KeyError): pass
def test_wrong_match():
    with pytest.raises(ValueError, match="abc"): raise ValueError("xyz")
def test_chain():
    try: {}["missing"]
    except KeyError as e: raise RuntimeError("wrapped") from e
def test_group():
    raise ExceptionGroup("several", [ValueError("v"), ExceptionGroup("inner", [TypeError("t")])])
def deep(n): return deep(n - 1) if n else 1 // 0
def test_deep(): deep(3)
def test_recursion():
    def f(x): return f(x + 1)
    with pytest.raises(RecursionError): f(0)
def test_output(capfd):
    print("to stdout"); print("to stderr", file=sys.stderr); logging.warning("logged")
    assert False
def test_output_kept():
    print("kept"); logging.getLogger("x").error("an error"); warnings.warn(DeprecationWarning("old"))
    pytest.fail("gave up")
@pytest.fixture
def broken(): raise OSError(2, "gone")
def test_error(broken): pass
def test_unknown(nosuch): pass
@pytest.fixture
def late():
    yield
    assert 1 == 2
def test_teardown(late): pass
@pytest.mark.xfail(raises=ZeroDivisionError)
def test_xfail(): 1 / 0
def test_subtle():
    items = collections.OrderedDict(a=1)
    assert all(v == 1 for v in items.values()) == (items != {"a": 1}), f"{items!r}"
def test_exit(): sys.exit(3)
''',
    "test_broken.py": "def test_x(:\n    pass\n",
    "test_unit.py": '''
import asyncio, unittest

class Case(unittest.TestCase):
    def setUp(self): self.x = 1
    def test_ok(self): self.assertEqual(self.x, 1)
    def test_fails(self): self.assertIn(self.x, [2, 3])
    @unittest.skip("no")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i): self.assertNotEqual(i, 1)

class Async(unittest.IsolatedAsyncioTestCase):
    async def test_await(self):
        await asyncio.sleep(0)
        self.assertTrue(True)
''',
}


def run(*args):
    print("$ pytest", *args, flush=True)
    env = dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", COLUMNS="100")
    p = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp=tmp", *args], capture_output=True, text=True, env=env)
    text = p.stdout + p.stderr
    text = re.sub(r" in \d+\.\d\ds( \([\d:]+\))?", " in TIME", text)
    text = re.sub(r"={3,}( .* in TIME) =+", r"===\1 ===", text)
    print(re.sub(r"0x[0-9a-f]{6,}", "0x...", text))
    print("exit", p.returncode, flush=True)


def main():
    for name, text in FILES.items():
        with open(name, "w", encoding="utf-8") as f:
            f.write(text)
    run("--version")
    run("test_passing.py", "-v", "--doctest-modules", "-rA")
    run("test_failing.py", "-ra", "-l")
    run("test_failing.py", "-q", "--tb=short", "-k", "compare or chain", "-vv")
    run("--co", "-q")
    run("test_passing.py", "test_unit.py", "--tb=line", "-x", "--maxfail=2", "--junitxml=out.xml")
    run("--fixtures", "test_passing.py", "-q")
    run("test_unit.py", "--tb=native", "-s", "-m", "not slow")
    with open("out.xml") as f:
        print(re.sub(r'(time|timestamp|hostname)="[^"]*"', r'\1=""', f.read()))


main()
