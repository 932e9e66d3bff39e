// Softmax and log_softmax of f32: their bounds, their bits, and the rows that are meant to break them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iostream>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "keratin/activations/axis_functions.h"
#include "keratin/activations/axis_rows.h"
#include "keratin/simd/dispatch.h"
#include "keratin/tensor/node.h"

namespace keratin {
namespace {

namespace act = activations;
using Real = long double;
using Row = std::vector<float>;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Engines give the same numbers everywhere, distributions do not.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : engine_(seed) {}
  float uniform(float scale) { return scale * (static_cast<float>(engine_() >> 8) * 0x1p-23f - 1); }
  std::size_t below(std::size_t count) { return engine_() % count; }

 private:
  std::mt19937 engine_;
};

struct RowKind {
  const char* name;
  std::function<float(Numbers&, std::size_t i, std::size_t length)> element;
};
const std::vector<RowKind>& row_kinds() {
  static const std::vector<RowKind> kinds = {
      {"small", [](Numbers& n, std::size_t, std::size_t) { return n.uniform(3); }},
      {"wide", [](Numbers& n, std::size_t, std::size_t) { return n.uniform(60); }},
      {"wider than exp reaches", [](Numbers& n, std::size_t, std::size_t) { return n.uniform(160); }},
      {"huge", [](Numbers& n, std::size_t, std::size_t) { return n.uniform(3000); }},
      {"far from zero", [](Numbers& n, std::size_t, std::size_t) { return 1000 + n.uniform(20); }},
      {"far below zero", [](Numbers& n, std::size_t, std::size_t) { return -1500 + n.uniform(2); }},
      {"all equal", [](Numbers&, std::size_t, std::size_t) { return 0.7f; }},
      {"one dominates",
       [](Numbers& n, std::size_t i, std::size_t length) { return i == length / 2 ? 20 : n.uniform(1); }},
      {"last dominates",
       [](Numbers&, std::size_t i, std::size_t length) { return i + 1 == length ? 17.3f : -0.3f; }},
      {"alternating",
       [](Numbers& n, std::size_t i, std::size_t) { return (i % 2 == 0 ? 50 : -50) + n.uniform(1); }},
      {"four in turn",
       [](Numbers&, std::size_t i, std::size_t) { return static_cast<float>(i / 16 % 4) * 0.37f; }},
      {"of many sizes",
       [](Numbers& n, std::size_t, std::size_t) {
         return std::ldexp(n.uniform(1), static_cast<int>(n.below(12)) - 4);
       }},
      {"masked",
       [](Numbers& n, std::size_t i, std::size_t) { return i > 0 && n.below(3) > 0 ? -kInf : n.uniform(6); }},
      {"masked with numbers", [](Numbers& n, std::size_t i, std::size_t) {
         return i > 0 && n.below(3) > 0 ? -1e9f : n.uniform(6);
       }}};
  return kinds;
}
Row make_row(const RowKind& kind, std::size_t length, std::uint32_t seed) {
  Numbers numbers(seed);
  Row x(length);
  for (std::size_t i = 0; i < length; ++i) x[i] = kind.element(numbers, i, length);
  return x;
}

std::vector<std::size_t> lengths() {
  std::vector<std::size_t> lengths(70);
  std::iota(lengths.begin(), lengths.end(), 1);
  lengths.insert(lengths.end(), {100, 127, 128, 129, 511, 512, 577, 1000, 2049, 5000, 32000});
  return lengths;
}
int seeds_of(std::size_t length) { return length <= 128 ? 12 : 2; }

double ulps(Real exact, float y) {
  const int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
  return static_cast<double>(std::fabs(y - exact) / std::ldexp(Real(1), exponent - 23));
}

// The textbook formulas in long double: 64 bits, and an exp of their own.
struct Exact {
  Real largest, sum = 0, others = 0;
  explicit Exact(const Row& x) {
    const auto top = std::max_element(x.begin(), x.end());
    largest = *top;
    for (auto at = x.begin(); at != x.end(); ++at) {
      sum += std::exp(*at - largest);
      others += at == top ? 0 : std::exp(*at - largest);
    }
  }
  Real softmax(float x) const { return std::exp(x - largest) / sum; }
  Real log_softmax(float x) const { return (x - largest) - std::log1p(others); }
};

// The largest error seen, and where.
class Worst {
 public:
  explicit Worst(std::string name) : name_(std::move(name)) {}
  ~Worst() { std::cout << "  " << name_ << ": at most " << error_ << " " << where_ << "\n"; }
  void see(double error, const std::function<std::string()>& where) {
    if (error <= error_) return;
    error_ = error;
    where_ = where();
  }
  double error() const { return error_; }

