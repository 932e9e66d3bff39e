#include "keratin/activations/functions.h"

#include <functional>
#include <string>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"

namespace keratin::inline v0::activations::detail {
namespace {

// About 20 to 500 microseconds of work: what waking a thread costs is lost in it.
constexpr std::int64_t kGrain = 1 << 14;

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
  const auto size = static_cast<std::int64_t>(in.size());
  if (size <= kGrain) return function.forward(parameters, in.data(), out.data(), in.size());
  parallel_for(size, kGrain, [&](std::int64_t begin, std::int64_t end) {
    function.forward(parameters, in.data() + begin, out.data() + begin,
                     static_cast<std::size_t>(end - begin));
  });
}

template <class T>
void run_gradient(const Function& function, const void* parameters, std::span<const T> in,
                  std::span<const T> upstream, std::span<T> out) {
  check(function, true, "in", in, out);
  check(function, true, "upstream", upstream, out);
  const FloatEnvironment environment;
  const auto size = static_cast<std::int64_t>(in.size());
  if (size <= kGrain) {
    return function.gradient(parameters, in.data(), upstream.data(), out.data(), in.size());
  }
  parallel_for(size, kGrain, [&](std::int64_t begin, std::int64_t end) {
    function.gradient(parameters, in.data() + begin, upstream.data() + begin, out.data() + begin,
                      static_cast<std::size_t>(end - begin));
  });
}

}  // namespace

void apply(const Function& function, const void* parameters, std::span<const float> in,
           std::span<float> out) {
  run(function, parameters, in, out);
}

void apply(const Function& function, const void* parameters, std::span<const double> in,
           std::span<double> out) {
  run(function, parameters, in, out);
}

void apply_gradient(const Function& function, const void* parameters, std::span<const float> in,
                    std::span<const float> upstream, std::span<float> out) {
  run_gradient(function, parameters, in, upstream, out);
}

void apply_gradient(const Function& function, const void* parameters, std::span<const double> in,
                    std::span<const double> upstream, std::span<double> out) {
  run_gradient(function, parameters, in, upstream, out);
}

}  // namespace keratin::inline v0::activations::detail
