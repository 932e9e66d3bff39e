// MultiHeadAttention and GroupQueryAttention.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/attention.h"
#include "keratin/layers/attention_body.h"
#include "keratin/layers/attention_equations.h"
#include "keratin/layers/attention_tools.h"
#include "keratin/layers/einsum_dense.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/masks.h"
#include "keratin/layers/named_shapes.h"
#include "keratin/layers/softmax.h"
#include "keratin/ops/einsum.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

// The arguments that both have, behind those that differ.
template <class Options, class Fields>
void weight_fields(Options& options, Fields& field) {
  field("kernel_initializer", options.kernel_initializer);
  field("bias_initializer", options.bias_initializer);
  field("kernel_regularizer", options.kernel_regularizer);
  field("bias_regularizer", options.bias_regularizer);
  field("activity_regularizer", options.activity_regularizer);
  field("kernel_constraint", options.kernel_constraint);
  field("bias_constraint", options.bias_constraint);
  field.keras3("seed", options.seed);
}

struct MultiHeadArguments {
  static constexpr std::string_view kName = "MultiHeadAttention", kInnerName = kName;
  std::int64_t num_heads = 0, key_dim = 0;
  // Keras 2 writes them; they follow from the call.
  std::optional<Config> query_shape = {}, key_shape = {}, value_shape = {};
  MultiHeadAttentionOptions options = {};

  std::int64_t query_heads() const { return num_heads; }
  std::int64_t key_heads() const { return num_heads; }
  std::int64_t value_dim() const { return options.value_dim.value_or(key_dim); }
  bool robust_masking() const { return options.softmax_robust_masking; }
  bool has_any_rank() const { return true; }
  // Whether the layer's results are: Keras 3 penalizes those of its projections instead.
  bool is_penalized(Generation generation) const { return generation == Generation::keras2; }
  // The sizes of the result's axes behind the steps.
  std::vector<std::int64_t> out(const Shape& query) const {
    if (options.output_shape && options.output_shape->count() > 0) return options.output_shape->values();
    return {query.back()};
  }
  std::vector<std::int64_t> attention_axes(std::size_t rank) const {
    std::vector<std::int64_t> axes(std::max<std::size_t>(rank, 2) - 2);
    std::iota(axes.begin(), axes.end(), 1);
    if (!options.attention_axes) return axes;
    axes = options.attention_axes->values();
    for (std::int64_t& axis : axes)
      if (axis < 0) axis += static_cast<std::int64_t>(rank);
    return axes;
  }

  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("num_heads", a.num_heads);
    field.required("key_dim", a.key_dim);
    if constexpr (Fields::kReads) field("value_dim", a.options.value_dim);
    if constexpr (!Fields::kReads) field("value_dim", a.value_dim());
    field("dropout", a.options.dropout);
    field("use_bias", a.options.use_bias);
    field.keras3("use_gate", a.options.use_gate, a.options.use_gate);
    // Keras 3 writes a list, Keras 2 what it was given: a number where there is one.
    auto& shape = a.options.output_shape;
    bool is_number = false;
    if constexpr (!Fields::kReads)
      is_number = field.generation() == Generation::keras2 && shape && shape->count() == 1;
    if (is_number) {
      std::optional<std::int64_t> number = (*shape)[0];
      field("output_shape", number);
    } else {
      field("output_shape", shape);
    }
    field("attention_axes", a.options.attention_axes);
    field.keras3("sliding_window", a.options.sliding_window, a.options.sliding_window.has_value());
    weight_fields(a.options, field);
    field.keras2("query_shape", a.query_shape);
    field.keras2("key_shape", a.key_shape);
    field.keras2("value_shape", a.value_shape);
    field.keras2("softmax_robust_masking", a.options.softmax_robust_masking);
  }
};

struct GroupQueryArguments {
  static constexpr std::string_view kName = "GroupQueryAttention", kInnerName = "GroupedQueryAttention";
  std::int64_t head_dim = 0, num_query_heads = 0, num_key_value_heads = 0;
  GroupQueryAttentionOptions options = {};
  std::int64_t key_dim = head_dim;

  std::int64_t query_heads() const { return num_query_heads; }
  std::int64_t key_heads() const { return num_key_value_heads; }
  std::int64_t value_dim() const { return head_dim; }
  bool robust_masking() const { return false; }
  bool has_any_rank() const { return false; }
  // And those of the projections.
  bool is_penalized(Generation) const { return true; }
  std::vector<std::int64_t> out(const Shape& query) const { return {query.back()}; }
  std::vector<std::int64_t> attention_axes(std::size_t) const { return {1}; }

  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("head_dim", a.head_dim);
    field.required("num_query_heads", a.num_query_heads);
    field.required("num_key_value_heads", a.num_key_value_heads);
    field("use_bias", a.options.use_bias);
    field("use_gate", a.options.use_gate);
    field("sliding_window", a.options.sliding_window);
    field("dropout", a.options.dropout);
    weight_fields(a.options, field);
  }
};

