// Chunks of inputs, handed to threads by a counter; each result is judged by its interval in long double.
#include "tools/accuracy/double_sweep.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include "keratin/core/float_env.h"
#include "keratin/core/text.h"
#include "tools/accuracy/bounded.h"
#include "tools/accuracy/extended.h"
#include "tools/accuracy/workers.h"

namespace keratin::accuracy {
namespace {

// Inputs whose results are hashed as one.
constexpr std::size_t kChunk = 1 << 12;

// An error above the largest so far by less is not worth MPFR: four times what long double leaves open.
constexpr double kResolution = 0x1p-6;

// One input in a hundred is too near to a tie for long double. So many a chunk go to MPFR to say whether the
// result is the nearest.
constexpr int kUndecidedLimit = 1;

// All exponents once, and those where all that is interesting happens 19 times more.
constexpr std::uint64_t kExponents = 2047, kFirst = 983, kLast = 1032, kMore = 19;
constexpr std::uint64_t kSlots = kExponents + kMore * (kLast - kFirst);

double input(std::uint64_t index) {
  const std::uint64_t slot = index % kSlots;
  const std::uint64_t exponent = slot < kExponents ? slot : kFirst + (slot - kExponents) / kMore;
  // splitmix64: neighbouring indices give unrelated bits.
  std::uint64_t bits = (index + 1) * 0x9e3779b97f4a7c15ULL;
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebULL;
  bits ^= bits >> 31;
  return std::bit_cast<double>((bits & 0x800fffffffffffffULL) | exponent << 52);
}

struct Shared {
  const Variant& variant;
  const Plan& plan;
  const Kernel<double>& kernel;
  Direction direction;
  std::uint64_t inputs, chunks;
  std::optional<Program> program;
  std::vector<std::uint64_t> hashes;
  std::atomic<std::uint64_t> next{0};
};

// What is certain about a result: its largest error possible, in ULP, and whether it is the nearest.
struct Certain {
  double upper;
  bool decided, right;
};

Certain judge(double got, Extended exact) {
  if (!std::isfinite(exact.error) || !std::isfinite(exact.value))
    return {std::numeric_limits<double>::infinity(), false, false};
  // value ± error is rounded itself.
  const long double wide =
      exact.error * (1 + 0x1p-60L) + std::fabs(exact.value) * 0x1p-63L * (exact.error > 0);
  const double low = static_cast<double>(exact.value - wide), high = static_cast<double>(exact.value + wide);
  const bool decided = low == high, right = decided && got == low;
  if (right && std::isinf(got)) return {0, true, true};
  // 2^-52 of the power of two below the smallest the exact result may be.
  const long double least = std::clamp(std::fabs(exact.value) - wide, 0x1p-1022L, 0x1p1023L);
  const long double distance = std::fabs(static_cast<long double>(got) - exact.value) + wide;
  const double upper = static_cast<double>(std::ldexp(distance, 52 - std::ilogb(least)));
  return {std::isnan(upper) ? std::numeric_limits<double>::infinity() : upper, decided, right};
}

// What one thread finds.
class Judge {
 public:
  explicit Judge(const Shared& shared)
      : shared_(shared),
        workspace_(shared.program.value_or(Program{{Op::x}})),
        oracle_(shared.variant.function->info->formula, shared.variant.function->info->derivative,
                names(shared.variant)) {}

  void chunk(const double* x, const double* y, std::size_t n) {
    if (!shared_.program) {
      for (std::size_t i = 0; i < n; ++i) row.not_correctly_rounded += !certify(x[i], y[i]);
      return;
    }
    int undecided = 0;
    for (std::size_t first = 0; first < n; first += ExtendedWorkspace::kSize) {
      const std::size_t count = std::min(ExtendedWorkspace::kSize, n - first);
      workspace_.run(x + first, count);
      for (std::size_t i = 0; i < count; ++i)
        result(x[first + i], y[first + i], workspace_.result(i), undecided);
      sample(x[first], workspace_.result(0));
    }
  }

