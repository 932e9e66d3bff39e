#include "keratin/layers/initializers.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "keratin/core/error.h"
#include "keratin/core/random.h"
#include "keratin/core/text.h"
#include "keratin/layers/orthogonal.h"

namespace keratin::inline v0 {
namespace {

using namespace initializers;

// What Glorot, He and Lecun are short for.
VarianceScaling scaling_of(const VarianceScaling& c) { return c; }
VarianceScaling scaling_of(const GlorotUniform& c) {
  return {1.0, "fan_avg", "uniform", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const GlorotNormal& c) {
  return {1.0, "fan_avg", "truncated_normal", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const HeNormal& c) {
  return {2.0, "fan_in", "truncated_normal", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const HeUniform& c) {
  return {2.0, "fan_in", "uniform", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const LecunNormal& c) {
  return {1.0, "fan_in", "truncated_normal", c.seed, c.input_axes, c.output_axes};
}
VarianceScaling scaling_of(const LecunUniform& c) {
  return {1.0, "fan_in", "uniform", c.seed, c.input_axes, c.output_axes};
}

// Checks and puts arguments into their final form; classes without conditions have none.
template <class C>
void check(const C&) {}
template <class C>
requires requires(C c) { c.stddev; }
void check(const C& c) {
  if (c.stddev >= 0 && std::isfinite(c.stddev) && std::isfinite(c.mean)) return;
  throw ValueError("normal initializer", "a finite mean and a finite stddev of at least 0",
                   "received mean=" + to_text(c.mean) + ", stddev=" + to_text(c.stddev));
}
void check(const RandomUniform& c) {
  if (c.minval <= c.maxval && std::isfinite(c.minval) && std::isfinite(c.maxval)) return;
  throw ValueError("RandomUniform", "finite minval <= maxval",
                   "received minval=" + to_text(c.minval) + ", maxval=" + to_text(c.maxval));
}
void check(VarianceScaling& c) {
  if (!(c.scale > 0) || !std::isfinite(c.scale)) {
    throw ValueError("VarianceScaling", "scale is a positive number", "received scale=" + to_text(c.scale));
  }
  constexpr std::string_view kModes[] = {"fan_in", "fan_out", "fan_avg"};
  if (std::find(std::begin(kModes), std::end(kModes), c.mode) == std::end(kModes)) {
    throw ValueError("VarianceScaling", R"(mode is "fan_in", "fan_out" or "fan_avg")",
                     "received mode=\"" + c.mode + "\"", did_you_mean(c.mode, kModes));
  }
  for (char& letter : c.distribution) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  if (c.distribution == "normal") c.distribution = "truncated_normal";
  constexpr std::string_view kDistributions[] = {"truncated_normal", "untruncated_normal", "uniform"};
  if (std::find(std::begin(kDistributions), std::end(kDistributions), c.distribution) ==
      std::end(kDistributions)) {
    throw ValueError(
        "VarianceScaling", R"(distribution is "truncated_normal", "untruncated_normal" or "uniform")",
        "received distribution=\"" + c.distribution + "\"", did_you_mean(c.distribution, kDistributions));
  }
}

RandomKey key_of(const Seed& seed) {
  // A stream apart from those of next_random_key, which count from 0.
  constexpr std::uint64_t kInitializerStream = std::uint64_t{1} << 63;
  return seed ? RandomKey{static_cast<std::uint64_t>(*seed), kInitializerStream} : next_random_key();
}

template <class T>
void fill(const Zeros&, const Shape&, std::span<T> out) {
  std::fill(out.begin(), out.end(), T{0});
}
template <class T>
void fill(const Ones&, const Shape&, std::span<T> out) {
  std::fill(out.begin(), out.end(), T{1});
}
template <class T>
void fill(const Constant& c, const Shape&, std::span<T> out) {
  std::fill(out.begin(), out.end(), static_cast<T>(c.value));
}
template <class T>
void fill(const Identity& c, const Shape& shape, std::span<T> out) {
  if (shape.rank() != 2) {
    throw ShapeError("Identity initializer", "a matrix", "received shape " + shape.to_string(),
                     "Use another initializer for weights that are not of rank 2.");
  }
  std::fill(out.begin(), out.end(), T{0});
  for (std::int64_t i = 0; i < std::min(shape[0], shape[1]); ++i) {
    out[static_cast<std::size_t>(i * shape[1] + i)] = static_cast<T>(c.gain);
  }
}
template <class T>
void fill(const RandomNormal& c, const Shape&, std::span<T> out) {
  fill_normal(out, key_of(c.seed), c.mean, c.stddev);
}
template <class T>
void fill(const RandomUniform& c, const Shape&, std::span<T> out) {
  fill_uniform(out, key_of(c.seed), c.minval, c.maxval);
}
template <class T>
void fill(const TruncatedNormal& c, const Shape&, std::span<T> out) {
  fill_truncated_normal(out, key_of(c.seed), c.mean, c.stddev);
}
template <class T>
void fill(const Orthogonal& c, const Shape& shape, std::span<T> out) {
  if (shape.rank() < 2) {
    throw ShapeError("Orthogonal initializer", "at least two axes", "received shape " + shape.to_string(),
                     "Use another initializer for vectors.");
  }
  const std::int64_t columns = shape.back(), rows = columns == 0 ? 0 : shape.size() / columns;
  const detail::Columns q =
      detail::random_orthonormal(std::max(rows, columns), std::min(rows, columns), key_of(c.seed));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const double value = rows < columns ? q.column(row)[column] : q.column(column)[row];
      out[static_cast<std::size_t>(row * columns + column)] = static_cast<T>(c.gain * value);
    }
  }
}
template <class Scaling, class T>
requires requires(Scaling c) { scaling_of(c); }
void fill(const Scaling& short_form, const Shape& shape, std::span<T> out) {
  const VarianceScaling c = scaling_of(short_form);
  const detail::Fans fans = detail::compute_fans(shape, c.input_axes, c.output_axes);
  const double fan = c.mode == "fan_in" ? fans.in : c.mode == "fan_out" ? fans.out : (fans.in + fans.out) / 2;
  const double variance = c.scale / std::max(1.0, fan);
  if (c.distribution == "uniform") {
    const double limit = std::sqrt(3 * variance);
    fill_uniform(out, key_of(c.seed), -limit, limit);
  } else if (c.distribution == "truncated_normal") {
    // The standard deviation of a standard normal cut at ±2.
    constexpr double kTruncated = 0.87962566103423978;
    fill_truncated_normal(out, key_of(c.seed), 0, std::sqrt(variance) / kTruncated);
  } else {
    fill_normal(out, key_of(c.seed), 0, std::sqrt(variance));
  }
}

}  // namespace

namespace detail {

Fans compute_fans(const Shape& shape, const FanAxes& input_axes, const FanAxes& output_axes) {
  if (input_axes && output_axes) {
    const auto product = [&](const std::vector<std::int64_t>& axes) {
      double fan = 1;
      for (const std::int64_t axis : axes) {
        fan *= static_cast<double>(shape[shape.axis(axis, "VarianceScaling")]);
      }
      return fan;
    };
    return {product(*input_axes), product(*output_axes)};
  }
  if (shape.rank() == 0) return {1, 1};
  const auto last = static_cast<double>(shape.back());
  if (shape.rank() == 1) return {last, last};
  double receptive_field = 1;
  for (std::size_t axis = 0; axis + 2 < shape.rank(); ++axis)
    receptive_field *= static_cast<double>(shape[axis]);
  return {static_cast<double>(shape[shape.rank() - 2]) * receptive_field, last * receptive_field};
}

}  // namespace detail

Initializer::Initializer() : Initializer(GlorotUniform{}) {}

Initializer::Initializer(Kind kind) {
  std::visit([](auto& initializer) { check(initializer); }, kind);
  kind_ = std::make_shared<const Kind>(std::move(kind));
}

Tensor Initializer::operator()(const Shape& shape, DType dtype) const {
  if (dtype != DType::float32 && dtype != DType::float64) {
    throw TypeError("initializer", "float32 or float64", "received " + std::string(name(dtype)),
                    "Weights of other dtypes come with a later version.");
  }
  if (const auto* custom = std::get_if<Custom>(kind_.get())) {
    Tensor values = custom->function(shape, dtype);
    if (values.shape() != shape) {
      throw ShapeError("initializer", "the function gives the shape asked for, " + shape.to_string(),
                       "received " + values.shape().to_string());
    }
    return values.astype(dtype).detach();
  }
  Tensor values = Tensor::empty(shape, dtype);
  const auto fill_values = [&](auto out) {
    std::visit(
        [&](const auto& initializer) {
          if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(initializer)>, Custom>) {
            fill(initializer, shape, out);
          }
        },
        *kind_);
  };
  if (dtype == DType::float64) {
    fill_values(values.mutable_values<double>());
  } else {
    fill_values(values.mutable_values<float>());
  }
  return values;
}

}  // namespace keratin::inline v0
