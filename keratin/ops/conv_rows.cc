#include "keratin/ops/conv_rows.h"

#include <algorithm>
#include <memory>

#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/scratch.h"

namespace keratin::inline v0::ops::detail {
namespace {

// Rows of patches at a time: about 128 KiB, which stays in L2 beside its product.
std::int64_t rows_of(const ConvSizes& sizes) {
  constexpr std::int64_t kElements = 1 << 15;
  return std::clamp<std::int64_t>(kElements / std::max<std::int64_t>(sizes.depth(), 1), 8, 1024);
}

// The blocks of rows of all samples, in parallel: body(sample, first row, rows).
template <class Body>
void for_each_block(const ConvSizes& sizes, Body&& body) {
  if (sizes.batch == 0 || sizes.places() == 0) return;
  const std::int64_t rows = rows_of(sizes), blocks = (sizes.places() - 1) / rows + 1;
  const std::int64_t flops = 2 * rows * sizes.depth() * sizes.filters;
  const std::int64_t grain =
      std::max<std::int64_t>(1, (std::int64_t{1} << 20) / std::max<std::int64_t>(flops, 1));
  parallel_for(sizes.batch * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % blocks * rows;
      body(i / blocks, first, std::min(rows, sizes.places() - first));
    }
  });
}

template <class T>
T* patches_memory(const ConvSizes& sizes) {
  static thread_local Scratch scratch;
  return scratch.get_array<T>(rows_of(sizes) * sizes.depth());
}

// A kernel of one element that takes each place as it is: the patches are x itself.
bool is_pointwise(const ConvSizes& sizes) {
  const ConvGeometry& g = sizes.geometry;
  return sizes.in == sizes.out && ConvSizes::product(sizes.kernel) == 1 && g.groups == 1 &&
         ConvSizes::product(g.strides) == 1 && g.before == std::array<std::int64_t, 3>{0, 0, 0};
}

// One channel a group: products of a row with one number, no matrices.
template <class T>
void depthwise_rows(const ConvSizes& sizes, const T* x, const T* kernel, std::int64_t first,
                    std::int64_t rows, T* out) {
  const std::int64_t filters = sizes.filters, multiplier = sizes.group_filters();
  std::fill_n(out, rows * filters, T(0));
  for (std::int64_t row = 0; row < rows; ++row) {
    T* __restrict y = out + row * filters;
    // The runs of channel 0; the others lie behind it.
    for_each_run(sizes, first + row, 0, [&](std::int64_t from, std::int64_t tap, std::int64_t) {
      const T *in = x + from, *weights = kernel + tap * filters;
      if (multiplier == 1) {
        for (std::int64_t c = 0; c < filters; ++c) y[c] += in[c] * weights[c];
      } else {
        for (std::int64_t c = 0; c < sizes.channels; ++c)
          for (std::int64_t m = 0; m < multiplier; ++m)
            y[c * multiplier + m] += in[c] * weights[c * multiplier + m];
      }
    });
  }
}

}  // namespace

template <class T>
void conv_rows(const ConvSizes& sizes, const T* x, const T* kernel, const T* bias,
               const ElementwiseFunction* activation, T* z, T* y) {
  const std::int64_t depth = sizes.depth(), filters = sizes.filters, wide = sizes.group_filters();
  for_each_block(sizes, [&](std::int64_t sample, std::int64_t first, std::int64_t rows) {
    const T* from = x + sample * sizes.sample_size();
    const std::int64_t start = (sample * sizes.places() + first) * filters;
    if (is_pointwise(sizes)) {
      gemm_block(rows, filters, depth, Matrix<T>{from + first * depth, depth}, Matrix<T>{kernel, filters},
                 z + start, filters);
    } else if (sizes.group_channels() == 1 && sizes.geometry.groups > 1) {
      depthwise_rows(sizes, from, kernel, first, rows, z + start);
    } else {
      T* patches = patches_memory<T>(sizes);
      for (std::int64_t group = 0; group < sizes.geometry.groups; ++group) {
        gather_patches(sizes, from, first, rows, group, patches);
        gemm_block(rows, wide, depth, Matrix<T>{patches, depth}, Matrix<T>{kernel + group * wide, filters},
                   z + start + group * wide, filters);
      }
    }
    if (bias != nullptr)
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < filters; ++i) z[start + r * filters + i] += bias[i];
    if (activation != nullptr)
      activation->forward(z + start, y + start, static_cast<std::size_t>(rows * filters));
  });
}

