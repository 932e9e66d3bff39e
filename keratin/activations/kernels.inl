// The loops of all element-wise activations, for the instruction set being compiled; the only ones there are.
// Included by kernels_<n>.cc once for each instruction set, with KERATIN_FAMILY = n.
#include <hwy/highway.h>

#include <bit>
#include <cstring>
#include <iterator>
#include <utility>

#include "keratin/activations/definitions.h"
#include "keratin/activations/kernels.h"
#include "keratin/activations/tables/tables.h"
#include "keratin/simd/target_includes.h"

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

using activations::FastKernel;

namespace definitions {

using activations::FastKernel;
using activations::FastKernels;
using activations::Info;
using activations::kNone;
using activations::kOneRounding;
using activations::Parameter;
using activations::parameter;
using activations::ParameterKind;
#define KERATIN_DEFINITION(name) KERATIN_DEFINITION_FILE(name)
#define KERATIN_ACTIVATION(name, Struct)
#include "keratin/activations/definitions/list.inc"

}  // namespace definitions

// A route is what a definition is run on: the type of the array (Lane), of the vectors read and written
// (Raw), and of the computation (Number).

// In the array's own type: for what is exact, or one rounding, there.
template <class T>
struct Native {
  using Lane = T;
  using Raw = Vec<T>;
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag<T>());

  static HWY_INLINE Raw read(const T* from) { return load(from); }
  static HWY_INLINE void write(Raw v, T* to) { store(v, to); }
  static HWY_INLINE Raw enter(Raw x) { return x; }
  static HWY_INLINE Raw leave(Raw y) { return y; }
  static HWY_INLINE Raw product(Raw slope, Raw upstream) { return slope * upstream; }
};

// f32 in f64, rounded once: about 0.5 ULP whatever the composition.
struct Promoted {
  using Lane = float;
  using Raw = Vec<double>;
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());

  static HWY_INLINE Raw read(const float* from) { return load_promoted(from); }
  static HWY_INLINE void write(Raw v, float* to) { store_rounded(v, to); }
  // A number beyond all floats stands for infinity: definitions take it to their limit, not to inf - inf.
  static HWY_INLINE Raw enter(Raw x) { return simd::HWY_NAMESPACE::detail::clamp(x, -0x1p200, 0x1p200); }
  static HWY_INLINE Raw leave(Raw y) { return y; }
  static HWY_INLINE Raw product(Raw slope, Raw upstream) { return slope * upstream; }
};

// f64 in wide numbers, rounded once.
struct Widened {
  using Lane = double;
  using Raw = Vec<double>;
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());

  static HWY_INLINE Raw read(const double* from) { return load(from); }
  static HWY_INLINE void write(Raw v, double* to) { store(v, to); }
  static HWY_INLINE Wide enter(Raw x) { return widen(x); }
  static HWY_INLINE Raw leave(Wide y) { return narrow(y); }
  static HWY_INLINE Raw product(Wide slope, Raw upstream) {
    if (all(upstream == set(1.0))) return narrow(slope);
    const Mask<double> finite = abs(upstream) < set(std::numeric_limits<double>::infinity());
    return where(finite, narrow(slope * widen(upstream)), narrow(slope) * upstream);
  }
};

template <class D, class X>
HWY_INLINE X derivative_of(const D& definition, X x) {
  if constexpr (requires { definition.derivative(x); }) {
    return definition.derivative(x);
  } else {
    return definition(Dual<X>{x, like(x, 1)}).slope;
  }
}

// A route that takes whole blocks through a kernel of its own: fast.inl.
template <class Route>
constexpr bool kHasKernel = requires {
  typename Route::Kernel;
};

template <class Route, class D>
HWY_INLINE void forward_block(const D& definition, const typename Route::Lane* x, typename Route::Lane* y) {
  if constexpr (kHasKernel<Route>) {
    Route::forward(definition, x, y);
  } else {
    const auto raw = Route::read(x);
    const auto result = Route::leave(definition(Route::enter(raw)));
    Route::write(where(is_nan(raw), raw, result), y);
  }
}

template <class Route, class D>
HWY_INLINE void gradient_block(const D& definition, const typename Route::Lane* x,
                               const typename Route::Lane* upstream, typename Route::Lane* out) {
  if constexpr (kHasKernel<Route>) {
    Route::gradient(definition, x, upstream, out);
  } else {
    const auto raw = Route::read(x), factor = Route::read(upstream);
    const auto result = Route::product(derivative_of(definition, Route::enter(raw)), factor);
    Route::write(where(is_nan(raw), raw, result), out);
  }
}

// The tail of an array goes through the same code as its body, in a padded buffer.
template <class Route, class D, class T>
void forward_loop(const D& definition, const T* x, T* y, std::size_t n) {
  constexpr std::size_t kLanes = Route::kLanes;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) forward_block<Route>(definition, x + i, y + i);
  if (i == n) return;
  T buffer[kLanes] = {};
  std::memcpy(buffer, x + i, (n - i) * sizeof(T));
  forward_block<Route>(definition, buffer, buffer);
  std::memcpy(y + i, buffer, (n - i) * sizeof(T));
}

