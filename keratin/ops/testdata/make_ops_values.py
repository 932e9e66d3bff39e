"""Writes ops_values.txt, the values that ops_test.cc expects, with NumPy: python3 make_ops_values.py.

Inputs are multiples of 1/8 (exact in float32, sums and products too), so that one table serves both dtypes and most
rows allow no error at all. A line reads: function, ULPs allowed, "args" their number and values, then for each input
"in" rank, sizes, values, and last "out" rank, sizes, values.
"""
import numpy as np

rng = np.random.default_rng(7)
NAN, INF = np.nan, np.inf
rows = []


def grid(*shape, low=-40, high=41):
    return rng.integers(low, high, shape).astype(np.float64) / 8


def positive(*shape):
    return rng.integers(1, 60, shape).astype(np.float64) / 8


def text(x):
    return repr(int(x)) if np.isfinite(x) and x == int(x) and not (x == 0 and np.signbit(x)) else repr(float(x))


def array(a):
    a = np.asarray(a, dtype=np.float64)
    return " ".join([str(a.ndim), *map(str, a.shape), *map(text, a.ravel())])


def add(function, inputs, expected, args=(), ulps=0):
    words = [function, str(ulps), "args", str(len(args)), *map(text, args)]
    for a in inputs:
        words += ["in", array(a)]
    rows.append(" ".join([*words, "out", array(expected)]))


special = np.array([NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5])
pairs = (np.repeat(special, len(special)), np.tile(special, len(special)))
BINARY = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
          "maximum": np.maximum, "minimum": np.minimum}
SHAPES = [((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((2, 1, 3), (4, 1)), ((5,), ()), ((), ()), ((1, 3), (2, 1)),
          ((0, 3), (3,)), ((2, 3, 1, 2), (1, 3, 2, 1))]
with np.errstate(all="ignore"):
    for name, f in BINARY.items():
        for sa, sb in SHAPES:
            a, b = grid(*sa), positive(*sb)
            add(name, [a, b], f(a, b))
        if name in ("maximum", "minimum"):  # the sign of zero is free there
            a, b = (np.where(p == 0, 0.0, p) for p in pairs)
            add(name, [a, b], f(a, b))
        else:
            add(name, pairs, f(*pairs))
    for name, f in {"equal": np.equal, "greater": np.greater}.items():
        for sa, sb in SHAPES:
            a, b = grid(*sa, low=-3, high=3), grid(*sb, low=-3, high=3)
            add(name, [a, b], f(a, b))
        add(name, pairs, f(*pairs))
    x = np.concatenate([special, grid(9)])
    add("negative", [x], np.negative(x))
    add("absolute", [x], np.abs(x))
    add("square", [x], np.square(x))
    add("sqrt", [x], np.sqrt(x))
    add("exp", [x], np.exp(x), ulps=1)
    add("log", [x], np.log(x), ulps=1)
    for e in (0, 1, 2, 3, -1, -2, 0.5, 1.5):
        # An array of exponents: for a scalar 0.5 NumPy takes sqrt, which is not IEEE's pow at -0 and -inf.
        add("power", [x], np.power(x, np.full_like(x, e)), [e], ulps=1)
    add("clip", [x], np.clip(x, -0.75, 1.25), [-0.75, 1.25])
    for shape in ((2, 3, 4), (1, 3, 1), (0,), ()):
        c, a, b = grid(*shape) > 0, grid(*shape), grid(3, 1) if shape else grid()
        add("where", [c, a, b], np.where(c, a, b))

REDUCE = [((2, 3, 4), None), ((2, 3, 4), (0,)), ((2, 3, 4), (1,)), ((2, 3, 4), (2,)), ((2, 3, 4), (-1,)),
          ((2, 3, 4), (0, 2)), ((2, 3, 4), (0, 1)), ((2, 3, 4), (1, 2)), ((2, 3, 4), ()), ((3, 2, 2, 3), (0, 2)),
          ((5,), None), ((), None), ((3, 140), (1,)), ((140, 3), (0,)), ((2, 260), (0,))]
for name, f in {"sum": np.sum, "mean": np.mean, "max": np.max}.items():
    for shape, axes in REDUCE:
        a = grid(*shape)
        for keep in (False, True) if a.size < 100 else (False,):
            # args: keepdims, whether axes are given, the axes
            add(name, [a], f(a, axis=axes, keepdims=keep), [keep, axes is not None, *(axes or ())])
add("sum", [grid(0, 3)], np.zeros(3), [0, 1, 0])
add("sum", [grid(0, 3)], np.zeros(0), [0, 1, 1])
add("max", [np.array([[1, NAN, 2], [-INF, -INF, -3], [NAN, INF, 0]])], [NAN, -3, NAN], [0, 1, 1])
long = grid(4, 19)
long[1, 3], long[2, 18] = NAN, NAN
add("max", [long], np.max(long, 1), [0, 1, 1])
for shape, axis in (((3, 5), -1), ((3, 5), 0), ((2, 3, 4), 1), ((6,), 0)):
    a = grid(*shape, low=-3, high=3)
    add("argmax", [a], np.argmax(a, axis), [axis])
a = np.array([[1, NAN, 2, NAN], [-INF, -INF, -INF, -INF], [0.0, -0.0, 0, 0]])
add("argmax", [a], np.argmax(a, -1), [-1])

for sa, sb in (((3, 4), (4, 5)), ((1, 4), (4, 5)), ((3, 4), (4, 1)), ((3, 0), (0, 5)), ((0, 4), (4, 5)),
               ((66, 3), (3, 65)), ((4,), (4,)), ((4,), (4, 5)), ((3, 4), (4,)), ((2, 3, 4), (4, 5)),
               ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)),
               ((3, 4), (2, 4, 5)), ((4,), (2, 4, 5)), ((3, 260), (260, 2))):
    a, b = grid(*sa), grid(*sb)
    add("matmul", [a, b], a @ b)

a = grid(2, 3, 4)
add("reshape", [a], a.reshape(4, 6), [4, -1])
add("transpose", [a], a.T)
add("transpose", [a], a.transpose(1, 0, 2), [1, 0, 2])
b = grid(3, 1)
add("broadcast_to", [b], np.broadcast_to(b, (2, 3, 4)), [2, 3, 4])
add("expand_dims", [b], b[:, None], [1])
add("expand_dims", [b], b[..., None], [-1])
add("squeeze", [b], b[:, 0], [-1])
add("slice", [a], a[:, 1:3], [1, 1, 3, 1])
add("slice", [a], a[..., -3:4:2], [-1, -3, 4, 2])
add("slice", [a], a[2:], [0, 2, 9, 1])
for axis in (0, 1, -1):
    parts = [grid(*[n + (k if i == axis % 3 else 0) for i, n in enumerate((2, 3, 4))]) for k in range(3)]
    add("concatenate", parts, np.concatenate(parts, axis), [axis])
add("concatenate", [grid(0), b[:, 0]], b[:, 0], [0])
add("take", [a], a[[1, 0, 1, -1]], [1, 0, 1, -1])
add("take", [b], b[[]], [])
add("one_hot", [np.array([[0, 2], [3, -1]])], [[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]], [3])

with open("ops_values.txt", "w") as file:
    file.write("# Written by make_ops_values.py with NumPy %s.\n" % np.__version__)
    file.write("\n".join(rows) + "\n")
