// Dual numbers: a value and its derivative travel together through one definition. Included wherever there is
// a value type: once for each instruction set, and for plain doubles.

template <class X>
struct Dual {
  using IsKeratinValue = void;
  X value, slope;
};

/// The constant as a value of x's type.
template <class X>
HWY_INLINE Dual<X> like(Dual<X> x, Constant c) {
  return {like(x.value, c), like(x.value, 0.0)};
}

template <class X>
HWY_INLINE Dual<X> operator-(Dual<X> a) {
  return {-a.value, -a.slope};
}
template <class X>
HWY_INLINE Dual<X> operator+(Dual<X> a, Dual<X> b) {
  return {a.value + b.value, a.slope + b.slope};
}
template <class X>
HWY_INLINE Dual<X> operator-(Dual<X> a, Dual<X> b) {
  return {a.value - b.value, a.slope - b.slope};
}
template <class X>
HWY_INLINE Dual<X> operator*(Dual<X> a, Dual<X> b) {
  return {a.value * b.value, a.value * b.slope + a.slope * b.value};
}
template <class X>
HWY_INLINE Dual<X> operator/(Dual<X> a, Dual<X> b) {
  const X quotient = a.value / b.value;
  return {quotient, (a.slope - quotient * b.slope) / b.value};
}
template <class X>
HWY_INLINE Dual<X> operator+(Dual<X> a, Constant b) {
  return {a.value + b, a.slope};
}
template <class X>
HWY_INLINE Dual<X> operator+(Constant a, Dual<X> b) {
  return {a + b.value, b.slope};
}
template <class X>
HWY_INLINE Dual<X> operator-(Dual<X> a, Constant b) {
  return {a.value - b, a.slope};
}
template <class X>
HWY_INLINE Dual<X> operator-(Constant a, Dual<X> b) {
  return {a - b.value, -b.slope};
}
template <class X>
HWY_INLINE Dual<X> operator*(Dual<X> a, Constant b) {
  return {a.value * b, a.slope * b};
}
template <class X>
HWY_INLINE Dual<X> operator*(Constant a, Dual<X> b) {
  return {a * b.value, a * b.slope};
}
template <class X>
HWY_INLINE Dual<X> operator/(Dual<X> a, Constant b) {
  return {a.value / b, a.slope / b};
}

template <class X>
HWY_INLINE auto operator<(Dual<X> a, Dual<X> b) {
  return a.value < b.value;
}
template <class X>
HWY_INLINE auto operator<=(Dual<X> a, Dual<X> b) {
  return a.value <= b.value;
}
template <class X>
HWY_INLINE auto operator>(Dual<X> a, Dual<X> b) {
  return a.value > b.value;
}
template <class X>
HWY_INLINE auto operator>=(Dual<X> a, Dual<X> b) {
  return a.value >= b.value;
}
template <class X>
HWY_INLINE auto operator==(Dual<X> a, Dual<X> b) {
  return a.value == b.value;
}
template <class M, class X>
HWY_INLINE Dual<X> where(M m, Dual<X> a, Dual<X> b) {
  return {where(m, a.value, b.value), where(m, a.slope, b.slope)};
}

template <class X>
HWY_INLINE Dual<X> abs(Dual<X> a) {
  return {abs(a.value), where(a.value < 0, -a.slope, a.slope)};
}
template <class X>
HWY_INLINE Dual<X> square(Dual<X> a) {
  return {square(a.value), 2 * a.value * a.slope};
}
template <class X>
HWY_INLINE Dual<X> sqrt(Dual<X> a) {
  const X root = sqrt(a.value);
  return {root, a.slope / (2 * root)};
}
template <class X>
HWY_INLINE Dual<X> exp(Dual<X> a) {
  const X e = exp(a.value);
  return {e, e * a.slope};
}
template <class X>
HWY_INLINE Dual<X> expm1(Dual<X> a) {
  return {expm1(a.value), exp(a.value) * a.slope};
}
template <class X>
HWY_INLINE Dual<X> log(Dual<X> a) {
  return {log(a.value), a.slope / a.value};
}
template <class X>
HWY_INLINE Dual<X> log1p(Dual<X> a) {
  return {log1p(a.value), a.slope / (1 + a.value)};
}
template <class X>
HWY_INLINE Dual<X> tanh(Dual<X> a) {
  return {tanh(a.value), tanh_slope(a.value) * a.slope};
}
template <class X>
HWY_INLINE Dual<X> sigmoid(Dual<X> a) {
  const auto s = sigmoids(a.value);
  return {s.at, s.at * s.opposite * a.slope};
}
template <class X>
HWY_INLINE Dual<X> softplus(Dual<X> a) {
  return {softplus(a.value), sigmoid(a.value) * a.slope};
}
template <class X>
HWY_INLINE Dual<X> erf(Dual<X> a) {
  return {erf(a.value), coefficients::kTwoOverSqrtPi * gauss(a.value) * a.slope};
}
template <class X>
HWY_INLINE Dual<X> erfc(Dual<X> a) {
  return {erfc(a.value), -coefficients::kTwoOverSqrtPi * gauss(a.value) * a.slope};
}
