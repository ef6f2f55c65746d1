#!/usr/bin/env python3
"""Run CPython 3.13's own test modules under an interpreter and compare the results, method by method, with a reference.

    conform.py --python PY [--classes 1,2,3] [--modules GLOB,GLOB] [-j N] [--timeout S] [--memory MB]
               [--ledger ledger.tsv [--record]] [--excuse ledger.tsv] [--shard I/N] [--out results.tsv]

Each module runs in a process and a temporary directory of its own, with a time and an address-space limit, without the
resources that regrtest's -u would grant. Results are written method by method as they happen, so a crash loses only the
methods that had not run. Lines: MODULE<TAB>METHOD<TAB>pass|fail|error|skip|xfail|crash|timeout<TAB>detail.
`modules.tsv` holds the module list: class (1 core language, 2 built-in types, 3 pure-Python standard library,
4 standard library that needs native modules, 5 implementation only, GUI, other systems) and name.
Only methods that pass under CPython 3.13.5 (reference-3.13.5.tsv.gz) count. The ledger names each of them that does not pass
yet, with the reason: MODULE<TAB>METHOD<TAB>reason. A method that is in the ledger counts as skipped, one that newly fails as
failed; one that newly passes is reported, and --record takes it out. A module that crashes or hangs
has a line for "*", which excuses whatever fails in it. --record rewrites the ledger from what happened; new
lines get what the run saw as their reason. The closing line is "N passed, N failed, N skipped".
"""
import argparse
import concurrent.futures
import fnmatch
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def child(name, path):
    import faulthandler
    import unittest
    from test import support
    faulthandler.enable()
    support.use_resources = []
    support.verbose = 0
    out = open(path, "w", encoding="utf-8", errors="backslashreplace", buffering=1)

    def identity(test):
        if callable(getattr(test, "id", None)):
            return test.id()
        return unittest.TestCase.id(test) if isinstance(test, unittest.TestCase) else str(test)    # an "id" of the test's own

    def emit(test, status, detail=""):
        text = identity(test)
        detail = detail.strip().splitlines()[-1][:200] if detail.strip() else ""
        out.write("%s\t%s\t%s\t%s\n" % (name, text.replace("\t", " ").replace("\n", " ")[:300], status, detail.replace("\t", " ")))

    class Result(unittest.TestResult):
        bad = None

        def startTest(self, test):
            super().startTest(test)
            self.bad = None
            out.write("%s\t%s\tstart\t\n" % (name, identity(test).replace("\t", " ").replace("\n", " ")[:300]))

        def addSuccess(self, test):
            if self.bad is None:
                emit(test, "pass")

        def addFailure(self, test, err):
            self.bad = True
            emit(test, "fail", self._exc_info_to_string(err, test))

        def addError(self, test, err):
            self.bad = True
            emit(test, "error", self._exc_info_to_string(err, test))

        def addSkip(self, test, reason):
            self.bad = True
            emit(test, "skip", reason)

        def addExpectedFailure(self, test, err):
            emit(test, "xfail")

        def addUnexpectedSuccess(self, test):
            emit(test, "fail", "unexpected success")

        def addSubTest(self, test, subtest, err):
            if err is not None and not self.bad:
                self.bad = True
                emit(test, "fail", "%s: %s" % (subtest._subDescription(), self._exc_info_to_string(err, test).strip().splitlines()[-1]))

    try:
        suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
    except unittest.SkipTest as e:
        out.write("%s\t*\tskip\t%s\n" % (name, e))
        return
    suite.run(Result())
    out.write("%s\t*\tdone\t\n" % name)


def run_one(a, name):
    fd, path = tempfile.mkstemp(prefix="conform-")
    os.close(fd)
    work = tempfile.mkdtemp(prefix="conform-")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(TMPDIR=work, HOME=work)

    def limits():
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if a.memory:
            resource.setrlimit(resource.RLIMIT_AS, (a.memory << 20,) * 2)
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    start = time.monotonic()
    with tempfile.TemporaryFile() as log:
        p = subprocess.Popen([a.python, os.path.abspath(__file__), "--child", name, path], stdin=subprocess.DEVNULL, stdout=log,
                             stderr=subprocess.STDOUT, cwd=work, env=env, preexec_fn=limits)
        try:
            code, late = p.wait(a.timeout), False
        except subprocess.TimeoutExpired:
            code, late = None, True
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        p.wait()
        log.seek(0)
        tail = log.read().decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
    rows, open_test, done = [], None, False
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            row = line.rstrip("\n").split("\t")
            if len(row) < 4:
                continue
            if row[2] == "start":
                open_test = row[1]
            elif row[2] == "done":
                done = True
            else:
                rows.append(row)
                open_test = None
    if not done and not (rows and rows[-1][1] == "*" and rows[-1][2] == "skip"):
        why = "timeout" if late else "crash"
        rows.append([name, open_test or "*", why, "exit %s: %s" % (code, tail[0][:160].replace("\t", " "))])
    os.unlink(path)
    subprocess.run(["rm", "-rf", work])
    return name, rows, time.monotonic() - start


def read_reference():
    import gzip
    wanted = {}
    with gzip.open(os.path.join(HERE, "reference-3.13.5.tsv.gz"), "rt") as f:
        for line in f:
            row = line.rstrip("\n").split("\t")
            if row[2] == "pass":
                wanted.setdefault(row[0], set()).add(row[1])
    return wanted


