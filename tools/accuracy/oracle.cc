// Dual numbers of MPFR over a formula's tree, at rising precision until two agree.
#include "tools/accuracy/oracle.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <stdexcept>

#include "tools/accuracy/formula.h"

#ifdef KERATIN_HAVE_MPFR
#include <mpfr.h>

namespace keratin::accuracy {
namespace {

constexpr mpfr_rnd_t kNearest = MPFR_RNDN;

// MPFR keeps constants and scratch numbers per thread, and leaves them when the thread ends.
struct ThreadCache {
  ~ThreadCache() { mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE); }
  void use() const noexcept {}  // A thread's objects are made when first used.
};
thread_local const ThreadCache thread_cache;

// An owned MPFR number.
class Number {
 public:
  explicit Number(mpfr_prec_t precision) {
    thread_cache.use();
    mpfr_init2(value_, precision);
  }
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

using Unary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
using Binary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

class Evaluator {
 public:
  Evaluator(const Names& names, double x, mpfr_prec_t precision)
      : names_(names), x_(x), precision_(precision) {}

  Jet evaluate(const Formula& f) const {
    if (f.kind == "number" || f.kind == "name") return leaf(f);
    if (f.kind == "?") return evaluate(*f.operands[condition(*f.operands[0]) ? 1 : 2]);
    if (is_one_plus(f, "erf")) return one_plus_erf(*f.operands[1]->operands[0]);
    if (is_one_plus(f, "tanh")) return one_plus_tanh(*f.operands[1]->operands[0]);
    if (f.kind == "log" && is_one_plus(*f.operands[0], "exp"))
      return softplus(*f.operands[0]->operands[1]->operands[0]);
    if (f.operands.size() == 2) return binary(f);
    return unary(f);
  }

  /// Whether a sum on the way left nothing of its terms.
  bool cancelled() const { return cancelled_; }

 private:
  Number apply(Unary function, const Number& a) const {
    Number y(precision_);
    function(y.get(), a.get(), kNearest);
    return y;
  }
  Number apply(Binary function, const Number& a, const Number& b) const {
    Number y(precision_);
    function(y.get(), a.get(), b.get(), kNearest);
    return y;
  }
  // A sum that leaves nothing may be a total cancellation, which more digits would resolve.
  Number sum(Binary function, const Number& a, const Number& b) const {
    const Number y = apply(function, a, b);
    if (mpfr_zero_p(y.get()) && !mpfr_zero_p(a.get())) cancelled_ = true;
    return y;
  }
  Number constant(double value) const {
    Number y(precision_);
    mpfr_set_d(y.get(), value, kNearest);
    return y;
  }

  Jet leaf(const Formula& f) const {
    Jet y(precision_);
    if (f.kind == "number") {
      mpfr_set_str(y.value.get(), f.text.c_str(), 10, kNearest);
    } else if (f.text == "x") {
      mpfr_set_d(y.value.get(), x_, kNearest);
      mpfr_set_ui(y.slope.get(), 1, kNearest);
    } else if (f.text == "pi") {
      mpfr_const_pi(y.value.get(), kNearest);
    } else if (f.text == "inf") {
      mpfr_set_inf(y.value.get(), 1);
    } else {
      mpfr_set_d(y.value.get(), named(f.text), kNearest);
    }
    return y;
  }
  double named(const std::string& name) const {
    for (const auto& [known, value] : names_) {
      if (known == name) return value;
    }
    throw std::invalid_argument("formula: unknown name \"" + name + "\"");
  }

  bool condition(const Formula& f) const {
    if (f.kind == "&&") return condition(*f.operands[0]) && condition(*f.operands[1]);
    if (f.kind == "||") return condition(*f.operands[0]) || condition(*f.operands[1]);
    if (f.operands.size() != 2) return mpfr_cmp_ui(evaluate(f).value.get(), 0) != 0;
    const Jet a = evaluate(*f.operands[0]), b = evaluate(*f.operands[1]);
    const int order = mpfr_cmp(a.value.get(), b.value.get());
    if (f.kind == "<") return order < 0;
    if (f.kind == "<=") return order <= 0;
    if (f.kind == ">") return order > 0;
    if (f.kind == ">=") return order >= 0;
    if (f.kind == "==") return order == 0;
    if (f.kind == "!=") return order != 0;
    return mpfr_cmp_ui(evaluate(f).value.get(), 0) != 0;
  }

