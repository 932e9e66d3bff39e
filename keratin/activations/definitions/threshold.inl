// threshold: x above the threshold, else a default.
struct Threshold {
  double threshold = 0;
  double default_value = 0;

  static constexpr Info kInfo{.name = "threshold",
                              .formula = "x > threshold ? x : default_value",
                              .source = "Keras 3",
                              .bounds = kOneRounding};
  static constexpr std::array<Parameter, 2> parameters() {
    return {parameter<&Threshold::threshold>({.name = "threshold", .keras3 = "threshold", .required = true}),
            parameter<&Threshold::default_value>(
                {.name = "default_value", .keras3 = "default_value", .required = true})};
  }
  static constexpr bool exact_in_own_type() { return true; }
  static constexpr bool only_selects() { return true; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    return where(x <= threshold, default_value, x);
  }
  template <class X>
  X derivative(X x) const {
    return where(x > threshold, 1, like(x, 0));
  }
};
