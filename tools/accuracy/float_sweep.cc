// Chunks of bit patterns, handed to threads by a counter; blocks of a chunk go through the fast oracle.
#include "tools/accuracy/float_sweep.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>

#include "keratin/core/float_env.h"
#include "keratin/core/text.h"
#include "tools/accuracy/bounded.h"
#include "tools/accuracy/workers.h"

namespace keratin::accuracy {
namespace {

// Inputs whose results are hashed as one; two buffers of them stay in L2.
constexpr std::size_t kChunk = 1 << 14;

// An error above the largest so far by less is not worth MPFR: max_ulp is right to this.
constexpr double kResolution = 0x1p-20;

// Where halves of subnormals are ties but for terms of 1e-90, only so many a chunk go to MPFR.
constexpr std::uint64_t kUndecidedLimit = 64;

struct Shared {
  const Variant& variant;
  const Plan& plan;
  const Kernel<float>& kernel;
  Direction direction;
  double bound;
  std::uint64_t inputs, chunks;
  std::optional<Program> program;
  std::vector<std::uint64_t> hashes;
  std::atomic<std::uint64_t> next{0};
};

float input(const Plan& plan, std::uint64_t index) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(plan.offset + index * plan.stride));
}

// What one thread finds.
class Judge {
 public:
  explicit Judge(const Shared& shared)
      : shared_(shared),
        workspace_(shared.program.value_or(Program{{Op::x}})),
        oracle_(shared.variant.function->info->formula, shared.variant.function->info->derivative,
                names(shared.variant)),
        zero_(shared.direction == Direction::gradient ? shared.variant.function->info->gradient_zero
                                                      : std::numeric_limits<double>::infinity()) {}

  // x finite.
  void block(std::uint64_t chunk, const float* x, const float* y, std::size_t n) {
    if (!shared_.program) {
      for (std::size_t i = 0; i < n; ++i) certify(x[i], y[i]);
      return;
    }
    double* wide = workspace_.inputs();
    for (std::size_t i = 0; i < n; ++i) wide[i] = static_cast<double>(x[i]);
    std::fill(wide + n, wide + kBlockSize, wide[0]);
    workspace_.run();
    const float* results = y;
    if (n < kBlockSize) {
      std::copy_n(y, n, padded_);
      for (std::size_t i = n; i < kBlockSize; ++i) padded_[i] = static_cast<float>(workspace_.values()[i]);
      results = padded_;
    }
    workspace_.judge(results, verdict_);
    if (chunk != chunk_) chunk_ = chunk, undecided_here_ = 0;
    row.not_correctly_rounded += verdict_.wrong;
    const bool near = near_zero(x[0]) || near_zero(x[n - 1]) || (x[0] - zero_) * (x[n - 1] - zero_) < 0;
    if (near) excuse(x, y, n);
    if (!verdict_.all_decided) decide(x, y, n);
    if (verdict_.worst > row.max_ulp + kResolution) raise(x, y, n);
    sample(x, n);
  }

  Row row;

 private:
  bool near_zero(float x) const { return std::fabs(static_cast<double>(x) - zero_) < 0.125; }

