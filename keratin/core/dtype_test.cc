// Dtypes: names, sizes, and the rounding of the two 16-bit floats over all their values.
#include "keratin/core/dtype.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "keratin/core/error.h"

namespace keratin {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Format {
  const char* name;
  int exponent_bits, mantissa_bits;
  double (*widen)(std::uint16_t);
  std::uint16_t (*narrow)(double);
};

constexpr Format kFormats[] = {
    {"float16", 5, 10, [](std::uint16_t bits) -> double { return to_float(float16{bits}); },
     [](double value) { return to_float16(value).bits; }},
    {"bfloat16", 8, 7, [](std::uint16_t bits) -> double { return to_float(bfloat16{bits}); },
     [](double value) { return to_bfloat16(value).bits; }},
};

// What IEEE 754 says that a pattern means.
double value_of(const Format& format, std::uint16_t bits) {
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const int exponent = (bits & 0x7FFF) >> format.mantissa_bits;
  const int mantissa = bits & ((1 << format.mantissa_bits) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << format.exponent_bits) - 1)
    return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * kInfinity;
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - format.mantissa_bits);
  return sign * std::ldexp((1 << format.mantissa_bits) + mantissa, exponent - bias - format.mantissa_bits);
}

TEST(DTypes, EveryPatternOfThe16BitFloatsWidensToItsValueAndComesBack) {
  for (const Format& format : kFormats) {
    for (unsigned i = 0; i < 65536; ++i) {
      const auto bits = static_cast<std::uint16_t>(i);
      const double expected = value_of(format, bits), value = format.widen(bits);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(value)) << format.name << " " << i;
        ASSERT_TRUE(std::isnan(value_of(format, format.narrow(value)))) << format.name << " " << i;
      } else {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(value), std::bit_cast<std::uint64_t>(expected))
            << format.name << " " << i;
        ASSERT_EQ(format.narrow(value), bits) << format.name << " " << value;
      }
    }
  }
}

// Between two neighbours: the midpoint goes to the even one, anything nearer to one of them goes there.
TEST(DTypes, RoundingTo16BitsIsToNearestEvenAtEveryHalfwayPoint) {
  for (const Format& format : kFormats) {
    const auto infinity = static_cast<unsigned>(((1 << format.exponent_bits) - 1) << format.mantissa_bits);
    for (unsigned i = 0; i < infinity; ++i) {
      const auto below = static_cast<std::uint16_t>(i), above = static_cast<std::uint16_t>(i + 1);
      const double low = value_of(format, below);
      // Above the largest number lies, for rounding, the next power of two.
      const double high =
          above == infinity ? std::ldexp(1.0, 1 << (format.exponent_bits - 1)) : value_of(format, above);
      const double middle = (low + high) / 2;  // exact: a double has the one bit more
      const std::uint16_t even = (i & 1) == 0 ? below : above;
      ASSERT_EQ(format.narrow(middle), even) << format.name << " " << middle;
      ASSERT_EQ(format.narrow(std::nextafter(middle, 0.0)), below) << format.name << " " << middle;
      ASSERT_EQ(format.narrow(std::nextafter(middle, kInfinity)), above) << format.name << " " << middle;
      ASSERT_EQ(format.narrow(-middle), even | 0x8000) << format.name << " " << -middle;
      ASSERT_EQ(format.narrow(-std::nextafter(middle, 0.0)), below | 0x8000) << format.name << " " << -middle;
    }
  }
}

TEST(DTypes, BeyondTheRangeOfThe16BitFloats) {
  EXPECT_EQ(to_float16(65519.999).bits, 0x7BFF);
  EXPECT_EQ(to_float16(65520.0).bits, 0x7C00);
  EXPECT_EQ(to_float16(-1e308).bits, 0xFC00);
  EXPECT_EQ(to_bfloat16(1e39).bits, 0x7F80);
  EXPECT_EQ(to_float16(std::numeric_limits<double>::denorm_min()).bits, 0);
  EXPECT_EQ(to_bfloat16(-std::numeric_limits<double>::denorm_min()).bits, 0x8000);
  // 1 + 2^-11 + 2^-40 lies just above a halfway point; through float32 it would round twice, down to 1.
  EXPECT_EQ(to_float16(1 + 0x1p-11 + 0x1p-40).bits, 0x3C01);
}

TEST(DTypes, NamesAndSizesAreNumpys) {
  const struct {
    DType dtype;
    const char* name;
    std::size_t size_bytes;
    bool floating;
  } rows[] = {{DType::float64, "float64", 8, true}, {DType::float32, "float32", 4, true},
              {DType::float16, "float16", 2, true}, {DType::bfloat16, "bfloat16", 2, true},
              {DType::int32, "int32", 4, false},    {DType::int64, "int64", 8, false},
              {DType::uint8, "uint8", 1, false},    {DType::boolean, "bool", 1, false}};
  for (const auto& row : rows) {
    EXPECT_EQ(name(row.dtype), row.name);
    EXPECT_EQ(size_bytes(row.dtype), row.size_bytes) << row.name;
    EXPECT_EQ(dtype_of(row.name), row.dtype);
    EXPECT_EQ(is_floating(row.dtype), row.floating) << row.name;
    const bool right = visit(row.dtype, [&](auto zero) {
      return kDType<decltype(zero)> == row.dtype && sizeof(zero) == row.size_bytes;
    });
    EXPECT_TRUE(right) << row.name;
  }
}

TEST(DTypes, AnUnknownNameProposesTheNearest) {
  try {
    dtype_of("flaot32");
    FAIL() << "accepted";
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("got \"flaot32\""));
    EXPECT_EQ(error.advice(), "Did you mean \"float32\"?");
  }
}

}  // namespace
}  // namespace keratin
