// squareplus: softplus from a square root.
struct Squareplus {
  double b = 4;

  static constexpr FastKernels kFast[] = {{FastKernel::squareplus, FastKernel::squareplus_slope}};
  constexpr std::size_t fast() const { return b == 4 ? 0 : 1; }
  static constexpr Info kInfo{.name = "squareplus",
                              .formula = "(x + sqrt(x^2 + b))/2",
                              .derivative = "b == 0 ? (x >= 0 ? 1 : 0) : (1 + x/sqrt(x^2 + b))/2",
                              .source = "arXiv:2112.11687",
                              .bounds = {0.6, 0.8, 0.501, 0.501}};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&Squareplus::b>({.name = "b", .keras3 = "b", .constraint = "at least 0"})};
  }

  template <class X>
  X operator()(X x) const {
    if (b == 0) return max(x, 0);
    // For x <= 0 the sum would cancel: (x + s)(s - x) = b.
    const X s = sqrt(square(x) + b);
    const auto positive = x > 0;
    return where(positive, x + s, like(x, b)) / (2 * where(positive, like(x, 1), s - x));
  }
  template <class X>
  X derivative(X x) const {
    if (b == 0) return where(x >= 0, 1, like(x, 0));
    return (*this)(x) / sqrt(square(x) + b);
  }
};
