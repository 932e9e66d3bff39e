// mish: x tanh(softplus(x)).
struct Mish {
  static constexpr Info kInfo{.name = "mish",
                              .formula = "x*tanh(log(1 + exp(x)))",
                              .source = "arXiv:1908.08681",
                              .bounds = {0.501, 0.501, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    // tanh(ln(1 + e^x)) = n/(n + 2) with n = e^x (e^x + 2); over e^2x for x > 0, where nothing overflows so.
    const X e = exp(-abs(x));
    const auto positive = x > 0;
    const X n = where(positive, 1 + 2 * e, e * (e + 2));
    return x * (n / (n + 2 * where(positive, square(e), like(e, 1))));
  }
};
