// The loops of all element-wise activations, for the instruction set being compiled; the only ones there are.
// Included once for each instruction set by what kernels.cc.in becomes for a definition: KERATIN_KERNELS_OF
// is its name, KERATIN_KERNELS_STRUCT its struct.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <utility>

#include "keratin/activations/definition.h"
#include "keratin/activations/definition_names.h"
#include "keratin/activations/kernels.h"
#include "keratin/activations/tables/tables.h"
#include "keratin/simd/choose.h"
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
// Tables name others than their own.
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) struct Struct;
#include "keratin/activations/definitions/list.inc"
#include KERATIN_DEFINITION_FILE(KERATIN_KERNELS_OF)

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
  static HWY_INLINE void write(Raw v, T* to, bool streams) { store_raw(v.raw, Tag<T>(), to, streams); }
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
  static HWY_INLINE void write(Raw v, float* to, bool streams) { store_rounded(v, to, streams); }
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
  static HWY_INLINE void write(Raw v, double* to, bool streams) {
    store_raw(v.raw, Tag<double>(), to, streams);
  }
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

// What a route leaves for later between blocks; most leave nothing.
struct NothingLeft {
  template <class F>
  HWY_INLINE void settle(const F&) const {}
};
template <class Route>
struct LeftBy {
  using Values = NothingLeft;
  using Slopes = NothingLeft;
};
template <class Route>
requires requires { typename Route::Values; }
struct LeftBy<Route> {
  using Values = typename Route::Values;
  using Slopes = typename Route::Slopes;
};

// A block is the smallest piece that a route computes: a vector, or several in lockstep.
template <class Route, class D, class Left = const NothingLeft>
HWY_INLINE void forward_block(const D& definition, const typename Route::Lane* x, typename Route::Lane* y,
                              bool streams, Left& left = NothingLeft()) {
  if constexpr (requires { Route::forward(definition, x, y, streams, left); }) {
    Route::forward(definition, x, y, streams, left);
  } else if constexpr (requires { Route::forward(definition, x, y, streams); }) {
    Route::forward(definition, x, y, streams);
  } else {
    const auto raw = Route::read(x);
    auto result = Route::leave(definition(Route::enter(raw)));
    if constexpr (!requires { definition.keeps_nan(); }) result = where(is_nan(raw), raw, result);
    Route::write(result, y, streams);
  }
}

template <class Route, class D, class Left = const NothingLeft>
HWY_INLINE void gradient_block(const D& definition, const typename Route::Lane* x,
                               const typename Route::Lane* upstream, typename Route::Lane* out, bool streams,
                               Left& left = NothingLeft()) {
  if constexpr (requires { Route::gradient(definition, x, upstream, out, streams, left); }) {
    Route::gradient(definition, x, upstream, out, streams, left);
  } else if constexpr (requires { Route::gradient(definition, x, upstream, out, streams); }) {
    Route::gradient(definition, x, upstream, out, streams);
  } else {
    const auto raw = Route::read(x), factor = Route::read(upstream);
    const auto result = Route::product(derivative_of(definition, Route::enter(raw)), factor);
    Route::write(where(is_nan(raw), raw, result), out, streams);
  }
}

// f64 in close numbers, and in wide ones where those leave the rounding in doubt: the same bits. Which way a
// lane goes depends on its own number alone.
struct Settling {
  using Lane = double;
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());

  template <class D>
  static HWY_INLINE void forward(const D& definition, const double* x, double* y, bool streams) {
    const Vec<double> raw = load(x);
    const Settled result = settled(definition(close(raw)), raw);
    const bool certain = HWY_LIKELY(all(result.certain));
    Widened::write(certain ? result.value : mended(definition, raw, result), y, streams);
  }
  template <class D>
  static HWY_INLINE void gradient(const D& definition, const double* x, const double* upstream, double* out,
                                  bool streams) {
    const Vec<double> raw = load(x), factor = load(upstream);
    const Settled result = settled(derivative_of(definition, close(raw)) * close(factor), raw);
    const bool certain = HWY_LIKELY(all(result.certain));
    Widened::write(certain ? result.value : mended(definition, raw, factor, result), out, streams);
  }

 private:
  // NaN may have lost itself in a comparison.
  static HWY_INLINE Settled settled(Close y, Vec<double> x) {
    const Settled result = settle(y);
    return {result.value, result.certain && x == x};
  }
  template <class D>
  static HWY_NOINLINE Vec<double> mended(const D& definition, Vec<double> x, Settled result) {
    double lanes[kLanes];
    store(x, lanes);
    forward_block<Widened>(definition, lanes, lanes, false);
    return where(result.certain, result.value, load(lanes));
  }
  template <class D>
  static HWY_NOINLINE Vec<double> mended(const D& definition, Vec<double> x, Vec<double> upstream,
                                         Settled result) {
    double lanes[kLanes], factors[kLanes];
    store(x, lanes);
    store(upstream, factors);
    gradient_block<Widened>(definition, lanes, factors, lanes, false);
    return where(result.certain, result.value, load(lanes));
  }
};

