#include "keratin/activations/adaptive_tape.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "keratin/core/float_env.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

constexpr std::size_t kBlock = SingleTape::kBlock;
// Where f32 does not reach so far, mixed blocks would be all there are.
constexpr float kLeastReach = 1;

// Magnitudes, growing: 96 in each octave of the middle, where functions bend and run out into subnormal
// numbers, four in the others.
std::vector<float> magnitudes() {
  std::vector<float> points{0};
  for (int exponent = -140; exponent < 128; ++exponent) {
    const int parts = exponent >= -6 && exponent < 8 ? 96 : 4;
    for (int i = 0; i < parts; ++i) {
      // Odd multiples of a third: not only numbers with few bits.
      points.push_back(
          std::ldexp(1.0f + (static_cast<float>(i) + 1.0f / 3) / static_cast<float>(parts), exponent));
    }
  }
  points.push_back(std::numeric_limits<float>::infinity());
  return points;
}

double ulp(double value) {
  if (std::fabs(value) < 0x1p-126) return 0x1p-149;
  return std::ldexp(1.0, std::ilogb(value) - 23);
}

// |y - exact| in ULP of the larger of |exact| and `least`.
double error_of(float y, double exact, double least) {
  const auto rounded = static_cast<float>(exact);
  if (std::bit_cast<std::uint32_t>(y) == std::bit_cast<std::uint32_t>(rounded)) return 0;
  if (std::isnan(y) && std::isnan(exact)) return 0;
  if (!std::isfinite(y) || !std::isfinite(rounded)) return std::numeric_limits<double>::infinity();
  return std::fabs(static_cast<double>(y) - exact) / ulp(std::max(std::fabs(exact), least));
}

}  // namespace

AdaptiveTape::AdaptiveTape(const detail::NodePtr& root)
    : tape_(root), piecewise_(detail::piecewise_polynomial(root)) {
  if (piecewise_ && keeps_signs_of_zero()) {
    measure();
    if (std::isinf(reach_)) return;
  }
  piecewise_.reset();
  single_.emplace(root);
  measure();
  if (reach_ < kLeastReach) {
    single_.reset();
    reach_ = 0;
  }
}

// A polynomial without a constant adds a zero at last, of whichever sign gives the tape's zeros.
bool AdaptiveTape::keeps_signs_of_zero() {
  const FloatEnvironment environment;
  constexpr std::array<float, 2> kZeros = {0.0f, -0.0f}, kOnes = {1.0f, 1.0f};
  std::array<float, 2> exact, y;
  tape_.run(kZeros.data(), kOnes.data(), exact.data(), exact.size());
  for (const float zero : kZeros) {
    for (auto& coefficients : piecewise_->coefficients) {
      if (coefficients[0] == 0) coefficients[0] = zero;
    }
    detail::run_piecewise(*piecewise_, kZeros.data(), kOnes.data(), y.data(), y.size());
    if (std::bit_cast<std::uint64_t>(exact) == std::bit_cast<std::uint64_t>(y)) return true;
  }
  return false;
}

void AdaptiveTape::run_single(const float* x, const float* upstream, float* y, std::size_t count) const {
  if (piecewise_) {
    detail::run_piecewise(*piecewise_, x, upstream, y, count);
  } else {
    single_->run(x, upstream, y, count);
  }
}

