// The arithmetic of one optimizer step over one variable, in place, one pass. Internal.
#pragma once

#include <array>
#include <cstdint>

namespace keratin::inline v0::detail {

/// What happens around a rule: to the gradient and the weight before it, to the moving average of the weights
/// after it. Left alone by the defaults, exactly.
struct StepInput {
  double gradient_scale = 1;  ///< clipping by a norm, loss scales, means over accumulated gradients
  double gradient_limit = 0;  ///< clipping by value, 0 for none
  double decay = 0;           ///< w −= w·decay
  double average_momentum = 0;
};

// The rules with their numbers, in double and then in the variable's type; the comment names the arrays that
// each keeps, in the order of `slots`; those that an optimizer does without are null.

template <class T>
struct SgdStep {  // velocity or null
  T rate, momentum;
  bool nesterov;
  template <class U>
  SgdStep<U> as() const {
    return {static_cast<U>(rate), static_cast<U>(momentum), nesterov};
  }
};
template <class T>
struct RmspropStep {  // mean of squares, momentum or null, mean or null
  T rate, rho, rest, momentum, epsilon;
  bool epsilon_outside;  ///< √v + ε, legacy
  template <class U>
  RmspropStep<U> as() const {
    return {static_cast<U>(rate),     static_cast<U>(rho),     static_cast<U>(rest),
            static_cast<U>(momentum), static_cast<U>(epsilon), epsilon_outside};
  }
};
template <class T>
struct AdamStep {  // m, v, largest v or null; rate with the bias corrections
  T rate, rest_1, rest_2, epsilon;
  template <class U>
  AdamStep<U> as() const {
    return {static_cast<U>(rate), static_cast<U>(rest_1), static_cast<U>(rest_2), static_cast<U>(epsilon)};
  }
};
template <class T>
struct AdamaxStep {  // m, u; rate with the bias correction
  T rate, rest_1, beta_2, epsilon;
  template <class U>
  AdamaxStep<U> as() const {
    return {static_cast<U>(rate), static_cast<U>(rest_1), static_cast<U>(beta_2), static_cast<U>(epsilon)};
  }
};
template <class T>
struct NadamStep {  // m, v; m̂ = of_m·m + of_g·g
  T rate, rest_1, rest_2, epsilon, of_m, of_g, correction_2;
  template <class U>
  NadamStep<U> as() const {
    return {static_cast<U>(rate),        static_cast<U>(rest_1), static_cast<U>(rest_2),
            static_cast<U>(epsilon),     static_cast<U>(of_m),   static_cast<U>(of_g),
            static_cast<U>(correction_2)};
  }
};
template <class T>
struct AdagradStep {  // sum of squares
  T rate, epsilon;
  bool epsilon_outside;
  template <class U>
  AdagradStep<U> as() const {
    return {static_cast<U>(rate), static_cast<U>(epsilon), epsilon_outside};
  }
};
template <class T>
struct AdadeltaStep {  // mean of squares, mean of squared moves
  T rate, rho, rest, epsilon;
  template <class U>
  AdadeltaStep<U> as() const {
    return {static_cast<U>(rate), static_cast<U>(rho), static_cast<U>(rest), static_cast<U>(epsilon)};
  }
};
template <class T>
struct FtrlStep {  // n, z
  T rate, power, l1, twice_l2, twice_shrinkage;
  template <class U>
  FtrlStep<U> as() const {
    return {static_cast<U>(rate), static_cast<U>(power), static_cast<U>(l1), static_cast<U>(twice_l2),
            static_cast<U>(twice_shrinkage)};
  }
};
template <class T>
struct LionStep {  // m
  T rate, beta_1, rest_1, beta_2, rest_2;
  template <class U>
  LionStep<U> as() const {
    return {static_cast<U>(rate), static_cast<U>(beta_1), static_cast<U>(rest_1), static_cast<U>(beta_2),
            static_cast<U>(rest_2)};
  }
};
/// Leaves the direction m̂/(√v̂ + ε) in the third array and the weight where it is.
template <class T>
struct LambDirection {  // m, v, direction
  T rest_1, rest_2, correction_1, correction_2, epsilon;
  template <class U>
  LambDirection<U> as() const {
    return {static_cast<U>(rest_1), static_cast<U>(rest_2), static_cast<U>(correction_1),
            static_cast<U>(correction_2), static_cast<U>(epsilon)};
  }
};
/// Leaves the direction in the second array and the weight where it is.
template <class T>
struct MuonDirection {  // m, direction
  T momentum, less;     ///< less: momentum − 1
  bool nesterov;
  template <class U>
  MuonDirection<U> as() const {
    return {static_cast<U>(momentum), static_cast<U>(less), nesterov};
  }
};
template <class T>
struct ScheduleFreeStep {  // z, v; share: of z in the mean x
  T rate, beta_1, rest_1, rest_2, correction_2, epsilon, share, rest_share;
  template <class U>
  ScheduleFreeStep<U> as() const {
    return {static_cast<U>(rate),   static_cast<U>(beta_1),       static_cast<U>(rest_1),
            static_cast<U>(rest_2), static_cast<U>(correction_2), static_cast<U>(epsilon),
            static_cast<U>(share),  static_cast<U>(rest_share)};
  }
};
/// w −= rate·direction, for rules that need the norm of the whole direction first. No gradient is read.
template <class T>
struct DirectionStep {  // direction
  T rate;
  template <class U>
  DirectionStep<U> as() const {
    return {static_cast<U>(rate)};
  }
};
/// Only what happens around a rule.
template <class T>
struct NoStep {
  template <class U>
  NoStep<U> as() const {
    return {};
  }
};

template <class T>
struct StepArrays {
  T* w;
  const T* g;  ///< null for rules that read none
  std::array<T*, 3> slots{};
  T* average = nullptr;  ///< moving average of w; null for none
};

/// Float or double. Several threads, the same bits on every instruction set: each operation is one IEEE
/// operation, powers of Ftrl other than the square root aside, which the C library computes.
template <template <class> class Rule, class T>
void update(const Rule<double>& rule, const StepInput& input, const StepArrays<T>& arrays,
            std::int64_t count);

/// Σ clip(g)², in double, the same for every number of threads; limit 0 clips nothing.
template <class T>
double sum_of_squares(const T* g, std::int64_t count, double limit = 0);
/// to += g.
template <class T>
void accumulate(T* to, const T* g, std::int64_t count);

}  // namespace keratin::inline v0::detail
