#include "keratin/layers/softmax.h"

#include <nlohmann/json.hpp>

#include "keratin/activations/axis_functions.h"
#include "keratin/core/error.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

// What Keras puts where an element does not count.
constexpr double kMasked = -1e9;

ActivationFn function_of(const AxisList& axis, bool allow_rank_1) {
  return activations::Softmax{.axis = axis.values(), .allow_rank_1 = allow_rank_1};
}

class SoftmaxBody final : public LayerBody {
 public:
  explicit SoftmaxBody(const SoftmaxOptions& options)
      : options_(options),
        keras2_(function_of(options.axis, false)),
        keras3_(function_of(options.axis, true)) {
    set_common(options);
  }

  std::string_view class_name() const override { return "Softmax"; }
  bool depends_on_generation() const override { return true; }
  bool builds_from_shape() const override { return false; }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    const bool is_keras2 = generation == Generation::keras2;
    const ActivationFn& softmax = is_keras2 ? keras2_ : keras3_;
    if (!context.mask.is_defined()) return softmax(x);
    check_mask(x.shape(), context.mask.shape());
    if (is_keras2 && !options_.robust_masking) {
      return softmax(x + (1.0 - ops::cast(context.mask, x.dtype())) * kMasked);
    }
    const Tensor mask =
        context.mask.dtype() == DType::boolean
            ? context.mask
            : ops::greater(ops::cast(context.mask, DType::float64), Tensor::scalar(0.5, DType::float64));
    const Tensor y = softmax(ops::where(mask, x, Tensor::scalar(kMasked, x.dtype())));
    return is_keras2 ? y : ops::where(mask, y, Tensor::scalar(0, y.dtype()));
  }

  Shape output_shape(const Shape& input) const override {
    for (const std::int64_t axis : options_.axis.values()) input.axis(axis, "softmax");
    return input;
  }

  Config config(Generation target) const override {
    Config config = Config::object();
    config["axis"] = detail::axes_config(options_.axis);
    if (target == Generation::keras2 && options_.robust_masking) config["robust_masking"] = true;
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<SoftmaxBody>(*this));
  }

 private:
  void check_mask(const Shape& x, const Shape& mask) const {
    bool fits = mask.rank() <= x.rank();
    for (std::size_t back = 1; fits && back <= mask.rank(); ++back) {
      const std::int64_t size = mask[mask.rank() - back];
      fits = size == 1 || size == x[x.rank() - back];
    }
    if (fits) return;
    throw ShapeError("softmax", "a mask that broadcasts to the input, " + x.to_string(),
                     "received mask of shape " + mask.to_string(), "Layer \"" + name + "\".");
  }

  SoftmaxOptions options_;
  ActivationFn keras2_, keras3_;
};

}  // namespace

Softmax::Softmax(const SoftmaxOptions& options) : Layer(std::make_shared<SoftmaxBody>(options)) {}

Softmax Softmax::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Softmax", config, generation);
  SoftmaxOptions options;
  options.axis = reader.optional_axes("axis").value_or(options.axis);
  options.robust_masking = reader.boolean("robust_masking", false);
  reader.read_common(options);
  return reader.finish(Softmax(options));
}

}  // namespace keratin::inline v0
