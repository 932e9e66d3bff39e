#include "keratin/layers/alpha_dropout.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/drop.h"
#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

class AlphaDropoutBody final : public LayerBody {
 public:
  AlphaDropoutBody(double rate, const AlphaDropoutOptions& options)
      : rate_(rate), noise_shape_(options.noise_shape), seed_(options.seed) {
    if (!(rate >= 0 && rate <= 1)) {
      throw ValueError("AlphaDropout", "rate is between 0 and 1", "received rate=" + to_text(rate),
                       "It is the share of inputs to drop.");
    }
    set_common(options);
  }

  std::string_view class_name() const override { return "AlphaDropout"; }
  bool builds_from_shape() const override { return false; }
  bool depends_on_generation() const override { return rate_ == 1; }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    if (!context.training || rate_ == 0) return x;
    if (rate_ == 1) {
      if (generation == Generation::keras2) return x;
      throw ValueError("alpha_dropout", "rate is below 1 in training", "received rate=1",
                       "Layer \"" + name + "\". Choose a smaller rate.");
    }
    // −alpha·scale of selu, what it tends to.
    constexpr double kLimit = -1.7580993408473766;
    const double a = 1 / std::sqrt((1 - rate_) * (1 + rate_ * kLimit * kLimit)), b = -a * kLimit * rate_;
    const Shape noise = detail::noise_shape_for(x.shape(), noise_shape_, "alpha_dropout");
    return detail::drop(x, noise, rate_, seed_.next(), {.scale = a, .shift = b, .dropped = a * kLimit + b});
  }

  Config config(Generation target) const override {
    const Config seed = seed_.seed() ? Config(*seed_.seed()) : Config(nullptr);
    const Config noise_shape = noise_shape_ ? detail::shape_config(*noise_shape_) : Config(nullptr);
    Config config = Config::object();
    config["rate"] = rate_;
    config["seed"] = seed;
    // Keras 2 forgets it; its constructor takes it all the same.
    if (target == Generation::keras3 || noise_shape_) config["noise_shape"] = noise_shape;
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<AlphaDropoutBody>(*this));
  }

 private:
  double rate_;
  std::optional<Shape> noise_shape_;
  detail::DropSeed seed_;
};

}  // namespace

AlphaDropout::AlphaDropout(double rate, const AlphaDropoutOptions& options)
    : Layer(std::make_shared<AlphaDropoutBody>(rate, options)) {}

AlphaDropout AlphaDropout::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("AlphaDropout", config, generation);
  AlphaDropoutOptions options;
  const std::optional<double> rate = reader.optional_number("rate");
  if (!rate) reader.refuse("rate", "a number between 0 and 1", nullptr);
  options.noise_shape = reader.optional_shape("noise_shape");
  options.seed = reader.optional_integer("seed");
  reader.read_common(options);
  return reader.finish(AlphaDropout(*rate, options));
}

}  // namespace keratin::inline v0
