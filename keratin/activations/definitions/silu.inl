// silu, or swish: x times its sigmoid.
struct Silu {
  static constexpr Info kInfo{.name = "silu",
                              .aliases = {"swish"},
                              .formula = "x/(1 + exp(-x))",
                              .source = "arXiv:1702.03118, arXiv:1710.05941",
                              .bounds = {0.501, 0.501, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return x * sigmoid(x);
  }
};
