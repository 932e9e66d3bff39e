// Printing tensors exactly as NumPy's str() prints arrays (its default print options, NumPy 2.3 and later).
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <ostream>

#include "keratin/core/float_env.h"
#include "keratin/core/text.h"
#include "keratin/tensor/strided.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {
namespace {

constexpr int kPrecision = 8;              // most digits after the point
constexpr std::int64_t kThreshold = 1000;  // more elements than this, and the middle is left out
constexpr std::int64_t kEdge = 3;          // elements kept at each end then
constexpr std::size_t kLineWidth = 75;

// A finite number's decimal digits, the point after the first: "125", 1 is 12.5.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;

  std::string sign() const { return negative ? "-" : ""; }
};

Decimal read_scientific(std::string_view text) {
  Decimal decimal;
  decimal.negative = text.starts_with('-');
  if (decimal.negative) text.remove_prefix(1);
  const auto e = text.find('e');
  for (const char c : text.substr(0, e))
    if (c != '.') decimal.digits += c;
  decimal.exponent = static_cast<int>(parse_int(text.substr(e + 1)).value_or(0));
  return decimal;
}

template <class T>
Decimal scientific(T value, int precision) {
  char buffer[64];
  const auto end =
      precision < 0
          ? std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr
          : std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific, precision)
                .ptr;
  return read_scientific({buffer, end});
}

// The fewest digits that no other number of the type shares.
Decimal shortest(double value) { return scientific(value, -1); }
Decimal shortest(float value) { return scientific(value, -1); }
Decimal shortest(float16 value) {
  char buffer[64];
  for (int precision = 0;; ++precision) {
    const double exact = to_float(value);
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, exact, std::chars_format::scientific, precision).ptr;
    const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    // Five digits tell any two of them apart.
    if (precision >= 5 || to_float16(parse_double(text).value_or(0)).bits == value.bits)
      return read_scientific(text);
  }
}

struct Parts {
  std::string left, right;  // of the point
};

void trim_zeros(std::string& digits) { digits.erase(digits.find_last_not_of('0') + 1); }

// 12.5 as "12" and "5": the shortest digits, cut to `most` after the point where those are more.
template <class T>
Parts positional(T value, int most) {
  Decimal decimal = shortest(value);
  const auto count = static_cast<int>(decimal.digits.size());
  Parts parts;
  if (count - 1 - decimal.exponent > most) {
    char buffer[512];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, detail::to_double(value),
                                   std::chars_format::fixed, most)
                         .ptr;
    const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    const auto point = text.find('.');
    parts = {std::string(text.substr(0, point)), std::string(text.substr(point + 1))};
  } else if (decimal.exponent >= 0) {
    const auto whole = static_cast<std::size_t>(decimal.exponent) + 1;
    if (decimal.digits.size() < whole) decimal.digits.resize(whole, '0');
    parts = {decimal.sign().append(decimal.digits, 0, whole), decimal.digits.substr(whole)};
  } else {
    parts = {decimal.negative ? "-0" : "0",
             std::string(static_cast<std::size_t>(-decimal.exponent - 1), '0') + decimal.digits};
  }
  trim_zeros(parts.right);
  return parts;
}

std::string exponent_text(int exponent, std::size_t width) {
  std::string digits = std::to_string(std::abs(exponent));
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return std::string(exponent < 0 ? "e-" : "e+").append(digits);
}

// As str() of a NumPy scalar: every digit that matters.
template <class T>
std::string float_text(T value) {
  const double wide = detail::to_double(value);
  if (std::isnan(wide)) return "nan";
  if (std::isinf(wide)) return wide < 0 ? "-inf" : "inf";
  const double cutoff = sizeof(T) == 8 ? 1e16 : sizeof(T) == 4 ? 1e6 : 1e3;
  if (wide == 0 || (std::abs(wide) >= 1e-4 && std::abs(wide) < cutoff)) {
    const Parts parts = positional(value, std::numeric_limits<int>::max());
    return parts.left + "." + (parts.right.empty() ? "0" : parts.right);
  }
  Decimal decimal = shortest(value);
  trim_zeros(decimal.digits);
  std::string text = decimal.sign().append(decimal.digits, 0, 1);
  if (decimal.digits.size() > 1) text.append(".").append(decimal.digits, 1);
  return text + exponent_text(decimal.exponent, 2);
}