// How many elements lie before the next one on a boundary of 64 bytes, the line that a streaming store fills.
template <class T>
HWY_INLINE std::size_t elements_to_line(const T* to, std::size_t n) {
  const std::size_t past = reinterpret_cast<std::uintptr_t>(to) % 64 / sizeof(T);
  return past == 0 ? 0 : std::min(64 / sizeof(T) - past, n);
}

// Asks memory for what will be read 4 KiB on. Not in gradients, whose two inputs come sooner without.
template <std::size_t kLanes, class T>
HWY_INLINE void expect(const T* from) {
  constexpr std::size_t kAhead = 4096, kLine = 64;
  for (std::size_t at = 0; at < kLanes * sizeof(T); at += kLine)
    hwy::Prefetch(reinterpret_cast<const char*>(from) + kAhead + at);
}

// Less than a block goes through the same code as the rest: by masks where a route does, else in a padded
// buffer.
template <class Route, class D, class T>
HWY_NOINLINE void forward_part(const D& definition, const T* x, T* y, std::size_t n) {
  if constexpr (requires { Route::forward_few(definition, x, y, n); }) {
    if (HWY_LIKELY(Route::forward_few(definition, x, y, n))) return;
  }
  T buffer[Route::kLanes] = {};
  std::memcpy(buffer, x, n * sizeof(T));
  typename LeftBy<Route>::Values left;
  forward_block<Route>(definition, buffer, buffer, false, left);
  left.settle(definition);
  std::memcpy(y, buffer, n * sizeof(T));
}

template <class Route, class D, class T>
HWY_NOINLINE void gradient_part(const D& definition, const T* x, const T* upstream, T* out, std::size_t n) {
  if constexpr (requires { Route::gradient_few(definition, x, upstream, out, n); }) {
    if (HWY_LIKELY(Route::gradient_few(definition, x, upstream, out, n))) return;
  }
  T buffer[Route::kLanes] = {}, factor[Route::kLanes] = {};
  std::memcpy(buffer, x, n * sizeof(T));
  std::memcpy(factor, upstream, n * sizeof(T));
  typename LeftBy<Route>::Slopes left;
  gradient_block<Route>(definition, buffer, factor, buffer, false, left);
  left.settle(definition);
  std::memcpy(out, buffer, n * sizeof(T));
}

// A few numbers are copied, so that what is stored cannot change them and they stay in registers; a kernel's
// tables are not.
template <class D>
struct Held {
  using Type = const D;
};
template <class D>
requires(sizeof(D) > 64 || !std::is_trivially_copyable_v<D>) struct Held<D> {
  using Type = const D&;
};

// Whether a result is streamed is asked at every store: a branch that goes the same way is free beside them.
template <class Route, class D, class T>
void forward_loop(const D& given, const T* x, T* y, std::size_t n, bool streams) {
  constexpr std::size_t kLanes = Route::kLanes;
  typename Held<D>::Type definition = given;
  std::size_t i = 0;
  if (streams) {
    for (const std::size_t head = elements_to_line(y, n); i < head; i += std::min(kLanes, head - i)) {
      forward_part<Route>(definition, x + i, y + i, std::min(kLanes, head - i));
    }
  }
  typename LeftBy<Route>::Values left;
  for (; i + kLanes <= n; i += kLanes) {
    if (streams) expect<kLanes>(x + i);
    forward_block<Route>(definition, x + i, y + i, streams, left);
  }
  left.settle(definition);
  if (i < n) forward_part<Route>(definition, x + i, y + i, n - i);
  if (streams) hwy::FlushStream();
}

