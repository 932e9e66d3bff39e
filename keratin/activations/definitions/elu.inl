// elu: exponential linear unit.
struct Elu {
  double alpha = 1;

  static constexpr FastKernels kFast[] = {{FastKernel::elu, FastKernel::elu_slope}};
  constexpr std::size_t fast() const { return alpha == 1 ? 0 : 1; }
  static constexpr Info kInfo{.name = "elu",
                              .formula = "x > 0 ? x : alpha*(exp(x) - 1)",
                              .source = "arXiv:1511.07289",
                              .bounds = {0.9, 0.78, 0.501, 0.501}};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&Elu::alpha>({.name = "alpha", .keras2 = "alpha", .keras3 = "alpha"})};
  }

  template <class X>
  X operator()(X x) const {
    return where(x > 0, x, alpha * expm1(x));
  }
};
