"""ZoneInfo in C and in Python agree at every transition; files and rules that are broken raise; keys that meddle with the cache."""
import io
import os
import random
import struct
import sys
from datetime import datetime, timedelta, timezone
from test.support.import_helper import import_fresh_module

import _zoneinfo
python = import_fresh_module('zoneinfo', blocked=['_zoneinfo']).ZoneInfo
native = _zoneinfo.ZoneInfo
sys.modules.pop('zoneinfo', None)
import zoneinfo

if not zoneinfo.available_timezones():                                # a machine without zones: those beside the library
    here = os.path.join(os.path.dirname(os.__file__), '..', '..', 'share', 'zoneinfo')
    zoneinfo.reset_tzpath([os.path.realpath(here)])
EPOCH = datetime(1970, 1, 1)
every = '--all' in sys.argv


def look(zone, when):
    return zone.utcoffset(when), zone.dst(when), zone.tzname(when)


def compare(name, make):
    a, b = make(native), make(python)
    times = set(b._trans_utc) | {int((datetime(y, m, d) - EPOCH).total_seconds()) for y in (1, 1800, 1970, 2024, 2037, 2038, 2100, 9998)
                                 for m, d in ((1, 1), (3, 31), (7, 1), (10, 27), (12, 31))}
    for t in times:
        for shift in (-90000, -3601, -3600, -1800, -1, 0, 1, 1800, 3599, 3600, 7200, 90000):
            try:
                when = EPOCH + timedelta(seconds=t + shift)
            except OverflowError:
                continue
            for fold in (0, 1):
                local = when.replace(fold=fold)
                assert look(a, local) == look(b, local), (name, local, look(a, local), look(b, local))
            try:
                expected = b.fromutc(when.replace(tzinfo=b))
            except OverflowError:
                continue
            got = a.fromutc(when.replace(tzinfo=a))
            assert (got.replace(tzinfo=None), got.fold) == (expected.replace(tzinfo=None), expected.fold), (name, when, got, expected)
    assert look(a, None) == look(b, None), name


keys = sorted(zoneinfo.available_timezones())
for key in keys if every else [k for k in keys if k in ('Europe/Dublin', 'America/New_York', 'Asia/Tehran', 'UTC', 'Australia/Lord_Howe',
                                                       'Africa/Casablanca', 'Pacific/Apia', 'Antarctica/Troll')]:
    compare(key, lambda cls: cls.no_cache(key))


def tzif(rule, types=((3600, 0, 0), (7200, 1, 4)), names=b'AAA\0BBB\0', transitions=(), indices=()):
    head = b'TZif2' + bytes(15) + struct.pack('>6l', 0, 0, 0, 0, 0, 0)
    head += b'TZif2' + bytes(15) + struct.pack('>6l', 0, 0, 0, len(transitions), len(types), len(names))
    body = b''.join(struct.pack('>q', t) for t in transitions) + bytes(indices) + b''.join(struct.pack('>lbb', *t) for t in types)
    return io.BytesIO(head + body + names + b'\n' + rule + b'\n')


for rule in (b'AAA3BBB,M3.2.0,M11.1.0', b'AAA-1BBB-2,M3.5.0,M10.5.0/3', b'IST-1GMT0,M10.5.0,M3.5.0/1', b'AAA3BBB,J60/2,J300/2', b'AAA3BBB,0/0,J365/25',
             b'AAA3BBB,59/-20,J59/100:30:15', b'<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45', b'AAA3BBB,M1.1.1/-167,M12.5.6/167', b'AAA24BBB-24,J1,J365'):
    for transitions, indices in (((), ()), ((0,), (1,)), ((0, 10**9), (1, 0)), ((0, 10, 20, 10**9), (1, 0, 1, 1))):
        compare(rule, lambda cls: cls.from_file(tzif(rule, transitions=transitions, indices=indices)))

# Broken files: an exception, always.
class Ending(io.BytesIO):
    """The library's reader loops for ever at the end of a file."""
    def read(self, n=-1):
        data = super().read(n)
        if n > 0 and not data: raise EOFError
        return data

random.seed(1)
good = tzif(b'AAA3BBB,M3.2.0,M11.1.0', transitions=(0, 10, 10**9), indices=(1, 0, 1)).getvalue()
for _ in range(3000):
    data = bytearray(good)
    for _ in range(random.randrange(1, 4)):
        data[random.randrange(20, len(data))] = random.choice((0, 1, 2, 127, 128, 255, random.randrange(256)))
    try:
        zone = native.from_file(Ending(data))
    except Exception:
        continue
    for year in (1, 1950, 1970, 2000, 2020, 9999):
        look(zone, datetime(year, 6, 1))
        try:
            zone.fromutc(datetime(year, 6, 1, tzinfo=zone))
        except OverflowError:
            pass
for index in (2, 255):
    try:
        native.from_file(tzif(b'', transitions=(0,), indices=(index,)))
        raise AssertionError(index)
    except ValueError:
        pass


# Files and results that lie.
class File:
    def __init__(self, *parts): self.parts = list(parts)
    def read(self, n=-1): return self.parts.pop(0) if self.parts else b'x'
    def seek(self, *args): return 0

for parts in ((1,), (b'TZif', 2), (b'TZif', b'1', None, b'x' * 24)):
    try:
        native.from_file(File(*parts))
        raise AssertionError(parts)
    except (ValueError, TypeError, struct.error):
        pass


# Keys whose comparison empties the cache, or fills it.
class Key(str):
    budget = 0
    def __eq__(self, other):
        if Key.budget:
            Key.budget -= 1
            native.clear_cache()
            for name in keys[:9]: native(name)
        return str.__eq__(self, other)
    __hash__ = str.__hash__

for name in keys[:20]:
    native(name)
for name in keys[:20]:
    Key.budget = 3
    assert native(Key(name)).key == name
    native.clear_cache(only_keys=[Key(name)])


class Bad:
    def __hash__(self): return 1
    def __eq__(self, other): raise KeyError(1)

native('UTC')
try:
    native(Bad())
    raise AssertionError
except KeyError:
    pass


# datetimes that are odd.
class When(datetime):
    hour = property(lambda self: 10**30)
try:
    native('Europe/Dublin').utcoffset(When(2020, 1, 1))
    raise AssertionError
except OverflowError:
    pass
class Far(datetime):
    year = 10**6
    def toordinal(self): return 2**31 - 1
native('Europe/Dublin').utcoffset(Far(2020, 1, 1))
print('OK')
