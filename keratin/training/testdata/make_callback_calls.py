#!/usr/bin/env python3
"""Prints callback_calls.json: which callbacks Keras 3 (JAX) calls in fit, evaluate and predict, and with what.

Usage: make_callback_calls.py > callback_calls.json. The model has two inputs and two outputs; "steps" are losses and
weights of a training loop of one's own on the same numbers.
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras
import numpy as np
from keras import layers


def wave(rows, columns, phase):
    return np.round(np.sin(np.arange(rows * columns) * 1.7 + phase), 3).reshape(rows, columns).astype("float32")


def values(a):
    return [float(f"{v:.9g}") for v in np.asarray(a, dtype="float32").ravel()]


class Recorder(keras.callbacks.Callback):
    def __init__(self, calls, stop=None):
        super().__init__()
        for name in ("train", "test", "predict"):
            for end in ("begin", "end"):
                setattr(self, f"on_{name}_{end}", self.recorder(calls, f"{name}_{end}", False))
                setattr(self, f"on_{name}_batch_{end}", self.recorder(calls, f"{name}_batch_{end}", True, stop))
        for end in ("begin", "end"):
            setattr(self, f"on_epoch_{end}", self.recorder(calls, f"epoch_{end}", True))

    def recorder(self, calls, name, has_number, stop=None):
        def record(*arguments, **keywords):
            logs = keywords.get("logs", arguments[-1] if len(arguments) > has_number else None) or {}
            if "outputs" in logs:
                logs = {str(i): values(output) for i, output in enumerate(logs["outputs"])}
            else:
                logs = {key: float(value) for key, value in logs.items()}
            number = arguments[0] if has_number else None
            calls.append([name, number, logs])
            if stop and name == stop[0] and number == stop[1]:
                setattr(self.model, stop[2], True)
        return record


def model():
    keras.utils.clear_session()
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    h = layers.Dense(4, activation="tanh", name="h")(layers.Concatenate(name="c")([a, b]))
    made = keras.Model([a, b], [layers.Dense(1, name="price")(h), layers.Dense(2, activation="tanh", name="place")(h)])
    made.set_weights([wave(*(w.shape if len(w.shape) == 2 else (1, w.shape[0])), i).reshape(w.shape)
                      for i, w in enumerate(made.weights)])
    made.compile(optimizer=keras.optimizers.SGD(0.125), loss=["mse", "mae"], loss_weights=[1.0, 0.5],
                 metrics=[["mae"], ["mse"]])
    return made


x = [wave(10, 3, 0.5), wave(10, 2, 1.5)]
y = [wave(10, 1, 2.5), wave(10, 2, 3.5)]
rows = {}
for name, stop in (("fit", None), ("fit_stopped", ("test_batch_end", 0, "stop_evaluating"))):
    calls = []
    model().fit(x, y, batch_size=4, epochs=2, shuffle=False, validation_data=([a[:7] for a in x], [a[:7] for a in y]),
                validation_batch_size=3, validation_freq=2, callbacks=[Recorder(calls, stop)], verbose=0)
    rows[name] = calls
for name, stop in (("evaluate", None), ("evaluate_stopped", ("test_batch_end", 1, "stop_evaluating"))):
    calls = []
    made = model()
    rows[name] = calls
    made.evaluate(x, y, batch_size=4, callbacks=[Recorder(calls, stop)], verbose=0)
for name, stop in (("predict", None), ("predict_stopped", ("predict_batch_end", 1, "stop_predicting"))):
    calls = []
    predicted = model().predict(x, batch_size=4, callbacks=[Recorder(calls, stop)], verbose=0)
    rows[name] = calls
    rows[name + "_shapes"] = [list(p.shape) for p in predicted]

made = model()
weights = np.linspace(0.5, 1.5, 10).astype("float32")
losses = [float(made.train_on_batch([a[i:i + 5] for a in x], [a[i:i + 5] for a in y],
                                    sample_weight=[weights[i:i + 5]] * 2, return_dict=True)["loss"]) for i in (0, 5)]
rows["steps"] = {"loss_first": losses[0], "weights": [values(w) for w in made.get_weights()]}
print(json.dumps(rows, separators=(",", ":")))
