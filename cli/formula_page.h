// A formula of the user's own as a person reads it: simplified, differentiated, typeset, plotted.
#pragma once

#include <string>
#include <string_view>

#include "cli/curve.h"
#include "cli/terminal.h"
#include "keratin/activations/expression.h"

namespace keratin::cli {

/// Whether `text` is a function's name, perhaps in a package ("tf.nn.silu"), rather than a formula.
bool is_function_name(std::string_view text);
/// The formula, or the function of that name, or what an .onnx file holds, of x. ValueError, IoError.
Expr read_formula(const std::string& text);

/// Formula, derivative, LaTeX, how it runs, a table of values and a plot.
std::string formula_page(const Expr& formula, const Terminal& terminal, bool unicode);
/// f and f' for LaTeX's math mode, a line each, of a formula or a function's name.
std::string formula_latex(const std::string& text);

/// Values and derivatives at a few places, three lines.
std::string value_table(const RealFunction& value, const RealFunction& derivative);

}  // namespace keratin::cli
