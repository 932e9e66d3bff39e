// softsign: x/(1 + |x|).
struct Softsign {
  static constexpr FastKernels kFast[] = {{FastKernel::softsign, FastKernel::softsign_slope}};
  static constexpr Info kInfo{.name = "softsign",
                              .formula = "x/(1 + abs(x))",
                              .source = "Bergstra et al. 2009",
                              .bounds = {1, 1, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return x / (1 + abs(x));
  }
  template <class X>
  X derivative(X x) const {
    return 1 / square(1 + abs(x));
  }
};
