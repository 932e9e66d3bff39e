#include "cli/formula_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/activation_page.h"
#include "cli/text_plot.h"
#include "keratin/activations/parse.h"
#include "keratin/io/onnx.h"

namespace keratin::cli {

bool is_function_name(std::string_view text) {
  return text != "x" && text.find_first_not_of(
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789_.") == std::string_view::npos;
}

Expr read_formula(const std::string& text) {
  if (text.ends_with(".onnx")) return io::load_onnx(text);
  return activations::parse(is_function_name(text) ? text + "(x)" : text);
}

std::string value_table(const RealFunction& value, const RealFunction& derivative) {
  constexpr int kWidth = 10;
  std::string xs, values, derivatives;
  for (const double x : {-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0}) {
    xs += fmt::format("{:>{}.4g}", x, kWidth);
    values += fmt::format("{:>{}.4g}", value(x), kWidth);
    derivatives += fmt::format("{:>{}.4g}", derivative(x), kWidth);
  }
  return fmt::format("  x     {}\n  f(x)  {}\n  f'(x) {}\n", xs, values, derivatives);
}

std::string formula_page(const Expr& formula, const Terminal& terminal, bool unicode) {
  constexpr int kIndent = 14;
  const Expr derivative = formula.derivative();
  std::string text = styled(terminal, Style::bold, formula.to_string()) + '\n';
  const auto row = [&](std::string_view label, std::string_view value) {
    text += styled(terminal, Style::dim, padded("  " + std::string(label), kIndent));
    text += wrapped(value, terminal.columns, kIndent) + '\n';
  };
  row("gradient", derivative.to_string());
  row("LaTeX", formula.to_latex());
  // The first line of an expression's explanation is the formula again.
  const std::string explanation = explain(formula.to_activation_fn());
  const std::size_t end_of_first = explanation.find("\n  ");
  const char* label = "runs";
  std::string_view rest = explanation;
  if (end_of_first != std::string::npos) rest.remove_prefix(end_of_first + 3);
  while (!rest.empty()) {
    const std::size_t end = rest.find("\n  ");
    row(label, rest.substr(0, end));
    label = "";
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 3);
  }
  const RealFunction f = [formula](double x) { return formula.evaluate(x); };
  const RealFunction slope = [derivative](double x) { return derivative.evaluate(x); };
  text += '\n' + value_table(f, slope) + '\n';
  return text + text_plot({{f, "f", Style::first}, {slope, "its derivative", Style::second, true}},
                          {.columns = std::min(terminal.columns, 76), .unicode = unicode}, terminal);
}

std::string formula_latex(const std::string& text) {
  std::vector<std::string> names;
  Expr formula = 0;
  if (is_function_name(text) && text.find('.') == std::string::npos) {
    // As its page writes it, in the names of its parameters.
    const ActivationPage& page = find_activation_page(text);
    for (const ParameterText& parameter : page.parameters) names.push_back(parameter.name);
    formula = activations::parse(page.short_formula, names);
  } else {
    formula = read_formula(text);
  }
  return fmt::format("f(x) = {}\nf'(x) = {}\n", formula.to_latex(names),
                     formula.derivative().to_latex(names));
}

}  // namespace keratin::cli
