// selu: scaled elu that keeps mean 0 and variance 1.
struct Selu {
  static constexpr Constant kScale{0x1.0cfabd6a91132p+0, 0x1.6fc7d272f2695p-55};
  static constexpr Constant kScaleAlpha{0x1.c212cc640f031p+0, 0x1.05161b045a1fep-56};

  static constexpr FastKernels kFast[] = {{FastKernel::selu, FastKernel::selu_slope}};
  static constexpr Info kInfo{
      .name = "selu",
      .formula =
          "1.0507009873554804934193349852946*(x >= 0 ? x : 1.6732632423543772848170429916717*(exp(x) - 1))",
      .source = "arXiv:1706.02515",
      .bounds = {1, 0.79, 0.501, 0.501}};
  static constexpr std::array<Parameter, 0> parameters() { return {}; }

  template <class X>
  X operator()(X x) const {
    return where(x >= 0, kScale * x, kScaleAlpha * expm1(x));
  }
};
