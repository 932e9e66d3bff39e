#!/usr/bin/env python3
"""Prints tables.h: the piecewise polynomials behind the fast f32 kernels. Needs mpmath and numpy:
python3 tools/tables/generate.py > keratin/activations/tables/tables.h

A row covers a stretch of t (x or |x|) and holds a centre c, f(c) and q, so that f(t) = f(c) + d q(d) with d
= t - c. What makes 6 coefficients enough for 1 ULP is the centre: it is searched so that f(c) is almost
exactly a float (and c + f(c) too, where the other side of 0 is computed from that), and f'(c) nearly one.
Coefficients are fitted by least squares on the relative error, the lowest rounded first, the rest refitted
to absorb its rounding. Of the best centres the one with the smallest simulated error wins; the sweep over
all floats (./dev accuracy) is what proves the bound."""
import multiprocessing
import sys
from dataclasses import dataclass
from typing import Callable, Optional

import mpmath as mp
import numpy as np

mp.mp.dps = 40
MODEL = 16  # nodes of the local model of a row
NODES = [mp.cos((2 * i + 1) * mp.pi / (2 * MODEL)) for i in range(MODEL)]
TO_MONOMIALS = mp.matrix([[node**j for j in range(MODEL)] for node in NODES]) ** -1
GOOD = 0.8  # ULP: no better row is looked for
FIT_POINTS = np.cos((2 * np.arange(28) + 1) * np.pi / 56)
f32 = np.float32


@dataclass
class Table:
    name: str
    f: Callable  # of t; with `power` the factor g of f = x^power g
    edges: list  # [from, to) of each row, in the order of their index
    index: str  # how t gives the index, as table.h names it
    curve: tuple  # of that way: scale, square, start
    reach: float  # |x| beyond which the table is not used (or, with clamps, does not change)
    degree: int = 6
    near_degree: Optional[int] = None  # of the first 16 rows of 32, where that is another
    symmetry: str = "even"  # as table.h names it; "sum": how a gate's rows beyond give f(x)
    beyond: Optional["Table"] = None  # the other 16 rows, from reach on, where their index is another
    low: float = 0  # where those begin: they hold a rise of the base
    power: int = 0
    shift: int = 0  # f is 2^shift as large as what the kernel gives
    clamps: bool = False
    root: int = 1  # odd, below: row 0 adds root t, a multiple of x that rounding does not touch
    first: int = 0  # where in the columns row 0 stands
    negative: bool = False  # t stands for x = -t
    zero: float = float("nan")  # t where f crosses 0 and is held to 2^-24 within 1/8
    centres_zero: bool = False  # that is the centre of its row: within 1/8 it is held to 1.25 ULP

    @property
    def mirrored(self):
        """The value on the other side of 0 from that on this one."""
        complement = lambda c, v: 1 - v
        return {"complement": complement, "gate": complement, "ramp": lambda c, v: c + v, "sum": lambda c, v: c + v}.get(self.symmetry)

    @property
    def size(self):
        return 16 if len(self.edges) == 16 else 32

    def centres_zero_of(self, a, b):
        """Whether the row from a to b has f's zero for its centre."""
        return self.centres_zero and a < self.zero < b

    def place(self, k):
        return (k + self.first) % self.size

    def row_degree(self, k):
        return self.near_degree if self.near_degree and self.place(k) < 16 else self.degree


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


def fit(g, rise_of_base, base, da, db, count, starts_at_zero=False, weigh=lambda d, f: 1 / np.maximum(np.abs(f), 1e-30)):
    """q such that base + rise_of_base d + d q(d) is nearest to the row's f on [da, db], where weigh(d, f) counts most."""
    reach = max(abs(da), abs(db))
    d = (da + db) / 2 + (db - da) / 2 * FIT_POINTS
    rise = d * np.polynomial.polynomial.polyval(d, g[1:])
    weight = weigh(d, g[0] + rise)
    target = (rise + (g[0] - base) - rise_of_base * d) * weight
    basis = np.stack([d * weight * (d / reach) ** j for j in range(count)], 1)
    q = np.zeros(count, dtype=f32)
    for k in range(count):
        best = np.linalg.lstsq(basis[:, k:], target, rcond=None)[0]
        q[k] = 0 if starts_at_zero and k == 0 else f32(best[0] / reach**k)
        target = target - np.float64(q[k]) * reach**k * basis[:, k]
    return q


