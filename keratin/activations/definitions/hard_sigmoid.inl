// hard_sigmoid: a piecewise linear sigmoid, 0 and 1 beyond ±limit.
struct HardSigmoid {
  /// 2.5 on the Keras 2 page (0.2 x + 0.5), 3 in Keras 3 (x/6 + 0.5).
  double limit = 2.5;

  static constexpr FastKernels kFast[] = {{FastKernel::hard_sigmoid, FastKernel::hard_sigmoid_slope}};
  /// So that neither part of 1/(2 limit) leaves the normal floats.
  constexpr std::size_t fast() const { return 0x1p-60 <= limit && limit <= 0x1p60 ? 0 : 1; }
  static constexpr Info kInfo{
      .name = "hard_sigmoid",
      .formula = "min(max((x + limit)/(2*limit), 0), 1)",
      .derivative = "abs(x) < limit || (abs(x) == limit && limit != 3) ? 1/(2*limit) : 0",
      .source = "Courbariaux et al. 2015, arXiv:1511.00363",
      .bounds = {1, 0.51, 0.501, 0.501}};
  static constexpr std::array<Parameter, 1> parameters() {
    return {parameter<&HardSigmoid::limit>({.name = "limit", .constraint = "above 0"})};
  }

  template <class X>
  X operator()(X x) const {
    return min(max((x + limit) / (2 * limit), 0), 1);
  }
  /// At ±limit Keras 2 takes the inner side, Keras 3 the outer.
  template <class X>
  X derivative(X x) const {
    const X a = abs(x);
    return where(limit == 3 ? a < limit : a <= limit, 1 / like(x, 2 * limit), 0);
  }
};