  // log(1 + exp(u)) overflows on the way, 1 + erf(u) and 1 + tanh(u) cancel down to thousands of digits: MPFR
  // has functions for them.
  static bool is_one_plus(const Formula& f, std::string_view function) {
    return f.kind == "+" && f.operands[0]->text == "1" && f.operands[1]->kind == function;
  }
  Jet one_plus_erf(const Formula& argument) const {
    const Jet u = evaluate(argument);
    Jet y(precision_);
    y.value = apply(mpfr_erfc, apply(mpfr_neg, u.value));
    y.slope = apply(mpfr_mul, erf_slope(u.value), u.slope);
    return y;
  }
  Jet one_plus_tanh(const Formula& argument) const {
    const Jet u = evaluate(argument);
    Jet y(precision_);
    const Number e = apply(mpfr_exp, apply(mpfr_mul, constant(-2), u.value));
    y.value = apply(mpfr_div, constant(2), apply(mpfr_add, e, constant(1)));
    y.slope = apply(mpfr_mul, apply(mpfr_sqr, apply(mpfr_sech, u.value)), u.slope);
    return y;
  }
  Number erf_slope(const Number& u) const {
    const Number gauss = apply(mpfr_exp, apply(mpfr_neg, apply(mpfr_sqr, u)));
    Number pi(precision_);
    mpfr_const_pi(pi.get(), kNearest);
    return apply(mpfr_div, apply(mpfr_mul, constant(2), gauss), apply(mpfr_sqrt, pi));
  }
  Jet softplus(const Formula& argument) const {
    const Jet u = evaluate(argument);
    Jet y(precision_);
    const Number minus = apply(mpfr_neg, apply(mpfr_abs, u.value));
    y.value = apply(mpfr_log1p, apply(mpfr_exp, minus));
    if (mpfr_sgn(u.value.get()) > 0) y.value = apply(mpfr_add, y.value, u.value);
    const Number e = apply(mpfr_exp, apply(mpfr_neg, u.value));
    const Number sigmoid = apply(mpfr_div, constant(1), apply(mpfr_add, e, constant(1)));
    y.slope = apply(mpfr_mul, sigmoid, u.slope);
    return y;
  }

  // A tanh that rounds to 1 still is less: x - tanh(x) may lie next to a tie. 40 bits are left for the x
  // there.
  Number below_one(Number y) const {
    if (mpfr_cmpabs(y.get(), constant(1).get()) != 0) return y;
    const int sign = mpfr_sgn(y.get());
    mpfr_set_prec(y.get(), precision_ - 40);
    mpfr_set_si(y.get(), sign, kNearest);
    if (sign > 0) {
      mpfr_nextbelow(y.get());
    } else {
      mpfr_nextabove(y.get());
    }
    return y;
  }

  Jet binary(const Formula& f) const {
    const Jet a = evaluate(*f.operands[0]), b = evaluate(*f.operands[1]);
    Jet y(precision_);
    if (f.kind == "+" || f.kind == "-") {
      const Binary function = f.kind == "+" ? mpfr_add : mpfr_sub;
      y.value = sum(function, a.value, b.value);
      y.slope = sum(function, a.slope, b.slope);
    } else if (f.kind == "*") {
      y.value = apply(mpfr_mul, a.value, b.value);
      y.slope = sum(mpfr_add, apply(mpfr_mul, a.value, b.slope), apply(mpfr_mul, a.slope, b.value));
    } else if (f.kind == "/") {
      y.value = apply(mpfr_div, a.value, b.value);
      const Number rest = sum(mpfr_sub, a.slope, apply(mpfr_mul, y.value, b.slope));
      y.slope = apply(mpfr_div, rest, b.value);
    } else if (f.kind == "^") {
      y.value = apply(mpfr_pow, a.value, b.value);
      const Number lower = apply(mpfr_pow, a.value, apply(mpfr_sub, b.value, constant(1)));
      y.slope = apply(mpfr_mul, apply(mpfr_mul, b.value, lower), a.slope);
    } else if (f.kind == "min" || f.kind == "max") {
      const int order = mpfr_cmp(a.value.get(), b.value.get());
      return (f.kind == "min" ? order <= 0 : order >= 0) ? a : b;
    } else {
      throw std::invalid_argument("formula: unknown function " + f.kind);
    }
    return y;
  }

  Jet unary(const Formula& f) const {
    const Jet a = evaluate(*f.operands[0]);
    Jet y(precision_);
    Number slope(precision_);
    if (f.kind == "neg") {
      y.value = apply(mpfr_neg, a.value);
      slope = constant(-1);
    } else if (f.kind == "abs") {
      y.value = apply(mpfr_abs, a.value);
      slope = constant(mpfr_sgn(a.value.get()) < 0 ? -1 : 1);
    } else if (f.kind == "exp") {
      y.value = apply(mpfr_exp, a.value);
      slope = y.value;
    } else if (f.kind == "log") {
      y.value = apply(mpfr_log, a.value);
      slope = apply(mpfr_div, constant(1), a.value);
    } else if (f.kind == "sqrt") {
      y.value = apply(mpfr_sqrt, a.value);
      slope = apply(mpfr_div, constant(0.5), y.value);
    } else if (f.kind == "tanh") {
      y.value = below_one(apply(mpfr_tanh, a.value));
      slope = apply(mpfr_sqr, apply(mpfr_sech, a.value));
    } else if (f.kind == "erf") {
      y.value = apply(mpfr_erf, a.value);
      slope = erf_slope(a.value);
    } else {
      throw std::invalid_argument("formula: unknown function " + f.kind);
    }
    y.slope = apply(mpfr_mul, slope, a.slope);
    return y;
  }

  const Names& names_;
  double x_;
  mpfr_prec_t precision_;
  mutable bool cancelled_ = false;
};

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
      const Evaluator evaluator(names, x, precision);
      const Jet jet = evaluator.evaluate(f);
      const Number& now = slope ? jet.slope : jet.value;
      if (precision > 160 && !evaluator.cancelled() && agree(previous, now)) return now;
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
