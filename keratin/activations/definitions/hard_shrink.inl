// hard_shrink: 0 up to the threshold.
struct HardShrink {
  double threshold = 0.5;

  static constexpr Info kInfo{.name = "hard_shrink",
                              .formula = "abs(x) > threshold ? x : 0",
                              .source = "Donoho and Johnstone 1994",
                              .bounds = kOneRounding};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&HardShrink::threshold>(
        {.name = "threshold", .keras3 = "threshold", .constraint = "at least 0"})};
  }
  static constexpr bool exact_in_own_type() { return true; }
  static constexpr bool only_selects() { return true; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    return where(abs(x) <= threshold, 0, x);
  }
  template <class X>
  X derivative(X x) const {
    return where(abs(x) > threshold, 1, like(x, 0));
  }
};
