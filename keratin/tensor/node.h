// The record of how a tensor was computed: what an op attaches and the backward pass walks.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/core/small_blocks.h"

namespace keratin::inline v0 {

class Tensor;
class Tensors;

/// From the gradient of the loss with respect to an op's result to those with respect to its inputs, in their
/// order, where an undefined Tensor stands for an input that needs none: any function of a const Tensor& that
/// returns Tensors or a std::vector<Tensor>. Copies share it.
class KERATIN_API Backward {
 public:
  Backward() = default;
  template <class Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, Backward>) Backward(Function function)
      : call_(detail::make_small<Closure<Function>>(std::move(function))) {}

  explicit operator bool() const noexcept { return call_ != nullptr; }
  Tensors operator()(const Tensor& upstream) const;

 private:
  struct Call {
    virtual ~Call() = default;
    virtual void run(const Tensor& upstream, Tensors& gradients) = 0;
  };
  template <class Function>
  struct Closure final : Call {
    explicit Closure(Function f) : function(std::move(f)) {}
    void run(const Tensor& upstream, Tensors& gradients) override { gradients = function(upstream); }
    Function function;
  };

  std::shared_ptr<Call> call_;
};

/// One op that was recorded, or a leaf: a variable or a watched tensor, where gradients are collected.
struct KERATIN_API Node {
  Node() = default;
  /// Frees what only this node holds without recursion, however long the record.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  using Inputs = std::vector<std::shared_ptr<Node>, detail::SmallBlocks<std::shared_ptr<Node>>>;

  std::string_view operation;  ///< a literal: "dense", "tanh", "leaf"
  Inputs inputs;               ///< null where an input needs no gradient
  Backward backward;           ///< empty for a leaf
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
KERATIN_API Tensor record(Tensor result, std::string_view operation, const Tensors& inputs,
                          Backward backward);

}  // namespace keratin::inline v0
