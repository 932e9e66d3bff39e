// The body behind a Model.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

class Model;

/// A layer made of layers. To write a kind of model: derive, list the layers, call them.
class KERATIN_API ModelBody : public LayerBody {
 public:
  /// In Keras's order.
  virtual std::vector<Layer> layers() const = 0;
  std::vector<LayerPart> parts() const override;

  /// Of the layers that take the inputs and give the outputs; where one gives several they are numbered.
  virtual std::vector<std::string> input_names() const = 0;
  virtual std::vector<std::string> output_names() const = 0;

  /// Whether the layers are called one after the other, each once: from one input to one output, that of the
  /// last.
  virtual bool is_chain() const { return true; }

  // For the summary.
  /// The same, whatever are the outputs.
  virtual bool calls_in_a_row() const { return true; }
  /// What a layer of this model gives; nothing before it is built.
  virtual Shapes shapes_of(const Layer& layer) const;
  /// What a layer is called on, as Keras names it: "dense[0][0]".
  virtual std::vector<std::string> connections(const Layer& /*layer*/) const { return {}; }

  /// The layers inside cast for themselves.
  InputCast input_cast() const override { return InputCast::none; }
  bool gives_masks() const override { return true; }
  std::string_view module_name() const override { return "keras"; }

  /// "compile_config".
  void add_to_object(Config& object, Generation generation) const override;
  void take_from_object(const std::shared_ptr<LayerBody>& self, const Config& object,
                        Generation generation) override;

  /// What training tells of a model; set where it is compiled.
  struct Compiled {
    std::function<std::vector<Variable>()> optimizer_variables;
    /// As Keras writes it into files; empty for what cannot be written.
    std::function<Config(Generation)> config;
  };
  Compiled compiled;
};

namespace detail {

/// Compiles a model with a config that Keras wrote. Training sets it: this folder knows no optimizers.
using CompileFromConfig = void (*)(Model& model, const Config& config);
KERATIN_API void set_compile_from_config(CompileFromConfig function) noexcept;
/// Compiles the model as the object that it was made from says, if that has a "compile_config".
void compile_as_in(Model& model, const Config& object);

}  // namespace detail

}  // namespace keratin::inline v0
