// An independent witness of what activations compute: their textbook formula, read as text and evaluated with
// MPFR in as many digits as it takes. It shares nothing with the kernels but the formula.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keratin::accuracy {

/// A number of a formula: name and value.
using Names = std::vector<std::pair<std::string, double>>;

/// How a computed number compares with the exact one.
struct Judgement {
  /// |got - exact| / ulp(exact); infinity counts as the power of two after the largest number. NaN: infinite.
  double ulp = 0;
  bool correctly_rounded = false;
  /// The exact result, rounded once.
  double expected = 0;
};

/// A binary floating-point type: a finite number is below 2^max_exponent, a normal one at least
/// 2^(min_exponent - 1). As std::numeric_limits has it.
struct Format {
  int digits, min_exponent, max_exponent;
};

class Oracle {
 public:
  /// Whether MPFR was there when this was built. Without it the constructor throws std::logic_error.
  static bool available();
  /// formula and derivative (empty: differentiate the formula) over x and the names; std::invalid_argument or
  /// ValueError if one cannot be read. The language: activations::Info.
  Oracle(std::string_view formula, std::string_view derivative, const Names& names);
  ~Oracle();
  Oracle(Oracle&&) noexcept;
  Oracle& operator=(Oracle&&) noexcept;

  /// Judges results for one finite x.
  Judgement value(double x, float got);
  Judgement value(double x, double got);
  Judgement derivative(double x, float got);
  Judgement derivative(double x, double got);
  /// The same for a number of that format.
  Judgement judge(double x, bool slope, double got, const Format& format);
  /// Whether the exact value (or slope) is within error of value.
  bool within(double x, bool slope, long double value, long double error);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keratin::accuracy
