// exponential: e^x.
struct Exponential {
  static constexpr FastKernels kFast[] = {{FastKernel::exponential, FastKernel::exponential}};
  static constexpr Info kInfo{
      .name = "exponential", .formula = "exp(x)", .source = "Keras", .bounds = {0.78, 0.78, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return exp(x);
  }
};
