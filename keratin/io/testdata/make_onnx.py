#!/usr/bin/env python3
"""Writes onnx.npz: a graph of each operator that io reads, with onnxruntime's outputs; and two graphs as files.

Needs the packages onnx and onnxruntime. Members: x, and for each graph NAME.onnx, its bytes, and NAME.y.
"""
import os

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

os.chdir(os.path.dirname(os.path.abspath(__file__)))
FLOAT, BOOL, INT32, INT64 = TensorProto.FLOAT, TensorProto.BOOL, TensorProto.INT32, TensorProto.INT64
X = np.concatenate([np.linspace(-6, 6, 25), [-0.0, 1e-4, 0.3, -1.7, 2.2, 0.75, -0.1]]).astype(np.float32)


def scalar(name, value, dtype=np.float32, shape=()):
    return numpy_helper.from_array(np.full(shape, value, dtype), name)


def graph(nodes, constants=(), opset=22, functions=(), domain=None, listed=False, element=FLOAT):
    """A model of `nodes` from x to y; `listed` names the constants among the inputs, as IR 3 did."""
    value = lambda name: helper.make_tensor_value_info(name, element, ["N"])
    inputs = [value("x")]
    if listed:
        inputs += [helper.make_tensor_value_info(c.name, c.data_type, list(c.dims)) for c in constants]
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, [value("y")], list(constants)),
                              opset_imports=opsets, functions=list(functions), producer_name="keratin")
    model.ir_version = 3 if listed else 10
    return model


def one(operation, *others, opset=22, constants=(), **attributes):
    return graph([helper.make_node(operation, ["x", *others], ["y"], **attributes)], constants, opset)


def condition(operation, *inputs, constants=(), **attributes):
    """The condition as 1 and 0."""
    return graph([helper.make_node(operation, list(inputs), ["c"], **attributes),
                  helper.make_node("Cast", ["c"], ["y"], to=FLOAT)], constants)


def inside(operation, low, high, opset=22, **attributes):
    """Of x scaled into (low, high), where the operator is defined."""
    nodes = [helper.make_node("Mul", ["x", "a"], ["s"]), helper.make_node("Add", ["s", "b"], ["t"]),
             helper.make_node(operation, ["t"], ["y"], **attributes)]
    return graph(nodes, [scalar("a", (high - low) / 14), scalar("b", (high + low) / 2)], opset)


def of_integers(operation, *inputs, constants=(), to=INT64, **attributes):
    """Of i, 3x cast to an integer, as a number again; its reciprocal too, for the sign of zero."""
    return graph([helper.make_node("Mul", ["x", "three"], ["t"]), helper.make_node("Cast", ["t"], ["i"], to=to),
                  helper.make_node(operation, list(inputs), ["r"], **attributes),
                  helper.make_node("Cast", ["r"], ["f"], to=FLOAT), helper.make_node("Reciprocal", ["f"], ["v"]),
                  helper.make_node("Max", ["v", "one"], ["w"]), helper.make_node("Add", ["f", "w"], ["y"])],
                 [scalar("three", 3.0), scalar("one", 1.0), *constants])


def chain(*nodes, constants=()):
    """Nodes (operation, inputs, output) with their attributes."""
    return graph([helper.make_node(operation, inputs.split(), [output], **attributes)
                  for operation, inputs, output, attributes in nodes], constants)


half = scalar("half", 0.5)
zero = scalar("zero", 0.0)
two = scalar("two", 2.0)
models = {op.lower(): one(op) for op in
          ["Abs", "Atan", "Ceil", "Celu", "Cos", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "Identity",
           "LeakyRelu", "Mish", "Neg", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Cosh",
           "Softplus", "Softsign", "Tan", "Tanh", "ThresholdedRelu", "Gelu", "Asinh"]}
