#!/usr/bin/env python3
"""Find what leaks: run CPython's test modules again and again in one process, and report what grows.

    leaks.py --python PY [--modules GLOB,GLOB] [--methods GLOB] [--warmups 5] [--runs 4] [--timeout S] [--explain] [-j N]

A module runs --warmups + --runs times. After each run caches are emptied and garbage is collected; what must not grow then is
the number of allocated blocks (sys.getallocatedblocks) and of collectable objects (gc.get_objects). When a module grows in
every measured run, its methods are tried one by one and those that grow alone are named; --explain says which types and
which lines of source the growth consists of. What is known and excused stands in leaks_allowed.tsv: MODULE<TAB>METHOD
GLOB<TAB>reason; a glob of * excuses the module as a whole. Methods that fail are no business of this program.
The closing line is "N passed, N failed, N skipped".
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
ALLOWED = os.path.join(HERE, "leaks_allowed.tsv")
MODULES = """test_builtin test_dict test_list test_set test_tuple test_str test_bytes test_generators test_coroutines test_class
    test_descr test_exceptions test_scope test_gc test_weakref test_functools test_itertools test_collections test_re test_struct
    test_io test_json test_csv test_thread test_with test_patma test_compile test_ast test_int test_float test_long test_bool
    test_complex test_slice test_range test_memoryview test_array test_deque test_enumerate test_iter test_property test_super
    test_types test_typing test_type_params test_type_aliases test_genericalias test_unpack test_unpack_ex test_extcall test_call
    test_funcattrs test_frame test_sys_settrace test_sys_setprofile test_monitoring test_exception_group test_except_star test_raise
    test_traceback test_syntax test_grammar test_fstring test_format test_string test_bisect test_heapq test_operator test_ordered_dict
    test_defaultdict test_userdict test_weakset test_copy test_contextlib test_contextvars test_asyncgen test_yield_from test_listcomps
    test_setcomps test_dictcomps test_genexps test_named_expressions test_unicode_identifiers test_codecs test_marshal test_math
    test_random test_statistics test_zlib test_binascii test_hashlib test_select test_socket test_threading test_queue test_atexit
    test_warnings test_import test_importlib test_finalization test_abc test_enum test_dataclasses test_string_literals
    test_decorators test_metaclass test_subclassinit test_dynamicclassattribute test_descrtut test_reprlib test_pprint
    test_tracemalloc test_sys test_symtable test_tokenize test_keywordonlyarg test_positional_only_arg test_opcodes test_dis
    test_code test_bytes test_userlist test_userstring test_index test_hash test_numeric_tower test_richcmp""".split()


# ---- the child: one module in one process ------------------------------------------------------------------------------------

def child(name, options):
    import array
    import faulthandler
    import gc
    import importlib
    import io
    import unittest
    import warnings
    from test import support
    from test.libregrtest import refleak, utils
    from test.support import refleak_helper
    faulthandler.enable()
    support.use_resources = []
    support.verbose = 0
    refleak_helper._hunting_for_refleaks = True
    module_name = "test." + name

    def load():
        tests = unittest.TestLoader().loadTestsFromName(module_name)
        flat, stack = [], [tests]
        while stack:
            item = stack.pop()
            if isinstance(item, unittest.TestSuite):
                stack.extend(item)
            else:
                flat.append(item)
        flat.sort(key=lambda t: t.id())
        return flat

    clean = make_cleaner(refleak, utils)
    silence = io.StringIO()

    def run(wanted):
        """Class and module fixtures run as they would: the tests of a class stand together."""
        tests = [t for t in load() if wanted is None or t.id() in wanted]
        result = unittest.TestResult(stream=silence)
        saved = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = silence
        try:
            with warnings.catch_warnings():
                unittest.TestSuite(tests).run(result)
        finally:
            sys.stdout, sys.stderr = saved
        silence.seek(0)
        silence.truncate()
        del result, tests

    def measure():
        clean()
        for _ in range(3):
            gc.collect()
        interned = sys.getunicodeinternedsize(_only_immortal=True) if hasattr(sys, "getunicodeinternedsize") else 0
        return sys.getallocatedblocks() - interned, len(gc.get_objects())

    room = array.array("q", bytes(16 * (options.warmups + 3 * options.runs + 1)))     # objects of our own must not count

    def growth(wanted, warmups, runs):
        """Per measured run: blocks and objects more than before. None: it settled."""
        for i in range(warmups + runs):
            run(wanted)
            room[2 * i + 2], room[2 * i + 3] = measure()
            if i >= warmups and room[2 * i + 2] <= room[2 * i] and room[2 * i + 3] <= room[2 * i + 1]:
                return None
        return [(room[2 * i + 2] - room[2 * i], room[2 * i + 3] - room[2 * i + 1]) for i in range(warmups, warmups + runs)]

    def leaks(deltas):
        if not deltas:
            return False
        return any(all(d[i] > 0 for d in deltas) for i in (0, 1))

    def say(*words):
        print(*words, sep="\t", flush=True)

    def explain(wanted):
        """Types of the objects and lines of the allocations that came and stayed."""
        import collections
        import tracemalloc
        rounds = 4

        def rerun():
            for _ in range(rounds):
                run(wanted)
                measure()

        def census():
            return collections.Counter(type(o).__module__ + "." + type(o).__qualname__ for o in gc.get_objects())
        census()
        rerun()
        before = census()
        rerun()
        for kind, n in (census() - before).most_common(6):
            if n >= rounds - 1:
                say("note", "    %+d %s" % (n, kind))
        del before
        tracemalloc.start(10)
        rerun()
        first = tracemalloc.take_snapshot()
        rerun()
        last = tracemalloc.take_snapshot()
        tracemalloc.stop()
        own = [tracemalloc.Filter(False, name) for name in (tracemalloc.__file__, __file__, refleak.__file__, "<frozen abc>")]
        shown = 0
        for stat in last.filter_traces(own).compare_to(first.filter_traces(own), "traceback"):
            if stat.count_diff < rounds - 1 or shown == 5:
                continue
            shown += 1
            say("note", "    %+d blocks, %+d bytes" % (stat.count_diff, stat.size_diff))
            for frame in list(reversed(stat.traceback))[:5]:
                say("note", "        %s:%d" % (frame.filename, frame.lineno))

    if options.methods:
        ids = [t.id() for t in load() if fnmatch.fnmatch(t.id(), options.methods)]
        suspicious = True
    else:
        deltas = growth(None, options.warmups, options.runs)
        if leaks(deltas):
            deltas = growth(None, options.runs, 2 * options.runs)      # caches of some kinds take their time to settle
        suspicious = leaks(deltas)
        if not suspicious:
            say("ok", name)
            return
        say("module", name, show(deltas))
        ids = [t.id() for t in load()]
    found = 0
    classes = {}
    for test_id in ids:
        if not test_id.startswith("unittest."):
            classes.setdefault(test_id.rpartition(".")[0], []).append(test_id)
    for members in classes.values():
        if len(classes) > 1 and len(members) > 1 and not leaks(growth(set(members), options.warmups, options.runs)):
            continue
        for test_id in members:
            if found >= options.most:
                say("note", "    and perhaps more")
                return
            say("start", test_id)
            deltas = growth({test_id}, options.warmups, options.runs)
            if leaks(deltas):
                found += 1
                say("leak", test_id, show(deltas))
                if options.explain:
                    explain({test_id})
    if suspicious and not found:
        say("diffuse", name)
        if options.explain:
            explain(None)


def show(deltas):
    return "blocks %s, objects %s" % (" ".join("%+d" % b for b, _ in deltas), " ".join("%+d" % o for _, o in deltas))


def make_cleaner(refleak, utils):
    """A function that puts back what tests leave in caches and registries: regrtest's own for -R."""
    import collections.abc
    import copyreg
    import linecache
    import warnings
    import zipimport
    from inspect import isabstract
    refleak.warm_caches()
    filters, dispatch, importers = warnings.filters[:], copyreg.dispatch_table.copy(), sys.path_importer_cache.copy()
    zips = zipimport._zip_directory_cache.copy()
    lines = linecache.cache.copy(), linecache._interactive_cache.copy()
    abcs = {}
    for abc in [getattr(collections.abc, a) for a in collections.abc.__all__]:
        if isabstract(abc):
            for obj in abc.__subclasses__() + [abc]:
                abcs[obj] = refleak._get_dump(obj)[0]

    def clean():
        refleak.dash_R_cleanup(filters, dispatch, importers, zips, abcs, lines)
        sys._clear_internal_caches()
    return clean


