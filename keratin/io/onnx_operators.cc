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
bool is_whole(Kind kind) { return kind == Kind::integer || kind == Kind::other_integer; }
Kind integer_kind(OnnxType type) {
  return type == OnnxType::int32 || type == OnnxType::int64 ? Kind::integer : Kind::other_integer;
}
// What a node's numbers are: those of its first input that is no condition.
Kind numbers_of(const OnnxCall& call) {
  for (const OnnxResult& input : call.inputs) {
    if (input.kind != Kind::condition) return input.kind == Kind::integer ? Kind::integer : Kind::number;
  }
  return Kind::number;
}

void check_inputs(const OnnxCall& call, std::size_t least, std::size_t most) {
  if (call.inputs.size() >= least && call.inputs.size() <= most) return;
  call.refuse(fmt::format("{} of {} inputs", call.node.operation, least),
              fmt::format("has {}", call.inputs.size()), "The file is damaged.");
}
const NodePtr& input(const OnnxCall& call, std::size_t i, Kind kind) {
  const OnnxResult& value = call.inputs.at(i);
  if (value.kind == kind) return value.node;
  const std::string_view expected = kind == Kind::condition ? "conditions"
                                    : kind == Kind::integer ? "integers of int32 or int64"
                                                            : "floating numbers";
  std::string_view advice;
  if (value.kind == Kind::array) advice = "A function of one number takes constants of one element.";
  if (is_whole(value.kind))
    advice = "Integers are computed otherwise: write constants as floats, or Cast them.";
  call.refuse(fmt::format("{} of {}", call.node.operation, expected),
              fmt::format("takes \"{}\", which is {}", call.node.inputs[i].substr(0, 80), value.describe()),
              advice);
}
const NodePtr& number_input(const OnnxCall& call, std::size_t i) { return input(call, i, Kind::number); }
double constant_input(const OnnxCall& call, std::size_t i, Kind kind) {
  const NodePtr& node = input(call, i, kind);
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
OnnxResult formula(std::string_view text, FormulaNames names, Kind kind = Kind::number) {
  return {kind, parse_bound(text, std::move(names))};
}

OnnxResult run_formula(const OnnxOperator& known, const OnnxCall& call, Kind numbers) {
  FormulaNames names;
  std::size_t count = 0;
  for (std::string_view rest = known.inputs; !rest.empty(); ++count) {
    const std::string_view name = next_of(rest);
    if (count >= call.inputs.size()) break;
    const bool is_condition = name == "p" || name == "q";
    names.emplace(name, input(call, count, is_condition ? Kind::condition : numbers));
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
  return formula(known.formula, std::move(names), known.is_condition ? Kind::condition : numbers);
}
// The row of a table that says what the node computes; of integers first, where it takes them.
OnnxResult run_row(const OnnxCall& call) {
  const OnnxNode& node = call.node;
  if (numbers_of(call) == Kind::integer && is_standard_onnx(node.domain)) {
    if (const OnnxOperator* known = find_onnx_integer_operator(node.operation))
      return run_formula(*known, call, Kind::integer);
  }
  if (const OnnxOperator* known = find_onnx_operator(node.domain, node.operation))
    return run_formula(*known, call, Kind::number);
  call.refuse("element-wise operators alone",
              is_standard_onnx(node.domain) ? std::string("is none")
                                            : fmt::format("is of \"{}\"", node.domain.substr(0, 80)),
              kAlone);
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
  const FormulaNames names{{"x", from.node}};
  if (from.kind == Kind::condition) {
    if (type == OnnxType::boolean) return from;
    const NodePtr one = make_node(ExprOp::select, from.node, make_constant(1), make_constant(0));
    if (is_floating(type)) return number(one);
    if (is_integer(type)) return {integer_kind(type), one};
  }
  if (from.kind == Kind::number || is_whole(from.kind)) {
    if (is_floating(type)) return number(from.node);
    if (type == OnnxType::boolean) return formula("x != 0", names, Kind::condition);
  }
  // Towards zero, and +0 between -1 and 1.
  if (from.kind == Kind::number && integer_kind(type) == Kind::integer)
    return formula("where(abs(x) < 1, 0, T.trunc(x))", names, Kind::integer);
  constexpr double kLargestOfAll = 127;
  const bool fits_all = from.is_constant() && from.node->value >= 0 && from.node->value <= kLargestOfAll;
  if (is_whole(from.kind) && is_integer(type) && (integer_kind(type) == Kind::integer || fits_all))
    return {integer_kind(type), from.node};
  call.refuse("Cast between floating types, booleans, int32 and int64",
              fmt::format("takes {} to ONNX's type {}", from.describe(), static_cast<int>(type)),
              "What is out of a smaller type's range every runtime makes another number of: cast to int64.");
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
                       : like == Kind::integer   ? OnnxType::int64
                                                 : OnnxType::undefined);
}
OnnxResult clip(const OnnxCall& call) {
  check_inputs(call, 1, 3);
  // Limits are attributes before operator set 11.
  double low = call.number("min", -HUGE_VAL), high = call.number("max", HUGE_VAL);
  const Kind kind = numbers_of(call);
  if (call.has(1)) low = constant_input(call, 1, kind);
  if (call.has(2)) high = constant_input(call, 2, kind);
  FormulaNames names{{"x", input(call, 0, kind)}, {"low", make_constant(low)}, {"high", make_constant(high)}};
  if (high == HUGE_VAL) return formula("maximum(x, low)", std::move(names), kind);
  if (low == -HUGE_VAL) return formula("minimum(x, high)", std::move(names), kind);
  // With limits the wrong way round the upper one counts.
  return formula(low <= high ? "clip(x, low, high)" : "where(x == x, high, x)", std::move(names), kind);
}

OnnxResult several(const OnnxCall& call) {
  check_inputs(call, 1, kMaxOnnxParts);
  const std::string_view name = call.node.operation;
  const Kind kind = name == "Max" || name == "Min" ? numbers_of(call) : Kind::number;
  NodePtr result = input(call, 0, kind);
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    const NodePtr& next = input(call, i, kind);
    result = make_node(name == "Max"   ? ExprOp::maximum
                       : name == "Min" ? ExprOp::minimum
                                       : ExprOp::add,
                       result, next);
  }
  if (name == "Mean") {
    result = make_node(ExprOp::divide, result, make_constant(static_cast<double>(call.inputs.size())));
  }
  return {kind, result};
}

