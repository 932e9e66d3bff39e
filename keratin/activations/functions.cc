#include "keratin/activations/functions.h"

#include <functional>
#include <string>

#include "keratin/activations/elementwise_loop.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0::activations::detail {
namespace {

std::string operation(const Function& function, bool gradient) {
  return "activations::" + std::string(function.info->name) + (gradient ? "_gradient" : "");
}

template <class T>
void check(const Function& function, bool gradient, const char* name, std::span<const T> in,
           std::span<T> out) {
  if (in.size() != out.size()) {
    throw ShapeError(
        operation(function, gradient), std::string("expects `") + name + "` and `out` of one size",
        "received " + std::to_string(in.size()) + " and " + std::to_string(out.size()) + " elements",
        "Give `out` the size of the input.");
  }
  const std::less<const T*> before;
  const bool apart =
      !before(in.data(), out.data() + out.size()) || !before(out.data(), in.data() + in.size());
  if (in.data() != out.data() && !apart) {
    throw ValueError(operation(function, gradient),
                     std::string("expects `out` apart from `") + name + "`, or the very same elements",
                     "received spans of " + std::to_string(in.size()) + " elements that start " +
                         std::to_string(out.data() - in.data()) + " elements apart",
                     "Use another output, or the input itself to work in place.");
  }
}

template <class T>
void run(const Function& function, const void* parameters, std::span<const T> in, std::span<T> out) {
  check(function, false, "in", in, out);
  const FloatEnvironment environment;
  run_forward(function, parameters, in.data(), out.data(), static_cast<std::int64_t>(in.size()));
}

template <class T>
void run(const Function& function, const void* parameters, std::span<const T> in, std::span<const T> upstream,
         std::span<T> out) {
  check(function, true, "in", in, out);
  check(function, true, "upstream", upstream, out);
  const FloatEnvironment environment;
  run_gradient(function, parameters, in.data(), upstream.data(), out.data(),
               static_cast<std::int64_t>(in.size()));
}

}  // namespace

#define KERATIN_APPLY_OF(T)                                                                               \
  void apply(const Function& function, const void* parameters, std::span<const T> in, std::span<T> out) { \
    run(function, parameters, in, out);                                                                   \
  }                                                                                                       \
  void apply_gradient(const Function& function, const void* parameters, std::span<const T> in,            \
                      std::span<const T> upstream, std::span<T> out) {                                    \
    run(function, parameters, in, upstream, out);                                                         \
  }
KERATIN_APPLY_OF(float)
KERATIN_APPLY_OF(double)
KERATIN_APPLY_OF(float16)
KERATIN_APPLY_OF(bfloat16)
#undef KERATIN_APPLY_OF

}  // namespace keratin::inline v0::activations::detail
