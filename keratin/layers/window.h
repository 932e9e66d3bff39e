// How a window moves over spatial axes: Keras's padding, strides and dilations in numbers. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "keratin/layers/sizes.h"
#include "keratin/ops/conv.h"

namespace keratin::inline v0::detail {

/// ValueError, naming the class, unless padding is "valid" or "same", or "causal" where that is allowed.
void check_padding(std::string_view class_name, const std::string& padding, bool allows_causal);
/// ValueError for strides and dilations that are both above 1.
void check_dilation(std::string_view class_name, const Sizes& strides, const Sizes& dilations);

/// One axis of a window: its size with its gaps, and its step.
struct Window {
  std::int64_t size, stride, dilation = 1;

  std::int64_t extent() const { return (size - 1) * dilation + 1; }
  /// Elements of the result for an input of `in`, Shape::kUnknown for an unknown one; 0 or less if the window
  /// does not fit.
  std::int64_t result(std::int64_t in, const std::string& padding) const;
  /// Zeros before the input.
  std::int64_t before(std::int64_t in, const std::string& padding) const;
  /// Elements of a transposed convolution's result, and what its convolution has before its input.
  std::int64_t transposed_result(std::int64_t in, const std::string& padding,
                                 std::int64_t output_padding) const;
  std::int64_t transposed_before(std::int64_t in, std::int64_t out, const std::string& padding) const;
};

}  // namespace keratin::inline v0::detail
