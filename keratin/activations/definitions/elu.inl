// elu: exponential linear unit.
struct Elu {
  double alpha = 1;

  static constexpr FastKernels kFast[] = {{FastKernel::elu, FastKernel::elu_slope},
                                          {FastKernel::elu_scaled, FastKernel::elu_scaled_slope}};
  /// Far from 1 the kernels' factors would leave the normal floats.
  constexpr std::size_t fast() const { return alpha == 1 ? 0 : 0x1p-16 <= alpha && alpha <= 0x1p16 ? 1 : 2; }
  static constexpr Info kInfo{.name = "elu",
                              .formula = "x > 0 ? x : alpha*(exp(x) - 1)",
                              .source = "arXiv:1511.07289",
                              .bounds = {0.9, 0.79, 0.501, 0.501}};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&Elu::alpha>({.name = "alpha", .keras2 = "alpha", .keras3 = "alpha"})};
  }

  template <class X>
  X operator()(X x) const {
    return where(x > 0, x, alpha * expm1(x));
  }
};
