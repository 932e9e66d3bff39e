#!/usr/bin/env python3
"""Prints time_major.json: what Keras 2's recurrent layers compute where steps are the first axis.

Usage: make_time_major.py > time_major.json
"""
import json

import numpy as np
import tensorflow as tf
import tf_keras

STEPS, BATCH, WIDTH = 5, 3, 2
MASK = np.array([[0, 1, 1], [0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]], dtype=bool)


def wave(shape, start):
    return np.round(np.sin(np.arange(int(np.prod(shape))) * 1.7 + start), 3).reshape(shape).astype("float32")


def values(a):
    return [float(f"{v:.7g}") for v in np.asarray(a, dtype="float32").ravel()]


def case(make, mask):
    tf_keras.backend.clear_session()
    layer = make()
    x = tf.constant(wave((STEPS, BATCH, WIDTH), 0.5))
    more = {"mask": tf.constant(MASK)} if mask else {}
    layer(x, **more)
    layer.set_weights([0.5 * wave(w.shape, i) for i, w in enumerate(layer.get_weights())])
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, **more)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        total = sum(tf.reduce_sum(y * wave(y.shape, 5)) for y in outputs)
    return {"layer": tf_keras.saving.serialize_keras_object(layer), "mask": mask,
            "outputs": [{"shape": list(y.shape), "values": values(y)} for y in outputs],
            "gradient": values(tape.gradient(total, x))}


L = tf_keras.layers
MAKES = [
    lambda: L.LSTM(4, time_major=True, return_sequences=True, return_state=True),
    lambda: L.LSTM(4, time_major=True, go_backwards=True),
    lambda: L.GRU(3, time_major=True, return_sequences=True),
    lambda: L.SimpleRNN(3, time_major=True, return_sequences=True, go_backwards=True),
    lambda: L.RNN(L.LSTMCell(3), time_major=True, return_sequences=True),
    lambda: L.Bidirectional(L.LSTM(3, time_major=True, return_sequences=True)),
    lambda: L.Bidirectional(L.GRU(3, time_major=True), merge_mode="sum"),
]
rows = [case(make, mask) for make in MAKES for mask in (False, True)]
print("[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]")
