#!/usr/bin/env python3
"""Prints batch_renorm.json: what both Keras compute with renorm of BatchNormalization, over steps, and gradients.

Usage: make_batch_renorm.py > batch_renorm.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf
import tf_keras

CASES = [{}, {"renorm_clipping": {"rmax": 1.5, "rmin": 0.6, "dmax": 0.4}}, {"renorm_clipping": {"dmax": 0.2}},
         {"renorm_momentum": 0.7, "momentum": 0.8, "epsilon": 0.01}, {"scale": False}, {"center": False},
         {"scale": False, "center": False, "renorm_clipping": {"rmax": 3.0}}]


def wave(shape, start):
    return np.round(np.sin(np.arange(int(np.prod(shape))) * 1.7 + start), 3).reshape(shape).astype("float32")


def values(a):
    return [float(f"{v:.9g}") for v in np.asarray(a, dtype="float32").ravel()]


def case(generation, arguments, masked):
    library = keras if generation == 3 else tf_keras
    library.backend.clear_session()
    layer = library.layers.BatchNormalization(renorm=True, **arguments)
    layer.build((4, 3, 2))
    for i, weight in enumerate(layer.trainable_weights):
        weight.assign(1 + 0.5 * wave(weight.shape, i))
    mask = tf.constant(np.arange(12).reshape(4, 3) % 5 != 0) if masked else None
    steps = []
    for step in range(3):
        x = tf.constant(3 * wave((4, 3, 2), step) + step)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True, mask=mask)
            total = tf.reduce_sum(y * wave(y.shape, 5))
        found = tape.gradient(total, [x] + [v.value if generation == 3 else v for v in layer.trainable_variables])
        steps.append({"y": values(y), "gradients": [values(g) for g in found]})
    return {"generation": generation, "layer": library.saving.serialize_keras_object(layer), "masked": masked, "steps": steps,
            "names": [getattr(w, "path", w.name) for w in layer.weights], "weights": [values(w) for w in layer.weights],
            "trainable": len(layer.trainable_weights), "inference": values(layer(tf.constant(wave((4, 3, 2), 7))))}


rows = [case(3, arguments, masked) for arguments in CASES for masked in (False, True)]
rows += [case(2, arguments, True) for arguments in CASES]
print("[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]")
