#!/usr/bin/env python3
"""Prints compile_configs.json: what models write of their compile, from Keras 3 (JAX) and tf_keras.

Usage: make_compile_configs.py > compile_configs.json. Of each case and generation: what the .keras file says
("compile_config" in config.json), the H5 file's training_config, and which numbers a compiled model then reports.
"""
import json
import os
import sys
import tempfile
import zipfile

os.environ["KERAS_BACKEND"] = "jax"
import h5py
import keras
import numpy as np
import tf_keras


def one(k):
    return k.Sequential([k.layers.Input((4,), name="x"), k.layers.Dense(3, activation="softmax", name="class")])


def number(k):
    return k.Sequential([k.layers.Input((4,), name="x"), k.layers.Dense(1, name="price")])


def two(k):
    x = k.layers.Input((4,), name="x")
    return k.Model(x, [k.layers.Dense(1, name="price")(x), k.layers.Dense(3, activation="softmax", name="class")(x)])


def schedules(k):
    return k.optimizers.schedules


# name: model, arguments of compile, and the generations that have it
CASES = {
    "names": (one, lambda k: dict(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]), (2, 3)),
    "short_names": (number, lambda k: dict(optimizer="sgd", loss="mse", metrics=["mae", "mse"]), (2, 3)),
    "only_optimizer": (number, lambda k: dict(optimizer="rmsprop"), (2, 3)),
    "objects": (one, lambda k: dict(
        optimizer=k.optimizers.Adam(learning_rate=0.0078125, beta_1=0.75, clipnorm=1.0),
        loss=k.losses.CategoricalCrossentropy(label_smoothing=0.125),
        metrics=[k.metrics.CategoricalAccuracy(name="acc"), k.metrics.AUC(num_thresholds=50), "mse"],
        weighted_metrics=["accuracy", k.metrics.MeanSquaredError()]), (2, 3)),
    "schedule": (number, lambda k: dict(
        optimizer=k.optimizers.SGD(schedules(k).ExponentialDecay(0.5, 100, 0.875, staircase=True), momentum=0.5,
                                   nesterov=True), loss=k.losses.Huber(delta=2.0)), (2, 3)),
    "cosine": (number, lambda k: dict(
        optimizer=k.optimizers.AdamW(schedules(k).CosineDecay(0.25, 1000, alpha=0.125, warmup_target=0.5,
                                                              warmup_steps=10), weight_decay=0.25), loss="mae"), (2, 3)),
    "loss_for_all": (two, lambda k: dict(optimizer="sgd", loss="mse"), (2, 3)),
    "list": (two, lambda k: dict(
        optimizer="sgd", loss=["mse", k.losses.SparseCategoricalCrossentropy()], loss_weights=[1.0, 0.5],
        metrics=[["mae"], ["accuracy", k.metrics.SparseTopKCategoricalAccuracy(k=2)]]), (2, 3)),
    "dict": (two, lambda k: dict(
        optimizer="sgd", loss={"price": "mse", "class": "sparse_categorical_crossentropy"},
        loss_weights={"price": 2.0, "class": 0.25}, metrics={"class": ["accuracy"], "price": "mae"},
        weighted_metrics={"price": ["mse"]}), (2, 3)),
    "part": (two, lambda k: dict(optimizer="sgd", loss={"class": "sparse_categorical_crossentropy"},
                                 metrics={"class": "accuracy"}), (2,)),
    "loss_scale": (number, lambda k: dict(
        optimizer=k.optimizers.LossScaleOptimizer(k.optimizers.SGD(0.5), initial_scale=1024.0) if k is keras else
        k.mixed_precision.LossScaleOptimizer(k.optimizers.SGD(0.5), initial_scale=1024.0), loss="mse"), (2, 3)),
    "multi": (number, lambda k: dict(
        optimizer=k.optimizers.MultiOptimizer(k.optimizers.OptimizerMap(k.optimizers.SGD(0.5),
                                                                        {".*bias": k.optimizers.Adam(0.25)})),
        loss="mse"), (3,)),
    "legacy": (number, lambda k: dict(optimizer=k.optimizers.legacy.Adam(0.25, decay=0.5), loss="mse"), (2,)),
    "reduced": (number, lambda k: dict(optimizer="sgd", loss=k.losses.MeanSquaredError(reduction="sum"),
                                       metrics=[k.metrics.LogCoshError()]), (2, 3)),
    "sets": (one, lambda k: dict(
        optimizer="nadam", loss="kl_divergence",
        metrics=[k.metrics.Precision(thresholds=0.25, top_k=2), k.metrics.OneHotMeanIoU(num_classes=3),
                 k.metrics.F1Score(average="macro", threshold=0.5), k.metrics.TopKCategoricalAccuracy(k=2)]), (2, 3)),
}


def written(k, model, folder):
    keras_file, h5 = os.path.join(folder, "m.keras"), os.path.join(folder, "m.h5")
    model.save(keras_file)
    with zipfile.ZipFile(keras_file) as file:
        config = json.loads(file.read("config.json"))
    model.save(h5)
    with h5py.File(h5) as file:
        training = json.loads(file.attrs["training_config"])
    return config, training


def reported(model, arguments):
    if "loss" not in arguments:
        return []
    outputs = {"price": np.ones((4, 1), "float32"), "class": np.array([[0.0], [1], [2], [0]], "float32")}
    loss = str(arguments["loss"]).lower()
    if "categorical" in loss and "sparse" not in loss or loss in ("kl_divergence", "mse"):
        outputs["class"] = np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    names = ["price", "class"] if len(model.outputs) > 1 else [model.layers[-1].name]
    y = [outputs[name] for name in names]
    x = np.arange(16, dtype="float32").reshape(4, 4) / 16
    history = model.fit(x, y if len(y) > 1 else y[0], verbose=0)
    return list(history.history)


rows, models = [], {}
for name, (make, arguments_of, generations) in CASES.items():
    for generation in generations:
        k = tf_keras if generation == 2 else keras
        k.backend.clear_session() if generation == 2 else k.utils.clear_session()
        model = make(k)
        arguments = arguments_of(k)
        model.compile(**arguments)
        with tempfile.TemporaryDirectory() as folder:
            try:
                config, training = written(k, model, folder)
            except Exception as error:  # an H5 file of Keras 3 cannot hold all of them
                print(name, generation, error, file=sys.stderr)
                config, training = json.loads(model.to_json()), None
        # A model of each kind, as it is before compile.
        models[f"{make.__name__}{generation}"] = {k: v for k, v in config.items() if k != "compile_config"}
        rows.append({"name": name, "generation": generation, "model": make.__name__,
                     "compile_config": config["compile_config"], "training_config": training,
                     "reported": reported(model, arguments)})
lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
print('{"models":' + json.dumps(models, separators=(",", ":")) + ',\n"rows":[' + lines + "]}")
