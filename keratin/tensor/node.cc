#include "keratin/tensor/node.h"

#include <algorithm>
#include <utility>

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {
namespace {

thread_local bool recording = false;

template <class Range, class Get>
Tensor attach(Tensor result, std::string_view operation, const Range& inputs, Backward backward, Get get) {
  auto node = detail::make_small<Node>();
  node->operation = operation;
  node->inputs.reserve(inputs.size());
  for (const auto& input : inputs) node->inputs.push_back(get(input).node());
  node->backward = std::move(backward);
  result.set_node(std::move(node));
  return result;
}

}  // namespace

Tensors Backward::operator()(const Tensor& upstream) const {
  Tensors gradients;
  call_->run(upstream, gradients);
  return gradients;
}

Node::~Node() {
  if (inputs.empty() && !backward) return;
  using Held = std::pair<Inputs, Backward>;
  using List = std::vector<Held, detail::SmallBlocks<Held>>;
  // The first node to go empties the list; those that it takes along only add to it.
  thread_local List* pending = nullptr;
  if (pending != nullptr) {
    pending->emplace_back(std::move(inputs), std::move(backward));
    return;
  }
  List own;
  pending = &own;
  own.emplace_back(std::move(inputs), std::move(backward));
  while (!own.empty()) {
    const auto last = std::move(own.back());
    own.pop_back();
  }
  pending = nullptr;
}

bool is_recording() noexcept { return recording; }

RecordGradients::RecordGradients(bool on) noexcept : before_(recording) { recording = on; }
RecordGradients::~RecordGradients() { recording = before_; }

bool wants_gradient(std::initializer_list<const Tensor*> inputs) noexcept {
  return recording && std::any_of(inputs.begin(), inputs.end(),
                                  [](const Tensor* input) { return input->node() != nullptr; });
}

Tensor record(Tensor result, std::string_view operation, std::initializer_list<const Tensor*> inputs,
              Backward backward) {
  return attach(std::move(result), operation, inputs, std::move(backward),
                [](const Tensor* input) -> const Tensor& { return *input; });
}

Tensor record(Tensor result, std::string_view operation, const Tensors& inputs, Backward backward) {
  return attach(std::move(result), operation, inputs, std::move(backward),
                [](const Tensor& input) -> const Tensor& { return input; });
}

}  // namespace keratin::inline v0
