#include "keratin/layers/einsum_dense.h"

#include <map>

#include "keratin/core/error.h"
#include "keratin/layers/layer_fields.h"
#include "keratin/layers/lora_body.h"
#include "keratin/ops/einsum.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

struct Arguments {
  std::string equation;
  Shape output_shape;
  EinsumDenseOptions options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("equation", a.equation);
    field.required("output_shape", a.output_shape);
    field("activation", a.options.activation);
    field("bias_axes", a.options.bias_axes);
    field("kernel_initializer", a.options.kernel_initializer);
    field("bias_initializer", a.options.bias_initializer);
    field("kernel_regularizer", a.options.kernel_regularizer);
    field("bias_regularizer", a.options.bias_regularizer);
    field("activity_regularizer", a.options.activity_regularizer);
    field("kernel_constraint", a.options.kernel_constraint);
    field("bias_constraint", a.options.bias_constraint);
    detail::lora_fields(a.options, field);
  }
};

// The equation for inputs of one rank: letters for the axes that "..." stands for.
struct Letters {
  std::string input, kernel, output;
  /// The output's letters whose sizes output_shape tells.
  std::string told;

  std::string equation() const { return input + "," + kernel + "->" + output; }
};

class EinsumDenseBody final : public detail::LoraBody {
 public:
  explicit EinsumDenseBody(Arguments arguments) : a_(std::move(arguments)) {
    std::string text;
    for (const char c : a_.equation)
      if (c != ' ') text += c;
    const std::size_t comma = text.find(','), arrow = text.find("->");
    if (comma == std::string::npos || arrow == std::string::npos || comma > arrow ||
        text.find(',', comma + 1) != std::string::npos) {
      throw ValueError("EinsumDense", "an equation of x, the kernel and the result",
                       "received equation=\"" + a_.equation + "\"", "Write \"abc,cd->abd\".");
    }
    letters_ = {text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1), text.substr(arrow + 2), ""};
    set_common(a_.options);
    set_lora(a_.options, a_.options.kernel_constraint);
    activity_regularizer = a_.options.activity_regularizer;
  }

  std::string_view class_name() const override { return "EinsumDense"; }

  void build(const Shape& input) override {
    const EinsumDenseOptions& options = a_.options;
    const Letters letters = letters_for(input);
    const std::map<char, std::int64_t> sizes = sizes_for(input, letters);
    std::vector<std::int64_t> kernel, bias;
    for (const char letter : letters.kernel) kernel.push_back(sizes.at(letter));
    if (!Shape(kernel).is_known()) {
      refuse_input("known sizes of the axes that the kernel has", input, "Give Input those sizes.");
    }
    kernel_ = add_weight(Shape(kernel), "kernel", options.kernel_initializer, options.kernel_regularizer,
                         options.kernel_constraint);
    if (options.bias_axes) {
      const std::size_t first = letters.output.find_first_of(*options.bias_axes);
      for (const char letter : *options.bias_axes) {
        if (letters.output.find(letter) != std::string::npos) continue;
        throw ValueError("EinsumDense", "bias_axes of letters that the result has",
                         "received bias_axes=\"" + *options.bias_axes + "\"",
                         "The result is \"" + letters_.output + "\".");
      }
      for (const char letter : letters.output.substr(first))
        bias.push_back(options.bias_axes->find(letter) != std::string::npos ? sizes.at(letter) : 1);
      bias_ = add_weight(Shape(bias), "bias", options.bias_initializer, options.bias_regularizer,
                         options.bias_constraint);
    }
    equation_ = letters.equation();
    taken_ = input;
    for (std::size_t i = 0; i < input.rank(); ++i) taken_[i] = sizes.at(letters.input[i]);
    build_lora();
    add_activation("activation", options.activation, linear_shape(input));
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    Tensor y = linear(x, adapted(kernel_));
    if (bias_.is_defined()) y = y + bias_.tensor();
    return a_.options.activation(y, context.training);
  }

  Shape output_shape(const Shape& input) const override {
    return a_.options.activation.function().output_shape(linear_shape(input));
  }

  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    if (target == Generation::keras3) config["quantization_config"] = nullptr;
    add_lora_to(config);
    return config;
  }

  std::shared_ptr<LayerBody> clone() const override {
    auto copy = std::make_shared<EinsumDenseBody>(*this);
    copy->a_.options.activation = clone_of(a_.options.activation);
    return finish_clone(copy);
  }

 private:
  Tensor linear(const Tensor& x, const Tensor& kernel) const {
    bool is_as_built = x.rank() == taken_.rank();
    for (std::size_t i = 0; is_as_built && i < x.rank(); ++i)
      is_as_built = taken_[i] == Shape::kUnknown || taken_[i] == x.shape()[i];
    if (is_as_built) return ops::einsum(equation_, x, kernel);
    // Of another size on an axis that may have any, of another rank for "...", or refused.
    linear_shape(x.shape());
    return ops::einsum(letters_for(x.shape()).equation(), x, kernel);
  }

  Letters letters_for(const Shape& input) const {
    const std::size_t dots = letters_.input.find("..."), behind = letters_.output.find("...");
    Letters letters = letters_;
    if ((dots == std::string::npos) != (behind == std::string::npos) ||
        letters_.kernel.find('.') != std::string::npos) {
      throw ValueError("EinsumDense", "\"...\" in x and in the result, or in neither",
                       "received equation=\"" + a_.equation + "\"", "The kernel has none.");
    }
    const std::size_t named = dots == std::string::npos ? letters_.input.size() : letters_.input.size() - 3;
    if (input.rank() < named || (dots == std::string::npos && input.rank() != named)) {
      refuse_input("an input of the rank of \"" + letters_.input + "\"", input, "Reshape it.");
    }
    if (dots == std::string::npos) {
      letters.told = letters.output.substr(std::min<std::size_t>(1, letters.output.size()));
      return letters;
    }
    std::string open;
    for (std::size_t i = 0; i < input.rank() - named; ++i) open += static_cast<char>('0' + i);
    letters.told = letters_.output;
    letters.told.erase(behind, 3);
    if (behind != 0) letters.told.erase(0, 1);
    letters.input.replace(dots, 3, open);
    letters.output.replace(behind, 3, open);
    return letters;
  }

  std::map<char, std::int64_t> sizes_for(const Shape& input, const Letters& letters) const {
    std::map<char, std::int64_t> sizes;
    for (std::size_t i = 0; i < input.rank(); ++i) sizes[letters.input[i]] = input[i];
    if (letters.told.size() != a_.output_shape.rank()) {
      throw ValueError("EinsumDense", "an output_shape of " + std::to_string(letters.told.size()) + " sizes",
                       "received output_shape=" + a_.output_shape.to_string(),
                       "One for each letter of \"" + letters_.output + "\" but the batch.");
    }
    for (std::size_t i = 0; i < letters.told.size(); ++i) {
      const std::int64_t told = a_.output_shape[i];
      const auto [found, is_new] = sizes.emplace(letters.told[i], told);
      if (is_new || told == Shape::kUnknown || found->second == told) continue;
      if (found->second != Shape::kUnknown) {
        refuse_input("an input with size " + std::to_string(told) + " on axis \"" + letters.told[i] + "\"",
                     input, "output_shape says so.");
      }
      found->second = told;
    }
    return sizes;
  }

  Shape linear_shape(const Shape& input) const {
    const Letters letters = letters_for(input);
    const std::map<char, std::int64_t> sizes = sizes_for(input, letters);
    for (std::size_t i = 0; kernel_.is_defined() && i < letters.kernel.size(); ++i) {
      const std::size_t axis = letters.input.find(letters.kernel[i]);
      if (axis == std::string::npos || input[axis] == kernel_.shape()[i] || input[axis] == Shape::kUnknown)
        continue;
      refuse_input(
          "an input whose axis " + std::to_string(axis) + " is " + std::to_string(kernel_.shape()[i]), input,
          "Feed that size, or build a new layer.");
    }
    std::vector<std::int64_t> shape;
    for (const char letter : letters.output) {
      const auto found = sizes.find(letter);
      if (found == sizes.end()) {
        throw ValueError("EinsumDense", "a result of letters that x or output_shape tells",
                         "received equation=\"" + a_.equation + "\"", "Name each axis of the result before.");
      }
      shape.push_back(found->second);
    }
    return Shape(shape);
  }

  Arguments a_;
  Letters letters_;
  // For inputs such as it was built for, kept so that a call has nothing to find out.
  std::string equation_;
  Shape taken_;
  Variable kernel_, bias_;
};

}  // namespace

EinsumDense::EinsumDense(const std::string& equation, const Shape& output_shape,
                         const EinsumDenseOptions& options)
    : Layer(std::make_shared<EinsumDenseBody>(Arguments{equation, output_shape, options})) {}

EinsumDense EinsumDense::from_config(const Config& config, Generation generation) {
  return detail::read_layer<Arguments>("EinsumDense", config, generation, [](const auto& a) {
    return EinsumDense(a.equation, a.output_shape, a.options);
  });
}

void EinsumDense::enable_lora(std::int64_t rank, const EnableLoraOptions& options) const {
  keratin::enable_lora(*this, rank, options);
}

}  // namespace keratin::inline v0
