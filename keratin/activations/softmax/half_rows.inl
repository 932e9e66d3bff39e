// 16-bit rows to f32 and back, rounded once: the arithmetic is f32's.
template <class H>
void widen_row(const H* x, float* y, Size count) {
  constexpr Size kWidth = hn::MaxLanes(FloatTag());
  Size i = 0;
  for (; i + kWidth <= count; i += kWidth) store(load_half(x + i), y + i);
  if (i == count) return;
  H in[kWidth] = {};
  float out[kWidth];
  std::memcpy(in, x + i, static_cast<std::size_t>(count - i) * sizeof(H));
  store(load_half(in), out);
  std::memcpy(y + i, out, static_cast<std::size_t>(count - i) * sizeof(float));
}

template <class H>
void narrow_row(const float* x, H* y, Size count) {
  constexpr Size kWidth = hn::MaxLanes(FloatTag());
  Size i = 0;
  for (; i + kWidth <= count; i += kWidth) store_half(rounded_bits<true>(load(x + i), H()), y + i, false);
  if (i == count) return;
  float in[kWidth] = {};
  H out[kWidth];
  std::memcpy(in, x + i, static_cast<std::size_t>(count - i) * sizeof(float));
  store_half(rounded_bits<true>(load(in), H()), out, false);
  std::memcpy(y + i, out, static_cast<std::size_t>(count - i) * sizeof(H));
}
