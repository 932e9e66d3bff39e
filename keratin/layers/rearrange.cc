#include "keratin/layers/rearrange.h"

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/sizes.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

struct PermuteArguments {
  Sizes dims = 1;
  PermuteOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("dims", a.dims);
  }
};

class PermuteBody final : public LayerBody {
 public:
  explicit PermuteBody(PermuteArguments arguments) : a_(std::move(arguments)) {
    std::vector<std::int64_t> sorted = a_.dims.values();
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] == static_cast<std::int64_t>(i) + 1) continue;
      throw ValueError("Permute", "dims holds the axes from 1 on, once each",
                       "received " + Shape(a_.dims.values()).to_string(), "The batch axis, 0, stays.");
    }
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "Permute"; }
  InputCast input_cast() const override { return InputCast::floats; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    output_shape(x.shape());
    AxisNumbers order = {0};
    for (const std::int64_t axis : a_.dims.values()) order.push_back(axis);
    return ops::transpose(x, order);
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() != a_.dims.count() + 1) {
      refuse_input("an input of rank " + std::to_string(a_.dims.count() + 1), input,
                   "dims has one number for each axis but the batch.");
    }
    Shape shape = input;
    for (std::size_t i = 0; i < a_.dims.count(); ++i)
      shape[i + 1] = input[static_cast<std::size_t>(a_.dims[i])];
    return shape;
  }

  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  PermuteArguments a_;
};

struct RepeatVectorArguments {
  std::int64_t n = 0;
  RepeatVectorOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("n", a.n);
  }
};

class RepeatVectorBody final : public LayerBody {
 public:
  explicit RepeatVectorBody(RepeatVectorArguments arguments) : a_(std::move(arguments)) {
    if (a_.n < 1) {
      throw ValueError("RepeatVector", "n is at least 1", "received n=" + std::to_string(a_.n),
                       "It is how often each row comes.");
    }
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "RepeatVector"; }
  InputCast input_cast() const override { return InputCast::floats; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    const Shape shape = output_shape(x.shape());
    return ops::broadcast_to(ops::expand_dims(x, 1), shape);
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() != 2) refuse_input("an input of shape (batch, features)", input, "Flatten it first.");
    return input.with_inserted(1, a_.n);
  }

  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 private:
  RepeatVectorArguments a_;
};

}  // namespace

Permute::Permute(const std::vector<std::int64_t>& dims, const PermuteOptions& options)
    : Layer(std::make_shared<PermuteBody>(PermuteArguments{dims, options})) {}
Permute Permute::from_config(const Config& config, Generation generation) {
  return detail::read_layer<PermuteArguments>(
      "Permute", config, generation, [](const auto& a) { return Permute(a.dims.values(), a.options); });
}

RepeatVector::RepeatVector(std::int64_t n, const RepeatVectorOptions& options)
    : Layer(std::make_shared<RepeatVectorBody>(RepeatVectorArguments{n, options})) {}
RepeatVector RepeatVector::from_config(const Config& config, Generation generation) {
  return detail::read_layer<RepeatVectorArguments>(
      "RepeatVector", config, generation, [](const auto& a) { return RepeatVector(a.n, a.options); });
}

}  // namespace keratin::inline v0
