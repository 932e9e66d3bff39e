// One call of softmax and kin: how its axes lie, what its gradients need, and gradients of gradients.
// Internal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "keratin/activations/axis_functions.h"
#include "keratin/tensor/node.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::activations::detail {

/// Where the axes of one call stand: the tensor is turned so that they come last, as rows.
struct Rows {
  AxisNumbers order;    // of the axes; empty where they are last already
  AxisNumbers inverse;  // back again
  std::int64_t count = 1, length = 1;
  std::int64_t inner = 1;  // numbers between two elements of a row; 0 where they do not lie evenly

  Rows(std::int64_t rows, std::int64_t elements) : count(rows), length(elements) {}
  Rows(const Shape& shape, const AxisNumbers& axes) {
    for (std::size_t i = 0; i < shape.rank(); ++i) {
      const auto axis = static_cast<std::int64_t>(i);
      (axes.contains(axis) ? length : count) *= shape[i];
      if (!axes.contains(axis)) order.push_back(axis);
    }
    for (const std::int64_t axis : axes) order.push_back(axis);
    if (std::is_sorted(order.begin(), order.end())) {
      order.clear();
      return;
    }
    const bool are_adjacent = axes.back() - axes.front() + 1 == static_cast<std::int64_t>(axes.size());
    inner = are_adjacent ? shape.part(static_cast<std::size_t>(axes.back()) + 1, shape.rank()).size() : 0;
    inverse = order.inverse();
  }

  Tensor turned(const Tensor& x) const {
    return order.empty() ? x.contiguous() : x.transpose(order).contiguous();
  }
  Tensor back(const Tensor& rows) const {
    return order.empty() ? rows : rows.transpose(inverse).contiguous();
  }
};

struct AxisCall {
  AxisKind kind = AxisKind::softmax;
  AxisNumbers axes;
  Rows rows{1, 1};
  /// f32 along an inner axis: by kernels that go down columns, nothing is turned.
  bool by_columns = false;
  /// x, or softmax(x) where that is enough; turned unless by_columns.
  Tensor kept = {};
  bool keeps_result = false;
  std::shared_ptr<Node> x_node = nullptr;

  /// f of x, recorded where that is wanted.
  static Tensor run(AxisKind kind, const Tensor& x, const AxisNumbers& axes, const Shape& result);
  /// x's own gradient from that of the result; recorded in its turn while the thread records.
  Tensor gradient(const Tensor& upstream) const;
  /// f(x) again, recorded where that is wanted.
  Tensor result() const;
  /// The same x along the same axes through softmax.
  AxisCall as_softmax() const;
  /// x, recorded. Not of softmax, which may have kept its result alone.
  Tensor input() const;
};

/// The gradients of Σ v·call.gradient(u) by x and u. autograd sets it: it takes ops, which this folder has
/// not.
using AxisSecondGradient = Tensors (*)(const AxisCall& call, const Tensor& u, const Tensor& v);
KERATIN_API void set_axis_second_gradient(AxisSecondGradient function) noexcept;

std::string_view axis_name(AxisKind kind) noexcept;

}  // namespace keratin::inline v0::activations::detail
