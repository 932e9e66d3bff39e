#include "keratin/layers/initializers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/core/parallel.h"
#include "keratin/layers/orthogonal.h"

namespace keratin {
namespace {

using namespace initializers;
using ::testing::HasSubstr;

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.astype(DType::float64);
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

struct Moments {
  double mean = 0, stddev = 0, smallest = 0, largest = 0;
};

Moments moments_of(const Tensor& tensor) {
  const std::vector<double> values = values_of(tensor);
  Moments m{0, 0, values[0], values[0]};
  for (const double x : values) {
    m.mean += x / static_cast<double>(values.size());
    m.smallest = std::min(m.smallest, x);
    m.largest = std::max(m.largest, x);
  }
  for (const double x : values) m.stddev += (x - m.mean) * (x - m.mean) / static_cast<double>(values.size());
  m.stddev = std::sqrt(m.stddev);
  return m;
}

// What Keras 3.15's compute_fans gave for each shape.
TEST(Initializers, FansAreThoseOfKeras) {
  struct Row {
    Shape shape;
    double in, out;
  };
  const Row rows[] = {{{}, 1, 1},
                      {{7}, 7, 7},
                      {{64, 10}, 64, 10},
                      {{3, 5, 7}, 15, 21},
                      {{3, 3, 16, 32}, 144, 288},
                      {{2, 3, 4, 5, 6}, 120, 144}};
  for (const Row& row : rows) {
    const detail::Fans fans = detail::compute_fans(row.shape);
    EXPECT_EQ(fans.in, row.in) << row.shape.to_string();
    EXPECT_EQ(fans.out, row.out) << row.shape.to_string();
  }
  const detail::Fans fans =
      detail::compute_fans({3, 5, 7}, std::vector<std::int64_t>{0}, std::vector<std::int64_t>{1, -1});
  EXPECT_EQ(fans.in, 3);
  EXPECT_EQ(fans.out, 35);
}

TEST(Initializers, TheVarianceIsScaleOverFan) {
  struct Row {
    const char* name;
    double scale, fan;
    bool is_uniform;
  };
  // Shape (300, 500): in 300, out 500, average 400.
  const Row rows[] = {{"glorot_uniform", 1, 400, true}, {"glorot_normal", 1, 400, false},
                      {"he_uniform", 2, 300, true},     {"he_normal", 2, 300, false},
                      {"lecun_uniform", 1, 300, true},  {"lecun_normal", 1, 300, false}};
  set_random_seed(11);
  for (const Row& row : rows) {
    const Moments m = moments_of(Initializer(row.name)({300, 500}));
    const double stddev = std::sqrt(row.scale / row.fan);
    // 150,000 draws: the mean's standard error is stddev/387; that of stddev at most stddev/547. Six of them.
    EXPECT_NEAR(m.mean, 0, 6 * stddev / 387) << row.name;
    EXPECT_NEAR(m.stddev, stddev, 6 * stddev / 547) << row.name;
    // Uniform ends at √3 deviations; the truncated normal, widened by 1/0.8796 to keep its variance,
    // at 2.2737.
    const double limit = stddev * (row.is_uniform ? std::sqrt(3.0) : 2 / 0.87962566103423978);
    EXPECT_LE(m.largest, limit * (1 + 1e-7)) << row.name;
    EXPECT_GE(m.largest, 0.99 * limit) << row.name;
    EXPECT_GE(m.smallest, -limit * (1 + 1e-7)) << row.name;
    EXPECT_LE(m.smallest, -0.99 * limit) << row.name;
  }
}

TEST(Initializers, UntruncatedAndPlainDrawsHaveTheirMoments) {
  set_random_seed(12);
  struct Row {
    Initializer initializer;
    double mean, stddev, limit;
  };
  const Row rows[] = {
      {VarianceScaling{.distribution = "untruncated_normal"}, 0, std::sqrt(1.0 / 300), 1e9},
      {RandomNormal{.mean = 2, .stddev = 0.5}, 2, 0.5, 1e9},
      {RandomUniform{.minval = -1, .maxval = 3}, 1, 4 / std::sqrt(12.0), 2},
      {TruncatedNormal{.mean = -1, .stddev = 3}, -1, 3 * 0.87962566103423978, 6},
      {"uniform", 0, 0.1 / std::sqrt(12.0), 0.05},
      {"normal", 0, 0.05, 1e9},
  };
  for (const Row& row : rows) {
    const Moments m = moments_of(row.initializer({300, 500}, DType::float64));
    // Standard errors as above; a normal's stddev has stddev/√(2n) = stddev/547.
    EXPECT_NEAR(m.mean, row.mean, 6 * row.stddev / 387);
    EXPECT_NEAR(m.stddev, row.stddev, 6 * row.stddev / 547);
    EXPECT_LE(m.largest, row.mean + row.limit);
    EXPECT_GE(m.smallest, row.mean - row.limit);
  }
}

TEST(Initializers, ASeedGivesTheSameBitsWhateverTheNumberOfThreads) {
  const int threads = num_threads();
  for (const Initializer& initializer :
       {Initializer(GlorotUniform{.seed = 5}), Initializer(HeNormal{.seed = 5}),
        Initializer(Orthogonal{.seed = 5}), Initializer(RandomNormal{.seed = -1}),
        Initializer(RandomUniform{.seed = 5})}) {
    for (const DType dtype : {DType::float32, DType::float64}) {
      set_num_threads(1);
      const std::vector<double> one = values_of(initializer({150, 170}, dtype));
      set_num_threads(3);
      EXPECT_EQ(values_of(initializer({150, 170}, dtype)), one);
    }
  }
  set_num_threads(threads);
}

TEST(Initializers, WithoutASeedEachCallDrawsAnewUnderSetRandomSeed) {
  const Initializer initializer = "he_normal";
  set_random_seed(3);
  const std::vector<double> first = values_of(initializer({4, 5})), second = values_of(initializer({4, 5}));
  EXPECT_NE(first, second);
  set_random_seed(3);
  EXPECT_EQ(values_of(initializer({4, 5})), first);
  EXPECT_EQ(values_of(initializer({4, 5})), second);
  const Initializer seeded = HeNormal{.seed = 9};
  EXPECT_EQ(values_of(seeded({4, 5})), values_of(seeded({4, 5})));
}

TEST(Initializers, ConstantsAndIdentityAreExact) {
  EXPECT_EQ(values_of(Initializer("zeros")({2, 2})), (std::vector<double>{0, 0, 0, 0}));
  EXPECT_EQ(values_of(Initializer("one")({3})), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(values_of(Initializer(Constant{0.25})({2}, DType::float64)), (std::vector<double>{0.25, 0.25}));
  EXPECT_EQ(values_of(Initializer(Identity{2})({2, 3})), (std::vector<double>{2, 0, 0, 0, 2, 0}));
  EXPECT_THROW(Initializer("identity")({3}), ShapeError);
  EXPECT_EQ(Initializer("he_normal")({0, 4}).size(), 0);
}

TEST(Initializers, OrthogonalRowsOrColumnsAreOrthonormal) {
  for (const Shape& shape :
       {Shape{5, 5}, Shape{30, 7}, Shape{7, 30}, Shape{3, 4, 6}, Shape{1, 4}, Shape{4, 1}}) {
    const double gain = 1.5;
    const std::vector<double> w = values_of(Initializer(Orthogonal{gain, 3})(shape, DType::float64));
    const std::int64_t columns = shape.back(), rows = shape.size() / columns;
    const bool by_rows = rows < columns;
    const std::int64_t count = std::min(rows, columns), length = std::max(rows, columns);
    const auto at = [&](std::int64_t vector, std::int64_t i) {
      return w[static_cast<std::size_t>(by_rows ? vector * columns + i : i * columns + vector)];
    };
    double worst = 0;
    for (std::int64_t a = 0; a < count; ++a) {
      for (std::int64_t b = 0; b < count; ++b) {
        double product = 0;
        for (std::int64_t i = 0; i < length; ++i) product += at(a, i) * at(b, i);
        worst = std::max(worst, std::abs(product / (gain * gain) - (a == b)));
      }
    }
    // Householder's Q is orthonormal to a few n·ε; 30·2.2e-16 = 7e-15.
    EXPECT_LE(worst, 7e-15) << shape.to_string();
  }
  EXPECT_THROW(Initializer("orthogonal")({5}), ShapeError);
}

// QR with a positive diagonal of R is unique, so QᵀA must be upper triangular with one.
TEST(Initializers, TheOrthogonalFactorIsTheUniqueOne) {
  const RandomKey key{1, 2};
  const std::int64_t m = 12, n = 9;
  detail::Columns a{m, n, std::vector<double>(static_cast<std::size_t>(m * n))};
  fill_normal(std::span(a.values), key, 0, 1);
  const detail::Columns q = detail::random_orthonormal(m, n, key);
  double norm = 0;
  for (const double x : a.values) norm += x * x;
  // Backward error of Householder QR: a small multiple of n·ε·‖A‖.
  const double tolerance = static_cast<double>(n) * 4.5e-16 * std::sqrt(norm);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double r = 0;
      for (std::int64_t k = 0; k < m; ++k) r += q.column(i)[k] * a.column(j)[k];
      if (i == j) {
        EXPECT_GT(r, 0);
      } else if (i > j) {
        EXPECT_NEAR(r, 0, tolerance) << i << ", " << j;
      }
    }
  }
}

// The texts on the right are what Keras wrote: 3.15.1 (second) and tf-keras 2.21 (third).
struct Written {
  Initializer initializer;
  const char *keras3, *keras2;
};

const std::vector<Written>& written() {
  static const std::vector<Written> rows = {
      {"Zeros",
       R"({"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null})"},
      {"GlorotUniform",
       R"({"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null, "input_axes": null, "output_axes": null}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null}, "registered_name": null})"},
      {"lecun_normal",
       R"({"module": "keras.initializers", "class_name": "LecunNormal", "config": {"seed": null, "input_axes": null, "output_axes": null}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "LecunNormal", "config": {"seed": null}, "registered_name": null})"},
      {"random_uniform",
       R"({"module": "keras.initializers", "class_name": "RandomUniform", "config": {"seed": null, "minval": -0.05, "maxval": 0.05}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05, "seed": null}, "registered_name": null})"},
      {"orthogonal",
       R"({"module": "keras.initializers", "class_name": "Orthogonal", "config": {"seed": null, "gain": 1.0}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "Orthogonal", "config": {"gain": 1.0, "seed": null}, "registered_name": null})"},
      {"variance_scaling",
       R"({"module": "keras.initializers", "class_name": "VarianceScaling", "config": {"seed": null, "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "input_axes": null, "output_axes": null}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "seed": null}, "registered_name": null})"},
      {"truncated_normal",
       R"({"module": "keras.initializers", "class_name": "TruncatedNormal", "config": {"seed": null, "mean": 0.0, "stddev": 0.05}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "TruncatedNormal", "config": {"mean": 0.0, "stddev": 0.05, "seed": null}, "registered_name": null})"},
      {"constant",
       R"({"module": "keras.initializers", "class_name": "Constant", "config": {"value": 0.0}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "Constant", "config": {"value": 0.0}, "registered_name": null})"},
      {"identity",
       R"({"module": "keras.initializers", "class_name": "Identity", "config": {}, "registered_name": null})",
       R"({"module": "keras.initializers", "class_name": "Identity", "config": {"gain": 1.0}, "registered_name": null})"},
  };
  return rows;
}

