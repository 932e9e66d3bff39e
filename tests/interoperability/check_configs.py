#!/usr/bin/env python3
"""Compiled models that our program writes as configs, read and trained by Keras 3 and tf_keras.

Usage: check_configs.py WRITE_CONFIGS; needs keras, tf_keras, h5py. Each model's object is deserialized as a .keras
file's config.json is; its training_config stands in for the one in an H5 file. Both then train a step, and what they
compute at the start is the same. Exit 0 if all do.
"""
import json
import os
import subprocess
import sys
import tempfile
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
warnings.filterwarnings("ignore")
import h5py
import keras
import numpy as np
import tf_keras

FOLDER = tempfile.mkdtemp()
EXPECTED = {"names": {"loss", "accuracy"}, "objects": {"loss", "acc", "sparse_top_k_categorical_accuracy", "accuracy"},
            "by_output": {"loss", "price_loss", "class_loss", "class_accuracy", "price_mae"}, "sequences": {"loss"},
            "inside": {"loss"}, "attention": {"loss"}}


def from_h5(k, model, training_config):
    """The model by way of an H5 file whose training_config is ours."""
    path = f"{FOLDER}/model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["training_config"] = json.dumps(training_config).encode()
        if "optimizer_weights" in file:
            del file["optimizer_weights"]
    return k.models.load_model(path)


def reported(model):
    rows = np.sin(np.arange(6 * np.prod(model.input_shape[1:]))).reshape(6, *model.input_shape[1:])
    y = np.array([[0], [1], [2], [0], [1], [2]])
    y = {"price": y / 2.0, "class": y} if len(model.outputs) == 2 else y
    return model.fit(rows.astype("float32"), y, batch_size=6, verbose=0).history


failures = []
for row in json.loads(subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout):
    k = keras if row["generation"] == 3 else tf_keras
    what = f"{row['name']} of Keras {row['generation']}"
    try:
        k.utils.set_random_seed(1)
        model = k.saving.deserialize_keras_object(row["object"])
        again = from_h5(k, model, row["training_config"])
        first, second = reported(model), reported(again)
        if set(first) != EXPECTED[row["name"]]:
            failures.append(f"{what}: reports {sorted(first)}")
        # By value: of metrics by output tf_keras's own H5 files carry the names, which are not compile's arguments.
        for key, value in first.items():
            if not any(np.allclose(value, other, rtol=1e-5) for other in second.values()):
                failures.append(f"{what}: {key} is {value}, by way of H5 {second}")
        if type(model.optimizer).__name__ != type(again.optimizer).__name__:
            failures.append(f"{what}: {type(model.optimizer)} and {type(again.optimizer)}")
    except Exception as error:  # noqa: BLE001, whatever Keras raises
        failures.append(f"{what}: {type(error).__name__}: {error}")
if failures:
    sys.exit("\n".join(failures))
print("Keras 3 and tf_keras read and train the compiled models that were written.")
