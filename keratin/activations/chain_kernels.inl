// Chains of arithmetic, for the instruction set being compiled. Included by chain_kernels.cc once for each.
#include <hwy/highway.h>

#include <utility>

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

namespace chain {

using keratin::detail::ChainOp;
using keratin::detail::ChainOperand;
using keratin::detail::ChainStep;
using keratin::detail::kChainGroup;

constexpr std::size_t kLanes = hn::MaxLanes(Tag<float>());
// In lockstep, so that choosing the operation costs little; half of the registers, the others for operands.
constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX3 ? 8 : 4;
static_assert(kChainGroup % (kVectors * kLanes) == 0 && kLanes <= keratin::detail::kChainLanes);

using Value = Vec<float>;

HWY_INLINE Value from_mask(Mask<float> mask) { return {hn::VecFromMask(Tag<float>(), mask.raw)}; }
HWY_INLINE Mask<float> to_mask(Value bits) { return {hn::MaskFromVec(bits.raw)}; }

// The vectors of an operand that belong to the elements from `first` on.
class Operand {
 public:
  HWY_INLINE Operand(ChainOperand operand, std::size_t first)
      : at_(operand.data + operand.stride * first), step_(operand.stride * kLanes) {}
  HWY_INLINE Value operator[](std::size_t u) const { return load(at_ + u * step_); }

 private:
  const float* at_;
  std::size_t step_;
};

// Indices are constants, so that all stay in registers between steps.
struct Group {
  Value a[kVectors];

  template <class Function>
  HWY_INLINE void each(const Function& function) {
    each(function, std::make_index_sequence<kVectors>());
  }

