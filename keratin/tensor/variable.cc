#include "keratin/tensor/variable.h"

#include <utility>

#include "keratin/core/error.h"
#include "keratin/tensor/variable_reading.h"

namespace keratin::inline v0 {

namespace {
thread_local detail::ReadVariables::Read reading = nullptr;
}  // namespace

detail::ReadVariables::ReadVariables(Read read) noexcept : before_(std::exchange(reading, read)) {}
detail::ReadVariables::~ReadVariables() { reading = before_; }

struct Variable::State {
  Tensor value;
  std::string name, path;
  bool trainable;
  std::shared_ptr<Node> leaf;
  std::function<void(const Tensor&)> gradient_hook;
};

Variable::Variable(Tensor value, std::string name, bool trainable, std::string path)
    : state_(std::make_shared<State>(
          State{value.detach(), std::move(name), std::move(path), trainable, std::make_shared<Node>(), {}})) {
  if (state_->path.empty()) state_->path = state_->name;
  state_->leaf->operation = "leaf";
}

const std::string& Variable::name() const noexcept { return state_->name; }
const std::string& Variable::path() const noexcept { return state_->path; }
const Shape& Variable::shape() const noexcept { return state_->value.shape(); }
DType Variable::dtype() const noexcept { return state_->value.dtype(); }
bool Variable::trainable() const noexcept { return state_->trainable; }
void Variable::set_trainable(bool trainable) { state_->trainable = trainable; }
const Tensor& Variable::value() const noexcept { return state_->value; }
Tensor& Variable::mutable_value() noexcept { return state_->value; }
const std::shared_ptr<Node>& Variable::leaf() const noexcept { return state_->leaf; }

Tensor Variable::tensor() const {
  Tensor tensor = state_->value;
  if (state_->trainable && is_recording()) tensor.set_node(state_->leaf);
  return reading == nullptr ? tensor : reading(tensor);
}

void Variable::assign(const Tensor& value) {
  if (value.shape() != shape())
    throw ShapeError("assign", "variable \"" + name() + "\" expects shape " + shape().to_string(),
                     "got " + value.shape().to_string());
  state_->value = value.detach().astype(dtype());
}

void Variable::set_gradient_hook(std::function<void(const Tensor&)> hook) {
  state_->gradient_hook = std::move(hook);
}
const std::function<void(const Tensor&)>& Variable::gradient_hook() const noexcept {
  return state_->gradient_hook;
}

}  // namespace keratin::inline v0