// Both tapes at points of growing size, up to the first where f32 is too far off.
void AdaptiveTape::measure() {
  const FloatEnvironment environment;
  const std::vector<float> sizes = magnitudes();
  std::vector<float> x;
  for (const float size : sizes) x.push_back(size), x.push_back(-size);
  const std::vector<float> ones(x.size(), 1.0f);
  const std::vector<double> wide(x.begin(), x.end()), wide_ones(x.size(), 1.0);
  std::vector<float> y(x.size());
  std::vector<double> exact(x.size());
  run_single(x.data(), ones.data(), y.data(), x.size());
  tape_.run(wide.data(), wide_ones.data(), exact.data(), x.size());
  // Around a root r, but at 0, what counts is what half an ULP of r would do.
  std::vector<double> least(x.size(), 0);
  for (std::size_t i = 2; i < x.size(); ++i) {
    if (std::fabs(x[i - 2]) < 0.125f || std::signbit(exact[i]) == std::signbit(exact[i - 2])) continue;
    const double root = std::fabs(static_cast<double>(x[i])), unit = std::max(0.25, root / 4);
    for (std::size_t j = i % 2; j < x.size(); j += 2) {
      const double size = std::fabs(static_cast<double>(x[j]));
      if (size >= 0.125 && std::fabs(size - root) < std::max(0.5, root / 2)) least[j] = unit;
    }
  }
  max_ulp_ = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    // Which the tape computes beside polynomials.
    if (piecewise_ && std::isinf(x[i])) continue;
    const double error = error_of(y[i], exact[i], least[i]);
    if (!(error <= kMaxUlp)) {
      // The point before is the last that is known to be right.
      reach_ = i < 2 ? 0 : std::fabs(x[i - 2]);
      return;
    }
    max_ulp_ = std::max(max_ulp_, error);
  }
  // For all but infinity and NaN, which are not below it.
  reach_ = std::numeric_limits<float>::infinity();
}

void AdaptiveTape::run_mixed(const float* x, const float* upstream, float* y, std::size_t count) const {
  std::array<float, kBlock> inputs, gradients;
  std::array<std::uint16_t, kBlock> place;
  std::size_t outside = 0;
  // Before y is written, which may be x or upstream.
  constexpr std::size_t kAtOnce = 16;
  for (std::size_t begin = 0; begin < count; begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, count);
    bool inside = true;
    for (std::size_t i = begin; i < end; ++i) inside &= std::fabs(x[i]) < reach_;
    for (std::size_t i = inside ? end : begin; i < end; ++i) {
      if (std::fabs(x[i]) < reach_) continue;
      inputs[outside] = x[i];
      gradients[outside] = upstream == nullptr ? 1.0f : upstream[i];
      place[outside++] = static_cast<std::uint16_t>(i);
    }
  }
  if (outside < count) run_single(x, upstream, y, count);
  if (outside == 0) return;
  tape_.run(inputs.data(), gradients.data(), inputs.data(), outside);
  for (std::size_t i = 0; i < outside; ++i) y[place[i]] = inputs[i];
}

void AdaptiveTape::run(const float* x, const float* upstream, float* y, std::size_t count) const {
  if (piecewise_ && y != x && y != upstream) {
    // Numbers that are not finite are found on the way; all of x is still there.
    constexpr std::size_t kLongBlock = 8 * kBlock;
    for (std::size_t begin = 0; begin < count; begin += kLongBlock) {
      const std::size_t here = std::min(kLongBlock, count - begin);
      const float* factor = upstream == nullptr ? nullptr : upstream + begin;
      if (!detail::run_piecewise(*piecewise_, x + begin, factor, y + begin, here))
        run_blocks(x + begin, factor, y + begin, here);
    }
    return;
  }
  if (!single_ && !piecewise_) return tape_.run(x, upstream, y, count);
  run_blocks(x, upstream, y, count);
}

void AdaptiveTape::run_blocks(const float* x, const float* upstream, float* y, std::size_t count) const {
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t here = std::min(kBlock, count - begin);
    const float* factor = upstream == nullptr ? nullptr : upstream + begin;
    if (here % detail::kChainGroup == 0 && detail::all_below(x + begin, reach_, here)) {
      run_single(x + begin, factor, y + begin, here);
    } else {
      run_mixed(x + begin, factor, y + begin, here);
    }
  }
}

std::string AdaptiveTape::explain() const {
  const std::string wide = fmt::format("{} operations in double, rounded once", tape_.instructions());
  if (piecewise_) {
    return fmt::format("{} polynomial{} in float32, within {:.2f} ULP on the points tried",
                       piecewise_->pieces, piecewise_->pieces == 1 ? "" : "s between kinks", max_ulp_);
  }
  if (!single_) {
    return fmt::format("{}; in float32 they would be more than {} ULP off for some |x| < {}", wide, kMaxUlp,
                       kLeastReach);
  }
  return fmt::format("{} passes in float32{}, within {:.2f} ULP on the points tried; else {}",
                     single_->instructions(),
                     std::isinf(reach_) ? "" : fmt::format(" for |x| < {}", to_text(reach_)), max_ulp_, wide);
}

}  // namespace keratin::inline v0