TEST(Initializers, AreWrittenAsKerasWritesThem) {
  for (const Written& row : written()) {
    EXPECT_EQ(row.initializer.serialize(Generation::keras3).dump(), Config::parse(row.keras3).dump());
    EXPECT_EQ(row.initializer.serialize(Generation::keras2).dump(), Config::parse(row.keras2).dump());
  }
}

TEST(Initializers, AreReadBackWithTheirArguments) {
  for (const Written& row : written()) {
    EXPECT_EQ(deserialize(Config::parse(row.keras3)).serialize(), Config::parse(row.keras3));
    EXPECT_EQ(deserialize(Config::parse(row.keras2), Generation::keras2).serialize(Generation::keras2),
              Config::parse(row.keras2));
  }
  const Initializer all = VarianceScaling{2, "fan_out", "uniform", 7, {{0}}, {{1, 2}}};
  EXPECT_EQ(deserialize(all.serialize()).serialize(), all.serialize());
  const auto kind = std::get<Constant>(
      deserialize(Config::parse(R"({"class_name": "Constant", "config": {"value": 3}})")).kind());
  EXPECT_EQ(kind.value, 3);
  const auto seeded = std::get<HeNormal>(
      deserialize(Config::parse(R"({"class_name": "HeNormal", "config": {"seed": {"module": "keras.random",
                                    "class_name": "SeedGenerator", "config": {"name": "g", "seed": 42}}}})"))
          .kind());
  EXPECT_EQ(seeded.seed, 42);
  EXPECT_TRUE(
      std::holds_alternative<GlorotUniform>(deserialize("GlorotUniformV2", Generation::keras2).kind()));
}

