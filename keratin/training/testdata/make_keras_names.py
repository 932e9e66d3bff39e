#!/usr/bin/env python3
"""Prints keras_names.json: what keras.losses, keras.metrics, … of both generations hold, by name.

Usage: make_keras_names.py keras2_api.txt keras3_api.txt > keras_names.json. A line of those lists is "class Name (…)",
"fn name (…)" or "name = alias of Name" under a heading "## losses"; of the layers, "- Name (…)".
"""
import json
import re
import sys

KINDS = {"LAYERS WITH activation=": "layers", "OTHER LAYERS": "layers", "initializers": "initializers",
         "regularizers": "regularizers", "constraints": "constraints", "losses": "losses", "metrics": "metrics",
         "optimizers": "optimizers", "optimizers.schedules": "schedules", "callbacks": "callbacks"}
names = {kind: {} for kind in KINDS.values()}
for generation, path in (("keras2", sys.argv[1]), ("keras3", sys.argv[2])):
    kind = None
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("## "):
                kind = KINDS.get(line[3:].strip())
                continue
            found = re.match(r"(?:- |\s*class |\s*fn |\s+)(\w+)", line)
            if kind and found:
                names[kind].setdefault(generation, []).append(found.group(1))
for kind in names.values():
    for generation in kind:
        kind[generation] = sorted(set(kind[generation]))
print(json.dumps(names, separators=(",", ":")).replace("},", "},\n").replace("],", "],\n"))
