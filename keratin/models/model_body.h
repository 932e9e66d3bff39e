// The body behind a Model.
#pragma once

#include <functional>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

/// A layer made of layers. To write a kind of model: derive, list the layers, call them.
class KERATIN_API ModelBody : public LayerBody {
 public:
  /// In order, without the input.
  virtual std::vector<Layer> layers() const = 0;
  std::vector<LayerPart> parts() const override;
  /// The layers inside cast for themselves.
  InputCast input_cast() const override { return InputCast::none; }
  bool gives_masks() const override { return true; }
  std::string_view module_name() const override { return "keras"; }

  /// The optimizer's variables for the summary; set where a model is compiled.
  std::function<std::vector<Variable>()> optimizer_variables;
};

}  // namespace keratin::inline v0
