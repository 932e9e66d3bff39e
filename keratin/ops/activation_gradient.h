// Back through an activation and to its bias, in one pass. Internal.
#pragma once

#include <cstdint>

#include "keratin/activations/activation_fn.h"

namespace keratin::inline v0::ops::detail {

/// dz = f'(z)·upstream and the bias's gradient, Σ over rows of dz, in one pass over (rows, units). No
/// activation: dz is upstream already. No bias_gradient: not wanted. The caller holds a FloatEnvironment.
template <class T>
void through_activation(std::int64_t rows, std::int64_t units, const T* z, const T* upstream,
                        const ElementwiseFunction* activation, T* dz, T* bias_gradient);

extern template void through_activation(std::int64_t, std::int64_t, const float*, const float*,
                                        const ElementwiseFunction*, float*, float*);
extern template void through_activation(std::int64_t, std::int64_t, const double*, const double*,
                                        const ElementwiseFunction*, double*, double*);

}  // namespace keratin::inline v0::ops::detail
