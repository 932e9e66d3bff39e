"""ONNX Runtime: one node in a graph, bound to arrays that are there already; networks for prediction."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import data

VERSION = onnxruntime.__version__
onnxruntime.set_default_logger_severity(4)

NODES = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "elu": ("Elu", {"alpha": 1.0}),
    "celu": ("Celu", {"alpha": 1.0}),
    "selu": ("Selu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "exponential": ("Exp", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_silu": ("HardSwish", {}),
    "hard_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.0}),
    "soft_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.5}),
    "threshold": ("ThresholdedRelu", {"alpha": 0.0}),
    "gelu": ("Gelu", {"approximate": "none"}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
    "mish": ("Mish", {}),
    "silu": ("Swish", {}),
    "softmax": ("Softmax", {"axis": -1}),
    "log_softmax": ("LogSoftmax", {"axis": -1}),
}
TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
}


def session(nodes, initializers, x_shape, y_shape, element):
    opset = 24 if any(node.op_type == "Swish" for node in nodes) else 21
    graph = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info("x", element, x_shape)],
        [helper.make_tensor_value_info("y", element, y_shape)],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = min(model.ir_version, 10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def bound(run, x, y):
    binding = run.io_binding()
    binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
    binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_numpy(y))
    return lambda: run.run_with_iobinding(binding)


def activation(task):
    if task["direction"] != "forward" or task["function"] not in NODES or task["dtype"] == "bfloat16":
        return {}
    x = data.arrays(task)[0].astype(data.numpy_dtype(task["dtype"]))
    kind, attributes = NODES[task["function"]]
    node = helper.make_node(kind, ["x"], ["y"], **attributes)
    try:
        run = session([node], [], x.shape, x.shape, TYPES[task["dtype"]])
    except Exception:  # No kernel for this dtype.
        return {}
    return {"onnxruntime": bound(run, x, np.zeros_like(x))}


def predict(task):
    x, _ = data.classifier_data(task)
    random = np.random.default_rng(2)
    kinds = {"relu": ("Relu", {}), "tanh": ("Tanh", {}), "gelu": ("Gelu", {"approximate": "none"})}
    nodes, initializers, last = [], [], "x"
    pairs = list(zip(task["widths"], task["widths"][1:]))
    for i, (inputs, outputs) in enumerate(pairs):
        weights = (random.standard_normal((inputs, outputs)) / np.sqrt(inputs)).astype(np.float32)
        initializers += [
            numpy_helper.from_array(weights, f"w{i}"),
            numpy_helper.from_array(np.zeros(outputs, np.float32), f"b{i}"),
        ]
        final = i == len(pairs) - 1
        name = "y" if final else f"z{i}"
        nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [name]))
        if not final:
            kind, attributes = kinds[task["activation"]]
            nodes.append(helper.make_node(kind, [name], [f"a{i}"], **attributes))
            last = f"a{i}"
    y = np.zeros((task["batch"], task["widths"][-1]), np.float32)
    return {"onnxruntime": bound(session(nodes, initializers, x.shape, y.shape, TensorProto.FLOAT), x, y)}


def prepare(task):
    return {"activation": activation, "predict": predict}.get(task["kind"], lambda _: {})(task)