// Samples write to places of their own, so they run in parallel.
template <class T>
void conv_data_rows(const ConvSizes& sizes, const T* upstream, const T* kernel, T* x) {
  const std::int64_t depth = sizes.depth(), filters = sizes.filters, wide = sizes.group_filters();
  const std::int64_t block = rows_of(sizes);
  std::fill_n(x, sizes.batch * sizes.sample_size(), T(0));
  parallel_for(sizes.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    T* patches = patches_memory<T>(sizes);
    for (std::int64_t sample = begin; sample < end; ++sample) {
      for (std::int64_t first = 0; first < sizes.places(); first += block) {
        const std::int64_t rows = std::min(block, sizes.places() - first);
        const T* above = upstream + (sample * sizes.places() + first) * filters;
        for (std::int64_t group = 0; group < sizes.geometry.groups; ++group) {
          gemm_block(rows, depth, wide, Matrix<T>{above + group * wide, filters},
                     Matrix<T>{kernel + group * wide, filters, true}, patches, depth);
          scatter_patches(sizes, patches, first, rows, group, x + sample * sizes.sample_size());
        }
      }
    }
  });
}

// Sums over a fixed number of parts of the batch, added up in their order.
template <class T>
void conv_kernel_rows(const ConvSizes& sizes, const T* x, const T* upstream, T* kernel) {
  constexpr std::int64_t kParts = 8;
  const std::int64_t depth = sizes.depth(), filters = sizes.filters, wide = sizes.group_filters();
  const std::int64_t size = depth * filters, block = rows_of(sizes);
  const std::int64_t parts = std::min(kParts, sizes.batch);
  std::fill_n(kernel, size, T(0));
  if (size == 0 || parts == 0) return;
  const std::shared_ptr<std::byte> memory = allocate(static_cast<std::size_t>(2 * parts * size) * sizeof(T));
  T* sums = reinterpret_cast<T*>(memory.get());
  parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
    T* patches = patches_memory<T>(sizes);
    for (std::int64_t part = begin; part < end; ++part) {
      T *sum = sums + 2 * part * size, *product = sum + size;
      std::fill_n(sum, size, T(0));
      for (std::int64_t sample = part * sizes.batch / parts; sample < (part + 1) * sizes.batch / parts;
           ++sample) {
        for (std::int64_t first = 0; first < sizes.places(); first += block) {
          const std::int64_t rows = std::min(block, sizes.places() - first);
          const T* above = upstream + (sample * sizes.places() + first) * filters;
          for (std::int64_t group = 0; group < sizes.geometry.groups; ++group) {
            gather_patches(sizes, x + sample * sizes.sample_size(), first, rows, group, patches);
            gemm_block(depth, wide, rows, Matrix<T>{patches, depth, true},
                       Matrix<T>{above + group * wide, filters}, product + group * wide, filters);
          }
          for (std::int64_t i = 0; i < size; ++i) sum[i] += product[i];
        }
      }
    }
  });
  for (std::int64_t part = 0; part < parts; ++part)
    for (std::int64_t i = 0; i < size; ++i) kernel[i] += sums[2 * part * size + i];
}

KERATIN_CONV_ROWS_OF(, float)
KERATIN_CONV_ROWS_OF(, double)

}  // namespace keratin::inline v0::ops::detail
