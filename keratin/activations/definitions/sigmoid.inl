// sigmoid: the logistic function.
struct Sigmoid {
  static constexpr FastKernels kFast[] = {{FastKernel::sigmoid, FastKernel::sigmoid_slope}};
  static constexpr Info kInfo{.name = "sigmoid",
                              .formula = "1/(1 + exp(-x))",
                              .source = "Verhulst 1838",
                              .bounds = {0.85, 0.6, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return sigmoid(x);
  }
};
