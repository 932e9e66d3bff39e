#!/usr/bin/env python3
"""Prints coefficients.h, the numbers behind math.inl, close_math.inl and wide_math.inl. Needs mpmath:
python3 keratin/simd/coefficients.py > keratin/simd/coefficients.h"""
from mpmath import (binomial, cos, erf, erfc, exp, expm1, factorial, frexp, ldexp, log, mp, mpf, nint, pi,
                    polyval, sqrt)

mp.dps = 80


def chebyshev(f, a, b, degree):
    """Coefficients, lowest first, of the polynomial through f at the Chebyshev nodes of [a, b]."""
    n = degree + 1
    angles = [pi * (k + mpf(1) / 2) / n for k in range(n)]
    values = [f((a + b) / 2 + (b - a) / 2 * cos(t)) for t in angles]
    c = [2 * sum(v * cos(j * t) for v, t in zip(values, angles)) / n for j in range(n)]
    c[0] /= 2
    basis = [[mpf(1)], [mpf(0), mpf(1)]]
    for j in range(2, n):
        row = [mpf(0)] + [2 * v for v in basis[j - 1]]
        for i, v in enumerate(basis[j - 2]):
            row[i] -= v
        basis.append(row)
    unit = [sum(c[j] * basis[j][i] for j in range(i, n)) for i in range(n)]
    scale, shift = 2 / (b - a), -(a + b) / (b - a)
    return [sum(unit[i] * binomial(i, k) * scale**k * shift ** (i - k) for i in range(k, n)) for k in range(n)]


def worst(f, p, a, b):
    """log2 of the largest relative error of the polynomial p on [a, b], sampled."""
    points = [a + (b - a) * mpf(i) / 500 for i in range(501)]
    return float(log(max(abs(polyval(p[::-1], x) / f(x) - 1) for x in points), 2))


def rounded(x):
    return mpf(float(x))


def literal(x):
    return float(x).hex()


def short(x, bits):
    """x rounded to so many bits."""
    mantissa, exponent = frexp(x)
    return ldexp(nint(ldexp(mantissa, bits)), exponent - bits)


def doubles(name, comment, values, aligned=""):
    print(f"\n// {comment}")
    print(f"{aligned}inline constexpr double {name}[] = {{")
    print(",\n".join("    " + literal(v) for v in values) + "};")


def pairs(name, comment, values):
    print(f"\n// {comment}")
    print(f"inline constexpr Constant {name}[] = {{")
    print(",\n".join(f"    {{{literal(v)}, {literal(v - rounded(v))}}}" for v in values) + "};")


def constant(name, comment, value):
    print(f"inline constexpr Constant {name}{{{literal(value)}, {literal(value - rounded(value))}}};  // {comment}")


def exp_tail(r):
    return (expm1(r) - r) / r**2 if abs(r) > mpf(10) ** -20 else mpf(1) / 2 + r / 6


def exp_cubic_tail(r):
    return sum(r**k / factorial(k + 3) for k in range(30))


def log_tail(z):
    s = sqrt(z)
    return ((log((1 + s) / (1 - s)) - 2 * s) / s) / z if s > mpf(10) ** -10 else mpf(2) / 3 + 2 * z / 5


def erf_ratio(w):
    return erf(sqrt(w)) / sqrt(w) if w > 0 else 2 / sqrt(pi)


def scaled_erfc(t, centre):
    z = centre * (1 + t) / (1 - t)
    return (1 + 2 * z) * exp(z * z) * erfc(z)


def erfc_range(centre, low, high):
    return (mpf(low) - centre) / (mpf(low) + centre), (mpf(high) - centre) / (mpf(high) + centre)


print("""// Numbers behind math.inl, close_math.inl and wide_math.inl, printed by coefficients.py. Edit that, not this.
#pragma once

#include "keratin/simd/constant.h"

namespace keratin::inline v0::simd::coefficients {
""")
ln2 = log(mpf(2))
first = short(ln2, 38)
second = rounded(ln2 - first)
print("// ln 2 in three parts; n times the first is exact for |n| < 2^15.")
print(f"inline constexpr double kLn2[] = {{{literal(first)}, {literal(second)}, {literal(ln2 - first - second)}}};")
print(f"inline constexpr double kLog2E = {literal(1 / ln2)};")
constant("kLn2Pair", "ln 2", ln2)
constant("kTwoOverSqrtPi", "2 / sqrt(pi)", 2 / sqrt(pi))
print("// From here on both scaled complementary error functions centre their variable t = (z - 4) / (z + 4).")
print("inline constexpr double kErfcCentre = 4;")

