#include "keratin/layers/noise.h"

#include <cmath>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/data_format.h"
#include "keratin/layers/drop.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

std::string named(std::size_t n) { return "SpatialDropout" + std::to_string(n) + "D"; }

void check_rate(std::string_view class_name, double rate, bool allows_one) {
  if (rate >= 0 && (rate < 1 || (allows_one && rate == 1))) return;
  throw ValueError(class_name, allows_one ? "rate is between 0 and 1" : "rate is at least 0 and below 1",
                   "received rate=" + to_text(rate), "It is the share of inputs to drop.");
}

template <std::size_t N>
struct SpatialArguments {
  double rate = 0;
  SpatialDropoutOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("rate", a.rate);
    field("seed", a.options.seed);
    // Keras 2 has it, and forgets to write it.
    if constexpr (N > 1)
      field.keras3("data_format", a.options.data_format, a.options.data_format == "channels_first");
  }
};

template <std::size_t N>
class SpatialDropoutBody final : public LayerBody {
 public:
  explicit SpatialDropoutBody(SpatialArguments<N> arguments)
      : name_(named(N)), a_(std::move(arguments)), seed_(a_.options.seed) {
    check_rate(name_, a_.rate, true);
    a_.options.data_format = detail::data_format_of(a_.options.data_format, name_);
    set_common(a_.options);
  }

  std::string_view class_name() const override { return name_; }
  bool builds_from_shape() const override { return false; }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    output_shape(x.shape());
    if (!context.training || a_.rate == 0) return x;
    Shape noise = x.shape();
    const std::size_t first = *a_.options.data_format == "channels_first" ? 2 : 1;
    for (std::size_t i = 0; i < N; ++i) noise[first + i] = 1;
    const double scale = a_.rate < 1 ? 1 / (1 - a_.rate) : 0;
    return detail::drop(x, noise, a_.rate, seed_.next(), {.scale = scale});
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() != N + 2)
      refuse_input("an input of rank " + std::to_string(N + 2), input, "Reshape it.");
    return input;
  }

  // Keras 3 leaves out of it what the other layers have, and writes the dtype's name alone.
  Config base_config(Generation target) const override {
    Config config = LayerBody::base_config(target);
    if (target == Generation::keras2) return config;
    config.erase("trainable");
    config["dtype"] = policy().name();
    return config;
  }
  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if (target == Generation::keras2) config["noise_shape"] = nullptr;
    return config;
  }

 private:
  std::string name_;
  SpatialArguments<N> a_;
  detail::DropSeed seed_;
};

// Normal numbers of x's shape and dtype.
Tensor normal_like(const Tensor& x, double mean, double stddev, RandomKey key) {
  Tensor noise = Tensor::empty(x.shape(), x.dtype());
  if (x.dtype() == DType::float64) {
    fill_normal(noise.mutable_values<double>(), key, mean, stddev);
  } else {
    fill_normal(noise.mutable_values<float>(), key, mean, stddev);
  }
  return noise;
}

struct GaussianDropoutArguments {
  double rate = 0;
  GaussianDropoutOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("rate", a.rate);
    field("seed", a.options.seed);
  }
};

class GaussianDropoutBody final : public LayerBody {
 public:
  explicit GaussianDropoutBody(const GaussianDropoutArguments& arguments)
      : a_(arguments), seed_(a_.options.seed) {
    check_rate("GaussianDropout", a_.rate, false);
    set_common(a_.options);
  }
  std::string_view class_name() const override { return "GaussianDropout"; }
  bool builds_from_shape() const override { return false; }
  Tensor call(const Tensor& x, const CallContext& context) const override {
    if (!context.training || a_.rate == 0) return x;
    return x * normal_like(x, 1, std::sqrt(a_.rate / (1 - a_.rate)), seed_.next());
  }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  GaussianDropoutArguments a_;
  detail::DropSeed seed_;
};

struct GaussianNoiseArguments {
  double stddev = 0;
  GaussianNoiseOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("stddev", a.stddev);
    field("seed", a.options.seed);
  }
};

class GaussianNoiseBody final : public LayerBody {
 public:
  explicit GaussianNoiseBody(const GaussianNoiseArguments& arguments)
      : a_(arguments), seed_(a_.options.seed) {
    if (!(a_.stddev >= 0)) {
      throw ValueError("GaussianNoise", "stddev is at least 0", "received stddev=" + to_text(a_.stddev),
                       "It is the noise's standard deviation.");
    }
    set_common(a_.options);
  }
  std::string_view class_name() const override { return "GaussianNoise"; }
  bool builds_from_shape() const override { return false; }
  Tensor call(const Tensor& x, const CallContext& context) const override {
    if (!context.training || a_.stddev == 0) return x;
    return x + normal_like(x, 0, a_.stddev, seed_.next());
  }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  GaussianNoiseArguments a_;
  detail::DropSeed seed_;
};

}  // namespace

template <std::size_t N>
SpatialDropout<N>::SpatialDropout(double rate, const SpatialDropoutOptions& options)
    : Layer(std::make_shared<SpatialDropoutBody<N>>(SpatialArguments<N>{rate, options})) {}
template <std::size_t N>
SpatialDropout<N> SpatialDropout<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<SpatialArguments<N>>(
      named(N), config, generation, [](const auto& a) { return SpatialDropout(a.rate, a.options); });
}
template class SpatialDropout<1>;
template class SpatialDropout<2>;
template class SpatialDropout<3>;

GaussianDropout::GaussianDropout(double rate, const GaussianDropoutOptions& options)
    : Layer(std::make_shared<GaussianDropoutBody>(GaussianDropoutArguments{rate, options})) {}
GaussianDropout GaussianDropout::from_config(const Config& config, Generation generation) {
  return detail::read_layer<GaussianDropoutArguments>(
      "GaussianDropout", config, generation,
      [](const auto& a) { return GaussianDropout(a.rate, a.options); });
}

GaussianNoise::GaussianNoise(double stddev, const GaussianNoiseOptions& options)
    : Layer(std::make_shared<GaussianNoiseBody>(GaussianNoiseArguments{stddev, options})) {}
GaussianNoise GaussianNoise::from_config(const Config& config, Generation generation) {
  return detail::read_layer<GaussianNoiseArguments>(
      "GaussianNoise", config, generation, [](const auto& a) { return GaussianNoise(a.stddev, a.options); });
}

}  // namespace keratin::inline v0
