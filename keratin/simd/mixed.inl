// Values combined with constants, and what follows from comparison alone; for every value type at once.

template <Value X>
HWY_INLINE X operator+(X a, Constant b) {
  return a + like(a, b);
}
template <Value X>
HWY_INLINE X operator+(Constant a, X b) {
  return like(b, a) + b;
}
template <Value X>
HWY_INLINE X operator-(X a, Constant b) {
  return a - like(a, b);
}
template <Value X>
HWY_INLINE X operator-(Constant a, X b) {
  return like(b, a) - b;
}
template <Value X>
HWY_INLINE X operator*(X a, Constant b) {
  return a * like(a, b);
}
template <Value X>
HWY_INLINE X operator*(Constant a, X b) {
  return like(b, a) * b;
}
template <Value X>
HWY_INLINE X operator/(X a, Constant b) {
  return a / like(a, b);
}
template <Value X>
HWY_INLINE X operator/(Constant a, X b) {
  return like(b, a) / b;
}

template <Value X>
HWY_INLINE auto operator<(X a, Constant b) {
  return a < like(a, b);
}
template <Value X>
HWY_INLINE auto operator<=(X a, Constant b) {
  return a <= like(a, b);
}
template <Value X>
HWY_INLINE auto operator>(X a, Constant b) {
  return a > like(a, b);
}
template <Value X>
HWY_INLINE auto operator>=(X a, Constant b) {
  return a >= like(a, b);
}
template <Value X>
HWY_INLINE auto operator==(X a, Constant b) {
  return a == like(a, b);
}

template <class M, Value X>
HWY_INLINE X where(M m, X a, Constant b) {
  return where(m, a, like(a, b));
}
template <class M, Value X>
HWY_INLINE X where(M m, Constant a, X b) {
  return where(m, like(b, a), b);
}

/// The smaller; a where they are equal or one is NaN.
template <Value X>
HWY_INLINE X min(X a, X b) {
  return where(b < a, b, a);
}
template <Value X>
HWY_INLINE X min(X a, Constant b) {
  return min(a, like(a, b));
}
/// The larger; a where they are equal or one is NaN.
template <Value X>
HWY_INLINE X max(X a, X b) {
  return where(a < b, b, a);
}
template <Value X>
HWY_INLINE X max(X a, Constant b) {
  return max(a, like(a, b));
}
template <Value X>
HWY_INLINE X square(X a) {
  return a * a;
}

/// sigmoid(x) and sigmoid(-x). The second is not 1 minus the first, which has lost every digit where that is
/// near 1.
template <class X>
struct Sigmoids {
  X at, opposite;
};
template <Value X>
HWY_INLINE Sigmoids<X> sigmoids(X x) {
  return {sigmoid(x), sigmoid(-x)};
}

/// y = f(x), but next to the root the series: the digits of sums that cancel there run out, d = x - at has
/// all.
template <Value X>
HWY_INLINE X through_root(X x, X y, const Root& root) {
  const X d = x - root.at;
  // The next term is below 2^-58 of the result.
  return where(abs(d) < 0x1p-20, d * (root.slope + d * (root.curve + d * root.cubic)), y);
}
