#include "keratin/layers/data_format.h"

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {

std::string data_format_of(const std::optional<std::string>& given, std::string_view class_name) {
  const std::string format = given.value_or("channels_last");
  if (format == "channels_last" || format == "channels_first") return format;
  constexpr std::string_view kFormats[] = {"channels_last", "channels_first"};
  throw ValueError(class_name, R"(data_format is "channels_last" or "channels_first")",
                   "received data_format=\"" + format + "\"", did_you_mean(format, kFormats));
}

Tensor to_channels_last(const Tensor& x, const std::string& format) {
  if (format == "channels_last" || x.rank() < 3) return x;
  AxisNumbers order = {0};
  for (std::size_t axis = 2; axis < x.rank(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
  order.push_back(1);
  return ops::transpose(x, order);
}

Tensor from_channels_last(const Tensor& x, const std::string& format) {
  if (format == "channels_last" || x.rank() < 3) return x;
  AxisNumbers order = {0, static_cast<std::int64_t>(x.rank()) - 1};
  for (std::size_t axis = 1; axis + 1 < x.rank(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
  return ops::transpose(x, order);
}

Shape to_channels_last(const Shape& shape, const std::string& format) {
  if (format == "channels_last" || shape.rank() < 3) return shape;
  return shape.without(1).with_inserted(shape.rank() - 1, shape[1]);
}

Shape from_channels_last(const Shape& shape, const std::string& format) {
  if (format == "channels_last" || shape.rank() < 3) return shape;
  return shape.without(shape.rank() - 1).with_inserted(1, shape.back());
}

}  // namespace keratin::inline v0::detail
