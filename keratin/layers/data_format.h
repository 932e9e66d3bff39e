// Where the channels are: "channels_last" or "channels_first". Internal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// The format of an argument, channels_last by default. ValueError, naming the class, for another name.
std::string data_format_of(const std::optional<std::string>& given, std::string_view class_name);

/// Recorded: the axis after the batch put last, or the last one there, where `format` is channels_first.
Tensor to_channels_last(const Tensor& x, const std::string& format);
Tensor from_channels_last(const Tensor& x, const std::string& format);
/// The same of a shape.
Shape to_channels_last(const Shape& shape, const std::string& format);
Shape from_channels_last(const Shape& shape, const std::string& format);

}  // namespace keratin::inline v0::detail
