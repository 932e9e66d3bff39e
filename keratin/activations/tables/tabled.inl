// The fast f32 kernels: a row of a table for each lane, picked by permutations or byte shuffles. About one
// cycle an element with AVX-512, whatever the function. Lanes outside the table take the definition itself,
// in f64; which way a lane goes depends on its own number alone, so the bits do not depend on its neighbours.

using FloatTag = Tag<float>;
using IndexTag = hn::RebindToSigned<FloatTag>;
using Floats = hn::Vec<FloatTag>;
using Indices = hn::Vec<IndexTag>;

HWY_INLINE Floats fused(Floats a, Floats b, Floats c) {
  return fma(Vec<float>{a}, Vec<float>{b}, Vec<float>{c}).raw;
}

// The smaller and the larger; NaN runs through.
HWY_INLINE Floats at_most(Floats limit, Floats x) { return min(Vec<float>{x}, Vec<float>{limit}).raw; }
HWY_INLINE Floats at_least(Floats limit, Floats x) { return max(Vec<float>{x}, Vec<float>{limit}).raw; }

// −0 too. Only to choose by: on x86 that looks at the highest bit alone.
HWY_INLINE hn::Mask<FloatTag> is_negative(Floats x) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
  return hn::MaskFromVec(x);
#else
  return hn::MaskFromVec(hn::BitCast(FloatTag(), hn::BroadcastSignBit(hn::BitCast(IndexTag(), x))));
#endif
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

#if HWY_TARGET == HWY_AVX2
// Four vectors at a time, byte by byte: shuffles of bytes are fast also where permutations are not, and fewer
// than the permutations and selections of a column.
constexpr std::size_t kTableVectors = 4;

// Sixteen numbers of a column: all their lowest bytes, all the next ones, ...
struct Bytes {
  alignas(16) std::uint8_t of[4][16];
};
// A table's columns in bytes.
template <std::size_t rows, std::size_t degree>
struct ByteTable {
  using Column = Bytes[rows / 16];
  explicit constexpr ByteTable(const activations::tables::Table<rows, degree>& table) {
    split(table.centre, centre);
    split(table.base, base);
    split(table.rise, rise);
    for (std::size_t k = 0; k < degree; ++k) split(table.q[k], q[k]);
  }
  static constexpr void split(const float (&from)[rows], Column& to) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t byte = 0; byte < 4; ++byte)
        to[i / 16].of[byte][i % 16] =
            static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(from[i]) >> (8 * byte));
    }
  }
  Column centre{}, base{}, rise{}, q[degree]{};
};
template <const auto& table>
inline constexpr ByteTable<table.kRows, table.kDegree> kColumnsOf{table};

// Where the lanes of kTableVectors stand, a byte for each; in the order in which unpacking bytes and then
// pairs of them gives the vectors back.
template <std::size_t kRows>
class Places {
 public:
  HWY_INLINE explicit Places(const Indices (&i)[kTableVectors]) {
    const __m256i mask = _mm256_set1_epi32(kRows - 1);
    __m256i low[kTableVectors];
    for (std::size_t u = 0; u < kTableVectors; ++u) low[u] = _mm256_and_si256(i[u].raw, mask);
    const __m256i bytes =
        _mm256_packus_epi16(_mm256_packus_epi32(low[0], low[1]), _mm256_packus_epi32(low[2], low[3]));
    if constexpr (kRows == 16) {
      of_[0] = bytes;
    } else {
      // A shuffle gives 0 for a byte with its highest bit set: that of the other sixteen rows.
      of_[0] = _mm256_add_epi8(bytes, _mm256_set1_epi8(0x70));
      of_[1] = _mm256_sub_epi8(bytes, _mm256_set1_epi8(16));
    }
  }
  HWY_INLINE __m256i look_up(const Bytes* from, std::size_t byte) const {
    __m256i found = shuffle(from[0].of[byte], of_[0]);
    if constexpr (kRows == 32) found = _mm256_or_si256(found, shuffle(from[1].of[byte], of_[1]));
    return found;
  }

 private:
  static HWY_INLINE __m256i shuffle(const std::uint8_t* from, __m256i places) {
    const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(from));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), places);
  }
  __m256i of_[kRows / 16];
};

