#!/usr/bin/env python3
"""Prints attention.json: what both Keras compute with all arguments of their attention layers, and the gradients.

Usage: make_attention.py > attention.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf
import tf_keras

HEADS = ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3})
GROUPS = ("GroupQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2})
SCORES = {"return_attention_scores": True}
FLAT = [(2, 3, 4), (2, 5, 4)]
L2 = {"class_name": "L2", "config": {"l2": 0.25}}

# (generations, (class, arguments), more arguments, shapes of the inputs, arguments of the call)
CASES = [
    ([2, 3], HEADS, {}, FLAT, SCORES),
    ([2, 3], HEADS, {"value_dim": 2, "output_shape": 5}, FLAT + FLAT[1:], SCORES),
    ([3], HEADS, {"output_shape": [2, 3]}, FLAT, {}),
    ([3], HEADS, {"use_gate": True, "value_dim": 2}, FLAT, SCORES),
    ([3], HEADS, {"use_gate": True, "use_bias": False}, FLAT, {}),
    ([3], HEADS, {"sliding_window": 2}, FLAT, SCORES),
    ([3], HEADS, {"sliding_window": 2}, FLAT, {**SCORES, "use_causal_mask": True, "attention_mask": True}),
    ([2, 3], HEADS, {}, FLAT, {"use_causal_mask": True, "attention_mask": True}),
    ([2, 3], HEADS, {}, [(2, 3, 2, 4), (2, 5, 3, 4)], SCORES),
    ([2, 3], HEADS, {}, [(2, 3, 2, 4), (2, 5, 3, 4)], {**SCORES, "attention_mask": True}),
    ([2, 3], HEADS, {"attention_axes": [1], "output_shape": 5}, [(2, 3, 2, 4), (2, 5, 2, 4)], SCORES),
    ([2, 3], HEADS, {"attention_axes": 2}, [(2, 3, 2, 4), (2, 3, 5, 4)], {**SCORES, "attention_mask": True}),
    ([3], HEADS, {"attention_axes": -2, "use_gate": True}, [(2, 3, 2, 4), (2, 3, 5, 4)], SCORES),
    ([2, 3], HEADS, {"attention_axes": [2, 1]}, [(2, 3, 2, 4), (2, 5, 3, 4)], SCORES),
    ([2, 3], HEADS, {"activity_regularizer": L2}, FLAT, SCORES),
    ([2], HEADS, {"softmax_robust_masking": True}, FLAT, {**SCORES, "attention_mask": True}),
    ([3], GROUPS, {}, FLAT, SCORES),
    ([3], GROUPS, {"use_gate": True}, FLAT, {**SCORES, "use_causal_mask": True}),
    ([3], GROUPS, {"sliding_window": 1, "flash_attention": False}, FLAT, {"attention_mask": True}),
    ([3], GROUPS, {"activity_regularizer": L2}, FLAT, {}),
    ([2, 3], ("Attention", {}), {"use_scale": True}, FLAT, SCORES),
    ([2, 3], ("Attention", {}), {"score_mode": "concat"}, FLAT, {**SCORES, "use_causal_mask": True}),
    ([2, 3], ("AdditiveAttention", {}), {}, FLAT, SCORES),
]


def wave(shape, start):
    size = int(np.prod(shape))
    return np.round(np.sin(np.arange(size) * 1.7 + start), 3).reshape(shape).astype("float32")


def values(a):
    return [float(f"{v:.7g}") for v in np.asarray(a, dtype="float32").ravel()]


def mask_of(shapes, axes):
    shape = shapes[0][:-1] if len(shapes[0]) == 3 or len(axes) > 1 else shapes[0][:1] + (shapes[0][axes[0]],)
    shape += tuple(shapes[1][a] for a in axes)
    return (np.arange(int(np.prod(shape))) % 3 != 0).reshape(shape)


def case(generation, kind, more, shapes, call):
    library = keras if generation == 3 else tf_keras
    for one in (keras, tf_keras):
        one.backend.clear_session()
    arguments = {**kind[1], **more}
    if "activity_regularizer" in more:
        arguments["activity_regularizer"] = library.regularizers.L2(0.25)
    layer = getattr(library.layers, kind[0])(**arguments)
    inputs = [tf.constant(wave(shape, i)) for i, shape in enumerate(shapes)]
    axes = arguments.get("attention_axes") or list(range(1, len(shapes[0]) - 1))
    axes = [axes] if isinstance(axes, int) else axes
    call = dict(call)
    row = {"generation": generation, "inputs": [list(s) for s in shapes], "call": dict(call)}
    if "attention_mask" in call:
        call["attention_mask"] = mask_of(shapes, [a % (len(shapes[0])) for a in axes])
        row["call"]["attention_mask"] = {"shape": list(call["attention_mask"].shape),
                                         "values": call["attention_mask"].ravel().astype(int).tolist()}

    def run():
        if kind[0] in ("Attention", "AdditiveAttention"):
            return layer(inputs, **call)
        return layer(*inputs, **call)

    run()
    layer.set_weights([0.5 * wave(w.shape, i) for i, w in enumerate(layer.get_weights())])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = run()
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        losses = tf.add_n(layer.losses) if layer.losses else tf.constant(0.0)
        total = losses + sum(tf.reduce_sum(y * wave(y.shape, 5)) for y in outputs)
    row["config"] = library.saving.serialize_keras_object(layer)
    row["weights"] = [getattr(w, "path", w.name) for w in layer.weights]
    row["outputs"] = [{"shape": list(y.shape), "values": values(y)} for y in outputs]
    row["loss"] = float(losses)
    row["gradients"] = [values(g) for g in tape.gradient(total, inputs)]
    return row


print(json.dumps([case(g, *rest) for generations, *rest in CASES for g in generations], indent=None,
                 separators=(",", ":")).replace('{"generation"', '\n{"generation"'))
