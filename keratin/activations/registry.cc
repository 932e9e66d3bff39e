#include "keratin/activations/registry.h"

#include <array>
#include <cstring>
#include <tuple>

#include "keratin/activations/kernels.h"
#include "keratin/core/float_env.h"
#include "keratin/simd/dispatch.h"

namespace keratin::inline v0::activations {
namespace {

template <class D>
struct Description {
  static_assert(std::is_trivially_copyable_v<D> && sizeof(D) <= kMaxParametersSize);
  static constexpr D kDefaults{};
  static constexpr auto kParameters = D::parameters();
};

template <class D>
constexpr Function describe() {
  return {index_of<D>, &D::kInfo, Description<D>::kParameters, &Description<D>::kDefaults, sizeof(D)};
}

constexpr std::array<Function, kFunctionCount> kFunctions{
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) describe<Struct>(),
#include "keratin/activations/definitions/list.inc"
};

template <std::size_t... family>
detail::Kernels kernels_in(std::index_sequence<family...>, simd::Isa isa, std::size_t index) {
  using Get = detail::Kernels (*)(simd::Isa, std::size_t);
  constexpr Get kGet[] = {&detail::family_kernels<family>...};
  return kGet[index % detail::kFamilies](isa, index);
}

detail::Kernels kernels(Index index) {
  return kernels_in(std::make_index_sequence<detail::kFamilies>(), simd::active_isa(),
                    static_cast<std::size_t>(index));
}

// A copy of a definition's struct with its numbers rounded to f32.
class RoundedParameters {
 public:
  RoundedParameters(const Function& function, const void* parameters) {
    std::memcpy(bytes_, parameters, function.parameters_size);
    for (const Parameter& parameter : function.parameters) {
      if (parameter.kind != ParameterKind::flag) {
        parameter.set(bytes_, static_cast<double>(static_cast<float>(parameter.get(bytes_))));
      }
    }
  }
  const void* get() const { return bytes_; }

 private:
  alignas(std::max_align_t) std::byte bytes_[kMaxParametersSize];
};

}  // namespace

void Function::forward(const void* p, const float* x, float* y, std::size_t n) const {
  kernels(index).f32.forward(RoundedParameters(*this, p).get(), x, y, n);
}

void Function::forward(const void* p, const double* x, double* y, std::size_t n) const {
  kernels(index).f64.forward(p, x, y, n);
}

void Function::gradient(const void* p, const float* x, const float* upstream, float* out,
                        std::size_t n) const {
  kernels(index).f32.gradient(RoundedParameters(*this, p).get(), x, upstream, out, n);
}

void Function::gradient(const void* p, const double* x, const double* upstream, double* out,
                        std::size_t n) const {
  kernels(index).f64.gradient(p, x, upstream, out, n);
}

double Function::value(const void* p, double x) const {
  const FloatEnvironment environment;
  forward(p, &x, &x, 1);
  return x;
}

double Function::derivative(const void* p, double x) const {
  const FloatEnvironment environment;
  const double one = 1;
  gradient(p, &x, &one, &x, 1);
  return x;
}

std::span<const Function> functions() noexcept { return kFunctions; }

const Function* find(std::string_view name) noexcept {
  for (const Function& function : kFunctions) {
    if (function.info->name == name) return &function;
    for (const std::string_view alias : function.info->aliases) {
      if (!alias.empty() && alias == name) return &function;
    }
  }
  return nullptr;
}

}  // namespace keratin::inline v0::activations
