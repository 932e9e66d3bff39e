// linear: the identity.
struct Linear {
  static constexpr Info kInfo{.name = "linear", .formula = "x", .source = "Keras", .bounds = kOneRounding};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }
  static constexpr bool exact_in_own_type() { return true; }
  static constexpr bool only_selects() { return true; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    return x;
  }
  template <class X>
  X derivative(X x) const {
    return like(x, 1);
  }
};
