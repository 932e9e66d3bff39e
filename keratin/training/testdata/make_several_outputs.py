#!/usr/bin/env python3
"""Prints several_outputs.json: what Keras reports and learns where a model has two inputs and two outputs.

Usage: make_several_outputs.py > several_outputs.json, with keras (3, on JAX) and tf_keras (2) installed.
On TensorFlow Keras 3 counts the batches of an epoch alike in the losses of outputs, whatever their rows; on JAX by rows.
Data, weights and cases stand beside the results, so that the test reads all from one file.
"""
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tf_keras

SAMPLES = 10


def wave(rows, columns, phase):
    return np.round(np.sin(np.arange(rows * columns) * 1.7 + phase), 3).reshape(rows, columns).astype("float32")


x = {"left": wave(SAMPLES, 3, 0.0), "right": wave(SAMPLES, 2, 1.0)}
y = {"price": wave(SAMPLES, 2, 2.0), "sold": (wave(SAMPLES, 1, 3.0) > 0).astype("float32")}
w = {"price": np.abs(wave(1, SAMPLES, 4.0))[0], "sold": np.abs(wave(1, SAMPLES, 5.0))[0]}
start = [wave(5, 4, 6.0), wave(1, 4, 7.0)[0], wave(4, 2, 8.0), wave(1, 2, 9.0)[0], wave(4, 1, 10.0), wave(1, 1, 11.0)[0]]
names = ["price", "sold"]

# How compile and fit are called; {"by_name": ...} is a dict in Keras.
CASES = {
    "lists": {"loss": ["mse", "binary_crossentropy"], "loss_weights": [0.5, 2.0], "metrics": [["mae"], ["accuracy"]],
              "sample_weight": True, "split": 0.3},
    "names": {"loss": {"sold": "binary_crossentropy", "price": "mae"}, "metrics": {"sold": ["accuracy", "mse"]},
              "weighted_metrics": {"sold": ["mse"], "price": ["mse"]}, "sample_weight": True},
    "one_loss": {"loss": "mse"},
    "one_of_two": {"loss": ["mse", None], "metrics": [["mse", "mae"], ["mse"]]},
    "validation": {"loss": ["mse", "mse"], "validation": True},
}


def run(k, case):
    left, right = k.Input((3,), name="left"), k.Input((2,), name="right")
    h = k.layers.Dense(4, activation="tanh")(k.layers.Concatenate()([left, right]))
    outputs = [k.layers.Dense(2, name="price")(h), k.layers.Dense(1, activation="sigmoid", name="sold")(h)]
    model = k.Model([left, right], outputs)
    model.set_weights(start)
    given = {key: case[key] for key in ("loss", "loss_weights", "metrics", "weighted_metrics") if key in case}
    model.compile(optimizer=k.optimizers.SGD(0.1), **given)
    fit = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    if "sample_weight" in case:
        fit["sample_weight"] = [w[name] for name in names]
    if "split" in case:
        fit["validation_split"] = case["split"]
    if "validation" in case:
        fit["validation_data"] = ([x["left"][:6], x["right"][:6]], [y["price"][:6], y["sold"][:6]],
                                  [w["price"][:6], w["sold"][:6]])
    history = model.fit([x["left"], x["right"]], [y["price"], y["sold"]], **fit)
    report = model.evaluate([x["left"], x["right"]], [y["price"], y["sold"]], batch_size=4, verbose=0, return_dict=True)
    batch = [a[:4] for a in (x["left"], x["right"])], [a[:4] for a in (y["price"], y["sold"])]
    (model.reset_metrics if hasattr(model, "reset_metrics") else lambda: None)()
    first = model.train_on_batch(*batch, return_dict=True)
    second = model.train_on_batch(*batch, return_dict=True)
    as_floats = lambda logs: [[key, float(value)] for key, value in logs.items()]
    return {"history": [[key, [float(v) for v in values]] for key, values in history.history.items()],
            "evaluate": as_floats(report), "batches": [as_floats(first), as_floats(second)],
            "predict": [a.ravel().tolist() for a in model.predict([x["left"], x["right"]], batch_size=3, verbose=0)],
            "weights": [a.ravel().tolist() for a in model.get_weights()]}


arrays = {key: {"shape": list(a.shape), "values": np.round(a, 3).astype(float).ravel().round(3).tolist()}
          for key, a in {**{"x_" + n: v for n, v in x.items()}, **{"y_" + n: v for n, v in y.items()},
                         **{"w_" + n: v for n, v in w.items()},
                         **{f"start_{i}": v for i, v in enumerate(start)}}.items()}
results = {name: {"keras2": run(tf_keras, case), "keras3": run(keras, case)} for name, case in CASES.items()}
text = json.dumps({"keras2": tf_keras.__version__, "keras3": keras.__version__, "arrays": arrays, "results": results})
print(text)