models |= {
    "acos": inside("Acos", -1, 1), "asin": inside("Asin", -1, 1), "atanh": inside("Atanh", -1, 1),
    "acosh": inside("Acosh", 1, 9), "log": inside("Log", 0, 9), "sqrt": inside("Sqrt", 0, 9),
    "reciprocal": inside("Reciprocal", 1, 9),
    "elu_alpha": one("Elu", alpha=0.3), "celu_alpha": one("Celu", alpha=2.0),
    "leaky_alpha": one("LeakyRelu", alpha=-0.2), "hard_sigmoid_both": one("HardSigmoid", alpha=0.1, beta=0.4),
    "thresholded_alpha": one("ThresholdedRelu", alpha=-0.5), "shrink_both": one("Shrink", bias=0.2, lambd=1.5),
    "selu_own": one("Selu", alpha=1.5, gamma=0.8), "gelu_tanh": one("Gelu", approximate="tanh"),
    "prelu": one("PRelu", "half", constants=[scalar("half", 0.5, shape=(1,))]),
    "add": one("Add", "half", constants=[half]), "sub": one("Sub", "half", constants=[half]),
    "mul": one("Mul", "x"), "div": one("Div", "two", constants=[scalar("two", 3.0)]),
    "pow_float": one("Pow", "e", constants=[scalar("e", 3.0)]),
    "pow_int": one("Pow", "e", constants=[scalar("e", 2, np.int64)]),
    "pow_of_constant": graph([helper.make_node("Pow", ["two", "x"], ["y"])], [two]),
    "max": one("Max", "half", "two", constants=[half, two]), "min": one("Min", "half", constants=[half]),
    "sum": one("Sum", "x", "half", constants=[half]), "mean": one("Mean", "half", "two", constants=[half, two]),
    "clip": one("Clip", "half", "two", constants=[half, two]), "clip_low": one("Clip", "half", constants=[half]),
    "clip_high": one("Clip", "", "half", constants=[half]), "clip_old": one("Clip", opset=6, min=-1.0, max=2.5),
    "dropout": one("Dropout"),
    "greater": condition("Greater", "x", "half", constants=[half]),
    "greater_or_equal": condition("GreaterOrEqual", "x", "half", constants=[half]),
    "less": condition("Less", "x", "half", constants=[half]),
    "less_or_equal": condition("LessOrEqual", "x", "half", constants=[half]),
    "equal": condition("Equal", "x", "half", constants=[half]), "isnan": condition("IsNaN", "x"),
    "isinf": condition("IsInf", "x", detect_negative=0),
    "cast_to_bool": graph([helper.make_node("Cast", ["x"], ["c"], to=BOOL),
                           helper.make_node("Cast", ["c"], ["y"], to=FLOAT)]),
    "cast_to_double": graph([helper.make_node("Cast", ["x"], ["d"], to=TensorProto.DOUBLE),
                             helper.make_node("Cast", ["d"], ["y"], to=FLOAT)]),
    "cast_like": graph([helper.make_node("CastLike", ["i", "x"], ["c"]), helper.make_node("Add", ["c", "x"], ["y"])],
                       [scalar("i", 7, np.int32)]),
    "logical": graph([helper.make_node("Greater", ["x", "half"], ["p"]), helper.make_node("Less", ["x", "two"], ["q"]),
                      helper.make_node("And", ["p", "q"], ["a"]), helper.make_node("Xor", ["p", "q"], ["b"]),
                      helper.make_node("Not", ["b"], ["c"]), helper.make_node("Or", ["a", "c"], ["d"]),
                      helper.make_node("Equal", ["d", "p"], ["e"]),
                      helper.make_node("Where", ["e", "x", "half"], ["y"])], [half, two]),
    "constants": graph([helper.make_node("Constant", [], ["a"], value_float=0.25),
                        helper.make_node("Constant", [], ["b"], value=scalar("", -1.5, shape=(1,))),
                        helper.make_node("Mul", ["x", "a"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]),
    "filled": graph([helper.make_node("Shape", ["x"], ["s"]),
                     helper.make_node("ConstantOfShape", ["s"], ["f"], value=scalar("", 1.5, shape=(1,))),
                     helper.make_node("Expand", ["half", "s"], ["h"]), helper.make_node("Add", ["f", "h"], ["g"]),
                     helper.make_node("Mul", ["x", "g"], ["y"])], [half]),
    "listed_constants": graph([helper.make_node("Mul", ["x", "half"], ["y"])], [half], opset=8, listed=True),
    "typed_data": graph([helper.make_node("Mul", ["x", "t"], ["y"])],
                        [helper.make_tensor("t", FLOAT, [1], [1.25])]),
    "half_precision": graph([helper.make_node("Cast", ["h"], ["c"], to=FLOAT),
                             helper.make_node("Mul", ["x", "c"], ["y"])],
                            [helper.make_tensor("h", TensorProto.FLOAT16, [], [0.333])]),
}
seven, three_below = scalar("b", 7, np.int64), scalar("b", -3, np.int64)
models |= {
    f"int_{op.lower()}": of_integers(op, "i", "b", constants=[seven]) for op in ["Add", "Sub", "Mul", "Div", "Max", "Min"]}
models |= {f"int_{op.lower()}": of_integers(op, "i") for op in ["Neg", "Abs", "Sign", "Identity"]}
models |= {
    f"int_{op.lower()}": of_integers(op, "i", "b", constants=[seven])
    for op in ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"]}
models |= {
    "int_div_below": of_integers("Div", "i", "b", constants=[three_below]),
    "int_mul_below": of_integers("Mul", "i", "b", constants=[three_below]),
    "int_mod": of_integers("Mod", "i", "b", constants=[seven]),
    "int_mod_below": of_integers("Mod", "i", "b", constants=[three_below]),
    "int_fmod": of_integers("Mod", "i", "b", constants=[three_below], fmod=1),
    "int_clip": of_integers("Clip", "i", "b", "", constants=[three_below]),
    "int32": of_integers("Mod", "i", "b", constants=[scalar("b", 5, np.int32)], to=INT32),
    "int_where": chain(("Cast", "x", "i", {"to": INT64}), ("Mod", "i two", "m", {}), ("Equal", "m zero", "p", {}),
                       ("Where", "p i two", "w", {}), ("Cast", "w", "f", {"to": FLOAT}), ("Mul", "f x", "y", {}),
                       constants=[scalar("two", 2, np.int64), scalar("zero", 0, np.int64)]),
    # A mask by way of integers, as exporters write them.
    "mask": chain(("Greater", "x half", "p", {}), ("Cast", "p", "i", {"to": INT64}), ("Cast", "i", "f", {"to": FLOAT}),
                  ("Mul", "f x", "y", {}), constants=[half]),
    "mask_of_bytes": chain(("Less", "x half", "p", {}), ("Cast", "p", "i", {"to": TensorProto.UINT8}),
                           ("Cast", "i", "q", {"to": BOOL}), ("Cast", "q", "f", {"to": FLOAT}), ("Mul", "f x", "y", {}),
                           constants=[half]),
    # The sign of zero shows in the reciprocal.
    "cast_to_int": chain(("Cast", "x", "i", {"to": INT64}), ("Cast", "i", "f", {"to": FLOAT}),
                         ("Reciprocal", "f", "y", {})),
    "fmod": one("Mod", "b", constants=[scalar("b", 0.7)], fmod=1),
    "fmod_below": one("Mod", "b", constants=[scalar("b", -2.0)], fmod=1),
    "fmod_signs": chain(("Mod", "x half", "m", {"fmod": 1}), ("Reciprocal", "m", "y", {}), constants=[half]),
    "fmod_both": chain(("Mod", "two x", "y", {"fmod": 1}), constants=[two]),
    "fmod_of_infinity": chain(("Div", "x zero", "a", {}), ("Mod", "a two", "y", {"fmod": 1}), constants=[zero, two]),
    "fmod_by_infinity": chain(("Div", "x zero", "a", {}), ("Mod", "two a", "y", {"fmod": 1}), constants=[zero, two]),
    "pow_both": one("Pow", "x"),
    "pow_whole": chain(("Floor", "x", "b", {}), ("Pow", "x b", "y", {})),
    "pow_integer": chain(("Cast", "x", "b", {"to": INT64}), ("Pow", "x b", "y", {})),
    "pow_of_zero": chain(("Mul", "x zero", "a", {}), ("Floor", "x", "b", {}), ("Pow", "a b", "p", {}),
                         ("Reciprocal", "p", "y", {}), constants=[zero]),
    "pow_of_infinity": chain(("Div", "x zero", "a", {}), ("Pow", "a x", "y", {}), constants=[zero]),
    "pow_to_infinity": chain(("Div", "x zero", "b", {}), ("Pow", "x b", "y", {}), constants=[zero]),
    "pow_to_nan": chain(("Sqrt", "minus", "b", {}), ("Mul", "b x", "c", {}), ("Pow", "x c", "y", {}),
                        constants=[scalar("minus", -1.0)]),
}
# A function of the model's own, called twice, its attribute given once.
scaled = helper.make_function(
    "own", "scaled_tanh", ["v"], ["w"],
    [helper.make_node("Tanh", ["v"], ["t"]), helper.make_node("LeakyRelu", ["t"], ["w"])],
    [helper.make_opsetid("", 22)], attribute_protos=[helper.make_attribute("alpha", 0.5)])
scaled.node[1].attribute.append(helper.make_attribute("alpha", 0.0))
scaled.node[1].attribute[0].Clear()
scaled.node[1].attribute[0].name, scaled.node[1].attribute[0].ref_attr_name = "alpha", "alpha"
scaled.node[1].attribute[0].type = 1
models["function"] = graph([helper.make_node("scaled_tanh", ["x"], ["a"], domain="own"),
                            helper.make_node("scaled_tanh", ["a"], ["b"], domain="own", alpha=0.1),
                            helper.make_node("Add", ["a", "b"], ["y"])], functions=[scaled], domain="own")
models["quick_gelu"] = graph([helper.make_node("QuickGelu", ["x"], ["y"], domain="com.microsoft")],
                             domain="com.microsoft")

members = {"x": X}
for name, model in models.items():
    data = model.SerializeToString()
    members[name + ".onnx"] = np.frombuffer(data, np.uint8)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    members[name + ".y"] = session.run(None, {"x": X})[0]
np.savez_compressed("onnx.npz", **members)
for name in ("logical", "function"):
    with open(f"{name}.onnx", "wb") as file:
        file.write(models[name].SerializeToString())
print(f"{len(models)} graphs, {os.path.getsize('onnx.npz')} bytes")
