// sparse_sigmoid: linear from 0 at -1 to 1 at 1.
struct SparseSigmoid {
  static constexpr Info kInfo{.name = "sparse_sigmoid",
                              .formula = "min(max((x + 1)/2, 0), 1)",
                              .derivative = "x > -1 && x < 1 ? 1/2 : 0",
                              .source = "Keras 3",
                              .bounds = kOneRounding};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }
  static constexpr bool exact_in_own_type() { return true; }

  template <class X>
  X operator()(X x) const {
    return min(max(0.5 * (x + 1), 0), 1);
  }
  /// At the kinks Keras takes the outer side.
  template <class X>
  X derivative(X x) const {
    return where(abs(x) < 1, 0.5, like(x, 0));
  }
};