template <class Route, class D, class T>
void gradient_loop(const D& definition, const T* x, const T* upstream, T* out, std::size_t n) {
  constexpr std::size_t kLanes = Route::kLanes;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) gradient_block<Route>(definition, x + i, upstream + i, out + i);
  if (i == n) return;
  T buffer[kLanes] = {}, factor[kLanes] = {};
  std::memcpy(buffer, x + i, (n - i) * sizeof(T));
  std::memcpy(factor, upstream + i, (n - i) * sizeof(T));
  gradient_block<Route>(definition, buffer, factor, buffer);
  std::memcpy(out + i, buffer, (n - i) * sizeof(T));
}

#include "keratin/activations/fast.inl"

template <class D>
constexpr bool kAlwaysExact = requires {
  requires D::exact_in_own_type();
};

template <class D>
constexpr bool kNeverExact = !requires(const D& d) {
  d.exact_in_own_type();
};

template <class D>
bool is_exact(const D& definition) {
  if constexpr (requires { definition.exact_in_own_type(); }) {
    return definition.exact_in_own_type();
  } else {
    return false;
  }
}

template <class T>
double rounded_to(double value) {
  if constexpr (std::is_same_v<T, float16>) {
    return to_float(to_float16(value));
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    return to_float(to_bfloat16(value));
  } else {
    return static_cast<T>(value);
  }
}

// The numbers among the parameters as x's type holds them: Keras casts them to it.
template <class T, class D, std::size_t... i>
HWY_INLINE void round_parameters(D& definition, std::index_sequence<i...>) {
  [[maybe_unused]] constexpr auto kParameters = D::parameters();
  ((kParameters[i].kind == activations::ParameterKind::flag
        ? void()
        : kParameters[i].set(&definition, rounded_to<T>(kParameters[i].get(&definition)))),
   ...);
}

// The struct behind `parameters`, its numbers as x's type T holds them.
template <class D, class T>
HWY_INLINE D definition_of(const void* parameters) {
  D d;
  std::memcpy(static_cast<void*>(&d), parameters, sizeof(D));
  if constexpr (!std::is_same_v<T, double>) {
    round_parameters<T>(d, std::make_index_sequence<D::parameters().size()>());
  }
  return d;
}

template <class D, class T>
struct Entry {
  using Route = std::conditional_t<std::is_same_v<T, float>, Promoted, Widened>;

  static void forward(const void* parameters, const T* x, T* y, std::size_t n) {
    const D d = definition_of<D, T>(parameters);
    if constexpr (std::is_same_v<T, float>) {
      if (fast_forward(d, x, y, n)) return;
    }
    if constexpr (kAlwaysExact<D>) {
      forward_loop<Native<T>>(d, x, y, n);
    } else if constexpr (requires { d.exact_in_own_type(); }) {
      if (is_exact(d)) return forward_loop<Native<T>>(d, x, y, n);
      forward_loop<Route>(d, x, y, n);
    } else {
      forward_loop<Route>(d, x, y, n);
    }
  }
  static void gradient(const void* parameters, const T* x, const T* upstream, T* out, std::size_t n) {
    const D d = definition_of<D, T>(parameters);
    if constexpr (std::is_same_v<T, float>) {
      if (fast_gradient(d, x, upstream, out, n)) return;
    }
    if constexpr (kAlwaysExact<D>) {
      gradient_loop<Native<T>>(d, x, upstream, out, n);
    } else if constexpr (requires { d.exact_in_own_type(); }) {
      if (is_exact(d)) return gradient_loop<Native<T>>(d, x, upstream, out, n);
      gradient_loop<Route>(d, x, upstream, out, n);
    } else {
      gradient_loop<Route>(d, x, upstream, out, n);
    }
  }
};

#include "keratin/activations/half_kernels.inl"

template <class D, std::size_t index>
constexpr activations::detail::Kernels kernels_of() {
  if constexpr (index % activations::detail::kFamilies == KERATIN_FAMILY) {
    return {{&Entry<D, float>::forward, &Entry<D, float>::gradient},
            {&Entry<D, double>::forward, &Entry<D, double>::gradient},
            {&HalfEntry<D, float16>::forward, &HalfEntry<D, float16>::gradient},
            {&HalfEntry<D, bfloat16>::forward, &HalfEntry<D, bfloat16>::gradient}};
  } else {
    return {};
  }
}

namespace {
constexpr activations::detail::Kernels kKernels[] = {
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) \
  kernels_of<definitions::Struct, static_cast<std::size_t>(activations::Index::name)>(),
#include "keratin/activations/definitions/list.inc"
};
}  // namespace

}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace keratin::inline v0::activations::detail {

template <>
Kernels family_kernels<KERATIN_FAMILY>(simd::Isa isa, std::size_t index) {
  switch (isa) {
#if HWY_TARGETS & HWY_AVX3
    case simd::Isa::avx512:
      return simd::N_AVX3::kKernels[index];
#endif
#if HWY_TARGETS & HWY_AVX2
    case simd::Isa::avx2:
      return simd::N_AVX2::kKernels[index];
#endif
#if HWY_TARGETS & HWY_SSE4
    case simd::Isa::sse4:
      return simd::N_SSE4::kKernels[index];
#endif
#if HWY_TARGETS & HWY_EMU128
    case simd::Isa::scalar:
      return simd::N_EMU128::kKernels[index];
#elif HWY_TARGETS & HWY_SCALAR
    case simd::Isa::scalar:
      return simd::N_SCALAR::kKernels[index];
#endif
    default:
      return {};
  }
}

}  // namespace keratin::inline v0::activations::detail
#endif
