// softplus: a smooth relu.
struct Softplus {
  static constexpr FastKernels kFast[] = {{FastKernel::softplus, FastKernel::sigmoid}};
  static constexpr Info kInfo{.name = "softplus",
                              .formula = "log(1 + exp(x))",
                              .source = "Dugas et al. 2001",
                              .bounds = {0.78, 0.85, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return softplus(x);
  }
};