def fit_gate(g, base, a, b, centre, count):
    """The side of x < 0, where the result is smaller, counts."""
    weigh = lambda d, f: (d + centre) / ulp((d + centre) * (1 - f))
    return fit(g, 0, 1 - base, a - centre, b - centre, count, weigh=weigh)


def short(v):
    """v to 5 bits: times d, plus the base, it is exact, or nearly."""
    mantissa, exponent = np.frexp(v)
    return f32(np.ldexp(np.round(mantissa * 32) / 32, exponent))


def kernel(table, centre, base, rise, q, t, other_side, has_root):
    """What keratin/activations/tables/tabled.inl computes."""
    x = -t if table.negative != other_side else t
    d = f32(t - f32(centre))
    p = np.full_like(d, q[-1])
    for c in q[-2::-1]:
        p = fma(p, d, c)
    base = fma(d, rise, np.full_like(d, base))
    if table.symmetry == "odd":
        base = np.maximum(base, table.root * d)
    elif table.symmetry == "below":
        base = np.minimum(base, table.root * d)
    elif other_side and table.symmetry == "ramp":
        base, p = f32(f32(centre) + base), f32(p + f32(1))
    if table.symmetry == "gate":
        return fma(x, f32(1) - base if not other_side else base, f32(f32(t * d) * p))
    if table.power == 0:
        y = fma(d, p, base)
        if other_side and table.symmetry == "sum":
            y = f32(x + y)
        return f32(1) - y if other_side and table.symmetry == "complement" else y
    size, rest = x, f32(0)  # x^power in two parts
    if table.power > 1:
        size = t * t
        rest = fma(t, t, -size)
    if table.power == 3:
        square, size = size, size * x
        rest = fma(rest, x, fma(square, x, -size))
    return fma(size, base, fma(size, d * p, rest * base)) * f32(2.0**-table.shift)


def simulate(table, model, a, b, centre, base, rise, q, has_root, points=1500):
    """The largest error in ULP."""
    near = (b - a) / 50 * (np.arange(250) + 0.5) / 250
    t = f32(np.concatenate([np.linspace(a, b, points, endpoint=False), a + near, b - near]))
    return error_at(t, table, model, centre, base, rise, q, has_root)


