// `keratin activations`: the library's functions as a list, one at a time with a plot, as Markdown or JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/activation_markdown.h"
#include "cli/activation_page.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/formula_page.h"
#include "cli/terminal.h"
#include "cli/text_plot.h"

namespace keratin::cli {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  return fmt::format("{}", fmt::join(words, between));
}

std::string with_defaults(const ActivationPage& page) {
  std::vector<std::string> texts;
  for (const ParameterText& parameter : page.parameters) {
    if (!parameter.default_value.empty()) texts.push_back(parameter.name + "=" + parameter.default_value);
  }
  return joined(texts, ", ");
}

std::string list(const Terminal& terminal) {
  int width = 0;
  std::vector<std::string> names;
  for (const ActivationPage& page : activation_pages()) {
    names.push_back(page.aliases.empty() ? page.name
                                         : fmt::format("{} ({})", page.name, joined(page.aliases, ", ")));
    width = std::max(width, display_width(names.back()) + 2);
  }
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ActivationPage& page = activation_pages()[i];
    text += styled(terminal, Style::bold, padded(names[i], width));
    text += wrapped(page.short_formula, terminal.columns, width);
    const std::string defaults = with_defaults(page);
    // On a line of its own, since the formula may have been wrapped.
    if (!defaults.empty()) {
      text += '\n' + std::string(static_cast<std::size_t>(width), ' ') +
              styled(terminal, Style::dim, wrapped(defaults, terminal.columns, width));
    }
    text += '\n';
  }
  return text + fmt::format(
                    "\n{} functions. `keratin activations gelu` shows one, with its parameters and a plot.\n",
                    names.size());
}

std::string one(const ActivationPage& page, const Terminal& terminal, bool unicode) {
  constexpr int kIndent = 14;
  std::string text = styled(terminal, Style::bold, signature(page)) + '\n';
  const auto row = [&](std::string_view label, std::string_view value) {
    text += styled(terminal, Style::dim, padded("  " + std::string(label), kIndent));
    text += wrapped(value, terminal.columns, kIndent) + '\n';
  };
  if (!page.aliases.empty()) row("also", joined(page.aliases, ", "));
  row("formula", page.formula);
  row("gradient", page.gradient);
  row("kinks", kinks_text(page));
  const char* label = "parameters";
  for (const ParameterText& parameter : page.parameters) {
    row(label, parameter_text(parameter));
    label = "";
  }
  if (page.value_ulp > 0) {
    row("accuracy", fmt::format("value within {} ULP, gradient within {} ULP, in float32", page.value_ulp,
                                page.gradient_ulp));
  }
  row("source", page.source);
  text += '\n' + value_table(page.value, page.derivative) + '\n';
  const std::string of = page.plotted.empty() ? "" : ", " + page.plotted;
  return text + text_plot({{page.value, page.name + of, Style::first},
                           {page.derivative, "its derivative", Style::second, true}},
                          {.columns = std::min(terminal.columns, 76), .unicode = unicode}, terminal);
}

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value)
                              : nlohmann::ordered_json(fmt::format("{}", value));
}

nlohmann::ordered_json as_json(const ActivationPage& page) {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::array(),
                         kinks = nlohmann::ordered_json::array();
  for (const ParameterText& parameter : page.parameters) {
    parameters.push_back(
        {{"name", parameter.name},
         {"default", parameter.default_value.empty() ? nlohmann::ordered_json(nullptr)
                                                     : nlohmann::ordered_json(parameter.default_value)},
         {"keras2", parameter.keras2},
         {"keras3", parameter.keras3},
         {"constraint", parameter.constraint}});
  }
  for (const Kink& kink : page.kinks) {
    kinks.push_back({{"x", number(kink.x)},
                     {"left", number(kink.left)},
                     {"at", number(kink.at)},
                     {"right", number(kink.right)}});
  }
  return {{"name", page.name},         {"aliases", page.aliases},     {"formula", page.formula},
          {"gradient", page.gradient}, {"parameters", parameters},    {"kinks", kinks},
          {"source", page.source},     {"value_ulp", page.value_ulp}, {"gradient_ulp", page.gradient_ulp}};
}

std::string json(const ActivationsOptions& options) {
  if (!options.name.empty()) return as_json(find_activation_page(options.name)).dump(2) + '\n';
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const ActivationPage& page : activation_pages()) all.push_back(as_json(page));
  return all.dump(2) + '\n';
}

}  // namespace

int run_activations(const ActivationsOptions& options) {
  const Terminal terminal = describe(stdout);
  const bool unicode = terminal.unicode && !options.ascii;
  if (options.json) {
    fmt::print("{}", json(options));
  } else if (options.markdown) {
    fmt::print("{}", activations_markdown());
  } else if (options.latex) {
    fmt::print("{}", formula_latex(options.name));
  } else if (options.name.empty()) {
    fmt::print("{}", list(terminal));
  } else if (!is_function_name(options.name) || options.name.find('.') != std::string::npos) {
    fmt::print("{}", formula_page(read_formula(options.name), terminal, unicode));
  } else {
    fmt::print("{}", one(find_activation_page(options.name), terminal, unicode));
  }
  return kFine;
}

}  // namespace keratin::cli
