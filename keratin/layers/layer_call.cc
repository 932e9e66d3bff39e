// What a call does around a body's: builds, converts the inputs, rounds in mixed precision, collects
// penalties.
#include <algorithm>
#include <optional>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/layer.h"
#include "keratin/layers/reading_dtype.h"
#include "keratin/ops/ops.h"
#include "keratin/tensor/variable_reading.h"

namespace keratin::inline v0 {
namespace {

void check_defined(const LayerBody& body, const Tensor& x) {
  if (x.is_defined()) return;
  throw StateError(to_snake_case(body.class_name()), "a tensor", "received an undefined one",
                   "Layer \"" + body.name + "\". Pass a tensor that holds values.");
}

// Where a thread is: within a layer that is no model values are float32 or float64, between layers also half.
thread_local bool within_layer = false;
// Whether a call around it, of a model too, is in mixed precision; and what the innermost reads weights as.
thread_local bool within_mixed = false;
thread_local DType read_as = DType::float32;

bool is_half(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }

template <DType Half>
Tensor rounded_to(const Tensor& value) {
  return value.dtype() == DType::float32 ? ops::cast(ops::cast(value, Half), DType::float32) : value;
}

// What layers of that dtype read weights through.
detail::ReadVariables::Read reading(DType compute) {
  if (compute == DType::float16) return rounded_to<DType::float16>;
  return compute == DType::bfloat16 ? rounded_to<DType::bfloat16> : nullptr;
}

// The body's call, weights and results in the layer's precision. Models leave that to their layers.
class Precision {
 public:
  explicit Precision(const LayerBody& body)
      : is_model_(body.gives_masks()),
        is_as_given_(body.input_cast() == InputCast::as_given),
        compute_(body.compute_dtype),
        outside_(std::exchange(within_layer, within_layer || !is_model_)),
        mixed_outside_(std::exchange(within_mixed, within_mixed || body.compute_dtype != body.dtype)),
        read_outside_(std::exchange(read_as, is_as_given_ && mixed_outside_ ? body.dtype : compute_)) {
    if (!is_model_) reading_.emplace(reading(read_as));
  }
  ~Precision() {
    within_layer = outside_;
    within_mixed = mixed_outside_;
    read_as = read_outside_;
  }
  Precision(const Precision&) = delete;
  Precision& operator=(const Precision&) = delete;

  Tensor result(const Tensor& y) const {
    if (is_model_ || (is_as_given_ ? !is_half(y.dtype()) : !is_half(compute_) || y.dtype() != DType::float32))
      return y;
    const Tensor half = is_as_given_ ? y : ops::cast(y, compute_);
    return outside_ ? ops::cast(half, DType::float32) : half;
  }