OnnxResult power(const OnnxCall& call) {
  check_inputs(call, 2, 2);
  const NodePtr& base = number_input(call, 0);
  // Its type may be another one than the base's.
  const NodePtr& exponent =
      input(call, 1, is_whole(call.inputs[1].kind) ? call.inputs[1].kind : Kind::number);
  if (exponent->is_constant()) return number(make_node(ExprOp::power, base, exponent));
  const bool is_plain = base->is_constant() && base->value > 0;
  return formula(is_plain ? "exp(log(a) * b)" : onnx_power_formula(), {{"a", base}, {"b", exponent}});
}

OnnxResult remainder(const OnnxCall& call) {
  if (numbers_of(call) == Kind::number && call.number("fmod", 0) == 0) {
    call.refuse("Mod of floating numbers with fmod = 1", "has fmod = 0, which is for integers alone",
                "For a remainder with the divisor's sign write a - b * floor(a / b).");
  }
  return run_row(call);
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
  if (call.inputs[0].kind != Kind::condition) return run_row(call);
  return formula("(p and q) or not(p or q)",
                 {{"p", input(call, 0, Kind::condition)}, {"q", input(call, 1, Kind::condition)}},
                 Kind::condition);
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
    {"Mod", remainder},
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
    case Kind::other_integer:
      return "an integer of a type other than int32 and int64";
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
  if (tensor.value && is_integer(tensor.type))
    return {integer_kind(tensor.type), make_constant(*tensor.value)};
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
  if (is_standard_onnx(call.node.domain)) {
    for (const auto& [name, special] : kSpecial) {
      if (name == call.node.operation) return special(call);
    }
  }
  return run_row(call);
}

}  // namespace keratin::inline v0::io::detail
