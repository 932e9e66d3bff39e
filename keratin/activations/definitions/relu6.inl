// relu6: relu that ends at 6.
struct Relu6 {
  static constexpr Info kInfo{.name = "relu6",
                              .formula = "min(max(x, 0), 6)",
                              .derivative = "x > 0 && x < 6 ? 1 : 0",
                              .source = "Krizhevsky 2010",
                              .bounds = kOneRounding};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }
  static constexpr bool exact_in_own_type() { return true; }
  static constexpr bool only_selects() { return true; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    return min(max(x, 0), 6);
  }
  template <class X>
  X derivative(X x) const {
    return where(x > 0 && x < 6, 1, like(x, 0));
  }
};
