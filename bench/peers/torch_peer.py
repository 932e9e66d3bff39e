"""torch: aten operators into a given result, its eager mode and torch.compile for networks."""

import numpy as np
import torch
import torch._functorch.config
import torch.nn.functional as F

import data

VERSION = torch.__version__
torch.set_num_threads(1)
torch.set_num_interop_threads(1)
aten = torch.ops.aten

# function: call of input x, result y
FORWARD = {
    "relu": lambda x, y: torch.clamp_min(x, 0, out=y),
    "leaky_relu": lambda x, y: aten.leaky_relu.out(x, 0.2, out=y),
    "relu6": lambda x, y: aten.hardtanh.out(x, 0, 6, out=y),
    "hard_tanh": lambda x, y: aten.hardtanh.out(x, -1, 1, out=y),
    "hard_sigmoid": lambda x, y: aten.hardsigmoid.out(x, out=y),
    "hard_silu": lambda x, y: aten.hardswish.out(x, out=y),
    "hard_shrink": lambda x, y: aten.hardshrink.out(x, 0.5, out=y),
    "soft_shrink": lambda x, y: aten.softshrink.out(x, 0.5, out=y),
    "threshold": lambda x, y: aten.threshold.out(x, 0.0, 0.0, out=y),
    "elu": lambda x, y: aten.elu.out(x, 1.0, 1.0, 1.0, out=y),
    "celu": lambda x, y: aten.elu.out(x, 1.0, 1.0, 1.0, out=y),
    "selu": lambda x, y: aten.elu.out(x, 1.6732632423543772, 1.0507009873554805, 1.0, out=y),
    "sigmoid": lambda x, y: torch.sigmoid(x, out=y),
    "tanh": lambda x, y: torch.tanh(x, out=y),
    "softplus": lambda x, y: aten.softplus.out(x, 1.0, 20.0, out=y),
    "log_sigmoid": lambda x, y: F.logsigmoid(x),
    "softsign": lambda x, y: F.softsign(x),
    "tanh_shrink": lambda x, y: F.tanhshrink(x),
    "exponential": lambda x, y: torch.exp(x, out=y),
    "gelu": lambda x, y: aten.gelu.out(x, approximate="none", out=y),
    "gelu_tanh": lambda x, y: aten.gelu.out(x, approximate="tanh", out=y),
    "silu": lambda x, y: aten.silu.out(x, out=y),
    "mish": lambda x, y: aten.mish.out(x, out=y),
    "softmax": lambda x, y: aten._softmax.out(x, -1, False, out=y),
    "log_softmax": lambda x, y: aten._log_softmax.out(x, -1, False, out=y),
}

# function: call of upstream g, input x, result y, room r
GRADIENT = {
    "relu": lambda g, x, y, r: aten.threshold_backward.grad_input(g, x, 0, grad_input=r),
    "leaky_relu": lambda g, x, y, r: aten.leaky_relu_backward.grad_input(g, x, 0.2, False, grad_input=r),
    "relu6": lambda g, x, y, r: aten.hardtanh_backward.grad_input(g, x, 0, 6, grad_input=r),
    "hard_tanh": lambda g, x, y, r: aten.hardtanh_backward.grad_input(g, x, -1, 1, grad_input=r),
    "hard_sigmoid": lambda g, x, y, r: aten.hardsigmoid_backward.grad_input(g, x, grad_input=r),
    "hard_silu": lambda g, x, y, r: aten.hardswish_backward(g, x),
    "hard_shrink": lambda g, x, y, r: aten.hardshrink_backward.grad_input(g, x, 0.5, grad_input=r),
    "soft_shrink": lambda g, x, y, r: aten.softshrink_backward.grad_input(g, x, 0.5, grad_input=r),
    "elu": lambda g, x, y, r: aten.elu_backward.grad_input(g, 1.0, 1.0, 1.0, False, x, grad_input=r),
    "celu": lambda g, x, y, r: aten.elu_backward.grad_input(g, 1.0, 1.0, 1.0, False, x, grad_input=r),
    "selu": lambda g, x, y, r: aten.elu_backward.grad_input(
        g, 1.6732632423543772, 1.0507009873554805, 1.0, False, x, grad_input=r),
    "sigmoid": lambda g, x, y, r: aten.sigmoid_backward.grad_input(g, y, grad_input=r),
    "tanh": lambda g, x, y, r: aten.tanh_backward.grad_input(g, y, grad_input=r),
    "softplus": lambda g, x, y, r: aten.softplus_backward.grad_input(g, x, 1.0, 20.0, grad_input=r),
    "exponential": lambda g, x, y, r: torch.mul(g, y, out=r),
    "gelu": lambda g, x, y, r: aten.gelu_backward.grad_input(g, x, approximate="none", grad_input=r),
    "gelu_tanh": lambda g, x, y, r: aten.gelu_backward.grad_input(g, x, approximate="tanh", grad_input=r),
    "silu": lambda g, x, y, r: aten.silu_backward.grad_input(g, x, grad_input=r),
    "mish": lambda g, x, y, r: aten.mish_backward(g, x),
    "softmax": lambda g, x, y, r: aten._softmax_backward_data.out(g, y, -1, x.dtype, grad_input=r),
    "log_softmax": lambda g, x, y, r: aten._log_softmax_backward_data.out(g, y, -1, x.dtype, out=r),
}

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU}


