// What SimpleRNN, LSTM and GRU compute in a step, as ops on tensors. Internal.
#pragma once

#include <cstdint>
#include <vector>

#include "keratin/activations/activation_fn.h"

namespace keratin::inline v0::detail {

struct CellFormula {
  enum class Kind : std::uint8_t { simple, lstm, gru };

  Kind kind;
  std::int64_t units;
  bool reset_after;  // of a GRU
  ActivationFn activation, recurrent_activation;

  std::int64_t gates() const noexcept { return kind == Kind::simple ? 1 : kind == Kind::lstm ? 4 : 3; }
  /// A step's output, then the new states, from x·W + b (batch, gates·units), the states, U and, of a GRU
  /// with reset_after, U's bias (gates·units,), which may be undefined. `drops` are factors for the state, or
  /// undefined.
  Tensors step(const Tensor& x, const Tensors& states, const Tensor& kernel, const Tensor& bias,
               const Tensor& drops, bool training) const;

 private:
  Tensor gate(const Tensor& all, std::int64_t i) const;
  Tensors gru(const Tensor& x, const Tensor& h, const Tensor& kernel, const Tensor& bias, const Tensor& drops,
              bool training) const;
};

}  // namespace keratin::inline v0::detail
