#include "keratin/layers/cell_sequence.h"

#include <algorithm>
#include <utility>

#include "keratin/autograd/gradients.h"
#include "keratin/core/float_env.h"
#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"
#include "keratin/layers/cell_gates.h"
#include "keratin/layers/masks.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {
namespace {

using Kind = CellFormula::Kind;
using ops::detail::Matrix;

struct Sizes {
  std::int64_t steps, batch, units, columns;
  /// Samples of a block: enough rows that a product with U runs at its full speed.
  std::int64_t rows() const { return std::clamp<std::int64_t>((batch + 63) / 64 * 16, 16, 64); }
  template <class Body>
  void for_each_block(Body&& body) const {
    parallel_for((batch + rows() - 1) / rows(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) body(i * rows(), std::min(rows(), batch - i * rows()));
    });
  }
};

// The values that the backward pass needs; of one step where it is not wanted.
struct Trace {
  Tensor product, gates, sum, c, act_c, reset, dropped;

  Trace(const CellFormula& formula, const Sizes& sizes, bool is_kept, bool has_drops, DType dtype) {
    const std::int64_t steps = is_kept ? sizes.steps : 1;
    const Shape wide{steps, sizes.batch, sizes.columns}, narrow{steps, sizes.batch, sizes.units};
    product = Tensor::empty(wide, dtype);
    if (formula.kind != Kind::simple) gates = Tensor::empty(wide, dtype);
    if (formula.kind == Kind::gru)
      (formula.reset_after ? sum : reset) = Tensor::empty(formula.reset_after ? wide : narrow, dtype);
    if (has_drops) dropped = Tensor::empty(narrow, dtype);
    if (formula.kind != Kind::lstm) return;
    c = Tensor::empty({is_kept ? steps + 1 : 1, sizes.batch, sizes.units}, dtype);
    act_c = Tensor::empty(narrow, dtype);
  }
};

template <class T>
StepArray<T> array_of(const Tensor& tensor) {
  if (!tensor.is_defined()) return {};
  const Shape& shape = tensor.shape();
  // The trace is this op's own.
  return {const_cast<T*>(static_cast<const T*>(tensor.data())), shape[0], shape[1], shape[2]};
}

template <class T>
SequenceArrays<T> arrays_of(const Trace& trace, const Tensor& x, const Tensor& h, const Tensor& bias,
                            const Tensor& mask, const Tensor& drops) {
  SequenceArrays<T> arrays{.x = {static_cast<const T*>(x.data()), x.shape()[0], x.shape()[1], x.shape()[2]},
                           .h = array_of<T>(h),
                           .product = array_of<T>(trace.product),
                           .gates = array_of<T>(trace.gates),
                           .sum = array_of<T>(trace.sum),
                           .c = array_of<T>(trace.c),
                           .act_c = array_of<T>(trace.act_c),
                           .reset = array_of<T>(trace.reset),
                           .dropped = array_of<T>(trace.dropped),
                           .batch = x.shape()[1]};
  if (mask.is_defined()) arrays.mask = static_cast<const bool*>(mask.data());
  if (bias.is_defined()) arrays.bias = static_cast<const T*>(bias.data());
  if (drops.is_defined()) arrays.drops = static_cast<const T*>(drops.data());
  return arrays;
}

bool is_reset_before(const CellFormula& formula) { return formula.kind == Kind::gru && !formula.reset_after; }

// What meets U in a step: h, or what dropout leaves of it.
template <class T>
const T* met(const SequenceArrays<T>& s, std::int64_t t, std::int64_t row, std::int64_t rows) {
  const T* h = s.h.at(t, row);
  if (s.drops == nullptr) return h;
  T* dropped = s.dropped.at(t, row);
  apply_drops(s.drops, row, rows, s.h.width, h, dropped);
  return dropped;
}

