#!/usr/bin/env python3
"""Reads the event file that the unit tests hold our writer to, byte for byte, with TensorBoard's own loader.

Usage: check_tensorboard.py FOLDER; needs the package tensorboard. Exit 0 if it holds the scalars below.
"""
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EXPECTED = {
    "epoch_loss": [(1700000001.5, 0, 0.625), (1700000002.5, 300, -0.10000000149011612)],
    "epoch_accuracy": [(1700000002.5, 300, 0.0)],
}

accumulator = EventAccumulator(sys.argv[1])
accumulator.Reload()
tags = accumulator.Tags()
found = {tag: [(e.wall_time, e.step, e.value) for e in accumulator.Scalars(tag)] for tag in tags["scalars"]}
# Newer versions of TensorBoard read simple values as tensors.
for tag in tags["tensors"]:
    found[tag] = [(e.wall_time, e.step, e.tensor_proto.float_val[0]) for e in accumulator.Tensors(tag)]
if found != EXPECTED:
    sys.exit(f"TensorBoard reads {found}, expected {EXPECTED}.")
print("TensorBoard reads what was written.")
