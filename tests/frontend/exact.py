"""The front end against CPython 3.13.5's, over whole libraries; closes with "N passed, N failed, N skipped".

    exact.py --python PY [-j N] [--quick] [--seed N]

stdlib    tokens, trees and code objects of every file of the standard library and its tests, against digests-3.13.5.tsv
packages  the same of the third-party packages below deps, digests taken from the reference in the same run
modes     other modes, flags and optimisation levels, damaged text, warnings, symbol tables, marshal (modes.py), a sample
mutants   texts broken at random: errors with their places and pictures, warnings (mutants.py makes more)
pyc       `python -m py_compile` in fresh processes: byte for byte the same files, a sample (pyc.py measures all)

The samples of files are others each day; --seed brings back the one of a day (its number is in the output).
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DEPS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "deps", "debian13", "usr")
REFERENCE = os.path.join(DEPS, "bin", "python3.13")
STDLIB = os.path.join(DEPS, "lib", "python3.13")
PACKAGES = os.path.join(DEPS, "lib", "python3", "dist-packages")
SHARDS = 8


def rows(python, script, *args):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    p = subprocess.run([python, os.path.join(HERE, script), *args], capture_output=True, text=True, env=env)
    found = dict(line.rsplit("\t", 1) for line in p.stdout.splitlines() if "\t" in line)
    if p.returncode:
        found["status %s of %s %s" % (p.returncode, script, " ".join(args))] = p.stderr[-500:]
    return found


def compare(name, want, got, hint):
    bad = sorted(key for key in want.keys() | got.keys() if want.get(key) != got.get(key))
    for key in bad[:10]:
        print("FAIL %s: %s %s" % (name, key.replace("\t", ":"), got[key] if key.startswith("status") and key in got else ""))
    if bad:
        print("    %d differ; see: %s" % (len(bad), hint))
    return len(want.keys() | got.keys()) - len(bad), len(bad)


def golden(shard):
    with open(os.path.join(HERE, "digests-3.13.5.tsv"), encoding="utf-8") as f:
        wanted = dict(line.rstrip("\n").rsplit("\t", 1) for line in f)
    rels = sorted({key.split("\t")[1] for key in wanted})
    mine = set(rels[shard::SHARDS])
    return {key: value for key, value in wanted.items() if key.split("\t")[1] in mine}


def stdlib(a, shard):
    got = rows(a.python, "digest.py", STDLIB, "--shard", "%d/%d" % (shard, SHARDS))
    return compare("stdlib", golden(shard), got, "digest.py %s --dump KIND:FILE" % STDLIB)


def packages(a, shard):
    args = ("digest.py", PACKAGES, "--shard", "%d/%d" % (shard, SHARDS * 4 if a.quick else SHARDS))
    return compare("packages", rows(REFERENCE, *args), rows(a.python, *args), "digest.py %s --dump KIND:FILE" % PACKAGES)


def sample(a, shard, step):
    """Arguments for every step-th file, shifted by the seed; the shards lie evenly between."""
    return "--step", str(step), "--offset", str((a.seed * 7 + shard * (step // SHARDS)) % step)


def modes(a, shard):
    args = ("modes.py", STDLIB, *sample(a, shard, 640 if a.quick else 320))
    return compare("modes", rows(REFERENCE, *args), rows(a.python, *args), "modes.py %s --dump VARIANT:FILE" % STDLIB)


def mutants(a, shard):
    args = ("--judge", str(313 + shard), "200" if a.quick else "1000")        # always the same: mutants.py --seed makes others
    return compare("mutants", rows(REFERENCE, "mutants.py", *args), rows(a.python, "mutants.py", *args), "mutants.py " + " ".join(args))


def pyc(a, shard):
    args = ("pyc.py", "--python", a.python, *sample(a, shard, 480 if a.quick else 160))
    got = rows(sys.executable, *args)
    return compare("pyc", {key: "same" for key in got}, got, "pyc.py --python PY --only FILE")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--python", required=True)
    p.add_argument("-j", type=int, default=os.cpu_count())
    p.add_argument("--quick", action="store_true", help="smaller samples")
    p.add_argument("--seed", type=int, default=int(time.time() // 86400))
    a = p.parse_args()
    a.python = os.path.abspath(a.python)
    print("seed", a.seed)
    suites = (stdlib, packages, modes, mutants, pyc)
    with concurrent.futures.ThreadPoolExecutor(a.j) as pool:
        jobs = {suite: [pool.submit(suite, a, shard) for shard in range(SHARDS)] for suite in suites}
        passed = failed = 0
        for suite, parts in jobs.items():
            good, bad = (sum(n) for n in zip(*(part.result() for part in parts)))
            print("%-9s %d passed, %d failed" % (suite.__name__, good, bad), flush=True)
            passed, failed = passed + good, failed + bad
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
