// What a call reads weights as. Internal.
#pragma once

#include "keratin/core/dtype.h"

namespace keratin::inline v0::detail {

/// What the layer that this thread is in reads its weights as: its compute_dtype. As in Keras, where casting
/// is a scope that a layer with inputs as_given ends, such a layer within another call in mixed precision, of
/// a model too, reads them as they are.
DType reading_dtype() noexcept;

}  // namespace keratin::inline v0::detail
