#!/usr/bin/env python3
"""Prints call_forms.json: how both Keras write the calls of a functional model: one tensor, a list, keywords.

Usage: make_call_forms.py > call_forms.json (with keras and tf_keras)
"""
import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import tf_keras


def models(k, three):
    L = k.layers
    calls = {
        "bidirectional": lambda x, s: L.Bidirectional(L.LSTM(2, name="r"), name="y")(x),
        "lstm": lambda x, s: L.LSTM(2, name="y")(x),
        "lstm_states": lambda x, s: L.LSTM(2, name="y")(x, initial_state=[s, s]),
        "gru_states": lambda x, s: L.GRU(2, name="y")(x, initial_state=[s]),
        "bidirectional_states": lambda x, s: L.Bidirectional(L.GRU(2, name="r"), name="y")(x, initial_state=[s, s]),
        "rnn": lambda x, s: L.RNN(L.SimpleRNNCell(2, name="c"), name="y")(x),
        "stacked": lambda x, s: L.RNN([L.LSTMCell(2, name="c"), L.LSTMCell(2, name="d")], name="y")(x),
        "time_distributed": lambda x, s: L.TimeDistributed(L.Dense(2, name="d"), name="y")(x),
        "attention": lambda x, s: L.Attention(name="y")([x, x]),
        "concatenate": lambda x, s: L.Concatenate(name="y")([x, x, x]),
        "model": lambda x, s: k.Sequential([k.Input((4, 3), name="i"), L.Flatten(name="f")], name="y")(x),
    }
    calls["multi_head"] = lambda x, s: L.MultiHeadAttention(1, 2, name="y")(x, x, use_causal_mask=True)
    calls["multi_head_key"] = lambda x, s: L.MultiHeadAttention(1, 2, name="y")(x, x, x)
    calls["multi_head_mask"] = lambda x, s: L.MultiHeadAttention(1, 2, name="y")(
        x, x, attention_mask=L.Dense(4, name="s")(x))
    calls["multi_head_scores"] = lambda x, s: L.MultiHeadAttention(1, 2, name="y")(
        x, x, return_attention_scores=True)[1]
    if three:
        calls["spectral"] = lambda x, s: L.SpectralNormalization(L.Dense(2, name="d"), name="y")(x)
    for name, call in calls.items():
        k.backend.clear_session()
        x = k.Input((4, 3), name="x")
        s = L.Dense(2, name="s")(L.Flatten(name="g")(x)) if name.endswith("states") else None
        model = k.Model(x, call(x, s), name="m")
        yield {"name": name, "generation": 3 if three else 2, "config": json.loads(model.to_json())["config"]}
        model.trainable = False
    yield {"name": "frozen", "generation": 3 if three else 2, "config": json.loads(model.to_json())["config"]}


print(json.dumps([*models(keras, True), *models(tf_keras, False)], separators=(",", ":")))
