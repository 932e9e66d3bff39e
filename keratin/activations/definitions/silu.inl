// silu, or swish: x times its sigmoid.
struct Silu {
  static constexpr Root kRoot{{-0x1.474973c84120bp+0, -0x1.f8d74bc9ac154p-54},
                              {0x1.be1410460527fp-3, -0x1.2541062177473p-58},
                              0x1.2c563458cc0adp-3,
                              0x1.353eb573ca457p-6};

  static constexpr FastKernels kFast[] = {{FastKernel::silu, FastKernel::silu_slope}};
  static constexpr Info kInfo{.name = "silu",
                              .aliases = {"swish"},
                              .formula = "x/(1 + exp(-x))",
                              .source = "arXiv:1702.03118, arXiv:1710.05941",
                              .bounds = {0.86, 0.84, 0.501, 0.76},
                              .gradient_zero = -1.278464542761073795};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return x * sigmoid(x);
  }
  template <class X>
  X derivative(X x) const {
    const auto s = sigmoids(x);
    return through_root(x, s.at * (1 + x * s.opposite), kRoot);
  }
};
