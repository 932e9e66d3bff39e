#include "keratin/layers/cell.h"

#include <algorithm>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/masks.h"
#include "keratin/layers/named_shapes.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {

Tensors CellBody::call_list(const Tensors& inputs, const CallContext& context) const {
  const Shape& shape = inputs.front().shape();
  if (const std::size_t states = state_shapes(shape).size(); inputs.size() != 1 + states)
    check_count(inputs.size(), 1 + states, 1 + states, "an input and " + std::to_string(states) + " states");
  const StepNoise drops = noise(shape, context.training);
  const Tensor projected = ops::squeeze(project(ops::expand_dims(inputs.front(), 0), drops), 0);
  return step(projected, {inputs.begin() + 1, inputs.end()}, drops, context.training);
}

Shapes CellBody::output_shapes(const Shapes& inputs) const {
  Shapes shapes = state_shapes(inputs.front());
  shapes.insert(shapes.begin(), step_shape(inputs.front()));
  return shapes;
}

namespace detail {
namespace {

// The first two axes swapped: steps in front, so that each is one piece of memory.
Tensor swapped(const Tensor& x) {
  AxisNumbers order = AxisNumbers::range(0, x.rank());
  std::swap(order[0], order[1]);
  return ops::transpose(x, order);
}

Shape swapped(Shape shape) {
  std::swap(shape[0], shape[1]);
  return shape;
}

// Each step alone. In halves, so that the gradients of all cost size·log(steps), not size·steps.
void split(const Tensor& steps, Tensors& parts) {
  const std::int64_t count = steps.shape()[0];
  if (count == 1) {
    parts.push_back(ops::squeeze(steps, 0));
  } else if (count > 1) {
    split(ops::slice(steps, 0, 0, count / 2), parts);
    split(ops::slice(steps, 0, count / 2, count), parts);
  }
}

Tensor stacked(const Tensors& steps) {
  Tensors wide;
  for (const Tensor& step : steps) wide.push_back(ops::expand_dims(step, 1));
  return ops::concatenate(wide, 1);
}

Shape step_of(const Shape& sequence) { return sequence.without(1); }

// (batch, steps) to (steps, batch), the first to be run first.
Tensor in_order_of_steps(const Tensor& mask, bool go_backwards) {
  const std::int64_t batch = mask.shape()[0], steps = mask.shape()[1];
  const Tensor given = mask.contiguous();
  Tensor ordered = Tensor::empty({steps, batch}, DType::boolean);
  const auto from = given.values<bool>();
  const auto to = ordered.mutable_values<bool>();
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t b = 0; b < batch; ++b)
      to[static_cast<std::size_t>(t * batch + b)] =
          from[static_cast<std::size_t>(b * steps + (go_backwards ? steps - 1 - t : t))];
  return ordered;
}

// Whether a sample's step or one before it counts.
Tensor counted_so_far(const Tensor& mask) {
  Tensor so_far = mask.clone();
  const auto values = so_far.mutable_values<bool>();
  const auto batch = static_cast<std::size_t>(mask.shape()[1]);
  for (std::size_t i = batch; i < values.size(); ++i) values[i] = values[i] || values[i - batch];
  return so_far;
}

}  // namespace

std::shared_ptr<CellBody> named_by_class(std::shared_ptr<CellBody> cell) {
  cell->name = to_snake_case(cell->class_name());
  return cell;
}

RecurrentBody::RecurrentBody(std::shared_ptr<CellBody> cell, const Recurrence& recurrence)
    : cell_(std::move(cell)), recurrence_(recurrence) {
  // Names for messages and files.
  static_cast<void>(Layer(cell_));
}

void RecurrentBody::build_list(const Shapes& inputs) {
  const Shape& x = inputs.front();
  cell_->ensure_built({step_of(recurrence_.time_major ? swapped(x) : x)});
  if (!trainable) cell_->set_trainable(false);
}

Tensors RecurrentBody::start_states(const Tensors& inputs, const Shape& step) const {
  if (inputs.size() > 1) return {inputs.begin() + 1, inputs.end()};
  if (recurrence_.stateful) {
    const std::lock_guard lock(mutex_);
    if (!states_.empty() && states_.front().shape()[0] != step[0]) {
      refuse_input("a batch of " + std::to_string(states_.front().shape()[0]) + ", whose states it keeps",
                   step, "Call reset_states() before another batch size.");
    }
    if (!states_.empty()) return states_;
  }
  Tensors states;
  for (const Shape& shape : cell_->state_shapes(step)) states.push_back(Tensor::zeros(shape, dtype));
  return states;
}

Tensor RecurrentBody::in_order(const Tensor& x) const {
  const Tensor steps = swapped(x);
  if (!recurrence_.go_backwards) return steps;
  const std::int64_t count = steps.shape()[0];
  Tensor order = Tensor::empty({count}, DType::int64);
  const auto places = order.mutable_values<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) places[static_cast<std::size_t>(i)] = count - 1 - i;
  return ops::take(steps, order);
}

void RecurrentBody::show(CellBody::Sequence& all, const Tensor& mask) const {
  // Outputs before the first step that counts are zeros, whatever the states were.
  const Tensor shown = recurrence_.zero_output_for_mask ? mask : counted_so_far(mask);
  const Tensor zero = Tensor::scalar(0, all.outputs.dtype());
  all.outputs = ops::where(mask_of_rank(shown, all.outputs.rank()), all.outputs, zero);
  all.last = ops::squeeze(ops::slice(all.outputs, 0, mask.shape()[0] - 1, mask.shape()[0]), 0);
}