def read_ledger(path):
    ledger = {}
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line.strip() and not line.startswith("#"):
                    module, method, reason = (line.rstrip("\n").split("\t") + ["", ""])[:3]
                    ledger.setdefault(module, {})[method] = reason
    return ledger


def write_ledger(path, ledger):
    with open(path, "w", encoding="utf-8") as f:
        f.write("# Methods of CPython's test modules that pass under CPython 3.13.5 and not yet here: module, method, reason.\n"
                "# Written by conform.py --record; a line is taken out when its method passes.\n")
        for module in sorted(ledger):
            for method in sorted(ledger[module]):
                f.write("%s\t%s\t%s\n" % (module, method, ledger[module][method]))


def judge(rows, need):
    """(passed, {method: reason}) of the methods that count."""
    failed = {r[1]: r for r in rows if r[2] in ("fail", "error", "crash", "timeout")}
    passed = ({r[1] for r in rows if r[2] == "pass"} - set(failed)) & need
    stop = next((r for r in rows if r[2] in ("crash", "timeout")), None)
    reasons = {}
    for method in need - passed:
        row = failed.get(method) or next((r for r in rows if r[1] == method), None) or stop or failed.get("*")
        text = "not run" if row is None else "%s: %s" % (row[2], row[3])
        if row is not None and row[1] != method:
            text = "not run, " + text
        reasons[method] = text[:120]
    return passed, reasons


def main():
    if sys.argv[1:2] == ["--child"]:
        return child(sys.argv[2], sys.argv[3])
    ap = argparse.ArgumentParser()
    ap.add_argument("--python", required=True)
    ap.add_argument("--classes", default="1,2,3,4")
    ap.add_argument("--modules", default="*")
    ap.add_argument("-j", type=int, default=os.cpu_count())
    ap.add_argument("--timeout", type=float, default=300)
    ap.add_argument("--memory", type=int, default=8192, help="address space a process may use, MB (0: no limit)")
    ap.add_argument("--ledger")
    ap.add_argument("--excuse", default="", help="a second ledger, of this build alone; --record does not write it")
    ap.add_argument("--record", action="store_true")
    ap.add_argument("--shard", default="0/1", help="I/N: every N-th module, from the I-th")
    ap.add_argument("--out")
    a = ap.parse_args()
    a.python = os.path.abspath(a.python)
    with open(os.path.join(HERE, "modules.tsv")) as f:
        listed = [line.split() for line in f if line.strip()]
    globs = a.modules.split(",")
    names = [n for c, n in listed if c in a.classes.split(",") and any(fnmatch.fnmatch(n, g) for g in globs)]
    index, count = (int(x) for x in a.shard.split("/"))
    names = names[index::count]
    if not names:
        sys.exit("no module selected")
    wanted, ledger = read_reference(), read_ledger(a.ledger)
    for name, methods in read_ledger(a.excuse).items() if not a.record else ():
        ledger[name] = dict(methods, **ledger.get(name, {}))
    out = open(a.out, "w", encoding="utf-8") if a.out else None
    good = bad = known = 0
    crashed = []
    with concurrent.futures.ThreadPoolExecutor(a.j) as pool:
        for name, rows, took in pool.map(lambda n: run_one(a, n), names):
            need = wanted.get(name, set())
            passed, reasons = judge(rows, need)
            old = ledger.get(name, {})
            if "*" in old:                                       # a module that crashes, at varying places
                old = dict.fromkeys(need, old["*"])
            if not a.record and set(reasons) - set(old):         # once more, alone: is it real?
                _, again, _ = run_one(a, name)
                passed_again, reasons_again = judge(again, need)
                passed |= passed_again
                reasons = {m: r for m, r in reasons.items() if m in reasons_again}
                rows = again
            if out:
                for row in rows:
                    out.write("\t".join(row) + "\n")
                out.flush()
            stops = [r for r in rows if r[2] in ("crash", "timeout")]
            crashed += ["%s %s %s" % (r[2], name, r[1]) for r in stops]
            new = sorted(set(reasons) - set(old))
            fixed = sorted(set(ledger.get(name, {})) & passed)
            good += len(passed)
            known += len(set(reasons) & set(old))
            bad += len(new)
            if a.record and stops:
                ledger[name] = dict(reasons, **{"*": "%s in %s; what fails varies" % (stops[0][2], stops[0][1].split("test.", 1)[-1])})
            elif a.record:
                ledger[name] = {m: (old.get(m) or r) if not r.startswith(("crash", "timeout", "not run")) else r for m, r in reasons.items()}
            if new or fixed or stops:
                print("%-30s %4d passed %4d known %4d new %4d fixed %6.1f s%s%s" % (
                    name, len(passed), len(set(reasons) & set(old)), len(new), len(fixed), took,
                    "  new: %s (%s)" % (new[0].split("test.", 1)[-1], reasons[new[0]]) if new else "",
                    "  %s: %s" % (stops[0][2].upper(), stops[0][1]) if stops else ""), flush=True)
    if a.record and a.ledger:
        write_ledger(a.ledger, ledger)
    print("%d modules crashed or timed out%s" % (len(crashed), ": " + "; ".join(crashed[:20]) if crashed else ""))
    print("%d passed, %d failed, %d skipped" % (good, bad, known))
    return 1 if bad and not a.record else 0


if __name__ == "__main__":
    sys.exit(main())
