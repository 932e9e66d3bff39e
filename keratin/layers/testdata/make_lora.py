#!/usr/bin/env python3
"""Prints lora.json: what Keras 3 (JAX) computes and trains with LoRA in Dense, EinsumDense and Embedding.

Usage: make_lora.py > lora.json

Dense and Embedding of Keras 3.15 forget the argument lora_alpha when they are built (EinsumDense does not);
their rows with one are of enable_lora, whose alpha all three obey.
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras
import numpy as np

RATE = 0.1

CLASSES = {
    "Dense": (lambda **k: keras.layers.Dense(3, activation="tanh", **k), (2, 4)),
    "EinsumDense": (lambda **k: keras.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="e",
                                                         activation="tanh", **k), (2, 3, 4)),
    "Embedding": (lambda **k: keras.layers.Embedding(7, 3, **k), (2, 4)),
}


def values(a):
    return [float(f"{v:.17g}") for v in np.asarray(a, dtype="float64").ravel()]


def wave(shape, step, dtype="float32"):
    return np.round(np.sin(np.arange(int(np.prod(shape))) * step + step), 3).reshape(shape).astype(dtype)


def names(weights):
    return [w.name for w in weights]


def learned(layer, x, factors):
    """The weights after one step of SGD on sum(y * factors) and the penalties."""
    trainable, fixed = [v.value for v in layer.trainable_variables], [v.value for v in layer.non_trainable_variables]

    def loss(variables):
        y, _, penalties = layer.stateless_call(variables, fixed, x, return_losses=True)
        return keras.ops.sum(keras.ops.cast(y, factors.dtype) * factors) + sum(penalties)

    if not trainable:
        return [values(w) for w in layer.get_weights()]
    optimizer = keras.optimizers.SGD(RATE)
    optimizer.build(layer.trainable_variables)
    optimizer.apply(jax.grad(loss)(trainable), layer.trainable_variables)
    return [values(w) for w in layer.get_weights()]


def case(class_name, rank, alpha=None, **arguments):
    keras.utils.clear_session()
    make, shape = CLASSES[class_name]
    # As an argument, where Keras obeys it, and by enable_lora on a layer that is built.
    plain = make(**arguments)
    plain.build((None,) + shape[1:])
    plain_config = keras.saving.serialize_keras_object(plain)
    if alpha is None or class_name == "EinsumDense":
        layer = make(lora_rank=rank, lora_alpha=alpha, **{**arguments, "name": plain.name})
        layer.build((None,) + shape[1:])
    else:
        layer = plain
        layer.enable_lora(rank, lora_alpha=alpha)
    dtype = layer.compute_dtype
    x = np.arange(8).reshape(shape) * 3 % 7 if class_name == "Embedding" else wave(shape, 1.3).astype("float64")
    given = [wave(w.shape, 0.7 + 0.2 * i, str(w.dtype)) for i, w in enumerate(layer.weights)]
    layer.set_weights(given)
    factors = wave(layer(x).shape, 0.37, "float64" if dtype == "float64" else "float32")
    row = {"class_name": class_name, "rank": rank, "alpha": alpha, "dtype": dtype, "plain": plain_config,
           "config": layer.get_config(), "shape": shape, "x": values(x), "names": names(layer.weights),
           "paths": [w.path for w in layer.weights], "dtypes": [str(w.dtype) for w in layer.weights],
           "trainable": names(layer.trainable_weights), "given": [values(w) for w in given], "y": values(layer(x)),
           "factors": values(factors), "penalties": [float(p) for p in layer.losses], "learned": learned(layer, x, factors)}
    layer.trainable = False
    row["frozen"] = names(layer.trainable_weights)
    layer.trainable = True
    row["thawed"] = names(layer.trainable_weights)
    return row


def in_a_model():
    keras.utils.clear_session()
    layers = [keras.layers.Dense(3, lora_rank=1, name="first"), keras.layers.Dense(2, name="second")]
    model = keras.Sequential([keras.Input((4,))] + layers, name="net")
    layers[1].enable_lora(1)
    return [w.path for w in model.weights]


def started():
    """Largest values of A, which starts He-uniform, and of B, which starts at 0."""
    keras.utils.set_random_seed(1)
    layer = keras.layers.EinsumDense("abc,cde->abde", output_shape=(None, 20, 30), lora_rank=50)
    layer.build((None, 3, 40))
    return [float(np.abs(w).max()) for w in layer.get_weights()[-2:]]


ROWS = [("Dense", 2), ("Dense", 2, 6), ("Dense", 1, 2.5), ("EinsumDense", 2), ("EinsumDense", 2, 6), ("Embedding", 2),
        ("Embedding", 3, 6)]
penalty = {"kernel_regularizer": keras.regularizers.L2(0.1)}
cases = [case(*row) for row in ROWS]
cases += [case("Dense", 2, 4, use_bias=False, **penalty), case("EinsumDense", 1, **penalty),
          case("Embedding", 2, embeddings_regularizer=keras.regularizers.L2(0.1), mask_zero=True),
          case("Dense", 2, trainable=False)]
cases += [case(name, 2, 4, dtype="mixed_bfloat16") for name in CLASSES]
jax.config.update("jax_enable_x64", True)
cases += [case(name, 2, 4, dtype="float64") for name in CLASSES]
print(json.dumps({"rate": RATE, "cases": cases, "paths": in_a_model(), "started": started()}, separators=(",", ":")))
