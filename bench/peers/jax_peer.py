"""JAX: jitted functions on arrays that are there; results are its own, as it writes into none given."""

import jax
import jax.numpy as jnp

import data

VERSION = jax.__version__
jax.config.update("jax_enable_x64", True)

FUNCTIONS = {
    "relu": jax.nn.relu,
    "leaky_relu": lambda x: jax.nn.leaky_relu(x, 0.2),
    "relu6": jax.nn.relu6,
    "hard_tanh": jax.nn.hard_tanh,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "hard_silu": jax.nn.hard_silu,
    "elu": jax.nn.elu,
    "celu": jax.nn.celu,
    "selu": jax.nn.selu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "tanh_shrink": lambda x: x - jnp.tanh(x),
    "softplus": jax.nn.softplus,
    "log_sigmoid": jax.nn.log_sigmoid,
    "softsign": jax.nn.soft_sign,
    "squareplus": jax.nn.squareplus,
    "sparse_plus": jax.nn.sparse_plus,
    "sparse_sigmoid": jax.nn.sparse_sigmoid,
    "exponential": jnp.exp,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    "silu": jax.nn.silu,
    "mish": jax.nn.mish,
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
}
ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": FUNCTIONS["gelu"]}


def activation(task, functions=FUNCTIONS):
    if task["function"] not in functions:
        return {}
    f = functions[task["function"]]
    x, g = (jnp.asarray(a, task["dtype"]) for a in data.arrays(task))
    if task["direction"] == "forward":
        run = jax.jit(f)
        return {"jax": lambda: run(x).block_until_ready()}
    run = jax.jit(lambda x, g: jax.vjp(f, x)[1](g)[0])
    return {"jax": lambda: run(x, g).block_until_ready()}


CUSTOM = {
    "silu": lambda x: x * jax.nn.sigmoid(x),
    "mish": lambda x: x * jnp.tanh(jax.nn.softplus(x)),
    "quick_gelu": lambda x: x * jax.nn.sigmoid(1.702 * x),
    "double_mish": lambda x: x * jnp.tanh(jax.nn.softplus(2 * x)),
    "twenty_nodes": lambda x: jnp.tanh(0.7 * x + 0.3) * jax.nn.sigmoid(x)
    + x * x / (1 + x * x) * jnp.exp(-0.1 * x * x) - 0.2 * x * jax.nn.softplus(0.5 * x),
    "kink": lambda x: jnp.where(x > 0, x, 0.1 * x * x + 0.5 * x),
}


def custom(task):
    return activation(task, CUSTOM)


def convolutional_weights(task):
    sizes = [(3, 3, 1, 32), (3, 3, 32, 64), (9216, 128), (128, task["widths"][-1])]
    return [(0.03 * jax.random.normal(jax.random.key(i), size, jnp.float32), jnp.zeros(size[-1], jnp.float32))
            for i, size in enumerate(sizes)]


def convolutional_logits(layers, x, f):
    for w, b in layers[:2]:
        x = f(jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b)
    x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return logits(layers[2:], x.reshape(x.shape[0], -1), f)


def recurrent_weights(task):
    sizes = [(task["input"][-1], 512), (128, 512), (128, task["widths"][-1])]
    return [(0.1 * jax.random.normal(jax.random.key(i), size, jnp.float32), jnp.zeros(size[-1], jnp.float32))
            for i, size in enumerate(sizes)]


def recurrent_logits(layers, x, f):
    (kernel, bias), (recurrent, _), (dense, offset) = layers
    projected = jnp.swapaxes(x, 0, 1) @ kernel + bias

    def step(carry, z):
        h, c = carry
        i, forget, g, o = jnp.split(z + h @ recurrent, 4, axis=1)
        c = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(i) * f(g)
        return (jax.nn.sigmoid(o) * f(c), c), None

    zeros = jnp.zeros((x.shape[0], 128), jnp.float32)
    (h, _), _ = jax.lax.scan(step, (zeros, zeros), projected)
    return h @ dense + offset


def weights(task):
    key = jax.random.key(1)
    made = []
    for inputs, outputs in zip(task["widths"], task["widths"][1:]):
        key, used = jax.random.split(key)
        made.append((jax.random.normal(used, (inputs, outputs), jnp.float32) / inputs**0.5,
                     jnp.zeros(outputs, jnp.float32)))
    return made


def logits(layers, x, f):
    for w, b in layers[:-1]:
        x = f(x @ w + b)
    w, b = layers[-1]
    return x @ w + b


MODELS = {
    "mlp": (weights, logits),
    "cnn": (convolutional_weights, convolutional_logits),
    "lstm": (recurrent_weights, recurrent_logits),
}


def train(task):
    make, compute = MODELS[task["model"]]
    x, y = data.classifier_data(task)
    x, y = jnp.asarray(x), jnp.asarray(y)
    f = ACTIVATIONS[task["activation"]]

    def loss(layers):
        return -jnp.take_along_axis(jax.nn.log_softmax(compute(layers, x, f)), y[:, None], 1).mean()

    def step(layers, first, second, count):
        gradient = jax.grad(loss)(layers)
        tree = jax.tree.map
        first = tree(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = tree(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        rate = rate.astype(jnp.float32)
        layers = tree(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), layers, first, second)
        return layers, first, second, count + 1

    run = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    layers = make(task)
    zeros = jax.tree.map(jnp.zeros_like, layers)
    state = [(layers, zeros, jax.tree.map(jnp.zeros_like, layers), jnp.float32(1))]

    def call():
        state[0] = run(*state[0])
        jax.block_until_ready(state[0])

    return {"jax": call}


def predict(task):
    x = jnp.asarray(data.classifier_data(task)[0])
    layers = weights(task)
    f = ACTIVATIONS[task["activation"]]
    run = jax.jit(lambda layers, x: logits(layers, x, f))
    return {"jax": lambda: run(layers, x).block_until_ready()}


def prepare(task):
    return {"activation": activation, "custom": custom, "train": train, "predict": predict}[task["kind"]](task)
