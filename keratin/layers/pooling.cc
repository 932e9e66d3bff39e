#include "keratin/layers/pooling.h"

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/layers/data_format.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/masks.h"
#include "keratin/layers/window.h"
#include "keratin/ops/conv.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

std::string named(Pool pool, std::size_t n, const char* before = "") {
  return before + std::string(pool == Pool::max ? "MaxPooling" : "AveragePooling") + std::to_string(n) + "D";
}

Tensor pooled(Pool pool, const Tensor& x, const ops::PoolWindows& windows) {
  return pool == Pool::max ? ops::max_pool(x, windows) : ops::average_pool(x, windows);
}

// Windows of axes that there are not: one, of the one element.
ops::PoolWindows one_each() {
  ops::PoolWindows windows;
  for (auto& axis : windows) axis = {{0, 1}};
  return windows;
}

// What all have: a name, a format, N spatial axes.
template <std::size_t N, class Arguments>
class PoolingBase : public LayerBody {
 public:
  PoolingBase(std::string class_name, Arguments arguments)
      : a_(std::move(arguments)), name_(std::move(class_name)) {
    a_.options.data_format = detail::data_format_of(a_.options.data_format, name_);
    set_common(a_.options);
  }
  std::string_view class_name() const override { return name_; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 protected:
  const std::string& format() const { return *a_.options.data_format; }
  Shape channels_last(const Shape& input) const {
    if (input.rank() != N + 2)
      refuse_input("an input of rank " + std::to_string(N + 2), input, "Reshape it.");
    return detail::to_channels_last(input, format());
  }

  Arguments a_;

 private:
  std::string name_;
};

struct PoolingArguments {
  Sizes pool_size = 2;
  PoolingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("pool_size", a.pool_size);
    field("padding", a.options.padding);
    field("strides", a.options.strides);
    field("data_format", a.options.data_format);
  }
};

template <Pool P, std::size_t N>
class PoolingBody final : public PoolingBase<N, PoolingArguments> {
 public:
  explicit PoolingBody(PoolingArguments arguments)
      : PoolingBase<N, PoolingArguments>(named(P, N), std::move(arguments)) {
    this->a_.pool_size = this->a_.pool_size.expanded(N, this->class_name(), "pool_size");
    std::optional<Sizes>& strides = this->a_.options.strides;
    strides = strides.value_or(this->a_.pool_size).expanded(N, this->class_name(), "strides");
    detail::check_padding(this->class_name(), this->a_.options.padding, false);
  }
  bool builds_from_shape() const override { return false; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    this->output_shape(x.shape());
    const Tensor image = detail::to_channels_last(x, this->format());
    ops::PoolWindows windows = one_each();
    for (std::size_t axis = 0; axis < N; ++axis) {
      const std::int64_t in = image.shape()[axis + 1];
      const detail::Window window = window_of(axis);
      auto& places = windows[axis + 3 - N];
      places.clear();
      for (std::int64_t i = 0; i < window.result(in, this->a_.options.padding); ++i) {
        const std::int64_t begin = i * window.stride - window.before(in, this->a_.options.padding);
        places.emplace_back(std::max<std::int64_t>(begin, 0), std::min(begin + window.size, in));
      }
    }
    return detail::from_channels_last(pooled(P, image, windows), this->format());
  }

  Shape output_shape(const Shape& input) const override {
    Shape shape = this->channels_last(input);
    for (std::size_t axis = 0; axis < N; ++axis) {
      std::int64_t& size = shape[axis + 1];
      const std::int64_t in = size;
      size = window_of(axis).result(in, this->a_.options.padding);
      if (size == 0) {
        this->refuse_input("an input of at least " + std::to_string(this->a_.pool_size[axis]) +
                               " on spatial axis " + std::to_string(axis),
                           input, "Take padding=\"same\", or smaller windows.");
      }
    }
    return detail::from_channels_last(shape, this->format());
  }

 private:
  detail::Window window_of(std::size_t axis) const {
    return {this->a_.pool_size[axis], (*this->a_.options.strides)[axis]};
  }
};

struct GlobalArguments {
  GlobalPoolingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("data_format", a.options.data_format);
    field("keepdims", a.options.keepdims);
  }
};

