// What a Dense layer is made of, for those that compute it in another way. Internal.
#pragma once

#include <optional>

#include "keratin/activations/activation_fn.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// y = activation(x·kernel + bias)
struct DenseParts {
  Tensor kernel, bias;                    ///< bias undefined for none
  const ElementwiseFunction* activation;  ///< null where it is linear; lives as long as the layer
};

class HasDenseParts {
 public:
  virtual ~HasDenseParts() = default;
  /// Nothing before the layer is built, and where the activation is no function of one element.
  virtual std::optional<DenseParts> dense_parts() const = 0;
};

}  // namespace keratin::inline v0::detail