 private:
  std::string name_, where_;
  double error_ = -1;
};

void for_each_row(const std::function<void(const RowKind&, const Row&, std::uint32_t seed)>& visit) {
  for (const std::size_t length : lengths()) {
    for (const RowKind& kind : row_kinds()) {
      for (int seed = 1; seed <= seeds_of(length); ++seed)
        visit(kind, make_row(kind, length, static_cast<std::uint32_t>(seed)),
              static_cast<std::uint32_t>(seed));
    }
  }
}
std::string place(const RowKind& kind, const Row& x, std::uint32_t seed) {
  return "for \"" + std::string(kind.name) + "\", " + std::to_string(x.size()) + " elements, seed " +
         std::to_string(seed);
}

TEST(Softmax, IsWithinItsBoundAndItsRowsAddUpToOne) {
  Worst error("softmax, ULP"), sum("row sum, ULP of 1");
  for_each_row([&](const RowKind& kind, const Row& x, std::uint32_t seed) {
    const Exact exact(x);
    Row y(x.size());
    act::softmax(x, y);
    Real total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      error.see(ulps(exact.softmax(x[i]), y[i]), [&] { return place(kind, x, seed); });
      total += y[i];
    }
    sum.see(static_cast<double>(std::fabs(total - 1) * 0x1p23L), [&] { return place(kind, x, seed); });
  });
  // e^x 0.56 ULP, which is at most 1.12 ULP of a quotient; sums within blocks 2^-23, at most 2; the product
  // 0.5.
  EXPECT_LE(error.error(), 3.7);
  // The roundings of the sum, 2^-23, and of the products, 2^-24.
  EXPECT_LE(sum.error(), 1.5);
}

TEST(LogSoftmax, IsWithinItsBound) {
  Worst error("log_softmax, ULP");
  for_each_row([&](const RowKind& kind, const Row& x, std::uint32_t seed) {
    const Exact exact(x);
    Row y(x.size());
    act::log_softmax(x, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] == -kInf) {
        EXPECT_EQ(y[i], -kInf);
        continue;
      }
      error.see(ulps(exact.log_softmax(x[i]), y[i]), [&] { return place(kind, x, seed); });
    }
  });
  // As above, the logarithm being no more sensitive, but two subtractions: 3.1 + 1 if all conspire.
  EXPECT_LE(error.error(), 4);
}

