// hard_tanh: x within [-1, 1].
struct HardTanh {
  static constexpr Info kInfo{.name = "hard_tanh",
                              .formula = "min(max(x, -1), 1)",
                              .derivative = "abs(x) <= 1 ? 1 : 0",
                              .source = "Collobert 2004",
                              .bounds = kOneRounding};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }
  static constexpr bool exact_in_own_type() { return true; }
  static constexpr bool only_selects() { return true; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    return min(max(x, -1), 1);
  }
  /// At the kinks Keras takes the inner side.
  template <class X>
  X derivative(X x) const {
    return where(abs(x) <= 1, 1, like(x, 0));
  }
};