// The product with U's columns of the two gates, and after them r·h with those of the candidate.
template <class T>
void reset_gru_forward(const CellFormula& formula, const Sizes& sizes, const SequenceArrays<T>& s,
                       const T* kernel, std::int64_t t, std::int64_t row, std::int64_t rows) {
  const std::int64_t u = sizes.units;
  T* product = s.product.at(t, row);
  ops::detail::gemm_block(rows, 2 * u, u, Matrix<T>{met(s, t, row, rows), u}, Matrix<T>{kernel, 3 * u},
                          product, 3 * u);
  reset_gru_gates(formula, s, t, row, rows);
  if (T* reset = s.reset.at(t, row); s.drops != nullptr) apply_drops(s.drops, row, rows, u, reset, reset);
  ops::detail::gemm_block(rows, u, u, Matrix<T>{s.reset.at(t, row), u}, Matrix<T>{kernel + 2 * u, 3 * u},
                          product + 2 * u, 3 * u);
  reset_gru_state(formula, s, t, row, rows);
}

// The same back: through the candidate's columns of U to r·h, then through the gates'. `through` is room for
// (rows, units), and gets what comes through the gates.
template <class T>
void reset_gru_backward(const CellFormula& formula, const Sizes& sizes, const SequenceArrays<T>& s,
                        const T* turned, std::int64_t t, std::int64_t row, std::int64_t rows,
                        const Carried<T>& carried, T* through, const StepArray<T>& dz) {
  const std::int64_t u = sizes.units;
  reset_gru_candidate_backward(formula, s, t, row, rows, carried, dz);
  const T* d = dz.at(t, row);
  ops::detail::gemm_block(rows, u, u, Matrix<T>{d + 2 * u, 3 * u}, Matrix<T>{turned + 2 * u * u, u}, through,
                          u);
  if (s.drops != nullptr) apply_drops(s.drops, row, rows, u, through, through);
  reset_gru_gates_backward(formula, s, t, row, rows, carried, through, dz);
  ops::detail::gemm_block(rows, u, 2 * u, Matrix<T>{d, 3 * u}, Matrix<T>{turned, u}, through, u);
}

template <class T>
void forward(const CellFormula& formula, const Sizes& sizes, const SequenceArrays<T>& s, const T* kernel) {
  sizes.for_each_block([&](std::int64_t row, std::int64_t rows) {
    for (std::int64_t t = 0; t < sizes.steps; ++t) {
      if (is_reset_before(formula)) {
        reset_gru_forward(formula, sizes, s, kernel, t, row, rows);
        continue;
      }
      ops::detail::gemm_block(rows, sizes.columns, sizes.units, Matrix<T>{met(s, t, row, rows), sizes.units},
                              Matrix<T>{kernel, sizes.columns}, s.product.at(t, row), sizes.columns);
      if (formula.kind == Kind::lstm)
        lstm_forward(formula, s, t, row, rows);
      else if (formula.kind == Kind::gru)
        gru_forward(formula, s, t, row, rows);
      else
        simple_forward(formula, s, t, row, rows);
    }
  });
}

// From the gradient of the result: dz of x, dp of the product with U (the same but of a GRU), dh and dc of
// the states. A transposed U is copied by each product, so it is turned once.
template <class T>
void backward(const CellFormula& formula, const Sizes& sizes, const SequenceArrays<T>& s, const T* turned,
              const T* upstream, const StepArray<T>& dz, const StepArray<T>& dp, T* dh, T* dc) {
  const std::int64_t u = sizes.units, step = sizes.batch * u;
  sizes.for_each_block([&](std::int64_t row, std::int64_t rows) {
    const std::int64_t size = rows * u;
    const std::shared_ptr<std::byte> memory =
        allocate(static_cast<std::size_t>(rows * (sizes.columns + u)) * sizeof(T));
    T* room = reinterpret_cast<T*>(memory.get());
    T* through = room + rows * sizes.columns;
    const Carried<T> carried{dh + row * u, dc == nullptr ? nullptr : dc + row * u, room};
    std::fill_n(carried.dh, size, T(0));
    if (dc != nullptr) std::copy_n(upstream + (sizes.steps + 1) * step + row * u, size, carried.dc);
    for (std::int64_t t = sizes.steps - 1; t >= -1; --t) {
      const T* above = upstream + (t + 1) * step + row * u;
      for (std::int64_t i = 0; i < size; ++i) carried.dh[i] += above[i];
      if (t < 0) break;
      if (is_reset_before(formula)) {
        reset_gru_backward(formula, sizes, s, turned, t, row, rows, carried, through, dz);
      } else {
        if (formula.kind == Kind::lstm)
          lstm_backward(formula, s, t, row, rows, carried, dz);
        else if (formula.kind == Kind::gru)
          gru_backward(formula, s, t, row, rows, carried, dz, dp);
        else
          simple_backward(formula, s, t, row, rows, carried, dz);
        ops::detail::gemm_block(rows, u, sizes.columns, Matrix<T>{dp.at(t, row), sizes.columns},
                                Matrix<T>{turned, u}, through, u);
      }
      if (s.drops != nullptr) apply_drops(s.drops, row, rows, u, through, through);
      // A step that does not count passes the gradient of its state on as it is.
      for (std::int64_t r = 0; r < rows; ++r) {
        T* dh_row = carried.dh + r * u;
        const T* through_row = through + r * u;
        if (!s.counts(t, row + r)) continue;
        if (formula.kind == Kind::gru)
          for (std::int64_t i = 0; i < u; ++i) dh_row[i] += through_row[i];
        else
          std::copy_n(through_row, u, dh_row);
      }
    }
  });
}

