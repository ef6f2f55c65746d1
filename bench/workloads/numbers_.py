"""Arithmetic: bodies, permutations, matrices, fractals, sieves, large integers."""
from pyperf import Runner


def nbody(steps=4000):
    bodies = [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.47], [[4.84, -1.16, -0.10], [0.6, 2.81, -0.02], 0.037],
              [[8.34, 4.12, -0.4], [-1.01, 1.82, 0.008], 0.011], [[12.89, -15.11, -0.22], [1.08, 0.86, -0.01], 0.0017],
              [[15.37, -25.9, 0.17], [0.97, 0.59, -0.03], 0.002]]
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]
    dt = 0.001
    for _ in range(steps):
        for ([x1, y1, z1], v1, m1), ([x2, y2, z2], v2, m2) in pairs:
            dx = x1 - x2
            dy = y1 - y2
            dz = z1 - z2
            mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            b1m = m1 * mag
            b2m = m2 * mag
            v1[0] -= dx * b2m
            v1[1] -= dy * b2m
            v1[2] -= dz * b2m
            v2[0] += dx * b1m
            v2[1] += dy * b1m
            v2[2] += dz * b1m
        for r, [vx, vy, vz], m in bodies:
            r[0] += dt * vx
            r[1] += dt * vy
            r[2] += dt * vz
    return bodies[0][0][0]


def fannkuch(n=7):
    count = list(range(1, n + 1))
    perm1 = list(range(n))
    best, r = 0, n
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        if perm1[0] != 0:
            perm = perm1[:]
            flips, k = 0, perm[0]
            while k:
                perm[:k + 1] = reversed(perm[:k + 1])
                flips += 1
                k = perm[0]
            if flips > best:
                best = flips
        while r != n:
            perm1.insert(r, perm1.pop(0))
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1
        else:
            return best


def spectral(n=60):
    def a(i, j):
        return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)
    u = [1.0] * n
    for _ in range(2):
        v = [sum(a(i, j) * u[j] for j in range(n)) for i in range(n)]
        u = [sum(a(j, i) * v[j] for j in range(n)) for i in range(n)]
    return u[0]


def mandelbrot(size=40):
    inside = 0
    for py in range(size):
        for px in range(size):
            x0, y0 = px * 3.0 / size - 2.0, py * 2.0 / size - 1.0
            x = y = 0.0
            for _ in range(50):
                x2, y2 = x * x, y * y
                if x2 + y2 > 4.0:
                    break
                x, y = x2 - y2 + x0, 2.0 * x * y + y0
            else:
                inside += 1
    return inside


def matrix(n=30):
    a = [[i * j % 7 for j in range(n)] for i in range(n)]
    b = [[i + j for j in range(n)] for i in range(n)]
    c = [[0] * n for _ in range(n)]
    for i in range(n):
        row = c[i]
        for j in range(n):
            s = 0
            for k in range(n):
                s += a[i][k] * b[k][j]
            row[j] = s
    return c[3][4]


def sieve(n=100000):
    flags = bytearray([1]) * (n + 1)
    for i in range(2, int(n ** 0.5) + 1):
        if flags[i]:
            flags[i * i::i] = bytes(len(range(i * i, n + 1, i)))
    return sum(flags[2:])


def collatz(n=3000):
    best = 0
    for i in range(1, n):
        steps, x = 0, i
        while x != 1:
            x = x // 2 if x % 2 == 0 else 3 * x + 1
            steps += 1
        if steps > best:
            best = steps
    return best


def bits(n=30000):
    h = 0
    for i in range(n):
        h = ((h << 5) ^ (h >> 27) ^ i) & 0xffffffff
        h |= i & 1
    return h


def pidigits(n=150):
    out, k, a, b, a1, b1 = [], 2, 4, 1, 12, 4
    while len(out) < n:
        p, q, k = k * k, 2 * k + 1, k + 1
        a, b, a1, b1 = a1, b1, p * a + q * a1, p * b + q * b1
        d, d1 = a // b, a1 // b1
        while d == d1:
            out.append(d)
            a, a1 = 10 * (a % b), 10 * (a1 % b1)
            d, d1 = a // b, a1 // b1
    return out[-1]


def statistics_(n=20000):
    data = [(i * 7919 % 1009) / 10 for i in range(n)]
    mean = sum(data) / n
    return sum((x - mean) ** 2 for x in data), max(data), min(data), round(mean, 3), abs(-mean), divmod(n, 7)


r = Runner()
for f in (nbody, fannkuch, spectral, mandelbrot, matrix, sieve, collatz, bits, pidigits, statistics_):
    r.bench_func("numbers_" + f.__name__.strip("_"), f)
