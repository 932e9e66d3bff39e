// Ops against NumPy's values in both dtypes, and what they refuse.
#include "keratin/ops/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <map>

#include "keratin/core/error.h"
#include "keratin/core/parallel.h"
#include "keratin/core/text.h"
#include "keratin/simd/dispatch.h"

namespace keratin {
namespace {

struct Row {
  std::string function;
  double ulps;
  std::vector<double> args;
  std::vector<Tensor> inputs;
  Tensor expected;  // float64
  int line;
};

// The words of one line of ops_values.txt.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  bool done() const { return rest_.empty(); }
  std::string_view next() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return word;
  }
  double number() { return parse_double(next()).value(); }
  std::vector<double> numbers(std::size_t count) {
    std::vector<double> values(count);
    for (double& value : values) value = number();
    return values;
  }
  Tensor tensor() {
    const auto sizes = numbers(static_cast<std::size_t>(number()));
    const Shape shape(std::vector<std::int64_t>(sizes.begin(), sizes.end()));
    return Tensor::from(numbers(static_cast<std::size_t>(shape.size())), shape);
  }

 private:
  std::string_view rest_;
};

std::vector<Row> numpy_rows() {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/ops/testdata/ops_values.txt");
  std::vector<Row> rows;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.starts_with('#')) continue;
    Words words(line);
    Row row;
    row.line = number;
    row.function = words.next();
    row.ulps = words.number();
    words.next();
    row.args = words.numbers(static_cast<std::size_t>(words.number()));
    while (words.next() == "in") row.inputs.push_back(words.tensor());
    row.expected = words.tensor();
    rows.push_back(std::move(row));
  }
  return rows;
}

using Inputs = std::vector<Tensor>;
using Args = std::vector<double>;

std::vector<std::int64_t> whole(const Args& args, std::size_t first = 0) {
  return {args.begin() + static_cast<std::ptrdiff_t>(first), args.end()};
}

ops::Axes axes_of(const Args& args) { return args[1] != 0 ? ops::Axes(whole(args, 2)) : ops::Axes(); }

const std::map<std::string, std::function<Tensor(const Inputs&, const Args&)>>& functions() {
  static const std::map<std::string, std::function<Tensor(const Inputs&, const Args&)>> table = {
      {"add", [](const Inputs& x, const Args&) { return x[0] + x[1]; }},
      {"subtract", [](const Inputs& x, const Args&) { return x[0] - x[1]; }},
      {"multiply", [](const Inputs& x, const Args&) { return x[0] * x[1]; }},
      {"divide", [](const Inputs& x, const Args&) { return x[0] / x[1]; }},
      {"maximum", [](const Inputs& x, const Args&) { return ops::maximum(x[0], x[1]); }},
      {"minimum", [](const Inputs& x, const Args&) { return ops::minimum(x[0], x[1]); }},
      {"equal", [](const Inputs& x, const Args&) { return ops::equal(x[0], x[1]); }},
      {"greater", [](const Inputs& x, const Args&) { return ops::greater(x[0], x[1]); }},
      {"negative", [](const Inputs& x, const Args&) { return -x[0]; }},
      {"absolute", [](const Inputs& x, const Args&) { return ops::absolute(x[0]); }},
      {"square", [](const Inputs& x, const Args&) { return ops::square(x[0]); }},
      {"sqrt", [](const Inputs& x, const Args&) { return ops::sqrt(x[0]); }},
      {"exp", [](const Inputs& x, const Args&) { return ops::exp(x[0]); }},
      {"log", [](const Inputs& x, const Args&) { return ops::log(x[0]); }},
      {"power", [](const Inputs& x, const Args& a) { return ops::power(x[0], a[0]); }},
      {"clip", [](const Inputs& x, const Args& a) { return ops::clip(x[0], a[0], a[1]); }},
      {"where",
       [](const Inputs& x, const Args&) { return ops::where(x[0].astype(DType::boolean), x[1], x[2]); }},
      {"sum", [](const Inputs& x, const Args& a) { return ops::sum(x[0], axes_of(a), a[0] != 0); }},
      {"mean", [](const Inputs& x, const Args& a) { return ops::mean(x[0], axes_of(a), a[0] != 0); }},
      {"max", [](const Inputs& x, const Args& a) { return ops::max(x[0], axes_of(a), a[0] != 0); }},
      {"argmax", [](const Inputs& x, const Args& a) { return ops::argmax(x[0], whole(a)[0]); }},
      {"matmul", [](const Inputs& x, const Args&) { return ops::matmul(x[0], x[1]); }},
      {"reshape", [](const Inputs& x, const Args& a) { return ops::reshape(x[0], Shape(whole(a))); }},
      {"transpose", [](const Inputs& x, const Args& a) { return ops::transpose(x[0], whole(a)); }},
      {"broadcast_to",
       [](const Inputs& x, const Args& a) { return ops::broadcast_to(x[0], Shape(whole(a))); }},
      {"expand_dims", [](const Inputs& x, const Args& a) { return ops::expand_dims(x[0], whole(a)[0]); }},
      {"squeeze", [](const Inputs& x, const Args& a) { return ops::squeeze(x[0], whole(a)[0]); }},
      {"slice",
       [](const Inputs& x, const Args& a) {
         const auto i = whole(a);
         return ops::slice(x[0], i[0], i[1], i[2], i[3]);
       }},
      {"concatenate", [](const Inputs& x, const Args& a) { return ops::concatenate(x, whole(a)[0]); }},
      {"take",
       [](const Inputs& x, const Args& a) {
         return ops::take(x[0], Tensor::from(whole(a), {static_cast<std::int64_t>(a.size())}));
       }},
      {"one_hot",
       [](const Inputs& x, const Args& a) {
         return ops::one_hot(x[0].astype(DType::int32), whole(a)[0], x[0].dtype());
       }},
  };
  return table;
}