template <class T>
std::string scalar_text(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "True" : "False";
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else {
    return float_text(value);
  }
}

// NumPy divides and compares in the array's own dtype.
double in_dtype(double value, DType dtype) {
  if (dtype == DType::float16) return to_float(to_float16(value));
  return dtype == DType::float64 ? value : static_cast<double>(static_cast<float>(value));
}

bool wants_exponents(const std::vector<double>& finite, DType dtype) {
  double largest = 0, smallest = std::numeric_limits<double>::infinity();
  for (const double value : finite) {
    if (value == 0) continue;
    largest = std::max(largest, std::abs(value));
    smallest = std::min(smallest, std::abs(value));
  }
  if (largest == 0) return false;
  // The digits a dtype holds: beyond them whole numbers are no longer exact.
  const double cutoff = dtype == DType::float64 ? 1e8 : dtype == DType::float16 ? 1e3 : 1e6;
  return largest >= cutoff || smallest < in_dtype(1e-4, dtype) || in_dtype(largest / smallest, dtype) > 1000;
}

// Pads every word to the same place of the point, `left` before it and `right` after it.
struct Layout {
  std::size_t left = 0, right = 0;

  std::string not_finite(double value) const {
    const std::string_view text = std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    return std::string(std::max(left + right + 1, text.size()) - text.size(), ' ').append(text);
  }
  void make_room(const std::vector<double>& values) {
    std::size_t longest = 0;
    for (const double value : values)
      if (!std::isfinite(value)) longest = std::max<std::size_t>(longest, value < 0 ? 4 : 3);
    if (longest > right + 1) left = std::max(left, longest - right - 1);
  }
};

// Exponents: one number of digits after the point for all.
template <class T>
std::vector<std::string> scientific_words(const std::vector<T>& values, const std::vector<double>& wide) {
  std::size_t digits = 0, exponent_width = 2;
  Layout layout;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(wide[i])) continue;
    Decimal decimal = shortest(values[i]);
    if (decimal.digits.size() > kPrecision + 1) decimal = scientific(wide[i], kPrecision);
    trim_zeros(decimal.digits);
    digits = std::max(digits, std::max<std::size_t>(decimal.digits.size(), 1) - 1);
    exponent_width = std::max(exponent_width, std::to_string(std::abs(decimal.exponent)).size());
    layout.left = std::max<std::size_t>(layout.left, decimal.negative ? 2 : 1);
  }
  layout.right = exponent_width + 2 + digits;
  layout.make_room(wide);
  std::vector<std::string> words;
  for (const double value : wide) {
    if (!std::isfinite(value)) {
      words.push_back(layout.not_finite(value));
      continue;
    }
    const Decimal decimal = scientific(value, static_cast<int>(digits));
    std::string word(layout.left - (decimal.negative ? 2 : 1), ' ');
    word.append(decimal.sign()).append(decimal.digits, 0, 1).append(".").append(decimal.digits, 1);
    words.push_back(word.append(exponent_text(decimal.exponent, exponent_width)));
  }
  return words;
}

template <class T>
std::vector<std::string> positional_words(const std::vector<T>& values, const std::vector<double>& wide) {
  std::vector<Parts> parts(values.size());
  Layout layout;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(wide[i])) continue;
    parts[i] = positional(values[i], kPrecision);
    layout.left = std::max(layout.left, parts[i].left.size());
    layout.right = std::max(layout.right, parts[i].right.size());
  }
  layout.make_room(wide);
  std::vector<std::string> words;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(wide[i])) {
      words.push_back(layout.not_finite(wide[i]));
      continue;
    }
    std::string word(layout.left - parts[i].left.size(), ' ');
    word += parts[i].left + "." + parts[i].right;
    words.push_back(word.append(layout.right - parts[i].right.size(), ' '));
  }
  return words;
}

