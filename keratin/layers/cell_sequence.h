// All steps of a SimpleRNN, LSTM or GRU as one op. Internal.
#pragma once

#include <vector>

#include "keratin/layers/cell_formula.h"

namespace keratin::inline v0::detail {

/// Whether run_sequence has this formula: activations that act on elements alone.
bool can_run_sequence(const CellFormula& formula);

/// The states before the first step and after each, h: (1 + steps, batch, units); of an LSTM the last c comes
/// behind them. Recorded where a gradient is wanted.
/// x: (steps, batch, gates·units), x·W + b of all steps   kernel: (units, gates·units)
/// bias: (gates·units,) of a GRU's recurrent kernel, or undefined   states: h, of an LSTM h and c
/// mask: (steps, batch) booleans, or undefined where all count; where false, states stay as they were
/// drops: factors of h where it meets U, (batch, units), the same at each step, or undefined
/// A block of samples runs through all steps on one thread: a product with U, then all gates while they are
/// in cache; the bits are those of CellFormula::step. Back the same way, then one product of all steps for
/// U's gradient. Blocks depend on the shapes alone.
Tensor run_sequence(const CellFormula& formula, const Tensor& x, const Tensor& kernel, const Tensor& bias,
                    const Tensors& states, const Tensor& mask, const Tensor& drops);

}  // namespace keratin::inline v0::detail
