// Cutting samples into batches, shuffled or in order. Internal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/step.h"

namespace keratin::inline v0::detail {

/// Samples along axis 0: one x for each input, one y and sample_weight for each output (undefined for none).
struct Samples {
  Tensors x, y, sample_weight;

  std::int64_t count() const { return x.front().shape()[0]; }
  Samples rows(std::int64_t begin, std::int64_t end) const;
};

/// ShapeError unless all have the same number of rows, at least one; makes them contiguous.
void check_samples(std::string_view operation, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs, Samples& samples);

/// Where validation_split cuts: training samples are those before. ValueError if a side is empty.
std::int64_t split_point(std::int64_t count, double validation_split);

/// Makes the weights of classes those of samples. ValueError as the generation has it, and for several
/// outputs.
void weigh_classes(Samples& samples, const std::map<std::int64_t, double>& class_weight,
                   Generation generation);

/// Batches of samples.
class Batches {
 public:
  Batches(Samples samples, std::int64_t batch_size);

  std::int64_t samples() const { return samples_.count(); }
  /// The last one may be smaller.
  std::int64_t count() const { return (samples_.count() + batch_size_ - 1) / batch_size_; }
  std::int64_t rows_of(std::int64_t batch) const;
  /// Another random order, from the library's seed.
  void shuffle();
  Batch batch(std::int64_t index) const;

 private:
  Samples samples_;
  std::int64_t batch_size_;
  std::vector<std::int64_t> order_;  // empty: as they are
};

}  // namespace keratin::inline v0::detail
