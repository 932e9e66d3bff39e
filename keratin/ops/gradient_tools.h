// What backward functions share: gradients over broadcast axes, and results that they need again. Internal.
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/tensor/node.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::ops::detail {

/// `gradient` summed over the axes that broadcasting added to `shape` or repeated; itself if none.
Tensor sum_to(const Tensor& gradient, const Shape& shape);

/// Whether the gradient of this input is wanted.
inline bool is_recorded(const Tensor& a) noexcept { return a.node() != nullptr; }

/// Records `result` with backward(upstream, result), a function that needs the result again. A node that
/// owned its own result would never be freed: the values are kept, and the node is found again through a weak
/// pointer, so that second derivatives flow through the result.
template <class BackwardOfResult>
Tensor record_with_result(Tensor result, std::string_view operation,
                          std::initializer_list<const Tensor*> inputs, BackwardOfResult backward) {
  auto self = keratin::detail::make_small<std::weak_ptr<Node>>();
  result = record(result, operation, inputs,
                  [values = result.detach(), self, backward = std::move(backward)](const Tensor& upstream) {
                    Tensor y = values;
                    if (is_recording()) y.set_node(self->lock());
                    return backward(upstream, y);
                  });
  *self = result.node();
  return result;
}

}  // namespace keratin::inline v0::ops::detail
