#include "keratin/activations/single_tape_compiler.h"

#include <algorithm>

namespace keratin::inline v0 {
namespace {

using detail::ChainOp;

// The built-in whose kernel computes the operation in f32, or null.
const char* kernel_of(ExprOp op) {
  switch (op) {
    case ExprOp::exp:
      return "exponential";
    case ExprOp::tanh:
    case ExprOp::tanh_slope:
      return "tanh";
    case ExprOp::sigmoid:
      return "sigmoid";
    case ExprOp::softplus:
      return "softplus";
    default:
      return nullptr;
  }
}

bool is_slope(const ExprNode& node) { return node.op == ExprOp::derivative || node.op == ExprOp::tanh_slope; }

bool is_chained(ExprOp op) {
  switch (op) {
    case ExprOp::add:
    case ExprOp::subtract:
    case ExprOp::multiply:
    case ExprOp::divide:
    case ExprOp::minimum:
    case ExprOp::maximum:
    case ExprOp::negative:
    case ExprOp::absolute:
    case ExprOp::sign:
    case ExprOp::floor:
    case ExprOp::round:
    case ExprOp::sqrt:
    case ExprOp::less:
    case ExprOp::less_equal:
    case ExprOp::equal:
    case ExprOp::logical_and:
    case ExprOp::logical_or:
    case ExprOp::logical_not:
    case ExprOp::select:
    case ExprOp::clip:
      return true;
    default:
      return false;
  }
}

// The steps of an operation whose first, second, third operand is the accumulator.
std::array<ChainOp, 3> steps_of(ExprOp op) {
  switch (op) {
    case ExprOp::add:
      return {ChainOp::add, ChainOp::add};
    case ExprOp::subtract:
      return {ChainOp::subtract, ChainOp::subtract_from};
    case ExprOp::multiply:
      return {ChainOp::multiply, ChainOp::multiply};
    case ExprOp::divide:
      return {ChainOp::divide, ChainOp::divide_into};
    case ExprOp::minimum:
      return {ChainOp::minimum, ChainOp::minimum};
    case ExprOp::maximum:
      return {ChainOp::maximum, ChainOp::maximum};
    case ExprOp::negative:
      return {ChainOp::negative};
    case ExprOp::absolute:
      return {ChainOp::absolute};
    case ExprOp::sign:
      return {ChainOp::sign};
    case ExprOp::floor:
      return {ChainOp::floor};
    case ExprOp::round:
      return {ChainOp::round};
    case ExprOp::sqrt:
      return {ChainOp::sqrt};
    case ExprOp::less:
      return {ChainOp::less, ChainOp::greater};
    case ExprOp::less_equal:
      return {ChainOp::less_equal, ChainOp::greater_equal};
    case ExprOp::equal:
      return {ChainOp::equal, ChainOp::equal};
    case ExprOp::logical_and:
      return {ChainOp::logical_and, ChainOp::logical_and};
    case ExprOp::logical_or:
      return {ChainOp::logical_or, ChainOp::logical_or};
    case ExprOp::logical_not:
      return {ChainOp::logical_not};
    case ExprOp::select:
      return {ChainOp::select, ChainOp::select_true, ChainOp::select_false};
    default:
      // clip: its limits are constants, and never the accumulator.
      return {ChainOp::clip, ChainOp::clip, ChainOp::clip};
  }
}

}  // namespace

void SingleTape::Compiler::count_uses(const std::vector<detail::NodePtr>& order) {
  for (const auto& node : order) {
    for (const auto& input : node->inputs) {
      if (input != nullptr) ++remaining_[input.get()];
    }
  }
  ++remaining_[root_];
}

// Slopes times something that varies first: the kernel of a slope multiplies anyway. Then products in sums.
void SingleTape::Compiler::absorb(const ExprNode& node) {
  if (node.op == ExprOp::multiply) {
    for (const std::size_t i : {0u, 1u}) {
      if (!is_slope(node.input(i)) || remaining_.at(&node.input(i)) != 1) continue;
      if (node.input(1 - i).is_constant()) continue;
      absorbed_[&node.input(i)] = true;
      return;
    }
  }
  if (node.op != ExprOp::add && node.op != ExprOp::subtract) return;
  for (const std::size_t i : {0u, 1u}) {
    const ExprNode& product = node.input(i);
    if (product.op != ExprOp::multiply || remaining_.at(&product) != 1) continue;
    if (absorbed_.count(&product.input(0)) + absorbed_.count(&product.input(1)) != 0) continue;
    absorbed_[&product] = true;
    return;
  }
}

SingleTape::Place SingleTape::Compiler::constant(double value) {
  tape_.constants_.emplace_back().values.fill(static_cast<float>(value));
  return ~static_cast<Place>(tape_.constants_.size() - 1);
}

SingleTape::Place SingleTape::Compiler::place_for(const ExprNode& node) {
  if (&node == root_) return places_[&node] = kResult;
  if (!free_.empty()) {
    const Place place = free_.back();
    free_.pop_back();
    return places_[&node] = place;
  }
  return places_[&node] = kFirst + static_cast<Place>(tape_.registers_++);
}

void SingleTape::Compiler::use(const ExprNode& node) {
  if (--remaining_.at(&node) != 0) return;
  const auto found = places_.find(&node);
  if (found != places_.end() && found->second >= kFirst) free_.push_back(found->second);
}

// Stores what the accumulator holds, unless it is stored already.
void SingleTape::Compiler::keep_current() {
  if (current_ == nullptr || places_.count(current_) != 0) return;
  chain_.push_back({ChainOp::store, place_for(*current_)});
}

void SingleTape::Compiler::close_chain() {
  if (current_ == nullptr) return;
  if (remaining_.at(current_) != 0) keep_current();
  Instruction instruction;
  instruction.steps = std::move(chain_);
  tape_.instructions_.push_back(std::move(instruction));
  chain_.clear();
  current_ = nullptr;
}

SingleTape::Place SingleTape::Compiler::in_register(const ExprNode& node) {
  const Place place = places_.at(&node);
  if (place >= 0) return place;
  chain_.push_back({ChainOp::load, place});
  places_.erase(&node);
  current_ = &node;
  close_chain();
  return places_.at(&node);
}

SingleTape::Compiler::Form SingleTape::Compiler::form_of(const ExprNode& node) const {
  Form form;
  for (const std::size_t i : {0u, 1u}) {
    if (node.op != ExprOp::add && node.op != ExprOp::subtract) break;
    const ExprNode& product = node.input(i);
    if (absorbed_.count(&product) == 0) continue;
    form.operands = {&product.input(0), &product.input(1), &node.input(1 - i)};
    if (node.op == ExprOp::add) {
      form.ops = {ChainOp::multiply_add, ChainOp::multiply_add, ChainOp::add_product};
    } else if (i == 0) {
      form.ops = {ChainOp::multiply_subtract, ChainOp::multiply_subtract, ChainOp::subtract_from_product};
    } else {
      form.ops = {ChainOp::subtract_multiple, ChainOp::subtract_multiple, ChainOp::subtract_product};
    }
    return form;
  }
  for (const detail::NodePtr& input : node.inputs) {
    if (input != nullptr) form.operands.push_back(input.get());
  }
  form.ops = steps_of(node.op);
  return form;
}

void SingleTape::Compiler::append(const ExprNode& node, const Form& form, std::size_t accumulator) {
  Step step{form.ops[accumulator]};
  std::array<Place, 2> others{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < form.operands.size(); ++i) {
    if (i != accumulator) others[count++] = places_.at(form.operands[i]);
  }
  step.p = others[0];
  step.q = others[1];
  chain_.push_back(step);
  for (const ExprNode* operand : form.operands) use(*operand);
  current_ = &node;
}

void SingleTape::Compiler::arithmetic(const ExprNode& node) {
  Form form = form_of(node);
  // A node makes two steps at most, and the chain begins and ends with one more.
  if (chain_.size() + 4 > kLongestChain) close_chain();
  const auto at = [&form](const ExprNode* wanted) {
    return static_cast<std::size_t>(std::find(form.operands.begin(), form.operands.end(), wanted) -
                                    form.operands.begin());
  };
  std::size_t accumulator = at(current_);
  if (accumulator == form.operands.size()) {
    close_chain();
    accumulator = 0;
    chain_.push_back({ChainOp::load, places_.at(form.operands[0])});
    current_ = form.operands[0];
  }
  if (node.op == ExprOp::multiply && form.operands[0] == form.operands[1]) {
    use(*form.operands[1]);
    form = {{current_}, {ChainOp::square}};
    accumulator = 0;
  }
  const auto here =
      static_cast<std::size_t>(std::count(form.operands.begin(), form.operands.end(), current_));
  if (here > 1 || remaining_.at(current_) > here) keep_current();
  append(node, form, accumulator);
}

void SingleTape::Compiler::call(const ExprNode& node, Kind kind, const ExprNode& called,
                                const ExprNode* factor) {
  close_chain();
  Instruction instruction;
  instruction.kind = kind;
  instruction.in = in_register(called.input(0));
  instruction.factor = factor == nullptr ? kNone : in_register(*factor);
  instruction.op = called.op;
  if (called.op == ExprOp::power) instruction.exponent = called.input(1).value;
  if (kind != Kind::wide) {
    instruction.function = called.function == nullptr
                               ? detail::builtin(kernel_of(called.op))
                               : std::dynamic_pointer_cast<const BuiltinActivation>(called.function);
  }
  use(called.input(0));
  if (factor != nullptr) use(*factor);
  instruction.out = place_for(node);
  tape_.instructions_.push_back(std::move(instruction));
}

// A product with the slope that it has absorbed.
bool SingleTape::Compiler::slope_times(const ExprNode& node) {
  if (node.op != ExprOp::multiply) return false;
  for (const std::size_t i : {0u, 1u}) {
    if (!is_slope(node.input(i)) || absorbed_.count(&node.input(i)) == 0) continue;
    call(node, Kind::slope, node.input(i), &node.input(1 - i));
    return true;
  }
  return false;
}

void SingleTape::Compiler::emit(const ExprNode& node) {
  if (absorbed_.count(&node) != 0) return;
  if (node.op == ExprOp::input) {
    places_[&node] = kX;
  } else if (node.op == ExprOp::upstream) {
    places_[&node] = kUpstream;
    tape_.takes_upstream_ = true;
  } else if (node.is_constant()) {
    places_[&node] = constant(node.value);
  } else if (is_slope(node)) {
    call(node, Kind::slope, node, nullptr);
  } else if (node.op == ExprOp::function || kernel_of(node.op) != nullptr) {
    call(node, Kind::value, node, nullptr);
  } else if (!is_chained(node.op)) {
    call(node, Kind::wide, node, nullptr);
  } else if (!slope_times(node)) {
    arithmetic(node);
  }
}

void SingleTape::Compiler::compile(const detail::NodePtr& root) {
  root_ = root.get();
  const std::vector<detail::NodePtr> order = detail::topological_order(root);
  count_uses(order);
  for (const auto& node : order) absorb(*node);
  for (const auto& node : order) emit(*node);
  if (const auto found = places_.find(root_); found != places_.end() && found->second != kResult) {
    // x, the upstream gradient or a constant alone.
    chain_ = {{ChainOp::load, found->second}, {ChainOp::store, kResult}};
    current_ = root_;
  }
  close_chain();
}

}  // namespace keratin::inline v0