template <class Route, class D, class T>
void gradient_loop(const D& given, const T* x, const T* upstream, T* out, std::size_t n, bool streams) {
  constexpr std::size_t kLanes = Route::kLanes;
  typename Held<D>::Type definition = given;
  std::size_t i = 0;
  if (streams) {
    for (const std::size_t head = elements_to_line(out, n); i < head; i += std::min(kLanes, head - i)) {
      gradient_part<Route>(definition, x + i, upstream + i, out + i, std::min(kLanes, head - i));
    }
  }
  typename LeftBy<Route>::Slopes left;
  for (; i + kLanes <= n; i += kLanes)
    gradient_block<Route>(definition, x + i, upstream + i, out + i, streams, left);
  left.settle(definition);
  if (i < n) gradient_part<Route>(definition, x + i, upstream + i, out + i, n - i);
  if (streams) hwy::FlushStream();
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

// Not inlined: g++ 12 rounds neighbouring members in one vector for comparisons and then stores them as they
// were.
template <class T>
HWY_NOINLINE double rounded_to(double value) {
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

// With default parameters, which the compiler then knows: what they leave idle costs nothing.
template <class D>
struct WithDefaults {
  static constexpr bool keeps_nan() requires requires { D::keeps_nan(); }
  { return true; }
  template <class X>
  HWY_INLINE X operator()(X x) const {
    return D()(x);
  }
  template <class X>
  HWY_INLINE X derivative(X x) const {
    return derivative_of(D(), x);
  }
};
template <class D, std::size_t... i>
HWY_INLINE bool has_defaults(const D& rounded, std::index_sequence<i...>) {
  [[maybe_unused]] constexpr auto kParameters = D::parameters();
  return ((kParameters[i].get(&rounded) == static_cast<float>(kParameters[i].default_value)) && ...);
}
/// Calls run(definition), which knows its parameters where they are the defaults.
template <class D, class Run>
HWY_INLINE void with_defaults_known(const D& d, const Run& run) {
  if (has_defaults(d, std::make_index_sequence<D::parameters().size()>())) return run(WithDefaults<D>());
  run(d);
}
/// Calls run(definition) where the definition is exact in T for these parameters; whether it is.
template <class T, class D, class Run>
HWY_INLINE bool with_exact(const D& d, const Run& run) {
  if constexpr (kNeverExact<D>) {
    return false;
  } else {
    if (!is_exact(d)) return false;
    if constexpr (std::is_same_v<T, float>) {
      with_defaults_known(d, run);
    } else {
      run(d);
    }
    return true;
  }
}

template <class D, class T>
struct Entry {
  // Where fused multiply-adds are emulated, wide numbers alone are as fast.
  using Route = std::conditional_t<std::is_same_v<T, float>, Promoted,
                                   std::conditional_t<HWY_NATIVE_FMA, Settling, Widened>>;

  static void forward(const void* parameters, const T* x, T* y, std::size_t n, bool streams) {
    const D d = definition_of<D, T>(parameters);
    if constexpr (std::is_same_v<T, float>) {
      const auto run = [&]<class F>(const F& f) { forward_loop<typename F::Route>(f, x, y, n, streams); };
      if (with_fast_value(d, run)) return;
    }
    const auto run_exact = [&](const auto& f) { forward_loop<Native<T>>(f, x, y, n, streams); };
    if (with_exact<T>(d, run_exact)) return;
    if constexpr (!kAlwaysExact<D>) forward_loop<Route>(d, x, y, n, streams);
  }
  static void gradient(const void* parameters, const T* x, const T* upstream, T* out, std::size_t n,
                       bool streams) {
    const D d = definition_of<D, T>(parameters);
    if constexpr (std::is_same_v<T, float>) {
      const auto run = [&]<class F>(const F& f) {
        gradient_loop<typename F::Route>(f, x, upstream, out, n, streams);
      };
      if (with_fast_slope(d, run)) return;
    }
    const auto run_exact = [&](const auto& f) { gradient_loop<Native<T>>(f, x, upstream, out, n, streams); };
    if (with_exact<T>(d, run_exact)) return;
    if constexpr (!kAlwaysExact<D>) gradient_loop<Route>(d, x, upstream, out, n, streams);
  }
};

#include "keratin/activations/half_kernels.inl"

namespace {
template <class D>
constexpr activations::detail::Kernels kKernelsOf{
    {&Entry<D, float>::forward, &Entry<D, float>::gradient},
    {&Entry<D, double>::forward, &Entry<D, double>::gradient},
    {&HalfEntry<D, float16>::forward, &HalfEntry<D, float16>::gradient},
    {&HalfEntry<D, bfloat16>::forward, &HalfEntry<D, bfloat16>::gradient}};
constexpr const activations::detail::Kernels& kKernels = kKernelsOf<definitions::KERATIN_KERNELS_STRUCT>;
}  // namespace

}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace keratin::inline v0::activations::detail {

template <>
Kernels kernels_of<Index::KERATIN_KERNELS_OF>(simd::Isa isa) {
  KERATIN_CHOOSE(isa, simd, kKernels)
}

}  // namespace keratin::inline v0::activations::detail
#endif