template <class Arguments>
class HeadsBody final : public detail::AttentionBody {
 public:
  explicit HeadsBody(Arguments arguments) : a_(std::move(arguments)), seed_(a_.options.seed) {
    check_heads();
    check_arguments();
    detail::check_rate(Arguments::kName, a_.options.dropout);
    set_common(a_.options);
    activity_regularizer = a_.options.activity_regularizer;
  }

  std::string_view class_name() const override { return Arguments::kName; }
  std::string_view inner_class_name() const override { return Arguments::kInnerName; }
  bool separates_inputs() const override { return true; }
  bool takes_keyword(std::string_view keyword) const override {
    return keyword == "attention_mask" || AttentionBody::takes_keyword(keyword);
  }
  void add_to_object(Config& object, Generation target) const override {
    if (built_shapes.size() < 2) return;
    const auto shape = [&](std::size_t i) { return detail::shape_config(built_shapes[i]); };
    if (target == Generation::keras2) {
      object["build_config"]["input_shape"] = shape(0);
      return;
    }
    object["build_config"] =
        built_shapes.size() == 2
            ? detail::named_shapes({{"query", shape(0)}, {"value", shape(1)}})
            : detail::named_shapes({{"query", shape(0)}, {"value", shape(1)}, {"key", shape(2)}});
  }
  bool depends_on_generation() const override { return Arguments::kName == "MultiHeadAttention"; }

  std::vector<LayerPart> parts() const override { return parts_; }

  detail::Attended<Tensor> attend(const Tensors& inputs, const CallContext& context) const override {
    check_scores(context);
    Shapes shapes;
    for (const Tensor& x : inputs) shapes.push_back(x.shape());
    check_inputs(shapes);
    detail::check_attention_inputs(*this, shapes, axes_);
    const CallContext inner = {.training = context.training, .losses = context.losses};
    const Tensor gate = gate_ ? (*gate_)(inputs[0], inner) : Tensor();
    const Tensor query = (*query_)(inputs[0], inner) * (1 / std::sqrt(static_cast<double>(a_.key_dim)));
    const Tensor key = repeated((*key_)(inputs.size() == 3 ? inputs[2] : inputs[1], inner));
    const Tensor value = repeated((*value_)(inputs[1], inner));
    const Tensor scores = ops::einsum(equations_->scores, query, key);
    const Softmax& softmax = mean_softmax_ && !context.return_attention_scores ? *mean_softmax_ : *softmax_;
    const Tensor weights = softmax(scores, {.mask = mask_for(inputs, context, scores.rank())});
    Tensor seen =
        ops::einsum(equations_->result, detail::dropped(weights, a_.options.dropout, seed_, context), value);
    if (gate_) seen = seen * gate;
    return {(*output_)(seen, inner), weights};
  }

