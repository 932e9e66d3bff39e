#include "keratin/activations/registry.h"

#include <array>
#include <utility>

#include "keratin/activations/definitions.h"
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

// The loops of every instruction set in one place: a call finds its own with one look.
class Table {
 public:
  Table() {
    for (const simd::Isa isa : simd::supported_isas()) {
      kernels_[static_cast<std::size_t>(isa)] = {
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) detail::kernels_of<Index::name>(isa),
#include "keratin/activations/definitions/list.inc"
      };
    }
  }
  const detail::Kernels& operator()(simd::Isa isa, Index index) const {
    return kernels_[static_cast<std::size_t>(isa)][static_cast<std::size_t>(index)];
  }

 private:
  std::array<std::array<detail::Kernels, kFunctionCount>, simd::kIsaCount> kernels_;
};

const detail::Kernels& kernels(Index index) {
  static const Table table;
  return table(simd::active_isa(), index);
}

}  // namespace

void Function::forward(const void* p, const float* x, float* y, std::size_t n, Stores stores) const {
  kernels(index).f32.forward(p, x, y, n, stores == Stores::streamed);
}

void Function::forward(const void* p, const double* x, double* y, std::size_t n, Stores stores) const {
  kernels(index).f64.forward(p, x, y, n, stores == Stores::streamed);
}

void Function::gradient(const void* p, const float* x, const float* upstream, float* out, std::size_t n,
                        Stores stores) const {
  kernels(index).f32.gradient(p, x, upstream, out, n, stores == Stores::streamed);
}

void Function::gradient(const void* p, const double* x, const double* upstream, double* out, std::size_t n,
                        Stores stores) const {
  kernels(index).f64.gradient(p, x, upstream, out, n, stores == Stores::streamed);
}

void Function::forward(const void* p, const float16* x, float16* y, std::size_t n, Stores stores) const {
  kernels(index).f16.forward(p, x, y, n, stores == Stores::streamed);
}

void Function::forward(const void* p, const bfloat16* x, bfloat16* y, std::size_t n, Stores stores) const {
  kernels(index).bf16.forward(p, x, y, n, stores == Stores::streamed);
}

void Function::gradient(const void* p, const float16* x, const float16* upstream, float16* out, std::size_t n,
                        Stores stores) const {
  kernels(index).f16.gradient(p, x, upstream, out, n, stores == Stores::streamed);
}

void Function::gradient(const void* p, const bfloat16* x, const bfloat16* upstream, bfloat16* out,
                        std::size_t n, Stores stores) const {
  kernels(index).bf16.gradient(p, x, upstream, out, n, stores == Stores::streamed);
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