half = ln2 / 2 * mpf("1.001")
fit = chebyshev(exp_tail, -half, half, 10)
doubles("kExp", f"(e^r - 1 - r) / r^2 for |r| <= ln(2)/2, relative error 2^{worst(exp_tail, fit, -half, half):.1f}", fit)

limit = (3 - 2 * sqrt(mpf(2))) ** 2 * mpf("1.002")
fit = chebyshev(log_tail, mpf(0), limit, 7)
doubles("kLog", "(ln((1 + s)/(1 - s)) - 2 s) / s^3 in z = s^2, for s <= 3 - 2 sqrt(2), "
        f"relative error 2^{worst(log_tail, fit, mpf(0), limit):.1f}", fit)

fit = chebyshev(erf_ratio, mpf(0), mpf(1), 12)
accuracy = worst(erf_ratio, fit, mpf(0), mpf(1))
fit[0] -= 1
doubles("kErf", f"erf(z)/z - 1 in w = z^2, for z <= 1, relative error of erf 2^{accuracy:.1f}", fit)

low, high = erfc_range(4, 0.5, 28)
function = lambda t: scaled_erfc(t, 4)
fit = chebyshev(function, low, high, 22)
doubles("kErfc", f"(1 + 2 z) e^(z^2) erfc(z) in t, for 1/2 <= z <= 28, relative error 2^{worst(function, fit, low, high):.1f}",
        fit)

powers = [mpf(2) ** (mpf(i) / 16) for i in range(16)]
doubles("kPowers", "2^(i/16)", powers, "alignas(64) ")
doubles("kPowersRest", "what its rounding leaves", [power - rounded(power) for power in powers], "alignas(64) ")
half = ln2 / 32 * mpf("1.001")
fit = chebyshev(exp_cubic_tail, -half, half, 6)
doubles("kExpCubic", f"(e^r - 1 - r - r^2/2) / r^3 for |r| <= ln(2)/32, relative error 2^{worst(exp_cubic_tail, fit, -half, half):.1f}",
        fit)

print("""
// e^(x^2) erfc(x) in d = x - centre, for 0 <= x < 7.5, relative error 2^-68: of each of 16 rows the centre, five
// coefficients with what their rounding leaves, twelve without. Four rows to an octave of 1 + 2 x; a row stands
// where the last two bits of the exponent and the first two of the mantissa say.
alignas(64) inline constexpr double kErfcRows[][16] = {""")
columns = [[mpf(0)] * 16 for _ in range(23)]
for octave in range(4):
    for quarter in range(4):
        begin, end = ((mpf(2) ** octave * (1 + mpf(q) / 4) - 1) / 2 for q in (quarter, quarter + 1))
        centre = (begin + end) / 2
        row_function = lambda d: exp((centre + d) ** 2) * erfc(centre + d)
        fit = chebyshev(row_function, begin - centre, end - centre, 16)
        assert worst(row_function, fit, begin - centre, end - centre) < -68
        row = [centre] + [part for c in fit[:5] for part in (c, c - rounded(c))] + fit[5:]
        for column, value in zip(columns, row):
            column[(1023 + octave) % 4 * 4 + quarter] = value
print(",\n".join("    {" + ", ".join(map(literal, column)) + "}" for column in columns) + "};")

pairs("kExpWide", "1/(k + 1)!, the series of (e^r - 1)/r; what follows fits in a double",
      [1 / factorial(k + 1) for k in range(12)])
doubles("kExpWideTail", "its continuation, to 2^-110 for |r| <= ln(2)/2",
        [1 / factorial(k + 1) for k in range(12, 24)])

fit = chebyshev(erf_ratio, mpf(0), mpf(1), 21)
pairs("kErfWide", f"erf(z)/z in w = z^2, for z <= 1, relative error 2^{worst(erf_ratio, fit, mpf(0), mpf(1)):.1f}",
      fit[:16])
doubles("kErfWideTail", "its continuation", fit[16:])

low, high = erfc_range(4, 1, 28)
fit = chebyshev(function, low, high, 26)
pairs("kErfcWide", f"(1 + 2 z) e^(z^2) erfc(z) in t, for 1 <= z <= 28, relative error 2^{worst(function, fit, low, high):.1f}",
      fit[:16])
doubles("kErfcWideTail", "its continuation", fit[16:])
print("\n}  // namespace keratin::inline v0::simd::coefficients")
