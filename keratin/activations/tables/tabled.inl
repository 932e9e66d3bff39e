// The fast f32 kernels: a row of a table for each lane, picked by a permutation. About one cycle an element
// with AVX-512, whatever the function. Lanes outside the table take the definition itself, in f64; which way
// a lane goes depends on its own number alone, so the bits do not depend on its neighbours.

using FloatTag = Tag<float>;
using IndexTag = hn::RebindToSigned<FloatTag>;
using Floats = hn::Vec<FloatTag>;
using Indices = hn::Vec<IndexTag>;

HWY_INLINE Floats fused(Floats a, Floats b, Floats c) {
  return fma(Vec<float>{a}, Vec<float>{b}, Vec<float>{c}).raw;
}

// A column of a table; [i] looks up the low bits of each lane's index.
template <std::size_t kRows>
class Column {
 public:
#if HWY_TARGET == HWY_AVX3
  HWY_INLINE explicit Column(const float* from)
      : low_{_mm512_load_ps(from)}, high_{_mm512_load_ps(from + kRows - 16)} {}
  HWY_INLINE Floats operator[](Indices i) const {
    if constexpr (kRows == 16) return Floats{_mm512_permutexvar_ps(i.raw, low_.raw)};
    return Floats{_mm512_permutex2var_ps(low_.raw, i.raw, high_.raw)};
  }

 private:
  Floats low_, high_;
#elif HWY_TARGET == HWY_AVX2
  HWY_INLINE explicit Column(const float* from) : from_(from) {}
  HWY_INLINE Floats operator[](Indices i) const {
    const __m256 bit3 = _mm256_castsi256_ps(_mm256_slli_epi32(i.raw, 28));
    const __m256 low = _mm256_blendv_ps(eight(0, i), eight(8, i), bit3);
    if constexpr (kRows == 16) return Floats{low};
    const __m256 bit4 = _mm256_castsi256_ps(_mm256_slli_epi32(i.raw, 27));
    const __m256 high = _mm256_blendv_ps(eight(kRows - 16, i), eight(kRows - 8, i), bit3);
    return Floats{_mm256_blendv_ps(low, high, bit4)};
  }

 private:
  HWY_INLINE __m256 eight(std::size_t first, Indices i) const {
    return _mm256_permutevar8x32_ps(_mm256_load_ps(from_ + first), i.raw);
  }
  const float* from_;
#else
  HWY_INLINE explicit Column(const float* from) : from_(from) {}
  HWY_INLINE Floats operator[](Indices i) const {
    constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());
    alignas(64) std::int32_t index[kLanes];
    alignas(64) float found[kLanes];
    hn::Store(i, IndexTag(), index);
    for (std::size_t k = 0; k < kLanes; ++k)
      found[k] = from_[static_cast<std::size_t>(index[k]) & (kRows - 1)];
    return hn::Load(FloatTag(), found);
  }

 private:
  const float* from_;
#endif
};

