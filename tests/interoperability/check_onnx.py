#!/usr/bin/env python3
"""Element-wise functions as PyTorch, TensorFlow and PyTensor have them, against what `keratin apply` makes of them.

Usage: check_onnx.py KERATIN; needs torch, onnxscript, tensorflow, tf2onnx, pytensor. PyTorch and TensorFlow write
ONNX files in float64, so that outputs and gradients agree to rounding; PyTensor's functions are compared by name.
Exit 0 if all agree.
"""
import logging
import os
import subprocess
import sys
import tempfile
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["PYTENSOR_FLAGS"] = "cxx=,floatX=float64"
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import numpy as np

KERATIN = os.path.abspath(sys.argv[1])
FOLDER = tempfile.mkdtemp()
# No kink, tie or step of the functions below lies on these. Their constants are exact in float32, as which exporters
# write them even beside tensors of float64.
X = np.concatenate([np.linspace(-5.03, 5.01, 40), [1e-5, -1e-5]])
# A few dozen operations in float64, each off by two units at most; tanh and erf of the frameworks by more.
TOLERANCE = 1e-13
# hardsigmoid's 1/6 is an attribute, which the format keeps in 24 bits; |x/6| < 0.5 where it counts.
LOOSER = {"PyTorch hardsigmoid": 0.5 * 2**-24}
failures = []


def ours(function, x, gradient=False):
    np.save(f"{FOLDER}/x.npy", x)
    command = [KERATIN, "apply", function, f"{FOLDER}/x.npy", f"{FOLDER}/y.npy"] + ["--gradient"] * gradient
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise ValueError(run.stderr.strip())
    return np.load(f"{FOLDER}/y.npy")


def compare(title, function, expected, slope=None, x=X):
    for what, wanted in (("value", expected), ("gradient", slope)):
        if wanted is None:
            continue
        try:
            y = ours(function, x, what == "gradient")
        except ValueError as error:
            failures.append(f"{title}: {error}")
            return
        wrong = np.abs(y - wanted) / np.maximum(1, np.abs(wanted))
        worst = int(np.argmax(np.where(np.isnan(wrong), 0, wrong)))
        if not np.array_equal(np.isnan(y), np.isnan(wanted)) or wrong[worst] > LOOSER.get(title, TOLERANCE):
            failures.append(f"{title}: {what} at {x[worst]} is {y[worst]!r}, expected {wanted[worst]!r}")


def check_torch():
    import torch
    from torch.nn import functional as F

    functions = {
        "silu": F.silu, "mish": F.mish, "gelu": F.gelu, "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
        "elu": lambda x: F.elu(x, 0.75), "celu": lambda x: F.celu(x, 1.25), "selu": F.selu, "softsign": F.softsign,
        "softplus": F.softplus, "leaky_relu": lambda x: F.leaky_relu(x, 0.125), "relu6": F.relu6,
        "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "hardtanh": lambda x: F.hardtanh(x, -0.375, 0.875),
        "tanhshrink": F.tanhshrink, "softshrink": lambda x: F.softshrink(x, 0.25),
        "hardshrink": lambda x: F.hardshrink(x, 0.625), "threshold": lambda x: F.threshold(x, 0.25, -1.5),
        "logsigmoid": F.logsigmoid,
        "where": lambda x: torch.where((x > 0.125) & (x < 3), x * torch.exp(-x * x), torch.log1p(x.abs())),
        "powers": lambda x: x ** 3 - 0.5 * x ** 2 + (1 + x * x) ** -0.375 + 2 ** (0.125 * x),
        "angles": lambda x: torch.sin(x) * torch.cos(2 * x) + torch.atan(x) * torch.sinh(0.25 * x),
        "limits": lambda x: torch.clamp(x, min=-1) - torch.minimum(x, torch.full_like(x, 2.5)),
        "rational": lambda x: x * torch.rsqrt(1 + x * x) + torch.reciprocal(2 + torch.erf(x)),
    }

    class Module(torch.nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, x):
            return self.function(x)

    for name, function in functions.items():
        x = torch.tensor(X, requires_grad=True)
        y = function(x)
        y.sum().backward()
        path = f"{FOLDER}/torch.onnx"
        torch.onnx.export(Module(function), (torch.tensor(X),), path, dynamo=True, verbose=False,
                          dynamic_shapes={"x": {0: "N"}})
        compare(f"PyTorch {name}", path, y.detach().numpy(), x.grad.numpy())
    return len(functions)


