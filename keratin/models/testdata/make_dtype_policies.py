#!/usr/bin/env python3
"""Prints dtype_policies.json: configs of models under mixed policies and with dtypes of single layers, by both Keras.

Usage: make_dtype_policies.py > dtype_policies.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import tf_keras

rows = []
for generation, k in ((2, tf_keras), (3, keras)):
    set_policy = k.mixed_precision.set_global_policy if generation == 2 else k.config.set_dtype_policy
    for policy in ("float32", "mixed_bfloat16", "mixed_float16", "float64"):
        k.backend.clear_session() if generation == 2 else k.utils.clear_session()
        set_policy(policy)
        l = k.layers
        other = "mixed_bfloat16" if policy == "float32" else "float32"
        x = k.Input((6, 4), name="x")
        h = l.Conv1D(4, 3, padding="same", activation="relu", name="a")(x)
        h = l.Bidirectional(l.LSTM(3, return_sequences=True, name="lstm"), name="b")(h)
        h = l.TimeDistributed(l.Dense(4, dtype=other, name="inner"), name="c")(h)
        h = l.LayerNormalization(name="d", dtype=other)(l.Dropout(0.5, name="e")(h))
        h = l.BatchNormalization(name="f")(l.GlobalAveragePooling1D(name="g")(h))
        h = l.Dense(3, name="h")(h)
        y = l.Activation("softmax", dtype="float32", name="i")(h)
        made = k.Model(x, y, name="m")
        rows.append({"generation": generation, "policy": policy, "config": json.loads(made.to_json())["config"],
                     "compute": [layer.compute_dtype for layer in made.layers if layer.name != "x"]})
        set_policy("float32")
print("[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]")