template <const auto& table>
class Tabled {
 public:
  using Form = activations::tables::Form;
  using Steps = activations::tables::Steps;
  using Symmetry = activations::tables::Symmetry;
  static constexpr const Form& form = table.form;
  static constexpr std::size_t kRows = table.kRows, kDegree = table.kDegree;
  static constexpr bool kOtherSide = form.symmetry == Symmetry::complement || form.symmetry == Symmetry::ramp;
  static constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());
  // Vectors in lockstep: latency is what limits one alone, registers what limits many.
  static constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? (kRows == 16 ? 4 : 2) : 1;

  HWY_INLINE Tabled() : Tabled(std::make_index_sequence<kDegree>()) {}

  /// Whether every lane of the group is inside the table; NaN is not.
  static HWY_INLINE bool holds(const Floats (&x)[kVectors]) {
    const IndexTag tag;
    // Compared as integers, NaN and infinity are the largest.
    Indices largest = hn::BitCast(tag, hn::Abs(x[0]));
    for (std::size_t u = 1; u < kVectors; ++u) largest = hn::Max(largest, hn::BitCast(tag, hn::Abs(x[u])));
    return hn::AllTrue(tag, hn::Lt(largest, hn::Set(tag, limit())));
  }
  /// The lanes inside.
  static HWY_INLINE hn::Mask<FloatTag> inside(Floats x) {
    const IndexTag tag;
    return hn::RebindMask(FloatTag(), hn::Lt(hn::BitCast(tag, hn::Abs(x)), hn::Set(tag, limit())));
  }

  HWY_INLINE void operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    const FloatTag tag;
    Floats t[kVectors], d[kVectors], p[kVectors], base[kVectors];
    Indices i[kVectors];
    for (std::size_t u = 0; u < kVectors; ++u) {
      t[u] = form.symmetry == Symmetry::none ? x[u] : hn::Abs(x[u]);
      if constexpr (form.clamps) t[u] = hn::Min(t[u], hn::Set(tag, form.reach));
      i[u] = index(t[u]);
    }
    for (std::size_t u = 0; u < kVectors; ++u) d[u] = hn::Sub(t[u], centre_[i[u]]);
    for (std::size_t u = 0; u < kVectors; ++u) p[u] = q_[kDegree - 1][i[u]];
    for (std::size_t k = kDegree - 1; k-- > 0;) {
      for (std::size_t u = 0; u < kVectors; ++u) p[u] = fused(p[u], d[u], q_[k][i[u]]);
    }
    for (std::size_t u = 0; u < kVectors; ++u) base[u] = base_[i[u]];
    if constexpr (kOtherSide) {
      for (std::size_t u = 0; u < kVectors; ++u) {
        const auto negative =
            hn::MaskFromVec(hn::BitCast(tag, hn::BroadcastSignBit(hn::BitCast(IndexTag(), x[u]))));
        base[u] = hn::IfThenElse(negative, base[u], mirrored_[i[u]]);
        if constexpr (form.symmetry == Symmetry::complement) {
          p[u] = hn::Xor(p[u], hn::AndNot(x[u], hn::SignBit(tag)));
        } else {
          p[u] = hn::IfThenElse(negative, p[u], hn::Add(p[u], hn::Set(tag, 1.0f)));
        }
      }
    }
    for (std::size_t u = 0; u < kVectors; ++u) {
      if constexpr (form.product) {
        const Floats factor = form.clamps ? hn::CopySign(t[u], x[u]) : x[u];
        y[u] = fused(factor, base[u], hn::Mul(factor, hn::Mul(d[u], p[u])));
      } else {
        y[u] = fused(d[u], p[u], base[u]);
      }
    }
  }

 private:
  template <std::size_t... k>
  explicit HWY_INLINE Tabled(std::index_sequence<k...>)
      : centre_(table.centre),
        base_(table.base),
        mirrored_(table.mirrored),
        q_{Column<kRows>(table.q[k])...} {}

  // Where a table clamps, only NaN and infinity are outside.
  static constexpr std::int32_t limit() {
    return form.clamps ? 0x7F800000 : std::bit_cast<std::int32_t>(form.reach);
  }

  // The row number stands in the low bits of a float whose spacing is one row.
  static HWY_INLINE Indices index(Floats t) {
    const FloatTag tag;
    if constexpr (form.steps == Steps::even_steps) {
      return hn::BitCast(IndexTag(), hn::Add(t, hn::Set(tag, 0x1.8p22f)));
    } else if constexpr (form.steps == Steps::octaves) {
      return hn::ShiftRight<21>(
          hn::BitCast(IndexTag(), fused(t, hn::Set(tag, form.scale), hn::Set(tag, 1.0f))));
    } else {
      const Floats slope = form.square == 0 ? hn::Set(tag, form.scale)
                                            : fused(t, hn::Set(tag, form.square), hn::Set(tag, form.scale));
      return hn::BitCast(IndexTag(), fused(t, slope, hn::Set(tag, 0x1.8p23f)));
    }
  }

  const Column<kRows> centre_, base_, mirrored_;
  const Column<kRows> q_[kDegree];
};
