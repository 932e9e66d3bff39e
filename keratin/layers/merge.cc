#include "keratin/layers/merge.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/list_layer.h"
#include "keratin/layers/masks.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

enum class Rule : std::uint8_t { add, subtract, multiply, average, maximum, minimum };
constexpr std::array<std::string_view, 6> kNames = {"Add",     "Subtract", "Multiply",
                                                    "Average", "Maximum",  "Minimum"};

class MergeBody final : public ListLayerBody {
 public:
  MergeBody(Rule rule, const MergeOptions& options) : rule_(rule) { set_common(options); }

  std::string_view class_name() const override { return kNames[static_cast<std::size_t>(rule_)]; }
  bool depends_on_generation() const override { return true; }
  void build_list(const Shapes&) override {}
  Config config(Generation) const override { return Config::object(); }

  Tensors call_list(const Tensors& inputs, const CallContext& context) const override {
    Shapes shapes;
    std::size_t rank = 0;
    for (const Tensor& x : inputs) {
      shapes.push_back(x.shape());
      rank = std::max(rank, x.rank());
    }
    output_shapes(shapes);
    const bool is_masked = generation == Generation::keras3 && !context.masks.empty();
    Tensor y, counts;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Tensor x = inputs[i];
      while (x.rank() < rank) x = ops::expand_dims(x, 1);
      const Tensor mask = is_masked && context.masks[i].is_defined()
                              ? detail::mask_of_rank(context.masks[i], rank)
                              : Tensor();
      y = joined(y, x, counts, mask);
      counts = i == 0                                     ? mask
               : counts.is_defined() && mask.is_defined() ? detail::mask_or(counts, mask)
                                                          : Tensor();
    }
    if (rule_ == Rule::average) y = y / static_cast<double>(inputs.size());
    // Ones stood where a factor did not count.
    if (rule_ == Rule::multiply && counts.is_defined())
      y = ops::where(counts, y, Tensor::scalar(0, y.dtype()));
    return {y};
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    if (rule_ == Rule::subtract) {
      check_count(inputs.size(), 2, 2, "two inputs");
    } else {
      check_count(inputs.size(), 1, SIZE_MAX, "at least one input");
    }
    Shape all = inputs.front();
    for (const Shape& shape : inputs) all = merged(all, shape);
    return {all};
  }

  Tensors output_masks(const Tensors&, const Tensors& masks) const override {
    const bool is_keras2 = generation == Generation::keras2;
    Tensor all;
    for (const Tensor& mask : masks) {
      if (!mask.is_defined() && is_keras2) continue;
      if (!mask.is_defined()) return {Tensor()};
      all = !all.is_defined() ? mask : is_keras2 ? detail::mask_and(all, mask) : detail::mask_or(all, mask);
    }
    return {all};
  }

 private:
  // y with one more input. Elements of Keras 3's that do not count leave the others' as they are.
  Tensor joined(const Tensor& y, Tensor x, const Tensor& counts, const Tensor& mask) const {
    if (rule_ == Rule::multiply && mask.is_defined()) x = ops::where(mask, x, Tensor::scalar(1, x.dtype()));
    if (!y.is_defined()) return x;
    switch (rule_) {
      case Rule::subtract:
        return ops::subtract(y, x);
      case Rule::multiply:
        return ops::multiply(y, x);
      case Rule::maximum:
      case Rule::minimum: {
        const Tensor other = mask.is_defined() ? ops::where(mask, x, y) : x;
        const Tensor before = counts.is_defined() ? ops::where(counts, y, other) : y;
        return rule_ == Rule::maximum ? ops::maximum(before, other) : ops::minimum(before, other);
      }
      default:
        return ops::add(y, x);
    }
  }

  // NumPy's rule behind the batch, where sizes may be unknown.
  Shape merged(const Shape& a, const Shape& b) const {
    if (a.rank() == 0 || b.rank() == 0) refuse_pair(a, b);
    if (a.rank() < b.rank()) return merged(b, a);
    Shape all = a;
    const auto join = [&](std::int64_t one, std::int64_t other) {
      if (one == Shape::kUnknown || other == Shape::kUnknown) {
        const std::int64_t known = std::max(one, other);
        return known == 1 ? Shape::kUnknown : known;
      }
      if (one == 1 || one == other) return other;
      if (other != 1) refuse_pair(a, b);
      return one;
    };
    if (a[0] != Shape::kUnknown && b[0] != Shape::kUnknown && a[0] != b[0]) refuse_pair(a, b);
    all[0] = std::max(a[0], b[0]);
    for (std::size_t back = 1; back < b.rank(); ++back)
      all[a.rank() - back] = join(a[a.rank() - back], b[b.rank() - back]);
    return all;
  }

  [[noreturn]] void refuse_pair(const Shape& a, const Shape& b) const {
    throw ShapeError(to_snake_case(class_name()), "inputs of one batch whose other sizes are equal or 1",
                     "received shapes " + a.to_string() + " and " + b.to_string(),
                     "Layer \"" + name + "\". Reshape one of them.");
  }

  Rule rule_;
};

