// Polynomials between kinks: what where, maximum, abs and clip of polynomials are, in one pass. Internal.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "keratin/activations/expression_node.h"

namespace keratin::inline v0::detail {

/// f(x) by the piece that x lies in; times the upstream gradient where it takes one.
struct PiecewisePolynomial {
  static constexpr std::size_t kMaxPieces = 4, kMaxDegree = 3;
  std::size_t pieces = 1;
  /// Piece i + 1 begins at the number bounds[i].
  std::array<float, kMaxPieces - 1> bounds{};
  std::array<std::size_t, kMaxPieces> degrees{};
  /// Of x^0 first.
  std::array<std::array<float, kMaxDegree + 1>, kMaxPieces> coefficients{};
  bool takes_upstream = false;
};

/// `root` as one, if it is: its coefficients in double, rounded. Nothing for another function, more or longer
/// pieces, or a value at a kink that neither side has.
std::optional<PiecewisePolynomial> piecewise_polynomial(const NodePtr& root);

/// y[i] = f(x[i], upstream[i]) by Horner's rule, one rounding a step; y may be x or upstream. Whether every x
/// was finite: others give anything.
bool run_piecewise(const PiecewisePolynomial& f, const float* x, const float* upstream, float* y,
                   std::size_t count);

}  // namespace keratin::inline v0::detail
