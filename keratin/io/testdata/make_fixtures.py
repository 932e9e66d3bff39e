#!/usr/bin/env python3
"""Writes the .npy and .npz files of this folder with NumPy; io's tests read them."""
import os

import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))
BASE = np.array([[0, 1, 2], [3, 100, 5]])
DTYPES = ["<f8", "<f4", "<f2", "<i8", "<i4", "|u1", "|i1", "<i2", "<u2", "<u4", ">f8", ">f4", ">f2", ">i8", ">i4",
          ">i2", ">u2", ">u4"]


def name(dtype):
    return {"<": "little_", ">": "big_", "|": ""}[dtype[0]] + dtype[1:]


arrays = {name(d): BASE.astype(d) for d in DTYPES}
arrays["b1"] = BASE % 2 == 1
arrays["bfloat16"] = (BASE.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view("V2")
arrays["fortran"] = np.asfortranarray(BASE.astype(np.float32))
arrays["scalar"] = np.float32(7)
arrays["empty"] = np.zeros((3, 0, 2), np.float32)
arrays["rank5"] = np.arange(32, dtype=np.int32).reshape(2, 2, 2, 2, 2)
arrays["negative"] = np.array([-1, -128], np.int8)
arrays["unsigned"] = np.array([65535, 4294967295], np.uint32)
np.savez("stored.npz", **arrays)
np.savez_compressed("deflated.npz", **arrays)
np.save("float32.npy", np.array([[1.5, -2], [0, 3e-45]], np.float32))
with open("version2.npy", "wb") as f:
    np.lib.format.write_array(f, BASE.astype(np.int32), version=(2, 0))
np.save("records.npy", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")]))
np.save("complex.npy", np.array([1 + 2j], np.complex64))
np.save("text.npy", np.array(["abc"]))
