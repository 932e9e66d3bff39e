#include "keratin/layers/dropout.h"

#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/drop.h"
#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

class DropoutBody final : public LayerBody {
 public:
  DropoutBody(double rate, const DropoutOptions& options)
      : rate_(rate), noise_shape_(options.noise_shape), seed_(options.seed) {
    if (!(rate >= 0 && rate <= 1)) {
      throw ValueError("Dropout", "rate is between 0 and 1", "received rate=" + to_text(rate),
                       "It is the share of inputs to drop.");
    }
    set_common(options);
  }

  std::string_view class_name() const override { return "Dropout"; }
  bool builds_from_shape() const override { return false; }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    if (!context.training || rate_ == 0) return x;
    const Shape noise = detail::noise_shape_for(x.shape(), noise_shape_, "dropout");
    const double scale = rate_ < 1 ? 1 / (1 - rate_) : 0;
    return detail::drop(x, noise, rate_, seed_.next(), {.scale = scale});
  }

  Config config(Generation target) const override {
    const Config seed = seed_.seed() ? Config(*seed_.seed()) : Config(nullptr);
    const Config noise_shape = noise_shape_ ? detail::shape_config(*noise_shape_) : Config(nullptr);
    Config config = Config::object();
    config["rate"] = rate_;
    if (target == Generation::keras2) config["noise_shape"] = noise_shape;
    config["seed"] = seed;
    if (target == Generation::keras3) config["noise_shape"] = noise_shape;
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<DropoutBody>(*this));
  }

 private:
  double rate_;
  std::optional<Shape> noise_shape_;
  detail::DropSeed seed_;
};

}  // namespace

Dropout::Dropout(double rate, const DropoutOptions& options)
    : Layer(std::make_shared<DropoutBody>(rate, options)) {}

Dropout Dropout::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Dropout", config, generation);
  DropoutOptions options;
  const std::optional<double> rate = reader.optional_number("rate");
  if (!rate) reader.refuse("rate", "a number between 0 and 1", nullptr);
  options.noise_shape = reader.optional_shape("noise_shape");
  options.seed = reader.optional_integer("seed");
  reader.read_common(options);
  return reader.finish(Dropout(*rate, options));
}

}  // namespace keratin::inline v0
