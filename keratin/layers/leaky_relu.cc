#include "keratin/layers/leaky_relu.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "keratin/activations/definitions.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/elementwise_body.h"
#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

class LeakyReLUBody final : public detail::ElementwiseBody {
 public:
  explicit LeakyReLUBody(const LeakyReLUOptions& options)
      : ElementwiseBody(activations::LeakyRelu{.negative_slope = options.negative_slope}),
        slope_(options.negative_slope) {
    set_common(options);
  }

  std::string_view class_name() const override { return "LeakyReLU"; }
  Config config(Generation target) const override {
    Config config = Config::object();
    config[target == Generation::keras2 ? "alpha" : "negative_slope"] = slope_;
    return config;
  }
  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<LeakyReLUBody>(*this));
  }

 private:
  double slope_;
};

std::shared_ptr<LayerBody> checked(const LeakyReLUOptions& options, bool allow_negative) {
  if (std::isnan(options.negative_slope) || (options.negative_slope < 0 && !allow_negative)) {
    throw ValueError("LeakyReLU", "negative_slope is at least 0",
                     "received negative_slope=" + to_text(options.negative_slope));
  }
  return std::make_shared<LeakyReLUBody>(options);
}

}  // namespace

LeakyReLU::LeakyReLU(const LeakyReLUOptions& options) : Layer(checked(options, false)) {}

LeakyReLU LeakyReLU::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("LeakyReLU", config, generation);
  LeakyReLUOptions options;
  // Keras 3 still takes Keras 2's name.
  const double alpha = reader.number("alpha", options.negative_slope);
  options.negative_slope = reader.number("negative_slope", alpha);
  reader.read_common(options);
  return reader.finish(LeakyReLU(checked(options, generation == Generation::keras2)));
}

}  // namespace keratin::inline v0
