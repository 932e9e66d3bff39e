// The cells of SimpleRNN, LSTM and GRU. Internal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keratin/layers/cell.h"
#include "keratin/layers/cell_formula.h"
#include "keratin/layers/drop.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/recurrent.h"

namespace keratin::inline v0::detail {

template <class Options>
inline constexpr bool kHasGates = requires(Options o) {
  o.recurrent_activation;
};

/// What a cell and its layer are made from; `Options` are the layer's.
template <class Options>
struct CellArguments {
  std::int64_t units = 0;
  std::int64_t implementation = 2;  // Keras 2's way of computing the same
  Options options;

  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    auto& o = a.options;
    field.required("units", a.units);
    field("activation", o.activation);
    if constexpr (kHasGates<Options>) field("recurrent_activation", o.recurrent_activation);
    field("use_bias", o.use_bias);
    field("kernel_initializer", o.kernel_initializer);
    field("recurrent_initializer", o.recurrent_initializer);
    field("bias_initializer", o.bias_initializer);
    if constexpr (requires { o.unit_forget_bias; }) field("unit_forget_bias", o.unit_forget_bias);
    field("kernel_regularizer", o.kernel_regularizer);
    field("recurrent_regularizer", o.recurrent_regularizer);
    field("bias_regularizer", o.bias_regularizer);
    field("kernel_constraint", o.kernel_constraint);
    field("recurrent_constraint", o.recurrent_constraint);
    field("bias_constraint", o.bias_constraint);
    field("dropout", o.dropout);
    field("recurrent_dropout", o.recurrent_dropout);
    if constexpr (requires { o.reset_after; }) field("reset_after", o.reset_after);
    if constexpr (kHasGates<Options>) {
      field.keras2("implementation", a.implementation);
      field.keras3("seed", o.seed);
    }
  }

  /// For a clone, whose activations have weights of their own: each becomes clone_of(activation).
  void clone_activations(ActivationFn (*clone_of)(const ActivationFn&)) {
    options.activation = clone_of(options.activation);
    if constexpr (kHasGates<Options>) options.recurrent_activation = clone_of(options.recurrent_activation);
  }
};

/// A cell: weights, dropout and the product with the inputs around its formula. `gates` blocks of `units`
/// columns.
template <class Options>
class GatedCellBody : public CellBody {
 public:
  GatedCellBody(CellArguments<Options> arguments, std::int64_t gates, const char* class_name);

  std::string_view class_name() const override { return class_name_; }
  void build_list(const Shapes& inputs) override;
  Config config(Generation target) const override { return write_fields(a_, target); }
  Tensor project(const Tensor& steps, const StepNoise& noise) const override;
  StepNoise noise(const Shape& step, bool training) const override;
  Shapes state_shapes(const Shape& step) const override;
  Tensors step(const Tensor& x, const Tensors& states, const StepNoise& noise, bool training) const override;
  std::optional<Sequence> run(const Tensor& projected, const Tensors& states, const StepNoise& noise,
                              const Tensor& mask) const override;
  std::shared_ptr<LayerBody> clone() const override;

  const CellArguments<Options>& arguments() const noexcept { return a_; }

 private:
  CellFormula formula() const;
  /// A GRU with reset_after has one bias for W and one for U, the rows of one weight.
  bool has_two_biases() const;
  Tensor bias_row(std::int64_t row) const;

  CellArguments<Options> a_;
  Variable kernel_, recurrent_kernel_, bias_;
  std::int64_t gates_;
  const char* class_name_;
  DropSeed seed_;
};

std::shared_ptr<CellBody> make_cell(const CellArguments<SimpleRNNOptions>& arguments);
std::shared_ptr<CellBody> make_cell(const CellArguments<LSTMOptions>& arguments);
std::shared_ptr<CellBody> make_cell(const CellArguments<GRUOptions>& arguments);

}  // namespace keratin::inline v0::detail
