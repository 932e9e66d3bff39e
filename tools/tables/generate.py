#!/usr/bin/env python3
"""Prints tables.h: the piecewise polynomials behind the fast f32 kernels. Needs mpmath and numpy:
python3 tools/tables/generate.py > keratin/activations/tables/tables.h

A row covers a stretch of t (x or |x|) and holds a centre c, f(c) and q, so that f(t) = f(c) + d q(d) with
d = t - c. What makes 6 coefficients enough for 1 ULP is the centre: it is searched so that f(c) is almost
exactly a float (and 1 - f(c) or c + f(c) too, where the other side of 0 is computed from those), and f'(c)
nearly one. Coefficients are fitted by least squares on the relative error, the lowest rounded first, the rest
refitted to absorb its rounding. Of the best centres the one with the smallest simulated error wins; the sweep
over all floats (./dev accuracy) is what proves the bound."""
import sys
from dataclasses import dataclass, field
from typing import Callable, Optional

import mpmath as mp
import numpy as np

mp.mp.dps = 40
MODEL = 16  # nodes of the local model of a row
NODES = [mp.cos((2 * i + 1) * mp.pi / (2 * MODEL)) for i in range(MODEL)]
TO_MONOMIALS = mp.matrix([[node**j for j in range(MODEL)] for node in NODES]) ** -1
FIT_POINTS = np.cos((2 * np.arange(28) + 1) * np.pi / 56)
f32 = np.float32


@dataclass
class Table:
    name: str
    f: Callable  # of t; with `product` the factor g of f = x g
    edges: list  # [from, to) of each row, in the order of their index
    steps: str  # how t gives the index, as table.h names it
    constants: str  # of that way: its members
    reach: float  # |x| beyond which the table is not used (or, with clamps, does not change)
    degree: int = 6
    symmetry: str = "even"
    product: bool = False
    clamps: bool = False
    first: int = 0  # where in the columns row 0 stands
    negative: bool = False  # t stands for x = -t

    @property
    def mirrored(self):
        """The value on the other side of 0 from that on this one."""
        return {"complement": lambda c, v: 1 - v, "ramp": lambda c, v: c + v}.get(self.symmetry)


class Model:
    """f near a row: monomials of (t - mid)/half, exact to double."""

    def __init__(self, f, a, b):
        self.mid, self.half = (a + b) / 2, (b - a) / 2
        values = mp.matrix([f(mp.mpf(self.mid) + mp.mpf(self.half) * node) for node in NODES])
        self.c = np.array([float(v) for v in TO_MONOMIALS * values])

    def value(self, t):
        return np.polynomial.polynomial.polyval((t - self.mid) / self.half, self.c)

    def slope(self, t):
        return np.polynomial.polynomial.polyval((t - self.mid) / self.half, self.c[1:] * np.arange(1, MODEL)) / self.half

    def around(self, centre):
        """Coefficients in d = t - centre."""
        s, w = (centre - self.mid) / self.half, self.c.copy()
        for k in range(MODEL):
            for j in range(MODEL - 2, k - 1, -1):
                w[j] += s * w[j + 1]
        return w / self.half ** np.arange(MODEL)


def ulp(v):
    return 2.0 ** (np.floor(np.log2(np.maximum(np.abs(v), 2.0**-126))) - 23)


def off_float(v):
    """How far v is from a float, in ULP."""
    return np.abs(v - f32(v).astype(np.float64)) / ulp(v)


def fma(a, b, c):
    return f32(np.float64(a) * np.float64(b) + np.float64(c))


def fit(g, base, da, db, count):
    """q such that base + d q(d) is nearest to the row's f on [da, db]."""
    reach = max(abs(da), abs(db))
    d = (da + db) / 2 + (db - da) / 2 * FIT_POINTS
    rise = d * np.polynomial.polynomial.polyval(d, g[1:])
    weight = 1 / np.maximum(np.abs(g[0] + rise), 1e-30)
    target = (rise + (g[0] - base)) * weight
    basis = np.stack([d * weight * (d / reach) ** j for j in range(count)], 1)
    q = np.zeros(count, dtype=f32)
    for k in range(count):
        best = np.linalg.lstsq(basis[:, k:], target, rcond=None)[0]
        q[k] = f32(best[0] / reach**k)
        target = target - np.float64(q[k]) * reach**k * basis[:, k]
    return q