struct Saved {
  CellFormula formula;
  Sizes sizes;
  Tensor x, kernel, bias, mask, drops;
  Tensors states;
  Trace trace;
};

// As CellFormula::step gives it, from tensors that stand for the inputs: a state may depend on U too, and
// that part is not this op's.
Tensors recorded_backward(const Saved& saved, const Tensor& upstream) {
  const auto standing_for = [](const Tensor& a) {
    if (!ops::detail::is_recorded(a)) return a;
    return record(a.detach(), "same", {&a}, [](const Tensor& above) { return Tensors{above}; });
  };
  Tensors inputs = {saved.x, saved.kernel, saved.bias};
  inputs.insert(inputs.end(), saved.states.begin(), saved.states.end());
  for (Tensor& input : inputs)
    if (input.is_defined()) input = standing_for(input);
  Tensors states(inputs.begin() + 3, inputs.end());
  Tensors rows = {ops::expand_dims(states[0], 0)};
  for (std::int64_t t = 0; t < saved.sizes.steps; ++t) {
    const Tensor x = ops::squeeze(ops::slice(inputs[0], 0, t, t + 1), 0);
    const Tensors next = saved.formula.step(x, states, inputs[1], inputs[2], saved.drops, false);
    for (std::size_t i = 0; i < states.size(); ++i)
      states[i] = saved.mask.is_defined()
                      ? ops::where(mask_of_rank(saved.mask.select(0, t), 2), next[i + 1], states[i])
                      : next[i + 1];
    rows.push_back(ops::expand_dims(states[0], 0));
  }
  if (states.size() > 1) rows.push_back(ops::expand_dims(states[1], 0));
  return gradients(ops::concatenate(rows, 0), inputs, upstream);
}

