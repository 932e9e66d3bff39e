// Recurrent layers and their cells: SimpleRNN, LSTM, GRU, RNN over any cell, StackedRNNCells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/export.h"
#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

struct SimpleRNNOptions {
  ActivationFn activation = "tanh";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  /// The share of inputs, of states that is dropped in training, the same at each step.
  double dropout = 0;
  double recurrent_dropout = 0;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  /// Keras 2 only: steps are the first axis of inputs, outputs and masks, the batch the second.
  bool time_major = false;
  /// How Keras compiles it; nothing that is computed.
  bool unroll = false;
  std::optional<std::int64_t> seed = {};
  /// Steps that a mask leaves out give zeros, rather than the output before.
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

struct LSTMOptions {
  ActivationFn activation = "tanh";
  ActivationFn recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  /// The forget gate's bias starts at 1.
  bool unit_forget_bias = true;
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  double recurrent_dropout = 0;
  std::optional<std::int64_t> seed = {};
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  /// As SimpleRNN's.
  bool time_major = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

struct GRUOptions {
  ActivationFn activation = "tanh";
  ActivationFn recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  double recurrent_dropout = 0;
  std::optional<std::int64_t> seed = {};
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  /// As SimpleRNN's.
  bool time_major = false;
  bool unroll = false;
  /// Whether the reset gate acts on h·U + b rather than on h.
  bool reset_after = true;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

// Layers. x: (batch, steps, features), and the states to start from as further inputs where they are not
// zeros y: (batch, units), or (batch, steps, units) with return_sequences; then, with return_state, the
// states (batch, units): call gives them all. Where a mask (batch, steps) leaves a step out, output and
// states stay as they were. A stateful layer starts where its last call ended; reset_states forgets that.
// ValueError for units below 1 and rates outside [0, 1].

/// h' = act(x·W + b + h·U). W: (features, units)   U: (units, units)   b: (units,)
/// Keras: keras.layers.SimpleRNN.
class KERATIN_API SimpleRNN : public Layer {
 public:
  explicit SimpleRNN(std::int64_t units, const SimpleRNNOptions& options = {});
  static SimpleRNN from_config(const Config& config, Generation generation = Generation::keras3);
  void reset_states() const;
};

/// i, f, o = rec(…), c' = f·c + i·act(…), h' = o·act(c'), each of x·W + b + h·U; states h and c.
/// W: (features, 4·units) for i, f, c, o   U: (units, 4·units)   b: (4·units,)
/// Hochreiter and Schmidhuber 1997. Keras: keras.layers.LSTM.
class KERATIN_API LSTM : public Layer {
 public:
  explicit LSTM(std::int64_t units, const LSTMOptions& options = {});
  static LSTM from_config(const Config& config, Generation generation = Generation::keras3);
  void reset_states() const;
};

/// z, r = rec(…), h' = z·h + (1 − z)·act(…). W: (features, 3·units) for z, r, h   U: (units, 3·units)
/// b: (2, 3·units) of W and of U with reset_after, else (3·units,). Cho et al. 2014. Keras: keras.layers.GRU.
class KERATIN_API GRU : public Layer {
 public:
  explicit GRU(std::int64_t units, const GRUOptions& options = {});
  static GRU from_config(const Config& config, Generation generation = Generation::keras3);
  void reset_states() const;
};

// One step of them: call({x, states…}) gives the output and the new states. Options of layers alone are not
// looked at.

class KERATIN_API SimpleRNNCell : public Layer {
 public:
  explicit SimpleRNNCell(std::int64_t units, const SimpleRNNOptions& options = {});
  static SimpleRNNCell from_config(const Config& config, Generation generation = Generation::keras3);
};

class KERATIN_API LSTMCell : public Layer {
 public:
  explicit LSTMCell(std::int64_t units, const LSTMOptions& options = {});
  static LSTMCell from_config(const Config& config, Generation generation = Generation::keras3);
};

class KERATIN_API GRUCell : public Layer {
 public:
  explicit GRUCell(std::int64_t units, const GRUOptions& options = {});
  static GRUCell from_config(const Config& config, Generation generation = Generation::keras3);
};

/// Cells one on top of the other, as one; the states of all. Keras: keras.layers.StackedRNNCells.
class KERATIN_API StackedRNNCells : public Layer {
 public:
  explicit StackedRNNCells(const std::vector<Layer>& cells, std::string name = "");
  static StackedRNNCells from_config(const Config& config, Generation generation = Generation::keras3);
};

struct RNNOptions {
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  /// As SimpleRNN's.
  bool time_major = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
  bool trainable = true;
  DTypePolicy dtype = {};
};

/// Any cell, one's own included (CellBody), over the steps. TypeError for a layer that is no cell. Keras:
/// keras.layers.RNN.
class KERATIN_API RNN : public Layer {
 public:
  explicit RNN(const Layer& cell, const RNNOptions& options = {});
  static RNN from_config(const Config& config, Generation generation = Generation::keras3);
  void reset_states() const;
};

}  // namespace keratin::inline v0
