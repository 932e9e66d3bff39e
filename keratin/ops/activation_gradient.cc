#include "keratin/ops/activation_gradient.h"

#include <algorithm>
#include <memory>

#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/sum_blocks.h"

namespace keratin::inline v0::ops::detail {

template <class T>
void through_activation(std::int64_t rows_in_all, std::int64_t units, const T* z, const T* upstream,
                        const ElementwiseFunction* activation, T* dz, T* bias_gradient) {
  // 32,768 elements: z, upstream and dz of a block fit into L2 beside each other.
  const std::int64_t height = std::clamp<std::int64_t>(32768 / units, 1, 64);
  const std::int64_t blocks = (rows_in_all + height - 1) / height;
  std::shared_ptr<std::byte> memory;
  if (bias_gradient != nullptr) memory = allocate(static_cast<std::size_t>(blocks * units) * sizeof(double));
  auto* sums = reinterpret_cast<double*>(memory.get());
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t rows = std::min(height, rows_in_all - block * height);
      const std::int64_t start = block * height * units;
      if (activation != nullptr)
        activation->gradient(z + start, upstream + start, dz + start, static_cast<std::size_t>(rows * units));
      if (sums != nullptr) sum_columns(dz + start, rows, units, sums + block * units);
    }
  });
  if (bias_gradient != nullptr) sum_blocks(sums, 1, blocks, units, 1, bias_gradient);
}

template void through_activation(std::int64_t, std::int64_t, const float*, const float*,
                                 const ElementwiseFunction*, float*, float*);
template void through_activation(std::int64_t, std::int64_t, const double*, const double*,
                                 const ElementwiseFunction*, double*, double*);

}  // namespace keratin::inline v0::ops::detail