def exhaust(table, model, a, b, *row):
    """The largest error in ULP of all floats of a row; next to 0, of 2 million."""
    worst = 0
    for sign, near, far in ((1, a, b), (-1, -b, -a)):
        first, last = f32([max(near, 2.0**-6), max(0, far)]).view(np.int32)
        t = sign * np.arange(first, last + 1, max(1, (last - first) // 2_000_000), dtype=np.int32).view(f32)
        if len(t):  # parts that stay in the cache
            parts = np.array_split(t, len(t) // 10**5 + 1)
            worst = max(worst, max(error_at(part, table, model, *row, False) for part in parts))
    return worst


def error_at(t, table, model, centre, base, rise, q, has_root):
    worst = 0
    for other_side in [False, True] if table.mirrored else [False]:
        exact = model.value(t.astype(np.float64))
        if other_side:
            exact = table.mirrored(t.astype(np.float64), exact)
        exact = exact * (t.astype(np.float64) * (-1 if table.negative != other_side else 1)) ** table.power / 2.0**table.shift
        y = kernel(table, centre, base, rise, q, t, other_side, has_root).astype(np.float64)
        # A centre next to the zero is known to 2^-24 of its distance from there, and so is f where t is nearer still.
        near_zero = np.maximum(1.25 * ulp(exact), 2.0**-40) if table.centres_zero else 2.0**-24
        unit = np.where((np.abs(t - table.zero) < 0.125) & (not other_side), near_zero, ulp(exact))
        known = t != 0
        worst = max(worst, np.max((np.abs(y - exact) / unit)[known]))
    return worst


def make_row(table, k, a, b):
    model = Model(table.f, a, b)
    count = table.row_degree(k)
    slope = {"odd": table.root, "below": table.root}.get(table.symmetry)
    has_root = slope is not None and (a == 0 or b == 0)
    if has_root:  # f(0) = 0, and the kernel's base is slope t here
        q = fit(model.around(0.0), slope, 0.0, a, b, count, abs(model.around(0.0)[1] - slope) < 1e-9)
        row = 0.0, f32(0), f32(0), q
        return simulate(table, model, a, b, *row, True, 60000), *row
    if table.symmetry == "gate" and a == 0:
        # Where x is subnormal x/2 is all; 0 itself would lose the sign of -0.
        centre = 2.0**-100
        row = centre, f32(0.5), f32(0), fit_gate(model.around(centre), 0.5, a, b, centre, count)
        return exhaust(table, model, a, b, *row), *row
    by_error = lambda row: row[0]
    judge = lambda rows, points: sorted(((simulate(table, model, a, b, *row, False, points), *row) for _, *row in rows), key=by_error)
    if table.centres_zero_of(a, b):
        zero = float(mp.findroot(table.f, table.zero))
        rows = sorted(search(table, model, a, b, zero - 2.0**-15, zero + 2.0**-15, count), key=by_error)
        return judge(rows[:20], 60000)[0]
    # Where f falls steeply a centre towards the far end, where it is small, loses least.
    high = 0.65 if table.symmetry == "gate" else 0.95
    rows = []
    for row in search(table, model, a, b, a + 0.3 * (b - a), a + high * (b - a), count):
        rows.append(row)
        if len(rows) >= 150 and min(rows, key=by_error)[0] < GOOD - 0.1:
            break
    rows = sorted(rows, key=by_error)[:100]
    best = (float("inf"),)
    for _, *row in judge(judge(rows, 20000)[:60], 100000)[:24]:
        best = min(best, (exhaust(table, model, a, b, *row), *row), key=by_error)
        if best[0] < GOOD:
            break
    return best


def search(table, model, a, b, low, high, count):
    """Rows with their simulated error, those with the most promising centres in [low, high] first."""
    if table.symmetry in ("odd", "below"):  # the base has to be farther from 0 than any root d
        room = 0.9 / table.root * abs(model.value(a if table.symmetry == "below" else b))
        if table.symmetry == "below":
            low, high = min(low, a + 0.5 * room), min(high, a + room)
        else:
            low, high = max(low, b - room), max(high, b - 0.5 * room)
    spacing = float(ulp(max(abs(low), abs(high), 2.0**-20)))
    steps = int((high - low) / spacing)
    tried = 400000 if table.symmetry == "gate" else 6000
    first = float(f32(low))
    first += -first % spacing  # beyond the next power of two too they have to be floats
    centres = first + np.arange(0, steps, max(1, steps // tried)) * spacing
    values, slopes = model.value(centres), model.slope(centres)
    bases = 1 - values if table.symmetry == "gate" else values
    score = 1.5 * off_float(bases) + 0.35 * (b - a) * np.abs(slopes - f32(slopes)) / ulp(bases)
    kept = 1000
    if table.centres_zero_of(a, b):
        score, kept = off_float(slopes), 600
    if table.symmetry in ("gate", "ramp"):
        other = table.mirrored(centres, bases)
        score += 1.5 * np.abs(f32(table.mirrored(f32(centres), f32(bases))) - other) / ulp(other)
    centres = centres[np.argsort(score)]
    for centre in centres[:kept]:
        g = model.around(centre)
        base, rise = f32(g[0]), short(g[1]) if table.low else f32(0)
        if table.symmetry == "gate":  # the side of x < 0 is the smaller, and more exact
            base = f32(1 - g[0])
            q = fit_gate(g, float(base), a, b, centre, count)
        else:
            q = fit(g, float(rise), float(base), a - centre, b - centre, count)
        yield simulate(table, model, a, b, centre, base, rise, q, False), centre, base, rise, q


def octaves(scale, start):
    """The index is the exponent's last two bits and the first two of the mantissa of start + scale t."""
    first = f32(start).view(np.int32) >> 21
    edge = lambda i: (float(np.int32(i << 21).view(f32)) - start) / scale
    return [(edge(i), edge(i + 1)) for i in range(first, first + 16)]


def curve(linear, square, rows, first=0):
    """The index is linear t + square t |t|, rounded."""
    def edge(u):
        if u < 0:
            return -edge(-u)
        return (-linear + (linear**2 + 4 * square * u) ** 0.5) / (2 * square)
    return [(edge(k - 0.5), edge(k + 0.5)) for k in range(first, first + rows)]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def normal(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


GELU = 2 * mp.sqrt(2 / mp.pi)
CUBIC = mp.mpf("0.044715")
SELU = mp.mpf("1.0507009873554804934193349852946") * mp.mpf("1.6732632423543772848170429916717")


def gelu_slope(a):
    """Of -a, as the slopes below."""
    return normal(-a) - a * density(a)


def gelu_gate(x):
    return sigmoid(GELU * (x + CUBIC * x**3))


def gelu_tanh_slope(a):
    x = -a
    s = gelu_gate(x)
    return s + x * s * (1 - s) * GELU * (1 + 3 * CUBIC * x * x)


def mish_gate(x):
    return mp.tanh(mp.log1p(mp.exp(x)))


def mish_slope(x):
    t, s = mish_gate(x), sigmoid(x)
    return t + x * s * (1 - t * t)


def silu_slope(x):
    s = sigmoid(x)
    return s + x * s * (1 - s)


def in_octaves(scale, reach, start=1.0, **rest):
    edges = octaves(scale, start) if scale > 0 else [(b, a) for a, b in octaves(scale, start)]
    return dict(edges=edges, index="octaves", curve=(scale, 0, start), reach=reach, clamps=True,
                first=int(f32(start).view(np.int32) >> 21), **rest)


def in_steps(width, first=0, **rest):
    edges = [(k * width, (k + 1) * width) for k in range(first, first + 32)]
    return dict(edges=edges, index="steps", curve=(1 / width, 0, 0), reach=edges[-1][1], **rest)


def curved(linear, square, reach, rows=32, first=0, **rest):
    return dict(edges=curve(linear, square, rows, first), index="curve", curve=(linear, square, -first), reach=reach,
                **rest)


def beyond(linear, square, low, reach, **rest):
    """The second 16 rows of |x|, from low on."""
    first = int(linear * low + square * low**2 + 0.5)
    form = curved(linear, square, reach, 16, first, **rest)
    return form | dict(curve=(linear, square, 16 - first), low=low)


def both_sides(form):
    """Rows from -16 to 15, over x; those next to 0 come first."""
    linear, square, _ = form["curve"]
    return form | dict(curve=(linear, square, 8), first=-16 + 8, symmetry="none")


def root(a):
    return mp.sqrt(a * a + 4)


TABLES = [
    Table("Tanh", mp.tanh, symmetry="odd", degree=5, **in_octaves(1.625, 9.2)),
    Table("TanhSlope", lambda a: mp.sech(a) ** 2, **in_steps(0.25)),
    Table("Sigmoid", lambda a: sigmoid(-a), symmetry="complement", degree=4, **in_steps(0.25)),
    Table("SigmoidSlope", lambda a: sigmoid(a) * sigmoid(-a), degree=5, **in_steps(0.25)),
    Table("Softplus", lambda a: mp.log1p(mp.exp(-a)), symmetry="ramp", degree=4, **in_steps(0.25)),
    Table("Elu", mp.expm1, symmetry="below", degree=5, **in_octaves(-1.08, 17.35, 1.25)),
    Table("Selu", lambda a: SELU * mp.expm1(a), symmetry="below", root=2, degree=5, **in_octaves(-1, 17.5, 1.25)),
    Table("Silu", sigmoid, symmetry="gate", power=1, degree=4, **in_steps(0.25)),
    Table("SiluSlope", lambda a: silu_slope(-a), symmetry="complement", near_degree=5, zero=1.2784645, centres_zero=True, **curved(4.853, -1 / 8, 8.0)),
    Table("Gelu", normal, symmetry="gate", power=1, degree=5, **curved(2.25, 1 / 2, 3.75, 16), beyond=Table(
        "", lambda a: -a * normal(-a), symmetry="sum", negative=True, degree=7, **beyond(0, 0.3201, 3.75, 8.0))),
    Table("GeluSlope", gelu_slope, symmetry="complement", zero=0.7517915, centres_zero=True, **curved(3.967, 1 / 32, 3.75, 16), beyond=Table(
        "", gelu_slope, symmetry="complement", degree=7, **beyond(0, 0.3201, 3.75, 8.0))),
    Table("GeluTanh", gelu_gate, symmetry="gate", power=1, degree=5, **curved(2.66, 1 / 2, 3.5, 16), beyond=Table(
        "", lambda a: -a * gelu_gate(-a), symmetry="sum", negative=True, degree=8, **beyond(-1.8816, 0.57924, 3.5, 7.2))),
    Table("GeluTanhSlope", gelu_tanh_slope, symmetry="complement", zero=0.7524614, centres_zero=True, **curved(3.8929, 1 / 8, 3.5, 16), beyond=Table(
        "", gelu_tanh_slope, symmetry="complement", degree=8, **beyond(-1.8816, 0.57924, 3.5, 7.2))),
    Table("Mish", mish_gate, power=1, **both_sides(in_steps(0.5, -16))),
    Table("MishSlope", mish_slope, zero=-1.1924, **both_sides(curved(2.9375, -1 / 8, 8.0, first=-16))),
    Table("TanhShrink", lambda a: 2**40 * (a - mp.tanh(a)) / a**3, power=3, shift=40, degree=5, **in_steps(0.25)),
    Table("TanhShrinkSlope", lambda a: 2**40 * (mp.tanh(a) / a) ** 2, power=2, shift=40, degree=7, clamps=True, **curved(2.8145, -1 / 8, 9.6, 16)),
    Table("Squareplus", lambda a: 2 / (root(a) + a), symmetry="ramp", degree=4, **in_steps(0.25)),
    Table("SquareplusSlope", lambda a: 2 / (root(a) * (root(a) + a)), symmetry="complement", degree=5, **in_steps(0.25)),
]


def column(values):
    return "{" + ", ".join(float(v).hex() + "f" for v in values) + "}"


def rows_of(table):
    """(place in the columns, its ends, simulated error, centre, base, rise, q) of each row that is used."""
    low, high = (-table.reach, table.reach) if table.symmetry == "none" else (table.low, table.reach)
    if table.symmetry == "below":
        low, high = -table.reach, 0
    # Past the last edge the index is another row's.
    assert min(a for a, _ in table.edges) <= low and high <= max(b for _, b in table.edges), table.name
    for k, (a, b) in enumerate(table.edges):
        a, b = max(a, low), min(b, high)
        if a < b:
            yield (table.place(k), (a, b), *make_row(table, k, a, b))


def text_of(number):
    """Of the table of that number."""
    table = TABLES[number]
    parts = [table] if table.beyond is None else [table, table.beyond]
    degree, size = max(part.degree for part in parts), sum(part.size for part in parts)
    columns = np.zeros((3 + degree, size), dtype=f32)
    worst, reach, near = 0, parts[-1].reach, parts[0].reach
    for first, part in enumerate(parts):
        for place, (a, b), error, centre, base, rise, q in rows_of(part):
            columns[: 3 + len(q), 16 * first + place] = [centre, base, rise, *q]
            worst = max(worst, error)
            if place >= 16:
                near = min(near, abs(a), abs(b))
    print(f"k{table.name}: {worst:.3f}", file=sys.stderr)
    flags = [f".index = Index::{table.index}", f".symmetry = Symmetry::{table.symmetry}", f".reach = {reach}f"]
    if table.beyond:
        flags += [f".near = {near}f, .near_degree = {table.degree}"]
    elif table.size == 32:
        # Less a little, so that no rounding of the index matters.
        flags += [f".near = {near - 1e-5:.6f}f, .near_degree = {table.near_degree or table.degree}"]
    literal = lambda curve: "{" + ", ".join(f"{float(v)}f" for v in curve) + "}"
    flags += [f".{name} = {literal(part.curve)}" for name, part in zip(("curve", "beyond"), parts)]
    flags += [f".root = {table.root}"] if table.root != 1 else []
    flags += [f".{name} = {getattr(table, name)}" for name in ("power", "shift") if getattr(table, name)]
    flags += [f".{name} = true" for name in ("clamps", "centres_zero") if getattr(table, name)]
    text = f"inline constexpr Table<{size}, {degree}> k{table.name}{{\n    {{{', '.join(flags)}}},\n"
    for values in columns[:3]:
        text += f"    {column(values) if values.any() else '{}'},\n"
    return text + "    {" + ",\n     ".join(column(values) for values in columns[3:]) + "}};\n"


def print_powers(name, scale):
    """scale 2^(i/16) as a float, and what its rounding takes from the logarithm."""
    exact = [scale * mp.mpf(2) ** (mp.mpf(i) / 16) for i in range(16)]
    print(f"inline constexpr Powers k{name}{{\n    {column(map(f32, map(float, exact)))},")
    print(f"    {column([float(mp.log(v / mp.mpf(float(f32(float(v)))))) for v in exact])}}};\n")


def main():
    print("""// Made by generate.py, which says how: not to be edited.
#pragma once

#include "keratin/activations/tables/table.h"

// clang-format off
namespace keratin::inline v0::activations::tables {
""")
    with multiprocessing.get_context("fork").Pool() as pool:
        for text in pool.imap(text_of, range(len(TABLES))):
            print(text)
    print_powers("Powers", mp.mpf(1))
    print_powers("SeluPowers", SELU)
    print("""}  // namespace keratin::inline v0::activations::tables
// clang-format on""")


if __name__ == "__main__":
    main()