// The largest difference in units in the last place of the expected value, as the dtype rounds it; NaN and
// zeros match by kind and sign.
template <class T>
double worst_ulps(const Tensor& got, const Tensor& expected) {
  const Tensor plain = got.contiguous();
  double worst = 0;
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    const T y = plain.values<T>()[static_cast<std::size_t>(i)];
    const T e = static_cast<T>(expected.values<double>()[static_cast<std::size_t>(i)]);
    if (std::isnan(e) || std::isnan(y)) {
      if (std::isnan(e) != std::isnan(y)) return std::numeric_limits<double>::infinity();
    } else if (y != e || (e == 0 && std::signbit(y) != std::signbit(e))) {
      const T ulp = std::nextafter(std::abs(e), std::numeric_limits<T>::infinity()) - std::abs(e);
      worst = std::max(
          worst, std::isfinite(ulp) && y != e
                     ? std::abs(static_cast<double>(y) - static_cast<double>(e)) / static_cast<double>(ulp)
                     : std::numeric_limits<double>::infinity());
    }
  }
  return worst;
}

// Elements three apart and the axes reversed: the same tensor, far from row-major.
Tensor strided(const Tensor& a) {
  const Tensor copy = a.transpose().clone();
  Shape wide = copy.shape().with_inserted(copy.rank(), 1);
  Tensor tripled = ops::concatenate({copy.reshape(wide), copy.reshape(wide), copy.reshape(wide)}, -1);
  return tripled.slice(-1, 1, 2).squeeze(-1).transpose();
}

// A ULP of 1 is what exp and log promise; power is the C library's in double, below 1 ULP.
TEST(Ops, GiveTheValuesOfNumPyInBothDtypesAndAnyMemoryLayout) {
  const std::vector<Row> rows = numpy_rows();
  ASSERT_GT(rows.size(), 150U);
  std::map<std::string, int> tested;
  for (const Row& row : rows) {
    ASSERT_TRUE(functions().contains(row.function)) << row.function;
    ++tested[row.function];
    for (const DType dtype : {DType::float32, DType::float64}) {
      for (const bool apart : {false, true}) {
        Inputs inputs;
        for (const Tensor& input : row.inputs)
          inputs.push_back(apart && input.rank() < Shape::kMaxRank ? strided(input.astype(dtype))
                                                                   : input.astype(dtype));
        const Tensor got = functions().at(row.function)(inputs, row.args);
        const auto where = [&] {
          return row.function + ", line " + std::to_string(row.line) + ", " + std::string(name(dtype)) +
                 (apart ? ", strided" : "");
        };
        ASSERT_EQ(got.shape(), row.expected.shape()) << where();
        const bool same_dtype = got.dtype() == dtype;
        const double worst = same_dtype && dtype == DType::float32
                                 ? worst_ulps<float>(got, row.expected)
                                 : worst_ulps<double>(got.astype(DType::float64), row.expected);
        EXPECT_LE(worst, row.ulps) << where() << "\n" << got << "\nexpected\n" << row.expected;
      }
    }
  }
  EXPECT_EQ(tested.size(), functions().size());
}

