#include "keratin/layers/up_sampling.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/data_format.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

constexpr std::string_view kInterpolations[] = {"nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"};

double lanczos(double x, double radius) {
  if (x >= radius) return 0;
  if (x < 1e-9) return 1;
  const double angle = std::numbers::pi * x;
  return radius * std::sin(angle) * std::sin(angle / radius) / (angle * angle);
}

// How much an element at distance x counts. Bicubic is Keys's with a = −1/2.
double weight_at(double x, std::string_view interpolation) {
  x = std::abs(x);
  if (interpolation == "lanczos3") return lanczos(x, 3);
  if (interpolation == "lanczos5") return lanczos(x, 5);
  if (interpolation == "bilinear") return std::max(0.0, 1 - x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

// (new size, size): the rows that make each new element, their weights' sum 1.
Tensor resize_matrix(std::int64_t size, std::int64_t factor, std::string_view interpolation, DType dtype) {
  const std::int64_t new_size = size * factor;
  Tensor matrix = Tensor::zeros({new_size, size}, DType::float64);
  const auto values = matrix.mutable_values<double>();
  for (std::int64_t row = 0; row < new_size; ++row) {
    const double at = (static_cast<double>(row) + 0.5) / static_cast<double>(factor) - 0.5;
    double* weights = values.data() + row * size;
    double total = 0;
    for (std::int64_t i = 0; i < size; ++i)
      total += weights[i] = weight_at(static_cast<double>(i) - at, interpolation);
    for (std::int64_t i = 0; i < size; ++i) weights[i] /= total;
  }
  return matrix.astype(dtype);
}

// Each element of an axis `factor` times.
Tensor repeated(const Tensor& x, std::size_t axis, std::int64_t factor) {
  if (factor == 1) return x;
  Shape wide = x.shape().with_inserted(axis + 1, factor), shape = x.shape();
  shape[axis] *= factor;
  return ops::reshape(ops::broadcast_to(ops::expand_dims(x, static_cast<std::int64_t>(axis) + 1), wide),
                      shape);
}

template <std::size_t N>
struct Arguments {
  Sizes size = 2;
  UpSamplingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("size", a.size);
    if constexpr (N > 1) field("data_format", a.options.data_format);
    if constexpr (N == 2) field("interpolation", a.options.interpolation);
  }
};

std::string named(std::size_t n) { return "UpSampling" + std::to_string(n) + "D"; }

template <std::size_t N>
class UpSamplingBody final : public LayerBody {
 public:
  explicit UpSamplingBody(Arguments<N> arguments) : name_(named(N)), a_(std::move(arguments)) {
    a_.size = a_.size.expanded(N, name_, "size");
    a_.options.data_format = detail::data_format_of(a_.options.data_format, name_);
    const std::string& interpolation = a_.options.interpolation;
    const bool is_known = std::find(std::begin(kInterpolations), std::end(kInterpolations), interpolation) !=
                          std::end(kInterpolations);
    if (!is_known || (N != 2 && interpolation != "nearest")) {
      throw ValueError(
          name_, N == 2 ? "a known interpolation" : "interpolation=\"nearest\"",
          "received interpolation=\"" + interpolation + "\"",
          N == 2 ? did_you_mean(interpolation, kInterpolations) : "Only UpSampling2D has others.");
    }
    set_common(a_.options);
  }

  std::string_view class_name() const override { return name_; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    output_shape(x.shape());
    if (a_.options.interpolation == "nearest") {
      Tensor y = x;
      for (std::size_t i = 0; i < N; ++i) y = repeated(y, first_axis() + i, a_.size[i]);
      return y;
    }
    // Rows: (batch, h, w·c) from the left; columns as rows of the transposed.
    const Tensor image = detail::to_channels_last(x, *a_.options.data_format);
    const std::int64_t batch = image.shape()[0], height = image.shape()[1], width = image.shape()[2],
                       channels = image.shape()[3];
    const auto matrix = [&](std::int64_t size, std::int64_t factor) {
      return resize_matrix(size, factor, a_.options.interpolation, x.dtype());
    };
    Tensor y =
        ops::matmul(matrix(height, a_.size[0]), ops::reshape(image, {batch, height, width * channels}));
    y = ops::matmul(matrix(width, a_.size[1]),
                    ops::reshape(y, {batch * height * a_.size[0], width, channels}));
    y = ops::reshape(y, {batch, height * a_.size[0], width * a_.size[1], channels});
    return detail::from_channels_last(y, *a_.options.data_format);
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() != N + 2)
      refuse_input("an input of rank " + std::to_string(N + 2), input, "Reshape it.");
    Shape shape = input;
    for (std::size_t i = 0; i < N; ++i) {
      std::int64_t& size = shape[first_axis() + i];
      if (size != Shape::kUnknown) size *= a_.size[i];
    }
    return shape;
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if constexpr (N == 1) config["size"] = a_.size[0];
    return config;
  }

 private:
  std::size_t first_axis() const { return *a_.options.data_format == "channels_first" ? 2 : 1; }

  std::string name_;
  Arguments<N> a_;
};

}  // namespace

template <std::size_t N>
UpSampling<N>::UpSampling(const Sizes& size, const UpSamplingOptions& options)
    : Layer(std::make_shared<UpSamplingBody<N>>(Arguments<N>{size, options})) {}
template <std::size_t N>
UpSampling<N> UpSampling<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<Arguments<N>>(named(N), config, generation,
                                          [](const auto& a) { return UpSampling(a.size, a.options); });
}

template class UpSampling<1>;
template class UpSampling<2>;
template class UpSampling<3>;

}  // namespace keratin::inline v0
