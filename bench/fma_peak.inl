// Chains of fused multiply-adds for the instruction set being compiled. Included by fma_peak.cc once for
// each.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace keratin::bench::fma_peak::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// How many operations those were. Twelve chains: two a cycle of up to six cycles each.
inline double run(int steps) {
  const hn::ScalableTag<float> tag;
  const auto factor = hn::Set(tag, 0.999f), term = hn::Set(tag, 1e-3f);
  // All of them different, or they were one chain.
  auto a = hn::Set(tag, 1.0f), b = hn::Set(tag, 2.0f), c = hn::Set(tag, 3.0f), d = hn::Set(tag, 4.0f);
  auto e = hn::Set(tag, 5.0f), f = hn::Set(tag, 6.0f), g = hn::Set(tag, 7.0f), h = hn::Set(tag, 8.0f);
  auto i = hn::Set(tag, 9.0f), j = hn::Set(tag, 10.0f), k = hn::Set(tag, 11.0f), l = hn::Set(tag, 12.0f);
  for (int step = 0; step < steps; ++step) {
    a = hn::MulAdd(a, factor, term), b = hn::MulAdd(b, factor, term), c = hn::MulAdd(c, factor, term);
    d = hn::MulAdd(d, factor, term), e = hn::MulAdd(e, factor, term), f = hn::MulAdd(f, factor, term);
    g = hn::MulAdd(g, factor, term), h = hn::MulAdd(h, factor, term), i = hn::MulAdd(i, factor, term);
    j = hn::MulAdd(j, factor, term), k = hn::MulAdd(k, factor, term), l = hn::MulAdd(l, factor, term);
  }
  // So that they are all wanted.
  const auto all =
      hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, d)),
              hn::Add(hn::Add(hn::Add(e, f), hn::Add(g, h)), hn::Add(hn::Add(i, j), hn::Add(k, l))));
  volatile float kept = hn::GetLane(all);
  static_cast<void>(kept);
  return 12.0 * 2 * static_cast<double>(hn::Lanes(tag)) * steps;
}

}  // namespace keratin::bench::fma_peak::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