  detail::Attended<Shape> attended_shapes(const Shapes& inputs) const override {
    check_inputs(inputs);
    const Shape& query = inputs[0];
    const std::vector<std::int64_t> axes = a_.attention_axes(query.rank());
    detail::check_attention_inputs(*this, inputs, axes);
    if (a_.has_any_rank()) detail::check_attention_axes(*this, query, axes);
    const std::vector<std::int64_t> out = a_.out(query);
    std::vector<std::int64_t> result, scores;
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(query.rank()) - 1; ++axis) {
      result.push_back(query[axis]);
      if (std::find(axes.begin(), axes.end(), axis) == axes.end()) scores.push_back(query[axis]);
    }
    result.insert(result.end(), out.begin(), out.end());
    scores.push_back(a_.query_heads());
    for (const std::int64_t axis : axes) scores.push_back(query[axis]);
    for (const std::int64_t axis : axes) scores.push_back(inputs[1][axis]);
    return {Shape(result), Shape(scores)};
  }

  // Not what every layer has, but an argument.
  Config base_config(Generation target) const override {
    Config config = AttentionBody::base_config(target);
    if constexpr (Arguments::kName == "MultiHeadAttention") config.erase("activity_regularizer");
    return config;
  }
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

 protected:
  void build_attention(const Shapes& inputs) override {
    const Shape &query = inputs[0], &value = inputs[1], &key = inputs.size() == 3 ? inputs[2] : value;
    axes_ = a_.attention_axes(query.rank());
    equations_.emplace(static_cast<std::int64_t>(query.rank()) + 1, axes_);
    softmax_ = softmax_over(axes_.size(), a_.robust_masking(), generation);
    // What Keras 3 does where it needs no scores, on inputs of three axes: as Keras 2 with robust_masking.
    if (generation == Generation::keras3 && a_.options.dropout == 0 && query.rank() == 3)
      mean_softmax_ = softmax_over(1, true, Generation::keras2);
    parts_.clear();
    query_ = projection("query", query, 1, {a_.query_heads(), a_.key_dim});
    key_ = projection("key", key, 1, {a_.key_heads(), a_.key_dim});
    if (a_.options.use_gate)
      gate_ = projection("gate", query, 1, {a_.query_heads(), a_.value_dim()}, "sigmoid");
    value_ = projection("value", value, 1, {a_.key_heads(), a_.value_dim()});
    Shape heads = query;
    heads[heads.rank() - 1] = a_.query_heads();
    output_ =
        projection("attention_output", heads.with_inserted(heads.rank(), a_.value_dim()), 2, a_.out(query));
    if (!a_.is_penalized(generation)) activity_regularizer = {};
    if constexpr (Arguments::kName == "MultiHeadAttention") {
      a_.options.attention_axes = axes_;
      for (auto& [said, shape] :
           {std::pair(&a_.query_shape, &query), {&a_.key_shape, &key}, {&a_.value_shape, &value}})
        if (!*said) *said = detail::shape_config(*shape);
    }
  }

 private:
  void check_heads() const {
    const std::int64_t heads = a_.query_heads(), shared = a_.key_heads();
    if (heads >= 1 && shared >= 1 && a_.key_dim >= 1 && a_.value_dim() >= 1 && heads % shared == 0) return;
    throw ValueError(
        Arguments::kName, "heads and sizes of at least 1, heads of keys that divide those of queries",
        "received " + std::to_string(heads) + " and " + std::to_string(shared) + " heads, sizes " +
            std::to_string(a_.key_dim) + " and " + std::to_string(a_.value_dim()),
        "Choose other numbers.");
  }

  void check_arguments() const {
    const auto& o = a_.options;
    if (o.sliding_window && *o.sliding_window < 1)
      throw ValueError(Arguments::kName, "sliding_window is at least 1",
                       "received sliding_window=" + std::to_string(*o.sliding_window),
                       "1 lets each query see the key at its own place alone.");
    if (o.flash_attention.value_or(false) && o.dropout > 0)
      throw ValueError(Arguments::kName, "dropout=0 with flash_attention",
                       "received dropout=" + to_text(o.dropout), "Leave one of them out.");
  }

  void check_scores(const CallContext& context) const {
    if (!context.return_attention_scores || !a_.options.flash_attention.value_or(false)) return;
    throw ValueError(Arguments::kName, "a call without return_attention_scores where flash_attention is set",
                     "received one", "Layer \"" + name + "\". Leave flash_attention out.");
  }

  void check_inputs(const Shapes& inputs) const {
    check_count(inputs.size(), 2, 3, "two or three inputs: query, value, key");
    if (!a_.has_any_rank() || inputs[0].rank() < 4) detail::check_attention_inputs(*this, inputs);
  }

  Softmax softmax_over(std::size_t axes, bool robust_masking, Generation semantics) const {
    std::vector<std::int64_t> last(axes);
    std::iota(last.begin(), last.end(), -static_cast<std::int64_t>(axes));
    Softmax softmax({.axis = last, .robust_masking = robust_masking, .name = "softmax", .dtype = policy()});
    softmax.body().generation = semantics;
    return softmax;
  }

  // One of the dense layers inside: from the last `bound` axes of its input to those of `sizes`.
  EinsumDense projection(const char* part_name, const Shape& input, std::int64_t bound,
                         const std::vector<std::int64_t>& sizes, const ActivationFn& activation = {}) {
    const auto& o = a_.options;
    const std::int64_t free = static_cast<std::int64_t>(input.rank()) - bound;
    const detail::ProjectionEquation equation(free, bound, static_cast<std::int64_t>(sizes.size()));
    std::vector<std::int64_t> shape(static_cast<std::size_t>(free - 1), Shape::kUnknown);
    shape.insert(shape.end(), sizes.begin(), sizes.end());
    EinsumDense layer(
        equation.equation, Shape(shape),
        {.activation = activation,
         .bias_axes = o.use_bias ? std::optional(equation.bias_axes) : std::nullopt,
         .kernel_initializer = o.kernel_initializer,
         .bias_initializer = o.bias_initializer,
         .kernel_regularizer = o.kernel_regularizer,
         .bias_regularizer = o.bias_regularizer,
         .kernel_constraint = o.kernel_constraint,
         .bias_constraint = o.bias_constraint,
         .activity_regularizer = generation == Generation::keras3 ? o.activity_regularizer : Regularizer(),
         .name = part_name,
         .dtype = policy()});
    layer.build(input);
    if (!trainable) layer.set_trainable(false);
    const std::string_view attribute = bound == 2 ? "output" : part_name;
    parts_.push_back({std::string(attribute) + "_dense", layer.shared()});
    return layer;
  }

  // Each head of keys or values for all heads of queries that share it.
  Tensor repeated(const Tensor& x) const {
    const std::int64_t times = a_.query_heads() / a_.key_heads();
    if (times == 1) return x;
    Shape wide = x.shape().with_inserted(3, times), shape = x.shape();
    shape[2] *= times;
    return ops::reshape(ops::broadcast_to(ops::expand_dims(x, 3), wide), shape);
  }

  // As wide as the scores, of that rank, or broadcast to them; undefined where all is seen.
  Tensor mask_for(const Tensors& inputs, const CallContext& context, std::size_t rank) const {
    const auto at = [&](std::size_t i, std::int64_t axis) {
      const bool is_there = i < context.masks.size() && context.masks[i].is_defined();
      return is_there ? detail::as_mask(context.masks[i]).expand_dims(axis) : Tensor();
    };
    const std::int64_t queries = inputs[0].shape()[1], keys = inputs[1].shape()[1];
    Tensor mask = detail::joined_masks(at(0, -1), at(1, -2));
    if (inputs.size() == 3) mask = detail::joined_masks(mask, at(2, -2));
    if (context.use_causal_mask) mask = detail::joined_masks(mask, detail::causal_mask(queries, keys));
    if (a_.options.sliding_window)
      mask = detail::joined_masks(mask, detail::window_mask(queries, keys, *a_.options.sliding_window));
    if (context.attention_mask.is_defined())
      mask = detail::joined_masks(mask, detail::as_mask(context.attention_mask));
    if (!mask.is_defined()) return mask;
    // The axes that are missing are those of the heads and of what is as a batch.
    const std::size_t steps = 2 * axes_.size();
    while (mask.rank() < rank)
      mask = mask.expand_dims(static_cast<std::int64_t>(std::max(mask.rank(), steps) - steps));
    return mask;
  }

  Arguments a_;
  detail::DropSeed seed_;
  std::vector<std::int64_t> axes_;
  std::optional<detail::AttentionEquations> equations_;
  // Where a query sees no key, the first gives 0, the second the mean of the values.
  std::optional<Softmax> softmax_, mean_softmax_;
  std::optional<EinsumDense> query_, key_, gate_, value_, output_;
  std::vector<LayerPart> parts_;
};

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t num_heads, std::int64_t key_dim,
                                       const MultiHeadAttentionOptions& options)
    : Layer(std::make_shared<HeadsBody<MultiHeadArguments>>(
          MultiHeadArguments{.num_heads = num_heads, .key_dim = key_dim, .options = options})) {}

