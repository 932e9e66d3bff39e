#!/usr/bin/env python3
"""Prints reversible_policies.json: scores of ReversibleEmbedding in Keras 3 (TensorFlow) under each dtype policy.

On TensorFlow, which runs op after op: JAX's compiler leaves out roundings between the steps of a soft cap.

Usage: make_reversible_policies.py > reversible_policies.json
"""
import itertools
import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np

VOCABULARY, WIDTH = 7, 3
hidden = np.round(np.sin(np.arange(9) * 1.3), 3).reshape(1, 3, WIDTH).astype("float32")
table = np.round(np.cos(np.arange(VOCABULARY * WIDTH) * 0.7), 3).reshape(VOCABULARY, WIDTH).astype("float32")
matrix = np.round(np.sin(np.arange(VOCABULARY * WIDTH) * 0.9), 3).reshape(WIDTH, VOCABULARY).astype("float32")


def values(a):
    return [float(f"{v:.9g}") for v in np.asarray(keras.ops.cast(a, "float32")).ravel()]


def row(policy, reverse, cap, tied, given):
    layer = keras.layers.ReversibleEmbedding(VOCABULARY, WIDTH, dtype=policy, reverse_dtype=reverse,
                                             logit_soft_cap=cap, tie_weights=tied)
    layer.build((1, 3))
    layer.set_weights([table, matrix][:len(layer.weights)])
    scores = layer(keras.ops.cast(hidden, given), reverse=True)
    return {"policy": policy, "reverse_dtype": reverse, "logit_soft_cap": cap, "tie_weights": tied, "input": given,
            "dtype": keras.backend.standardize_dtype(scores.dtype), "scores": values(scores)}


def row_inside(model_policy, policy, reverse, given):
    """The same as the only layer of a model, whose own policy is another one."""
    keras.config.set_dtype_policy(model_policy)
    layer = keras.layers.ReversibleEmbedding(VOCABULARY, WIDTH, dtype=policy, reverse_dtype=reverse)
    rows = keras.Input((3, WIDTH), dtype=given)
    layer.build((1, 3))
    model = keras.Model(rows, layer(rows, reverse=True))
    keras.config.set_dtype_policy("float32")
    layer.set_weights([table])
    scores = model(keras.ops.cast(hidden, given))
    return {"model": model_policy, "policy": policy, "reverse_dtype": reverse, "logit_soft_cap": None,
            "tie_weights": True, "input": given, "dtype": keras.backend.standardize_dtype(scores.dtype),
            "scores": values(scores)}


kinds = ["float32", "bfloat16", "float16"]
rows = [row(*arguments) for arguments in itertools.product(
    ["float32", "mixed_bfloat16", "mixed_float16"], [None, *kinds], [None, 1.5], [True, False], kinds)]
policies = ["float32", "mixed_bfloat16", "mixed_float16"]
rows += [row_inside(*arguments)
         for arguments in itertools.product(policies, policies, [None, "float32", "float16"], ["float32", "bfloat16"])]
print(json.dumps({"hidden": values(hidden), "table": values(table), "matrix": values(matrix), "rows": rows},
                 separators=(",", ":")))
