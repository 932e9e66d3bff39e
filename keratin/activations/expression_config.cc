#include "keratin/activations/expression_config.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/builtin.h"
#include "keratin/activations/expression_function.h"
#include "keratin/activations/expression_node.h"
#include "keratin/activations/fitted/fitted_config.h"
#include "keratin/activations/get.h"
#include "keratin/activations/registry.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::detail {
namespace {

Config number_config(double value) {
  if (std::isfinite(value)) return value;
  return to_text(value);
}

[[noreturn]] void refuse(std::size_t place, std::string_view expected) {
  throw ValueError("expression", fmt::format("node {} of the config is {}", place, expected), "it is not",
                   "The file is damaged, or a newer version wrote it.");
}

class Reader {
 public:
  NodePtr read(const Config& nodes) {
    if (!nodes.is_array() || nodes.empty() || nodes.size() > kMaxExprNodes) {
      throw ValueError("expression", fmt::format("its nodes are a list of 1 to {}", kMaxExprNodes),
                       nodes.is_array() ? fmt::format("it holds {}", nodes.size()) : "it is no list",
                       "The file is damaged.");
    }
    for (const Config& node : nodes) nodes_.push_back(read_node(node));
    if (is_condition(nodes_.back())) refuse(nodes_.size() - 1, "a number, as the result");
    return nodes_.back();
  }

 private:
  static bool is_condition(const NodePtr& node) { return op_info(node->op).is_condition; }

  NodePtr read_node(const Config& node) const {
    if (node.is_number()) return make_constant(node.get<double>());
    if (node.is_string()) {
      const std::string& text = node.get_ref<const std::string&>();
      if (text == "x") return make_input();
      const std::optional<double> number = parse_double(text);
      if (number && !std::isfinite(*number)) return make_constant(*number);
    }
    if (!node.is_array() || node.empty() || !node[0].is_string()) {
      refuse(nodes_.size(), "\"x\", a number, or an operation with its inputs");
    }
    const std::string& name = node[0].get_ref<const std::string&>();
    const bool is_derivative = !name.empty() && name.back() == '\'';
    const std::string plain = is_derivative ? name.substr(0, name.size() - 1) : name;
    if (activations::find(plain) != nullptr) return read_function(node, plain, is_derivative);
    const std::optional<ExprOp> op = find_expr_op(name);
    if (!op || op_info(*op).inputs == 0 || *op == ExprOp::function || *op == ExprOp::derivative) {
      refuse(nodes_.size(), "a known operation");
    }
    return read_operation(node, *op);
  }

  NodePtr read_function(const Config& node, const std::string& name, bool is_derivative) const {
    if (node.size() < 2 || node.size() > 3) refuse(nodes_.size(), "a function of one input");
    const Config parameters = node.size() == 3 ? node[2] : Config::object();
    const ActivationFn function = activations::make(name, parameters);
    return make_function(is_derivative ? ExprOp::derivative : ExprOp::function, function.shared(),
                         input(node[1], false));
  }

  NodePtr read_operation(const Config& node, ExprOp op) const {
    const ExprOpInfo& operation = op_info(op);
    if (node.size() != operation.inputs + 1) {
      refuse(nodes_.size(), fmt::format("{} of {} inputs", operation.name, operation.inputs));
    }
    std::array<NodePtr, 3> inputs;
    for (std::size_t i = 0; i < operation.inputs; ++i) {
      const bool takes_condition = op == ExprOp::logical_and || op == ExprOp::logical_or ||
                                   op == ExprOp::logical_not || (op == ExprOp::select && i == 0);
      inputs[i] = input(node[i + 1], takes_condition);
      const bool takes_constant = (op == ExprOp::power || op == ExprOp::clip) && i > 0;
      if (takes_constant && !inputs[i]->is_constant())
        refuse(nodes_.size(), "an operation with constant limits");
    }
    return make_node(op, inputs[0], inputs[1], inputs[2]);
  }

  NodePtr input(const Config& place, bool takes_condition) const {
    if (!place.is_number_integer() || place.get<std::int64_t>() < 0 ||
        place.get<std::uint64_t>() >= nodes_.size()) {
      refuse(nodes_.size(), "an operation on nodes before it");
    }
    const NodePtr& node = nodes_[place.get<std::size_t>()];
    // A condition of constants is a constant; select takes it.
    if (is_condition(node) != takes_condition && !(takes_condition && node->is_constant())) {
      refuse(nodes_.size(), takes_condition ? "an operation on conditions" : "an operation on numbers");
    }
    return node;
  }

  std::vector<NodePtr> nodes_;
};

}  // namespace

Config expression_config(const ExpressionFunction& function) {
  const Expr& expression = function.expression();
  Config nodes = Config::array();
  std::unordered_map<const ExprNode*, std::size_t> place;
  for (const NodePtr& node : topological_order(expression.shared())) {
    place[node.get()] = nodes.size();
    if (node->op == ExprOp::input) {
      nodes.push_back("x");
    } else if (node->is_constant()) {
      nodes.push_back(number_config(node->value));
    } else {
      Config entry = Config::array();
      std::string name(op_info(node->op).name);
      if (node->function != nullptr)
        name = node->function->name() + (node->op == ExprOp::derivative ? "'" : "");
      entry.push_back(std::move(name));
      for (const NodePtr& input : node->inputs) {
        if (input != nullptr) entry.push_back(place.at(input.get()));
      }
      if (node->function != nullptr) {
        Config parameters = parameters_of(*node->function);
        if (!parameters.empty()) entry.push_back(std::move(parameters));
      }
      nodes.push_back(std::move(entry));
    }
  }
  Config config = Config::object();
  config["formula"] = expression.to_string();
  config["nodes"] = std::move(nodes);
  const ExpressionTables& tables = function.tables();
  if (tables.value) config["tables"]["value"] = table_config(*tables.value);
  if (tables.gradient) config["tables"]["gradient"] = table_config(*tables.gradient);
  return config;
}

ActivationFn expression_from_config(const Config& config) {
  const auto nodes = config.is_object() ? config.find("nodes") : config.end();
  if (!config.is_object() || nodes == config.end()) {
    throw ValueError("expression", "a config with its nodes", "there are none", "The file is damaged.");
  }
  const Expr expression(Reader().read(*nodes));
  ExpressionTables tables;
  if (const auto given = config.find("tables"); given != config.end()) {
    if (!given->is_object()) {
      throw ValueError("expression", "its tables are an object", "they are not", "The file is damaged.");
    }
    for (const auto& [key, value] : given->items()) {
      if (key == "value") tables.value = table_from_config(value);
      if (key == "gradient") tables.gradient = table_from_config(value);
    }
  }
  // Without tables it was saved without, and stays so: reading changes no result.
  if (!tables.value && !tables.gradient) return make_activation(expression, {.fit = false});
  return ActivationFn(ExpressionFunction::checked(expression, std::move(tables)));
}

}  // namespace keratin::inline v0::detail
