// The route through a fast kernel: f32 in f32, a group of vectors at a time. Lanes outside the kernel's range
// take the definition in f64; which way a lane goes depends on its own number alone, so the bits depend on no
// neighbour.
#include "keratin/activations/tables/kernels.inl"

template <class K>
struct Tables;

// What this route runs on: a kernel with its tables loaded, and the definition for the lanes outside.
template <class K, class D>
struct Prepared {
  using Route = Tables<K>;
  HWY_INLINE explicit Prepared(const D& d) : kernel(kernel_for<K>(d)), definition(d) {}
  const K kernel;
  const D& definition;
};

template <class K>
struct Tables {
  using Lane = float;
  static constexpr std::size_t kVectors = K::kVectors, kWidth = hn::MaxLanes(FloatTag());
  static constexpr std::size_t kLanes = kVectors * kWidth;
  using Group = Floats[kVectors];

  template <class D>
  static HWY_INLINE void forward(const Prepared<K, D>& f, const float* x, float* y, bool streams) {
    Group in, out;
    load_group(x, in);
    values(f, in, out);
    store_group(out, y, streams);
  }
  template <class D>
  static HWY_INLINE void values(const Prepared<K, D>& f, const Group& in, Group& out) {
    const bool inside = f.kernel(in, out);
    if constexpr (!K::kTotal) {
      if (HWY_UNLIKELY(!inside)) mend(f.definition, in, out);
    }
  }
  // Of a slope's kernel.
  template <class D>
  static HWY_INLINE void slopes(const Prepared<K, D>& f, const Group& in, Group& out) {
    const bool inside = f.kernel(in, out);
    if constexpr (!K::kTotal) {
      if (HWY_LIKELY(inside)) return;
      Group ones;
      for (std::size_t u = 0; u < kVectors; ++u) ones[u] = hn::Set(FloatTag(), 1.0f);
      mend(f.definition, in, ones, out);
    }
  }

  template <class D>
  static HWY_INLINE void gradient(const Prepared<K, D>& f, const float* x, const float* upstream, float* out,
                                  bool streams) {
    Group in, factor, slope;
    load_group(x, in);
    load_group(upstream, factor);
    const bool inside = f.kernel(in, slope);
    for (std::size_t u = 0; u < kVectors; ++u) slope[u] = hn::Mul(slope[u], factor[u]);
    if constexpr (!K::kTotal) {
      if (HWY_UNLIKELY(!inside)) mend(f.definition, in, factor, slope);
    }
    store_group(slope, out, streams);
  }

 private:
  static HWY_INLINE void load_group(const float* from, Group& to) {
    for (std::size_t u = 0; u < kVectors; ++u) to[u] = hn::LoadU(FloatTag(), from + u * kWidth);
  }
  static HWY_INLINE void store_group(const Group& from, float* to, bool streams) {
    for (std::size_t u = 0; u < kVectors; ++u) store_raw(from[u], FloatTag(), to + u * kWidth, streams);
  }

  static HWY_INLINE void copy(const Group& from, Group& to) {
    for (std::size_t u = 0; u < kVectors; ++u) to[u] = from[u];
  }
  // Puts the lanes outside right. On copies: groups whose address a call takes live in memory always, which
  // costs a tenth of the time.
  template <class D>
  static HWY_INLINE void mend(const D& definition, const Group& in, Group& out) {
    Group x, y;
    copy(in, x);
    copy(out, y);
    outside(definition, x, y);
    copy(y, out);
  }
  template <class D>
  static HWY_INLINE void mend(const D& definition, const Group& in, const Group& factor, Group& out) {
    Group x, upstream, y;
    copy(in, x);
    copy(factor, upstream);
    copy(out, y);
    outside(definition, x, upstream, y);
    copy(y, out);
  }
  template <class D>
  static HWY_NOINLINE void outside(const D& definition, const Group& in, Group& out) {
    const FloatTag tag;
    for (std::size_t u = 0; u < kVectors; ++u) {
      const auto inside = K::inside(in[u]);
      if (hn::AllTrue(tag, inside)) continue;
      alignas(64) float x[kWidth], y[kWidth];
      hn::Store(in[u], tag, x);
      for (std::size_t i = 0; i < kWidth; i += Promoted::kLanes) {
        forward_block<Promoted>(definition, x + i, y + i, false);
      }
      out[u] = hn::IfThenElse(inside, out[u], hn::Load(tag, y));
    }
  }
  template <class D>
  static HWY_NOINLINE void outside(const D& definition, const Group& in, const Group& factor, Group& out) {
    const FloatTag tag;
    for (std::size_t u = 0; u < kVectors; ++u) {
      const auto inside = K::inside(in[u]);
      if (hn::AllTrue(tag, inside)) continue;
      alignas(64) float x[kWidth], upstream[kWidth], y[kWidth];
      hn::Store(in[u], tag, x);
      hn::Store(factor[u], tag, upstream);
      for (std::size_t i = 0; i < kWidth; i += Promoted::kLanes) {
        gradient_block<Promoted>(definition, x + i, upstream + i, y + i, false);
      }
      out[u] = hn::IfThenElse(inside, out[u], hn::Load(tag, y));
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
