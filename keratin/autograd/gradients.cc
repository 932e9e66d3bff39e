#include "keratin/autograd/gradients.h"

#include <unordered_map>
#include <utility>

#include "keratin/autograd/axis_gradient.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

using detail::SmallBlocks;

// Half types only store: their sum is that in float32, rounded.
Tensor sum_of(const Tensor& a, const Tensor& b) {
  if (a.dtype() != DType::float16 && a.dtype() != DType::bfloat16) return ops::add(a, b);
  return ops::cast(ops::add(ops::cast(a, DType::float32), ops::cast(b, DType::float32)), a.dtype());
}

template <class T>
using List = std::vector<T, SmallBlocks<T>>;

// As soon as the library is there: a record may also be walked by its nodes alone.
[[maybe_unused]] const bool knows_axis_gradients = [] {
  activations::detail::set_axis_second_gradient(detail::axis_second_gradient);
  return true;
}();

// Called with the place of a target and its gradient as soon as that is complete.
using Completed = std::function<void(std::size_t target, const Tensor& gradient)>;

struct Progress {
  List<std::size_t> targets;  // places of this node among the targets
  bool needed = false;        // whether a target is this node or lies below it
  bool seen = false;          // by the first walk
  std::size_t consumers = 0;  // needed nodes above that have not yet given their part
  Tensor gradient;            // the sum of the parts given so far
};

class Pass {
 public:
  explicit Pass(std::size_t target_count) : results_(target_count) {}

  void add_target(std::size_t target, const Node* node) {
    if (node != nullptr) progress_[node].targets.push_back(target);
  }

  Tensors run(std::shared_ptr<Node> root, Tensor upstream, const Completed& completed) {
    find_needed(root.get());
    Progress& start = progress_[root.get()];
    if (!start.needed) return std::move(results_);
    start.gradient = std::move(upstream);
    // Last in, first out: parts are used soon after they are made, and leaves are completed early.
    List<std::shared_ptr<Node>> ready;
    ready.push_back(std::move(root));
    while (!ready.empty()) {
      const std::shared_ptr<Node> node = std::move(ready.back());
      ready.pop_back();
      finish(*node, ready, completed);
    }
    return std::move(results_);
  }

 private:
  // Marks the nodes from which a target is reached, and counts their consumers. A depth-first walk whose
  // stack is a vector: records may be longer than the thread's stack is deep.
  void find_needed(const Node* root) {
    List<std::pair<const Node*, std::size_t>> stack;
    const auto enter = [&](const Node* node) {
      Progress& progress = progress_[node];
      progress.seen = true;
      progress.needed = !progress.targets.empty();
      stack.emplace_back(node, 0);
    };
    enter(root);
    while (!stack.empty()) {
      const Node* node = stack.back().first;
      if (stack.back().second < node->inputs.size()) {
        const Node* input = node->inputs[stack.back().second++].get();
        if (input != nullptr && !progress_[input].seen) enter(input);
        continue;
      }
      stack.pop_back();
      Progress& progress = progress_[node];
      for (const auto& input : node->inputs)
        progress.needed = progress.needed || (input != nullptr && progress_[input.get()].needed);
      if (!progress.needed) continue;
      for (const auto& input : node->inputs)
        if (input != nullptr && progress_[input.get()].needed) ++progress_[input.get()].consumers;
    }
  }

