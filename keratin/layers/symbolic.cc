#include "keratin/layers/symbolic.h"

#include <utility>

#include "keratin/layers/layer.h"

namespace keratin::inline v0 {

SymbolicTensor::SymbolicTensor(std::shared_ptr<const SymbolicCall> source, std::size_t index)
    : source_(std::move(source)), index_(index) {}

const Shape& SymbolicTensor::shape() const noexcept { return source_->output_shapes[index_]; }
DType SymbolicTensor::dtype() const noexcept { return source_->layer->compute_dtype; }

}  // namespace keratin::inline v0