def check_tensorflow():
    import tensorflow as tf
    import tf2onnx

    functions = {
        "silu": tf.nn.silu, "gelu": lambda x: 0.5 * x * (1 + tf.math.erf(x / np.sqrt(2.0))),
        "gelu tanh": lambda x: tf.nn.gelu(x, approximate=True),
        "elu": tf.nn.elu, "selu": tf.nn.selu, "softplus": tf.nn.softplus, "softsign": tf.nn.softsign,
        "leaky_relu": tf.nn.leaky_relu, "relu6": tf.nn.relu6, "tanh": tf.math.tanh, "sigmoid": tf.math.sigmoid,
        "mish": lambda x: x * tf.math.tanh(tf.nn.softplus(x)),
        "where": lambda x: tf.where(tf.logical_or(x < -1, x >= 2), tf.square(x), tf.exp(-tf.abs(x))),
        "limits": lambda x: tf.clip_by_value(x, -1, 1.5) + tf.maximum(x, 0.25 * x),
        "rational": lambda x: x / (1 + tf.sqrt(1 + tf.square(x))) - tf.pow(2 + tf.sin(x), 1.5),
        "steps": lambda x: x * tf.sign(x) + tf.floor(x) - tf.round(0.75 * x),
    }
    for name, function in functions.items():
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        traced = tf.function(function, input_signature=[tf.TensorSpec([None], tf.float64, name="x")])
        path = f"{FOLDER}/tensorflow.onnx"
        tf2onnx.convert.from_function(traced, traced.input_signature, opset=18, output_path=path)
        compare(f"tf2onnx {name}", path, y.numpy(), tape.gradient(y, x).numpy())
    return len(functions)


# What an expression has no operation for: gamma and Bessel functions, inverses of erf, other types.
NOT_HERE = {"angle", "complex_from_polar", "conj", "digamma", "erfcinv", "erfcx", "erfinv", "gamma", "gammaln", "i0",
            "i1", "imag", "invert", "iv", "j0", "j1", "k0", "k1", "polygamma", "psi", "real", "signbit", "tri_gamma",
            "trigamma", "bitwise_not", "isposinf", "isneginf", "isinf", "isnan"}


def check_pytensor():
    import pytensor
    import pytensor.tensor as pt
    from pytensor.tensor.elemwise import Elemwise

    x = pt.dvector("x")
    seen = 0
    for name, function in sorted(vars(pt.math).items()):
        if not isinstance(function, Elemwise) or name.startswith("_") or function.scalar_op.nin != 1:
            continue
        try:
            y = function(x)
        except (TypeError, ValueError):
            continue
        if name in NOT_HERE or y.dtype != "float64":
            continue
        with np.errstate(all="ignore"):
            wanted = pytensor.function([x], y, mode="FAST_COMPILE")(X)
        compare(f"PyTensor {name}", f"pt.{name}(x)", wanted)
        seen += 1
    return seen


def main():
    counts = [check_torch(), check_tensorflow(), check_pytensor()]
    print("PyTorch {}, tf2onnx {} files; PyTensor {} names.".format(*counts))
    if counts[0] + counts[1] < 20 or counts[2] < 20:
        failures.append("there are fewer than twenty files or names.")
    if failures:
        sys.exit("\n".join(failures))
    print("All agree with ours.")


main()
