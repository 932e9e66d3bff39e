// mish: x tanh(softplus(x)).
struct Mish {
  static constexpr Root kRoot{{-0x1.31432c0d12d84p+0, -0x1.bf319154da210p-55},
                              {0x1.115acb42500bbp-2, 0x1.1ad72de557d4cp-56},
                              0x1.a34a251d8ad7bp-3,
                              0x1.574f121a868dbp-5};

  static constexpr FastKernels kFast[] = {{FastKernel::mish, FastKernel::mish_slope}};
  static constexpr Info kInfo{.name = "mish",
                              .formula = "x*tanh(log(1 + exp(x)))",
                              .source = "arXiv:1908.08681",
                              .bounds = {1, 0.84, 0.501, 0.501},
                              .gradient_zero = -1.1922435};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  // tanh(ln(1 + e^x)) = n/(n + 2) with n = e^x (e^x + 2); for x > 0 all divided by e^2x, or it would
  // overflow.
  template <class X>
  X operator()(X x) const {
    const X e = exp(-abs(x));
    const auto positive = x > 0;
    const X n = where(positive, 1 + 2 * e, e * (e + 2));
    return x * (n / (n + 2 * where(positive, square(e), like(e, 1))));
  }
  template <class X>
  X derivative(X x) const {
    const X e = exp(-abs(x)), e2 = square(e);
    const auto positive = x > 0;
    const X n = where(positive, 1 + 2 * e, e * (e + 2));
    const X sum = n + 2 * where(positive, e2, like(e, 1));
    // The derivative of n/(n + 2) is 4 e^x (1 + e^x)/(n + 2)^2.
    const X slope = 4 * (1 + e) * where(positive, e2, e) / square(sum);
    return through_root(x, n / sum + x * slope, kRoot);
  }
};
