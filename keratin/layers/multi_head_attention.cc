// MultiHeadAttention and GroupQueryAttention.
#include <algorithm>
#include <cmath>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/attention.h"
#include "keratin/layers/attention_tools.h"
#include "keratin/layers/einsum_dense.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/list_layer.h"
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
  static constexpr std::string_view kName = "MultiHeadAttention";
  std::int64_t num_heads = 0, key_dim = 0;
  std::optional<AxisList> attention_axes = {};
  bool use_gate = false, softmax_robust_masking = false;
  std::optional<std::int64_t> sliding_window = {};
  // Keras 2 writes them; they follow from the call.
  std::optional<Config> query_shape = {}, key_shape = {}, value_shape = {};
  MultiHeadAttentionOptions options = {};

  std::int64_t query_heads() const { return num_heads; }
  std::int64_t key_heads() const { return num_heads; }
  std::int64_t value_dim() const { return options.value_dim.value_or(key_dim); }
  std::optional<std::int64_t> out() const { return options.output_shape; }

  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("num_heads", a.num_heads);
    field.required("key_dim", a.key_dim);
    if constexpr (Fields::kReads) {
      field("value_dim", a.options.value_dim);
      field("attention_axes", a.attention_axes);
      field("query_shape", a.query_shape);
      field("key_shape", a.key_shape);
      field("value_shape", a.value_shape);
    } else {
      field("value_dim", a.value_dim());
    }
    field("dropout", a.options.dropout);
    field("use_bias", a.options.use_bias);
    field.keras3("use_gate", a.use_gate);
    // Keras 3 writes a list, Keras 2 what it was given.
    std::optional<Sizes> shape;
    if constexpr (Fields::kReads) {
      field("output_shape", shape);
      if (shape && shape->count() != 1) {
        throw ValueError("MultiHeadAttention config", "an \"output_shape\" of one size",
                         "received " + std::to_string(shape->count()), "Inputs have one axis of steps here.");
      }
      if (shape) a.options.output_shape = (*shape)[0];
    } else {
      if (a.options.output_shape) shape = Sizes(*a.options.output_shape);
      field.keras3("output_shape", shape);
      field.keras2("output_shape", a.options.output_shape);
    }
    field.keras3("sliding_window", a.sliding_window);
    weight_fields(a.options, field);
    field.keras2("softmax_robust_masking", a.softmax_robust_masking);
  }
};

struct GroupQueryArguments {
  static constexpr std::string_view kName = "GroupQueryAttention";
  std::int64_t head_dim = 0, num_query_heads = 0, num_key_value_heads = 0;
  bool use_gate = false, softmax_robust_masking = false;
  std::optional<std::int64_t> sliding_window = {};
  GroupQueryAttentionOptions options = {};
  std::int64_t key_dim = head_dim;

  std::int64_t query_heads() const { return num_query_heads; }
  std::int64_t key_heads() const { return num_key_value_heads; }
  std::int64_t value_dim() const { return head_dim; }
  std::optional<std::int64_t> out() const { return std::nullopt; }

  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("head_dim", a.head_dim);
    field.required("num_query_heads", a.num_query_heads);
    field.required("num_key_value_heads", a.num_key_value_heads);
    field("use_bias", a.options.use_bias);
    field("use_gate", a.use_gate);
    field("sliding_window", a.sliding_window);
    field("dropout", a.options.dropout);
    weight_fields(a.options, field);
  }
};

