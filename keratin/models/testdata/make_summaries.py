"""Writes summaries.txt: what Keras's Model.summary prints for the models of summary_test.cc.

Needs keras (3.15.1 was used) and any backend. Run: COLUMNS is set per case; python make_summaries.py > summaries.txt
"""
import os

import keras
from keras import layers


def show(case, model, columns):
    os.environ["COLUMNS"] = str(columns)
    text = []
    model.summary(print_fn=lambda line, line_break=True: text.append(line))
    print(f"# {case} {columns}")
    print("".join(text), end="")


keras.utils.clear_session()
mlp = keras.Sequential([
    keras.Input((64,)), layers.Dense(64, activation="selu"), layers.AlphaDropout(0.1),
    layers.Dense(64, activation="tanh"), layers.PReLU(), layers.Dense(10), layers.Activation("softmax")])
for columns in (80, 120, 92, 91, 67, 50, 41):
    show("mlp", mlp, columns)
inner = keras.Sequential([layers.Dense(2000)], name="inner")
nested = keras.Sequential([
    keras.Input((8, 8)), layers.Flatten(),
    layers.Dense(3, name="a_layer_with_quite_a_long_name_that_needs_wrapping"), layers.Reshape((3, 1)), inner],
    name="outer")
inner.trainable = False
for columns in (80, 60):
    show("nested", nested, columns)
open_model = keras.Sequential([layers.Dense(3), layers.Dropout(0.5), layers.Flatten()], name="open")
show("open", open_model, 80)
open_model.build((None, 5))
show("built", open_model, 80)
show("big", keras.Sequential([keras.Input((1024,)), layers.Dense(1024)], name="big"), 80)
show("empty", keras.Sequential(name="empty"), 80)
