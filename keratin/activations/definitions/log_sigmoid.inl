// log_sigmoid: the logarithm of the sigmoid.
struct LogSigmoid {
  static constexpr FastKernels kFast[] = {{FastKernel::log_sigmoid, FastKernel::sigmoid_reversed}};
  static constexpr Info kInfo{.name = "log_sigmoid",
                              .formula = "-log(1 + exp(-x))",
                              .source = "Keras 3",
                              .bounds = {0.78, 0.85, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return -softplus(-x);
  }
};
