#include "keratin/training/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

template <class Entries>
auto find(Entries& entries, std::string_view name) {
  return std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == name; });
}

template <class Entries>
[[noreturn]] void throw_unknown(std::string_view operation, const Entries& entries, std::string_view name) {
  std::vector<std::string_view> known;
  std::string list;
  for (const auto& entry : entries) {
    known.push_back(entry.first);
    list += (list.empty() ? "" : ", ") + entry.first;
  }
  throw ValueError(operation, "expects one of its names: " + list, "got \"" + std::string(name) + "\"",
                   did_you_mean(name, known));
}

}  // namespace

double Metrics::operator[](std::string_view name) const {
  const auto found = find(entries_, name);
  if (found == entries_.end()) throw_unknown("metrics", entries_, name);
  return found->second;
}
bool Metrics::contains(std::string_view name) const noexcept {
  return find(entries_, name) != entries_.end();
}
void Metrics::set(std::string_view name, double value) {
  const auto found = find(entries_, name);
  if (found == entries_.end()) {
    entries_.emplace_back(name, value);
  } else {
    found->second = value;
  }
}
void Metrics::sort() { std::sort(entries_.begin(), entries_.end()); }

std::string Metrics::to_string() const {
  std::string text;
  for (const auto& [name, value] : entries_) {
    // As Keras: plain where four decimals show something, else with an exponent.
    const bool plain = value == 0 || std::abs(value) > 1e-3 || !std::isfinite(value);
    text += fmt::format("{}{}: {}", text.empty() ? "" : " - ", name,
                        plain ? fmt::format("{:.4f}", value) : fmt::format("{:.4e}", value));
  }
  return text;
}

const std::vector<double>& History::operator[](std::string_view key) const {
  const auto found = find(values_, key);
  if (found == values_.end()) throw_unknown("history", values_, key);
  return found->second;
}
bool History::contains(std::string_view key) const noexcept { return find(values_, key) != values_.end(); }
std::vector<std::string> History::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, values] : values_) keys.push_back(key);
  return keys;
}
void History::append(std::int64_t epoch_number, const Metrics& logs) {
  epoch.push_back(epoch_number);
  for (const auto& [name, value] : logs) {
    auto found = find(values_, name);
    if (found == values_.end()) found = values_.emplace(values_.end(), name, std::vector<double>{});
    found->second.push_back(value);
  }
}

}  // namespace keratin::inline v0
