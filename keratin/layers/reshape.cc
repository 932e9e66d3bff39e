#include "keratin/layers/reshape.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

// "(-1, 2)": Shape prints -1 as None.
std::string target_text(const Shape& target) {
  std::string text = "(";
  for (const std::int64_t size : target) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + (target.rank() == 1 ? ",)" : ")");
}

class ReshapeBody final : public LayerBody {
 public:
  ReshapeBody(const Shape& target, const ReshapeOptions& options) : target_(target) {
    if (std::count(target.begin(), target.end(), Shape::kUnknown) > 1) {
      throw ValueError("Reshape", "at most one -1 in target_shape",
                       "received target_shape=" + target_text(target), "Give the other sizes.");
    }
    set_common(options);
  }

  std::string_view class_name() const override { return "Reshape"; }
  bool builds_from_shape() const override { return false; }
  InputCast input_cast() const override { return InputCast::floats; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    return ops::reshape(x, output_shape(x.shape()));
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() == 0) refuse_input("an input with a batch axis", input, "Add one.");
    const Shape rest = input.part(1, input.rank());
    Shape target = target_;
    if (rest.is_known()) {
      std::int64_t known = 1;
      for (const std::int64_t size : target) known *= size == Shape::kUnknown ? 1 : size;
      const bool is_open = !target.is_known();
      const std::int64_t total = rest.size();
      if (is_open ? known == 0 || total % known != 0 : known != total) {
        refuse_input("an input that target_shape=" + target_text(target_) + " holds", input,
                     "The product of the sizes must stay.");
      }
      if (is_open) {
        for (std::size_t axis = 0; axis < target.rank(); ++axis) {
          if (target[axis] == Shape::kUnknown) target[axis] = total / known;
        }
      }
    }
    return target.with_inserted(0, input[0]);
  }

  Config config(Generation) const override {
    Config config = Config::object();
    config["target_shape"] = target_.sizes();
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<ReshapeBody>(*this));
  }

 private:
  Shape target_;
};

}  // namespace

Reshape::Reshape(const Shape& target_shape, const ReshapeOptions& options)
    : Layer(std::make_shared<ReshapeBody>(target_shape, options)) {}

Reshape Reshape::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Reshape", config, generation);
  ReshapeOptions options;
  const std::optional<Shape> target = reader.optional_shape("target_shape");
  if (!target) reader.refuse("target_shape", "a list of sizes", nullptr);
  reader.read_common(options);
  return reader.finish(Reshape(*target, options));
}

}  // namespace keratin::inline v0
