#!/usr/bin/env python3
"""Prints masked_recurrent.json: outputs, states and gradients of Keras 3's recurrent layers on sequences with masks.

Usage: make_masked_recurrent.py > masked_recurrent.json. On TensorFlow, where outputs before the first step that counts
are zeros as in Keras 2; on JAX they are the first state.
"""
import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf


def wave(shape, phase):
    return np.round(np.sin(np.arange(int(np.prod(shape))) * 1.7 + phase), 3).reshape(shape).astype("float32")


def values(a):
    return [float(f"{v:.9g}") for v in np.asarray(a, dtype="float32").ravel()]


x = wave((3, 5, 2), 0.5)
# In front, in between, behind; all of one sample's steps.
MASK = np.array([[0, 0, 1, 1, 0], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
NONE = np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1]], dtype=bool)


def case(class_name, mask, **arguments):
    keras.utils.clear_session()
    layer = getattr(keras.layers, class_name)(4, return_state=True, **arguments)
    layer.build(x.shape)
    given = [wave(w.shape, i + 1.0) * 0.5 for i, w in enumerate(layer.weights)]
    starts = [wave((3, 4), 5.0 + i) for i in range(2 if class_name == "LSTM" else 1)]

    layer.set_weights(given)
    inputs = [tf.constant(x)] + [tf.constant(state) for state in starts]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs[0], initial_state=inputs[1:], mask=None if mask is None else tf.constant(mask))
        total = sum(keras.ops.sum(y * wave(y.shape, 3.0 + i)) for i, y in enumerate(outputs))
    gradients = tape.gradient(total, inputs + [v.value for v in layer.trainable_variables])
    return {"layer": keras.saving.serialize_keras_object(layer), "mask": None if mask is None else mask.astype(int).ravel().tolist(),
            "outputs": [values(y) for y in outputs],
            "gradients": [values(g) for g in gradients]}


rows = []
for class_name, more in (("SimpleRNN", {}), ("LSTM", {}), ("GRU", {"reset_after": True}), ("GRU", {"reset_after": False})):
    rows.append(case(class_name, None, return_sequences=True, **more))
    for mask in (MASK, NONE):
        rows.append(case(class_name, mask, **more))
        rows.append(case(class_name, mask, return_sequences=True, **more))
        rows.append(case(class_name, mask, return_sequences=True, zero_output_for_mask=True, go_backwards=True, **more))
print("[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]")
