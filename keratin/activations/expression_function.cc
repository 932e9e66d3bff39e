#include "keratin/activations/expression_function.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/activations/builtin.h"
#include "keratin/activations/definitions.h"
#include "keratin/activations/expression_config.h"
#include "keratin/activations/expression_node.h"
#include "keratin/activations/fitted/fit.h"
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace {

// x may be anything here: the gradient that arrives is multiplied last, so that it meets f' rounded once.
Expr times_upstream(const Expr& derivative) {
  return Expr(detail::make_input(ExprOp::upstream)) * derivative;
}

// What run_mixed takes at most: enough that the tape is not called for a few lanes alone.
constexpr std::size_t kMixedBlock = 4 * detail::kFittedGroup;

// A block of which some lanes may be outside the table: those take the tape.
void run_mixed(const detail::FittedTable& table, const AdaptiveTape& tape, const float* x,
               const float* upstream, float* y, std::size_t count) {
  using Block = std::array<float, kMixedBlock>;
  Block inputs{}, gradients{}, results;
  std::copy_n(x, count, inputs.begin());
  if (upstream != nullptr) std::copy_n(upstream, count, gradients.begin());
  const std::size_t padded = (count + detail::kFittedGroup - 1) / detail::kFittedGroup * detail::kFittedGroup;
  detail::run_everywhere(table, inputs.data(), upstream == nullptr ? nullptr : gradients.data(),
                         results.data(), padded);
  std::array<std::uint16_t, kMixedBlock> place;
  std::size_t outside = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::fabs(inputs[i]) < table.reach) continue;
    inputs[outside] = inputs[i];
    gradients[outside] = gradients[i];
    place[outside++] = static_cast<std::uint16_t>(i);
  }
  if (outside != 0) {
    tape.run(inputs.data(), upstream == nullptr ? nullptr : gradients.data(), inputs.data(), outside);
    for (std::size_t i = 0; i < outside; ++i) results[place[i]] = inputs[i];
  }
  std::copy_n(results.begin(), count, y);
}

void run_fitted(const detail::FittedTable& table, const AdaptiveTape& tape, const float* x,
                const float* upstream, float* y, std::size_t count) {
  const auto after = [&](std::size_t i) { return upstream == nullptr ? nullptr : upstream + i; };
  for (std::size_t i = 0; i < count;) {
    i += detail::run_inside(table, x + i, after(i), y + i, count - i);
    const std::size_t here = std::min(kMixedBlock, count - i);
    if (here != 0) run_mixed(table, tape, x + i, after(i), y + i, here);
    i += here;
  }
}

// The last ones made, so that fifty layers with one lambda fit it once, and K::square of a thousand tensors
// compiles and measures one tape.
class MadeFunctions {
 public:
  std::shared_ptr<const ExpressionFunction> get(const Expr& expression, bool fit) {
    constexpr std::size_t kKept = 64;
    const std::lock_guard lock(mutex_);
    auto& functions = functions_[fit ? 1 : 0];
    if (functions.size() >= kKept) functions.clear();
    // A function keeps its expression, and so the key, alive.
    auto& function = functions[&expression.node()];
    if (function == nullptr) {
      function = fit ? ExpressionFunction::fitted(expression)
                     : std::make_shared<const ExpressionFunction>(expression);
    }
    return function;
  }

 private:
  std::mutex mutex_;
  std::array<std::unordered_map<const ExprNode*, std::shared_ptr<const ExpressionFunction>>, 2> functions_;
};

MadeFunctions& made_functions() {
  // Never destroyed: activations in other static objects may be made after this one's end.
  static MadeFunctions* const functions = new MadeFunctions;
  return *functions;
}

class TensorFunction final : public ActivationFunction {
 public:
  explicit TensorFunction(std::function<Tensor(const Tensor&)> function) : function_(std::move(function)) {}

  std::string name() const override { return "function of tensors"; }
  Tensor apply(const Tensor& x, bool) const override { return function_(x); }
  Config serialize(Generation) const override {
    throw ValueError("activation", "what a file can hold: a name, parameters, a formula",
                     "this is a function of tensors, which is code",
                     "Write it element by element as [](auto x) { … }, or as a layer of its own.");
  }

 private:
  std::function<Tensor(const Tensor&)> function_;
};

}  // namespace

ExpressionFunction::ExpressionFunction(Expr expression, ExpressionTables tables)
    : expression_(std::move(expression)),
      value_(detail::recognised(expression_).shared()),
      gradient_(times_upstream(detail::recognised(expression_).derivative()).shared()),
      tables_(std::move(tables)) {}

void ExpressionFunction::value_of(const double* x, double* y, std::size_t count) const {
  value_.run(x, nullptr, y, count);
}
void ExpressionFunction::slope_of(const double* x, double* y, std::size_t count) const {
  const std::vector<double> ones(count, 1.0);
  gradient_.run(x, ones.data(), y, count);
}

detail::DoubleFunction ExpressionFunction::evaluator(Evaluation evaluation) const {
  return
      [this, evaluation](const double* x, double* y, std::size_t count) { (this->*evaluation)(x, y, count); };
}

