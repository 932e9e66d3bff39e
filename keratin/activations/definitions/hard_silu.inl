// hard_silu, or hard_swish: x times a piecewise linear sigmoid.
struct HardSilu {
  static constexpr FastKernels kFast[] = {{FastKernel::hard_silu, FastKernel::hard_silu_slope}};
  static constexpr Info kInfo{.name = "hard_silu",
                              .aliases = {"hard_swish"},
                              .formula = "x*min(max(x/6 + 1/2, 0), 1)",
                              .derivative = "x >= 3 ? 1 : x <= -3 ? 0 : (2*x + 3)/6",
                              .source = "arXiv:1905.02244",
                              .bounds = {0.76, 0.8, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return x * min(max((x + 3) / 6, 0), 1);
  }
  /// At the kinks Keras takes the outer side.
  template <class X>
  X derivative(X x) const {
    return where(x >= 3, 1, where(x <= -3, 0, (2 * x + 3) / 6));
  }
};
