// The cells of SimpleRNN, LSTM and GRU. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "keratin/layers/cell.h"
#include "keratin/layers/drop.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/recurrent.h"
#include "keratin/ops/ops.h"

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
};

/// Weights, dropout and the product with the inputs, which all three have. `kGates` blocks of `units`
/// columns.
template <class Options>
class GatedCellBody : public CellBody {
 public:
  GatedCellBody(CellArguments<Options> arguments, std::int64_t gates, const char* class_name);

  std::string_view class_name() const override { return class_name_; }
  void build_list(const std::vector<Shape>& inputs) override;
  Config config(Generation target) const override { return write_fields(a_, target); }
  Tensor project(const Tensor& steps, const StepNoise& noise) const override;
  StepNoise noise(const Shape& step, bool training) const override;
  std::vector<Shape> state_shapes(const Shape& step) const override;

  const CellArguments<Options>& arguments() const noexcept { return a_; }

 protected:
  /// h·U of some gates' columns, with dropout.
  Tensor recurrent(const Tensor& h, const StepNoise& noise, std::int64_t begin, std::int64_t end) const;
  /// Gate i's columns.
  Tensor gate(const Tensor& all, std::int64_t i) const {
    return ops::slice(all, 1, i * a_.units, (i + 1) * a_.units);
  }
  virtual Shape bias_shape() const { return {gates_ * a_.units}; }
  virtual Tensor input_bias() const { return bias_.is_defined() ? bias_.tensor() : Tensor(); }
  std::shared_ptr<LayerBody> cloned(std::shared_ptr<GatedCellBody> copy) const;

  CellArguments<Options> a_;
  Variable kernel_, recurrent_kernel_, bias_;

 private:
  std::int64_t gates_;
  const char* class_name_;
  DropSeed seed_;
};

std::shared_ptr<CellBody> make_cell(const CellArguments<SimpleRNNOptions>& arguments);
std::shared_ptr<CellBody> make_cell(const CellArguments<LSTMOptions>& arguments);
std::shared_ptr<CellBody> make_cell(const CellArguments<GRUOptions>& arguments);

}  // namespace keratin::inline v0::detail