template <std::size_t kRows>
class TableColumn {
 public:
  HWY_INLINE explicit TableColumn(const Bytes* from) : from_(from) {}
  HWY_INLINE void look_up(const Places<kRows>& places, Floats (&found)[kTableVectors]) const {
    __m256i byte[4];
    for (std::size_t k = 0; k < 4; ++k) byte[k] = places.look_up(from_, k);
    const __m256i low01 = _mm256_unpacklo_epi8(byte[0], byte[1]),
                  low23 = _mm256_unpacklo_epi8(byte[2], byte[3]);
    const __m256i high01 = _mm256_unpackhi_epi8(byte[0], byte[1]),
                  high23 = _mm256_unpackhi_epi8(byte[2], byte[3]);
    found[0] = Floats{_mm256_castsi256_ps(_mm256_unpacklo_epi16(low01, low23))};
    found[1] = Floats{_mm256_castsi256_ps(_mm256_unpackhi_epi16(low01, low23))};
    found[2] = Floats{_mm256_castsi256_ps(_mm256_unpacklo_epi16(high01, high23))};
    found[3] = Floats{_mm256_castsi256_ps(_mm256_unpackhi_epi16(high01, high23))};
  }

 private:
  const Bytes* from_;
};
#else
constexpr std::size_t kTableVectors = HWY_TARGET == HWY_AVX3 ? 4 : 1;

template <const auto& table>
inline constexpr const auto& kColumnsOf = table;

// Where the lanes of kTableVectors stand.
template <std::size_t kRows>
struct Places {
  HWY_INLINE explicit Places(const Indices (&i)[kTableVectors]) {
    for (std::size_t u = 0; u < kTableVectors; ++u) of[u] = i[u];
  }
  Indices of[kTableVectors];
};

template <std::size_t kRows>
class TableColumn {
 public:
  HWY_INLINE explicit TableColumn(const float* from) : column_(from) {}
  HWY_INLINE void look_up(const Places<kRows>& places, Floats (&found)[kTableVectors]) const {
    for (std::size_t u = 0; u < kTableVectors; ++u) found[u] = column_[places.of[u]];
  }

 private:
  const Column<kRows> column_;
};
#endif

// The first kRows rows of a table with kDegree of their coefficients.
template <const auto& table, std::size_t kRows, std::size_t kDegree>
class Rows {
 public:
  using Form = activations::tables::Form;
  using Symmetry = activations::tables::Symmetry;
  static constexpr const Form& form = table.form;

  using Columns = std::remove_cvref_t<decltype(kColumnsOf<table>)>;
  HWY_INLINE explicit Rows(const Columns& columns) : Rows(columns, std::make_index_sequence<kDegree>()) {}

  HWY_INLINE void operator()(const Floats (&x)[kTableVectors], Floats (&y)[kTableVectors]) const {
    constexpr std::size_t kVectors = kTableVectors;
    Floats t[kVectors], d[kVectors], p[kVectors], q[kVectors], base[kVectors], centre[kVectors];
    Indices i[kVectors];
    // In lockstep: the latency of one vector alone is what would limit.
    for (std::size_t u = 0; u < kVectors; ++u) t[u] = argument(x[u]);
    for (std::size_t u = 0; u < kVectors; ++u) i[u] = index(t[u]);
    const Places<kRows> places(i);
    centre_.look_up(places, centre);
    for (std::size_t u = 0; u < kVectors; ++u) d[u] = hn::Sub(t[u], centre[u]);
    q_[kDegree - 1].look_up(places, p);
    for (std::size_t k = kDegree - 1; k-- > 0;) {
      q_[k].look_up(places, q);
      for (std::size_t u = 0; u < kVectors; ++u) p[u] = fused(p[u], d[u], q[u]);
    }
    base_.look_up(places, base);
    if constexpr (kHasBeyond) {
      rise_.look_up(places, q);
      for (std::size_t u = 0; u < kVectors; ++u) base[u] = fused(d[u], q[u], base[u]);
    }
    Floats far[kVectors];
    if constexpr (kHasGateBeyond) {
      for (std::size_t u = 0; u < kVectors; ++u)
        far[u] = hn::Add(fused(d[u], p[u], base[u]), at_least(hn::Zero(FloatTag()), x[u]));
    }
    for (std::size_t u = 0; u < kVectors; ++u) other_side(x[u], centre[u], d[u], base[u], p[u]);
    for (std::size_t u = 0; u < kVectors; ++u) y[u] = result(x[u], t[u], d[u], base[u], p[u]);
    if constexpr (kHasGateBeyond) {
      for (std::size_t u = 0; u < kVectors; ++u) y[u] = hn::IfThenElse(is_near(t[u]), y[u], far[u]);
    }
  }