def kernel(table, centre, base, mirror, q, t, other_side):
    """What keratin/activations/tables/tabled.inl computes."""
    x = -t if table.negative != other_side else t
    d = f32(t - f32(centre))
    p = np.full_like(d, q[-1])
    for c in q[-2::-1]:
        p = fma(p, d, c)
    if other_side:
        base = mirror
        p = -p if table.symmetry == "complement" else f32(p + f32(1))
    return fma(x, base, x * (d * p)) if table.product else fma(d, p, base)


def simulate(table, model, a, b, centre, base, mirror, q):
    near = (b - a) / 50 * (np.arange(250) + 0.5) / 250
    t = f32(np.concatenate([np.linspace(a, b, 1500, endpoint=False), a + near, b - near]))
    worst = 0
    for other_side in [False, True] if table.mirrored else [False]:
        exact = model.value(t.astype(np.float64))
        if other_side:
            exact = table.mirrored(t.astype(np.float64), exact)
        if table.product:
            exact = exact * t * (-1 if table.negative != other_side else 1)
        y = kernel(table, centre, base, mirror, q, t, other_side).astype(np.float64)
        known = exact != 0
        worst = max(worst, np.max(np.abs(y - exact)[known] / ulp(exact[known])))
    return worst


def make_row(table, a, b):
    model = Model(table.f, a, b)
    low, high = a + 0.3 * (b - a), a + 0.8 * (b - a)
    spacing = float(ulp(max(abs(low), abs(high), 2.0**-20)))
    count = int((high - low) / spacing)
    centres = float(f32(low)) + np.arange(0, count, max(1, count // 6000)) * spacing
    if table.product and a < 0 < b:
        centres = centres[centres < 0]  # d q(d) is then positive at 0, and x g(x) keeps the sign of -0
    values, slopes = model.value(centres), model.slope(centres)
    score = 1.5 * off_float(values) + 0.35 * (b - a) * np.abs(slopes - f32(slopes)) / ulp(values)
    if table.mirrored:
        score += 1.5 * off_float(table.mirrored(centres, values))
    rows = []
    for k in np.argsort(score)[:14]:
        centre, g = centres[k], model.around(centres[k])
        base = f32(g[0])
        mirror = f32(table.mirrored(centre, g[0])) if table.mirrored else f32(0)
        q = fit(g, float(base), a - centre, b - centre, table.degree)
        rows.append((simulate(table, model, a, b, centre, base, mirror, q), centre, base, mirror, q))
    return min(rows, key=lambda row: row[0])


def even_steps(width, rows, first=0):
    return [(width * (k - 0.5), width * (k + 0.5)) for k in range(first, first + rows)]


def octaves(scale):
    """The index is the exponent's last two bits and the first two of the mantissa of scale t + 1."""
    edge = lambda i: ((1 << (i // 4)) * (1 + (i % 4) * 0.25) - 1) / scale
    return [(edge(i), edge(i + 1)) for i in range(16)]


def widening(linear, square, rows):
    """The index is linear t + square t^2, rounded."""
    def edge(u):
        if square == 0 or u <= 0:
            return u / linear
        return (-linear + (linear**2 + 4 * square * u) ** 0.5) / (2 * square)
    return [(edge(k - 0.5), edge(k + 0.5)) for k in range(rows)]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def normal(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


GELU = 2 * mp.sqrt(2 / mp.pi)
CUBIC = mp.mpf("0.044715")
SELU = mp.mpf("1.0507009873554804934193349852946") * mp.mpf("1.6732632423543772848170429916717")


def gelu_gate(x):
    return sigmoid(GELU * (x + CUBIC * x**3))


def gelu_tanh_slope(x):
    s = gelu_gate(x)
    return s + x * s * (1 - s) * GELU * (1 + 3 * CUBIC * x * x)


def mish_gate(x):
    return mp.tanh(mp.log1p(mp.exp(x)))


def silu_slope(x):
    s = sigmoid(x)
    return s + x * s * (1 - s)


def tanh_factor(a):
    return mp.tanh(a) / a if abs(a) > mp.mpf(10) ** -12 else 1 - a * a / 3


def expm1_factor(a):
    return -mp.expm1(-a) / a if abs(a) > mp.mpf(10) ** -12 else 1 - a / 2


HALVES = dict(steps="even_steps", constants="", reach=7.75)
WHOLE = dict(edges=even_steps(0.5, 32, -16), symmetry="none", first=-16, **HALVES)
POSITIVE = dict(edges=even_steps(0.5, 16), **HALVES)
ONE_OCTAVE = 0x3F800000 >> 21  # the index of t = 0


def in_octaves(scale, reach, **rest):
    return dict(edges=octaves(scale), steps="octaves", constants=f".scale = {scale}f", reach=reach, clamps=True,
                first=ONE_OCTAVE, **rest)


def widened(linear, square, reach, **rest):
    return dict(edges=widening(linear, square, 32), steps="widening",
                constants=f".scale = {linear}f, .square = {float(square)}f", reach=reach, **rest)


GATED = dict(product=True, symmetry="complement", negative=True)
TABLES = [
    Table("Tanh", tanh_factor, product=True, **in_octaves(1.625, 9.2)),
    Table("TanhSlope", lambda a: mp.sech(a) ** 2, **widened(3.42, 0, 9.0)),
    Table("Sigmoid", lambda a: sigmoid(-a), symmetry="complement", degree=5, **POSITIVE),
    Table("SigmoidSlope", lambda a: sigmoid(a) * sigmoid(-a), **POSITIVE),
    Table("Softplus", lambda a: mp.log1p(mp.exp(-a)), symmetry="ramp", degree=5, **POSITIVE),
    Table("Elu", expm1_factor, product=True, **in_octaves(0.857, 17.5)),
    Table("Selu", lambda a: SELU * expm1_factor(a), product=True, **in_octaves(0.857, 17.5)),
    Table("Silu", lambda a: sigmoid(-a), degree=5, **GATED, **POSITIVE),
    Table("SiluSlope", lambda a: silu_slope(-a), symmetry="complement", **widened(4.0, 0, 7.75)),
    Table("Gelu", lambda a: normal(-a), **GATED, **widened(2.833, 0.4, 5.4)),
    Table("GeluSlope", lambda a: normal(-a) - a * density(a), symmetry="complement", **widened(2.5, 0.45, 6.0)),
    Table("GeluTanh", lambda a: gelu_gate(-a), **GATED, **widened(2.28, 0.8, 4.2)),
    Table("GeluTanhSlope", lambda a: gelu_tanh_slope(-a), symmetry="complement", **widened(2.28, 0.8, 4.9)),
    Table("Mish", mish_gate, product=True, **WHOLE),
]


def column(values):
    return "{" + ", ".join(float(v).hex() + "f" for v in values) + "}"


def print_table(table):
    size = 16 if len(table.edges) == 16 else 32
    columns = np.zeros((3 + table.degree, size), dtype=f32)
    worst = 0
    for k, (a, b) in enumerate(table.edges):
        low, high = (-table.reach, table.reach) if table.symmetry == "none" else (0, table.reach)
        a, b = max(a, low), min(b, high)
        if a >= b:
            continue
        error, centre, base, mirror, q = make_row(table, a, b)
        columns[:, (k + table.first) % size] = [centre, base, mirror, *q]
        worst = max(worst, error)
    print(f"k{table.name}: {worst:.3f}", file=sys.stderr)
    flags = [f".steps = Steps::{table.steps}", f".symmetry = Symmetry::{table.symmetry}", f".reach = {table.reach}f"]
    flags += [table.constants] if table.constants else []
    flags += [".product = true"] if table.product else []
    flags += [".clamps = true"] if table.clamps else []
    print(f"inline constexpr Table<{size}, {table.degree}> k{table.name}{{\n    {{{', '.join(flags)}}},")
    for values in columns[:3]:
        print(f"    {column(values)},")
    print("    {" + ",\n     ".join(column(values) for values in columns[3:]) + "}};\n")


def print_powers(name, scale):
    """scale 2^(i/16) as a float, and what its rounding takes from the logarithm."""
    exact = [scale * mp.mpf(2) ** (mp.mpf(i) / 16) for i in range(16)]
    print(f"inline constexpr Powers k{name}{{\n    {column(map(f32, map(float, exact)))},")
    print(f"    {column([float(mp.log(v / mp.mpf(float(f32(float(v)))))) for v in exact])}}};\n")


print("""// Made by generate.py, which says how: not to be edited.
#pragma once

#include "keratin/activations/tables/table.h"

// clang-format off
namespace keratin::inline v0::activations::tables {
""")
for one in TABLES:
    print_table(one)
print_powers("Powers", mp.mpf(1))
print_powers("SeluPowers", SELU)
print("""}  // namespace keratin::inline v0::activations::tables
// clang-format on""")