TEST(Softmax, GradientsAreAsGoodAsTheirTerms) {
  Worst of_softmax("softmax's gradient, 2^-24 of its terms"), of_log("log_softmax's gradient");
  for_each_row([&](const RowKind& kind, const Row& x, std::uint32_t seed) {
    const Exact exact(x);
    Numbers numbers(seed);
    Row r(x.size()), g(x.size()), h(x.size());
    for (float& v : r) v = numbers.uniform(1);
    act::softmax_gradient(x, r, g);
    act::log_softmax_gradient(x, r, h);
    Real mean = 0, size = 0, total = 0, total_size = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      mean += exact.softmax(x[i]) * r[i];
      size += exact.softmax(x[i]) * std::fabs(r[i]);
      total += r[i];
      total_size += std::fabs(r[i]);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Real y = exact.softmax(x[i]), tiny = 0x1p-149L;
      const Real terms = y * (std::fabs(r[i]) + size), log_terms = std::fabs(r[i]) + y * total_size;
      const auto error = [&](float value, Real expected, Real scale) {
        return static_cast<double>(std::fabs(value - expected) / (scale * 0x1p-24L + tiny));
      };
      of_softmax.see(error(g[i], y * (r[i] - mean), terms), [&] { return place(kind, x, seed); });
      of_log.see(error(h[i], r[i] - y * total, log_terms), [&] { return place(kind, x, seed); });
    }
  });
  // y's own error, at most 3.6, twice where all of it is in one element; the sums' 2; three roundings.
  EXPECT_LE(of_softmax.error(), 10);
  // y's error once, the sum's 2, two roundings.
  EXPECT_LE(of_log.error(), 8);
}

TEST(Softmax, TheGradientFromItsResultIsTheGradient) {
  for (const std::size_t length : {1u, 10u, 33u, 1000u, 3000u}) {
    const Row x = make_row(row_kinds()[0], 2 * length, 1), r = make_row(row_kinds()[0], 2 * length, 2);
    Row y(2 * length), expected(2 * length), g(2 * length);
    act::softmax(x, y, length);
    act::softmax_gradient(x, r, expected, length);
    act::softmax_gradient.from_result(y, r, g, length);
    EXPECT_EQ(g, expected) << length;
    act::softmax_gradient.from_result(y, r, y, length);
    EXPECT_EQ(y, expected) << length << " in place";
    Row in_place = r;
    act::softmax_gradient(x, in_place, in_place, length);
    EXPECT_EQ(in_place, expected) << length << " in its upstream's place";
  }
}

void expect_same_bits(std::span<const float> a, std::span<const float> b, const std::string& what) {
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size_bytes()), 0) << what;
}

TEST(Softmax, AlongAnotherAxisIsWithinTheSameBoundsAndBits) {
  Worst error("softmax down columns, ULP"), log_error("log_softmax, ULP"), gradient_error("gradients, 2^-24");
  const RecordGradients recording;
  for (const std::size_t length : {1u, 2u, 5u, 10u, 64u, 300u}) {
    for (const std::size_t inner : {2u, 3u, 16u, 37u, 130u}) {
      // Columns of all kinds side by side, two matrices of them.
      const auto kind_of = [&](std::size_t column) -> const RowKind& {
        return row_kinds()[(inner < 16 ? 0 : column) % row_kinds().size()];
      };
      std::vector<Row> rows;
      std::vector<double> values(2 * length * inner), upstream(values.size());
      Numbers numbers(1);
      for (double& r : upstream) r = numbers.uniform(1);
      for (std::size_t column = 0; column < 2 * inner; ++column) {
        rows.push_back(make_row(kind_of(column), length, static_cast<std::uint32_t>(column)));
        for (std::size_t i = 0; i < length; ++i)
          values[(column / inner * length + i) * inner + column % inner] = rows.back()[i];
      }
      const Shape shape{2, static_cast<std::int64_t>(length), static_cast<std::int64_t>(inner)};
      const Tensor x = Tensor::from(values, shape).astype(DType::float32);
      const Tensor r = Tensor::from(upstream, shape).astype(DType::float32);
      std::vector<float> first;
      for (const simd::Isa isa : simd::supported_isas()) {
        const simd::ScopedIsa scoped(isa);
        const Tensor y = act::softmax(x.watched(), 1), z = act::log_softmax(x.watched(), 1);
        const Tensor g = y.node()->backward(r).at(0), h = z.node()->backward(r).at(0);
        std::vector<float> all;
        for (const Tensor* t : {&y, &z, &g, &h}) {
          const Tensor plain = t->detach();
          const auto v = plain.values<float>();
          all.insert(all.end(), v.begin(), v.end());
        }
        if (first.empty()) first = all;
        expect_same_bits(first, all, "columns on " + std::string(simd::name(isa)));
      }
      const std::size_t size = values.size();
      for (std::size_t column = 0; column < 2 * inner; ++column) {
        const Row& row = rows[column];
        const Exact exact(row);
        const auto at = [&](std::size_t i) { return (column / inner * length + i) * inner + column % inner; };
        Real mean = 0, terms = 0;
        for (std::size_t i = 0; i < length; ++i) {
          mean += exact.softmax(row[i]) * static_cast<float>(upstream[at(i)]);
          terms += exact.softmax(row[i]) * std::fabs(static_cast<float>(upstream[at(i)]));
        }
        for (std::size_t i = 0; i < length; ++i) {
          const auto where = [&] { return place(kind_of(column), row, static_cast<std::uint32_t>(column)); };
          const Real p = exact.softmax(row[i]), u = static_cast<float>(upstream[at(i)]);
          error.see(ulps(p, first[at(i)]), where);
          if (row[i] != -kInf) log_error.see(ulps(exact.log_softmax(row[i]), first[size + at(i)]), where);
          const Real scale = p * (std::fabs(u) + terms) * 0x1p-24L + 0x1p-149L;
          gradient_error.see(static_cast<double>(std::fabs(first[2 * size + at(i)] - p * (u - mean)) / scale),
                             where);
        }
      }
    }
  }
  // Better than rows, whose sums within blocks are not exact.
  EXPECT_LE(error.error(), 3.7);
  EXPECT_LE(log_error.error(), 4);
  EXPECT_LE(gradient_error.error(), 10);
}

