// Grey images as PNG, inside a page.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace keratin::cli {

/// "data:image/png;base64,…" of an image of width·height grey values, 0 black; row by row.
std::string png_data_uri(std::span<const std::uint8_t> grey, int width, int height);

}  // namespace keratin::cli
