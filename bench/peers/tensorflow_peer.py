"""TensorFlow: its operators called eagerly; tf.function for prediction."""

import tensorflow as tf

import data

VERSION = tf.__version__
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
raw = tf.raw_ops

FORWARD = {
    "relu": tf.nn.relu,
    "leaky_relu": lambda x: raw.LeakyRelu(features=x, alpha=0.2),
    "relu6": tf.nn.relu6,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "softplus": tf.nn.softplus,
    "softsign": tf.nn.softsign,
    "exponential": tf.exp,
    "gelu": lambda x: tf.nn.gelu(x),
    "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True),
    "silu": tf.nn.silu,
    "softmax": tf.nn.softmax,
    "log_softmax": tf.nn.log_softmax,
}
GRADIENT = {
    "relu": lambda g, x, y: raw.ReluGrad(gradients=g, features=x),
    "leaky_relu": lambda g, x, y: raw.LeakyReluGrad(gradients=g, features=x, alpha=0.2),
    "relu6": lambda g, x, y: raw.Relu6Grad(gradients=g, features=x),
    "elu": lambda g, x, y: raw.EluGrad(gradients=g, outputs=y),
    "selu": lambda g, x, y: raw.SeluGrad(gradients=g, outputs=y),
    "sigmoid": lambda g, x, y: raw.SigmoidGrad(y=y, dy=g),
    "tanh": lambda g, x, y: raw.TanhGrad(y=y, dy=g),
    "softplus": lambda g, x, y: raw.SoftplusGrad(gradients=g, features=x),
    "softsign": lambda g, x, y: raw.SoftsignGrad(gradients=g, features=x),
}
ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.tanh, "gelu": tf.nn.gelu}


def activation(task):
    function = task["function"]
    x, g = (tf.cast(tf.constant(a), task["dtype"]) for a in data.arrays(task))
    if task["direction"] == "forward":
        if function not in FORWARD:
            return {}
        run = FORWARD[function]
        return {"tensorflow": lambda: run(x)}
    if function not in GRADIENT:
        return {}
    y = FORWARD[function](x)
    run = GRADIENT[function]
    return {"tensorflow": lambda: run(g, x, y)}


def predict(task):
    x = tf.constant(data.classifier_data(task)[0])
    f = ACTIVATIONS[task["activation"]]
    pairs = list(zip(task["widths"], task["widths"][1:]))
    layers = [(tf.random.normal(pair), tf.zeros(pair[1])) for pair in pairs]

    @tf.function
    def run(x):
        for w, b in layers[:-1]:
            x = f(x @ w + b)
        w, b = layers[-1]
        return x @ w + b

    return {"tensorflow": lambda: run(x)}


def prepare(task):
    return {"activation": activation, "predict": predict}.get(task["kind"], lambda _: {})(task)
