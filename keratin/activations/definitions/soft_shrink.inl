// soft_shrink: towards 0 by the threshold.
struct SoftShrink {
  double threshold = 0.5;

  static constexpr Info kInfo{.name = "soft_shrink",
                              .formula = "x > threshold ? x - threshold : x < -threshold ? x + threshold : 0",
                              .source = "Donoho 1995",
                              .bounds = kOneRounding};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&SoftShrink::threshold>(
        {.name = "threshold", .keras3 = "threshold", .constraint = "at least 0"})};
  }
  static constexpr bool exact_in_own_type() { return true; }
  static constexpr bool slope_only_selects() { return true; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    return where(x < -threshold, x + threshold, where(x <= threshold, 0, x - threshold));
  }
  template <class X>
  X derivative(X x) const {
    return where(x > threshold || x < -threshold, 1, like(x, 0));
  }
};
