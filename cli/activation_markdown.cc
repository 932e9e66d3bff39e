// docs/activations.md: a table of all functions, then one section each.
#include "cli/activation_markdown.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "cli/activation_page.h"

namespace keratin::cli {
namespace {

/// A | ends a table's cell, even inside `code`.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string table() {
  std::string text = "| function | formula at the defaults | also | source |\n|---|---|---|---|\n";
  for (const ActivationPage& page : activation_pages()) {
    fmt::format_to(std::back_inserter(text), "| [`{}`](#{}) | `{}` | {} | {} |\n", page.name, page.name,
                   cell(page.short_formula), fmt::join(page.aliases, ", "), page.source);
  }
  return text;
}

std::string section(const ActivationPage& page) {
  std::string text = fmt::format("## {}\n\n`{}`", page.name, signature(page));
  auto to = std::back_inserter(text);
  if (!page.aliases.empty()) fmt::format_to(to, ", also `{}`", fmt::join(page.aliases, "`, `"));
  fmt::format_to(to, "\n\n- formula: `{}`\n- gradient: `{}`\n", page.formula, page.gradient);
  for (const Kink& kink : page.kinks) {
    fmt::format_to(to, "- at x = {:.6g} the gradient is {:.6g} ({:.6g} on the left, {:.6g} on the right)\n",
                   kink.x, kink.at, kink.left, kink.right);
  }
  for (const ParameterText& parameter : page.parameters) {
    fmt::format_to(to, "- parameter `{}`\n", parameter_text(parameter));
  }
  if (page.value_ulp > 0) {
    fmt::format_to(to, "- within {} ULP in float32, its gradient within {}\n", page.value_ulp,
                   page.gradient_ulp);
  }
  fmt::format_to(to, "- source: {}\n\n| x |", page.source);
  constexpr double kAt[] = {-3, -1, -0.5, 0, 0.5, 1, 3};
  for (const double x : kAt) fmt::format_to(to, " {} |", x);
  text += "\n|---|---|---|---|---|---|---|---|\n| f(x) |";
  for (const double x : kAt) fmt::format_to(to, " {:.5g} |", page.value(x));
  text += "\n| f'(x) |";
  for (const double x : kAt) fmt::format_to(to, " {:.5g} |", page.derivative(x));
  text += "\n";
  if (!page.plotted.empty()) fmt::format_to(to, "\nShown: {}.\n", page.plotted);
  return text + "\n";
}

}  // namespace

std::string activations_markdown() {
  std::string text =
      "# Activations\n\n"
      "Written by `./dev docs` from the library's registry; a test compares. `keratin activations gelu` "
      "shows one\n"
      "function in the terminal, with a plot; `keratin demo` draws them all.\n\n"
      "In C++ each is `activations::<name>` for tensors and spans, `keratin::backend::<name>` inside "
      "expressions,\n"
      "and its name in quotes wherever a layer takes an `activation`.\n\n";
  text += table() + "\n";
  for (const ActivationPage& page : activation_pages()) text += section(page);
  // One newline at the end of the file.
  text.pop_back();
  return text;
}

}  // namespace keratin::cli
