// Text: numbers whatever the locale, and the nearest name to a mistyped one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// The shortest text that reads back as the same number; "nan", "inf", "-inf". A whole number keeps no point.
KERATIN_API std::string to_text(double value);
KERATIN_API std::string to_text(float value);

/// The number that the whole of `text` spells (also "nan", "inf"), rounded once; nothing if it spells none.
/// Overflow gives infinity, underflow zero. Spaces are not skipped.
KERATIN_API std::optional<double> parse_double(std::string_view text) noexcept;
KERATIN_API std::optional<std::int64_t> parse_int(std::string_view text) noexcept;

/// The name among `known` nearest to `name` (letter case and punctuation aside), or nothing if none is near.
KERATIN_API std::optional<std::string> nearest(std::string_view name,
                                               std::span<const std::string_view> known);
/// `Did you mean "…"?`, or empty: the advice of an error.
KERATIN_API std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

/// "conv2d_transpose" from "Conv2DTranspose", as Keras names layers: "p_re_lu" from "PReLU".
KERATIN_API std::string to_snake_case(std::string_view name);

}  // namespace keratin::inline v0
