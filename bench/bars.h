// The bars that speed is held to, and how accurate each peer is known to be.
#pragma once

#include <array>
#include <string_view>

namespace keratin::bench {

/// Our time over the peer's, at most: against the fastest of any accuracy, and against the fastest within
/// 2 ULP (or the most accurate). float32, 65,536 elements, one thread.
struct Bar {
  std::string_view functions;  ///< separated by spaces
  bool gradient;
  double fastest, accurate;
};

inline constexpr std::array kBars{
    Bar{" relu leaky_relu relu6 hard_sigmoid hard_tanh hard_silu soft_shrink hard_shrink threshold ", false,
        1.05, 1.05},
    Bar{" softsign ", false, 1.5, 0.8},
    Bar{" exponential ", false, 1.0, 0.9},
    Bar{" elu selu celu ", false, 1.1, 0.95},
    Bar{" tanh sigmoid softplus log_sigmoid ", false, 1.1, 0.5},
    Bar{" silu gelu gelu_tanh mish ", false, 1.2, 0.4},
    Bar{" softmax log_softmax ", false, 0.9, 0.9},
    Bar{" relu leaky_relu relu6 elu selu celu softplus gelu gelu_tanh silu softmax ", true, 1.0, 0.9},
    Bar{" sigmoid tanh ", true, 2.5, 0.9},
};
/// Rows of ten: the others spend their time on the call.
inline constexpr double kSoftmaxShortRows = 0.5;
/// Against torch, ONNX Runtime, JAX, TensorFlow; not where only memory counts.
inline constexpr double kFrameworks = 0.5;

/// 16-bit floats: against the fastest peer, and what only memory should bound against the copy.
inline constexpr double kHalves = 0.75, kHalvesOverCopy = 1 / 0.9;
inline constexpr std::string_view kBoundByCopy =
    " relu leaky_relu relu6 hard_tanh soft_shrink hard_shrink threshold ";

/// Largest error over all float32 inputs, in ULP, as measured against MPFR in 2026-11 with the peers' current
/// releases. A pair that is not listed counts as not known; kLost: the negative tail is lost altogether, by
/// compositions of functions within 1 ULP (the others that lose it are not listed).
inline constexpr double kLost = 1e7;
struct KnownError {
  std::string_view peer, function;
  bool gradient;
  double ulp;
};

inline constexpr std::array kKnownErrors{
    KnownError{"torch", "tanh", false, 0.513},
    KnownError{"mkl_ha", "tanh", false, 0.513},
    KnownError{"sleef", "tanh", false, 1.00},
    KnownError{"onednn", "tanh", false, 1.21},
    KnownError{"eigen", "tanh", false, 4.6},
    KnownError{"jax", "tanh", false, 4.9},
    KnownError{"tensorflow", "tanh", false, 6.1},
    KnownError{"onnxruntime", "tanh", false, 104},
    KnownError{"mkl_ha", "exponential", false, 0.564},
    KnownError{"onnxruntime", "exponential", false, 0.866},
    KnownError{"sleef", "exponential", false, 0.98},
    KnownError{"tensorflow", "exponential", false, 1.3},
    KnownError{"jax", "exponential", false, 5.5},
    KnownError{"torch", "sigmoid", false, 2.43},
    KnownError{"sleef", "sigmoid", false, 2.43},
    KnownError{"xnnpack", "sigmoid", false, 3.9},
    KnownError{"tensorflow", "sigmoid", false, 6.6},
    KnownError{"eigen", "sigmoid", false, 8431},
    KnownError{"onnxruntime", "sigmoid", false, 7e7},
    KnownError{"sleef", "softplus", false, 1.49},
    KnownError{"torch", "softplus", false, 1.50},
    KnownError{"jax", "softplus", false, 2.9},
    KnownError{"onnxruntime", "softplus", false, 4.6},
    KnownError{"tensorflow", "softplus", false, 7.0},
    KnownError{"sleef", "log_sigmoid", false, 1.49},
    KnownError{"torch", "elu", false, 1.0},
    KnownError{"torch", "celu", false, 1.0},
    KnownError{"sleef", "elu", false, 1.0},
    KnownError{"sleef", "celu", false, 1.0},
    KnownError{"xnnpack", "elu", false, 4.8},
    KnownError{"xnnpack", "celu", false, 4.8},
    KnownError{"jax", "elu", false, 5.3},
    KnownError{"jax", "celu", false, 5.3},
    KnownError{"torch", "selu", false, 2.0},
    KnownError{"torch", "mish", false, 136},
    KnownError{"torch", "gelu", false, kLost},
    KnownError{"sleef", "gelu", false, kLost},
    KnownError{"torch", "gelu_tanh", false, kLost},
    KnownError{"sleef", "gelu_tanh", false, kLost},
    KnownError{"torch", "silu", false, kLost},
    KnownError{"sleef", "silu", false, kLost},
    KnownError{"torch", "elu", true, 0.97},
    KnownError{"torch", "celu", true, 0.97},
    KnownError{"torch", "softplus", true, 2.26},
    KnownError{"torch", "gelu", true, kLost},
    KnownError{"torch", "silu", true, kLost},
    KnownError{"torch", "sigmoid", true, kLost},
    KnownError{"torch", "tanh", true, kLost},
};

/// Of these every peer rounds at most twice: within 2 ULP whoever computes them.
inline constexpr std::string_view kAccurateAnyway =
    " relu leaky_relu relu6 hard_tanh hard_sigmoid soft_shrink hard_shrink threshold softsign ";

}  // namespace keratin::bench