using Spans = std::function<void(std::span<const float>, std::span<float>, std::size_t)>;
struct Named {
  const char* name;
  Spans apply;
  Spans streamed;  // past the caches, as arrays longer than those are
};
template <act::detail::AxisKind kind>
void forward_streamed(std::span<const float> x, std::span<float> y, std::size_t length) {
  act::detail::forward_rows(kind, x.data(), y.data(), std::ssize(x) / static_cast<std::int64_t>(length),
                            static_cast<std::int64_t>(length), act::Stores::streamed);
}
// From softmax(x), with x as upstream.
template <auto kernel>
void gradient_streamed(std::span<const float> x, std::span<float> out, std::size_t length) {
  Row y(x.size());
  act::softmax(x, y, length);
  (act::detail::softmax_kernels().*kernel)(y.data(), x.data(), out.data(),
                                           std::ssize(x) / static_cast<std::int64_t>(length),
                                           static_cast<std::int64_t>(length), true);
}
std::vector<Named> functions() {
  using act::detail::AxisKind;
  using act::detail::SoftmaxKernels;
  return {
      {"softmax", [](auto x, auto y, std::size_t length) { act::softmax(x, y, length); },
       forward_streamed<AxisKind::softmax>},
      {"log_softmax", [](auto x, auto y, std::size_t length) { act::log_softmax(x, y, length); },
       forward_streamed<AxisKind::log_softmax>},
      {"softmax_gradient", [](auto x, auto y, std::size_t length) { act::softmax_gradient(x, x, y, length); },
       gradient_streamed<&SoftmaxKernels::softmax_gradient>},
      {"log_softmax_gradient",
       [](auto x, auto y, std::size_t length) { act::log_softmax_gradient(x, x, y, length); },
       gradient_streamed<&SoftmaxKernels::log_softmax_gradient>}};
}
TEST(Softmax, BitsDependOnTheRowAloneOnEveryInstructionSet) {
  for (const Named& f : functions()) {
    for (const std::size_t length :
         {1u, 2u, 7u, 10u, 16u, 17u, 20u, 31u, 32u, 33u, 63u, 64u, 65u, 100u, 128u, 577u, 1000u, 2049u}) {
      for (const RowKind& kind : row_kinds()) {
        const Row x = make_row(kind, length, 5);
        Row expected(length);
        f.apply(x, expected, length);
        for (const simd::Isa isa : simd::supported_isas()) {
          const simd::ScopedIsa scoped(isa);
          const std::string what =
              std::string(f.name) + " " + place(kind, x, 5) + " on " + std::string(simd::name(isa));
          Row y = x;
          f.apply(y, y, length);
          expect_same_bits(expected, y, what + " in place");
          // Among others, some of which hold NaN or are outside the usual range, and off any alignment.
          const std::size_t count = length < 200 ? 67 : 3;
          Numbers numbers(9);
          Row rows(count * length + 1), results(count * length + 1);
          for (float& v : rows) v = numbers.uniform(5);
          for (std::size_t row = 0; row < count; ++row) {
            if (row % 3 == 1)
              std::copy(x.begin(), x.end(), rows.begin() + static_cast<std::ptrdiff_t>(1 + row * length));
            if (row == 60) rows[1 + row * length] = kNaN;
            if (row == 62) rows[1 + row * length] = 1e30f;
          }
          f.apply(std::span(rows).subspan(1), std::span(results).subspan(1), length);
          for (std::size_t row = 1; row < count; row += 3)
            expect_same_bits(expected, std::span(results).subspan(1 + row * length, length),
                             what + " among others");
          Row streamed(count * length + 2, 7.0f);
          f.streamed(std::span(rows).subspan(1), std::span(streamed).subspan(1, count * length), length);
          // Which sign a NaN has is the compiler's choice of an order of operands.
          for (Row* row : {&streamed, &results})
            for (float& v : *row)
              if (std::isnan(v)) v = kNaN;
          expect_same_bits(std::span(streamed).subspan(1, count * length),
                           std::span(results).subspan(1, count * length), what + " streamed");
          EXPECT_TRUE(streamed.front() == 7 && streamed.back() == 7) << what << " streamed";
        }
      }
    }
  }
}

