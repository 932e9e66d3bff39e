#include "tools/accuracy/axis_sweep.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "keratin/activations/axis_rows.h"
#include "keratin/core/float_env.h"
#include "tools/accuracy/bounded.h"

namespace keratin::accuracy {
namespace {

using activations::detail::AxisKind;

static_assert(std::numeric_limits<long double>::digits >= 64, "the witness wants ten bits beyond double");

constexpr std::int64_t kLengths[] = {1, 2, 3, 7, 10, 16, 17, 31, 64, 65, 100, 128, 1000, 4096, 32000};

// Rows of about 64,000 elements in all, from nearly equal to so far apart that results are subnormal or 0.
std::vector<float> rows(std::int64_t length, double spread) {
  std::mt19937 random(static_cast<std::uint32_t>(length));
  std::normal_distribution<double> normal(0, spread);
  std::vector<float> x(static_cast<std::size_t>(std::max<std::int64_t>(1, 64'000 / length) * length));
  for (float& value : x) value = static_cast<float>(normal(random));
  return x;
}

double ulp_of(long double v) {
  const int exponent = v == 0 ? -126 : std::max(std::ilogb(v), -126);
  return std::ldexp(1.0, exponent - 23);
}

struct Found {
  Row results, sums;
};

void note(long double got, long double exact, double input, Row& row) {
  const double error = static_cast<double>(std::fabs(got - exact) / ulp_of(exact));
  row.not_correctly_rounded += got != static_cast<long double>(static_cast<float>(exact));
  if (error > row.max_ulp) row.max_ulp = error, row.worst_input = input;
}

void judge_row(AxisKind kind, const float* x, const float* y, std::int64_t length, Found& found) {
  const std::int64_t top = std::max_element(x, x + length) - x;
  // Without the largest, whose share is 1: log1p keeps what the others add to it.
  long double others = 0, total = 0;
  for (std::int64_t i = 0; i < length; ++i) {
    if (i != top) others += std::exp(static_cast<long double>(x[i]) - static_cast<long double>(x[top]));
    total += static_cast<long double>(y[i]);
  }
  for (std::int64_t i = 0; i < length; ++i) {
    const long double distance = static_cast<long double>(x[i]) - static_cast<long double>(x[top]);
    const long double exact =
        kind == AxisKind::softmax ? std::exp(distance) / (1 + others) : distance - std::log1p(others);
    note(static_cast<long double>(y[i]), exact, static_cast<double>(x[i]), found.results);
  }
  note(total, 1, static_cast<double>(x[top]), found.sums);
  found.results.inputs += static_cast<std::uint64_t>(length);
  ++found.sums.inputs;
}

Row empty(const char* function, const std::string& parameters, const Plan& plan, double bound) {
  Row row;
  row.function = function;
  row.parameters = parameters;
  row.plan = "normal, spread 0.01 to 40";
  row.direction = Direction::value;
  row.type = Type::f32;
  row.hashes.assign(plan.isas.size(), 0xcbf29ce484222325ULL);
  row.bound = bound;
  return row;
}

}  // namespace

std::vector<Row> sweep_axis(const Plan& plan) {
  const FloatEnvironment environment;
  std::vector<Row> result;
  for (const AxisKind kind : {AxisKind::softmax, AxisKind::log_softmax}) {
    const bool softmax = kind == AxisKind::softmax;
    const char* function = softmax ? "softmax" : "log_softmax";
    for (const std::int64_t length : kLengths) {
      const std::string of = "rows of " + std::to_string(length);
      Found found{empty(function, of, plan, 4), empty(function, "sums of " + of, plan, 2)};
      for (const double spread : {0.01, 1.0, 8.0, 40.0}) {
        const std::vector<float> x = rows(length, spread);
        const std::int64_t count = static_cast<std::int64_t>(x.size()) / length;
        std::vector<float> y(x.size());
        std::vector<std::uint32_t> bits(x.size());
        for (std::size_t i = 0; i < plan.isas.size(); ++i) {
          const simd::ScopedIsa isa(plan.isas[i]);
          activations::detail::forward_rows(kind, x.data(), y.data(), count, length);
          std::memcpy(bits.data(), y.data(), y.size() * sizeof(float));
          found.results.hashes[i] = (found.results.hashes[i] ^ hash_words(bits)) * 0x100000001b3ULL;
        }
        for (std::int64_t r = 0; r < count; ++r)
          judge_row(kind, x.data() + r * length, y.data() + r * length, length, found);
      }
      found.sums.hashes = found.results.hashes;
      result.push_back(found.results);
      if (softmax) result.push_back(found.sums);
    }
  }
  return result;
}

}  // namespace keratin::accuracy
