#include "keratin/layers/flatten.h"

#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/layer_reader.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

class FlattenBody final : public LayerBody {
 public:
  explicit FlattenBody(const FlattenOptions& options)
      : data_format_(options.data_format.value_or("channels_last")) {
    if (data_format_ != "channels_last" && data_format_ != "channels_first") {
      constexpr std::string_view kFormats[] = {"channels_last", "channels_first"};
      throw ValueError("Flatten", R"(data_format is "channels_last" or "channels_first")",
                       "received data_format=\"" + data_format_ + "\"", did_you_mean(data_format_, kFormats));
    }
    set_common(options);
  }

  std::string_view class_name() const override { return "Flatten"; }
  InputCast input_cast() const override { return InputCast::floats; }
  Tensor output_mask(const Tensor&, const Tensor&) const override { return {}; }

  Tensor call(const Tensor& x, const CallContext&) const override {
    const Shape flat = output_shape(x.shape());
    if (data_format_ == "channels_last" || x.rank() < 3) return ops::reshape(x, flat);
    AxisNumbers order = {0};
    for (std::size_t axis = 2; axis < x.rank(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
    order.push_back(1);
    return ops::reshape(ops::transpose(x, order), flat);
  }

  Shape output_shape(const Shape& input) const override {
    if (input.rank() == 0) refuse_input("an input with a batch axis", input, "Add one.");
    const Shape rest = input.part(1, input.rank());
    return {input[0], rest.is_known() ? rest.size() : Shape::kUnknown};
  }

  Config config(Generation) const override {
    Config config = Config::object();
    config["data_format"] = data_format_;
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<FlattenBody>(*this));
  }

 private:
  std::string data_format_;
};

}  // namespace

Flatten::Flatten(const FlattenOptions& options) : Layer(std::make_shared<FlattenBody>(options)) {}

Flatten Flatten::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Flatten", config, generation);
  FlattenOptions options;
  options.data_format = reader.text("data_format", "channels_last");
  reader.read_common(options);
  return reader.finish(Flatten(options));
}

}  // namespace keratin::inline v0
