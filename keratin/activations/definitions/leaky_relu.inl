// leaky_relu: a slope below zero.
struct LeakyRelu {
  double negative_slope = 0.2;

  static constexpr Info kInfo{.name = "leaky_relu",
                              .formula = "x > 0 ? x : negative_slope*x",
                              .source = "Maas, Hannun and Ng 2013",
                              .bounds = kOneRounding};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&LeakyRelu::negative_slope>(
        {.name = "negative_slope", .keras2 = "alpha", .keras3 = "negative_slope"})};
  }
  static constexpr bool exact_in_own_type() { return true; }
  constexpr double factor() const { return negative_slope; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    return where(x < 0, negative_slope == 0 ? like(x, 0) : negative_slope * x, x);
  }
  template <class X>
  X derivative(X x) const {
    return where(x > 0, 1, like(x, negative_slope));
  }
};
