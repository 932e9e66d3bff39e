#!/usr/bin/env python3
"""Writes numpy_print.txt: arrays and how NumPy (2.3 or later) prints them with str().

Each case is "case DTYPE SHAPE", a line of element bits in hexadecimal (or "arange SCALE" for
arange(size) * SCALE converted to the dtype), "text N" and the N lines that NumPy prints.
"""
import os
import sys

import numpy as np

UINT = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
out = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "numpy_print.txt"), "w", newline="\n")

def case(array, scale=None):
    text = str(array)
    shape = ",".join(map(str, array.shape)) or "scalar"
    out.write(f"case {array.dtype} {shape}\n")
    bits = np.ascontiguousarray(array).view(UINT[array.dtype.itemsize]).ravel() if array.size else []
    out.write((f"arange {scale}" if scale is not None else " ".join(f"{int(b):x}" for b in bits)) + "\n")
    lines = text.split("\n")
    out.write(f"text {len(lines)}\n" + text + "\n")

def scaled(shape, dtype, scale):
    case((np.arange(np.prod(shape, dtype=int), dtype=float) * scale).astype(dtype).reshape(shape), scale)

rng = np.random.default_rng(20240607)
inf, nan = np.inf, np.nan
special = [[0.0], [-0.0], [nan], [inf, -inf], [nan, 1.5], [-inf, 1e10], [nan, 1e-10], [1.0, nan, inf], [-1.0, nan],
           [-inf, 0.5], [0.0, nan], [1e-4], [9e-5], [1e-5, 1.0], [0.5, 600.0], [0.5, 400.0], [999999.0], [1e6],
           [99999999.0], [1e8], [1.0, 1000.0], [1.0, 1001.0], [0.1, 0.2, 0.3], [1 / 3, 2 / 3], [1e-45, 1.0],
           [100.25, -3.5], [123456.789], [0.00012345678], [65504.0], [1e30, 1e-30], [5e-8],
           [1e16], [123456789.0], [0.1 + 0.2], [2.0 ** -24, 1.0], [1.0, 10.0, 100.0], [-0.0, 1.0]]
with np.errstate(all="ignore"):
    for dtype in (np.float64, np.float32, np.float16):
        for values in special:
            case(np.array(values).astype(dtype))
            case(np.array(values[0]).astype(dtype))
        for _ in range(40):
            n = int(rng.integers(1, 9))
            exponent = float(rng.choice([0.5, 1, 2, 4, 10]))
            case((rng.standard_normal(n) * 10.0 ** rng.uniform(-exponent, exponent, n)).astype(dtype))
            case(np.round(rng.standard_normal((2, 3)) * 10, int(rng.integers(0, 4))).astype(dtype))
        bits = rng.integers(0, 1 << (8 * np.dtype(dtype).itemsize - 1), 60, dtype=np.uint64)
        for i in range(0, 60, 2):
            case(bits[i:i + 2].astype(UINT[np.dtype(dtype).itemsize]).view(dtype))
            case(bits[i:i + 1].astype(UINT[np.dtype(dtype).itemsize]).view(dtype).reshape(()))
    case(np.array([1e300, 1e-300]))
    case(np.array([5e-324, 1.7976931348623157e308]))
for dtype in (np.int32, np.int64, np.uint8):
    case(np.array([0, 5, 100], dtype))
    case(np.array(7, dtype))
    case(np.array([[1, 20], [127, 4]], dtype))
case(np.array([-5, 5, 100], np.int32))
case(np.array([[-2 ** 63, 2 ** 63 - 1]], np.int64))
for values in (True, [True], [True, False], [[False, False], [True, False]]):
    case(np.array(values))
for shape in ((0,), (3, 0), (0, 4), (2, 0, 3)):
    case(np.zeros(shape, np.float32))
for dtype in (np.float32, np.int64):
    for shape in ((20,), (30,), (100,), (4, 30), (2, 3, 4), (1, 1, 1), (2, 2, 2, 2), (1000,), (1001,), (2000,), (40, 40),
                  (2, 600), (600, 2), (7, 7, 30), (2, 1, 501), (3, 10, 10, 10), (6, 200), (2, 2, 2, 2, 2, 2, 2, 2)):
        scaled(shape, dtype, 1)
        scaled(shape, dtype, -37)
scaled((50,), np.float32, 0.37)
scaled((5, 40), np.float64, 1234.5678)
scaled((1500,), np.float64, 0.001)
scaled((1200,), np.uint8, 0)
if tuple(map(int, np.__version__.split(".")[:2])) < (2, 3):
    sys.exit("NumPy before 2.3 chooses exponents by other rules")