# ---- the parent --------------------------------------------------------------------------------------------------------------

def read_allowed():
    allowed = []
    with open(ALLOWED, encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                allowed.append(line.rstrip("\n").split("\t"))
    return allowed


def run_module(name, options):
    with tempfile.TemporaryDirectory(prefix="leaks-") as folder:
        command = [options.python, os.path.abspath(__file__), "--child", name, "--warmups", str(options.warmups),
                   "--runs", str(options.runs), "--most", str(options.most)]
        if options.methods:
            command += ["--methods", options.methods]
        if options.explain:
            command.append("--explain")
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, errors="replace", start_new_session=True)
        try:
            out, err = process.communicate(timeout=options.timeout)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            code = "timeout"
        return name, out, err, code, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--modules")
    parser.add_argument("--methods")
    parser.add_argument("--warmups", type=int, default=5)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--timeout", type=float, default=900)
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--most", type=int, default=6, help="methods to name in a module")
    parser.add_argument("-j", type=int, default=2, dest="jobs")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child, options)
    options.python = os.path.abspath(options.python)
    names = list(dict.fromkeys(MODULES))
    if options.modules:
        globs = options.modules.split(",")
        chosen = [n for n in names if any(fnmatch.fnmatch(n, g) for g in globs)]
        names = chosen + [g for g in globs if g not in chosen and "*" not in g]
    allowed = read_allowed()
    passed = failed = skipped = 0

    def excused(module, test_id):
        return next((a[2] for a in allowed if a[0] == module and (a[1] == "*" or fnmatch.fnmatch(test_id, "*" + a[1]))), None)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, out, err, code, seconds in pool.map(lambda n: run_module(n, options), names):
            status, lines, last = "ok", [], ""
            for line in out.splitlines():
                word, *rest = line.split("\t")
                if word == "leak":
                    reason = excused(name, rest[0])
                    lines.append("    %s: %s%s" % (rest[0], rest[1], "  (allowed: %s)" % reason if reason else ""))
                    if not reason:
                        status = "LEAK"
                elif word == "diffuse" and not excused(name, ""):
                    status = "LEAK"
                    lines.append("    no method alone")
                elif word == "module":
                    lines.append("    whole module: " + rest[0 if len(rest) == 1 else 1])
                elif word == "note":
                    lines.append(rest[0])
                elif word == "start":
                    last = rest[0]
            if code and excused(name, ""):
                status = "skip"
            elif code:
                status = "LEAK"
                tail = err.strip().splitlines()[-1] if err.strip() else ""
                lines.append("    %s at %s: %s" % (code, last or "the whole module", tail))
            passed += status == "ok"
            failed += status == "LEAK"
            skipped += status == "skip"
            print("%-28s %-5s %6.1f s" % (name, status, seconds), flush=True)
            for line in lines:
                print(line)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