TEST(Softmax, OneNaNOrInfinityMakesItsRowNaNAndNoOther) {
  for (const Named& f : functions()) {
    for (const std::size_t length : {2u, 10u, 16u, 17u, 64u, 100u, 1000u}) {
      for (const float bad : {kNaN, -kNaN, kInf}) {
        for (const std::size_t at : {std::size_t{0}, length / 2, length - 1}) {
          for (const float scale : {3.0f, 150.0f}) {
            Numbers numbers(3);
            Row x(3 * length), y(3 * length);
            for (float& v : x) v = numbers.uniform(scale);
            x[length + at] = bad;
            for (const simd::Isa isa : simd::supported_isas()) {
              const simd::ScopedIsa scoped(isa);
              f.apply(x, y, length);
              for (std::size_t i = 0; i < y.size(); ++i) {
                // The gradients' upstream is the row itself, so NaN reaches all of it.
                EXPECT_EQ(std::isnan(y[i]), i / length == 1)
                    << f.name << " " << length << " " << bad << " " << at;
              }
            }
          }
        }
      }
    }
  }
}

TEST(Softmax, MaskedElementsAreExactlyZeroAndSubnormalResultsAreKept) {
  for (const std::size_t length : {2u, 10u, 40u, 300u}) {
    Row x(length, -kInf), y(length);
    x[1] = 3;
    act::softmax(x, y);
    for (std::size_t i = 0; i < length; ++i) EXPECT_EQ(y[i], i == 1 ? 1 : 0) << length;
    // In units of 2^-149: e^-100 = 26.547, e^-103.5 = 0.8017, e^-104 = 0.4862 (bc, 20 digits).
    x[0] = -97;
    act::softmax(x, y);
    EXPECT_EQ(y[0], 27 * 0x1p-149f) << length;
    x[0] = -100.5f;
    act::softmax(x, y);
    EXPECT_EQ(y[0], 0x1p-149f) << length;
    x[0] = -101;
    act::softmax(x, y);
    EXPECT_EQ(y[0], 0) << length;
  }
}

}  // namespace
}  // namespace keratin
