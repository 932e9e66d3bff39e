// Numbers of MPFR, and a formula with its slope in them.
#pragma once

#ifdef KERATIN_HAVE_MPFR
#include <mpfr.h>

#include "tools/accuracy/formula.h"
#include "tools/accuracy/oracle.h"

namespace keratin::accuracy {

inline constexpr mpfr_rnd_t kNearest = MPFR_RNDN;

/// An owned MPFR number.
class Number {
 public:
  explicit Number(mpfr_prec_t precision);
  ~Number() { mpfr_clear(value_); }
  Number(const Number& other) : Number(mpfr_get_prec(other.value_)) {
    mpfr_set(value_, other.value_, kNearest);
  }
  Number& operator=(const Number& other) {
    mpfr_set_prec(value_, mpfr_get_prec(other.value_));
    mpfr_set(value_, other.value_, kNearest);
    return *this;
  }
  mpfr_ptr get() { return value_; }
  mpfr_srcptr get() const { return value_; }

 private:
  mpfr_t value_;
};

struct Jet {
  Number value, slope;
  explicit Jet(mpfr_prec_t precision) : value(precision), slope(precision) {
    mpfr_set_zero(value.get(), 1);
    mpfr_set_zero(slope.get(), 1);
  }
};

/// The formula at x, every operation rounded to this precision. `cancelled` becomes true if a sum on the way
/// left nothing of its terms, which more digits would resolve. std::invalid_argument for words that it does
/// not know.
Jet evaluate(const Formula& formula, const Names& names, double x, mpfr_prec_t precision, bool& cancelled);

}  // namespace keratin::accuracy
#endif
