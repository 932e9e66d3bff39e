#include "keratin/ops/check.h"

#include <string>

#include "keratin/core/error.h"

namespace keratin::inline v0::ops::detail {
namespace {

std::string describe(const Tensor& a) {
  return std::string(name(a.dtype())) + " of shape " + a.shape().to_string();
}

}  // namespace

void check_defined(std::string_view operation, const Tensor& a) {
  if (!a.is_defined()) throw StateError(operation, "expects a tensor with elements", "got an undefined one");
}

void check_arithmetic(std::string_view operation, const Tensor& a) {
  check_defined(operation, a);
  if (a.dtype() != DType::float32 && a.dtype() != DType::float64)
    throw TypeError(operation, "expects float32 or float64", "got " + describe(a),
                    "Convert it with cast first.");
}

void check_same_dtype(std::string_view operation, const Tensor& a, const Tensor& b) {
  check_defined(operation, a);
  check_defined(operation, b);
  if (a.dtype() != b.dtype())
    throw TypeError(operation, "expects two tensors of one dtype",
                    "got " + describe(a) + " and " + describe(b), "Convert one of them with cast first.");
}

void check_indices(std::string_view operation, const Tensor& indices) {
  check_defined(operation, indices);
  const DType dtype = indices.dtype();
  if (dtype != DType::int32 && dtype != DType::int64 && dtype != DType::uint8)
    throw TypeError(operation, "expects indices of int32, int64 or uint8", "got " + describe(indices),
                    "Convert them with cast first.");
}

void check_ordered(std::string_view operation, const Tensor& a) {
  check_defined(operation, a);
  if (a.dtype() == DType::float16 || a.dtype() == DType::bfloat16)
    throw TypeError(operation, "expects a dtype that computes (float32, float64, an integer or bool)",
                    "got " + describe(a), "Convert it with cast first.");
}

}  // namespace keratin::inline v0::ops::detail
