#!/usr/bin/env python3
"""Prints locally_connected.json: weights' shapes, outputs and gradients of tf_keras's LocallyConnected layers.

Usage: make_locally_connected.py > locally_connected.json
"""
import json

import numpy as np
import tensorflow as tf
import tf_keras


def wave(shape, phase):
    return np.round(np.sin(np.arange(int(np.prod(shape))) * 1.7 + phase), 3).reshape(shape).astype("float32")


def values(a):
    return [float(f"{v:.9g}") for v in np.asarray(a, dtype="float32").ravel()]


def case(class_name, shape, **arguments):
    tf_keras.backend.clear_session()
    layer = getattr(tf_keras.layers, class_name)(**arguments)
    layer.build((None,) + shape)
    given = [wave(w.shape, i + 1.0) for i, w in enumerate(layer.get_weights())]
    layer.set_weights(given)
    x = tf.constant(wave((2,) + shape, 0.5))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = tf.reduce_sum(y * wave(y.shape, 3.0))
    gradients = tape.gradient(loss, [x] + layer.trainable_weights)
    return {"layer": {"class_name": class_name, "config": layer.get_config()}, "input": list(x.shape),
            "shapes": [list(w.shape) for w in given], "output": list(y.shape), "values": values(y),
            "gradients": [values(g) for g in gradients]}


rows = []
for implementation in (1, 2, 3):
    for data_format in ("channels_last", "channels_first"):
        for padding in ("valid",) if implementation == 1 else ("valid", "same"):
            common = dict(data_format=data_format, padding=padding, implementation=implementation)
            one, two = ((5, 2), (4, 3, 2)) if data_format == "channels_last" else ((2, 5), (2, 4, 3))
            rows.append(case("LocallyConnected1D", one, filters=3, kernel_size=2, activation="tanh", **common))
            rows.append(case("LocallyConnected1D", one, filters=1, kernel_size=3, strides=2, use_bias=False, **common))
            rows.append(case("LocallyConnected2D", two, filters=2, kernel_size=(2, 1), strides=(1, 2), **common))
            rows.append(case("LocallyConnected2D", two, filters=3, kernel_size=(3, 2), activation="relu", **common))
print("[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]")
