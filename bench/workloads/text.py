"""Text: building, formatting, splitting, regular expressions, JSON, CSV, bytes."""
import csv
import io
import json
import re
import string
import textwrap
from pyperf import Runner

WORDS = ("the quick brown fox jumps over the lazy dog while seventeen silent trucks cross Straße " * 40).split()
RECORDS = [{"id": i, "name": "truck %d" % i, "lat": i * 0.25, "lng": -i * 0.5, "tags": ["a", "b", None, True], "note": 'q"\n\u00e9'} for i in range(200)]
TEXT = "\n".join("%s: user%d@example.org [%02d/Nov/2026:10:00:%02d] \"GET /x/%d HTTP/1.1\" %d" % (w, i, i % 28, i % 60, i, 200 + i % 5)
                 for i, w in enumerate(WORDS[:300]))


def building():
    s = ""
    for i in range(5000):
        s += "x"
    parts = []
    for w in WORDS:
        parts.append(w.upper() + "-" + w)
    return len(s) + len("".join(parts))


def format_percent():
    return sum(len("%s is %d years and %.2f m, %5s|%-8s|" % (w, i, i / 3, w, w)) for i, w in enumerate(WORDS))


def format_method():
    return sum(len("{} is {:d} years and {:.2f} m, {:>5}|{name:<8}|".format(w, i, i / 3, w, name=w)) for i, w in enumerate(WORDS))


def format_fstring():
    return sum(len(f"{w} is {i} years and {i / 3:.2f} m, {w:>5}|{w!r}|{i:04x}") for i, w in enumerate(WORDS))


def splitting():
    n = 0
    for line in TEXT.split("\n"):
        head, _, rest = line.partition(": ")
        fields = rest.split()
        n += len(head) + len(fields) + int(fields[-1]) + line.count("/") + line.find("GET")
        if line.startswith("the") or line.endswith("3"):
            n += len(line.strip().replace("GET", "PUT").lower())
    return n


def regex_scan():
    token = re.compile(r"(?P<word>[A-Za-z]+)|(?P<num>\d+)|(?P<punct>[^\w\s])|(?P<space>\s+)")
    counts = {}
    for m in token.finditer(TEXT):
        counts[m.lastgroup] = counts.get(m.lastgroup, 0) + 1
    return counts


def regex_lines():
    line = re.compile(r'^(\w+): (\S+)@(\S+) \[([^\]]+)\] "(\w+) ([^"]*)" (\d{3})$', re.M)
    return len(line.findall(TEXT)) + len(re.sub(r"user(\d+)", lambda m: m.group(1), TEXT)) + len(re.split(r"[\s/]+", TEXT))


def json_dump():
    return len(json.dumps(RECORDS)) + len(json.dumps(RECORDS, indent=1, sort_keys=True))


DUMPED = json.dumps(RECORDS)


def json_load():
    return len(json.loads(DUMPED))


def csv_both():
    f = io.StringIO()
    w = csv.DictWriter(f, ["id", "name", "lat", "lng", "note"], extrasaction="ignore")
    w.writeheader()
    w.writerows(RECORDS)
    f.seek(0)
    return sum(float(row["lat"]) for row in csv.DictReader(f))


def characters():
    counts, vowels = {}, 0
    for c in TEXT:
        counts[c] = counts.get(c, 0) + 1
        if c in "aeiou":
            vowels += 1
        if c.isalpha() and ord(c) < 100:
            vowels += 1
    return vowels, "".join(reversed(TEXT))[:10], "".join(chr(ord(c) ^ 1) for c in TEXT[:2000])


def bytes_():
    data = TEXT.encode()
    out = bytearray()
    for b in data[:5000]:
        out.append(b ^ 0x20)
    return len(out), data.count(b"GET"), len(data.split(b"\n")), data.decode()[:3], len(data.hex())


def wrapping():
    return len(textwrap.fill(" ".join(WORDS[:200]), 60)), string.Template("$a and $b").substitute(a=1, b=2)


def text_io():
    f = io.StringIO()
    for w in WORDS:
        print(w, len(w), sep=",", file=f)
    f.seek(0)
    raw = io.TextIOWrapper(io.BytesIO(f.getvalue().encode()), encoding="utf-8")
    return sum(len(line) for line in f) + sum(1 for line in raw)


r = Runner()
for f in (building, format_percent, format_method, format_fstring, splitting, regex_scan, regex_lines, json_dump, json_load, csv_both,
          characters, bytes_, wrapping, text_io):
    r.bench_func("text_" + f.__name__.strip("_"), f)
