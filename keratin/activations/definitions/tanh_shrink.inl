// tanh_shrink: x - tanh(x).
struct TanhShrink {
  static constexpr FastKernels kFast[] = {{FastKernel::tanh_shrink, FastKernel::tanh_shrink_slope}};
  static constexpr Info kInfo{.name = "tanh_shrink",
                              .formula = "x - tanh(x)",
                              .source = "Keras 3",
                              .bounds = {1, 0.88, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    // Near 0 the difference cancels; below 2^-8 four terms of its series reach 2^-70.
    const X x2 = square(x);
    const X series = x * x2 / 3 * (1 - x2 * (0.4 - x2 * (17.0 / 105 - x2 * (62.0 / 945))));
    return where(abs(x) < 0x1p-8, series, x - tanh(x));
  }
  template <class X>
  X derivative(X x) const {
    return square(tanh(x));
  }
};