std::shared_ptr<const ExpressionFunction> ExpressionFunction::fitted(const Expr& expression) {
  const FloatEnvironment environment;
  auto made = std::make_shared<ExpressionFunction>(expression);
  made->fit_was_tried_ = true;
  made->tables_.value = detail::fit_table(made->evaluator(&ExpressionFunction::value_of));
  made->tables_.gradient = detail::fit_table(made->evaluator(&ExpressionFunction::slope_of));
  return made;
}

std::shared_ptr<const ExpressionFunction> ExpressionFunction::checked(const Expr& expression,
                                                                      ExpressionTables tables) {
  const FloatEnvironment environment;
  auto made = std::make_shared<ExpressionFunction>(expression, std::move(tables));
  const auto check = [&](std::optional<detail::FittedTable>& table, auto method) {
    if (!table) return;
    table->max_ulp = detail::check_fit(*table, made->evaluator(method));
    if (table->max_ulp <= detail::kMaxFitUlp) return;
    throw ValueError("expression", "a table of the formula beside it",
                     fmt::format("it is {} ULP off {}", to_text(table->max_ulp), expression.to_string()),
                     "The file is damaged. Without its tables it can be read.");
  };
  check(made->tables_.value, &ExpressionFunction::value_of);
  check(made->tables_.gradient, &ExpressionFunction::slope_of);
  return made;
}

std::string ExpressionFunction::explain() const {
  const auto route = [this](const char* what, const std::optional<detail::FittedTable>& table,
                            const AdaptiveTape& tape) {
    if (!table) {
      const std::string why = fit_was_tried_ ? fmt::format("no table fits within {} ULP", detail::kMaxFitUlp)
                                             : "made without fitting a table";
      return fmt::format("{}: {}; {}", what, tape.explain(), why);
    }
    return fmt::format(
        "{}: in float32 a table of {} rows and {} coefficients for |x| < {}, within {:.2f} ULP on "
        "the points tried; beyond {}",
        what, table->rows, table->degree, to_text(table->reach), table->max_ulp, tape.explain());
  };
  return fmt::format("{}\n  {}\n  {}", name(), route("value", tables_.value, value_),
                     route("gradient", tables_.gradient, gradient_));
}

Config ExpressionFunction::serialize(Generation) const {
  Config object = Config::object();
  object["module"] = "keratin";
  object["class_name"] = "Expression";
  object["config"] = detail::expression_config(*this);
  object["registered_name"] = "keratin>Expression";
  return object;
}

void ExpressionFunction::forward(const float* x, float* y, std::size_t count) const {
  if (tables_.value) return run_fitted(*tables_.value, value_, x, nullptr, y, count);
  value_.run(x, nullptr, y, count);
}
void ExpressionFunction::forward(const double* x, double* y, std::size_t count) const {
  value_.run(x, nullptr, y, count);
}
void ExpressionFunction::gradient(const float* x, const float* upstream, float* out,
                                  std::size_t count) const {
  if (tables_.gradient) return run_fitted(*tables_.gradient, gradient_, x, upstream, out, count);
  gradient_.run(x, upstream, out, count);
}
void ExpressionFunction::gradient(const double* x, const double* upstream, double* out,
                                  std::size_t count) const {
  gradient_.run(x, upstream, out, count);
}

ActivationFn make_activation(const Expr& expression, const ExpressionOptions& options) {
  if (detail::op_info(expression.node().op).is_condition) {
    throw ValueError("expression", "an activation gives a number", "this is a condition", "Use K::where.");
  }
  if (detail::parameter_count(expression.shared()) != 0) {
    throw ValueError("expression", "an activation is a function of x alone",
                     "this one has parameters: " + expression.to_string(), "Put numbers in their place.");
  }
  const Expr known = detail::recognised(expression);
  const ExprNode& node = known.node();
  if (node.op == ExprOp::input) return {};
  if (node.op == ExprOp::exp && node.input(0).op == ExprOp::input) return activations::Exponential{};
  if (node.op == ExprOp::function && node.input(0).op == ExprOp::input) return ActivationFn(node.function);
  return ActivationFn(made_functions().get(expression, options.fit));
}

ActivationFn make_activation(std::function<Tensor(const Tensor&)> function) {
  if (function == nullptr) {
    throw ValueError("activation", "a function of tensors", "it is empty", "Give one, or \"linear\".");
  }
  return ActivationFn(std::make_shared<const TensorFunction>(std::move(function)));
}

std::string explain(const ActivationFn& activation) {
  const ActivationFunction& function = activation.function();
  if (const auto* expression = dynamic_cast<const ExpressionFunction*>(&function))
    return expression->explain();
  if (const auto* builtin = dynamic_cast<const BuiltinActivation*>(&function)) {
    return fmt::format("{}: built in; `keratin activations {}` shows its bounds", function.name(),
                       builtin->definition().info->name);
  }
  if (activation.elementwise() != nullptr)
    return function.name() + ": a function of one number, called for one element after the other";
  return function.name() + ": a function of whole tensors, computed by its ops";
}

ActivationFn Expr::to_activation_fn() const { return make_activation(*this); }

namespace detail {

ActivationFn activation_from_traces(const Expr& first, const Expr& second) {
  if (!first.is_same(second)) {
    throw ValueError(
        "activation", "a lambda that computes the same whenever it is called",
        fmt::format("it gave {} and then {}", first.to_string(), second.to_string()),
        "It is traced once and may not count its calls or draw random numbers: take a layer for that.");
  }
  return make_activation(first);
}

}  // namespace detail
}  // namespace keratin::inline v0
