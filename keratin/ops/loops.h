// Element-wise loops over strided operands: axes merged, fixed chunks over the threads. Internal.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "keratin/core/parallel.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops::detail {

/// Elements in a chunk of a parallel loop: 64 KiB of floats, some ten microseconds of work.
inline constexpr std::int64_t kGrain = 16384;

/// How N operands lie under one row-major result. Neighbouring axes that all operands step through evenly are
/// one axis here, so that most loops have rank 1.
template <std::size_t N>
class Plan {
 public:
  Plan(const Shape& result, const std::array<const Tensor*, N>& operands) : count_(result.size()) {
    for (std::size_t axis = result.rank(); axis-- > 0;) {
      if (result[axis] == 1) continue;
      std::array<std::int64_t, N> strides{};
      for (std::size_t k = 0; k < N; ++k) strides[k] = stride_under(*operands[k], result.rank(), axis);
      if (rank_ > 0 && continues(strides)) {
        sizes_[rank_ - 1] *= result[axis];
      } else {
        sizes_[rank_] = result[axis];
        strides_[rank_++] = strides;
      }
    }
    if (rank_ == 0) rank_ = 1;  // one element
  }

  std::int64_t count() const noexcept { return count_; }
  /// Elements from one to the next along the innermost axis.
  std::int64_t step(std::size_t operand) const noexcept { return strides_[0][operand]; }

  /// Calls row(position, count, offsets) for the runs along the innermost axis that make up [begin, end) of
  /// the result.
  template <class Row>
  void walk(std::int64_t begin, std::int64_t end, Row&& row) const {
    std::array<std::int64_t, Shape::kMaxRank> index{};
    std::array<std::int64_t, N> offsets{};
    std::int64_t rest = begin;
    for (std::size_t axis = 0; axis < rank_; ++axis) {
      index[axis] = rest % sizes_[axis];
      rest /= sizes_[axis];
      for (std::size_t k = 0; k < N; ++k) offsets[k] += index[axis] * strides_[axis][k];
    }
    for (std::int64_t position = begin; position < end;) {
      const std::int64_t run = std::min(sizes_[0] - index[0], end - position);
      row(position, run, std::as_const(offsets));
      position += run;
      for (std::size_t k = 0; k < N; ++k) offsets[k] -= index[0] * strides_[0][k];
      index[0] = 0;
      for (std::size_t axis = 1; axis < rank_; ++axis) {
        for (std::size_t k = 0; k < N; ++k) offsets[k] += strides_[axis][k];
        if (++index[axis] < sizes_[axis]) break;
        for (std::size_t k = 0; k < N; ++k) offsets[k] -= strides_[axis][k] * sizes_[axis];
        index[axis] = 0;
      }
    }
  }

 private:
  static std::int64_t stride_under(const Tensor& operand, std::size_t rank, std::size_t axis) {
    const std::size_t missing = rank - operand.rank();
    if (axis < missing || operand.shape()[axis - missing] == 1) return 0;
    return operand.strides()[axis - missing];
  }

  bool continues(const std::array<std::int64_t, N>& strides) const {
    for (std::size_t k = 0; k < N; ++k)
      if (strides[k] != strides_[rank_ - 1][k] * sizes_[rank_ - 1]) return false;
    return true;
  }

  std::int64_t count_;
  std::size_t rank_ = 0;  // axes below run from the innermost outwards
  std::array<std::int64_t, Shape::kMaxRank> sizes_{1, 1, 1, 1, 1, 1, 1, 1};
  std::array<std::array<std::int64_t, N>, Shape::kMaxRank> strides_{};
};

/// out[i] = f(a[i]); out is row-major and overlaps nothing.
template <class In, class Out, class F>
void map(const Plan<1>& plan, const In* a, Out* out, F f) {
  const std::int64_t step = plan.step(0);
  parallel_for(plan.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    plan.walk(begin, end, [&](std::int64_t position, std::int64_t count, const auto& offsets) {
      const In* x = a + offsets[0];
      Out* __restrict y = out + position;
      if (step == 1) {
        for (std::int64_t i = 0; i < count; ++i) y[i] = f(x[i]);
      } else {
        for (std::int64_t i = 0; i < count; ++i) y[i] = f(x[i * step]);
      }
    });
  });
}

/// out[i] = f(a[i], b[i]).
template <class In, class Out, class F>
void map(const Plan<2>& plan, const In* a, const In* b, Out* out, F f) {
  const std::int64_t a_step = plan.step(0), b_step = plan.step(1);
  parallel_for(plan.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    plan.walk(begin, end, [&](std::int64_t position, std::int64_t count, const auto& offsets) {
      const In *x = a + offsets[0], *z = b + offsets[1];
      Out* __restrict y = out + position;
      // The common cases apart, so that each is a loop the compiler vectorises.
      if (a_step == 1 && b_step == 1) {
        for (std::int64_t i = 0; i < count; ++i) y[i] = f(x[i], z[i]);
      } else if (a_step == 1 && b_step == 0) {
        const In right = *z;
        for (std::int64_t i = 0; i < count; ++i) y[i] = f(x[i], right);
      } else if (a_step == 0 && b_step == 1) {
        const In left = *x;
        for (std::int64_t i = 0; i < count; ++i) y[i] = f(left, z[i]);
      } else {
        for (std::int64_t i = 0; i < count; ++i) y[i] = f(x[i * a_step], z[i * b_step]);
      }
    });
  });
}

/// out[i] = condition[i] ? a[i] : b[i].
template <class T>
void select(const Plan<3>& plan, const bool* condition, const T* a, const T* b, T* out) {
  const std::int64_t c_step = plan.step(0), a_step = plan.step(1), b_step = plan.step(2);
  parallel_for(plan.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    plan.walk(begin, end, [&](std::int64_t position, std::int64_t count, const auto& offsets) {
      const bool* c = condition + offsets[0];
      const T *x = a + offsets[1], *z = b + offsets[2];
      T* __restrict y = out + position;
      for (std::int64_t i = 0; i < count; ++i) y[i] = c[i * c_step] ? x[i * a_step] : z[i * b_step];
    });
  });
}

}  // namespace keratin::inline v0::ops::detail
