// The route through a fast kernel: f32 in f32, a group of vectors at a time. Lanes outside the kernel's range
// take the definition in f64, later.
#include "keratin/activations/tables/kernels.inl"

#include "keratin/activations/later.inl"

template <class K>
struct Tables;

// What this route runs on: a kernel with its tables loaded, and the definition for the lanes outside.
template <class K, class D>
struct Prepared {
  using Route = Tables<K>;
  /// Whether a slope may be infinite.
  static constexpr bool kUnbounded = [] {
    if constexpr (requires { K::kUnbounded; }) return K::kUnbounded;
    return false;
  }();
  HWY_INLINE explicit Prepared(const D& d) : kernel(kernel_for<K>(d)), definition(d) {}
  const K kernel;
  const D& definition;
};

template <class K>
struct Tables {
  using Kernel = K;
  using Lane = float;
  static constexpr std::size_t kVectors = K::kVectors, kWidth = hn::MaxLanes(FloatTag());
  static constexpr std::size_t kLanes = kVectors * kWidth;
  static constexpr bool kTotal = K::kTotal;
  using Group = Floats[kVectors];
  using Block = FloatBlock<kVectors>;
  using Values = std::conditional_t<kTotal, NothingLeft, Later<float, false>>;
  using Slopes = std::conditional_t<kTotal, NothingLeft, Later<float, true>>;

  template <class D>
  static HWY_INLINE void forward(const Prepared<K, D>& f, const float* x, float* y, bool streams,
                                 Values& later) {
    Group in, out;
    load_group(x, in);
    if (HWY_UNLIKELY(!values(f, in, out))) keep(f, x, x, y, later);
    store_group(out, y, streams);
  }
  template <class D>
  static HWY_INLINE void gradient(const Prepared<K, D>& f, const float* x, const float* upstream, float* out,
                                  bool streams, Slopes& later) {
    Group in, factor, slope;
    load_group(x, in);
    load_group(upstream, factor);
    const bool inside = products(f, in, factor, slope);
    if (HWY_UNLIKELY(!inside)) keep(f, x, upstream, out, later);
    store_group(slope, out, streams);
  }

#if HWY_TARGET == HWY_AVX3
  /// n < kLanes by masks, which reach no memory beyond; false, and nothing is stored, where some are outside.
  template <class D>
  static HWY_INLINE bool forward_few(const Prepared<K, D>& f, const float* x, float* y, std::size_t n) {
    Group in, out;
    load_few(x, n, in);
    if (HWY_UNLIKELY(!values(f, in, out))) return false;
    store_few(out, y, n);
    return true;
  }
  template <class D>
  static HWY_INLINE bool gradient_few(const Prepared<K, D>& f, const float* x, const float* upstream,
                                      float* out, std::size_t n) {
    Group in, factor, slope;
    load_few(x, n, in);
    load_few(upstream, n, factor);
    if (HWY_UNLIKELY(!products(f, in, factor, slope))) return false;
    store_few(slope, out, n);
    return true;
  }
#endif

  // Whether all of them are right; those outside() are not.
  template <class D>
  static HWY_INLINE bool values(const Prepared<K, D>& f, const Group& in, Group& out) {
    return f.kernel(in, out) || kTotal;
  }
  template <class D>
  static HWY_INLINE bool slopes(const Prepared<K, D>& f, const Group& in, Group& out) {
    return f.kernel(in, out) || kTotal;
  }
  static HWY_INLINE Mask<float> outside(Floats x) { return !Mask<float>{K::inside(x)}; }

 private:
  template <class D>
  static HWY_INLINE bool products(const Prepared<K, D>& f, const Group& in, const Group& upstream,
                                  Group& out) {
    const bool inside = slopes(f, in, out);
    for (std::size_t u = 0; u < kVectors; ++u) out[u] = hn::Mul(out[u], upstream[u]);
    return inside;
  }
  static HWY_INLINE void load_group(const float* from, Group& to) {
    for (std::size_t u = 0; u < kVectors; ++u) to[u] = hn::LoadU(FloatTag(), from + u * kWidth);
  }
  static HWY_INLINE void store_group(const Group& from, float* to, bool streams) {
    for (std::size_t u = 0; u < kVectors; ++u) store_raw(from[u], FloatTag(), to + u * kWidth, streams);
  }
  static HWY_INLINE void load_few(const float* from, std::size_t n, Group& to) {
    for (std::size_t u = 0; u < kVectors; ++u)
      to[u] = hn::MaskedLoad(lanes_among(FloatTag(), u * kWidth, n), FloatTag(), from + u * kWidth);
  }
  static HWY_INLINE void store_few(const Group& from, float* to, std::size_t n) {
    for (std::size_t u = 0; u < kVectors; ++u)
      hn::BlendedStore(from[u], lanes_among(FloatTag(), u * kWidth, n), FloatTag(), to + u * kWidth);
  }
  // Not inlined: what a rare branch needs would live in memory always.
  template <class D, class Kept>
  static HWY_NOINLINE void keep(const Prepared<K, D>& f, const float* x, const float* upstream, float* to,
                                Kept& later) {
    if constexpr (!kTotal) {
      Vec<float> in[kVectors], factor[kVectors];
      Mask<float> lanes[kVectors];
      for (std::size_t u = 0; u < kVectors; ++u) {
        in[u] = load(x + u * kWidth);
        factor[u] = load(upstream + u * kWidth);
        lanes[u] = outside(in[u].raw);
      }
      later.template add<Block>(f, lanes, in, factor, to);
    }
  }
};

// The definition's kernels for its parameters, by their place in kFast.
template <class D>
HWY_INLINE std::size_t fast_place(const D& d) {
  if constexpr (requires { d.fast(); }) {
    return d.fast();
  } else {
    return 0;
  }
}

/// Calls run(Prepared) where the definition has a fast kernel for these parameters; whether it has.
template <std::size_t place = 0, class D, class Run>
HWY_INLINE bool with_fast_value(const D& d, const Run& run) {
  if constexpr (requires { D::kFast[0]; }) {
    if constexpr (place < std::size(D::kFast)) {
      if (fast_place(d) != place) return with_fast_value<place + 1>(d, run);
      if constexpr (D::kFast[place].value != FastKernel::none) {
        run(Prepared<typename fast::Of<D::kFast[place].value>::Type, D>(d));
        return true;
      }
    }
  }
  return false;
}

template <std::size_t place = 0, class D, class Run>
HWY_INLINE bool with_fast_slope(const D& d, const Run& run) {
  if constexpr (requires { D::kFast[0]; }) {
    if constexpr (place < std::size(D::kFast)) {
      if (fast_place(d) != place) return with_fast_slope<place + 1>(d, run);
      if constexpr (D::kFast[place].slope != FastKernel::none) {
        run(Prepared<typename fast::Of<D::kFast[place].slope>::Type, D>(d));
        return true;
      }
    }
  }
  return false;
}
