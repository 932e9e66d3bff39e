"""Keras on the backend that KERAS_BACKEND names: fit on an epoch of STEPS batches, and predict()."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np

import data

BACKEND = keras.backend.backend()
VERSION = f"{keras.__version__} on {BACKEND}"
STEPS = 10

# A call of `train` is a whole epoch: the worker divides by this.
TIMES_A_CALL = {"train": STEPS}

if BACKEND == "torch":
    import torch

    torch.set_num_threads(1)
if BACKEND == "tensorflow":
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def model_of(task):
    layers = [keras.Input(tuple(task["input"]))]
    if task["model"] == "cnn":
        convolutions = [keras.layers.Conv2D(n, 3, activation=task["activation"]) for n in (32, 64)]
        dense = keras.layers.Dense(128, activation=task["activation"])
        layers += [*convolutions, keras.layers.MaxPooling2D(2), keras.layers.Flatten(), dense]
    if task["model"] == "lstm":
        layers += [keras.layers.LSTM(128, activation=task["activation"])]
    layers += [keras.layers.Dense(width, activation=task["activation"]) for width in task["widths"][1:-1]]
    return keras.Sequential(layers + [keras.layers.Dense(task["widths"][-1])])


def prepare(task):
    if task["kind"] == "train":
        model = model_of(task)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-3), loss)
        x, y = data.classifier_data(task)
        x, y = np.concatenate([x] * STEPS), np.tile(y, STEPS)
        return {"keras_" + BACKEND: lambda: model.fit(x, y, batch_size=task["batch"], verbose=0)}
    if task["kind"] == "predict":
        model = model_of(task)
        x, _ = data.classifier_data(task)
        return {"keras_" + BACKEND: lambda: model.predict(x, batch_size=task["batch"], verbose=0)}
    return {}

