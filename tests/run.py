"""Runs the suites and closes with one line, "N passed, N failed, N skipped".

    tests/run [--python PATH] [--suites NAME,NAME] [--classes N,N] [--shard I/N] [--memory MB] [--timeout-factor N] [--excuse LEDGER]

language      tests/language/*.py under Taipan and CPython 3.13: the same output and exit status
frontend      tests/frontend/exact.py: tokens, trees, code objects and .pyc files equal CPython's, over whole libraries
robustness    tests/robustness/*.py: bad input; each program checks itself and ends with "OK"
acceptance    tests/acceptance: programs with CPython's output; known failures in tests/acceptance/known_failures.tsv
conformance   CPython's own test modules of classes 1 to 3, against tests/conformance/ledger.tsv
ecosystem     tests/ecosystem/*.py: unmodified third-party programs, output compared with CPython 3.13's
"""
import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
REFERENCE = os.path.join(ROOT, "deps", "debian13", "usr", "bin", "python3.13")
SUITES = ["language", "frontend", "robustness", "ecosystem", "acceptance", "conformance"]


def run(python, args, timeout, cwd=None, **extra):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1", NO_COLOR="1", COLUMNS="80", PYTHON_COLORS="0", **extra)
    try:
        p = subprocess.run([python] + args, capture_output=True, timeout=timeout, cwd=cwd, env=env, stdin=subprocess.DEVNULL)
        return p.returncode, p.stdout, p.stderr
    except subprocess.TimeoutExpired as e:
        return "timeout", e.stdout or b"", e.stderr or b""


def known(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        return dict((line.rstrip("\n").split("\t", 1) + [""])[:2] for line in f if line.strip() and not line.startswith("#"))


def paired(a, suite, args_of, timeout=120, **extra):
    """Each program of a folder under both interpreters, in fresh directories: same status, same output (addresses aside)."""
    programs = sorted(glob.glob(os.path.join(HERE, suite, "*.py")))
    excused = known(os.path.join(HERE, suite, "known_failures.tsv"))

    def one(program):
        results = []
        for python in (REFERENCE, a.python):
            with tempfile.TemporaryDirectory() as folder:
                status, out, err = run(python, args_of(program), timeout * a.timeout_factor, folder, **extra)
                text = out + b"\n--- stderr\n" + err
                text = text.replace(python.encode(), b"<PYTHON>").replace(folder.encode(), b"<CWD>")
                results.append((status, re.sub(rb"0x[0-9a-f]{6,}", b"0x...", text)))
        return program, results

    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(a.j) as pool:
        for program, (want, got) in pool.map(one, programs):
            name = os.path.basename(program)[:-3]
            if want == got:
                passed += 1
            elif name in excused:
                skipped += 1
            else:
                failed += 1
                print("FAIL %s/%s: status %s, expected %s" % (suite, name, got[0], want[0]))
                import difflib
                diff = difflib.unified_diff(want[1].decode("utf-8", "replace").splitlines(), got[1].decode("utf-8", "replace").splitlines(),
                                            "CPython", "Taipan", lineterm="", n=1)
                print("\n".join("    " + line[:160] for line in list(diff)[:16]))
    return passed, failed, skipped


def robustness(a):
    passed = failed = 0
    programs = sorted(glob.glob(os.path.join(HERE, "robustness", "*.py")))
    with concurrent.futures.ThreadPoolExecutor(a.j) as pool:
        for program, (status, out, err) in zip(programs, pool.map(lambda p: run(a.python, [p, a.python], 300 * a.timeout_factor), programs)):
            if status == 0 and out.rstrip().endswith(b"OK"):
                passed += 1
            else:
                failed += 1
                print("FAIL robustness/%s: status %s" % (os.path.basename(program), status))
                print("\n".join("    " + line[:160] for line in (out + err).decode("utf-8", "replace").splitlines()[-6:]))
    return passed, failed, 0


def closing_line(text):
    found = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", text, re.M)
    return tuple(int(x or 0) for x in found[-1]) if found else (0, 1, 0)


def acceptance(a):
    def programs(*more):
        p = subprocess.run([REFERENCE, os.path.join(HERE, "acceptance", "run.py"), "--python", a.python, "--needs", "none,threads,http",
                            "--timeout", str(60 * a.timeout_factor), *more], capture_output=True, text=True)
        return p.stdout, set(re.findall(r"^(?:FAIL|fail|FAILED|TIMEOUT|timeout)\S*\s+([^\s:]+)", p.stdout, re.M))

    text, failing = programs("-j", str(a.j))
    excused = failing & {name for ledger in ("known_failures.tsv", *(["slow_builds.tsv"] if a.timeout_factor > 1 else []))
                         for name in known(os.path.join(HERE, "acceptance", ledger))}
    # Some programs print what took longer: one that fails on a busy machine gets a second chance, alone.
    again = {name for name in sorted(failing - excused)[:8] if not programs("--only", name)[1]}
    passed, failed, skipped = closing_line(text)
    if failing - excused - again or failed > len(failing):
        print(text[-6000:])
    return passed + len(again), failed - len(excused) - len(again), skipped + len(excused)


def frontend(a):
    p = subprocess.run([REFERENCE, os.path.join(HERE, "frontend", "exact.py"), "--python", a.python, "-j", str(a.j)], stdout=subprocess.PIPE, text=True)
    print(p.stdout[-6000:], end="")
    return closing_line(p.stdout)


def conformance(a):
    command = [REFERENCE, os.path.join(HERE, "conformance", "conform.py"), "--python", a.python, "--classes", a.classes, "--shard", a.shard, "--excuse", a.excuse,
               "--ledger", os.path.join(HERE, "conformance", "ledger.tsv"), "-j", str(a.j), "--timeout", str(300 * a.timeout_factor)]
    if a.memory is not None:
        command += ["--memory", str(a.memory)]
    p = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    print(p.stdout[-8000:], end="")
    return closing_line(p.stdout)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--python", default=os.path.join(ROOT, "build", "taipan"))
    ap.add_argument("--suites", default=",".join(SUITES))
    ap.add_argument("--memory", type=int)
    ap.add_argument("--classes", default="1,2,3", help="of CPython's test modules")
    ap.add_argument("--shard", default="0/1", help="I/N: every N-th module of CPython's tests, from the I-th")
    ap.add_argument("--excuse", default="", help="a ledger of this build alone")
    ap.add_argument("--timeout-factor", type=float, default=1)
    ap.add_argument("-j", type=int, default=os.cpu_count())
    a = ap.parse_args()
    a.python = os.path.abspath(a.python)
    suites = {"language": lambda: paired(a, "language", lambda p: [p]),
              "ecosystem": lambda: paired(a, "ecosystem", lambda p: [p], 300, PYTHONHASHSEED="0", PYTHONNOUSERSITE="1"),
              "frontend": lambda: frontend(a), "robustness": lambda: robustness(a), "acceptance": lambda: acceptance(a), "conformance": lambda: conformance(a)}
    total = [0, 0, 0]
    for name in a.suites.split(","):
        result = suites[name]()
        print("%-12s %d passed, %d failed, %d skipped (suite)" % ((name,) + tuple(result)), flush=True)
        total = [x + y for x, y in zip(total, result)]
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
