#include "keratin/ops/sum_blocks.h"

#include <algorithm>
#include <array>
#include <memory>

#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::ops::detail {
namespace {

constexpr std::int64_t kLeaf = 128;      // terms added one after the other, eight sums side by side
constexpr std::int64_t kColumns = 256;   // columns summed together: 2 KiB of doubles
constexpr std::int64_t kTask = 1 << 16;  // elements that one thread sums before partial sums are needed

// The point at which `count` terms are halved: a multiple of kLeaf.
std::int64_t half(std::int64_t count) { return (count / 2 + kLeaf - 1) / kLeaf * kLeaf; }

// totals[i] = Σ over r of in[r * stride + i], for `columns` <= kColumns.
template <class T>
void sum_strip(const T* in, std::int64_t count, std::int64_t stride, std::int64_t columns, double* totals) {
  if (count <= kLeaf) {
    std::fill_n(totals, columns, 0.0);
    for (std::int64_t r = 0; r < count; ++r) {
      const T* x = in + r * stride;
      for (std::int64_t i = 0; i < columns; ++i) totals[i] += static_cast<double>(x[i]);
    }
    return;
  }
  std::array<double, kColumns> rest;
  const std::int64_t first = half(count);
  sum_strip(in, first, stride, columns, totals);
  sum_strip(in + first * stride, count - first, stride, columns, rest.data());
  for (std::int64_t i = 0; i < columns; ++i) totals[i] += rest[static_cast<std::size_t>(i)];
}

// The sum of `count` numbers.
template <class T>
double pairwise_sum(const T* in, std::int64_t count) {
  if (count > kLeaf) {
    const std::int64_t first = half(count);
    return pairwise_sum(in, first) + pairwise_sum(in + first, count - first);
  }
  std::array<double, 8> lanes{};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (std::size_t k = 0; k < 8; ++k) lanes[k] += static_cast<double>(in[i + static_cast<std::int64_t>(k)]);
  for (std::size_t k = 0; i < count; ++i, ++k) lanes[k] += static_cast<double>(in[i]);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// One stretch of the sums: columns [column, column + columns) of (count, inner).
template <class T>
void sum_stretch(const T* in, std::int64_t count, std::int64_t inner, std::int64_t columns, double* totals) {
  if (inner == 1) {
    totals[0] = pairwise_sum(in, count);
  } else {
    sum_strip(in, count, inner, columns, totals);
  }
}

}  // namespace

template <class T>
void sum_columns(const T* in, std::int64_t count, std::int64_t inner, double* totals) {
  for (std::int64_t i = 0; i < inner; i += kColumns)
    sum_strip(in + i, count, inner, std::min(kColumns, inner - i), totals + i);
}

template <class In, class Out>
void sum_blocks(const In* in, std::int64_t outer, std::int64_t count, std::int64_t inner, double divisor,
                Out* out) {
  if (outer * inner == 0) return;
  const std::int64_t width = std::min(inner, kColumns), strips = (inner - 1) / width + 1;
  // Long sums are cut into pieces of fixed length whose partial sums are added pairwise.
  const std::int64_t length = std::max(kLeaf, kTask / width / kLeaf * kLeaf);
  const std::int64_t pieces = std::max<std::int64_t>(1, (count + length - 1) / length);
  std::shared_ptr<std::byte> memory;
  if (pieces > 1) memory = allocate(static_cast<std::size_t>(outer * pieces * inner) * sizeof(double));
  auto* partial = reinterpret_cast<double*>(memory.get());

  const std::int64_t elements = std::max<std::int64_t>(1, std::min(count, length) * width);
  parallel_for(outer * pieces * strips, std::max<std::int64_t>(1, kTask / 4 / elements),
               [&](std::int64_t begin, std::int64_t end) {
                 std::array<double, kColumns> totals;
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t column = task % strips * width, row = task / strips;
                   const std::int64_t o = row / pieces, first = row % pieces * length;
                   const std::int64_t columns = std::min(width, inner - column);
                   sum_stretch(in + (o * count + first) * inner + column, std::min(length, count - first),
                               inner, columns, totals.data());
                   if (pieces > 1) {
                     std::copy_n(totals.data(), columns, partial + row * inner + column);
                   } else {
                     for (std::int64_t i = 0; i < columns; ++i)
                       out[o * inner + column + i] =
                           static_cast<Out>(totals[static_cast<std::size_t>(i)] / divisor);
                   }
                 }
               });
  if (pieces == 1) return;
  std::array<double, kColumns> totals;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t column = 0; column < inner; column += width) {
      const std::int64_t columns = std::min(width, inner - column);
      sum_stretch(partial + o * pieces * inner + column, pieces, inner, columns, totals.data());
      for (std::int64_t i = 0; i < columns; ++i)
        out[o * inner + column + i] = static_cast<Out>(totals[static_cast<std::size_t>(i)] / divisor);
    }
  }
}

template void sum_blocks(const float*, std::int64_t, std::int64_t, std::int64_t, double, float*);
template void sum_blocks(const double*, std::int64_t, std::int64_t, std::int64_t, double, double*);
template void sum_blocks(const double*, std::int64_t, std::int64_t, std::int64_t, double, float*);
template void sum_columns(const float*, std::int64_t, std::int64_t, double*);
template void sum_columns(const double*, std::int64_t, std::int64_t, double*);

}  // namespace keratin::inline v0::ops::detail
