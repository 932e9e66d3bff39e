#include "keratin/layers/elu.h"

#include <nlohmann/json.hpp>

#include "keratin/activations/definitions.h"
#include "keratin/layers/elementwise_body.h"
#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

class ELUBody final : public detail::ElementwiseBody {
 public:
  explicit ELUBody(const ELUOptions& options)
      : ElementwiseBody(activations::Elu{.alpha = options.alpha}), alpha_(options.alpha) {
    set_common(options);
  }

  std::string_view class_name() const override { return "ELU"; }
  Config config(Generation) const override {
    Config config = Config::object();
    config["alpha"] = alpha_;
    return config;
  }
  std::shared_ptr<LayerBody> clone() const override { return finish_clone(std::make_shared<ELUBody>(*this)); }

 private:
  double alpha_;
};

}  // namespace

ELU::ELU(const ELUOptions& options) : Layer(std::make_shared<ELUBody>(options)) {}

ELU ELU::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("ELU", config, generation);
  ELUOptions options;
  options.alpha = reader.number("alpha", options.alpha);
  reader.read_common(options);
  return reader.finish(ELU(options));
}

}  // namespace keratin::inline v0