  // The gradient of `node` is complete: hands it to its targets and its parts to the inputs.
  void finish(Node& node, List<std::shared_ptr<Node>>& ready, const Completed& completed) {
    Progress& progress = progress_.at(&node);
    const Tensor gradient = std::exchange(progress.gradient, Tensor());
    for (const std::size_t target : progress.targets) {
      results_[target] = gradient;
      if (gradient.is_defined() && completed) completed(target, gradient);
    }
    Tensors parts;
    if (gradient.is_defined() && node.backward && needs_backward(node)) parts = node.backward(gradient);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::shared_ptr<Node>& input = node.inputs[i];
      if (input == nullptr) continue;
      Progress& below = progress_.at(input.get());
      if (!below.needed) continue;
      if (i < parts.size() && parts[i].is_defined())
        below.gradient = below.gradient.is_defined() ? sum_of(below.gradient, parts[i]) : std::move(parts[i]);
      if (--below.consumers == 0) ready.push_back(input);
    }
  }

  bool needs_backward(const Node& node) const {
    for (const auto& input : node.inputs)
      if (input != nullptr && progress_.at(input.get()).needed) return true;
    return false;
  }

  std::unordered_map<const Node*, Progress, std::hash<const Node*>, std::equal_to<>,
                     SmallBlocks<std::pair<const Node* const, Progress>>>
      progress_;
  Tensors results_;
};

// The checked upstream gradient of y.
Tensor start_of(const Tensor& y, const Tensor& upstream) {
  if (y.node() == nullptr)
    throw StateError("gradients", "expects a tensor that was recorded",
                     y.is_defined() ? "got one that was not" : "got an undefined one",
                     "Compute it from watched tensors or variables while a RecordGradients lives.");
  if (!upstream.is_defined()) return Tensor::full(y.shape(), 1, y.dtype());
  if (upstream.shape() != y.shape())
    throw ShapeError("gradients", "expects an upstream gradient of y's shape " + y.shape().to_string(),
                     "got " + upstream.shape().to_string());
  if (upstream.dtype() != y.dtype())
    throw TypeError("gradients", "expects an upstream gradient of y's dtype, " + std::string(name(y.dtype())),
                    "got " + std::string(name(upstream.dtype())));
  return upstream;
}

void check_result(const Tensor& gradient, const Shape& shape) {
  if (gradient.is_defined() && gradient.shape() != shape)
    throw ShapeError("gradients", "expects a gradient of its target's shape " + shape.to_string(),
                     "a backward function gave " + gradient.shape().to_string());
}

Tensors gradients_of(std::shared_ptr<Node> root, Tensor start, std::span<const Tensor> targets) {
  Pass pass(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) pass.add_target(i, targets[i].node().get());
  return pass.run(std::move(root), std::move(start), [&](std::size_t target, const Tensor& gradient) {
    check_result(gradient, targets[target].shape());
  });
}

Tensors gradients_of(std::shared_ptr<Node> root, Tensor start, std::span<const Variable> variables) {
  Pass pass(variables.size());
  for (std::size_t i = 0; i < variables.size(); ++i)
    if (variables[i].is_defined()) pass.add_target(i, variables[i].leaf().get());
  return pass.run(std::move(root), std::move(start), [&](std::size_t target, const Tensor& gradient) {
    check_result(gradient, variables[target].shape());
    if (variables[target].gradient_hook()) variables[target].gradient_hook()(gradient);
  });
}

}  // namespace

Tensors gradients(const Tensor& y, std::span<const Tensor> targets, const Tensor& upstream) {
  const FloatEnvironment environment;
  return gradients_of(y.node(), start_of(y, upstream), targets);
}

Tensors gradients(Tensor&& y, std::span<const Tensor> targets, const Tensor& upstream) {
  const FloatEnvironment environment;
  Tensor start = start_of(y, upstream);
  std::shared_ptr<Node> root = y.node();
  y = Tensor();
  return gradients_of(std::move(root), std::move(start), targets);
}

Tensors gradients(const Tensor& y, std::span<const Variable> variables, const Tensor& upstream) {
  const FloatEnvironment environment;
  return gradients_of(y.node(), start_of(y, upstream), variables);
}

Tensors gradients(Tensor&& y, std::span<const Variable> variables, const Tensor& upstream) {
  const FloatEnvironment environment;
  Tensor start = start_of(y, upstream);
  std::shared_ptr<Node> root = y.node();
  y = Tensor();
  return gradients_of(std::move(root), std::move(start), variables);
}

}  // namespace keratin::inline v0
