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

class Oracle {
 public:
  /// Whether MPFR was there when this was built. Without it the constructor throws std::logic_error.
  static bool available();
  /// formula and derivative (empty: differentiate the formula) over x and the names; std::invalid_argument if
  /// one cannot be read. The language: activations::Info.
  Oracle(std::string_view formula, std::string_view derivative, const Names& names);
  ~Oracle();
  Oracle(Oracle&&) noexcept;
  Oracle& operator=(Oracle&&) noexcept;

  /// Judges results for one finite x.
  Judgement value(double x, float got);
  Judgement value(double x, double got);
  Judgement derivative(double x, float got);
  Judgement derivative(double x, double got);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keratin::accuracy
