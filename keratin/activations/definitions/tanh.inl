// tanh: the hyperbolic tangent.
struct Tanh {
  static constexpr FastKernels kFast[] = {{FastKernel::tanh, FastKernel::tanh_slope}};
  static constexpr Info kInfo{
      .name = "tanh", .formula = "tanh(x)", .source = "Keras", .bounds = {0.81, 0.75, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return tanh(x);
  }
};
