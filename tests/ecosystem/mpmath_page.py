"""mpmath: pi to 2,000 digits, zeros of zeta, special functions, quadrature, roots, matrices and intervals."""
import mpmath
from mpmath import mp, mpf, mpc, iv


def main():
    print("mpmath", mpmath.__version__, mpmath.libmp.BACKEND)
    mp.dps = 2000
    print(mp.pi)
    print(mp.e ** 1 - mp.exp(1))
    mp.dps = 300
    print(mp.sqrt(2), mp.euler, mp.catalan, mp.khinchin, mp.zeta(3), mp.phi, sep="\n")
    mp.dps = 30
    for n in (1, 2, 3, 10, 100):
        print(n, mp.zetazero(n))
    mp.dps = 40
    for name, args in (("gamma", (mpf("0.3"),)), ("gamma", (mpc(2, 3),)), ("loggamma", (mpc(-20.5, 3),)), ("digamma", (mpf(7) / 3,)), ("zeta", (mpc(0.5, 20),)),
                       ("erf", (mpf(2) / 3,)), ("erfc", (10,)), ("ei", (3,)), ("li", (100,)), ("besselj", (2, mpf(7) / 2)), ("bessely", (1, 5)),
                       ("airyai", (mpf("-2.5"),)), ("hyp2f1", (1, mpf(1) / 2, mpf(5) / 2, mpf(1) / 3)), ("hyp1f1", (2, 3, -4)), ("legendre", (5, mpf("0.7"))),
                       ("ellipk", (mpf("0.3"),)), ("ellipe", (mpf("0.3"),)), ("lambertw", (3,)), ("lambertw", (-1, -1)), ("polylog", (3, mpf("0.5"))), ("agm", (1, 2)),
                       ("barnesg", (mpf("3.5"),)), ("stieltjes", (1,)), ("primezeta", (2,)), ("jtheta", (3, 1, mpf("0.1"))), ("altzeta", (2,)), ("siegelz", (50,)),
                       ("meijerg", ([[1, 1], []], [[1], [0]], mpf("0.5"))), ("psi", (2, 3)), ("harmonic", (mpf("10.5"),)), ("fibonacci", (100,)), ("bernoulli", (50,))):
        print(name, args, getattr(mp, name)(*args))
    print(mp.quad(lambda x: mp.exp(-x ** 2), [-mp.inf, mp.inf]) ** 2)
    print(mp.quad(lambda x, y: mp.cos(x + y / 2), [0, mp.pi / 2], [0, mp.pi]))
    print(mp.quadosc(lambda x: mp.sin(x) / x, [0, mp.inf], omega=1))
    print(mp.nsum(lambda n: 1 / n ** 2, [1, mp.inf]), mp.nprod(lambda n: 1 + 1 / n ** 2, [1, mp.inf]))
    print(mp.limit(lambda n: (1 + 1 / n) ** n, mp.inf), mp.diff(mp.gamma, 1, 2), mp.taylor(mp.sin, 0, 7))
    print(mp.findroot(lambda x: mp.cos(x) - x, 1), mp.findroot(lambda x, y: [x ** 2 + y - 3, x - y ** 2 + 1], (1, 1)))
    print(mp.polyroots([1, -6, 11, -6, 2], maxsteps=200, extraprec=200), mp.identify(mpf("1.61803398874989484820458683436563811772"), []), mp.pslq([mp.pi, mp.atan(mpf(1) / 5), mp.atan(mpf(1) / 239)], maxcoeff=1000))
    print(mp.findpoly(1 + mp.sqrt(2) + mp.sqrt(3), 4), mp.chebyfit(mp.cos, [0, 1], 4), mp.pade(mp.taylor(mp.exp, 0, 6), 3, 3))
    f = mp.odefun(lambda x, y: [y[1], -y[0]], 0, [0, 1])
    print(f(2), mp.sin(2), mp.fourier(lambda x: x, [-mp.pi, mp.pi], 3))

    a = mp.matrix([[2, 1, 0], [1, mpf(3) / 7, 4], [0, 1, mpc(1, 1)]])
    print(a, mp.det(a), a ** -1, mp.lu_solve(a, mp.matrix([1, 2, 3])), mp.norm(a), sep="\n")
    h = mp.hilbert(5)
    print(mp.eigsy(h, eigvals_only=True), mp.svd_r(h, compute_uv=False), mp.qr(h)[1], mp.expm(h / 3)[0, 0], mp.cond(h), sep="\n")
    iv.dps = 20
    print(iv.mpf([1, 2]) * iv.mpf(["0.1", "0.3"]), iv.exp(iv.mpf([0, 1])), iv.sin(iv.mpf([1, 2])), iv.mpf("0.1"))
    print(mpmath.fp.zeta(2.5), mpmath.fp.quad(lambda x: x ** 2, [0, 1]), mpmath.fp.gamma(1 + 2j))
    mp.dps = 15
    print(repr(mpf("0.1")), repr(mpc("1", "-2.5")), mpf("1e400"), mpf("inf"), -mpf("nan"), mp.nstr(mpf(1) / 3, 50), mpf(2) ** 0.5, mpf("1/3"), int(mpf("1e20")), float(mp.pi), hash(mpf(3)), mpf("0.5") == 0.5)
    print(mp.mpf(-10) % 3, round(mp.mpf("2.567"), 1), mp.floor(-2.5), mp.nint(2.5), mp.frac(2.25), mp.mpmathify("1+2j"), mp.isnan(mp.nan), mp.almosteq(1, 1 + mp.eps))
    for bad in (lambda: mp.mpf("x"), lambda: mp.gamma(-1), lambda: mp.findroot(lambda x: x ** 2 + 1, 1, tol=1e-30), lambda: mp.matrix([[1, 2], [2, 4]]) ** -1, lambda: mpf(1) / 0, lambda: mp.zeta(1), lambda: mp.log(0)):
        try:
            print(bad())
        except Exception as e:
            print(type(e).__name__, e)


main()