template <class Arguments>
class HeadsBody final : public ListLayerBody {
 public:
  explicit HeadsBody(Arguments arguments)
      : a_(std::move(arguments)),
        seed_(a_.options.seed),
        softmax_(
            {.robust_masking = a_.softmax_robust_masking, .name = "softmax", .dtype = a_.options.dtype}) {
    const std::int64_t heads = a_.query_heads(), shared = a_.key_heads();
    if (heads < 1 || shared < 1 || a_.key_dim < 1 || a_.value_dim() < 1 || heads % shared != 0) {
      throw ValueError(
          Arguments::kName, "heads and sizes of at least 1, heads of keys that divide those of queries",
          "received " + std::to_string(heads) + " and " + std::to_string(shared) + " heads, sizes " +
              std::to_string(a_.key_dim) + " and " + std::to_string(a_.value_dim()),
          "Choose other numbers.");
    }
    if (a_.use_gate || a_.sliding_window) {
      throw ValueError(Arguments::kName, "use_gate=false and no sliding_window", "received one of them",
                       "They are not supported.");
    }
    detail::check_rate(Arguments::kName, a_.options.dropout);
    set_common(a_.options);
    activity_regularizer = a_.options.activity_regularizer;
  }

  std::string_view class_name() const override { return Arguments::kName; }
  bool separates_inputs() const override { return true; }
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

  void build_list(const Shapes& inputs) override {
    const Shape &query = inputs[0], &value = inputs[1], &key = inputs.size() == 3 ? inputs[2] : value;
    softmax_.body().generation = generation;
    parts_.clear();
    add_part("query", "abc,cde->abde", {Shape::kUnknown, a_.query_heads(), a_.key_dim}, "de", query);
    add_part("key", "abc,cde->abde", {Shape::kUnknown, a_.key_heads(), a_.key_dim}, "de", key);
    add_part("value", "abc,cde->abde", {Shape::kUnknown, a_.key_heads(), a_.value_dim()}, "de", value);
    add_part("attention_output", "abde,dec->abc", {Shape::kUnknown, a_.out().value_or(query[2])}, "c",
             {query[0], query[1], a_.query_heads(), a_.value_dim()});
  }

  std::vector<LayerPart> parts() const override {
    std::vector<LayerPart> parts;
    static constexpr const char* kAttributes[] = {"query_dense", "key_dense", "value_dense", "output_dense"};
    for (std::size_t i = 0; i < parts_.size(); ++i) parts.push_back({kAttributes[i], parts_[i].shared()});
    return parts;
  }

  Tensors call_list(const Tensors& inputs, const CallContext& context) const override {
    Shapes shapes;
    for (const Tensor& x : inputs) shapes.push_back(x.shape());
    output_shapes(shapes);
    const Tensor query = parts_[0](inputs[0]) * (1 / std::sqrt(static_cast<double>(a_.key_dim)));
    const Tensor key = repeated(parts_[1](inputs.size() == 3 ? inputs[2] : inputs[1]));
    const Tensor value = repeated(parts_[2](inputs[1]));
    const Tensor scores = ops::einsum("bqhd,bkhd->bhqk", query, key);
    const Tensor mask = mask_for(inputs, context);
    const Tensor weights = softmax_(scores, {.mask = mask.is_defined() ? mask.expand_dims(1) : Tensor()});
    const Tensor seen =
        ops::einsum("bhqk,bkhd->bqhd", detail::dropped(weights, a_.options.dropout, seed_, context), value);
    return {parts_[3](seen)};
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    check_count(inputs.size(), 2, 3, "two or three inputs: query, value, key");
    detail::check_attention_inputs(*this, inputs);
    Shape shape = inputs[0];
    shape[2] = a_.out().value_or(shape[2]);
    return {shape};
  }

  Tensors output_masks(const Tensors&, const Tensors& masks) const override {
    return {masks.empty() ? Tensor() : masks.front()};
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if constexpr (Arguments::kName == "MultiHeadAttention") {
      config["attention_axes"] = Config::array({1});
      if (target == Generation::keras2) {
        // What a file said, or what it was built for.
        const auto put = [&](const char* key, const std::optional<Config>& given, std::size_t input) {
          if (given) config[key] = *given;
          if (!given && built_shape)
            config[key] = detail::shape_config(built_shapes[std::min(input, built_shapes.size() - 1)]);
        };
        put("query_shape", a_.query_shape, 0);
        put("key_shape", a_.key_shape, 2);
        put("value_shape", a_.value_shape, 1);
      }
    }
    return config;
  }

