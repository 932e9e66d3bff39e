// Dual numbers of MPFR over a formula's tree.
#include "tools/accuracy/jet.h"

#ifdef KERATIN_HAVE_MPFR
#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace keratin::accuracy {
namespace {

// MPFR keeps constants and scratch numbers per thread, and leaves them when the thread ends.
struct ThreadCache {
  ~ThreadCache() { mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE); }
  void use() const noexcept {}  // A thread's objects are made when first used.
};
thread_local const ThreadCache thread_cache;

using Unary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
using Binary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

// Functions whose slope MPFR has as well, but for its sign; none where it is 0.
struct Known {
  std::string_view name;
  Unary value, slope;
  bool falls = false;
};
constexpr Known kKnown[] = {
    {"exp", mpfr_exp, mpfr_exp},    {"sin", mpfr_sin, mpfr_cos},    {"cos", mpfr_cos, mpfr_sin, true},
    {"sinh", mpfr_sinh, mpfr_cosh}, {"cosh", mpfr_cosh, mpfr_sinh}, {"floor", mpfr_rint_floor, nullptr},
    {"round", mpfr_rint, nullptr},
};

class Evaluator {
 public:
  Evaluator(const Names& names, double x, mpfr_prec_t precision, bool& cancelled)
      : names_(names), x_(x), precision_(precision), cancelled_(cancelled) {}

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
    Number slope = constant(0);
    const auto* known = std::find_if(std::begin(kKnown), std::end(kKnown),
                                     [&](const Known& function) { return function.name == f.kind; });
    if (known != std::end(kKnown)) {
      y.value = apply(known->value, a.value);
      if (known->slope != nullptr) slope = apply(known->slope, a.value);
      if (known->falls) slope = apply(mpfr_neg, slope);
    } else if (f.kind == "neg") {
      y.value = apply(mpfr_neg, a.value);
      slope = constant(-1);
    } else if (f.kind == "abs") {
      y.value = apply(mpfr_abs, a.value);
      slope = constant(mpfr_sgn(a.value.get()) < 0 ? -1 : 1);
    } else if (f.kind == "sign") {
      y.value = constant(mpfr_sgn(a.value.get()));
    } else if (f.kind == "log") {
      y.value = apply(mpfr_log, a.value);
      slope = apply(mpfr_div, constant(1), a.value);
    } else if (f.kind == "sqrt") {
      y.value = apply(mpfr_sqrt, a.value);
      slope = apply(mpfr_div, constant(0.5), y.value);
    } else if (f.kind == "atan") {
      y.value = apply(mpfr_atan, a.value);
      slope = apply(mpfr_div, constant(1), apply(mpfr_add, apply(mpfr_sqr, a.value), constant(1)));
    } else if (f.kind == "tanh") {
      y.value = below_one(apply(mpfr_tanh, a.value));
      slope = apply(mpfr_sqr, apply(mpfr_sech, a.value));
    } else if (f.kind == "erf" || f.kind == "erfc") {
      const bool falls = f.kind == "erfc";
      y.value = apply(falls ? mpfr_erfc : mpfr_erf, a.value);
      slope = falls ? apply(mpfr_neg, erf_slope(a.value)) : erf_slope(a.value);
    } else {
      throw std::invalid_argument("formula: unknown function " + f.kind);
    }
    y.slope = apply(mpfr_mul, slope, a.slope);
    return y;
  }

  const Names& names_;
  double x_;
  mpfr_prec_t precision_;
  bool& cancelled_;
};

}  // namespace

Number::Number(mpfr_prec_t precision) {
  thread_cache.use();
  mpfr_init2(value_, precision);
}

Jet evaluate(const Formula& formula, const Names& names, double x, mpfr_prec_t precision, bool& cancelled) {
  return Evaluator(names, x, precision, cancelled).evaluate(formula);
}

}  // namespace keratin::accuracy
#endif