  Row row;

 private:
  void result(double x, double y, Extended exact, int& undecided) {
    const Certain certain = judge(y, exact);
    if (certain.upper > row.max_ulp + kResolution || (!certain.decided && undecided++ < kUndecidedLimit)) {
      row.not_correctly_rounded += !certify(x, y);
    } else if (certain.decided) {
      row.not_correctly_rounded += !certain.right;
    } else {
      ++row.undecided;
    }
  }

  // Whether the result is the nearest.
  bool certify(double x, double y) {
    const Judgement judgement =
        shared_.direction == Direction::value ? oracle_.value(x, y) : oracle_.derivative(x, y);
    ++row.certified;
    if (judgement.ulp > row.max_ulp) row.max_ulp = judgement.ulp, row.worst_input = x;
    return judgement.correctly_rounded;
  }

  // A check of the long doubles themselves.
  void sample(double x, Extended exact) {
    constexpr std::uint64_t kSize = ExtendedWorkspace::kSize;
    if (++blocks_ % std::max<std::uint64_t>(1, shared_.plan.certify / kSize) != 0) return;
    ++row.certified;
    if (!std::isfinite(exact.value) || !std::isfinite(exact.error)) return;
    if (!oracle_.within(x, shared_.direction == Direction::gradient, exact.value, exact.error)) {
      throw std::runtime_error("the long doubles of " + std::string(shared_.variant.function->info->name) +
                               " give " + to_text(static_cast<double>(exact.value)) + " at " + to_text(x) +
                               ", which MPFR finds to be further off than the " +
                               to_text(static_cast<double>(exact.error)) + " stated");
    }
  }

  const Shared& shared_;
  ExtendedWorkspace workspace_;
  Oracle oracle_;
  std::uint64_t blocks_ = 0;
};

std::uint64_t hash_of(const std::vector<double>& y) {
  thread_local std::vector<std::uint32_t> words;
  words.resize(3 * y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::uint64_t bits = std::isnan(y[i]) ? ~std::uint64_t{0} : std::bit_cast<std::uint64_t>(y[i]);
    // In pieces too small for what hash_words takes for a NaN of f32.
    words[3 * i] = static_cast<std::uint32_t>(bits & 0x3fffff);
    words[3 * i + 1] = static_cast<std::uint32_t>(bits >> 22 & 0x1fffff);
    words[3 * i + 2] = static_cast<std::uint32_t>(bits >> 43);
  }
  return hash_words(words);
}

// Takes chunks until none is left; judges where there is a judge.
void work(Shared& shared, Judge* judge) {
  const FloatEnvironment environment;
  std::vector<double> x, y;
  while (true) {
    const std::uint64_t chunk = shared.next++;
    if (chunk >= shared.chunks) return;
    const std::uint64_t first = chunk * kChunk;
    x.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, shared.inputs - first)));
    y.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = input(first + i);
    shared.kernel(x.data(), y.data(), x.size());
    shared.hashes[chunk] = hash_of(y);
    if (judge != nullptr) judge->chunk(x.data(), y.data(), x.size());
  }
}

}  // namespace

std::uint64_t double_inputs(const Plan& plan) { return static_cast<std::uint64_t>(plan.samples) * kSlots; }

void sweep_doubles(const Variant& variant, const Plan& plan, const Kernel<double>& kernel, Row& row) {
  const activations::Info& info = *variant.function->info;
  const bool slope = row.direction == Direction::gradient;
  const std::uint64_t inputs = double_inputs(plan);
  Shared shared{variant,
                plan,
                kernel,
                row.direction,
                inputs,
                (inputs + kChunk - 1) / kChunk,
                compile(info.formula, info.derivative, names(variant), slope),
                {}};
  sweep_chunks<Judge>(shared, &work, row);
}

}  // namespace keratin::accuracy
