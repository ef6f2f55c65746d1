"""Are the .pyc files of `python -m py_compile FILE`, each in a fresh process, byte for byte CPython's?

    pyc.py --python PY [--step N] [--offset K] [--only SUBSTR] [--kinds timestamp,checked,unchecked,-O,-OO] [--keep DIR] [--summary]

Prints `KIND<TAB>FILE<TAB>same|different at BYTE (SIZES)` for every N-th file of the standard library. Each interpreter also loads what
the other wrote. marshal tells what is shared by reference counts and by what the process had interned, so all of it has to agree.
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEPS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "deps", "debian13", "usr")
REFERENCE = os.path.join(DEPS, "bin", "python3.13")
STDLIB = os.path.join(DEPS, "lib", "python3.13")
LOADS = """import marshal, sys
for path in sys.argv[1:]:
    with open(path, 'rb') as f:
        data = f.read()
    code = marshal.loads(data[16:])
    assert type(code) is type(compile('', '', 'exec')) and len(code.co_code) and list(code.co_lines()), path
"""


OPTIMIZED = {"-O": ".opt-1", "-OO": ".opt-2"}


def environment(prefix, kind):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON") and k != "SOURCE_DATE_EPOCH"}
    env.update(PYTHONPYCACHEPREFIX=prefix, LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1")
    if kind == "checked":
        env["SOURCE_DATE_EPOCH"] = "1"
    return env


def compiled(python, prefix, path, kind):
    """The file that one interpreter writes, or what it says instead."""
    command = [python, "-m", "py_compile", path]
    if kind == "unchecked":
        command = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", path]
    elif kind in OPTIMIZED:
        command = [python, kind, "-m", "py_compile", path]
    p = subprocess.run(command, env=environment(prefix, kind), capture_output=True)
    stem, name = os.path.split(path)
    target = os.path.join(prefix + stem, name[:-3] + ".cpython-313%s.pyc" % OPTIMIZED.get(kind, ""))
    if not os.path.exists(target):
        return None, p.stdout + p.stderr.replace(python.encode(), b"PYTHON")
    with open(target, "rb") as f:
        return target, f.read()


def difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return "different at %d (%d, %d bytes): %r %r" % (at, len(a), len(b), a[max(0, at - 16):at + 16], b[max(0, at - 16):at + 16])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--python", required=True)
    p.add_argument("--step", type=int, default=1)
    p.add_argument("--offset", type=int, default=0)
    p.add_argument("--only", default="")
    p.add_argument("--kinds", default="timestamp,checked,unchecked,-O,-OO")
    p.add_argument("--keep")
    p.add_argument("--summary", action="store_true", help="only what differs, and counts")
    a = p.parse_args()
    a.python = os.path.abspath(a.python)
    rels = []
    for root, dirs, files in os.walk(STDLIB):
        dirs[:] = [d for d in dirs if d != "__pycache__"]
        rels += [os.path.relpath(os.path.join(root, f), STDLIB) for f in files if f.endswith(".py")]
    rels = sorted(r for r in rels if a.only in r)[a.offset::a.step]
    same = total = files = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = a.keep or folder
        for rel in rels:
            path, written = os.path.join(STDLIB, rel), [[], []]
            for kind in a.kinds.split(","):
                pairs = [compiled(python, os.path.join(folder, name + kind), path, kind)
                         for name, python in (("reference", REFERENCE), ("taipan", a.python))]
                total += 1
                equal = pairs[0][1] == pairs[1][1]
                same += equal
                files += pairs[0][0] is not None
                if not a.summary or not equal:
                    print("%s\t%s\t%s" % (kind, rel, "same" if equal else difference(pairs[0][1], pairs[1][1])), flush=True)
                for target, list_ in zip(pairs, written):
                    list_ += [target[0]] if target[0] else []
            for python, targets in ((a.python, written[0]), (REFERENCE, written[1])):
                if targets:
                    p = subprocess.run([python, "-I", "-c", LOADS, *targets], capture_output=True, text=True)
                    if p.returncode:
                        print("load\t%s\t%s" % (rel, p.stderr.strip().splitlines()[-1:] or p.returncode), flush=True)
    if a.summary:
        print("%d of %d are the same, %d of them files, the others refusals" % (same, total, files))


if __name__ == "__main__":
    main()
