#!/usr/bin/env python3
"""Writes golden_configs.jsonl: how Keras wrote each layer of a golden set, with the shapes of its inputs.

Usage: make_layer_configs.py SET > golden_configs.jsonl; SET is a folder with manifest.json. Classes in
layer_configs.jsonl are left out.
"""
import io
import json
import os
import sys
import zipfile

import numpy as np

folder = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "layer_configs.jsonl"), encoding="utf-8") as file:
    known = {json.loads(line)["layer"]["class_name"] for line in file}
with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
    cases = [case for case in json.load(file)["cases"] if case["kind"] == "layer"]
seen = set()
for case in cases:
    layer = case["layer"]
    if layer["class_name"] in known:
        continue
    config = {k: v for k, v in layer["config"].items() if k != "name"}
    key = (case["api"], layer["class_name"], json.dumps(config, sort_keys=True))
    if key in seen:
        continue
    seen.add(key)
    with zipfile.ZipFile(os.path.join(folder, case["files"]["data"])) as data:
        shapes = [list(np.load(io.BytesIO(data.read(name + ".npy"))).shape) for name in case["call"]["inputs"]]
    row = {"generation": int(case["api"][5]), "inputs": shapes, "layer": layer}
    print(json.dumps(row, separators=(",", ":")))
