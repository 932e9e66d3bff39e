// A layer of one's own: derive from LayerBody, create weights in build, compute with ops in call. Its
// gradient, its place in summary() and in training follow. This one scales each feature and gates it (a
// diagonal highway layer).
#include <keratin/keratin.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

using namespace keratin;
namespace K = keratin::backend;

namespace {

class GatedScaleBody final : public LayerBody {
 public:
  explicit GatedScaleBody(ActivationFn activation) : activation_(std::move(activation)) {}

  std::string_view class_name() const override { return "GatedScale"; }

  void build(const Shape& input) override {
    const Shape features = {input[input.rank() - 1]};
    scale_ = add_weight(features, "scale", "ones");
    gate_ = add_weight(features, "gate", "zeros");
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    const Tensor gate = K::sigmoid(gate_.tensor());
    return gate * activation_(x * scale_.tensor(), context.training) + (1 - gate) * x;
  }

  Config config(Generation generation) const override {
    return {{"activation", activations::serialize(activation_, generation)}};
  }

  std::shared_ptr<LayerBody> clone() const override {
    return finish_clone(std::make_shared<GatedScaleBody>(*this));
  }

 private:
  ActivationFn activation_;
  Variable scale_, gate_;
};

Layer gated_scale(const ActivationFn& activation) {
  return Layer(std::make_shared<GatedScaleBody>(activation));
}

}  // namespace

int main() {
  const auto digits = io::load_npz(io::data_file("digits.npz"));
  const Tensor x = digits["x"].astype(DType::float32) / 16, y = digits["y"];

  set_random_seed(1);
  Sequential model{Input({64}), gated_scale("softsign"), Dense(64, {.activation = "relu"}),
                   gated_scale(K::tanh), Dense(10, {.activation = "softmax"})};
  std::cout << model.summary() << "\n";
  model.compile(
      {.optimizer = Adam(3e-3), .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  const History history = model.fit(x, y, {.batch_size = 32, .epochs = 10, .validation_split = 0.2});
  const double accuracy = history["val_accuracy"].back();
  std::cout << "validation accuracy " << accuracy << "\n";
  return accuracy > 0.85 ? 0 : 1;
}