MultiHeadAttention::MultiHeadAttention(std::shared_ptr<LayerBody> body) : Layer(std::move(body)) {}

MultiHeadAttention MultiHeadAttention::from_config(const Config& config, Generation generation) {
  return detail::read_layer<MultiHeadArguments>("MultiHeadAttention", config, generation, [](const auto& a) {
    return MultiHeadAttention(std::make_shared<HeadsBody<MultiHeadArguments>>(a));
  });
}

GroupQueryAttention::GroupQueryAttention(std::int64_t head_dim, std::int64_t num_query_heads,
                                         std::int64_t num_key_value_heads,
                                         const GroupQueryAttentionOptions& options)
    : Layer(std::make_shared<HeadsBody<GroupQueryArguments>>(
          GroupQueryArguments{.head_dim = head_dim,
                              .num_query_heads = num_query_heads,
                              .num_key_value_heads = num_key_value_heads,
                              .options = options})) {}

GroupQueryAttention GroupQueryAttention::from_config(const Config& config, Generation generation) {
  return detail::read_layer<GroupQueryArguments>(
      "GroupQueryAttention", config, generation, [](const auto& a) {
        return GroupQueryAttention(a.head_dim, a.num_query_heads, a.num_key_value_heads, a.options);
      });
}

}  // namespace keratin::inline v0