TEST(Ops, ComparisonsAndIndicesHaveTheirOwnDtypes) {
  const Tensor x = Tensor::of({1, 2});
  EXPECT_EQ(ops::equal(x, x).dtype(), DType::boolean);
  EXPECT_EQ(ops::greater(x.astype(DType::int64), x.astype(DType::int64)).dtype(), DType::boolean);
  EXPECT_EQ(ops::argmax(x).dtype(), DType::int32);
  EXPECT_EQ(ops::one_hot(Tensor::arange(3, DType::uint8), 3, DType::boolean).dtype(), DType::boolean);
  EXPECT_EQ(ops::cast(x, DType::float16).dtype(), DType::float16);
  EXPECT_EQ((x * 2.0).dtype(), DType::float32);
  EXPECT_EQ((1.0 / x.astype(DType::float64)).dtype(), DType::float64);
}

// Each term is exact in double, and so are their partial sums: one rounding is left.
TEST(Ops, SumIsRoundedOnceInFloat) {
  const std::int64_t n = 1 << 20;
  const Tensor tenths = Tensor::full({n}, 0.1F);
  EXPECT_EQ(ops::sum(tenths).item(), static_cast<float>(static_cast<double>(0.1F) * static_cast<double>(n)));
  EXPECT_EQ(ops::mean(tenths).item(), static_cast<double>(0.1F));
  const Tensor rows = Tensor::full({n / 4, 4}, 0.1F);
  EXPECT_EQ(ops::sum(rows, {{0}}).at({3}),
            static_cast<float>(static_cast<double>(0.1F) * static_cast<double>(n / 4)));
}

// Pairwise: log2(2^21 / 128) + 128/8 + 3 additions deep, far below the 2^21 of one running sum.
TEST(Ops, SumInDoubleIsPairwise) {
  const std::int64_t n = 1 << 21;
  const Tensor tenths = Tensor::full({n}, 0.1, DType::float64);
  const double exact = 0.1 * static_cast<double>(n);
  EXPECT_NEAR(ops::sum(tenths).item(), exact, 33 * std::numeric_limits<double>::epsilon() / 2 * exact);
  const double column = ops::sum(tenths.reshape({n / 2, 2}), {{0}}).at({1});
  EXPECT_NEAR(column, exact / 2, (128 + 14) * std::numeric_limits<double>::epsilon() / 2 * exact / 2);
}

TEST(Ops, SumsDoNotDependOnTheNumberOfThreads) {
  struct Restore {
    int before = num_threads();
    ~Restore() { set_num_threads(before); }
  } restore;
  // A fractional part of i·φ: numbers whose sums round.
  const std::int64_t n = 300007;
  std::vector<double> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = std::fmod(static_cast<double>(i) * 0.6180339887498949, 1.0) - 0.4;
  for (const auto& [shape, axes] : std::vector<std::pair<Shape, ops::Axes>>{{{n}, {}},
                                                                            {{n / 7, 7}, {{0}}},
                                                                            {{n / 7, 7}, {{1}}},
                                                                            {{7, n / 7}, {{0}}},
                                                                            {{10, n / 70, 7}, {{0, 2}}}}) {
    std::vector<double> part(values.begin(), values.begin() + shape.size());
    const Tensor x = Tensor::from(part, shape);
    set_num_threads(1);
    const Tensor expected = ops::sum(x, axes);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const Tensor got = ops::sum(x, axes);
      EXPECT_TRUE(std::ranges::equal(got.values<double>(), expected.values<double>())) << shape.to_string();
    }
  }
}

TEST(Ops, ExpAndLogHaveTheSameBitsOnEveryInstructionSetAndLength) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor x = (Tensor::arange(1013, dtype) - 500.0) * 0.37;
    for (Tensor (*const f)(const Tensor&) : {&ops::exp, &ops::log}) {
      const Tensor expected = f(x);
      for (const simd::Isa isa : simd::supported_isas()) {
        const simd::ScopedIsa scoped(isa);
        for (const std::int64_t begin : {0, 1, 1010}) {
          const Tensor got = f(x.slice(0, begin, 1013)), part = expected.slice(0, begin, 1013).contiguous();
          EXPECT_EQ(
              std::memcmp(got.data(), part.data(), static_cast<std::size_t>(got.size()) * size_bytes(dtype)),
              0)
              << simd::name(isa) << " from " << begin;
        }
      }
    }
  }
}

