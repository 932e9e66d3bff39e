#include "keratin/layers/zero_padding.h"

#include "keratin/core/error.h"
#include "keratin/layers/data_format.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

std::string named(const char* base, std::size_t n) { return base + std::to_string(n) + "D"; }

template <std::size_t N>
struct PaddingArguments {
  std::vector<detail::Pair> padding;
  ZeroPaddingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("padding", a.padding);
    if constexpr (N > 1) {
      field("data_format", a.options.data_format);
    } else {
      field.keras3("data_format", a.options.data_format, a.options.data_format == "channels_first");
    }
  }
};

template <std::size_t N>
struct CroppingArguments {
  std::vector<detail::Pair> cropping;
  CroppingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("cropping", a.cropping);
    if constexpr (N > 1) field("data_format", a.options.data_format);
  }
};

// An axis with zeros before and after.
Tensor padded(const Tensor& x, std::size_t axis, const detail::Pair& pair) {
  const auto zeros = [&](std::int64_t size) {
    Shape shape = x.shape();
    shape[axis] = size;
    return Tensor::zeros(shape, x.dtype());
  };
  Tensors parts;
  if (pair.first > 0) parts.push_back(zeros(pair.first));
  parts.push_back(x);
  if (pair.second > 0) parts.push_back(zeros(pair.second));
  return parts.size() == 1 ? x : ops::concatenate(parts, static_cast<std::int64_t>(axis));
}

template <std::size_t N>
class ZeroPaddingBody final : public LayerBody {
 public:
  explicit ZeroPaddingBody(PaddingArguments<N> arguments)
      : name_(named("ZeroPadding", N)), a_(std::move(arguments)) {
    a_.options.data_format = detail::data_format_of(a_.options.data_format, name_);
    set_common(a_.options);
  }

  std::string_view class_name() const override { return name_; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    output_shape(x.shape());
    Tensor y = x;
    for (std::size_t i = 0; i < N; ++i) y = padded(y, first_axis() + i, a_.padding[i]);
    return y;
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() != N + 2)
      refuse_input("an input of rank " + std::to_string(N + 2), input, "Reshape it.");
    Shape shape = input;
    for (std::size_t i = 0; i < N; ++i) {
      std::int64_t& size = shape[first_axis() + i];
      if (size != Shape::kUnknown) size += a_.padding[i].first + a_.padding[i].second;
    }
    return shape;
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if constexpr (N == 1) config["padding"] = Config::array({a_.padding[0].first, a_.padding[0].second});
    return config;
  }

 private:
  std::size_t first_axis() const { return *a_.options.data_format == "channels_first" ? 2 : 1; }

  std::string name_;
  PaddingArguments<N> a_;
};

template <std::size_t N>
class CroppingBody final : public LayerBody {
 public:
  explicit CroppingBody(CroppingArguments<N> arguments)
      : name_(named("Cropping", N)), a_(std::move(arguments)) {
    a_.options.data_format = detail::data_format_of(a_.options.data_format, name_);
    set_common(a_.options);
  }

  std::string_view class_name() const override { return name_; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    const Shape shape = output_shape(x.shape());
    Tensor y = x;
    for (std::size_t i = 0; i < N; ++i) {
      const std::size_t axis = first_axis() + i;
      const std::int64_t begin = a_.cropping[i].first;
      if (shape[axis] != y.shape()[axis])
        y = ops::slice(y, static_cast<std::int64_t>(axis), begin, begin + shape[axis]);
    }
    return y;
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() != N + 2)
      refuse_input("an input of rank " + std::to_string(N + 2), input, "Reshape it.");
    Shape shape = input;
    for (std::size_t i = 0; i < N; ++i) {
      std::int64_t& size = shape[first_axis() + i];
      if (size == Shape::kUnknown) continue;
      size -= a_.cropping[i].first + a_.cropping[i].second;
      if (size < 1) {
        refuse_input("an input of which cropping by " + std::to_string(a_.cropping[i].first) + " and " +
                         std::to_string(a_.cropping[i].second) + " leaves something",
                     input, "Crop less.");
      }
    }
    return shape;
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if constexpr (N == 1) config["cropping"] = Config::array({a_.cropping[0].first, a_.cropping[0].second});
    return config;
  }

 private:
  std::size_t first_axis() const { return *a_.options.data_format == "channels_first" ? 2 : 1; }

  std::string name_;
  CroppingArguments<N> a_;
};

}  // namespace

template <std::size_t N>
ZeroPadding<N>::ZeroPadding(const Paddings& padding, const ZeroPaddingOptions& options)
    : Layer(std::make_shared<ZeroPaddingBody<N>>(
          PaddingArguments<N>{padding.expanded(N, named("ZeroPadding", N), "padding"), options})) {}
template <std::size_t N>
ZeroPadding<N> ZeroPadding<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<PaddingArguments<N>>(
      named("ZeroPadding", N), config, generation,
      [](const auto& a) { return ZeroPadding(a.padding, a.options); });
}

template <std::size_t N>
Cropping<N>::Cropping(const Paddings& cropping, const CroppingOptions& options)
    : Layer(std::make_shared<CroppingBody<N>>(
          CroppingArguments<N>{cropping.expanded(N, named("Cropping", N), "cropping"), options})) {}
template <std::size_t N>
Cropping<N> Cropping<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<CroppingArguments<N>>(
      named("Cropping", N), config, generation,
      [](const auto& a) { return Cropping(a.cropping, a.options); });
}

template class ZeroPadding<1>;
template class ZeroPadding<2>;
template class ZeroPadding<3>;
template class Cropping<1>;
template class Cropping<2>;
template class Cropping<3>;

}  // namespace keratin::inline v0
