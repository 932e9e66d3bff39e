// The gates of a step on arrays: what follows the product with U, and its gradient. Internal.
#pragma once

#include <algorithm>
#include <cstdint>

#include "keratin/layers/cell_formula.h"

namespace keratin::inline v0::detail {

/// Rows of a step in one array of (steps, batch, width); an array of one step serves all of them.
template <class T>
struct StepArray {
  T* data = nullptr;
  std::int64_t steps = 0, batch = 0, width = 0;
  T* at(std::int64_t step, std::int64_t row) const {
    return data + ((steps == 1 ? 0 : step) * batch + row) * width;
  }
};

/// The arrays of a sequence. `product` holds h·U and then, but for a GRU, the sum with x.
template <class T>
struct SequenceArrays {
  StepArray<const T> x;         // (steps, batch, gates·units)
  StepArray<T> h;               // (1 + steps, batch, units): before the first step and after each
  StepArray<T> product, gates;  // (steps, batch, gates·units): before and after the activations
  StepArray<T> sum;             // of a GRU with reset_after, x + its part of the product
  StepArray<T> c, act_c;        // of an LSTM: (1 + steps, batch, units), (steps, batch, units)
  StepArray<T> reset;           // of a GRU without reset_after: r·h, (steps, batch, units)
  StepArray<T> dropped;         // h·drops where there are some, (steps, batch, units)
  const T* drops = nullptr;     // (batch, units): factors of what meets U; null for none
  const T* bias = nullptr;      // of a GRU's product
  const bool* mask = nullptr;   // (steps, batch): which steps of which samples count; null for all
  std::int64_t batch = 0;

  /// Where a step does not count, states stay as they were.
  bool counts(std::int64_t t, std::int64_t row) const { return mask == nullptr || mask[t * batch + row]; }
};

/// to = from·drops, for rows of `width` from `row` on. `to` may be `from`.
template <class T>
void apply_drops(const T* drops, std::int64_t row, std::int64_t rows, std::int64_t width, const T* from,
                 T* to) {
  const T* factors = drops + row * width;
  for (std::int64_t i = 0; i < rows * width; ++i) to[i] = from[i] * factors[i];
}

/// A step that does not count: the state stays.
template <class T>
void keep_state(const StepArray<T>& state, std::int64_t t, std::int64_t row) {
  if (state.at(t, row) != state.at(t + 1, row))
    std::copy_n(state.at(t, row), state.width, state.at(t + 1, row));
}

/// What the backward pass moves from step to step, for one block of rows: (rows, units), (rows, gates·units).
template <class T>
struct Carried {
  T *dh, *dc, *room;
};

// y[i] += x[i] and so on are written as loops: compilers make vectors of them.

template <class T>
void lstm_forward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                  std::int64_t rows) {
  const std::int64_t u = f.units;
  const ElementwiseFunction &act = *f.activation.elementwise(), &rec = *f.recurrent_activation.elementwise();
  const auto count = static_cast<std::size_t>(u);
  for (std::int64_t r = row; r < row + rows; ++r) {
    T *z = s.product.at(t, r), *g = s.gates.at(t, r), *next = s.c.at(t + 1, r);
    const T *x = s.x.at(t, r), *c = s.c.at(t, r);
    if (!s.counts(t, r)) {
      keep_state(s.c, t, r);
      continue;
    }
    for (std::int64_t i = 0; i < 4 * u; ++i) z[i] = x[i] + z[i];
    rec.forward(z, g, 2 * count);
    act.forward(z + 2 * u, g + 2 * u, count);
    rec.forward(z + 3 * u, g + 3 * u, count);
    for (std::int64_t i = 0; i < u; ++i) next[i] = g[u + i] * c[i] + g[i] * g[2 * u + i];
  }
  act.forward(s.c.at(t + 1, row), s.act_c.at(t, row), static_cast<std::size_t>(rows * u));
  for (std::int64_t r = row; r < row + rows; ++r) {
    const T *g = s.gates.at(t, r), *c = s.act_c.at(t, r);
    T* h = s.h.at(t + 1, r);
    if (!s.counts(t, r)) {
      keep_state(s.h, t, r);
      continue;
    }
    for (std::int64_t i = 0; i < u; ++i) h[i] = g[3 * u + i] * c[i];
  }
}

