#include "keratin/layers/window.h"

#include <algorithm>
#include <span>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::detail {

void check_padding(std::string_view class_name, const std::string& padding, bool allows_causal) {
  constexpr std::string_view kPaddings[] = {"valid", "same", "causal"};
  const std::span<const std::string_view> allowed(kPaddings, allows_causal ? 3 : 2);
  if (std::find(allowed.begin(), allowed.end(), padding) != allowed.end()) return;
  throw ValueError(
      class_name,
      allows_causal ? R"(padding is "valid", "same" or "causal")" : R"(padding is "valid" or "same")",
      "received padding=\"" + padding + "\"", did_you_mean(padding, allowed));
}

void check_dilation(std::string_view class_name, const Sizes& strides, const Sizes& dilations) {
  const auto above_one = [](const Sizes& sizes) {
    return std::any_of(sizes.values().begin(), sizes.values().end(),
                       [](std::int64_t size) { return size > 1; });
  };
  if (!above_one(strides) || !above_one(dilations)) return;
  throw ValueError(class_name, "strides or dilation_rate of 1",
                   "received strides=" + Shape(strides.values()).to_string() +
                       " and dilation_rate=" + Shape(dilations.values()).to_string(),
                   "Choose one of the two.");
}

std::int64_t Window::result(std::int64_t in, const std::string& padding) const {
  if (in == Shape::kUnknown) return Shape::kUnknown;
  if (padding != "valid") return (in + stride - 1) / stride;
  return in < extent() ? 0 : (in - extent()) / stride + 1;
}

std::int64_t Window::before(std::int64_t in, const std::string& padding) const {
  if (padding == "valid") return 0;
  if (padding == "causal") return extent() - 1;
  return std::max<std::int64_t>((result(in, padding) - 1) * stride + extent() - in, 0) / 2;
}

std::int64_t Window::transposed_result(std::int64_t in, const std::string& padding,
                                       std::int64_t output_padding) const {
  if (in == Shape::kUnknown) return Shape::kUnknown;
  if (output_padding < 0)
    return in * stride + (padding == "valid" ? std::max<std::int64_t>(extent() - stride, 0) : 0);
  const std::int64_t cut = padding == "same" ? extent() / 2 : 0;
  return (in - 1) * stride + extent() - 2 * cut + output_padding;
}

std::int64_t Window::transposed_before(std::int64_t in, std::int64_t out, const std::string& padding) const {
  if (padding == "valid") return 0;
  return std::max<std::int64_t>((in - 1) * stride + extent() - out, 0) / 2;
}

}  // namespace keratin::inline v0::detail