 private:
  template <std::size_t... k>
  HWY_INLINE Rows(const Columns& columns, std::index_sequence<k...>)
      : centre_(columns.centre),
        base_(columns.base),
        rise_(columns.rise),
        q_{TableColumn<kRows>(columns.q[k])...} {}

  static HWY_INLINE Floats argument(Floats x) {
    const FloatTag tag;
    if constexpr (form.symmetry == Symmetry::none) {
      return x;
    } else if constexpr (form.symmetry == Symmetry::below) {
      return at_least(hn::Set(tag, -form.reach), x);
    } else if constexpr (form.clamps) {
      return at_most(hn::Set(tag, form.reach), hn::Abs(x));
    } else {
      return hn::Abs(x);
    }
  }

  static constexpr bool kHasBeyond = kRows == 32 && (form.beyond.scale != 0 || form.beyond.square != 0);
  static constexpr bool kHasGateBeyond = kHasBeyond && form.symmetry == Symmetry::gate;
  static HWY_INLINE hn::Mask<FloatTag> is_near(Floats t) { return hn::Lt(t, hn::Set(FloatTag(), form.near)); }

  // The row's place in the columns stands in the low bits. What needs no multiplication is left to the units
  // for additions, as those for products are what limits.
  static HWY_INLINE Indices index(Floats t) {
    const FloatTag tag;
    using activations::tables::Index;
    if constexpr (form.index == Index::octaves) {
      const Floats start = hn::Set(tag, form.curve.start);
      const Floats z =
          form.curve.scale == -1 ? hn::Sub(start, t) : fused(t, hn::Set(tag, form.curve.scale), start);
      return hn::BitCast(IndexTag(), hn::ShiftRight<21>(hn::BitCast(IndexTag(), z)));
    } else if constexpr (form.index == Index::steps) {
      return step(t);
    } else {
      Floats place = along<form.curve>(t);
      if constexpr (kHasBeyond) place = hn::IfThenElse(is_near(t), place, along<form.beyond>(t));
      return hn::BitCast(IndexTag(), place);
    }
  }
  static HWY_INLINE Indices step(Floats t) {
    const FloatTag tag;
    constexpr float kPerStep = form.curve.scale;
#if HWY_TARGET == HWY_AVX3
    // Rounded down, to a spacing of one row.
    const Floats magic = hn::Set(tag, (0x1.8p23f + form.curve.start) / kPerStep);
    return hn::BitCast(IndexTag(),
                       Floats{_mm512_add_round_ps(t.raw, magic.raw, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)});
#else
    const Floats place = hn::Mul(t, hn::Set(tag, kPerStep));
#if HWY_TARGET == HWY_AVX2
    if constexpr (form.symmetry != Symmetry::none) return Indices{_mm256_cvttps_epi32(place.raw)};
#endif
    return hn::BitCast(IndexTag(), hn::Add(hn::Floor(place), hn::Set(tag, 0x1.8p23f + form.curve.start)));
#endif
  }
  template <const activations::tables::Curve& curve>
  static HWY_INLINE Floats along(Floats t) {
    const FloatTag tag;
    // The spacing of what is added last is one row.
    const Floats size = form.symmetry == Symmetry::none ? hn::Abs(t) : t;
    constexpr float kMagic = 0x1.8p23f + curve.start,
                    kPerRow = curve.square < 0 ? -curve.square : curve.square;
    if constexpr ((std::bit_cast<std::uint32_t>(kPerRow) & 0x7fffff) != 0) {
      const Floats slope = fused(size, hn::Set(tag, curve.square), hn::Set(tag, curve.scale));
      return fused(t, slope, hn::Set(tag, kMagic));
    } else {
      const Floats linear = hn::Set(tag, curve.scale / kPerRow);
      const Floats slope = curve.square < 0 ? hn::Sub(linear, size) : hn::Add(linear, size);
      return fused(t, slope, hn::Set(tag, kMagic / kPerRow));
    }
  }

  // Turns base and p into those of x's own side of 0, or of row 0.
  static HWY_INLINE void other_side(Floats x, Floats centre, Floats d, Floats& base, Floats& p) {
    const FloatTag tag;
    const auto negative = is_negative(x);
    const Floats one = hn::Set(tag, 1.0f);
    static_assert(form.root == 1 || form.root == 2);
    const Floats root = form.root == 2 ? hn::Add(d, d) : d;
    if constexpr (form.symmetry == Symmetry::odd) {
      base = hn::Max(base, root);
    } else if constexpr (form.symmetry == Symmetry::below) {
      base = hn::Min(base, root);
    } else if constexpr (form.symmetry == Symmetry::gate) {
      base = hn::IfThenElse(hn::Ge(x, hn::Zero(tag)), hn::Sub(one, base), base);
    } else if constexpr (form.symmetry == Symmetry::ramp) {
      base = hn::IfThenElse(negative, base, hn::Add(centre, base));
      p = hn::IfThenElse(negative, p, hn::Add(p, one));
    }
  }