template <class T>
void lstm_backward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                   std::int64_t rows, const Carried<T>& carried, const StepArray<T>& dz) {
  const std::int64_t u = f.units;
  const ElementwiseFunction &act = *f.activation.elementwise(), &rec = *f.recurrent_activation.elementwise();
  const auto count = static_cast<std::size_t>(u);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T *g = s.gates.at(t, row + r), *z = s.product.at(t, row + r), *dh = carried.dh + r * u;
    const T *c = s.c.at(t, row + r), *now = s.c.at(t + 1, row + r), *act_c = s.act_c.at(t, row + r);
    // Nothing else is written through: without this, the sums would be computed one by one.
    T* __restrict dc = carried.dc + r * u;
    T* __restrict d = carried.room + r * 4 * u;
    T* out = dz.at(t, row + r);
    if (!s.counts(t, row + r)) {
      std::fill_n(out, 4 * u, T(0));
      continue;
    }
    for (std::int64_t i = 0; i < u; ++i) d[i] = dh[i] * g[3 * u + i];
    act.gradient(now, d, d, count);
    for (std::int64_t i = 0; i < u; ++i) {
      const T all = dc[i] + d[i];
      d[i] = all * g[2 * u + i];
      d[u + i] = all * c[i];
      d[2 * u + i] = all * g[i];
      d[3 * u + i] = dh[i] * act_c[i];
      dc[i] = all * g[u + i];
    }
    rec.gradient(z, d, out, 2 * count);
    act.gradient(z + 2 * u, d + 2 * u, out + 2 * u, count);
    rec.gradient(z + 3 * u, d + 3 * u, out + 3 * u, count);
  }
}

template <class T>
void simple_forward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                    std::int64_t rows) {
  T* z = s.product.at(t, row);
  const T* x = s.x.at(t, row);
  for (std::int64_t i = 0; i < rows * f.units; ++i) z[i] = x[i] + z[i];
  f.activation.elementwise()->forward(z, s.h.at(t + 1, row), static_cast<std::size_t>(rows * f.units));
  for (std::int64_t r = row; r < row + rows; ++r)
    if (!s.counts(t, r)) keep_state(s.h, t, r);
}

template <class T>
void simple_backward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                     std::int64_t rows, const Carried<T>& carried, const StepArray<T>& dz) {
  f.activation.elementwise()->gradient(s.product.at(t, row), carried.dh, dz.at(t, row),
                                       static_cast<std::size_t>(rows * f.units));
  for (std::int64_t r = row; r < row + rows; ++r)
    if (!s.counts(t, r)) std::fill_n(dz.at(t, r), f.units, T(0));
}

template <class T>
void gru_forward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                 std::int64_t rows) {
  const std::int64_t u = f.units;
  const ElementwiseFunction &act = *f.activation.elementwise(), &rec = *f.recurrent_activation.elementwise();
  const auto count = static_cast<std::size_t>(u);
  for (std::int64_t r = row; r < row + rows; ++r) {
    T *p = s.product.at(t, r), *z = s.sum.at(t, r), *g = s.gates.at(t, r), *next = s.h.at(t + 1, r);
    const T *x = s.x.at(t, r), *h = s.h.at(t, r);
    if (!s.counts(t, r)) {
      keep_state(s.h, t, r);
      continue;
    }
    if (s.bias != nullptr)
      for (std::int64_t i = 0; i < 3 * u; ++i) p[i] += s.bias[i];
    for (std::int64_t i = 0; i < 2 * u; ++i) z[i] = x[i] + p[i];
    rec.forward(z, g, 2 * count);
    for (std::int64_t i = 2 * u; i < 3 * u; ++i) z[i] = x[i] + g[i - u] * p[i];
    act.forward(z + 2 * u, g + 2 * u, count);
    for (std::int64_t i = 0; i < u; ++i) next[i] = g[i] * h[i] + (T(1) - g[i]) * g[2 * u + i];
  }
}

/// dz gets the gradient of x, `dp` that of the product, and carried.dh what goes past the product.
template <class T>
void gru_backward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                  std::int64_t rows, const Carried<T>& carried, const StepArray<T>& dz,
                  const StepArray<T>& dp) {
  const std::int64_t u = f.units;
  const ElementwiseFunction &act = *f.activation.elementwise(), &rec = *f.recurrent_activation.elementwise();
  const auto count = static_cast<std::size_t>(u);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T *p = s.product.at(t, row + r), *z = s.sum.at(t, row + r), *g = s.gates.at(t, row + r);
    const T* h = s.h.at(t, row + r);
    T *dh = carried.dh + r * u, *d = carried.room + r * 3 * u;
    T *out = dz.at(t, row + r), *product = dp.at(t, row + r);
    if (!s.counts(t, row + r)) {
      std::fill_n(out, 3 * u, T(0));
      std::fill_n(product, 3 * u, T(0));
      continue;
    }
    for (std::int64_t i = 0; i < u; ++i) d[2 * u + i] = dh[i] * (T(1) - g[i]);
    act.gradient(z + 2 * u, d + 2 * u, out + 2 * u, count);
    for (std::int64_t i = 0; i < u; ++i) {
      d[i] = dh[i] * h[i] - dh[i] * g[2 * u + i];
      d[u + i] = out[2 * u + i] * p[2 * u + i];
      product[2 * u + i] = out[2 * u + i] * g[u + i];
      dh[i] = dh[i] * g[i];
    }
    rec.gradient(z, d, out, 2 * count);
    std::copy_n(out, 2 * u, product);
  }
}

