#include "keratin/io/onnx_operators.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "keratin/activations/formula_names.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/io/onnx_operator_table.h"

namespace keratin::inline v0::io::detail {
namespace {

using activations::detail::FormulaNames;
using activations::detail::parse_bound;
using keratin::detail::make_constant;
using keratin::detail::make_node;
using keratin::detail::NodePtr;
using Kind = OnnxResult::Kind;

OnnxResult number(NodePtr node) { return {Kind::number, std::move(node)}; }

void check_inputs(const OnnxCall& call, std::size_t least, std::size_t most) {
  if (call.inputs.size() >= least && call.inputs.size() <= most) return;
  call.refuse(fmt::format("{} of {} inputs", call.node.operation, least),
              fmt::format("has {}", call.inputs.size()), "The file is damaged.");
}
const NodePtr& input(const OnnxCall& call, std::size_t i, Kind kind) {
  const OnnxResult& value = call.inputs.at(i);
  if (value.kind == kind) return value.node;
  const std::string_view expected = kind == Kind::condition ? "conditions" : "floating numbers";
  std::string_view advice;
  if (value.kind == Kind::array) advice = "A function of one number takes constants of one element.";
  if (value.kind == Kind::integer) advice = "Integers are computed otherwise: write constants as floats.";
  call.refuse(fmt::format("{} of {}", call.node.operation, expected),
              fmt::format("takes \"{}\", which is {}", call.node.inputs[i].substr(0, 80), value.describe()),
              advice);
}
const NodePtr& number_input(const OnnxCall& call, std::size_t i) { return input(call, i, Kind::number); }
double constant_input(const OnnxCall& call, std::size_t i) {
  const NodePtr& node = number_input(call, i);
  if (!node->is_constant()) {
    call.refuse(fmt::format("{} with constants", call.node.operation),
                fmt::format("computes \"{}\" from the input", call.node.inputs[i].substr(0, 80)));
  }
  return node->value;
}

std::string_view next_of(std::string_view& rest) {
  const std::size_t comma = rest.find(", ");
  const std::string_view next = rest.substr(0, comma);
  rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
  return next;
}
OnnxResult formula(std::string_view text, FormulaNames names, bool is_condition = false) {
  return {is_condition ? Kind::condition : Kind::number, parse_bound(text, std::move(names))};
}

OnnxResult run_formula(const OnnxOperator& known, const OnnxCall& call) {
  FormulaNames names;
  std::size_t count = 0;
  for (std::string_view rest = known.inputs; !rest.empty(); ++count) {
    const std::string_view name = next_of(rest);
    if (count >= call.inputs.size()) break;
    const bool is_condition = name == "p" || name == "q";
    names.emplace(name, input(call, count, is_condition ? Kind::condition : Kind::number));
  }
  const auto wanted = static_cast<std::size_t>(std::count(known.inputs.begin(), known.inputs.end(), ',')) + 1;
  check_inputs(call, wanted, wanted);
  for (std::string_view rest = known.attributes; !rest.empty();) {
    const std::string_view text = next_of(rest);
    const std::size_t equals = text.find('=');
    // Attributes are floats, and so are their defaults.
    const auto otherwise = static_cast<float>(*parse_double(text.substr(equals + 1)));
    names.emplace(text.substr(0, equals), make_constant(call.number(text.substr(0, equals), otherwise)));
  }
  return formula(known.formula, std::move(names), known.is_condition);
}
void refuse_training(const OnnxCall& call) {
  const OnnxResult& training = call.inputs[2];
  if (training.is_constant() && training.node->value == 0) return;
  call.refuse("Dropout outside training", "may drop numbers", "Export the model for inference.");
}
OnnxResult identity(const OnnxCall& call) {
  check_inputs(call, 1, 3);
  if (call.node.operation == "Dropout" && call.has(2)) refuse_training(call);
  return call.inputs[0];
}

// Of constants alone: of one element they remain.
OnnxResult reshaped_constant(const OnnxCall& call) {
  check_inputs(call, 1, 2);
  if (call.inputs[0].is_constant()) return call.inputs[0];
  call.refuse("element-wise operators alone", "changes the shape", kAlone);
}
OnnxResult shape(const OnnxCall& call) {
  check_inputs(call, 1, 1);
  return {Kind::shape};
}
OnnxResult constant_of_shape(const OnnxCall& call) {
  const OnnxAttribute* value = call.attribute("value");
  return value != nullptr && value->tensor ? constant_of(*value->tensor) : number(make_constant(0));
}
OnnxResult constant(const OnnxCall& call) {
  if (const OnnxAttribute* value = call.attribute("value"); value != nullptr && value->tensor)
    return constant_of(*value->tensor);
  for (const std::string_view name : {"value_float", "value_floats"}) {
    const OnnxAttribute* value = call.attribute(name);
    if (value != nullptr && value->number) return number(make_constant(*value->number));
  }
  for (const std::string_view name : {"value_int", "value_ints"}) {
    const OnnxAttribute* value = call.attribute(name);
    if (value != nullptr && value->number) return {Kind::integer, make_constant(*value->number)};
  }
  return {Kind::array, nullptr, "a constant of no or several numbers"};
}

OnnxResult cast_to(const OnnxCall& call, OnnxType type) {
  const OnnxResult& from = call.inputs[0];
  if (from.kind == Kind::condition && is_floating(type)) {
    return number(make_node(ExprOp::select, from.node, make_constant(1), make_constant(0)));
  }
  if (from.kind == Kind::condition && type == OnnxType::boolean) return from;
  if (from.kind == Kind::integer && is_floating(type)) return number(from.node);
  if (from.kind == Kind::integer && is_integer(type)) return from;
  if (from.kind == Kind::number && is_floating(type)) return from;
  if (from.kind == Kind::number && type == OnnxType::boolean)
    return formula("x != 0", {{"x", from.node}}, true);
  call.refuse("Cast between floating types, and between them and booleans",
              fmt::format("takes {} to ONNX's type {}", from.describe(), static_cast<int>(type)),
              "Floor, Ceil and Round make whole numbers that stay floating.");
}
OnnxResult cast(const OnnxCall& call) {
  check_inputs(call, 1, 1);
  const double to = call.number("to", 0);
  return cast_to(call,
                 to > 0 && to < 100 ? static_cast<OnnxType>(static_cast<int>(to)) : OnnxType::undefined);
}
OnnxResult cast_like(const OnnxCall& call) {
  check_inputs(call, 2, 2);
  const Kind like = call.inputs[1].kind;
  return cast_to(call, like == Kind::number      ? OnnxType::float32
                       : like == Kind::condition ? OnnxType::boolean
                                                 : OnnxType::undefined);
}
OnnxResult clip(const OnnxCall& call) {
  check_inputs(call, 1, 3);
  // Limits are attributes before operator set 11.
  double low = call.number("min", -HUGE_VAL), high = call.number("max", HUGE_VAL);
  if (call.has(1)) low = constant_input(call, 1);
  if (call.has(2)) high = constant_input(call, 2);
  FormulaNames names{
      {"x", number_input(call, 0)}, {"low", make_constant(low)}, {"high", make_constant(high)}};
  if (high == HUGE_VAL) return formula("maximum(x, low)", std::move(names));
  if (low == -HUGE_VAL) return formula("minimum(x, high)", std::move(names));
  // With limits the wrong way round the upper one counts.
  return formula(low <= high ? "clip(x, low, high)" : "where(x == x, high, x)", std::move(names));
}

OnnxResult several(const OnnxCall& call) {
  check_inputs(call, 1, kMaxOnnxParts);
  NodePtr result = number_input(call, 0);
  const std::string_view name = call.node.operation;
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    const NodePtr& next = number_input(call, i);
    result = make_node(name == "Max"   ? ExprOp::maximum
                       : name == "Min" ? ExprOp::minimum
                                       : ExprOp::add,
                       result, next);
  }
  if (name == "Mean") {
    result = make_node(ExprOp::divide, result, make_constant(static_cast<double>(call.inputs.size())));
  }
  return number(result);
}

OnnxResult power(const OnnxCall& call) {
  check_inputs(call, 2, 2);
  const NodePtr& base = number_input(call, 0);
  // Its type may be another one than the base's.
  const OnnxResult& exponent = call.inputs[1];
  if ((exponent.kind == Kind::integer || exponent.kind == Kind::number) && exponent.is_constant())
    return number(make_node(ExprOp::power, base, exponent.node));
  const NodePtr& power = number_input(call, 1);
  if (!base->is_constant() || !(base->value > 0)) {
    call.refuse("Pow with a constant exponent, or of a constant above 0", "has neither",
                "Write exp(b * log(a)) for a^b.");
  }
  return formula("exp(log(a) * x)", {{"a", base}, {"x", power}});
}

OnnxResult gelu(const OnnxCall& call) {
  check_inputs(call, 1, 1);
  const OnnxAttribute* how = call.attribute("approximate");
  const bool is_tanh = how != nullptr && how->text && *how->text == "tanh";
  if (how != nullptr && !is_tanh && !(how->text && *how->text == "none"))
    call.refuse("Gelu approximated by \"none\" or \"tanh\"", "says otherwise");
  return formula(is_tanh ? "gelu(x, approximate=true)" : "gelu(x)", {{"x", number_input(call, 0)}});
}

// The paper's constants, of which the format keeps 24 bits.
OnnxResult selu(const OnnxCall& call) {
  check_inputs(call, 1, 1);
  constexpr float kAlpha = 1.6732632423543772848F, kGamma = 1.0507009873554804934F;
  const double alpha = call.number("alpha", kAlpha), gamma = call.number("gamma", kGamma);
  FormulaNames names{{"x", number_input(call, 0)}, {"a", make_constant(alpha)}, {"c", make_constant(gamma)}};
  const bool is_standard = static_cast<float>(alpha) == kAlpha && static_cast<float>(gamma) == kGamma;
  return formula(is_standard ? "selu(x)" : "c * elu(x, alpha=a)", std::move(names));
}

OnnxResult equal(const OnnxCall& call) {
  check_inputs(call, 2, 2);
  if (call.inputs[0].kind != Kind::condition) return run_formula(*find_onnx_operator("", "Equal"), call);
  return formula("(p and q) or not(p or q)",
                 {{"p", input(call, 0, Kind::condition)}, {"q", input(call, 1, Kind::condition)}}, true);
}

// Operators that look at types, at how many inputs there are, or at words.
constexpr std::pair<std::string_view, OnnxResult (*)(const OnnxCall&)> kSpecial[] = {
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Clip", clip},
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"Dropout", identity},
    {"Equal", equal},
    {"Expand", reshaped_constant},
    {"Gelu", gelu},
    {"Identity", identity},
    {"Max", several},
    {"Mean", several},
    {"Min", several},
    {"Pow", power},
    {"Reshape", reshaped_constant},
    {"Selu", selu},
    {"Shape", shape},
    {"Squeeze", reshaped_constant},
    {"Sum", several},
    {"Unsqueeze", reshaped_constant},
};

}  // namespace

