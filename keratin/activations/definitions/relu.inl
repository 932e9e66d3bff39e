// relu: the page's function; with as_keras what Keras's code does instead.
struct Relu {
  double alpha = 0;
  double max_value = kNone;
  double threshold = 0;
  /// What Keras computes and its files mean: 0 at the threshold (x > threshold passes), and with a max_value
  /// everything above the threshold clipped to [0, max_value].
  bool as_keras = false;

  static constexpr Info kInfo{
      .name = "relu",
      .formula =
          "as_keras ? (x > threshold ? (max_value == inf ? x : min(max(x, 0), max_value)) : alpha*(x - "
          "threshold))"
          " : x >= max_value ? max_value : x >= threshold ? x : alpha*(x - threshold)",
      .derivative =
          "x == threshold && (as_keras || threshold < max_value)"
          " ? (max_value == inf && threshold == 0 ? alpha : 0)"
          " : as_keras ? (x < threshold ? alpha : max_value == inf ? 1 : x < 0 || x > max_value ? 0 :"
          " x == 6 && max_value == 6 && threshold == 0 ? 0 : 1)"
          " : x == max_value ? (threshold >= max_value || (max_value == 6 && threshold == 0) ? 0 : 1)"
          " : x > max_value ? 0 : x > threshold ? 1 : alpha",
      .source = "Nair and Hinton 2010",
      .bounds = {0.5000001, 0.5, 0.5, 0.5}};  // alpha*(x - threshold) rounds twice, in twice the digits.
  static constexpr std::array<Parameter, 4> parameters() {
    return {parameter<&Relu::alpha>({.name = "alpha", .keras2 = "alpha", .keras3 = "negative_slope"}),
            parameter<&Relu::max_value>({.name = "max_value",
                                         .keras2 = "max_value",
                                         .keras3 = "max_value",
                                         .kind = ParameterKind::optional}),
            parameter<&Relu::threshold>({.name = "threshold", .keras2 = "threshold", .keras3 = "threshold"}),
            parameter<&Relu::as_keras>(
                {.name = "as_keras", .constraint = "true or false", .kind = ParameterKind::flag})};
  }
  constexpr bool exact_in_own_type() const { return threshold == 0 || alpha == 0 || alpha == 1; }
  constexpr bool only_selects() const { return alpha == 0; }
  constexpr double factor() const { return alpha; }
  static constexpr bool keeps_nan() { return true; }

  template <class X>
  X operator()(X x) const {
    // Not 0·(x - threshold), which is NaN at -inf and -0 below it.
    const X below = alpha == 0 ? like(x, 0) : alpha * (x - threshold);
    if (!as_keras) {
      const X y = alpha == 0 && threshold == 0 ? max(x, 0) : where(x < threshold, below, x);
      return max_value == kNone ? y : where(x >= max_value, max_value, y);
    }
    const X above = max_value == kNone ? x : min(max(x, 0), max_value);
    // At a threshold of 0 both comparisons give 0; this one keeps the sign of -0.
    return where(threshold == 0 ? x < 0 : x <= threshold, below, above);
  }
  /// At the threshold Keras takes the left side where relu is one TensorFlow operation, else neither: 0. At
  /// max_value the left side, but at 6, another operation, the right.
  template <class X>
  X derivative(X x) const {
    if (max_value == kNone && threshold == 0) return where(x > 0, 1, like(x, alpha));
    const bool has_max = max_value != kNone, is_relu6 = max_value == 6 && threshold == 0;
    const double at_max = (as_keras || threshold < max_value) && !is_relu6 ? 1 : 0;
    X inside = like(x, 1);
    if (has_max) inside = where(x > max_value, 0, where(x == max_value, at_max, inside));
    if (as_keras && has_max) inside = where(x < 0, 0, inside);
    X result = where(x > threshold, inside, where(x < threshold, alpha, like(x, 0)));
    // On the page max_value wins where it lies below the threshold.
    if (!as_keras && max_value <= threshold) result = where(x >= max_value, 0, like(x, alpha));
    return result;
  }
};
