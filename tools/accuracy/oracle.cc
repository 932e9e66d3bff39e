// A formula in MPFR at rising precision until two agree.
#include "tools/accuracy/oracle.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <stdexcept>

#include "tools/accuracy/formula.h"
#include "tools/accuracy/jet.h"

#ifdef KERATIN_HAVE_MPFR

namespace keratin::accuracy {
namespace {

bool mentions(const Formula& f, std::initializer_list<std::string_view> kinds) {
  if (std::find(kinds.begin(), kinds.end(), f.kind) != kinds.end()) return true;
  return std::any_of(f.operands.begin(), f.operands.end(),
                     [&](const auto& o) { return mentions(*o, kinds); });
}

// Whether b confirms a: equal to 2^-100.
bool agree(const Number& a, const Number& b) {
  if (mpfr_nan_p(b.get())) return true;
  Number difference(64);
  mpfr_sub(difference.get(), a.get(), b.get(), kNearest);
  if (mpfr_zero_p(difference.get())) return true;
  return !mpfr_zero_p(b.get()) && mpfr_get_exp(difference.get()) < mpfr_get_exp(b.get()) - 100;
}

template <class T>
constexpr Format kFormat{std::numeric_limits<T>::digits, std::numeric_limits<T>::min_exponent,
                         std::numeric_limits<T>::max_exponent};

Judgement judge(const Number& exact, double got, const Format& format) {
  const int digits = format.digits;
  Judgement judgement;
  if (mpfr_nan_p(exact.get())) {
    judgement.expected = std::numeric_limits<double>::quiet_NaN();
    judgement.ulp = std::isnan(got) ? 0 : std::numeric_limits<double>::infinity();
    judgement.correctly_rounded = std::isnan(got);
    return judgement;
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  long exponent = format.min_exponent;
  if (!mpfr_zero_p(exact.get())) {
    exponent = std::clamp<long>(mpfr_get_exp(exact.get()), format.min_exponent, format.max_exponent);
  }
  // In units in the last place everything is a whole number of them.
  Number scaled(mpfr_get_prec(exact.get())), rounded(digits + 2);
  mpfr_mul_2si(scaled.get(), exact.get(), digits - exponent, kNearest);
  mpfr_rint(rounded.get(), scaled.get(), kNearest);
  Number nearest(digits + 2);
  mpfr_mul_2si(nearest.get(), rounded.get(), exponent - digits, kNearest);
  judgement.expected = mpfr_get_d(nearest.get(), kNearest);
  if (std::fabs(judgement.expected) >= std::ldexp(1.0, format.max_exponent)) {
    judgement.expected = std::copysign(kInfinity, judgement.expected);
  }
  judgement.correctly_rounded = got == judgement.expected;
  if (std::isnan(got)) {
    judgement.ulp = kInfinity;
    return judgement;
  }
  if (judgement.correctly_rounded && std::isinf(got)) return judgement;
  Number difference(64);
  if (std::isinf(got)) {
    mpfr_set_si_2exp(difference.get(), got > 0 ? 1 : -1, format.max_exponent, kNearest);
  } else {
    mpfr_set_d(difference.get(), got, kNearest);
  }
  mpfr_mul_2si(difference.get(), difference.get(), digits - exponent, kNearest);
  mpfr_sub(difference.get(), difference.get(), scaled.get(), kNearest);
  judgement.ulp = std::fabs(mpfr_get_d(difference.get(), kNearest));
  return judgement;
}

}  // namespace

bool Oracle::available() { return true; }

struct Oracle::State {
  std::unique_ptr<Formula> formula, derivative;
  Names names;
  bool exponential;

  // The exact value or slope of a formula, certain to 2^-100.
  Number certain(const Formula& f, double x, bool slope) const {
    Number previous(64);
    mpfr_set_nan(previous.get());
    for (mpfr_prec_t precision = 160; precision <= 10240; precision *= 2) {
      bool cancelled = false;
      const Jet jet = evaluate(f, names, x, precision, cancelled);
      const Number& now = slope ? jet.slope : jet.value;
      if (precision > 160 && !cancelled && agree(previous, now)) return now;
      previous = now;
    }
    return previous;
  }

  Number exact(double x, bool slope) const {
    const Formula& f = slope && derivative ? *derivative : *formula;
    const bool differentiate = slope && !derivative;
    // Beyond, exp(x) leaves even MPFR's range; every formula is linear there to far more digits than are
    // kept.
    constexpr double kLimit = 0x1p50;
    if (!exponential || std::fabs(x) <= kLimit) return certain(f, x, differentiate);
    const double edge = std::copysign(kLimit, x);
    const Number at_edge = certain(f, edge, differentiate);
    if (slope) return at_edge;
    const Number rise = certain(*formula, edge, true);
    Number y(2200), step(2200);
    mpfr_set_d(step.get(), x, kNearest);
    mpfr_sub_d(step.get(), step.get(), edge, kNearest);
    mpfr_mul(y.get(), rise.get(), step.get(), kNearest);
    mpfr_add(y.get(), y.get(), at_edge.get(), kNearest);
    return y;
  }
};

Oracle::Oracle(std::string_view formula, std::string_view derivative, const Names& names)
    : state_(std::make_unique<State>()) {
  mpfr_set_emin(mpfr_get_emin_min());
  mpfr_set_emax(mpfr_get_emax_max());
  state_->formula = parse_formula(formula);
  if (!derivative.empty()) state_->derivative = parse_formula(derivative);
  state_->names = names;
  state_->exponential = mentions(*state_->formula, {"exp", "log", "tanh", "erf"});
}

Oracle::~Oracle() = default;
Oracle::Oracle(Oracle&&) noexcept = default;
Oracle& Oracle::operator=(Oracle&&) noexcept = default;

Judgement Oracle::value(double x, float got) { return judge(x, false, got, kFormat<float>); }
Judgement Oracle::value(double x, double got) { return judge(x, false, got, kFormat<double>); }
Judgement Oracle::derivative(double x, float got) { return judge(x, true, got, kFormat<float>); }
Judgement Oracle::derivative(double x, double got) { return judge(x, true, got, kFormat<double>); }

Judgement Oracle::judge(double x, bool slope, double got, const Format& format) {
  return accuracy::judge(state_->exact(x, slope), got, format);
}
bool Oracle::within(double x, bool slope, long double value, long double error) {
  const Number exact = state_->exact(x, slope);
  Number off(mpfr_get_prec(exact.get())), near(64);
  mpfr_set_ld(near.get(), value, kNearest);
  mpfr_sub(off.get(), exact.get(), near.get(), kNearest);
  mpfr_abs(off.get(), off.get(), kNearest);
  return mpfr_cmp_ld(off.get(), error) <= 0;
}

}  // namespace keratin::accuracy

#else

namespace keratin::accuracy {

struct Oracle::State {};

bool Oracle::available() { return false; }
Oracle::Oracle(std::string_view, std::string_view, const Names&) {
  throw std::logic_error("built without MPFR: install libmpfr-dev and configure again");
}
Oracle::~Oracle() = default;
Oracle::Oracle(Oracle&&) noexcept = default;
Oracle& Oracle::operator=(Oracle&&) noexcept = default;
Judgement Oracle::value(double, float) { return {}; }
Judgement Oracle::value(double, double) { return {}; }
Judgement Oracle::derivative(double, float) { return {}; }
Judgement Oracle::derivative(double, double) { return {}; }
Judgement Oracle::judge(double, bool, double, const Format&) { return {}; }
bool Oracle::within(double, bool, long double, long double) { return false; }

}  // namespace keratin::accuracy
#endif
