"""A million GPS-tracked trucks: built, moved, aggregated, written out as JSON and CSV and read back.

    taipan examples/fleet.py [TRUCKS]

Prints progress to standard error and a summary of time and memory at the end.
"""
import csv
import json
import os
import random
import resource
import sys
import tempfile
import time


class Truck:
    def __init__(self, number, x, y):
        self.number = number
        self.x = x
        self.y = y

    def move(self, dx, dy):
        self.x += dx
        self.y += dy


def resident_mb():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 2**20


class Stopwatch:
    """Times the steps and keeps them for the summary."""

    def __init__(self):
        self.rows = []

    def step(self, name, function, *args):
        print("%-28s" % (name + " ..."), end="", file=sys.stderr, flush=True)
        start = time.perf_counter()
        result = function(*args)
        took = time.perf_counter() - start
        self.rows.append((name, took, resident_mb()))
        print("%8.2f s  %8.1f MB" % self.rows[-1][1:], file=sys.stderr)
        return result


def build(n):
    rnd = random.Random(1)
    return [Truck(i, rnd.uniform(-180.0, 180.0), rnd.uniform(-90.0, 90.0)) for i in range(n)]


def move(fleet):
    for truck in fleet:
        truck.move(0.25, -0.125)


def aggregate(fleet):
    sx = sy = 0.0
    cells = {}
    for truck in fleet:
        sx += truck.x
        sy += truck.y
        cell = (int(truck.x // 10), int(truck.y // 10))
        cells[cell] = cells.get(cell, 0) + 1
    return sx / len(fleet), sy / len(fleet), cells


def write_json(fleet, path):
    with open(path, "w", encoding="utf-8") as f:
        json.dump([{"number": t.number, "x": t.x, "y": t.y} for t in fleet], f)


def write_csv(fleet, path):
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(["number", "x", "y"])
        out.writerows([t.number, t.x, t.y] for t in fleet)


def read_json(path):
    with open(path, encoding="utf-8") as f:
        return [Truck(r["number"], r["x"], r["y"]) for r in json.load(f)]


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as f:
        rows = csv.reader(f)
        next(rows)
        return [Truck(int(number), float(x), float(y)) for number, x, y in rows]


def same(a, b):
    return len(a) == len(b) and all(s.number == t.number and s.x == t.x and s.y == t.y for s, t in zip(a, b))


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    watch = Stopwatch()
    before = resident_mb()
    fleet = watch.step("build %d trucks" % n, build, n)
    per_truck = (resident_mb() - before) * 2**20 / n
    watch.step("move", move, fleet)
    mx, my, cells = watch.step("aggregate", aggregate, fleet)
    with tempfile.TemporaryDirectory() as folder:
        json_path, csv_path = os.path.join(folder, "fleet.json"), os.path.join(folder, "fleet.csv")
        watch.step("write JSON", write_json, fleet, json_path)
        watch.step("write CSV", write_csv, fleet, csv_path)
        ok = same(fleet, watch.step("read JSON", read_json, json_path)) and same(fleet, watch.step("read CSV", read_csv, csv_path))
    print("trucks          %d" % n)
    print("centre          %.6f %.6f" % (mx, my))
    print("busiest cell    %s with %d" % max(cells.items(), key=lambda item: (item[1], item[0])))
    print("read back       %s" % ("identical" if ok else "DIFFERENT"))
    print("time            %.1f s" % sum(row[1] for row in watch.rows))
    print("memory a truck  %.0f bytes" % per_truck)
    print("peak memory     %.0f MB" % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
