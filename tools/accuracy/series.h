// Coefficients of the fast oracle's series, from MPFR and recurrences.
#pragma once

#include <array>
#include <cstddef>

namespace keratin::accuracy {

/// Of u^(2k+1) in tanh(u).
const std::array<double, 20>& tanh_series();

inline constexpr std::size_t kErfcTerms = 28;
inline constexpr double kErfcCentre = 3.75;
/// Chebyshev coefficients of e^(z^2) erfc(z) (1 + 2z) in (z - centre)/(z + centre).
const std::array<double, kErfcTerms>& erfc_series();

}  // namespace keratin::accuracy
