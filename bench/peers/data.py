"""The data that frameworks are timed on: drawn like keratin-bench's own, aligned, on huge pages where large."""

import numpy as np

try:
    import ml_dtypes

    BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
except ImportError:
    BFLOAT16 = None

_kept = {}


def arrays(task):
    """x and upstream, of the task's shape; float32 whatever the task's dtype."""
    shape = (task["n"] // task["row"], task["row"]) if task["row"] else (task["n"],)
    key = (shape, task["spread"])
    if key not in _kept:
        _kept.clear()
        random = np.random.default_rng(1)
        x = random.standard_normal(shape, np.float32)
        if task["spread"] == "uniform":
            x = random.random(shape, np.float32) * 16 - 8
        _kept[key] = x, random.standard_normal(shape, np.float32)
    return _kept[key]


def numpy_dtype(name):
    """None for a dtype that NumPy lacks here."""
    return BFLOAT16 if name == "bfloat16" else np.dtype(name)


def classifier_data(task):
    """A batch: float32 samples, channels last, and integer labels."""
    random = np.random.default_rng(1)
    x = random.standard_normal((task["batch"], *task["input"]), np.float32)
    return x, (np.arange(task["batch"]) % task["widths"][-1]).astype(np.int64)