std::string OnnxResult::describe() const {
  switch (kind) {
    case Kind::number:
      return "a floating number";
    case Kind::integer:
      return "an integer";
    case Kind::condition:
      return "true or false";
    case Kind::shape:
      return "a shape";
    case Kind::array:
      return text;
    case Kind::absent:
      break;
  }
  return "left out";
}

OnnxResult constant_of(const OnnxTensor& tensor) {
  if (tensor.value && is_floating(tensor.type)) return number(make_constant(*tensor.value));
  if (tensor.value && is_integer(tensor.type)) return {Kind::integer, make_constant(*tensor.value)};
  if (tensor.value && tensor.type == OnnxType::boolean)
    return {Kind::condition, make_constant(*tensor.value)};
  if (tensor.is_external) return {Kind::array, nullptr, "a constant in another file"};
  const bool is_one = std::all_of(tensor.shape.begin(), tensor.shape.end(), [](auto n) { return n == 1; });
  if (is_one) return {Kind::array, nullptr, "a constant without a number that could be read"};
  constexpr std::size_t kShown = 8;
  const std::size_t shown = std::min(tensor.shape.size(), kShown);
  return {Kind::array, nullptr,
          fmt::format("a constant of shape [{}{}]",
                      fmt::join(tensor.shape.begin(),
                                tensor.shape.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                      shown < tensor.shape.size() ? ", …" : "")};
}

const OnnxAttribute* OnnxCall::attribute(std::string_view name) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? nullptr : found->second;
}
double OnnxCall::number(std::string_view name, double otherwise) const {
  const OnnxAttribute* given = attribute(name);
  return given != nullptr && given->number ? *given->number : otherwise;
}
bool OnnxCall::has(std::size_t input) const {
  return input < inputs.size() && inputs[input].kind != Kind::absent;
}
void OnnxCall::refuse(std::string_view expected, std::string_view received, std::string_view advice) const {
  const std::string name =
      node.name.empty() ? std::string() : fmt::format("\"{}\" ", node.name.substr(0, 80));
  throw IoError("onnx", fmt::format("expects {}", expected),
                fmt::format("node {}({}) of \"{}\" {}", name, node.operation.substr(0, 80), file, received),
                advice);
}

OnnxResult run_operator(const OnnxCall& call) {
  const OnnxNode& node = call.node;
  if (is_standard_onnx(node.domain)) {
    for (const auto& [name, special] : kSpecial) {
      if (name == node.operation) return special(call);
    }
  }
  if (const OnnxOperator* known = find_onnx_operator(node.domain, node.operation))
    return run_formula(*known, call);
  call.refuse("element-wise operators alone",
              is_standard_onnx(node.domain) ? std::string("is none")
                                            : fmt::format("is of \"{}\"", node.domain.substr(0, 80)),
              kAlone);
}

}  // namespace keratin::inline v0::io::detail
