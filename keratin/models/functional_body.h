// The body of a model described by calls on symbolic tensors. Internal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "keratin/layers/symbolic.h"
#include "keratin/models/model_body.h"

namespace keratin::inline v0 {

class FunctionalBody final : public ModelBody {
 public:
  /// One call: of a layer, on values computed before, giving values one after the other.
  struct Step {
    Layer layer;
    std::vector<std::size_t> inputs;
    std::size_t first_output, outputs;
    CallContext keywords;
    std::int64_t node;  ///< the how manieth call of its layer in this model
    /// Whether the last of the inputs is the attention_mask.
    bool has_attention_mask = false;
  };
  /// One value: what it looks like, and which output of which call it is.
  struct Value {
    Shape shape;
    DType dtype;
    std::size_t step, index;
  };

  /// ValueError for an output that needs an Input which is not given, and for two layers of one name.
  FunctionalBody(const std::vector<SymbolicTensor>& inputs, const std::vector<SymbolicTensor>& outputs,
                 std::string name);
  /// With clones of its layers.
  FunctionalBody(const FunctionalBody& other);

  std::string_view class_name() const override { return "Functional"; }
  std::vector<Layer> layers() const override { return layers_; }
  bool has_lists() const override { return true; }
  const std::vector<Step>& steps() const noexcept { return steps_; }
  const std::vector<Value>& values() const noexcept { return values_; }
  std::vector<std::string> input_names() const override { return layer_names(inputs_); }
  std::vector<std::string> output_names() const override { return layer_names(outputs_); }
  bool is_chain() const override;
  bool calls_in_a_row() const override;
  Shapes shapes_of(const Layer& layer) const override;
  std::vector<std::string> connections(const Layer& layer) const override;

  void build(const Shape& input) override { build_list({input}); }
  void build_list(const Shapes&) override {}
  Tensor call(const Tensor& x, const CallContext& context) const override;
  Tensors call_list(const Tensors& inputs, const CallContext& context) const override;
  Shape output_shape(const Shape& input) const override { return output_shapes({input}).front(); }
  Shapes output_shapes(const Shapes& inputs) const override;
  Config base_config(Generation target) const override;
  Config config(Generation target) const override;
  void add_to_object(Config& object, Generation target) const override;
  std::shared_ptr<LayerBody> clone() const override;

 private:
  class Tracer;

  /// "dense[0][0]": Keras's name of a value.
  std::string name_of(std::size_t value) const;
  /// "dense", "dense_1", …: the layers that gave the values, each value under a name of its own.
  std::vector<std::string> layer_names(const std::vector<std::size_t>& values) const;
  /// Of Shapes or Tensors.
  template <class Inputs>
  void check_inputs(const Inputs& inputs) const;
  void check_names() const;

  std::vector<Layer> layers_;  // in Keras's order, the InputLayers among them
  std::vector<Step> steps_;    // in an order in which they can run
  std::vector<Value> values_;
  std::vector<std::size_t> inputs_, outputs_;  // values
};

}  // namespace keratin::inline v0
