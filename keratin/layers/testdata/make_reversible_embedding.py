#!/usr/bin/env python3
"""Prints reversible_embedding.json: what Keras 3 (JAX) computes with ReversibleEmbedding, forward, reversed, back.

Usage: make_reversible_embedding.py > reversible_embedding.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras
import numpy as np

VOCABULARY, WIDTH = 7, 3
ids = np.array([[1, 0, 6, 2], [5, 5, 0, 3]])
hidden = np.round(np.sin(np.arange(24) * 1.3), 3).reshape(2, 4, WIDTH).astype("float32")
weights = [np.round(np.cos(np.arange(VOCABULARY * WIDTH) * 0.7), 3).reshape(VOCABULARY, WIDTH).astype("float32"),
           np.round(np.sin(np.arange(VOCABULARY * WIDTH) * 0.9), 3).reshape(WIDTH, VOCABULARY).astype("float32")]
factors = np.round(np.cos(np.arange(2 * 4 * VOCABULARY) * 0.37), 3).reshape(2, 4, VOCABULARY).astype("float32")

CASES = [{}, {"tie_weights": False}, {"logit_soft_cap": 1.5, "mask_zero": True},
         {"tie_weights": False, "logit_soft_cap": 0.7, "embeddings_initializer": "ones", "name": "table"},
         {"dtype": "mixed_bfloat16"}, {"dtype": "mixed_float16", "tie_weights": False},
         {"reverse_dtype": "float16"}, {"reverse_dtype": "bfloat16", "logit_soft_cap": 2.0}]


def values(a):
    return [float(f"{v:.9g}") for v in np.asarray(a, dtype="float32").ravel()]


def case(arguments):
    keras.utils.clear_session()
    layer = keras.layers.ReversibleEmbedding(VOCABULARY, WIDTH, **arguments)
    layer.build((2, 4))
    given = weights[:len(layer.weights)]
    layer.set_weights(given)
    # As a layer before it gives them.
    logits = layer(keras.ops.cast(hidden, layer.compute_dtype), reverse=True)

    # Rows of the numbers, and their scores: the table gets gradients from both ways.
    def loss(trainable, h):
        rows, _ = layer.stateless_call(trainable, [], ids)
        scores, _ = layer.stateless_call(trainable, [], rows + h, reverse=True)
        return keras.ops.sum(keras.ops.cast(scores, "float32") * factors)

    gradients = jax.grad(loss, argnums=(0, 1))([v.value for v in layer.trainable_variables], hidden)
    return {"layer": keras.saving.serialize_keras_object(layer), "weights": [v.name for v in layer.weights],
            "rows": values(layer(ids)), "scores": values(logits), "dtype": str(logits.dtype),
            "gradients": [values(g) for g in gradients[0]] + [values(gradients[1])]}


def mixed():
    keras.utils.clear_session()
    keras.config.set_dtype_policy("mixed_bfloat16")
    numbers = keras.Input((4,), dtype="int32")
    table = keras.layers.ReversibleEmbedding(VOCABULARY, WIDTH, reverse_dtype="float32")
    made = keras.Model(numbers, table(table(numbers), reverse=True))
    made.set_weights(weights[:1])
    scores = made(ids)
    keras.config.set_dtype_policy("float32")
    return {"scores": values(scores), "dtype": str(scores.dtype)}


def model():
    keras.utils.clear_session()
    numbers = keras.Input((4,), dtype="int32", name="numbers")
    table = keras.layers.ReversibleEmbedding(VOCABULARY, WIDTH, mask_zero=True, name="table")
    h = keras.layers.Dense(WIDTH, activation="tanh", name="between")(table(numbers))
    made = keras.Model(numbers, table(h, reverse=True), name="language")
    kernel = np.round(np.sin(np.arange(9) * 2.1), 3).reshape(3, 3).astype("float32")
    made.set_weights([weights[0], kernel, np.zeros(3, "float32")])
    made.compile(optimizer=keras.optimizers.SGD(0.5),
                 loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    config = json.loads(made.to_json())
    history = made.fit(ids, np.roll(ids, -1, 1), batch_size=2, epochs=4, shuffle=False, verbose=0)
    return {"config": config, "kernel": values(kernel), "loss": history.history["loss"],
            "learned": [values(w) for w in made.get_weights()]}


print(json.dumps({"ids": ids.ravel().tolist(), "hidden": values(hidden), "table": values(weights[0]),
                  "matrix": values(weights[1]), "factors": values(factors),
                  "cases": [case(arguments) for arguments in CASES], "mixed": mixed(), "model": model()}, separators=(",", ":")))
