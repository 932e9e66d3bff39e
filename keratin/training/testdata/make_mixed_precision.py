#!/usr/bin/env python3
"""Prints mixed_precision.json: what Keras 3 (JAX) gives and learns under its mixed policies.

Usage: make_mixed_precision.py > mixed_precision.json
"""
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np


def wave(rows, columns, phase):
    return np.round(np.sin(np.arange(rows * columns) * 1.7 + phase), 3).reshape(rows, columns).astype("float32")


x, y = wave(16, 6, 0.0), wave(16, 2, 1.0)
start = [wave(6, 12, 2.0), wave(1, 12, 3.0)[0], wave(12, 8, 4.0), wave(1, 8, 5.0)[0], wave(8, 2, 6.0), wave(1, 2, 7.0)[0]]


def numbers(a):
    return np.asarray(a, dtype="float32").ravel().astype(float).tolist()


def learn(policy):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([
        keras.Input((6,)), keras.layers.Dense(12, activation="tanh"), keras.layers.Dense(8, activation="gelu"),
        keras.layers.Dense(2)])
    model.set_weights(start)
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse", metrics=["mae"])
    history = model.fit(x, y, batch_size=8, epochs=5, shuffle=False, verbose=0)
    return {"loss": history.history["loss"], "mae": history.history["mae"],
            "weights": [numbers(w) for w in model.get_weights()],
            "dtypes": [str(w.dtype) for w in model.get_weights()],
            "optimizer": type(model.optimizer).__name__,
            "output": str(keras.backend.standardize_dtype(model(x).dtype))}


def product(policy):
    """One layer without bias and activation: one rounding of an exact sum, or nearly so."""
    keras.config.set_dtype_policy("float32")
    layer = keras.layers.Dense(12, use_bias=False, dtype=policy)
    result = layer(x)
    layer.set_weights([start[0]])
    return {"result": numbers(layer(x)), "dtype": str(keras.backend.standardize_dtype(result.dtype)),
            "config": layer.get_config()["dtype"]}


arrays = {"x": x, "y": y, **{f"start_{i}": a for i, a in enumerate(start)}}
print(json.dumps({
    "keras3": keras.__version__,
    "arrays": {k: {"shape": list(a.shape), "values": a.astype(float).round(3).ravel().tolist()} for k, a in arrays.items()},
    "learn": {p: learn(p) for p in ("float32", "mixed_bfloat16", "mixed_float16")},
    "product": {p: product(p) for p in ("mixed_bfloat16", "mixed_float16")}}))
