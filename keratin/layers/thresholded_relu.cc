#include "keratin/layers/thresholded_relu.h"

#include <nlohmann/json.hpp>

#include "keratin/activations/definitions.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/elementwise_body.h"
#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

ActivationFn function_of(double theta) {
  if (!(theta >= 0)) {
    throw ValueError("ThresholdedReLU", "theta is at least 0", "received theta=" + to_text(theta));
  }
  return activations::Relu{.threshold = theta, .as_keras = true};
}

class ThresholdedReLUBody final : public detail::ElementwiseBody {
 public:
  explicit ThresholdedReLUBody(const ThresholdedReLUOptions& options)
      : ElementwiseBody(function_of(options.theta)), theta_(options.theta) {
    set_common(options);
  }

  std::string_view class_name() const override { return "ThresholdedReLU"; }
  std::string_view saved_class_name(Generation target) const override {
    return target == Generation::keras2 ? "ThresholdedReLU" : "ReLU";
  }
  Config config(Generation target) const override {
    Config config = Config::object();
    if (target == Generation::keras2) {
      config["theta"] = theta_;
    } else {
      config["max_value"] = nullptr;
      config["negative_slope"] = 0.0;
      config["threshold"] = theta_;
    }
    return config;
  }
  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<ThresholdedReLUBody>(*this));
  }

 private:
  double theta_;
};

}  // namespace

ThresholdedReLU::ThresholdedReLU(const ThresholdedReLUOptions& options)
    : Layer(std::make_shared<ThresholdedReLUBody>(options)) {}

ThresholdedReLU ThresholdedReLU::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("ThresholdedReLU", config, generation);
  ThresholdedReLUOptions options;
  options.theta = reader.number("theta", options.theta);
  reader.read_common(options);
  return reader.finish(ThresholdedReLU(options));
}

}  // namespace keratin::inline v0
