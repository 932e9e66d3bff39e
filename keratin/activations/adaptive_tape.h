// An expression on tapes: f32 in f32 where that is accurate, in double elsewhere. Internal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "keratin/activations/expression_node.h"
#include "keratin/activations/piecewise.h"
#include "keratin/activations/single_tape.h"
#include "keratin/activations/tape.h"

namespace keratin::inline v0 {

/// Which way an f32 goes depends on its own number alone, and is decided when the tape is made.
class AdaptiveTape {
 public:
  /// What f32 arithmetic may be off by at the points tried. Around a root r, but at 0, in units of a number
  /// of size max(1, |r|)/4 instead: a relative error has no bound there.
  static constexpr double kMaxUlp = 3;

  explicit AdaptiveTape(const detail::NodePtr& root);

  void run(const float* x, const float* upstream, float* y, std::size_t count) const;
  void run(const double* x, const double* upstream, double* y, std::size_t count) const {
    tape_.run(x, upstream, y, count);
  }

  /// f32 is computed in f32 for |x| below it; 0: never.
  float reach() const noexcept { return reach_; }
  /// The largest error found there.
  double max_ulp() const noexcept { return max_ulp_; }
  /// "3 passes in float32 for |x| < 4, …".
  std::string explain() const;

 private:
  // Both ways of float32.
  void run_single(const float* x, const float* upstream, float* y, std::size_t count) const;
  bool keeps_signs_of_zero();
  void measure();
  void run_blocks(const float* x, const float* upstream, float* y, std::size_t count) const;
  void run_mixed(const float* x, const float* upstream, float* y, std::size_t count) const;

  Tape tape_;
  std::optional<SingleTape> single_;
  std::optional<detail::PiecewisePolynomial> piecewise_;  // in place of single_
  float reach_ = 0;
  double max_ulp_ = 0;
};

}  // namespace keratin::inline v0
