// In which dtype a layer keeps its weights and in which it computes.
#pragma once

#include <string>
#include <string_view>

#include "keratin/core/dtype.h"
#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// A dtype for both, or "mixed_bfloat16" and "mixed_float16": weights of float32, of which the layer reads
/// values rounded to the half type; its inputs are rounded, too, and its outputs, and their gradients, are
/// tensors of the half type. Within a layer sums and functions are taken in float32 of those, so that each
/// layer rounds once where Keras may round after each op. Keras: keras.DTypePolicy.
class KERATIN_API DTypePolicy {
 public:
  /// The global policy, as it is when the layer is made.
  DTypePolicy() = default;
  DTypePolicy(DType dtype) : variable_(dtype), compute_(dtype), is_set_(true) {}
  /// ValueError, with the nearest name, for one that there is not.
  DTypePolicy(std::string_view name);
  DTypePolicy(const char* name) : DTypePolicy(std::string_view(name)) {}
  DTypePolicy(const std::string& name) : DTypePolicy(std::string_view(name)) {}
  /// Weights of `variable`, values rounded to `compute`.
  DTypePolicy(DType variable, DType compute) : variable_(variable), compute_(compute), is_set_(true) {}

  DType variable_dtype() const;
  DType compute_dtype() const;
  /// "float32", "mixed_bfloat16", …
  std::string name() const;

 private:
  DType variable_ = DType::float32, compute_ = DType::float32;
  bool is_set_ = false;
};

namespace mixed_precision {
/// What layers made from now on have that name no dtype, on all threads; "float32" at first. Keras:
/// keras.mixed_precision.set_global_policy, keras.config.set_dtype_policy.
KERATIN_API void set_global_policy(const DTypePolicy& policy);
KERATIN_API DTypePolicy global_policy();
}  // namespace mixed_precision

}  // namespace keratin::inline v0
