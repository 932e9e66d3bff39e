#!/usr/bin/env python3
"""Prints compiled_models.json: the objects that both Keras write for compiled models.

Usage: make_compiled_models.py > compiled_models.json (with keras and tf_keras)
"""
import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import tf_keras


def models(k):
    L = k.layers

    def sequential(name="s"):
        return k.Sequential([k.Input((4,), name=name + "_x"), L.Dense(3, name=name + "_d", activation="softmax")],
                            name=name)

    model = sequential()
    model.compile(optimizer=k.optimizers.SGD(0.25, momentum=0.5), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    yield "sequential", model
    x = k.Input((4,), name="x")
    model = k.Model(x, [L.Dense(1, name="price")(x), sequential("class")(x)], name="m")
    model.compile(optimizer="adam", loss={"price": "mse", "class": k.losses.SparseCategoricalCrossentropy()},
                  loss_weights={"price": 2.0, "class": 0.25}, metrics={"class": ["accuracy"], "price": ["mae"]})
    yield "functional", model
    yield "not compiled", sequential("plain")
    inner = sequential("inner")
    inner.compile(optimizer="sgd", loss="mse")
    yield "compiled inside", k.Sequential([k.Input((4,), name="i"), inner], name="outer")


rows = []
for generation, k in ((3, keras), (2, tf_keras)):
    for name, model in models(k):
        rows.append({"name": name, "generation": generation, "object": k.saving.serialize_keras_object(model)})
print(json.dumps(rows, separators=(",", ":"), default=lambda x: x.serialize() if hasattr(x, "serialize") else str(x)))