  static HWY_INLINE Floats result(Floats x, Floats t, Floats d, Floats base, Floats p) {
    // x·(1 − g) with g = 1 − base + d·p is x·base + |x|·d·p for x < 0 too.
    if constexpr (form.symmetry == Symmetry::gate) return fused(x, base, hn::Mul(hn::Mul(t, d), p));
    if constexpr (form.power == 1) return hn::CopySign(fused(x, base, hn::Mul(x, hn::Mul(d, p))), x);
    if constexpr (form.power > 1) {
      // The power in two parts.
      Floats size = hn::Mul(t, t), rest = fused(t, t, hn::Neg(size));
      if constexpr (form.power == 3) {
        const Floats cube = hn::Mul(size, x);
        rest = fused(rest, x, fused(size, x, hn::Neg(cube)));
        size = cube;
      }
      const Floats y = hn::Mul(fused(size, base, fused(size, hn::Mul(d, p), hn::Mul(rest, base))),
                               hn::Set(FloatTag(), 1 / static_cast<float>(std::int64_t{1} << form.shift)));
      // For the sign of zero.
      return form.power == 3 ? hn::CopySign(y, x) : y;
    }
    const Floats y = fused(d, p, base);
    if constexpr (form.symmetry == Symmetry::complement)
      return hn::IfThenElse(hn::Ge(x, hn::Zero(FloatTag())), hn::Sub(hn::Set(FloatTag(), 1.0f), y), y);
    // For the sign of zero.
    return form.symmetry == Symmetry::odd ? hn::CopySign(y, x) : y;
  }

  const TableColumn<kRows> centre_, base_, rise_;
  const TableColumn<kRows> q_[kDegree];
};

// What is read through this is read where that stands, and not before the loop around it: in a rare branch.
// A call instead would keep its vectors in memory.
template <class T>
HWY_INLINE const T& here_only(const T& x) {
  const T* address = &x;
  asm volatile("" : "+r"(address));
  return *address;
}

// A kernel out of a table. Where the first 16 rows are enough for a whole group, only those are looked up:
// half the work, the same numbers.
template <const auto& table>
class Tabled {
 public:
  static constexpr const activations::tables::Form& form = table.form;
  static constexpr std::size_t kVectors = kTableVectors;
  /// Whether the kernel is right for every x. Where t is cut, infinity is like any large number, and NaN runs
  /// through.
  static constexpr bool kTotal = form.clamps;

  HWY_INLINE Tabled() : rows_(kColumnsOf<table>) {}

  static HWY_INLINE hn::Mask<FloatTag> inside(Floats x) {
    return hn::RebindMask(FloatTag(), hn::Lt(magnitude(x), whole(form.reach)));
  }

  /// Whether every lane of the group is inside.
  HWY_INLINE bool operator()(const Floats (&x)[kVectors], Floats (&y)[kVectors]) const {
    if constexpr (kTotal) {
      rows_(x, y);
      return true;
    } else {
      Indices largest = magnitude(x[0]);
      for (std::size_t u = 1; u < kVectors; ++u) largest = hn::Max(largest, magnitude(x[u]));
      if (kHasNear && HWY_UNLIKELY(!hn::AllTrue(IndexTag(), hn::Lt(largest, whole(form.near))))) {
        const Rows<table, table.kRows, table.kDegree> all(here_only(kColumnsOf<table>));
        all(x, y);
      } else {
        rows_(x, y);
        if constexpr (kHasNear) return true;
      }
      return hn::AllTrue(IndexTag(), hn::Lt(largest, whole(form.reach)));
    }
  }

 private:
  // Without registers for permutations there is nothing to win.
  static constexpr bool kHasNear = form.near != 0 && (HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2);

  // Compared as integers, NaN and infinity are the largest.
  static HWY_INLINE Indices magnitude(Floats x) { return hn::BitCast(IndexTag(), hn::Abs(x)); }
  static HWY_INLINE Indices whole(float x) { return hn::BitCast(IndexTag(), hn::Set(FloatTag(), x)); }

  const Rows<table, kHasNear ? 16 : table.kRows, kHasNear ? form.near_degree : table.kDegree> rows_;
};
