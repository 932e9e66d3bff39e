#include "tools/accuracy/series.h"

#include <cmath>
#include <stdexcept>

#ifdef KERATIN_HAVE_MPFR
#include <mpfr.h>
#endif

namespace keratin::accuracy {
namespace {

#ifdef KERATIN_HAVE_MPFR
long double scaled_erfc(long double z) {
  mpfr_t a, b;
  mpfr_inits2(200, a, b, nullptr);
  mpfr_set_ld(a, z, MPFR_RNDN);
  mpfr_erfc(b, a, MPFR_RNDN);
  mpfr_sqr(a, a, MPFR_RNDN);
  mpfr_exp(a, a, MPFR_RNDN);
  mpfr_mul(b, a, b, MPFR_RNDN);
  mpfr_set_ld(a, 1 + 2 * z, MPFR_RNDN);
  mpfr_mul(b, b, a, MPFR_RNDN);
  const long double y = mpfr_get_ld(b, MPFR_RNDN);
  mpfr_clears(a, b, nullptr);
  return y;
}
#else
long double scaled_erfc(long double) {
  throw std::logic_error("built without MPFR: install libmpfr-dev, configure again");
}
#endif

}  // namespace

const std::array<double, 20>& tanh_series() {
  static const auto series = [] {
    // tanh' = 1 - tanh^2, power by power.
    std::array<double, 20> t{1};
    for (std::size_t k = 1; k < t.size(); ++k) {
      double square = 0;
      for (std::size_t i = 0; i < k; ++i) square += t[i] * t[k - 1 - i];
      t[k] = -square / static_cast<double>(2 * k + 1);
    }
    return t;
  }();
  return series;
}

const std::array<double, kErfcTerms>& erfc_series() {
  static const auto series = [] {
    // In doubles the rounding of the coefficients themselves would be most of the error.
    constexpr std::size_t kNodes = 64;
    const long double pi = std::acos(-1.0L);
    std::array<long double, kErfcTerms> sums{};
    for (std::size_t j = 0; j < kNodes; ++j) {
      const long double angle = pi * (static_cast<long double>(j) + 0.5L) / kNodes, t = std::cos(angle);
      const long double f = scaled_erfc(kErfcCentre * (1 + t) / (1 - t));
      for (std::size_t k = 0; k < kErfcTerms; ++k) {
        sums[k] += f * std::cos(static_cast<long double>(k) * angle) * (k == 0 ? 1 : 2) / kNodes;
      }
    }
    std::array<double, kErfcTerms> c;
    for (std::size_t k = 0; k < kErfcTerms; ++k) c[k] = static_cast<double>(sums[k]);
    return c;
  }();
  return series;
}

}  // namespace keratin::accuracy
