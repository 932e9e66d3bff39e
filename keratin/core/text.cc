#include "keratin/core/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

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
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.empty() || text.front() == '+') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves the value alone: the exponent's sign tells overflow from underflow.
    const auto e = text.find_first_of("eE");
    const bool tiny = (e != std::string_view::npos && e + 1 < text.size() && text[e + 1] == '-') ||
                      (e == std::string_view::npos && text.substr(text.front() == '-').starts_with("0."));
    const double magnitude = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    return text.front() == '-' ? -magnitude : magnitude;
  }
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_int(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
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
    if (i > 0 && is_upper(word[i]) && i + 1 < word.size() && is_lower(word[i + 1]) && first.back() != '_')
      first += '_';
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
