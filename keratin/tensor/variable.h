// Variables: tensors that training changes and layers share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

/// A handle to a named tensor that can be assigned to: copies are the same variable. Keras: keras.Variable.
/// Reading from several threads is safe while nobody assigns.
class KERATIN_API Variable {
 public:
  /// No variable; is_defined() is false.
  Variable() = default;
  Variable(Tensor value, std::string name, bool trainable = true, std::string path = {});

  bool is_defined() const noexcept { return state_ != nullptr; }
  const std::string& name() const noexcept;
  /// Where it was made, "model/dense/kernel": the names of the layers that were being built, then its own.
  /// Keras: Variable.path.
  const std::string& path() const noexcept;
  const Shape& shape() const noexcept;
  DType dtype() const noexcept;
  bool trainable() const noexcept;
  void set_trainable(bool trainable);

  /// The present value, never recorded.
  const Tensor& value() const noexcept;
  /// The present value as an op's input: a leaf where this thread records and the variable is trainable.
  Tensor tensor() const;
  /// ShapeError if the shape differs; converted to the variable's dtype.
  void assign(const Tensor& value);
  /// The value to change in place (optimizers).
  Tensor& mutable_value() noexcept;

  /// The leaf under which the backward pass collects this variable's gradient.
  const std::shared_ptr<Node>& leaf() const noexcept;
  /// Called by the backward pass as soon as this variable's gradient is complete; data-parallel training
  /// starts its exchange here. An empty function takes the hook away.
  void set_gradient_hook(std::function<void(const Tensor& gradient)> hook);
  const std::function<void(const Tensor& gradient)>& gradient_hook() const noexcept;

  friend bool operator==(const Variable& a, const Variable& b) noexcept { return a.state_ == b.state_; }

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace keratin::inline v0
