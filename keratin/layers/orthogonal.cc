#include "keratin/layers/orthogonal.h"

#include <algorithm>
#include <cmath>

#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::detail {
namespace {

// Four partial sums in a fixed order: quick without reassociation by the compiler, the same bits everywhere.
double dot(const double* a, const double* b, std::int64_t count) {
  double sums[4] = {};
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// column −= 2 (v·column) v for the unit vector v.
void reflect(const double* v, double* column, std::int64_t count) {
  const double twice = 2 * dot(v, column, count);
  for (std::int64_t i = 0; i < count; ++i) column[i] -= twice * v[i];
}

// Columns a thread takes at once: some ten microseconds.
std::int64_t grain(std::int64_t rows) {
  return std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(rows, 1));
}

}  // namespace

void orthonormalize(Columns& a) {
  const FloatEnvironment environment;
  std::vector<double> signs(static_cast<std::size_t>(a.n));
  // Reflector k lives in rows k … of column k; what is above it would be R, which nobody needs.
  for (std::int64_t k = 0; k < a.n; ++k) {
    double* v = a.column(k) + k;
    const std::int64_t count = a.m - k;
    const double norm = std::sqrt(dot(v, v, count));
    // R's diagonal becomes −sign(v0)·norm: the sign away from cancellation.
    const double sign = v[0] < 0 ? -1 : 1;
    signs[static_cast<std::size_t>(k)] = -sign;
    v[0] += sign * norm;
    const double length = std::sqrt(dot(v, v, count));
    for (std::int64_t i = 0; i < count; ++i) v[i] /= length;
    parallel_for(a.n - k - 1, grain(count), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t j = begin; j < end; ++j) reflect(v, a.column(k + 1 + j) + k, count);
    });
  }
  // Q = H0 H1 … applied to the first n unit vectors, each a column of its own.
  Columns q{a.m, a.n, std::vector<double>(static_cast<std::size_t>(a.m * a.n))};
  parallel_for(a.n, grain(a.m * a.n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      q.column(j)[j] = signs[static_cast<std::size_t>(j)];
      for (std::int64_t k = j + 1; k-- > 0;) reflect(a.column(k) + k, q.column(j) + k, a.m - k);
    }
  });
  a = std::move(q);
}

Columns random_orthonormal(std::int64_t m, std::int64_t n, RandomKey key) {
  Columns a{m, n, std::vector<double>(static_cast<std::size_t>(m * n))};
  fill_normal(std::span(a.values), key, 0, 1);
  orthonormalize(a);
  return a;
}

}  // namespace keratin::inline v0::detail
