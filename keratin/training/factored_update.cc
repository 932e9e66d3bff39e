#include "keratin/training/factored_update.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "keratin/training/sums.h"

namespace keratin::inline v0::detail {
namespace {

// The gradient after clipping, as the rules of optimizer_kernels see it.
template <class T>
T clipped(const StepInput& input, T g) {
  const T scaled = g * static_cast<T>(input.gradient_scale), limit = static_cast<T>(input.gradient_limit);
  return limit == T(0) ? scaled : std::clamp(scaled, -limit, limit);
}

template <class T>
T blend(double beta, T old, double fresh) {
  return static_cast<T>(beta * static_cast<double>(old) + (1 - beta) * fresh);
}

template <class T>
void matrix_direction(const FactoredStep& step, std::int64_t rows, std::int64_t columns, const T* g, T* r,
                      T* c, T* out) {
  const auto square = [&](std::int64_t i) {
    const T x = clipped(step.input, g[i]);
    return static_cast<double>(x * x) + step.epsilon;
  };
  std::vector<double> of_columns(static_cast<std::size_t>(columns), 0.0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double sum = sum_of(columns, [&](std::int64_t i) { return square(row * columns + i); });
    r[row] = blend(step.beta, r[row], sum / static_cast<double>(columns));
    for (std::int64_t i = 0; i < columns; ++i)
      of_columns[static_cast<std::size_t>(i)] += square(row * columns + i);
  }
  for (std::int64_t i = 0; i < columns; ++i)
    c[i] = blend(step.beta, c[i], of_columns[static_cast<std::size_t>(i)] / static_cast<double>(rows));
  const double mean = sum_of(rows, [&](std::int64_t row) { return r[row]; }) / static_cast<double>(rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    const T share = static_cast<T>(static_cast<double>(r[row]) / mean);
    for (std::int64_t i = 0; i < columns; ++i)
      out[row * columns + i] = clipped(step.input, g[row * columns + i]) / std::sqrt(share * c[i]);
  }
}

}  // namespace

template <class T>
void factored_direction(const FactoredStep& step, const Tensor& gradient, Tensor& r, Tensor& c, Tensor& v,
                        Tensor& direction) {
  const T* g = gradient.values<T>().data();
  T* out = direction.mutable_values<T>().data();
  if (v.is_defined()) {
    T* mean = v.mutable_values<T>().data();
    for (std::int64_t i = 0; i < gradient.size(); ++i) {
      const T x = clipped(step.input, g[i]);
      mean[i] = blend(step.beta, mean[i], static_cast<double>(x * x) + step.epsilon);
      out[i] = x / std::sqrt(mean[i]);
    }
    return;
  }
  const Shape& shape = gradient.shape();
  const std::int64_t rows = shape[shape.rank() - 2], columns = shape.back(), matrix = rows * columns;
  T *row_means = r.mutable_values<T>().data(), *column_means = c.mutable_values<T>().data();
  for (std::int64_t i = 0; matrix > 0 && i < gradient.size() / matrix; ++i)
    matrix_direction(step, rows, columns, g + i * matrix, row_means + i * rows, column_means + i * columns,
                     out + i * matrix);
}

template void factored_direction<float>(const FactoredStep&, const Tensor&, Tensor&, Tensor&, Tensor&,
                                        Tensor&);
template void factored_direction<double>(const FactoredStep&, const Tensor&, Tensor&, Tensor&, Tensor&,
                                         Tensor&);

}  // namespace keratin::inline v0::detail
