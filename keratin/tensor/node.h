// The record of how a tensor was computed: what an op attaches and the backward pass walks.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

class Tensor;

/// From the gradient of the loss with respect to an op's result to those with respect to its inputs, in their
/// order; an undefined Tensor stands for an input that needs none.
using Backward = std::function<std::vector<Tensor>(const Tensor& upstream)>;

/// One op that was recorded, or a leaf: a variable or a watched tensor, where gradients are collected.
struct KERATIN_API Node {
  Node() = default;
  /// Frees what only this node holds without recursion, however long the record.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  std::string_view operation;                 ///< a literal: "dense", "tanh", "leaf"
  std::vector<std::shared_ptr<Node>> inputs;  ///< null where an input needs no gradient
  Backward backward;                          ///< empty for a leaf
};

/// Whether ops on this thread record themselves. Off unless a RecordGradients lives.
KERATIN_API bool is_recording() noexcept;

/// While it lives, ops on this thread record themselves, or with `false` they do not, whatever is outside.
class KERATIN_API RecordGradients {
 public:
  explicit RecordGradients(bool on = true) noexcept;
  ~RecordGradients();
  RecordGradients(const RecordGradients&) = delete;
  RecordGradients& operator=(const RecordGradients&) = delete;

 private:
  bool before_;
};

/// Whether an op on these inputs has to be recorded: the thread records and one of them depends on a leaf.
KERATIN_API bool wants_gradient(std::initializer_list<const Tensor*> inputs) noexcept;
/// `result`, recorded as computed by `operation` from `inputs`; call it where wants_gradient holds.
KERATIN_API Tensor record(Tensor result, std::string_view operation,
                          std::initializer_list<const Tensor*> inputs, Backward backward);
KERATIN_API Tensor record(Tensor result, std::string_view operation, const std::vector<Tensor>& inputs,
                          Backward backward);

}  // namespace keratin::inline v0
