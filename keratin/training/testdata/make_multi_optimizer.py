#!/usr/bin/env python3
"""Prints multi_optimizer.json: what Keras 3 (JAX) learns with a MultiOptimizer, how it writes one, and variables' paths.

Usage: make_multi_optimizer.py > multi_optimizer.json
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
from keras import layers, optimizers


def wave(rows, columns, phase):
    return np.round(np.sin(np.arange(rows * columns) * 1.7 + phase), 3).reshape(rows, columns).astype("float32")


def values(a):
    return [float(f"{v:.9g}") for v in np.asarray(a, dtype="float32").ravel()]


def in_map():
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(
        optimizers.SGD(0.125, momentum=0.5),
        {"net/body/.*": optimizers.Adam(0.0625, clipnorm=0.5), "net/head/bias": optimizers.Lion(0.03125),
         "net/head/.*": optimizers.RMSprop(0.015625)}))


def by_function():
    body, rest = optimizers.Adam(0.0625), optimizers.SGD(0.25)
    return optimizers.MultiOptimizer(lambda v: body if "body" in v.path else rest, loss_scale_factor=8.0)


def scaled():
    return optimizers.LossScaleOptimizer(in_map(), initial_scale=16.0, dynamic_growth_steps=3)


def learn(make):
    keras.utils.clear_session()
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="tanh", name="body"),
                              layers.Dense(3, activation="tanh", name="middle"), layers.Dense(2, name="head")], name="net")
    model.set_weights([wave(*(w.shape if len(w.shape) == 2 else (1, w.shape[0])), i).reshape(w.shape)
                       for i, w in enumerate(model.weights)])
    optimizer = make()
    model.compile(optimizer=optimizer, loss="mse")
    history = model.fit(wave(12, 4, 0.5), wave(12, 2, 1.5), batch_size=4, epochs=3, shuffle=False, verbose=0)
    # A function has no config of its own, only Python's code.
    config = None if make is by_function else optimizers.serialize(optimizer)
    return {"loss": history.history["loss"], "weights": [values(w) for w in model.get_weights()], "config": config,
            "variables": [v.path for v in optimizer.variables]}


def paths():
    keras.utils.clear_session()
    rows = {}

    def add(name, model):
        rows[name] = [v.path for v in model.weights]

    add("sequential", keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.PReLU()], name="net"))
    late = keras.Sequential([layers.Dense(3, name="a"), keras.Sequential([layers.Dense(2, name="c")], name="b")], name="late")
    late.build((None, 4))
    add("late", late)
    x = keras.Input((5, 3))
    h = layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both")(x)
    h = layers.MultiHeadAttention(2, 2, name="attention")(h, h)
    h = layers.GRU(3, name="gru")(h)
    h = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="e")], name="d")(h)
    h = layers.TimeDistributed(layers.Dense(2, name="g"), name="f")(layers.Reshape((3, 1))(h))
    h = layers.SimpleRNN(2, name="simple")(h)
    h = layers.BatchNormalization(name="norm")(h)
    inner = keras.Input((2,))
    h = keras.Model(inner, layers.Dense(2, name="deep")(inner), name="sub")(h)
    add("functional", keras.Model(x, h))
    images = keras.Input((2, 4, 4, 1))
    h = layers.ConvLSTM2D(2, 2, return_sequences=True)(images)
    add("images", keras.Model(images, layers.ConvLSTM2D(1, 2)(h)))
    return rows


print(json.dumps({"map": learn(in_map), "function": learn(by_function), "scaled": learn(scaled), "paths": paths()},
                 separators=(",", ":")))
