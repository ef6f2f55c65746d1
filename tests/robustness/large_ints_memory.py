"""Arithmetic on large ints where memory runs out half-way: MemoryError, also when it is GMP's scratch memory that is not there."""
import resource
import sys

a = (1 << 80_000_000) // 3
b = (1 << 80_000_000) // 7
half = b >> 40_000_000
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
used = int(open("/proc/self/statm").read().split()[0]) * 4096
failed = 0
if used > 1 << 40:                            # a sanitizer's shadow memory: no limit would mean anything
    print("OK")
    sys.exit()
for room in 12, 24, 36, 48, 60:
    resource.setrlimit(resource.RLIMIT_AS, (used + room * 1_000_000, hard))
    for work in (lambda: a * b, lambda: a * a, lambda: a // half, lambda: pow(3, 20_000_000), lambda: pow(a, 3, half)):
        try:
            work()
        except MemoryError:
            failed += 1
resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
assert failed
assert a * b // b == a

print("OK")