TEST(Initializers, EveryNameAndAliasIsKnown) {
  const std::pair<const char*, const char*> names[] = {{"zeros", "Zeros"},
                                                       {"zero", "Zeros"},
                                                       {"ones", "Ones"},
                                                       {"uniform", "RandomUniform"},
                                                       {"normal", "RandomNormal"},
                                                       {"glorot_normal", "GlorotNormal"},
                                                       {"he_normal", "HeNormal"},
                                                       {"he_uniform", "HeUniform"},
                                                       {"lecun_uniform", "LecunUniform"},
                                                       {"LecunNormal", "LecunNormal"},
                                                       {"random_normal", "RandomNormal"},
                                                       {"Identity", "Identity"},
                                                       {"OrthogonalInitializer", "Orthogonal"}};
  for (const auto& [name, class_name] : names) {
    EXPECT_EQ(Initializer(name).serialize()["class_name"], class_name) << name;
  }
}

TEST(Initializers, MistakesNameTheValueAndTheWayOut) {
  EXPECT_THAT(message_of<ValueError>([] { Initializer("glorott"); }), HasSubstr("\"glorott\""));
  EXPECT_THAT(message_of<ValueError>([] { Initializer("hee_normal"); }),
              HasSubstr("Did you mean \"HeNormal\"?"));
  EXPECT_THAT(message_of<ValueError>([] { Initializer(VarianceScaling{.scale = 0}); }), HasSubstr("scale=0"));
  EXPECT_THAT(message_of<ValueError>([] { Initializer(VarianceScaling{.mode = "fan_on"}); }),
              HasSubstr("mode=\"fan_on\""));
  EXPECT_THAT(message_of<ValueError>([] { Initializer(VarianceScaling{.distribution = "gauss"}); }),
              HasSubstr("\"gauss\""));
  EXPECT_THAT(message_of<ValueError>([] { Initializer(RandomNormal{.stddev = -1}); }),
              HasSubstr("stddev=-1"));
  EXPECT_THAT(message_of<ValueError>([] {
                Initializer(RandomUniform{1, 0});
              }),
              HasSubstr("minval=1, maxval=0"));
  EXPECT_THAT(message_of<ValueError>([] { deserialize(3.5); }), HasSubstr("3.5"));
  EXPECT_THAT(message_of<ValueError>(
                  [] { deserialize(Config::parse(R"({"class_name": "HeNormal", "config": {"sed": 3}})")); }),
              HasSubstr("HeNormal config: only keys that this class has, received \"sed\": 3"));
  EXPECT_THAT(message_of<ValueError>([] {
                deserialize(Config::parse(R"({"class_name": "HeNormal", "config": {"seed": "a"}})"));
              }),
              HasSubstr("\"seed\" is an integer, received \"a\""));
  EXPECT_THROW(Initializer("zeros")({2}, DType::int32), TypeError);
}

TEST(Initializers, AFunctionOfTheUsersIsCheckedAndNotSaved) {
  const Initializer twos = [](const Shape& shape, DType dtype) { return Tensor::full(shape, 2, dtype); };
  EXPECT_EQ(values_of(twos({2})), (std::vector<double>{2, 2}));
  EXPECT_THROW(twos.serialize(), ValueError);
  const Initializer wrong = [](const Shape&, DType dtype) { return Tensor::full({3}, 2, dtype); };
  EXPECT_THROW(wrong({2}), ShapeError);
}

}  // namespace
}  // namespace keratin