TEST(Ops, AnEmptyMeanIsNaN) { EXPECT_TRUE(std::isnan(ops::mean(Tensor::zeros({0})).item())); }

struct Refusal {
  std::string name;
  std::function<Tensor()> call;
  std::string says;
};

template <class Exception>
void expect_refusals(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    try {
      static_cast<void>(refusal.call());
      ADD_FAILURE() << refusal.name << " did not throw";
    } catch (const Exception& error) {
      EXPECT_NE(std::string(error.what()).find(refusal.says), std::string::npos)
          << refusal.name << ": " << error.what();
    }
  }
}

TEST(Ops, RefuseShapesThatDoNotFit) {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4, 3}), v = Tensor::zeros({3});
  expect_refusals<ShapeError>({
      {"add", [=] { return a + b; }, "(4, 3)"},
      {"where", [=] { return ops::where(ops::equal(a, a), b, b); }, "where"},
      {"sum axis", [=] { return ops::sum(a, {{2}}); }, "sum"},
      {"sum twice",
       [=] {
         return ops::sum(a, {{1, -1}});
       },
       "twice"},
      {"max of nothing",
       [=] {
         return ops::max(Tensor::zeros({2, 0}), {{1}});
       },
       "(2, 0)"},
      {"argmax of nothing", [=] { return ops::argmax(Tensor::zeros({0})); }, "(0,)"},
      {"argmax of a scalar", [=] { return ops::argmax(Tensor::scalar(1)); }, "argmax"},
      {"matmul", [=] { return ops::matmul(a, b); }, "(2, 3) and (4, 3)"},
      {"matmul scalar", [=] { return ops::matmul(a, Tensor::scalar(1)); }, "rank 1"},
      {"matmul batch",
       [=] {
         return ops::matmul(Tensor::zeros({2, 1, 1}), Tensor::zeros({3, 1, 1}));
       },
       "matmul"},
      {"reshape",
       [=] {
         return ops::reshape(a, {4, 2});
       },
       "(4, 2)"},
      {"transpose", [=] { return ops::transpose(a, std::vector<std::int64_t>{0}); }, "transpose"},
      {"broadcast_to", [=] { return ops::broadcast_to(a, {3}); }, "(3,)"},
      {"expand_dims", [=] { return ops::expand_dims(a, 4); }, "4"},
      {"squeeze", [=] { return ops::squeeze(a, 0); }, "(2, 3)"},
      {"concatenate",
       [=] {
         return ops::concatenate({a, b}, 1);
       },
       "(4, 3)"},
      {"concatenate ranks",
       [=] {
         return ops::concatenate({a, v}, 0);
       },
       "(3,)"},
      {"take rank",
       [=] {
         return ops::take(a, Tensor::zeros({1, 1}, DType::int32));
       },
       "(1, 1)"},
  });
}

TEST(Ops, RefuseValuesAndDtypesThatDoNotFit) {
  const Tensor a = Tensor::zeros({2}), d = Tensor::zeros({2}, DType::float64),
               i = Tensor::zeros({2}, DType::int32);
  expect_refusals<ValueError>({
      {"clip", [=] { return ops::clip(a, 2, 1); }, "low 2 and high 1"},
      {"clip NaN", [=] { return ops::clip(a, std::nan(""), 1); }, "nan"},
      {"concatenate nothing", [=] { return ops::concatenate({}, 0); }, "none"},
      {"take",
       [=] {
         return ops::take(a, Tensor::of({0, 2}, DType::int32));
       },
       "got 2 at place 1"},
      {"take below", [=] { return ops::take(a, Tensor::of({-3}, DType::int64)); }, "-3"},
      {"one_hot", [=] { return ops::one_hot(i, 0); }, "0"},
      {"slice", [=] { return ops::slice(a, 0, 0, 2, 0); }, "step"},
  });
  expect_refusals<TypeError>({
      {"add", [=] { return a + d; }, "float32 of shape (2,) and float64"},
      {"equal", [=] { return ops::equal(a, i); }, "int32"},
      {"matmul", [=] { return ops::matmul(a, d); }, "float64"},
      {"exp of integers", [=] { return ops::exp(i); }, "int32"},
      {"sum of integers", [=] { return ops::sum(i); }, "cast"},
      {"half", [=] { return ops::max(a.astype(DType::float16)); }, "float16"},
      {"half", [=] { return ops::greater(a.astype(DType::bfloat16), a.astype(DType::bfloat16)); },
       "bfloat16"},
      {"operator", [=] { return i + 1.0; }, "int32"},
      {"where", [=] { return ops::where(i, a, a); }, "bool"},
      {"take", [=] { return ops::take(a, d); }, "indices"},
      {"one_hot", [=] { return ops::one_hot(a, 3); }, "indices"},
      {"concatenate",
       [=] {
         return ops::concatenate({a, d}, 0);
       },
       "float64"},
  });
  expect_refusals<StateError>({
      {"add", [=] { return a + Tensor(); }, "undefined"},
      {"exp", [=] { return ops::exp(Tensor()); }, "undefined"},
      {"reshape", [=] { return ops::reshape(Tensor(), {1}); }, "undefined"},
      {"matmul", [=] { return ops::matmul(Tensor(), a); }, "undefined"},
  });
}

