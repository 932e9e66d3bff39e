#include "keratin/core/dtype.h"

#include <array>
#include <bit>
#include <string>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"float64", "float32", "float16", "bfloat16",
                                                    "int32",   "int64",   "uint8",   "bool"};
constexpr std::array<std::size_t, 8> kSizes = {8, 4, 2, 2, 4, 8, 1, 1};

// Rounds a double to a float with `exponent_bits` and `mantissa_bits`, to nearest even, in integers:
// going through float32 would round twice.
std::uint16_t round_to_16(double value, int exponent_bits, int mantissa_bits) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 63) << 15);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const auto infinity = static_cast<std::uint16_t>(((1 << exponent_bits) - 1) << mantissa_bits);
  const int exponent = static_cast<int>((bits >> 52) & 0x7FF) - 1023;
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
  if (exponent == 1024) {
    const auto quiet = static_cast<std::uint16_t>(1 << (mantissa_bits - 1));
    return static_cast<std::uint16_t>(sign | infinity | (mantissa != 0 ? quiet : 0));
  }
  if (exponent > bias) return static_cast<std::uint16_t>(sign | infinity);
  const int lowest = 1 - bias;  // exponent of the smallest normal number
  // A double's own subnormals are far below half the smallest result of either format.
  if (exponent < lowest - mantissa_bits - 1) return sign;
  mantissa |= std::uint64_t{1} << 52;
  const int shift = 52 - mantissa_bits + (exponent < lowest ? lowest - exponent : 0);
  const std::uint64_t kept = mantissa >> shift;
  const std::uint64_t rest = mantissa & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  const std::uint64_t rounded = kept + (rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0);
  // The hidden bit of a normal number adds one to the exponent field; a carry does the same, up to infinity.
  const std::uint64_t field =
      exponent < lowest ? rounded
                        : rounded + (static_cast<std::uint64_t>(exponent + bias - 1) << mantissa_bits);
  return static_cast<std::uint16_t>(sign | field);
}

}  // namespace

std::string_view name(DType dtype) noexcept { return kNames[static_cast<std::size_t>(dtype)]; }

DType dtype_of(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<DType>(i);
  throw ValueError("dtype", "expects one of float64, float32, float16, bfloat16, int32, int64, uint8, bool",
                   "got \"" + std::string(name) + "\"", did_you_mean(name, kNames));
}

std::size_t size_bytes(DType dtype) noexcept { return kSizes[static_cast<std::size_t>(dtype)]; }

float16 to_float16(double value) noexcept { return {round_to_16(value, 5, 10)}; }
bfloat16 to_bfloat16(double value) noexcept { return {round_to_16(value, 8, 7)}; }

float to_float(float16 value) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000) << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1F;
  const std::uint32_t mantissa = value.bits & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

float to_float(bfloat16 value) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

}  // namespace keratin::inline v0