def activation(task):
    dtype = getattr(torch, task["dtype"])
    x, g = (torch.from_numpy(a).to(dtype) for a in data.arrays(task))
    # Room from NumPy, which asks for huge pages where they pay.
    room = torch.from_numpy(np.zeros((x.numel() * x.element_size(),), np.uint8)).view(dtype).view(x.shape)
    function = task["function"]
    if task["direction"] == "forward":
        if function not in FORWARD:
            return {}
        run = FORWARD[function]
        return {"torch": lambda: run(x, room)}
    if function not in GRADIENT:
        return {}
    y = FORWARD[function](x, torch.empty_like(x))
    run = GRADIENT[function]
    return {"torch": lambda: run(g, x, y, room)}


CUSTOM = {
    "silu": lambda x: x * torch.sigmoid(x),
    "mish": lambda x: x * torch.tanh(F.softplus(x)),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "double_mish": lambda x: x * torch.tanh(F.softplus(2 * x)),
    "twenty_nodes": lambda x: torch.tanh(0.7 * x + 0.3) * torch.sigmoid(x)
    + x * x / (1 + x * x) * torch.exp(-0.1 * x * x) - 0.2 * x * F.softplus(0.5 * x),
    "kink": lambda x: torch.where(x > 0, x, 0.1 * x * x + 0.5 * x),
}


def custom(task):
    """Value; or backward alone, of a forward pass that was run before, as our gradient starts from x alone."""
    # By default a compiled backward pass may be run once only.
    torch._functorch.config.donated_buffer = False
    x, g = (torch.from_numpy(a) for a in data.arrays(task))
    f = CUSTOM[task["function"]]
    ways = {"torch": f, "torch_compile": torch.compile(f)}
    if task["direction"] == "forward":
        return {way: lambda run=run: run(x) for way, run in ways.items()}
    x = x.clone().requires_grad_()
    results = {way: run(x) for way, run in ways.items()}
    return {way: lambda y=y: torch.autograd.grad(y, x, g, retain_graph=True) for way, y in results.items()}


class Recurrent(torch.nn.Module):
    def __init__(self, task):
        super().__init__()
        self.lstm = torch.nn.LSTM(task["input"][-1], 128, batch_first=True)
        self.dense = torch.nn.Linear(128, task["widths"][-1])

    def forward(self, x):
        return self.dense(self.lstm(x)[0][:, -1])


def network(task):
    layers = []
    if task["model"] == "lstm":
        return Recurrent(task)
    if task["model"] == "cnn":
        f = ACTIVATIONS[task["activation"]]
        return torch.nn.Sequential(
            torch.nn.Conv2d(1, 32, 3), f(), torch.nn.Conv2d(32, 64, 3), f(), torch.nn.MaxPool2d(2),
            torch.nn.Flatten(), torch.nn.Linear(9216, 128), f(), torch.nn.Linear(128, task["widths"][-1]))
    for inputs, outputs in zip(task["widths"], task["widths"][1:]):
        layers += [torch.nn.Linear(inputs, outputs), ACTIVATIONS[task["activation"]]()]
    return torch.nn.Sequential(*layers[:-1])


def train(task):
    x, y = (torch.from_numpy(a) for a in data.classifier_data(task))
    if task["model"] == "cnn":
        x = x.permute(0, 3, 1, 2).contiguous()

    def stepper(compiled):
        model = network(task)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        run = torch.compile(model) if compiled else model

        def step():
            optimizer.zero_grad()
            F.cross_entropy(run(x), y).backward()
            optimizer.step()

        return step

    return {"torch": stepper(False), "torch_compile": stepper(True)}


def predict(task):
    x, _ = data.classifier_data(task)
    x = torch.from_numpy(x)
    model = network(task).eval()
    compiled = torch.compile(model)

    def run(f):
        def call():
            with torch.inference_mode():
                f(x)

        return call

    return {"torch": run(model), "torch_compile": run(compiled)}


def prepare(task):
    torch.set_grad_enabled(task["kind"] == "train" or (task["kind"] == "custom" and task["direction"] == "gradient"))
    return {"activation": activation, "custom": custom, "train": train, "predict": predict}[task["kind"]](task)