Tensors backward_of(const Saved& saved, const Tensor& h, const Tensor& upstream) {
  const FloatEnvironment environment;
  const Sizes& sizes = saved.sizes;
  const DType dtype = saved.x.dtype();
  const bool has_two = saved.formula.kind == Kind::gru && saved.formula.reset_after;
  const bool is_lstm = saved.formula.kind == Kind::lstm;
  const Tensor above = upstream.detach().contiguous(), x = saved.x.detach().contiguous();
  const Tensor bias = saved.bias.is_defined() ? saved.bias.detach().contiguous() : Tensor();
  const Tensor turned = saved.kernel.detach().transpose().contiguous();
  const Shape state{sizes.batch, sizes.units}, wide{sizes.steps, sizes.batch, sizes.columns};
  Tensor dz = Tensor::empty(wide, dtype), dp = has_two ? Tensor::empty(wide, dtype) : dz;
  Tensor dh = Tensor::empty(state, dtype), dc = is_lstm ? Tensor::empty(state, dtype) : Tensor();
  Tensor kernel =
      ops::detail::is_recorded(saved.kernel) ? Tensor::empty(saved.kernel.shape(), dtype) : Tensor();
  ops::detail::visit_arithmetic(dtype, [&](auto zero) {
    using T = decltype(zero);
    const SequenceArrays<T> s = arrays_of<T>(saved.trace, x, h, bias, saved.mask, saved.drops);
    const StepArray<T> of_product = array_of<T>(dp);
    backward(saved.formula, sizes, s, static_cast<const T*>(turned.data()),
             static_cast<const T*>(above.data()), array_of<T>(dz), of_product,
             static_cast<T*>(dh.mutable_data()), is_lstm ? static_cast<T*>(dc.mutable_data()) : nullptr);
    if (!kernel.is_defined()) return;
    // Where U's columns meet r·h, those columns are a product of their own.
    const std::int64_t with_h = is_reset_before(saved.formula) ? 2 * sizes.units : sizes.columns;
    const std::int64_t rows = sizes.steps * sizes.batch;
    T* of_kernel = static_cast<T*>(kernel.mutable_data());
    ops::detail::gemm(sizes.units, with_h, rows,
                      Matrix<T>{s.drops == nullptr ? s.h.data : s.dropped.data, sizes.units, true},
                      Matrix<T>{of_product.data, sizes.columns}, of_kernel, sizes.columns);
    if (with_h < sizes.columns)
      ops::detail::gemm(sizes.units, sizes.units, rows, Matrix<T>{s.reset.data, sizes.units, true},
                        Matrix<T>{of_product.data + with_h, sizes.columns}, of_kernel + with_h,
                        sizes.columns);
  });
  Tensors all = {dz, kernel, Tensor(), dh};
  if (saved.bias.is_defined() && ops::detail::is_recorded(saved.bias))
    all[2] = ops::sum(dp.reshape({sizes.steps * sizes.batch, sizes.columns}), {{0}});
  if (is_lstm) all.push_back(dc);
  return all;
}

}  // namespace

bool can_run_sequence(const CellFormula& formula) {
  const ElementwiseFunction* act = formula.activation.elementwise();
  if (act == nullptr) return false;
  // Sigmoid leaves a note of what it was applied to, for losses that start from there.
  if (formula.kind == Kind::simple) return act->operation() != "sigmoid";
  return formula.recurrent_activation.elementwise() != nullptr;
}

Tensor run_sequence(const CellFormula& formula, const Tensor& x, const Tensor& kernel, const Tensor& bias,
                    const Tensors& states, const Tensor& mask, const Tensor& drops) {
  const FloatEnvironment environment;
  const Sizes sizes{x.shape()[0], x.shape()[1], formula.units, formula.gates() * formula.units};
  Tensors inputs = {x, kernel, bias};
  inputs.insert(inputs.end(), states.begin(), states.end());
  bool is_recorded = is_recording();
  if (is_recorded) is_recorded = std::any_of(inputs.begin(), inputs.end(), ops::detail::is_recorded);
  const bool is_lstm = formula.kind == Kind::lstm;
  const Trace trace(formula, sizes, is_recorded, drops.is_defined(), x.dtype());
  Tensor h = Tensor::empty({sizes.steps + (is_lstm ? 2 : 1), sizes.batch, sizes.units}, x.dtype());
  const Tensor projected = x.detach().contiguous(), weights = kernel.detach().contiguous();
  const Tensor offsets = bias.is_defined() ? bias.detach().contiguous() : Tensor();
  const Tensor first = states[0].detach().contiguous();
  const Tensor cell = is_lstm ? states[1].detach().contiguous() : Tensor();
  ops::detail::visit_arithmetic(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    static_cast<void>(h.mutable_data());
    const SequenceArrays<T> s = arrays_of<T>(trace, projected, h, offsets, mask, drops);
    const std::int64_t size = sizes.batch * sizes.units;
    std::copy_n(static_cast<const T*>(first.data()), size, s.h.data);
    if (is_lstm) std::copy_n(static_cast<const T*>(cell.data()), size, s.c.data);
    forward(formula, sizes, s, static_cast<const T*>(weights.data()));
    if (is_lstm) std::copy_n(s.c.at(sizes.steps, 0), size, s.h.at(sizes.steps + 1, 0));
  });
  if (!is_recorded) return h;
  return record(h, "recurrence", inputs,
                [saved = Saved{formula, sizes, x, kernel, bias, mask, drops, states, trace},
                 values = h](const Tensor& upstream) {
                  return is_recording() ? recorded_backward(saved, upstream)
                                        : backward_of(saved, values, upstream);
                });
}

}  // namespace keratin::inline v0::detail