 private:
  template <class Function, std::size_t... u>
  HWY_INLINE void each(const Function& function, std::index_sequence<u...>) {
    ((a[u] = function(a[u], u)), ...);
  }
};

HWY_INLINE void select_step(const ChainStep& step, Operand p, Operand q, Group& group) {
  switch (step.op) {
    case ChainOp::less:
      return group.each([&](Value a, std::size_t u) { return from_mask(a < p[u]); });
    case ChainOp::greater:
      return group.each([&](Value a, std::size_t u) { return from_mask(p[u] < a); });
    case ChainOp::less_equal:
      return group.each([&](Value a, std::size_t u) { return from_mask(a <= p[u]); });
    case ChainOp::greater_equal:
      return group.each([&](Value a, std::size_t u) { return from_mask(p[u] <= a); });
    case ChainOp::equal:
      return group.each([&](Value a, std::size_t u) { return from_mask(a == p[u]); });
    case ChainOp::logical_and:
      return group.each([&](Value a, std::size_t u) { return from_mask(to_mask(a) && to_mask(p[u])); });
    case ChainOp::logical_or:
      return group.each([&](Value a, std::size_t u) { return from_mask(to_mask(a) || to_mask(p[u])); });
    case ChainOp::logical_not:
      return group.each([&](Value a, std::size_t) { return from_mask(!to_mask(a)); });
    case ChainOp::select:
      return group.each([&](Value a, std::size_t u) { return where(to_mask(a), p[u], q[u]); });
    case ChainOp::select_true:
      return group.each([&](Value a, std::size_t u) { return where(to_mask(p[u]), a, q[u]); });
    case ChainOp::select_false:
      return group.each([&](Value a, std::size_t u) { return where(to_mask(p[u]), q[u], a); });
    case ChainOp::minimum:
      return group.each([&](Value a, std::size_t u) {
        const Value b = p[u];
        return where(is_nan(b), b, min(a, b));
      });
    case ChainOp::maximum:
      return group.each([&](Value a, std::size_t u) {
        const Value b = p[u];
        return where(is_nan(b), b, max(a, b));
      });
    case ChainOp::clip:
      return group.each([&](Value a, std::size_t u) {
        const Value low = p[u], high = q[u];
        return where(a < low, low, where(a > high, high, a));
      });
    default:
      return;
  }
}

HWY_INLINE void unary_step(const ChainStep& step, Group& group) {
  switch (step.op) {
    case ChainOp::square:
      return group.each([](Value a, std::size_t) { return a * a; });
    case ChainOp::negative:
      return group.each([](Value a, std::size_t) { return -a; });
    case ChainOp::absolute:
      return group.each([](Value a, std::size_t) { return abs(a); });
    case ChainOp::sign:
      return group.each([](Value a, std::size_t) {
        return where(a > set(0.0f), set(1.0f), where(a < set(0.0f), set(-1.0f), a));
      });
    case ChainOp::floor:
      return group.each([](Value a, std::size_t) { return Value{hn::Floor(a.raw)}; });
    case ChainOp::round:
      // The emulated one of Highway 1.0.3 gives 0 for -0.25 where clang compiles it.
      return group.each([](Value a, std::size_t) { return Value{hn::CopySign(hn::Round(a.raw), a.raw)}; });
    case ChainOp::sqrt:
      return group.each([](Value a, std::size_t) { return sqrt(a); });
    default:
      return;
  }
}

HWY_INLINE void run_step(const ChainStep& step, std::size_t first, Group& group) {
  const Operand p(step.p, first), q(step.q, first);
  switch (step.op) {
    case ChainOp::load:
      return group.each([&](Value, std::size_t u) { return p[u]; });
    case ChainOp::store:
      return group.each([&](Value a, std::size_t u) {
        store(a, step.out + first + u * kLanes);
        return a;
      });
    case ChainOp::add:
      return group.each([&](Value a, std::size_t u) { return a + p[u]; });
    case ChainOp::subtract:
      return group.each([&](Value a, std::size_t u) { return a - p[u]; });
    case ChainOp::subtract_from:
      return group.each([&](Value a, std::size_t u) { return p[u] - a; });
    case ChainOp::multiply:
      return group.each([&](Value a, std::size_t u) { return a * p[u]; });
    case ChainOp::divide:
      return group.each([&](Value a, std::size_t u) { return a / p[u]; });
    case ChainOp::divide_into:
      return group.each([&](Value a, std::size_t u) { return p[u] / a; });
    case ChainOp::multiply_add:
      return group.each([&](Value a, std::size_t u) { return fma(a, p[u], q[u]); });
    case ChainOp::multiply_subtract:
      return group.each([&](Value a, std::size_t u) { return fma(a, p[u], -q[u]); });
    case ChainOp::subtract_multiple:
      return group.each([&](Value a, std::size_t u) { return fma(-a, p[u], q[u]); });
    case ChainOp::add_product:
      return group.each([&](Value a, std::size_t u) { return fma(p[u], q[u], a); });
    case ChainOp::subtract_product:
      return group.each([&](Value a, std::size_t u) { return fma(-p[u], q[u], a); });
    case ChainOp::subtract_from_product:
      return group.each([&](Value a, std::size_t u) { return fma(p[u], q[u], -a); });
    case ChainOp::square:
    case ChainOp::negative:
    case ChainOp::absolute:
    case ChainOp::sign:
    case ChainOp::floor:
    case ChainOp::round:
    case ChainOp::sqrt:
      return unary_step(step, group);
    default:
      return select_step(step, p, q, group);
  }
}

inline void run(std::span<const ChainStep> steps, std::size_t count) {
  for (std::size_t first = 0; first < count; first += kVectors * kLanes) {
    Group group;
    group.each([](Value, std::size_t) { return set(0.0f); });
    for (const ChainStep& step : steps) run_step(step, first, group);
  }
}

inline bool all_below(const float* x, float reach, std::size_t count) {
  const Tag<float> tag;
  const hn::RebindToSigned<Tag<float>> whole;
  // Compared as integers, NaN and infinity are the largest.
  auto largest = hn::Zero(whole);
  for (std::size_t i = 0; i < count; i += kLanes)
    largest = hn::Max(largest, hn::BitCast(whole, hn::Abs(hn::LoadU(tag, x + i))));
  return hn::AllTrue(whole, hn::Lt(largest, hn::BitCast(whole, hn::Set(tag, reach))));
}

}  // namespace chain
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