 private:
  void add_part(const char* part_name, const char* equation, const Shape& shape, const char* bias_axes,
                const Shape& input) {
    const auto& o = a_.options;
    const EinsumDense layer(equation, shape,
                            {.bias_axes = o.use_bias ? std::optional<std::string>(bias_axes) : std::nullopt,
                             .kernel_initializer = o.kernel_initializer,
                             .bias_initializer = o.bias_initializer,
                             .kernel_regularizer = o.kernel_regularizer,
                             .bias_regularizer = o.bias_regularizer,
                             .kernel_constraint = o.kernel_constraint,
                             .bias_constraint = o.bias_constraint,
                             .name = part_name,
                             .dtype = policy()});
    layer.build(input);
    if (!trainable) layer.set_trainable(false);
    parts_.push_back(layer);
  }

  // Each head of keys or values for all heads of queries that share it.
  Tensor repeated(const Tensor& x) const {
    const std::int64_t times = a_.query_heads() / a_.key_heads();
    if (times == 1) return x;
    Shape wide = x.shape().with_inserted(3, times), shape = x.shape();
    shape[2] *= times;
    return ops::reshape(ops::broadcast_to(ops::expand_dims(x, 3), wide), shape);
  }

  // (batch or 1, queries or 1, keys); undefined where all is seen.
  static Tensor mask_for(const Tensors& inputs, const CallContext& context) {
    const auto at = [&](std::size_t i, std::int64_t axis) {
      const bool is_there = i < context.masks.size() && context.masks[i].is_defined();
      return is_there ? detail::as_mask(context.masks[i]).expand_dims(axis) : Tensor();
    };
    Tensor mask = detail::joined_masks(at(0, 2), at(1, 1));
    if (inputs.size() == 3) mask = detail::joined_masks(mask, at(2, 1));
    if (context.use_causal_mask)
      mask = detail::joined_masks(mask, detail::causal_mask(inputs[0].shape()[1], inputs[1].shape()[1]));
    if (context.attention_mask.is_defined())
      mask = detail::joined_masks(mask, detail::as_mask(context.attention_mask));
    return mask;
  }

  Arguments a_;
  detail::DropSeed seed_;
  Softmax softmax_;
  std::vector<Layer> parts_;
};

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t num_heads, std::int64_t key_dim,
                                       const MultiHeadAttentionOptions& options)
    : Layer(std::make_shared<HeadsBody<MultiHeadArguments>>(
          MultiHeadArguments{.num_heads = num_heads, .key_dim = key_dim, .options = options})) {}

MultiHeadAttention::MultiHeadAttention(std::shared_ptr<LayerBody> body) : Layer(std::move(body)) {}

MultiHeadAttention MultiHeadAttention::from_config(const Config& config, Generation generation) {
  return detail::read_layer<MultiHeadArguments>("MultiHeadAttention", config, generation, [](const auto& a) {
    if (a.attention_axes && a.attention_axes->values() != std::vector<std::int64_t>{1}) {
      throw ValueError("MultiHeadAttention config", "\"attention_axes\" is [1]",
                       "received " + Shape(a.attention_axes->values()).to_string(),
                       "Inputs have one axis of steps here.");
    }
    if (a.use_gate || a.sliding_window || a.softmax_robust_masking) {
      throw ValueError("MultiHeadAttention config",
                       "no \"use_gate\", \"sliding_window\" or \"softmax_robust_masking\"",
                       "received one of them", "They are not supported.");
    }
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
        if (a.use_gate || a.sliding_window) {
          throw ValueError("GroupQueryAttention config", "no \"use_gate\" or \"sliding_window\"",
                           "received one of them", "They are not supported.");
        }
        return GroupQueryAttention(a.head_dim, a.num_query_heads, a.num_key_value_heads, a.options);
      });
}

}  // namespace keratin::inline v0