  // Next to a zero of its own a gradient may be off by 2^-24 instead of its bound: Info::gradient_zero.
  void excuse(const float* x, const float* y, std::size_t n) {
    verdict_.worst = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double off =
          std::fabs(static_cast<double>(y[i]) - workspace_.values()[i]) + workspace_.errors()[i];
      if (near_zero(x[i]) && verdict_.upper[i] > shared_.bound && off <= 0x1p-24) {
        ++row.near_zero;
        row.near_zero_ulp = std::max(row.near_zero_ulp, verdict_.upper[i]);
        verdict_.upper[i] = 0;
      }
      verdict_.worst = std::max(verdict_.worst, verdict_.upper[i]);
    }
  }

  void decide(const float* x, const float* y, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      if (verdict_.undecided[i] == 0) continue;
      if (++undecided_here_ > kUndecidedLimit && verdict_.upper[i] <= row.max_ulp + kResolution) {
        ++row.undecided;
      } else {
        row.not_correctly_rounded += !certify(x[i], y[i]);
        verdict_.upper[i] = 0;
      }
    }
    verdict_.worst = *std::max_element(verdict_.upper, verdict_.upper + n);
  }

  // The worst first: mostly the others then are no news.
  void raise(const float* x, const float* y, std::size_t n) {
    while (true) {
      double* worst = std::max_element(verdict_.upper, verdict_.upper + n);
      if (*worst <= row.max_ulp + kResolution) return;
      const std::size_t i = static_cast<std::size_t>(worst - verdict_.upper);
      certify(x[i], y[i]);
      *worst = 0;
    }
  }

  // Whether the result is the nearest.
  bool certify(float x, float y) {
    const double wide = static_cast<double>(x);
    const Judgement judgement =
        shared_.direction == Direction::value ? oracle_.value(wide, y) : oracle_.derivative(wide, y);
    ++row.certified;
    if (judgement.ulp > row.max_ulp) {
      const bool excused = near_zero(x) && std::fabs(static_cast<double>(y) - judgement.expected) <= 0x1p-24;
      if (!excused) row.max_ulp = judgement.ulp, row.worst_input = wide;
    }
    return judgement.correctly_rounded;
  }

  void sample(const float* x, std::size_t n) {
    if (++blocks_ % std::max<std::uint64_t>(1, shared_.plan.certify / kBlockSize) != 0) return;
    const std::size_t i = (blocks_ * 0x9e3779b97f4a7c15ULL >> 40) % n;
    const double value = workspace_.values()[i], error = workspace_.errors()[i];
    ++row.certified;
    if (!std::isfinite(value) || !std::isfinite(error)) return;
    const double wide = static_cast<double>(x[i]);
    if (!oracle_.within(wide, shared_.direction == Direction::gradient, value, error)) {
      throw std::runtime_error("the fast oracle of " + std::string(shared_.variant.function->info->name) +
                               " gives " + to_text(value) + " at " + to_text(wide) +
                               ", which MPFR finds to be further off than the " + to_text(error) + " stated");
    }
  }

  const Shared& shared_;
  Workspace workspace_;
  Oracle oracle_;
  Verdict verdict_;
  double zero_;
  float padded_[kBlockSize];
  std::uint64_t chunk_ = ~0ULL, undecided_here_ = 0, blocks_ = 0;
};

// Infinities and NaN have tests of their own: the oracle has no limits.
std::size_t keep_finite(float* x, float* y, std::size_t n) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffU);
  }
  if (largest < 0x7f800000U) return n;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isfinite(x[i])) x[kept] = x[i], y[kept++] = y[i];
  }
  return kept;
}

// Takes chunks until none is left; judges where there is a judge.
void work(Shared& shared, Judge* judge) {
  const FloatEnvironment environment;
  std::vector<float> x(kChunk), y(kChunk);
  std::vector<std::uint32_t> bits(kChunk);
  while (true) {
    const std::uint64_t chunk = shared.next++;
    if (chunk >= shared.chunks) return;
    const std::uint64_t first = chunk * kChunk;
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, shared.inputs - first));
    for (std::size_t i = 0; i < n; ++i) x[i] = input(shared.plan, first + i);
    shared.kernel(x.data(), y.data(), n);
    std::memcpy(bits.data(), y.data(), n * sizeof(float));
    shared.hashes[chunk] = hash_words({bits.data(), n});
    if (judge == nullptr) continue;
    const std::size_t kept = keep_finite(x.data(), y.data(), n);
    for (std::size_t i = 0; i < kept; i += kBlockSize) {
      judge->block(chunk, &x[i], &y[i], std::min(kBlockSize, kept - i));
    }
  }
}

}  // namespace

void sweep_floats(const Variant& variant, const Plan& plan, const Kernel<float>& kernel, Row& row) {
  const activations::Info& info = *variant.function->info;
  const bool slope = row.direction == Direction::gradient;
  const std::uint64_t inputs = ((1ULL << 32) - 1 - plan.offset) / plan.stride + 1;
  Shared shared{variant,
                plan,
                kernel,
                row.direction,
                row.bound,
                inputs,
                (inputs + kChunk - 1) / kChunk,
                compile(info.formula, info.derivative, names(variant), slope),
                {}};
  sweep_chunks<Judge>(shared, &work, row);
}

}  // namespace keratin::accuracy