template <Pool P, std::size_t N>
class GlobalBody final : public PoolingBase<N, GlobalArguments> {
 public:
  explicit GlobalBody(GlobalArguments arguments)
      : PoolingBase<N, GlobalArguments>(named(P, N, "Global"), std::move(arguments)) {}
  bool builds_from_shape() const override { return false; }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    this->output_shape(x.shape());
    const auto axes = AxisNumbers::range(static_cast<std::int64_t>(first_axis()), first_axis() + N);
    const bool keepdims = this->a_.options.keepdims;
    if constexpr (P == Pool::max) return ops::max(x, axes, keepdims);
    if (N != 1 || !context.mask.is_defined()) return ops::mean(x, axes, keepdims);
    Tensor counts = detail::mask_values(context.mask, x.dtype());
    counts = counts.expand_dims(first_axis() == 1 ? 2 : 1);
    return ops::sum(x * counts, axes, keepdims) / ops::sum(counts, axes, keepdims);
  }

  Shape output_shape(const Shape& input) const override {
    this->channels_last(input);
    Shape shape = input;
    for (std::size_t i = 0; i < N; ++i) {
      if (input[first_axis() + i] == 0)
        this->refuse_input("something to pool", input, "Feed longer samples.");
      shape[first_axis() + i] = 1;
    }
    if (this->a_.options.keepdims) return shape;
    for (std::size_t i = 0; i < N; ++i) shape = shape.without(first_axis());
    return shape;
  }

 private:
  std::size_t first_axis() const { return this->format() == "channels_first" ? 2 : 1; }
};

struct AdaptiveArguments {
  Sizes output_size = 1;
  AdaptivePoolingOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("output_size", a.output_size);
    field("data_format", a.options.data_format);
  }
};

template <Pool P, std::size_t N>
class AdaptiveBody final : public PoolingBase<N, AdaptiveArguments> {
 public:
  explicit AdaptiveBody(AdaptiveArguments arguments)
      : PoolingBase<N, AdaptiveArguments>(named(P, N, "Adaptive"), std::move(arguments)) {
    this->a_.output_size = this->a_.output_size.expanded(N, this->class_name(), "output_size");
  }

  Tensor call(const Tensor& x, const CallContext&) const override {
    this->output_shape(x.shape());
    const Tensor image = detail::to_channels_last(x, this->format());
    ops::PoolWindows windows = one_each();
    for (std::size_t axis = 0; axis < N; ++axis) {
      const std::int64_t in = image.shape()[axis + 1], out = this->a_.output_size[axis];
      auto& places = windows[axis + 3 - N];
      places.clear();
      for (std::int64_t i = 0; i < out; ++i)
        places.emplace_back(i * in / out, ((i + 1) * in + out - 1) / out);
    }
    return detail::from_channels_last(pooled(P, image, windows), this->format());
  }

  Shape output_shape(const Shape& input) const override {
    Shape shape = this->channels_last(input);
    for (std::size_t axis = 0; axis < N; ++axis) {
      if (shape[axis + 1] == 0) this->refuse_input("something to pool", input, "Feed larger samples.");
      shape[axis + 1] = this->a_.output_size[axis];
    }
    return detail::from_channels_last(shape, this->format());
  }
};

}  // namespace

template <Pool P, std::size_t N>
Pooling<P, N>::Pooling(const Sizes& pool_size, const PoolingOptions& options)
    : Layer(std::make_shared<PoolingBody<P, N>>(PoolingArguments{pool_size, options})) {}
template <Pool P, std::size_t N>
Pooling<P, N> Pooling<P, N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<PoolingArguments>(named(P, N), config, generation,
                                              [](const auto& a) { return Pooling(a.pool_size, a.options); });
}

template <Pool P, std::size_t N>
GlobalPooling<P, N>::GlobalPooling(const GlobalPoolingOptions& options)
    : Layer(std::make_shared<GlobalBody<P, N>>(GlobalArguments{options})) {}
template <Pool P, std::size_t N>
GlobalPooling<P, N> GlobalPooling<P, N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<GlobalArguments>(named(P, N, "Global"), config, generation,
                                             [](const auto& a) { return GlobalPooling(a.options); });
}

template <Pool P, std::size_t N>
AdaptivePooling<P, N>::AdaptivePooling(const Sizes& output_size, const AdaptivePoolingOptions& options)
    : Layer(std::make_shared<AdaptiveBody<P, N>>(AdaptiveArguments{output_size, options})) {}
template <Pool P, std::size_t N>
AdaptivePooling<P, N> AdaptivePooling<P, N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<AdaptiveArguments>(
      named(P, N, "Adaptive"), config, generation,
      [](const auto& a) { return AdaptivePooling(a.output_size, a.options); });
}

#define KERATIN_POOLING(P, N)         \
  template class Pooling<P, N>;       \
  template class GlobalPooling<P, N>; \
  template class AdaptivePooling<P, N>;
KERATIN_POOLING(Pool::max, 1)
KERATIN_POOLING(Pool::max, 2)
KERATIN_POOLING(Pool::max, 3)
KERATIN_POOLING(Pool::average, 1)
KERATIN_POOLING(Pool::average, 2)
KERATIN_POOLING(Pool::average, 3)
#undef KERATIN_POOLING

}  // namespace keratin::inline v0
