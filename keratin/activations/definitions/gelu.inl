// gelu: x times the normal distribution function, or its approximation by a sigmoid.
struct Gelu {
  bool approximate = false;

  static constexpr Constant kSqrtHalf{0x1.6a09e667f3bcdp-1, -0x1.bdd3413b26456p-55};
  static constexpr Constant kTwoSqrtTwoOverPi{0x1.9884533d43651p+0, -0x1.cbc0d30ebfd15p-54};
  static constexpr Constant kCubic{0x1.6e4e26d4801f7p-5, 0x1.441355475a31ap-59};

  static constexpr Constant kInverseSqrtTwoPi{0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56};
  static constexpr Root kRoot{{-0x1.80ead197f00b4p-1, 0x1.13e74c58cada8p-56},
                              {0x1.b9d98fa5a3215p-2, 0x1.f7c1a23190c7cp-56},
                              0x1.8d9a941de3ac5p-2,
                              -0x1.2a2ef9bb865aep-6};
  static constexpr Root kApproximateRoot{{-0x1.81429f9e97e4dp-1, 0x1.4f523ed77dbdcp-55},
                                         {0x1.b8bacd2c96b91p-2, 0x1.7625a206be83dp-56},
                                         0x1.8cd1a2b2fff33p-2,
                                         -0x1.029615edb077ap-6};

  static constexpr FastKernels kFast[] = {{FastKernel::gelu, FastKernel::gelu_slope},
                                          {FastKernel::gelu_tanh, FastKernel::gelu_tanh_slope}};
  constexpr std::size_t fast() const { return approximate ? 1 : 0; }
  static constexpr Info kInfo{.name = "gelu",
                              .formula =
                                  "approximate ? x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))"
                                  " : x/2*(1 + erf(x/sqrt(2)))",
                              .source = "arXiv:1606.08415",
                              .bounds = {0.97, 0.92, 0.501, 0.501},
                              .gradient_zero = -0.7521};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&Gelu::approximate>({.name = "approximate",
                                           .keras2 = "approximate",
                                           .keras3 = "approximate",
                                           .constraint = "true or false",
                                           .kind = ParameterKind::flag})};
  }

  template <class X>
  X operator()(X x) const {
    // 1 + tanh(u) = 2 sigmoid(2u) and 1 + erf(u) = erfc(-u): no digits lost where they are near 0.
    if (approximate) return x * sigmoid(kTwoSqrtTwoOverPi * (x + kCubic * (x * square(x))));
    return 0.5 * (x * erfc(-kSqrtHalf * x));
  }
  template <class X>
  X derivative(X x) const {
    if (approximate) {
      const X x2 = square(x), v = kTwoSqrtTwoOverPi * (x + kCubic * (x * x2));
      const X slope = kTwoSqrtTwoOverPi * (1 + 3 * (kCubic * x2));
      const auto s = sigmoids(v);
      return through_root(x, s.at * (1 + x * (s.opposite * slope)), kApproximateRoot);
    }
    const X z = kSqrtHalf * x;
    return through_root(x, 0.5 * erfc(-z) + x * (kInverseSqrtTwoPi * gauss(z)), kRoot);
  }
};