TEST(Ops, RecordThemselvesOnlyWhereAGradientIsWanted) {
  const Tensor x = Tensor::of({1, 2}), w = x.watched();
  EXPECT_EQ((w * w).node(), nullptr);
  const RecordGradients recording;
  EXPECT_EQ((x * x).node(), nullptr);
  EXPECT_NE((x * w).node(), nullptr);
  EXPECT_EQ(ops::greater(x, w).node(), nullptr);
  EXPECT_EQ(ops::argmax(w).node(), nullptr);
  EXPECT_EQ(ops::cast(w, DType::int32).node(), nullptr);
  const Tensor y = ops::exp(w);
  EXPECT_EQ(y.node()->operation, "exp");
  EXPECT_EQ(y.node().use_count(), 1) << "a node that owns its result is never freed";
}

// A column against a row: every pair of −1, 0, NaN. IEEE 754: NaN is unordered and unequal, even to itself.
TEST(Ops, ComparisonsAreIeeesAndBroadcast) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<Tensor (*)(const Tensor&, const Tensor&), std::vector<bool>> rows[] = {
      {ops::equal, {1, 0, 0, 0, 1, 0, 0, 0, 0}},   {ops::not_equal, {0, 1, 1, 1, 0, 1, 1, 1, 1}},
      {ops::greater, {0, 0, 0, 1, 0, 0, 0, 0, 0}}, {ops::greater_equal, {1, 0, 0, 1, 1, 0, 0, 0, 0}},
      {ops::less, {0, 1, 0, 0, 0, 0, 0, 0, 0}},    {ops::less_equal, {1, 1, 0, 0, 1, 0, 0, 0, 0}},
  };
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor row = Tensor::of({-1, 0, nan}, dtype), column = row.reshape({3, 1});
    for (const auto& [compare, expected] : rows) {
      const Tensor got = compare(column, row);
      EXPECT_EQ(got.dtype(), DType::boolean);
      EXPECT_EQ(got.shape(), Shape({3, 3}));
      const Tensor numbers = got.astype(DType::float32);
      for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_EQ(numbers.values<float>()[i] != 0, expected[i]) << "at " << i;
      }
    }
  }
}

TEST(Ops, LogicalOperationsTakeBoolsAlone) {
  const Tensor a = ops::greater(Tensor::of({0, 0, 1, 1}), Tensor::of({0.5})),
               b = ops::greater(Tensor::of({0, 1, 0, 1}), Tensor::of({0.5}));
  const auto numbers = [](const Tensor& t) {
    const Tensor floats = t.astype(DType::float32);
    return std::vector<float>(floats.values<float>().begin(), floats.values<float>().end());
  };
  EXPECT_EQ(numbers(ops::logical_and(a, b)), (std::vector<float>{0, 0, 0, 1}));
  EXPECT_EQ(numbers(ops::logical_or(a, b)), (std::vector<float>{0, 1, 1, 1}));
  EXPECT_EQ(numbers(ops::logical_not(a)), (std::vector<float>{1, 1, 0, 0}));
  const Tensor floats = Tensor::of({0, 1, 0, 1});
  EXPECT_THROW(ops::logical_not(floats), TypeError);
  EXPECT_THROW(ops::logical_and(floats, b), TypeError);
  EXPECT_THROW(ops::logical_or(a, floats), TypeError);
}

}  // namespace
}  // namespace keratin
