#include "tools/golden/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "keratin/core/error.h"

namespace keratin::golden {
namespace {

std::vector<double> wide(const Tensor& tensor) {
  const Tensor converted = tensor.contiguous().astype(DType::float64);
  const auto values = converted.values<double>();
  return {values.begin(), values.end()};
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Counts elements that are wrong and remembers the first and the worst.
class Tally {
 public:
  explicit Tally(std::size_t size) : size_(size) {}

  void count(std::size_t i, bool good, double y, double expected, double tolerance) {
    const double deviation = std::abs(y - expected);
    if (tolerance > 0 && std::isfinite(deviation) && std::isfinite(tolerance) &&
        deviation / tolerance > result_.worst) {
      result_.worst = deviation / tolerance;
      result_.worst_at = static_cast<std::int64_t>(i);
    }
    if (good) return;
    if (wrong_++ == 0)
      first_ = fmt::format("first at {}: got {:.17g}, expected {:.17g} +- {:.3g}", i, y, expected, tolerance);
  }

  std::size_t wrong() const noexcept { return wrong_; }

  Comparison result() {
    if (wrong_ > 0)
      result_.problem = fmt::format("{} of {} elements out of tolerance; {}", wrong_, size_, first_);
    return result_;
  }

 private:
  std::size_t size_, wrong_ = 0;
  std::string first_;
  Comparison result_;
};

const Tensor& array(const io::NamedTensors& expected, const Config& output, const char* key) {
  return expected[output.at(key).get<std::string>()];
}

Comparison wrong_shape(const Tensor& expected, const Tensor& actual) {
  return {.problem =
              fmt::format("shape {}, expected {}", actual.shape().to_string(), expected.shape().to_string())};
}

Comparison tol_array(const Config& output, const io::NamedTensors& expected, const Tensor& actual) {
  const auto y = wide(actual), truth = wide(array(expected, output, "expect")),
             alt = wide(array(expected, output, "alt"));
  const auto tolerance = wide(array(expected, output, "tol")), check = wide(array(expected, output, "check"));
  Tally tally(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (check[i] == 0) continue;
    const bool good = same(y[i], truth[i]) || std::abs(y[i] - truth[i]) <= tolerance[i];
    const bool as_keras = check[i] == 2 && (same(y[i], alt[i]) || std::abs(y[i] - alt[i]) <= tolerance[i]);
    tally.count(i, good || as_keras, y[i], good || !as_keras ? truth[i] : alt[i], tolerance[i]);
  }
  return tally.result();
}

Tally allclose_to(const Tensor& reference, const std::vector<double>& y, double rtol, double atol) {
  const auto truth = wide(reference);
  Tally tally(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double tolerance = atol + rtol * std::abs(truth[i]);
    // An infinite expectation has an infinite tolerance, which would let everything pass.
    const bool near = std::isfinite(truth[i]) && std::abs(y[i] - truth[i]) <= tolerance;
    tally.count(i, same(y[i], truth[i]) || near, y[i], truth[i], tolerance);
  }
  return tally;
}

Comparison allclose(const Config& output, const io::NamedTensors& expected, const Tensor& actual) {
  const bool strict = actual.dtype() == DType::float64 && output.contains("rtol64");
  const double rtol = output.at(strict ? "rtol64" : "rtol").get<double>();
  const double atol = output.at(strict ? "atol64" : "atol").get<double>();
  const auto y = wide(actual);
  Tally tally = allclose_to(array(expected, output, "expect"), y, rtol, atol);
  if (tally.wrong() > 0 && output.contains("alt")) {
    Tally other = allclose_to(array(expected, output, "alt"), y, rtol, atol);
    if (other.wrong() < tally.wrong()) return other.result();
  }
  return tally.result();
}

// 16-bit patterns as integers in numeric order.
std::int64_t ordered(std::int64_t bits) { return (bits & 0x8000) != 0 ? -(bits & 0x7FFF) : bits & 0x7FFF; }

Comparison bits16(const Config& output, const Tensor& expected, const Tensor& actual) {
  const std::int64_t infinity = output.at("format").get<std::string>() == "float16" ? 0x7C00 : 0x7F80;
  const auto max_ulp = output.at("max_ulp").get<std::int64_t>();
  const auto y = wide(actual), truth = wide(expected);
  std::int64_t wrong = 0, worst = 0;
  Comparison result;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto a = static_cast<std::int64_t>(y[i]), b = static_cast<std::int64_t>(truth[i]);
    const bool nan_a = (a & 0x7FFF) > infinity, nan_b = (b & 0x7FFF) > infinity;
    const std::int64_t distance = nan_a != nan_b ? 1 << 20 : nan_a ? 0 : std::abs(ordered(a) - ordered(b));
    wrong += distance > 0;
    if (distance <= worst) continue;
    worst = distance;
    result.worst = static_cast<double>(distance) / static_cast<double>(std::max<std::int64_t>(max_ulp, 1));
    result.worst_at = static_cast<std::int64_t>(i);
    if (distance > max_ulp)
      result.problem = fmt::format("input bits 0x{:04x}: got 0x{:04x}, expected 0x{:04x}", i, a, b);
  }
  const double most = output.at("max_not_correct").get<double>() * static_cast<double>(y.size());
  if (result.problem.empty() && static_cast<double>(wrong) > most)
    result.problem = fmt::format("{} of {} inputs not correctly rounded, at most {}", wrong, y.size(), most);
  return result;
}

Comparison exact(const Config& output, const io::NamedTensors& expected, const Tensor& actual) {
  const auto y = wide(actual), truth = wide(array(expected, output, "expect"));
  Tally tally(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) tally.count(i, y[i] == truth[i], y[i], truth[i], 0);
  return tally.result();
}

}  // namespace

Comparison compare(const Config& output, const io::NamedTensors& expected, const Tensor& actual) {
  const std::string mode = output.at("mode").get<std::string>();
  if (mode == "bits16") {
    const Tensor& bits = expected.begin()->second;  // the file is the one array
    return actual.shape() == bits.shape() ? bits16(output, bits, actual) : wrong_shape(bits, actual);
  }
  if (mode != "tol_array" && mode != "allclose" && mode != "exact")
    throw ValueError("golden", "expects mode tol_array, allclose, bits16 or exact",
                     fmt::format("got \"{}\"", mode));
  const Tensor& reference = array(expected, output, "expect");
  if (actual.shape() != reference.shape()) return wrong_shape(reference, actual);
  if (mode == "tol_array") return tol_array(output, expected, actual);
  return mode == "allclose" ? allclose(output, expected, actual) : exact(output, expected, actual);
}

std::string compare_refusal(const std::string& expected_status, const Config& result) {
  const std::string status = result.value("status", ""), message = result.value("message", "");
  if (status != "error" && status != "loaded" && status != "ok") return fmt::format("status \"{}\"", status);
  if (status == "error") {
    if (expected_status == "loaded") return fmt::format("refused a valid file: {}", message);
    const auto first = message.find_first_not_of(" \n\t");
    const std::size_t length = first == std::string::npos ? 0 : message.find_last_not_of(" \n\t") - first + 1;
    return length >= 8 ? "" : "refused without a message";
  }
  return expected_status == "refused" || expected_status == "error" ? "accepted, but must be refused" : "";
}

}  // namespace keratin::golden