void RecurrentBody::keep(const Tensors& states) const {
  if (!recurrence_.stateful) return;
  const std::lock_guard lock(mutex_);
  states_.clear();
  // Copies: a state may be a part of all steps' memory.
  for (const Tensor& state : states) states_.push_back(state.detach().clone());
}

Tensors RecurrentBody::call_list(const Tensors& inputs, const CallContext& context) const {
  Shapes shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  output_shapes(shapes);
  if (!recurrence_.time_major) return run(inputs, context);
  Tensors turned = inputs;
  turned.front() = swapped(inputs.front());
  CallContext inner = context;
  if (!inner.masks.empty() && inner.masks.front().is_defined())
    inner.masks.front() = swapped(inner.masks.front());
  Tensors results = run(turned, inner);
  if (recurrence_.return_sequences) results.front() = swapped(results.front());
  return results;
}

Tensors RecurrentBody::run(const Tensors& inputs, const CallContext& context) const {
  const Tensor& x = inputs.front();
  const Shape step = step_of(x.shape());
  const std::int64_t count = x.shape()[1];
  Tensors states = start_states(inputs, step);
  const StepNoise noise = cell_->noise(step, context.training);
  if (!context.masks.empty() && context.masks.front().is_defined() &&
      context.masks.front().shape() != Shape{step[0], count}) {
    refuse_input("a mask of shape " + Shape{step[0], count}.to_string(), context.masks.front().shape(),
                 "It says for each step whether it counts.");
  }
  const Tensor mask = context.masks.empty() || !context.masks.front().is_defined()
                          ? Tensor()
                          : as_mask(context.masks.front());
  const Tensor projected = count == 0 ? Tensor() : cell_->project(in_order(x), noise);
  if (count > 0) {
    const Tensor steps_mask =
        mask.is_defined() ? in_order_of_steps(mask, recurrence_.go_backwards) : Tensor();
    if (auto all = cell_->run(projected, states, noise, steps_mask)) {
      keep(all->states);
      if (mask.is_defined()) show(*all, steps_mask);
      Tensors results = {recurrence_.return_sequences ? swapped(all->outputs) : all->last};
      if (recurrence_.return_state) results.insert(results.end(), all->states.begin(), all->states.end());
      return results;
    }
  }

  Tensors parts;
  if (count > 0) split(projected, parts);
  Tensors outputs(parts.size());
  Tensor last = Tensor::zeros(cell_->step_shape(step), dtype), before = last;
  for (std::int64_t i = 0; i < count; ++i) {
    Tensors next = cell_->step(parts[static_cast<std::size_t>(i)], states, noise, context.training);
    Tensor output = next.front();
    next.erase(next.begin());
    if (mask.is_defined()) {
      const Tensor counts = mask.select(1, recurrence_.go_backwards ? count - 1 - i : i);
      const auto chosen = [&](const Tensor& now, const Tensor& then) {
        return ops::where(mask_of_rank(counts, now.rank()), now, then);
      };
      for (std::size_t s = 0; s < states.size(); ++s) next[s] = chosen(next[s], states[s]);
      before = chosen(output, before);
      output =
          recurrence_.zero_output_for_mask ? chosen(output, Tensor::zeros(output.shape(), dtype)) : before;
    }
    states = std::move(next);
    outputs[static_cast<std::size_t>(i)] = last = output;
  }
  keep(states);
  Tensors results = {recurrence_.return_sequences && count > 0 ? stacked(outputs) : last};
  if (recurrence_.return_state) results.insert(results.end(), states.begin(), states.end());
  return results;
}

Shapes RecurrentBody::output_shapes(const Shapes& inputs) const {
  if (!recurrence_.time_major || inputs.front().rank() < 2) return run_shapes(inputs);
  Shapes turned = inputs;
  turned.front() = swapped(inputs.front());
  Shapes shapes = run_shapes(turned);
  if (recurrence_.return_sequences) shapes.front() = swapped(shapes.front());
  return shapes;
}

Shapes RecurrentBody::run_shapes(const Shapes& inputs) const {
  const Shape& x = inputs.front();
  if (x.rank() < 3) refuse_input("an input of shape (batch, steps, features)", x, "Add an axis of steps.");
  const Shape step = step_of(x);
  const Shapes states = cell_->state_shapes(step);
  if (inputs.size() != 1 && inputs.size() != 1 + states.size())
    check_count(inputs.size(), 1 + states.size(), 1 + states.size(),
                "an input, or an input and " + std::to_string(states.size()) + " states");
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    bool fits = inputs[i].rank() == states[i - 1].rank();
    for (std::size_t axis = 0; fits && axis < inputs[i].rank(); ++axis) {
      const std::int64_t given = inputs[i][axis], wanted = states[i - 1][axis];
      fits = given == wanted || given == Shape::kUnknown || wanted == Shape::kUnknown;
    }
    if (!fits)
      refuse_input("a state of shape " + states[i - 1].to_string(), inputs[i], "Give one of that shape.");
  }
  Shape output = cell_->step_shape(step);
  if (recurrence_.return_sequences) output = output.with_inserted(1, x[1]);
  Shapes shapes = {output};
  if (recurrence_.return_state) shapes.insert(shapes.end(), states.begin(), states.end());
  return shapes;
}

Tensors RecurrentBody::output_masks(const Tensors&, const Tensors& masks) const {
  return {recurrence_.return_sequences ? masks.front() : Tensor()};
}

void RecurrentBody::add_to_object(Config& object, Generation generation) const {
  name_state_shapes(object, built_shapes, generation);
}

void RecurrentBody::reset_states() const {
  const std::lock_guard lock(mutex_);
  states_.clear();
}

}  // namespace detail
}  // namespace keratin::inline v0
