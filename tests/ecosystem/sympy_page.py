"""SymPy: a page of algebra: simplify, integrate, solve, factor, series, limits, matrices, number theory, sets, printing."""
from sympy import *
from sympy.abc import a, b, k, n, t, x, y, z


def show(*lines):
    for line in lines:
        print(line)


def main():
    show(expand((x + y + 1) ** 4), factor(x ** 6 - 1), factor(x ** 4 + 4 * y ** 4), apart((x ** 2 + 1) / (x ** 3 - x)), together(1 / x + 1 / y + 1 / (x + y)),
         cancel((x ** 3 - y ** 3) / (x - y)), simplify(sin(x) ** 2 + cos(x) ** 2), trigsimp(sin(x) * cos(y) + cos(x) * sin(y)),
         expand_trig(sin(3 * x)), powsimp(x ** a * x ** b), logcombine(log(x) - 2 * log(y), force=True), radsimp(1 / (sqrt(2) + sqrt(3))),
         nsimplify(0.1428571428571428), collect(x * y + x - 3 + 2 * x ** 2 - z * x ** 2 + x ** 3, x), gcd(x ** 2 - 1, x ** 2 - 2 * x + 1))
    show(diff(sin(x) * exp(x ** 2), x, 2), Derivative(x ** n, x).doit(), integrate(exp(-x ** 2), (x, -oo, oo)), integrate(1 / (x ** 3 + 1), x),
         integrate(x * sin(x) * exp(x), x), integrate(log(x) / x ** 2, x), integrate(sqrt(1 - x ** 2), (x, 0, 1)), integrate(x ** 2 / (x ** 2 + 1) ** 2, (x, 0, oo)),
         integrate(y * x, (x, 0, y), (y, 0, 1)), Integral(sin(x) / x, (x, 0, oo)).doit())
    show(limit(sin(x) / x, x, 0), limit((1 + a / n) ** n, n, oo), limit(1 / x, x, 0, "-"), series(tan(x), x, 0, 10), series(1 / cos(x), x, 0, 8),
         series(exp(sin(x)), x, 0, 6), summation(1 / k ** 2, (k, 1, oo)), summation(k ** 3, (k, 1, n)).factor(), product(k, (k, 1, 6)), fourier_series(x, (x, -pi, pi)).truncate(3))
    show(solve(x ** 3 - 6 * x ** 2 + 11 * x - 6), solve([x + y - 3, x - y - 1], [x, y]), solve(x ** 2 + a * x + b, x), solve(exp(x) - 2 * x - 1, x),
         solveset(sin(x) - Rational(1, 2), x, S.Reals), solve(x ** 4 - 10 * x ** 2 + 1), linsolve([x + 2 * y + z - 4, 2 * x - y - 1], x, y, z),
         nonlinsolve([x ** 2 + y ** 2 - 5, x * y - 2], [x, y]), roots(x ** 5 - x ** 4 - x + 1), nroots(x ** 5 - x - 1, n=20), reduce_inequalities([x ** 2 < 4, x > -1], x),
         rsolve(Function("u")(n + 2) - Function("u")(n + 1) - Function("u")(n), Function("u")(n)), diophantine(x ** 2 - 2 * y ** 2 - 1))
    f = Function("f")
    show(dsolve(f(x).diff(x, 2) + f(x), f(x)), dsolve(f(x).diff(x) - f(x) * x, f(x)), dsolve(x * f(x).diff(x) + f(x) - x ** 2, f(x)))
    m = Matrix([[2, 1, 0], [1, 3, 1], [0, 1, 2]])
    show(m.det(), m.inv(), m.eigenvals(), m.eigenvects(), m.charpoly(x).as_expr(), m.diagonalize(), m.rref(), m.LUdecomposition()[0], m.nullspace(),
         Matrix([[x, y], [y, x]]).exp() if False else Matrix([[1, 1], [0, 1]]).exp(), Matrix(3, 3, lambda i, j: x ** i + j).rank(), hessian(x ** 2 * y + y ** 3, (x, y)))
    show(factorint(2 ** 64 - 1), isprime(2 ** 89 - 1), primepi(1000), list(primerange(50, 100)), totient(360), divisors(60), igcd(84, 36), mod_inverse(3, 11),
         continued_fraction_iterator and list(__import__("itertools").islice(continued_fraction_iterator(sqrt(7)), 9)), functions.combinatorial.numbers.partition(100), binomial(30, 12), bernoulli(12), euler(8), fibonacci(90), nextprime(10 ** 12))
    show(pi.evalf(60), (sqrt(2) + E ** pi).n(40), Rational(22, 7) - pi.n(5), N(zeta(3), 30), gamma(Rational(1, 2)), zeta(4), besselj(0, 1.5).n(20), erf(1).n(30), LambertW(1).n(25))
    show(Interval(0, 5) & FiniteSet(1, 7, 3), Union(Interval(0, 1), Interval.open(2, 3)).complement(S.Reals), Piecewise((x, x > 0), (-x, True)).subs(x, -3),
         And(x > 1, Or(y < 2, x <= 1)), simplify_logic((x & y) | (x & ~y)), satisfiable(a & ~b), to_cnf(a | (b & z)), ImageSet(Lambda(n, n ** 2), S.Integers))
    e = Integral(sqrt(1 / x) + Sum(k ** 2 / (k + 1), (k, 1, n)), (x, 0, oo)) + Matrix([[a, b ** 2], [sqrt(y), 1 / z]]).det()
    show(latex(e), pretty(e, use_unicode=True), pretty(e, use_unicode=False), mathml(x ** 2 + 1), ccode(x ** 2 + sin(y)), fcode(x ** 2), pycode(sqrt(x) + Abs(y)), srepr(x ** 2 + 1), sstr(e), python(x + 1), dotprint(x + 1))
    show(parse_expr("2*x**2 + sin(y)/z"), sympify("1/3 + x!"), lambdify((x, y), x ** 2 + sin(y), "math")(2, 1), lambdify(x, Matrix([x, x ** 2]), "mpmath")(3), cse([sqrt(x + y) + 1 / (x + y), (x + y) ** 2]))
    show(groebner([x ** 2 + y, x * y - 1], x, y), resultant(x ** 2 - 2, x ** 3 + x + 1, x), discriminant(a * x ** 2 + b * x + 3, x), minimal_polynomial(sqrt(2) + sqrt(3), x), Poly(x ** 4 + 1, modulus=5).factor_list(),
         poly(x ** 2 * y + 3, x), sqf_list((x + 1) ** 2 * (x - 2) ** 3), interpolate([1, 4, 9, 17], x), legendre(4, x), chebyshevt(5, x), hyperexpand(hyper([1, 1], [2], x)))
    show(laplace_transform(exp(-a * t) * sin(t), t, z, noconds=True), inverse_laplace_transform(1 / (z ** 2 + 1), z, t), assuming_test())
    from sympy.combinatorics import Permutation, PermutationGroup
    from sympy.geometry import Circle, Line, Point, Triangle
    from sympy.physics import units
    from sympy.stats import Die, Normal, E as mean, P, variance
    g = PermutationGroup([Permutation(0, 1, 2, 3), Permutation(0, 1)])
    show(g.order(), g.is_abelian, sorted(map(str, g.elements))[:5], Permutation([2, 0, 1, 3]).cyclic_form)
    show(Circle(Point(0, 0), 2).intersection(Line((0, 0), (1, 1))), Triangle((0, 0), (3, 0), (0, 4)).area, units.convert_to(90 * units.km / units.hour, units.m / units.s))
    d, g = Die("d", 6), Normal("g", 0, 1)
    show(mean(d), variance(d), P(d > 4), P(g > 0), mean(g ** 4))
    for bad in (lambda: sympify("1 +"), lambda: Matrix([[1, 2], [2, 4]]).inv(), lambda: Symbol(1), lambda: bool(x > 1), lambda: solve(sin(x) + x ** x), lambda: Poly(1 / x, x), lambda: int(x), lambda: float(I), lambda: x[1]):
        try:
            print(bad())
        except Exception as error:
            print(type(error).__name__, error)


def assuming_test():
    p, r, i = Symbol("p", positive=True), Symbol("r", real=True), Symbol("i", integer=True)
    return [sqrt(p ** 2), sqrt(r ** 2), sin(i * pi), (-1) ** (2 * i), p.is_nonzero, (r ** 2).is_nonnegative, (p + 1).is_positive, conjugate(r), refine(Abs(x), Q.positive(x)), ask(Q.even(2 * i)), im(r + I * p), exp(I * pi * i).subs(i, 3)]


main()
