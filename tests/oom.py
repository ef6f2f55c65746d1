#!/usr/bin/env python3
"""Run programs without memory: the N-th allocation fails, for every N.

    oom.py --python PY [--only GLOB] [--budget S] [--start-up] [-v] [-j N]

The programs are the functions of oom_programs.py. Each runs, in one process, with its first allocation failing, then with its
second, and so on until it needs no more; then the same with all allocations failing from the N-th on. Right is a MemoryError, or
success where the failure could be coped with. Wrong are a crash, a fatal error, any other exception, and a structure that is
damaged afterwards (the program gives another result when it has memory again). A build with assertions, or better one with
AddressSanitizer, sees most. --start-up has the interpreter itself start (-c pass) without memory. --budget bounds the whole
run: programs then take steps through their N rather than every one.
The closing line is "N passed, N failed, N skipped".
"""
import argparse
import concurrent.futures
import fnmatch
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CRASHES_MAX = 12
# A failure inside of these is reported in the place of the MemoryError: they replace or ignore exceptions by design.
OTHERS = {
    "imports": ("ImportError", "ModuleNotFoundError"),
    "pickled": ("PicklingError",),
}
LOCKS = "can't allocate read lock"                 # in these words, as CPython
# What is reported as "Exception ignored" leaves no other trace: these programs look at what callbacks did.
FORGETFUL = ("weak_references", "finalizers", "traced_frames")


# ---- the child -----------------------------------------------------------------------------------------------------------------

def child(name, mode, start, step):
    import faulthandler
    import gc
    sys.path.insert(0, HERE)
    import _testinternalcapi
    import oom_programs
    sys.unraisablehook = lambda *a: None
    faulthandler.enable()
    program = getattr(oom_programs, name)
    call = _testinternalcapi.call_without_memory
    for _ in range(3):
        expected = program()
    out = sys.__stdout__

    def say(*words):
        out.write("\t".join(map(str, words)) + "\n")
        out.flush()
    gc.disable()
    n, total, unhurt = start, 0, 0
    allowed = ("MemoryError",) + OTHERS.get(name, ())
    while unhurt < 2:
        say("at", n)
        result, raised, count, failed, stack = call(program, n, n if mode == "one" else -1)
        stack = " ".join(map(hex, stack))
        unhurt = unhurt + 1 if not failed else 0
        if raised is not None:
            kind = type(raised).__name__
            if kind not in allowed and str(raised) != LOCKS:
                say("wrong", n, "%s: %s" % (kind, raised), stack)
            raised = None
        elif result != expected and name not in FORGETFUL:
            say("wrong", n, "another result: %.300r" % (result,), stack)
        result = None
        total += 1
        if total % 8 == 0 or step > 1:
            gc.collect()
            again = program()
            if again != expected:
                say("wrong", n, "damaged: %.300r" % (again,), stack)
                expected = again
        n += step
    gc.collect()
    if program() != expected:
        say("wrong", n, "damaged")
    say("done", total, n)


# ---- the parent ----------------------------------------------------------------------------------------------------------------