// A GRU without reset_after, whose candidate needs r·h times U: its gates and r·h, then, after that product,
// its state. `product` holds the sums with x.

template <class T>
void reset_gru_gates(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                     std::int64_t rows) {
  const std::int64_t u = f.units;
  const ElementwiseFunction& rec = *f.recurrent_activation.elementwise();
  for (std::int64_t r = row; r < row + rows; ++r) {
    T *z = s.product.at(t, r), *g = s.gates.at(t, r), *reset = s.reset.at(t, r);
    const T *x = s.x.at(t, r), *h = s.h.at(t, r);
    for (std::int64_t i = 0; i < 2 * u; ++i) z[i] = x[i] + z[i];
    rec.forward(z, g, 2 * static_cast<std::size_t>(u));
    for (std::int64_t i = 0; i < u; ++i) reset[i] = g[u + i] * h[i];
  }
}

template <class T>
void reset_gru_state(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t, std::int64_t row,
                     std::int64_t rows) {
  const std::int64_t u = f.units;
  const ElementwiseFunction& act = *f.activation.elementwise();
  for (std::int64_t r = row; r < row + rows; ++r) {
    if (!s.counts(t, r)) {
      keep_state(s.h, t, r);
      continue;
    }
    T *z = s.product.at(t, r), *g = s.gates.at(t, r), *next = s.h.at(t + 1, r);
    const T *x = s.x.at(t, r), *h = s.h.at(t, r);
    for (std::int64_t i = 2 * u; i < 3 * u; ++i) z[i] = x[i] + z[i];
    act.forward(z + 2 * u, g + 2 * u, static_cast<std::size_t>(u));
    for (std::int64_t i = 0; i < u; ++i) next[i] = g[i] * h[i] + (T(1) - g[i]) * g[2 * u + i];
  }
}

/// dz of the candidate; what follows from it through U, the gradient of r·h, is `through` of the next.
template <class T>
void reset_gru_candidate_backward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t,
                                  std::int64_t row, std::int64_t rows, const Carried<T>& carried,
                                  const StepArray<T>& dz) {
  const std::int64_t u = f.units;
  const ElementwiseFunction& act = *f.activation.elementwise();
  for (std::int64_t r = 0; r < rows; ++r) {
    T* out = dz.at(t, row + r);
    if (!s.counts(t, row + r)) {
      std::fill_n(out, 3 * u, T(0));
      continue;
    }
    const T *g = s.gates.at(t, row + r), *dh = carried.dh + r * u;
    T* d = carried.room + r * 3 * u;
    for (std::int64_t i = 0; i < u; ++i) d[i] = dh[i] * (T(1) - g[i]);
    act.gradient(s.product.at(t, row + r) + 2 * u, d, out + 2 * u, static_cast<std::size_t>(u));
  }
}

template <class T>
void reset_gru_gates_backward(const CellFormula& f, const SequenceArrays<T>& s, std::int64_t t,
                              std::int64_t row, std::int64_t rows, const Carried<T>& carried,
                              const T* through, const StepArray<T>& dz) {
  const std::int64_t u = f.units;
  const ElementwiseFunction& rec = *f.recurrent_activation.elementwise();
  for (std::int64_t r = 0; r < rows; ++r) {
    if (!s.counts(t, row + r)) continue;
    const T *g = s.gates.at(t, row + r), *h = s.h.at(t, row + r), *of_reset = through + r * u;
    T *dh = carried.dh + r * u, *d = carried.room + r * 3 * u;
    for (std::int64_t i = 0; i < u; ++i) {
      d[i] = dh[i] * h[i] - dh[i] * g[2 * u + i];
      d[u + i] = of_reset[i] * h[i];
      dh[i] = dh[i] * g[i] + of_reset[i] * g[u + i];
    }
    rec.gradient(s.product.at(t, row + r), d, dz.at(t, row + r), 2 * static_cast<std::size_t>(u));
  }
}

}  // namespace keratin::inline v0::detail