 private:
  bool is_model_, is_as_given_;
  DType compute_;
  bool outside_, mixed_outside_;
  DType read_outside_;
  std::optional<detail::ReadVariables> reading_;
};

Tensor in_dtype_of(const LayerBody& body, const Tensor& x) {
  const InputCast cast = body.input_cast();
  if (body.gives_masks() || cast == InputCast::as_given) return x;
  const bool is_wanted = cast == InputCast::all || (cast == InputCast::floats && is_floating(x.dtype()));
  Tensor input = x;
  if (is_wanted && is_half(body.compute_dtype) && is_floating(x.dtype()) && x.dtype() != body.compute_dtype)
    input = ops::cast(x, body.compute_dtype);
  return (is_wanted && input.dtype() != body.dtype) || is_half(input.dtype()) ? ops::cast(input, body.dtype)
                                                                              : input;
}

// The activity regularizer's penalty, where losses are wanted.
void add_penalty(const LayerBody& body, const Tensor& y, const CallContext& context) {
  if (context.losses == nullptr || !body.activity_regularizer || y.rank() == 0) return;
  // An empty batch has no penalty, rather than 0/0.
  const double batch = static_cast<double>(std::max<std::int64_t>(y.shape()[0], 1));
  const Tensor wide = is_half(y.dtype()) ? ops::cast(y, DType::float32) : y;
  context.losses->push_back(body.activity_regularizer(wide) / batch);
}

// The only one of a call's results.
template <class List>
typename List::value_type only(const LayerBody& body, const List& outputs) {
  if (outputs.size() == 1) return outputs.front();
  throw StateError(to_snake_case(body.class_name()), "one output",
                   "\"" + body.name + "\" gives " + std::to_string(outputs.size()),
                   "Call layer.call({x}), which gives them all.");
}

std::vector<SymbolicTensor> described_call(const std::shared_ptr<LayerBody>& body,
                                           std::vector<SymbolicTensor> inputs,
                                           const std::vector<SymbolicTensor>& attention_mask,
                                           const CallContext& context) {
  if (inputs.empty()) body->check_single(0);
  Shapes shapes;
  for (const SymbolicTensor& x : inputs) shapes.push_back(x.shape());
  body->ensure_built(shapes);
  Shapes results = body->called(context).output_shapes(shapes);
  inputs.insert(inputs.end(), attention_mask.begin(), attention_mask.end());
  const auto source = std::make_shared<const SymbolicCall>(SymbolicCall{
      body, std::move(inputs), std::move(results), keywords_of(context), !attention_mask.empty()});
  std::vector<SymbolicTensor> outputs;
  for (std::size_t i = 0; i < source->output_shapes.size(); ++i) outputs.emplace_back(source, i);
  return outputs;
}

}  // namespace

DType detail::reading_dtype() noexcept { return read_as; }

Tensor Layer::operator()(const Tensor& x, const CallContext& context) const {
  if (body_->has_lists() || !context.masks.empty() || context.output_masks != nullptr)
    return (*this)(Tensors{x}, context);
  check_defined(*body_, x);
  build(x.shape());
  const LayerBody& body = body_->called(context);
  const Precision precision(body);
  const Tensor y = body.call(in_dtype_of(body, x), context);
  add_penalty(body, y, context);
  return precision.result(y);
}

Tensor Layer::operator()(const Tensors& inputs, const CallContext& context) const {
  return only(*body_, call(inputs, context));
}

Tensors Layer::call(const Tensors& inputs, const CallContext& context) const {
  if (inputs.empty()) body_->check_single(0);
  for (const Tensor& x : inputs) check_defined(*body_, x);
  if (!is_built()) {
    Shapes shapes;
    for (const Tensor& x : inputs) shapes.push_back(x.shape());
    body_->ensure_built(shapes);
  }
  const LayerBody& body = body_->called(context);
  Tensors cast;
  for (const Tensor& x : inputs) cast.push_back(in_dtype_of(body, x));
  CallContext inner = context;
  if (inner.masks.empty()) inner.masks = {inner.mask};
  inner.masks.resize(inputs.size());
  inner.mask = inner.masks.front();
  const Precision precision(body);
  Tensors outputs = body.call_list(cast, inner);
  for (Tensor& y : outputs) {
    add_penalty(body, y, context);
    y = precision.result(y);
  }
  if (inner.output_masks != nullptr) {
    if (!body.gives_masks()) *inner.output_masks = body.output_masks(cast, inner.masks);
    inner.output_masks->resize(outputs.size());
  }
  return outputs;
}

SymbolicTensor Layer::operator()(const SymbolicTensor& x, const CallContext& context) const {
  return only(*body_, call(std::vector<SymbolicTensor>{x}, context));
}

SymbolicTensor Layer::operator()(const std::vector<SymbolicTensor>& inputs,
                                 const CallContext& context) const {
  return only(*body_, call(inputs, context));
}

std::vector<SymbolicTensor> Layer::call(const std::vector<SymbolicTensor>& inputs,
                                        const CallContext& context) const {
  if (context.attention_mask.is_defined())
    throw ValueError(to_snake_case(body_->class_name()),
                     "an attention_mask without values in a call on tensors without values",
                     "received values",
                     "Layer \"" + name() + "\". Make the mask an Input, and call(inputs, {}, mask).");
  return described_call(body_, inputs, {}, context);
}

std::vector<SymbolicTensor> Layer::call(const std::vector<SymbolicTensor>& inputs, const CallContext& context,
                                        const SymbolicTensor& attention_mask) const {
  body_->check_keyword("attention_mask", kAttentionMaskTakenBy);
  return described_call(body_, inputs, {attention_mask}, context);
}

}  // namespace keratin::inline v0
