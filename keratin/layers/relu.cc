#include "keratin/layers/relu.h"

#include <nlohmann/json.hpp>

#include "keratin/activations/definitions.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/elementwise_body.h"
#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

void check(std::string_view argument, double value) {
  if (value >= 0) return;
  throw ValueError("ReLU", std::string(argument) + " is at least 0",
                   "received " + std::string(argument) + "=" + to_text(value));
}

ActivationFn function_of(const ReLUOptions& options) {
  if (options.max_value) check("max_value", *options.max_value);
  check("negative_slope", options.negative_slope);
  check("threshold", options.threshold);
  return activations::Relu{.alpha = options.negative_slope,
                           .max_value = options.max_value.value_or(activations::kNone),
                           .threshold = options.threshold,
                           .as_keras = true};
}

class ReLUBody final : public detail::ElementwiseBody {
 public:
  explicit ReLUBody(const ReLUOptions& options) : ElementwiseBody(function_of(options)), options_(options) {
    set_common(options);
  }

  std::string_view class_name() const override { return "ReLU"; }
  Config config(Generation) const override {
    Config config = Config::object();
    config["max_value"] = options_.max_value ? Config(*options_.max_value) : Config(nullptr);
    config["negative_slope"] = options_.negative_slope;
    config["threshold"] = options_.threshold;
    return config;
  }
  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<ReLUBody>(*this));
  }

 private:
  ReLUOptions options_;
};

}  // namespace

ReLU::ReLU(const ReLUOptions& options) : Layer(std::make_shared<ReLUBody>(options)) {}

ReLU ReLU::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("ReLU", config, generation);
  ReLUOptions options;
  options.max_value = reader.optional_number("max_value");
  options.negative_slope = reader.number("negative_slope", 0);
  options.threshold = reader.number("threshold", 0);
  reader.read_common(options);
  return reader.finish(ReLU(options));
}

}  // namespace keratin::inline v0
