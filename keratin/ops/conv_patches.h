// The rows of a convolution as rows of a matrix: what its kernel sees at each place. Internal.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "keratin/ops/conv.h"

namespace keratin::inline v0::ops::detail {

/// A convolution's sizes, with three spatial axes; missing ones have size 1.
struct ConvSizes {
  std::int64_t batch;
  std::array<std::int64_t, 3> in, kernel, out;
  std::int64_t channels, filters;
  ConvGeometry geometry;

  static std::int64_t product(const std::array<std::int64_t, 3>& sizes) {
    return sizes[0] * sizes[1] * sizes[2];
  }
  std::int64_t places() const { return product(out); }
  std::int64_t group_channels() const { return channels / geometry.groups; }
  std::int64_t group_filters() const { return filters / geometry.groups; }
  /// Elements of a row of patches.
  std::int64_t depth() const { return product(kernel) * group_channels(); }
  std::int64_t sample_size() const { return product(in) * channels; }
};

/// Calls visit(element of x, first element of the row, count) for the runs of one place's row that lie inside
/// of x; `group` counts channels. The rest of the row is zeros.
template <class Visit>
void for_each_run(const ConvSizes& sizes, std::int64_t place, std::int64_t group, Visit&& visit) {
  const ConvGeometry& g = sizes.geometry;
  const std::int64_t channels = sizes.group_channels();
  std::array<std::int64_t, 3> at{};
  at[2] = place % sizes.out[2];
  at[1] = place / sizes.out[2] % sizes.out[1];
  at[0] = place / sizes.out[2] / sizes.out[1];
  for (std::size_t i = 0; i < 3; ++i) at[i] = at[i] * g.strides[i] - g.before[i];
  // Neighbours along the last axis are neighbours in memory too.
  const bool is_whole = g.dilations[2] == 1 && g.groups == 1;
  for (std::int64_t d = 0; d < sizes.kernel[0]; ++d) {
    const std::int64_t depth = at[0] + d * g.dilations[0];
    if (depth < 0 || depth >= sizes.in[0]) continue;
    for (std::int64_t h = 0; h < sizes.kernel[1]; ++h) {
      const std::int64_t height = at[1] + h * g.dilations[1];
      if (height < 0 || height >= sizes.in[1]) continue;
      const std::int64_t line = (depth * sizes.in[1] + height) * sizes.in[2];
      const std::int64_t row = (d * sizes.kernel[1] + h) * sizes.kernel[2];
      if (is_whole) {
        const std::int64_t begin = std::max<std::int64_t>(0, -at[2]);
        const std::int64_t end = std::min(sizes.kernel[2], sizes.in[2] - at[2]);
        if (begin < end)
          visit((line + at[2] + begin) * channels, (row + begin) * channels, (end - begin) * channels);
        continue;
      }
      for (std::int64_t w = 0; w < sizes.kernel[2]; ++w) {
        const std::int64_t width = at[2] + w * g.dilations[2];
        if (width < 0 || width >= sizes.in[2]) continue;
        visit((line + width) * sizes.channels + group * channels, (row + w) * channels, channels);
      }
    }
  }
}

/// Rows [first, first + rows) of a sample's patches.
template <class T>
void gather_patches(const ConvSizes& sizes, const T* x, std::int64_t first, std::int64_t rows,
                    std::int64_t group, T* out) {
  const std::int64_t depth = sizes.depth();
  std::fill_n(out, rows * depth, T(0));
  for (std::int64_t row = 0; row < rows; ++row) {
    for_each_run(sizes, first + row, group, [&](std::int64_t from, std::int64_t to, std::int64_t count) {
      std::memcpy(out + row * depth + to, x + from, static_cast<std::size_t>(count) * sizeof(T));
    });
  }
}

/// The adjoint: adds the rows to where they came from.
template <class T>
void scatter_patches(const ConvSizes& sizes, const T* patches, std::int64_t first, std::int64_t rows,
                     std::int64_t group, T* x) {
  const std::int64_t depth = sizes.depth();
  for (std::int64_t row = 0; row < rows; ++row) {
    for_each_run(sizes, first + row, group, [&](std::int64_t to, std::int64_t from, std::int64_t count) {
      T* __restrict out = x + to;
      const T* in = patches + row * depth + from;
      for (std::int64_t i = 0; i < count; ++i) out[i] += in[i];
    });
  }
}

}  // namespace keratin::inline v0::ops::detail