template <class T>
std::vector<std::string> words_of(const std::vector<T>& values, DType dtype) {
  std::vector<std::string> words;
  if constexpr (std::is_same_v<T, bool>) {
    for (const bool value : values) words.emplace_back(value ? " True" : "False");
  } else if constexpr (std::is_integral_v<T>) {
    std::size_t width = 0;
    for (const T value : values) width = std::max(width, std::to_string(value).size());
    for (const T value : values) {
      const std::string text = std::to_string(value);
      words.push_back(std::string(width - text.size(), ' ') + text);
    }
  } else {
    std::vector<double> wide, finite;
    for (const T value : values) wide.push_back(detail::to_double(value));
    std::copy_if(wide.begin(), wide.end(), std::back_inserter(finite),
                 [](double value) { return std::isfinite(value); });
    return wants_exponents(finite, dtype) ? scientific_words(values, wide) : positional_words(values, wide);
  }
  return words;
}

// Lays words out in nested brackets, breaking rows that are wider than a line.
class Brackets {
 public:
  Brackets(const Tensor& tensor) : tensor_(tensor), summary_(tensor.size() > kThreshold) {}

  bool skips(std::int64_t size) const { return summary_ && size > 2 * kEdge; }

  // Calls visit(offset) for each element that is shown, in order.
  template <class Visit>
  void each_shown(const Visit& visit, std::size_t axis = 0, std::int64_t offset = 0) const {
    if (axis == tensor_.rank()) return visit(offset);
    const std::int64_t size = tensor_.shape()[axis];
    for (std::int64_t i = 0; i < size; ++i) {
      if (skips(size) && i == kEdge) i = size - kEdge;
      each_shown(visit, axis + 1, offset + i * tensor_.strides()[axis]);
    }
  }

  std::string join(const std::vector<std::string>& words) {
    word_ = words.begin();
    return part(0);
  }

 private:
  std::string part(std::size_t axis) {
    const std::string indent(axis + 1, ' ');
    const std::string text = axis + 1 == tensor_.rank() ? row(axis, indent) : rows(axis, indent);
    return std::string(1, '[').append(text, indent.size()).append("]");
  }

  std::string row(std::size_t axis, const std::string& indent) {
    // Room for the closing brackets of this axis and of those outside.
    const std::size_t width = kLineWidth - axis - 1;
    const std::int64_t size = tensor_.shape()[axis];
    std::string text, line = indent;
    const auto extend = [&](const std::string& word) {
      if (line.size() + word.size() > width && line.size() > indent.size()) {
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
        line = indent;
      }
      line += word;
    };
    for (std::int64_t i = 0; i < size; ++i) {
      if (skips(size) && i == kEdge) {
        extend("...");
        line += ' ';
        i = size - kEdge;
      }
      extend(*word_++);
      if (i + 1 < size) line += ' ';
    }
    return text + line;
  }

  std::string rows(std::size_t axis, const std::string& indent) {
    const std::int64_t size = tensor_.shape()[axis];
    const std::string separator(tensor_.rank() - axis - 1, '\n');
    std::string text;
    for (std::int64_t i = 0; i < size; ++i) {
      if (skips(size) && i == kEdge) {
        text += indent + "..." + separator;
        i = size - kEdge;
      }
      text += indent + part(axis + 1);
      if (i + 1 < size) text += separator;
    }
    return text;
  }

  const Tensor& tensor_;
  bool summary_;
  std::vector<std::string>::const_iterator word_;
};

}  // namespace

std::string Tensor::to_string() const {
  if (!is_defined()) return "<undefined>";
  const FloatEnvironment environment;
  if (rank() > 0 && size() == 0) return "[]";
  return visit(dtype_, [&](auto zero) -> std::string {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bfloat16>) {
      return astype(DType::float32).to_string();  // NumPy has none
    } else {
      const auto* elements = static_cast<const T*>(data());
      if (rank() == 0) return scalar_text(*elements);
      std::vector<T> shown;
      Brackets brackets(*this);
      brackets.each_shown([&](std::int64_t offset) { shown.push_back(elements[offset]); });
      return brackets.join(words_of(shown, dtype_));
    }
  });
}

std::ostream& operator<<(std::ostream& stream, const Tensor& tensor) { return stream << tensor.to_string(); }

}  // namespace keratin::inline v0
