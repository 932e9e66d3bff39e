// sparse_plus: 0, a parabola, then x.
struct SparsePlus {
  static constexpr FastKernels kFast[] = {{FastKernel::sparse_plus, FastKernel::sparse_plus_slope}};
  static constexpr Info kInfo{.name = "sparse_plus",
                              .formula = "x <= -1 ? 0 : x < 1 ? (x + 1)^2/4 : x",
                              .source = "Keras 3",
                              .bounds = {0.501, 0.51, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return where(x <= -1, 0, where(x < 1, square(x + 1) / 4, x));
  }
  template <class X>
  X derivative(X x) const {
    return where(x <= -1, 0, where(x < 1, (x + 1) / 2, like(x, 1)));
  }
};
