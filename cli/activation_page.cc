// Activation pages: nothing is written down twice; kinks are found by asking the derivative.
#include "cli/activation_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "cli/formula.h"
#include "keratin/activations/axis_functions.h"
#include "keratin/activations/registry.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::cli {
namespace {

using activations::Function;
using activations::Parameter;
using activations::ParameterKind;

std::string value_text(const Parameter& parameter, double value) {
  if (parameter.required) return {};
  if (parameter.kind == ParameterKind::flag) return value != 0 ? "true" : "false";
  if (parameter.kind == ParameterKind::optional && std::isinf(value)) return "None";
  return to_text(value);
}

std::string constraint_text(const Parameter& parameter) {
  return std::string(parameter.constraint) + (parameter.kind == ParameterKind::optional ? ", or None" : "");
}

/// "a" or "b" of "flag ? a : b", for a flag that is false or true by default; else the formula itself.
std::string decided(std::string_view formula, std::span<const Parameter> parameters) {
  for (const Parameter& parameter : parameters) {
    const std::string start = std::string(parameter.name) + " ? ";
    if (parameter.kind != ParameterKind::flag || formula.substr(0, start.size()) != start) continue;
    int open = 1, parentheses = 0;
    for (std::size_t i = start.size(); i < formula.size(); ++i) {
      const char c = formula[i];
      parentheses += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (parentheses > 0) continue;
      open += c == '?' ? 1 : c == ':' ? -1 : 0;
      if (open > 0) continue;
      const bool holds = parameter.default_value != 0;
      return std::string(holds ? formula.substr(start.size(), i - start.size() - 1) : formula.substr(i + 2));
    }
  }
  return std::string(formula);
}

/// Kinks at 0, at halves and at what the parameters say; no definition has one elsewhere.
std::vector<Kink> find_kinks(const Function& function) {
  std::vector<double> candidates;
  for (int i = -12; i <= 12; ++i) candidates.push_back(0.5 * i);
  for (const Parameter& parameter : function.parameters) {
    if (!std::isfinite(parameter.default_value)) continue;
    candidates.push_back(parameter.default_value);
    candidates.push_back(-parameter.default_value);
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  std::vector<Kink> kinks;
  for (const double x : candidates) {
    const auto derivative = [&](double at) { return function.derivative(function.defaults, at); };
    // A millionth beside x a smooth derivative has changed by about a millionth.
    constexpr double kStep = 1e-6, kSmooth = 1e-4;
    const Kink kink{x == 0 ? 0.0 : x, derivative(x - kStep), derivative(x), derivative(x + kStep)};
    const double visible = kSmooth * std::max(1.0, std::abs(kink.at));
    if (std::abs(kink.right - kink.left) > visible || std::abs(kink.at - kink.left) > visible) {
      // The sides are a millionth off; + 0.0 makes a -0 a plain 0.
      const auto rounded = [](double value) { return std::round(value / kSmooth) * kSmooth + 0.0; };
      kinks.push_back({kink.x, rounded(kink.left), kink.at, rounded(kink.right)});
    }
  }
  return kinks;
}

std::string gradient_text(const activations::Info& info) {
  if (!info.derivative.empty()) return std::string(info.derivative);
  return Formula::parse(info.formula).derivative().to_string();
}

ActivationPage page_of(const Function& function) {
  ActivationPage page{.name = std::string(function.info->name),
                      .formula = std::string(function.info->formula),
                      .short_formula = decided(function.info->formula, function.parameters),
                      .gradient = gradient_text(*function.info),
                      .source = std::string(function.info->source),
                      .kinks = find_kinks(function),
                      .value_ulp = function.info->bounds.value_f32,
                      .gradient_ulp = function.info->bounds.gradient_f32};
  for (const std::string_view alias : function.info->aliases) {
    if (!alias.empty()) page.aliases.emplace_back(alias);
  }
  for (const Parameter& parameter : function.parameters) {
    page.parameters.push_back({std::string(parameter.name), std::string(parameter.keras2),
                               std::string(parameter.keras3), value_text(parameter, parameter.default_value),
                               constraint_text(parameter)});
  }
  page.value = [&function](double x) { return function.value(function.defaults, x); };
  page.derivative = [&function](double x) { return function.derivative(function.defaults, x); };
  return page;
}

/// Softmax and kin, which look along an axis: drawn as the first element of f((x, 0)).
template <class Apply, class Gradient>
ActivationPage axis_page(const ActivationPage& texts, const Apply& apply, const Gradient& gradient,
                         bool halves) {
  ActivationPage page = texts;
  page.short_formula = page.formula;
  page.parameters.push_back(
      {"axis", page.name == "softmax" ? "axis" : "", "axis", "-1", "an axis, or several"});
  // glu's input has the two halves a and b: drawn with both x.
  page.plotted = halves ? "of the pair (x, x)" : "first element of f((x, 0))";
  page.value = [&apply, halves](double x) {
    const std::array<double, 2> in = {x, halves ? x : 0.0};
    std::array<double, 2> out{};
    apply(std::span<const double>(in), std::span<double>(out.data(), halves ? 1 : 2));
    return out[0];
  };
  page.derivative = [&gradient, halves](double x) {
    const std::array<double, 2> in = {x, halves ? x : 0.0}, upstream = {1.0, 0.0};
    std::array<double, 2> out{};
    gradient(std::span<const double>(in), std::span<const double>(upstream.data(), halves ? 1 : 2),
             std::span<double>(out));
    return halves ? out[0] + out[1] : out[0];
  };
  return page;
}

std::vector<ActivationPage> make_pages() {
  std::vector<ActivationPage> pages;
  for (const Function& function : activations::functions()) pages.push_back(page_of(function));
  pages.push_back(axis_page({.name = "softmax",
                             .formula = "exp(x_i)/sum_j exp(x_j)",
                             .gradient = "y_i*((i == j ? 1 : 0) - y_j)",
                             .source = "Bridle 1990"},
                            activations::softmax, activations::softmax_gradient, false));
  pages.push_back(axis_page({.name = "log_softmax",
                             .formula = "x_i - log(sum_j exp(x_j))",
                             .gradient = "(i == j ? 1 : 0) - exp(y_j)",
                             .source = "Keras"},
                            activations::log_softmax, activations::log_softmax_gradient, false));
  pages.push_back(
      axis_page({.name = "sparsemax",
                 .formula = "max(x_i - tau, 0), tau such that the sum is 1",
                 .gradient = "(i == j ? 1 : 0) - 1/k where y_i > 0 and y_j > 0, k of them; else 0",
                 .source = "arXiv:1602.02068"},
                activations::sparsemax, activations::sparsemax_gradient, false));
  pages.push_back(axis_page({.name = "glu",
                             .formula = "a*sigmoid(b), a and b the halves of x along the axis",
                             .gradient = "sigmoid(b) by a; a*sigmoid(b)*(1 - sigmoid(b)) by b",
                             .source = "arXiv:1612.08083"},
                            activations::glu, activations::glu_gradient, true));
  return pages;
}

}  // namespace

std::span<const ActivationPage> activation_pages() {
  static const std::vector<ActivationPage> pages = make_pages();
  return pages;
}

const ActivationPage& find_activation_page(std::string_view name) {
  std::vector<std::string_view> known;
  for (const ActivationPage& page : activation_pages()) {
    if (page.name == name) return page;
    known.push_back(page.name);
    for (const std::string& alias : page.aliases) {
      if (alias == name) return page;
      known.push_back(alias);
    }
  }
  throw ValueError("activations", "", "unknown name \"" + std::string(name) + "\"",
                   did_you_mean(name, known) + " `keratin activations` lists them all.");
}

std::string kinks_text(const ActivationPage& page) {
  if (page.kinks.empty()) return "none";
  std::vector<std::string> texts;
  for (const Kink& kink : page.kinks) {
    texts.push_back(fmt::format("x = {:.6g}: {:.6g} ({:.6g} on the left, {:.6g} on the right)", kink.x,
                                kink.at, kink.left, kink.right));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

std::string signature(const ActivationPage& page) {
  std::string text = page.name + "(x";
  for (const ParameterText& parameter : page.parameters) {
    text += ", " + parameter.name;
    if (!parameter.default_value.empty()) text += "=" + parameter.default_value;
  }
  return text + ")";
}

std::string parameter_text(const ParameterText& parameter) {
  std::string text = parameter.name;
  text += parameter.default_value.empty() ? " (required)" : " = " + parameter.default_value;
  text += ": " + parameter.constraint;
  if (parameter.keras2.empty() && parameter.keras3.empty()) return text + "; not in Keras";
  if (parameter.keras2 == parameter.keras3) {
    return text + (parameter.keras3 == parameter.name ? "" : "; in Keras " + parameter.keras3);
  }
  if (!parameter.keras2.empty() && parameter.keras2 != parameter.name) {
    text += "; in Keras 2 " + parameter.keras2;
  }
  if (!parameter.keras3.empty() && parameter.keras3 != parameter.name) {
    text += "; in Keras 3 " + parameter.keras3;
  }
  return text;
}

}  // namespace keratin::cli
