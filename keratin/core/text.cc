#include "keratin/core/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "keratin/core/float_env.h"

namespace keratin::inline v0 {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name)
    if (is_upper(c) || is_lower(c) || is_digit(c)) letters += lower(c);
  return letters;
}

// Damerau's distance with adjacent transpositions: "tahn" is one step from "tanh".
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before[j - 2] + 1);
    }
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

// from_chars takes no plus sign; two signs are no number.
std::string_view without_plus(std::string_view text) {
  if (!text.starts_with('+')) return text;
  return text.substr(1).starts_with('-') ? std::string_view() : text.substr(1);
}

// Whether a number whose value is out of range is so by its size: from_chars does not say.
bool is_above_one(std::string_view text) {
  const auto e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  const auto point = std::min(mantissa.find('.'), mantissa.size());
  const auto first = mantissa.find_first_of("123456789");
  // The place of the first digit that counts; the exponent shifts it.
  const std::int64_t place = first < point ? static_cast<std::int64_t>(point - first)
                                           : -static_cast<std::int64_t>(first - point) + 1;
  if (e == std::string_view::npos) return place > 0;
  constexpr std::int64_t kMost = std::int64_t{1} << 61;
  const bool down = text.substr(e + 1).starts_with('-');
  const std::int64_t shift =
      std::clamp(parse_int(text.substr(e + 1)).value_or(down ? -kMost : kMost), -kMost, kMost);
  return place + shift > 0;
}

template <class T>
std::string shortest(T value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

}  // namespace

std::string to_text(double value) { return shortest(value); }
std::string to_text(float value) { return shortest(value); }

std::optional<double> parse_double(std::string_view text) noexcept {
  const FloatEnvironment environment;  // from_chars may multiply
  text = without_plus(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    const bool negative = text.front() == '-';
    const double magnitude =
        is_above_one(text.substr(negative)) ? std::numeric_limits<double>::infinity() : 0.0;
    return negative ? -magnitude : magnitude;
  }
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_int(std::string_view text) noexcept {
  text = without_plus(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> nearest(std::string_view name, std::span<const std::string_view> known) {
  const std::string wanted = letters_of(name);
  std::size_t best = std::numeric_limits<std::size_t>::max();
  std::string_view found;
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(wanted, letters_of(candidate));
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  // More than a third of the letters wrong is another word, not a slip.
  if (found.empty() || best > std::max<std::size_t>(1, (std::max(wanted.size(), found.size()) + 2) / 3))
    return std::nullopt;
  return std::string(found);
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
  const auto found = nearest(name, known);
  return found ? "Did you mean \"" + *found + "\"?" : std::string();
}

std::string to_snake_case(std::string_view name) {
  std::string word;
  for (const char c : name)
    if (is_upper(c) || is_lower(c) || is_digit(c) || c == '_') word += c;
  // Keras's two rules: split before a capital that starts a lower-case run, then between lower and upper.
  std::string first;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (i > 0 && is_upper(word[i]) && i + 1 < word.size() && is_lower(word[i + 1])) first += '_';
    first += word[i];
  }
  std::string snake;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (i > 0 && is_upper(first[i]) && is_lower(first[i - 1])) snake += '_';
    snake += lower(first[i]);
  }
  return snake;
}

}  // namespace keratin::inline v0
