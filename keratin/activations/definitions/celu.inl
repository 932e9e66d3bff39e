// celu: elu with a continuous derivative for every alpha.
struct Celu {
  double alpha = 1;

  static constexpr FastKernels kFast[] = {{FastKernel::elu, FastKernel::elu_slope},
                                          {FastKernel::celu_scaled, FastKernel::celu_scaled_slope}};
  /// Far from 1 the kernels' factors would leave the normal floats.
  constexpr std::size_t fast() const { return alpha == 1 ? 0 : 0x1p-16 <= alpha && alpha <= 0x1p16 ? 1 : 2; }
  static constexpr Info kInfo{.name = "celu",
                              .formula = "x > 0 ? x : alpha*(exp(x/alpha) - 1)",
                              .source = "arXiv:1704.07483",
                              .bounds = {0.9, 0.8, 0.501, 0.501}};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&Celu::alpha>({.name = "alpha", .keras3 = "alpha", .constraint = "not 0"})};
  }

  template <class X>
  X operator()(X x) const {
    return where(x > 0, x, alpha * expm1(x / alpha));
  }
};