def environment():
    env = dict(os.environ, PYTHONHASHSEED="1", PYTHONMALLOC="")
    env["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=0:allocator_may_return_null=1"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
    env.pop("PYTHONMALLOC")
    return env


def last_words(err):
    """The line of stderr that says most about a crash, and where it was."""
    lines = err.strip().splitlines()
    what = next((l for l in lines if "ERROR: AddressSanitizer" in l or "runtime error" in l or "Assertion" in l or "Fatal Python error" in l),
                lines[0] if lines else "")
    frames = [l.strip().split(" in ", 1)[1] for l in lines if l.strip().startswith("#") and " in " in l and "/src/" in l][:5]
    return what.strip()[:200] + "".join("\n            " + f[:150] for f in frames)


def symbols(options, addresses):
    """Where the failed allocation was asked for."""
    done = subprocess.run(["addr2line", "-f", "-s", "-e", options.python] + addresses.split(), capture_output=True, text=True)
    lines = done.stdout.split("\n")
    places = ["%s %s" % (lines[i], lines[i + 1]) for i in range(0, len(lines) - 1, 2)]
    hidden = ("fails", "faulty_", "heap_alloc", "object_alloc", "gc_alloc", "text_object_alloc", "PyMem_", "PyObject_Malloc", "??")
    return "".join("\n            " + p for p in places if not p.startswith(hidden))[:700]


def run_program(options, name, mode, step, deadline):
    problems, start, runs, crashes = [], 0, 0, 0
    while True:
        command = [options.python, os.path.abspath(__file__), "--child", name, "--mode", mode, "--start", str(start), "--step", str(step)]
        left = max(5, deadline - time.monotonic()) if deadline else 900
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment(), timeout=left,
                                  stdin=subprocess.DEVNULL)
            out, err, code = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired as e:
            out, err, code = (e.stdout or b"").decode(errors="replace"), "", "timeout"
        at = start
        for line in out.splitlines():
            word, *rest = line.split("\t")
            if word == "at":
                at = int(rest[0])
                runs += 1
            elif word == "wrong":
                problems.append((int(rest[0]), rest[1] + (symbols(options, rest[2]) if len(rest) > 2 else "")))
            elif word == "done":
                return name, mode, problems, runs
        if code == "timeout":
            if not deadline or at < start + 2:
                problems.append((at, "no end"))
            return name, mode, problems, runs
        problems.append((at, "exit %s: %s" % (code, last_words(err))))
        crashes += 1
        if crashes >= CRASHES_MAX:
            return name, mode, problems, runs
        start = at + step


def start_up(options, first, last):
    """One start of the interpreter; None or what was wrong."""
    env = dict(environment(), TAIPAN_FAIL_ALLOCATIONS="%d:%d" % (first, last))
    try:
        done = subprocess.run([options.python, "-c", "pass"], capture_output=True, text=True, errors="replace", env=env, timeout=60)
    except subprocess.TimeoutExpired:
        return "no end"
    if done.returncode in (0, 1, 120) and "Sanitizer" not in done.stderr:
        return None
    if done.returncode == -6 and "Fatal Python error" in done.stderr:
        return None
    return "exit %s: %s" % (done.returncode, last_words(done.stderr))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--only", default="*")
    parser.add_argument("--budget", type=float, default=0)
    parser.add_argument("--start-up", action="store_true")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("-j", type=int, default=2, dest="jobs")
    for hidden in ("--child", "--mode", "--start"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child, options.mode, int(options.start), options.step)
    options.python = os.path.abspath(options.python)
    passed = failed = skipped = 0
    started = time.monotonic()
    if options.start_up:
        step, n, misses = options.step, 0, 0
        budget = options.budget or 600
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            places = [(n, n) for n in range(0, 40)] + [(n, n) for n in range(40, 20000, max(step, 97))] + [(n, -1) for n in range(0, 20000, max(step, 997))]
            jobs = [(p, pool.submit(lambda p: start_up(options, *p) if time.monotonic() - started < budget else "", p)) for p in places]
            for place, job in jobs:
                wrong = job.result()
                if wrong == "":
                    skipped += 1
                elif wrong:
                    failed += 1
                    print("start-up at %d:%d: %s" % (place + (wrong,)), flush=True)
                else:
                    passed += 1
        print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
        return 1 if failed else 0
    names = [l[4:l.index("(")] for l in open(os.path.join(HERE, "oom_programs.py"), encoding="utf-8")
             if l.startswith("def ") and not l.startswith("def _")]
    names = [n for n in names if fnmatch.fnmatch(n, options.only)]
    work = [(n, m) for n in names for m in ("one", "all")]
    deadline = time.monotonic() + options.budget if options.budget else 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        def one(job):
            if deadline and time.monotonic() > deadline:
                return job + (None, 0)
            return run_program(options, job[0], job[1], options.step, deadline)
        for name, mode, problems, runs in pool.map(one, work):
            status = "skip" if problems is None else "FAIL" if problems else "ok"
            passed += status == "ok"
            failed += status == "FAIL"
            skipped += status == "skip"
            if status == "FAIL" or options.v:
                print("%-28s %-4s %-5s %5d runs" % (name, mode, status, runs), flush=True)
            for n, what in problems or ():
                print("    %6d  %s" % (n, what))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
