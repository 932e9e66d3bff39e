#include "keratin/layers/dtype_policy.h"

#include <array>
#include <mutex>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"float32", "float64", "mixed_bfloat16", "mixed_float16"};

struct Global {
  std::mutex mutex;
  DTypePolicy policy = DType::float32;
};
Global& global() {
  static Global instance;
  return instance;
}

}  // namespace

DTypePolicy::DTypePolicy(std::string_view name) : is_set_(true) {
  if (name == "float64") {
    variable_ = compute_ = DType::float64;
  } else if (name == "mixed_bfloat16") {
    compute_ = DType::bfloat16;
  } else if (name == "mixed_float16") {
    compute_ = DType::float16;
  } else if (name != "float32") {
    throw ValueError("dtype", R"("float32", "float64", "mixed_bfloat16" or "mixed_float16")",
                     "received \"" + std::string(name) + "\"", did_you_mean(name, kNames));
  }
}

DType DTypePolicy::variable_dtype() const {
  return is_set_ ? variable_ : mixed_precision::global_policy().variable_;
}
DType DTypePolicy::compute_dtype() const {
  return is_set_ ? compute_ : mixed_precision::global_policy().compute_;
}
std::string DTypePolicy::name() const {
  const DType variable = variable_dtype(), compute = compute_dtype();
  return (variable == compute ? "" : "mixed_") + std::string(keratin::name(compute));
}

namespace mixed_precision {

void set_global_policy(const DTypePolicy& policy) {
  const DTypePolicy set(policy.variable_dtype(), policy.compute_dtype());
  const std::lock_guard lock(global().mutex);
  global().policy = set;
}

DTypePolicy global_policy() {
  const std::lock_guard lock(global().mutex);
  return global().policy;
}

}  // namespace mixed_precision
}  // namespace keratin::inline v0