template <class L>
L merge_from_config(std::string_view class_name, const Config& config, Generation generation) {
  detail::LayerReader reader(class_name, config, generation);
  MergeOptions options;
  reader.read_common(options);
  return reader.finish(L(options));
}

struct ConcatenateArguments {
  ConcatenateOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field("axis", a.options.axis);
  }
};

class ConcatenateBody final : public ListLayerBody {
 public:
  explicit ConcatenateBody(ConcatenateArguments arguments) : a_(std::move(arguments)) {
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "Concatenate"; }
  bool depends_on_generation() const override { return true; }
  void build_list(const Shapes&) override {}
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

  Tensors call_list(const Tensors& inputs, const CallContext&) const override {
    Shapes shapes;
    for (const Tensor& x : inputs) shapes.push_back(x.shape());
    output_shapes(shapes);
    return {ops::concatenate(inputs, a_.options.axis)};
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    check_count(inputs.size(), 1, SIZE_MAX, "at least one input");
    Shape all = inputs.front();
    const std::size_t along = all.axis(a_.options.axis, "concatenate");
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const Shape& next = inputs[i];
      bool fits = next.rank() == all.rank();
      for (std::size_t axis = 0; fits && axis < all.rank(); ++axis) {
        if (axis == along) continue;
        fits = next[axis] == all[axis] || next[axis] == Shape::kUnknown || all[axis] == Shape::kUnknown;
        all[axis] = std::max(all[axis], next[axis]);
      }
      if (!fits) {
        throw ShapeError("concatenate",
                         "inputs whose sizes differ on axis " + std::to_string(a_.options.axis) + " only",
                         "received shapes " + inputs.front().to_string() + " and " + next.to_string(),
                         "Layer \"" + name + "\". Reshape one of them, or choose another axis.");
      }
      const bool is_open = all[along] == Shape::kUnknown || next[along] == Shape::kUnknown;
      all[along] = is_open ? Shape::kUnknown : all[along] + next[along];
    }
    return {all};
  }

  Tensors output_masks(const Tensors& inputs, const Tensors& masks) const override {
    if (std::none_of(masks.begin(), masks.end(), [](const Tensor& mask) { return mask.is_defined(); }))
      return {Tensor()};
    Tensors parts;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Shape& shape = inputs[i].shape();
      parts.push_back(masks[i].is_defined()
                          ? detail::mask_of_rank(masks[i], shape.rank()).broadcast_to(shape).contiguous()
                          : Tensor::full(shape, 1, DType::boolean));
    }
    const Tensor joined = ops::concatenate(parts, a_.options.axis);
    return {generation == Generation::keras2 ? detail::mask_all(joined, -1) : detail::mask_any(joined, -1)};
  }

 private:
  ConcatenateArguments a_;
};

struct DotArguments {
  AxisList axes = 1;
  DotOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("axes", a.axes);
    field("normalize", a.options.normalize);
  }
};

class DotBody final : public ListLayerBody {
 public:
  explicit DotBody(DotArguments arguments) : a_(std::move(arguments)) {
    const std::size_t count = a_.axes.values().size();
    if (a_.axes.is_single() ? count != 1 : count != 2) {
      throw ValueError("Dot", "one axis, or one for each of two inputs",
                       "received " + std::to_string(count) + " axes", "Write Dot(1) or Dot({1, 2}).");
    }
    set_common(a_.options);
  }

  std::string_view class_name() const override { return "Dot"; }
  void build_list(const Shapes&) override {}
  Config config(Generation target) const override { return detail::write_fields(a_, target); }

