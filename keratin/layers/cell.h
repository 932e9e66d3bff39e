// What a recurrent layer runs at each step, and the layer around it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "keratin/layers/list_layer.h"

namespace keratin::inline v0 {

/// What dropout does in one call: factors for inputs and states, the same at each step; undefined for none.
struct StepNoise {
  Tensor input, state;
};

/// The body of a cell. To write one: derive, create weights in build_list, give the states' shapes and a
/// step.
class KERATIN_API CellBody : public ListLayerBody {
 public:
  /// Shapes of the states for an input (batch, ...) of one step.
  virtual Shapes state_shapes(const Shape& step) const = 0;
  /// The output, then the new states.
  virtual Tensors step(const Tensor& x, const Tensors& states, const StepNoise& noise,
                       bool training) const = 0;
  /// What step takes, from the inputs of all steps at once (steps, batch, ...): products that need no state.
  virtual Tensor project(const Tensor& steps, const StepNoise& /*noise*/) const { return steps; }
  virtual StepNoise noise(const Shape& /*step*/, bool /*training*/) const { return {}; }
  /// What all steps give, where the cell has a faster way than one step after the other.
  struct Sequence {
    Tensor outputs;  ///< (steps, batch, ...)
    Tensor last;     ///< the output of the last step
    Tensors states;  ///< after the last step
  };
  /// `projected` is project's result, in the order in which the steps come; at least one step. Where `mask`,
  /// (steps, batch) in that order or undefined, is false, outputs and states stay as they were.
  virtual std::optional<Sequence> run(const Tensor& /*projected*/, const Tensors& /*states*/,
                                      const StepNoise& /*noise*/, const Tensor& /*mask*/) const {
    return std::nullopt;
  }
  /// The output's shape; the default is the first state's.
  virtual Shape step_shape(const Shape& step) const { return state_shapes(step).front(); }

  Tensors call_list(const Tensors& inputs, const CallContext& context) const override;
  Shapes output_shapes(const Shapes& inputs) const override;
};

namespace detail {

/// The cell of a layer that makes its own, which Keras calls by its class alone: "lstm_cell" in each LSTM.
std::shared_ptr<CellBody> named_by_class(std::shared_ptr<CellBody> cell);

/// How a cell is run; what recurrent layers share in Keras's configs.
struct Recurrence {
  bool return_sequences = false, return_state = false, go_backwards = false, stateful = false, unroll = false;
  bool zero_output_for_mask = false, time_major = false;
};

/// A layer that runs a cell over the steps.
class KERATIN_API RecurrentBody : public ListLayerBody {
 public:
  RecurrentBody(std::shared_ptr<CellBody> cell, const Recurrence& recurrence);

  void build_list(const Shapes& inputs) override;
  Tensors call_list(const Tensors& inputs, const CallContext& context) const override;
  Shapes output_shapes(const Shapes& inputs) const override;
  Tensors output_masks(const Tensors& inputs, const Tensors& masks) const override;
  std::vector<LayerPart> parts() const override { return {{"cell", cell_}}; }
  bool depends_on_generation() const override { return false; }
  std::string_view keyword_of_rest() const override { return "initial_state"; }
  void add_to_object(Config& object, Generation generation) const override;

  const Recurrence& recurrence() const noexcept { return recurrence_; }
  CellBody& cell() const noexcept { return *cell_; }
  /// Steps that do not count give zeros where all steps are returned, whatever the layer was made with:
  /// inside of a Bidirectional, whose halves would not match otherwise.
  void force_zero_output_for_mask() { recurrence_.zero_output_for_mask = recurrence_.return_sequences; }
  /// Forgets the states of a stateful layer.
  void reset_states() const;

 protected:
  RecurrentBody(const RecurrentBody&) = delete;
  template <class Fields>
  static void recurrence_fields(auto& recurrence, Fields& field) {
    field("return_sequences", recurrence.return_sequences);
    field("return_state", recurrence.return_state);
    field("go_backwards", recurrence.go_backwards);
    field("stateful", recurrence.stateful);
    field("unroll", recurrence.unroll);
  }

 private:
  /// With the batch as the first axis.
  Tensors run(const Tensors& inputs, const CallContext& context) const;
  Shapes run_shapes(const Shapes& inputs) const;
  Tensors start_states(const Tensors& inputs, const Shape& step) const;
  /// The steps in front, the first to be run first.
  Tensor in_order(const Tensor& x) const;
  /// Zeros for the outputs that a mask (steps, batch) leaves out.
  void show(CellBody::Sequence& all, const Tensor& mask) const;
  /// For the next call of a stateful layer.
  void keep(const Tensors& states) const;

  std::shared_ptr<CellBody> cell_;
  Recurrence recurrence_;
  mutable std::mutex mutex_;
  mutable Tensors states_;  // of a stateful layer, after the last call
};

}  // namespace detail
}  // namespace keratin::inline v0
