// The textbook formulas of the losses that act on one label and one prediction, with their slopes. Internal.
// Sources: Keras's definitions as docs of each class in losses.h give them; slopes at kinks are TensorFlow's.
#pragma once

#include <algorithm>
#include <cmath>

namespace keratin::inline v0::detail {

/// Keras's backend epsilon.
inline constexpr double kEpsilon = 1e-7;

template <class T>
struct SquaredErrorFunction {
  static constexpr bool kSums = false;
  T value(T y, T p) const { return (p - y) * (p - y); }
  T slope(T y, T p) const { return T(2) * (p - y); }
};

template <class T>
T sign_of(T x) {
  return static_cast<T>((x > T(0)) - (x < T(0)));
}

template <class T>
struct AbsoluteErrorFunction {
  static constexpr bool kSums = false;
  T value(T y, T p) const { return std::abs(p - y); }
  T slope(T y, T p) const { return sign_of(p - y); }
};

template <class T>
struct PercentageErrorFunction {
  static constexpr bool kSums = false;
  T value(T y, T p) const { return T(100) * std::abs(p - y) / std::max(std::abs(y), T(kEpsilon)); }
  T slope(T y, T p) const { return T(100) * sign_of(p - y) / std::max(std::abs(y), T(kEpsilon)); }
};

template <class T>
struct LogarithmicErrorFunction {
  static constexpr bool kSums = false;
  static T log_of(T x) { return std::log1p(std::max(x, T(kEpsilon))); }
  T value(T y, T p) const { return (log_of(p) - log_of(y)) * (log_of(p) - log_of(y)); }
  T slope(T y, T p) const { return p < T(kEpsilon) ? T(0) : T(2) * (log_of(p) - log_of(y)) / (p + T(1)); }
};

template <class T>
struct HuberFunction {
  static constexpr bool kSums = false;
  T delta;
  T value(T y, T p) const {
    const T d = std::abs(p - y);
    return d <= delta ? T(0.5) * d * d : delta * d - T(0.5) * delta * delta;
  }
  T slope(T y, T p) const { return std::clamp(p - y, -delta, delta); }
};

template <class T>
struct LogCoshFunction {
  static constexpr bool kSums = false;
  T value(T y, T p) const {
    const T d = std::abs(p - y);
    // ln cosh d = ln(1 + 2 sinh²(d/2)) keeps its digits near 0, where |d| + ln(1 + e^−2|d|) − ln 2 cancels.
    if (d < T(1)) {
      const T s = std::sinh(d / T(2));
      return std::log1p(T(2) * s * s);
    }
    return d + std::log1p(std::exp(T(-2) * d)) - T(0.693147180559945309417);
  }
  T slope(T y, T p) const { return std::tanh(p - y); }
};

template <class T>
struct PoissonFunction {
  static constexpr bool kSums = false;
  T value(T y, T p) const { return p - y * std::log(p + T(kEpsilon)); }
  T slope(T y, T p) const { return T(1) - y / (p + T(kEpsilon)); }
};

template <class T>
struct KlDivergenceFunction {
  static constexpr bool kSums = true;
  static T clip(T x) { return std::min(std::max(x, T(kEpsilon)), T(1)); }
  T value(T y, T p) const { return clip(y) * std::log(clip(y) / clip(p)); }
  T slope(T y, T p) const { return p < T(kEpsilon) || p > T(1) ? T(0) : -clip(y) / p; }
};

/// Labels are −1 and 1, or were 0 and 1: then y is 2y − 1.
template <class T>
struct HingeFunction {
  static constexpr bool kSums = false;
  T scale, offset;
  T margin(T y, T p) const { return T(1) - (scale * y + offset) * p; }
  T value(T y, T p) const { return std::max(margin(y, p), T(0)); }
  T slope(T y, T p) const { return margin(y, p) >= T(0) ? -(scale * y + offset) : T(0); }
};

template <class T>
struct SquaredHingeFunction {
  static constexpr bool kSums = false;
  HingeFunction<T> hinge;
  T value(T y, T p) const { return hinge.value(y, p) * hinge.value(y, p); }
  T slope(T y, T p) const { return T(2) * hinge.value(y, p) * hinge.slope(y, p); }
};

/// y·(1 − s) + s/2
template <class T>
struct BinarySmoothing {
  T smoothing = 0;
  T operator()(T y) const { return smoothing == T(0) ? y : y * (T(1) - smoothing) + T(0.5) * smoothing; }
};

/// From probabilities. `inside` is what Keras 2 adds inside each logarithm: 1e-7, in Keras 3 nothing.
template <class T>
struct BinaryProbabilityFunction {
  static constexpr bool kSums = false;
  BinarySmoothing<T> smooth;
  T inside;
  // In float32 1 − (1 − 1e-7) is 1.19e-7: the upper end is rounded as Keras's is.
  static constexpr T kLow = T(kEpsilon), kHigh = T(1) - T(kEpsilon);
  T value(T label, T probability) const {
    const T y = smooth(label), p = std::min(std::max(probability, kLow), kHigh);
    return -(y * std::log(p + inside) + (T(1) - y) * std::log(T(1) - p + inside));
  }
  T slope(T label, T p) const {
    if (p < kLow || p > kHigh) return T(0);
    const T y = smooth(label);
    return (T(1) - y) / (T(1) - p + inside) - y / (p + inside);
  }
};

template <class T>
T logistic(T z) {
  const T e = std::exp(-std::abs(z));
  return z < T(0) ? e / (T(1) + e) : T(1) / (T(1) + e);
}

template <class T>
struct BinaryLogitsFunction {
  static constexpr bool kSums = false;
  BinarySmoothing<T> smooth;
  T value(T label, T z) const {
    return std::max(z, T(0)) - z * smooth(label) + std::log1p(std::exp(-std::abs(z)));
  }
  T slope(T label, T z) const { return logistic(z) - smooth(label); }
};

/// (1 − p_t)^gamma and its slope with respect to p, and the class weight.
template <class T>
struct FocalFactor {
  T gamma;
  T weight_of_one, weight_of_zero;
  T weight(T y) const { return y * weight_of_one + (T(1) - y) * weight_of_zero; }
  static T miss(T y, T p) { return T(1) - (y * p + (T(1) - y) * (T(1) - p)); }
  T value(T y, T p) const { return std::pow(miss(y, p), gamma); }
  T slope(T y, T p) const {
    return gamma == T(0) ? T(0) : gamma * std::pow(miss(y, p), gamma - T(1)) * (T(1) - T(2) * y);
  }
};

template <class T>
struct FocalProbabilityFunction {
  static constexpr bool kSums = false;
  FocalFactor<T> factor;
  BinaryProbabilityFunction<T> bce;  // its labels are smoothed here
  BinarySmoothing<T> smooth;
  T value(T label, T p) const {
    const T y = smooth(label);
    return factor.weight(y) * factor.value(y, p) * bce.value(y, p);
  }
  T slope(T label, T p) const {
    const T y = smooth(label);
    return factor.weight(y) * (factor.slope(y, p) * bce.value(y, p) + factor.value(y, p) * bce.slope(y, p));
  }
};

template <class T>
struct FocalLogitsFunction {
  static constexpr bool kSums = false;
  FocalFactor<T> factor;
  BinaryLogitsFunction<T> bce;
  BinarySmoothing<T> smooth;
  T value(T label, T z) const {
    const T y = smooth(label);
    return factor.weight(y) * factor.value(y, logistic(z)) * bce.value(y, z);
  }
  T slope(T label, T z) const {
    const T y = smooth(label), p = logistic(z), q = logistic(-z);  // q = 1 − p without cancellation
    return factor.weight(y) *
           (factor.slope(y, p) * p * q * bce.value(y, z) + factor.value(y, p) * bce.slope(y, z));
  }
};

}  // namespace keratin::inline v0::detail