  Tensors call_list(const Tensors& inputs, const CallContext&) const override {
    const Shape result = output_shapes({inputs[0].shape(), inputs.back().shape()}).front();
    const auto [first, second] = axes_of(inputs[0].shape(), inputs[1].shape());
    Tensor x = moved(inputs[0], first, inputs[0].rank() - 1), y = moved(inputs[1], second, 1);
    if (a_.options.normalize) {
      x = normalized(x, -1);
      y = normalized(y, 1);
    }
    const std::int64_t batch = x.shape()[0], n = x.shape().back();
    const std::int64_t rows = n == 0 ? 0 : x.size() / std::max<std::int64_t>(batch * n, 1);
    const std::int64_t columns = n == 0 ? 0 : y.size() / std::max<std::int64_t>(batch * n, 1);
    const Tensor product =
        ops::matmul(ops::reshape(x, {batch, rows, n}), ops::reshape(y, {batch, n, columns}));
    return {ops::reshape(product, result)};
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    check_count(inputs.size(), 2, 2, "two inputs");
    const Shape &x = inputs[0], &y = inputs[1];
    const auto [first, second] = axes_of(x, y);
    if (x[first] != y[second] && x[first] != Shape::kUnknown && y[second] != Shape::kUnknown) {
      throw ShapeError("dot", "one size on the axes that are summed over",
                       "received shapes " + x.to_string() + ", axis " + std::to_string(first) + ", and " +
                           y.to_string() + ", axis " + std::to_string(second),
                       "Layer \"" + name + "\". Choose other axes.");
    }
    Shape all = x.without(first);
    const Shape rest = y.without(second).part(1, y.rank() - 1);
    for (const std::int64_t size : rest) all = all.with_inserted(all.rank(), size);
    return {all.rank() == 1 ? all.with_inserted(1, 1) : all};
  }

 private:
  std::pair<std::size_t, std::size_t> axes_of(const Shape& x, const Shape& y) const {
    const std::size_t first = x.axis(a_.axes.values().front(), "dot");
    const std::size_t second = y.axis(a_.axes.values().back(), "dot");
    if (first == 0 || second == 0) {
      throw ValueError("dot", "axes other than the batch axis", "received axis 0",
                       "Layer \"" + name + "\". Samples are multiplied one by one.");
    }
    return {first, second};
  }

  // The axis put in another place, the others in their order.
  static Tensor moved(const Tensor& x, std::size_t from, std::size_t to) {
    if (from == to) return x;
    AxisNumbers order = AxisNumbers::range(0, x.rank());
    const auto places = order.begin();
    if (from < to)
      std::rotate(places + from, places + from + 1, places + to + 1);
    else
      std::rotate(places + to, places + from, places + from + 1);
    return ops::transpose(x, order);
  }

  // x / √max(Σ x², 1e-12), as Keras.
  static Tensor normalized(const Tensor& x, std::int64_t axis) {
    const Tensor squares = ops::sum(ops::square(x), {{axis}}, true);
    return x / ops::sqrt(ops::maximum(squares, Tensor::scalar(1e-12, x.dtype())));
  }

  DotArguments a_;
};

}  // namespace

Add::Add(const MergeOptions& options) : Layer(std::make_shared<MergeBody>(Rule::add, options)) {}
Subtract::Subtract(const MergeOptions& options)
    : Layer(std::make_shared<MergeBody>(Rule::subtract, options)) {}
Multiply::Multiply(const MergeOptions& options)
    : Layer(std::make_shared<MergeBody>(Rule::multiply, options)) {}
Average::Average(const MergeOptions& options) : Layer(std::make_shared<MergeBody>(Rule::average, options)) {}
Maximum::Maximum(const MergeOptions& options) : Layer(std::make_shared<MergeBody>(Rule::maximum, options)) {}
Minimum::Minimum(const MergeOptions& options) : Layer(std::make_shared<MergeBody>(Rule::minimum, options)) {}

Add Add::from_config(const Config& config, Generation generation) {
  return merge_from_config<Add>("Add", config, generation);
}
Subtract Subtract::from_config(const Config& config, Generation generation) {
  return merge_from_config<Subtract>("Subtract", config, generation);
}
Multiply Multiply::from_config(const Config& config, Generation generation) {
  return merge_from_config<Multiply>("Multiply", config, generation);
}
Average Average::from_config(const Config& config, Generation generation) {
  return merge_from_config<Average>("Average", config, generation);
}
Maximum Maximum::from_config(const Config& config, Generation generation) {
  return merge_from_config<Maximum>("Maximum", config, generation);
}
Minimum Minimum::from_config(const Config& config, Generation generation) {
  return merge_from_config<Minimum>("Minimum", config, generation);
}

Concatenate::Concatenate(const ConcatenateOptions& options)
    : Layer(std::make_shared<ConcatenateBody>(ConcatenateArguments{options})) {}
Concatenate Concatenate::from_config(const Config& config, Generation generation) {
  return detail::read_layer<ConcatenateArguments>("Concatenate", config, generation,
                                                  [](const auto& a) { return Concatenate(a.options); });
}

Dot::Dot(const AxisList& axes, const DotOptions& options)
    : Layer(std::make_shared<DotBody>(DotArguments{axes, options})) {}
Dot Dot::from_config(const Config& config, Generation generation) {
  return detail::read_layer<DotArguments>("Dot", config, generation,
                                          [](const auto& a) { return Dot(a.axes, a.options); });
}

}  // namespace keratin::inline v0
