#include "keratin/activations/formula_names.h"

#include <array>

namespace keratin::inline v0::activations::detail {
namespace {

struct Prefix {
  std::string_view text;
  char package;
};
// Longer ones first. Keras's own are our language.
constexpr Prefix kPrefixes[] = {
    {"tensorflow.keras.activations.", 'k'},
    {"tensorflow.keras.backend.", 'k'},
    {"tf.keras.activations.", 'k'},
    {"tf.keras.backend.", 'k'},
    {"keras.activations.", 'k'},
    {"keras.backend.", 'k'},
    {"K.", 'k'},
    {"tensorflow.math.", 't'},
    {"tensorflow.nn.", 't'},
    {"tensorflow.", 't'},
    {"tf.math.", 't'},
    {"tf.nn.", 't'},
    {"tf.", 't'},
    {"theano.tensor.nnet.nnet.", 'h'},
    {"theano.tensor.nnet.", 'h'},
    {"theano.tensor.", 'h'},
    {"pytensor.tensor.math.", 'h'},
    {"pytensor.tensor.", 'h'},
    {"pt.", 'h'},
    {"T.nnet.", 'h'},
    {"T.", 'h'},
    {"cntk.ops.", 'c'},
    {"cntk.layers.", 'c'},
    {"cntk.", 'c'},
    {"C.ops.", 'c'},
    {"C.", 'c'},
};

// What is an operation or a built-in of the same name and defaults is not listed.
constexpr FormulaFunction kFunctions[] = {
    // Operators as functions.
    {"tck", "minus", "a, b", "a - b"},
    {"thck", "add", "a, b", "a + b"},
    {"thck", "subtract", "a, b", "a - b"},
    {"thck", "multiply", "a, b", "a * b"},
    {"thck", "divide", "a, b", "a / b"},
    {"c", "plus", "a, b", "a + b"},
    {"c", "element_times", "a, b", "a * b"},
    {"c", "element_divide", "a, b", "a / b"},
    {"h", "sub", "a, b", "a - b"},
    {"h", "mul", "a, b", "a * b"},
    {"h", "true_div", "a, b", "a / b"},
    {"thck", "less", "a, b", "a < b"},
    {"thck", "less_equal", "a, b", "a <= b"},
    {"thck", "greater", "a, b", "a > b"},
    {"thck", "greater_equal", "a, b", "a >= b"},
    {"thck", "equal", "a, b", "a == b"},
    {"thck", "not_equal", "a, b", "a != b"},
    {"h", "lt", "a, b", "a < b"},
    {"h", "le", "a, b", "a <= b"},
    {"h", "gt", "a, b", "a > b"},
    {"h", "ge", "a, b", "a >= b"},
    {"h", "eq", "a, b", "a == b"},
    {"h", "neq", "a, b", "a != b"},
    {"h", "and_", "a, b", "a and b"},
    {"h", "or_", "a, b", "a or b"},
    {"h", "invert", "a", "not(a)"},
    {"tk", "logical_and", "a, b", "a and b"},
    {"tk", "logical_or", "a, b", "a or b"},
    {"tk", "logical_not", "a", "not(a)"},
    {"thck", "max", "a, b", "maximum(a, b)"},
    {"thck", "min", "a, b", "minimum(a, b)"},
    {"c", "element_max", "a, b", "maximum(a, b)"},
    {"c", "element_min", "a, b", "minimum(a, b)"},
    {"c", "element_select", "flag, a, b", "where(flag, a, b)"},
    {"hk", "switch", "condition, a, b", "where(condition, a, b)"},
    {"h", "power", "x, exponent", "pow(x, exponent)"},
    {"t", "clip_by_value", "x, low, high", "clip(x, low, high)"},
    // Arithmetic under other names.
    {"thck", "ceil", "x", "-floor(-x)"},
    {"t", "rint", "x", "round(x)"},
    {"h", "round_half_to_even", "x", "round(x)"},
    {"h", "round_half_away_from_zero", "x",
     "a = abs(x); f = floor(a); sign(x) * where(a - f < 0.5, f, f + 1)"},
    {"h", "trunc", "x", "sign(x) * floor(abs(x))"},
    {"h", "abs_", "x", "abs(x)"},
    {"h", "sgn", "x", "sign(x)"},
    {"h", "sqr", "x", "x * x"},
    {"h", "inv", "x", "1 / x"},
    {"h", "neg", "x", "-x"},
    {"h", "arctan", "x", "atan(x)"},
    {"thk", "log2", "x", "log(x) / log(2)"},
    {"thk", "log10", "x", "log(x) / log(10)"},
    {"hk", "exp2", "x", "exp(log(2) * x)"},
    {"c", "negate", "x", "-x"},
    // By rearrangements that lose no digits near 0 and 1, and do not overflow.
    {"tck", "asin", "x", "atan(x / sqrt((1 - x) * (1 + x)))"},
    {"h", "arcsin", "x", "atan(x / sqrt((1 - x) * (1 + x)))"},
    {"tck", "acos", "x", "2 * atan(sqrt((1 - x) / (1 + x)))"},
    {"h", "arccos", "x", "2 * atan(sqrt((1 - x) / (1 + x)))"},
    {"tck", "asinh", "x",
     "sign(x) * where(abs(x) < 1e100, log1p(abs(x) + x * x / (1 + sqrt(1 + x * x))), log(abs(x)) + log(2))"},
    {"h", "arcsinh", "x",
     "sign(x) * where(abs(x) < 1e100, log1p(abs(x) + x * x / (1 + sqrt(1 + x * x))), log(abs(x)) + log(2))"},
    {"tck", "acosh", "x", "log1p(x - 1 + sqrt(x - 1) * sqrt(x + 1))"},
    {"h", "arccosh", "x", "log1p(x - 1 + sqrt(x - 1) * sqrt(x + 1))"},
    {"tck", "atanh", "x", "0.5 * (log1p(x) - log1p(-x))"},
    {"h", "arctanh", "x", "0.5 * (log1p(x) - log1p(-x))"},
    {"h", "log1mexp", "x", "where(x < -log(2), log1p(-exp(x)), log(-expm1(x)))"},
    {"h", "deg2rad", "x", "x * (pi / 180)"},
    {"h", "rad2deg", "x", "x * (180 / pi)"},
    {"tk", "identity", "x", "x"},
    {"tk", "zeros_like", "x", "0"},
    {"tk", "ones_like", "x", "1"},
    {"t", "is_nan", "x", "x != x"},
    {"h", "isnan", "x", "x != x"},
    {"t", "logical_xor", "a, b", "(a or b) and not(a and b)"},
    {"t", "divide_no_nan", "a, b", "where(b == 0, 0, a / b)"},
    {"t", "multiply_no_nan", "a, b", "where(b == 0, 0, a * b)"},
    {"t", "xdivy", "a, b", "where(a == 0, 0, a / b)"},
    {"t", "xlogy", "a, b", "where(a == 0, 0, a * log(b))"},
    {"t", "xlog1py", "a, b", "where(a == 0, 0, a * log1p(b))"},
    {"t", "floordiv", "a, b", "floor(a / b)"},
    {"t", "floormod", "a, b", "a - b * floor(a / b)"},
    {"t", "mod", "a, b", "a - b * floor(a / b)"},
    {"t", "squared_difference", "a, b", "(a - b) * (a - b)"},
    {"t", "reciprocal_no_nan", "x", "where(x == 0, 0, 1 / x)"},
    // Activations whose parameters or defaults are not Keras's.
    {"t", "leaky_relu", "x, alpha=0.2", "leaky_relu(x, negative_slope=alpha)"},
    {"h", "expit", "x", "sigmoid(x)"},
    {"h", "log1pexp", "x", "softplus(x)"},
    {"h", "relu", "x, alpha=0", "where(x > 0, x, alpha * x)"},
    {"c", "leaky_relu", "x, alpha=0.01", "leaky_relu(x, negative_slope=alpha)"},
    {"c", "hard_sigmoid", "x, alpha, beta", "clip(alpha * x + beta, 0, 1)"},
    {"c", "selu", "x, scale=1.0507009873554804934193349852946, alpha=1.6732632423543772848170429916717",
     "scale * elu(x, alpha=alpha)"},
};

}  // namespace

std::optional<QualifiedName> qualified(std::string_view name) noexcept {
  for (const auto& [prefix, package] : kPrefixes) {
    if (name.substr(0, prefix.size()) == prefix) return QualifiedName{package, name.substr(prefix.size())};
  }
  if (name.find('.') != std::string_view::npos) return std::nullopt;
  return QualifiedName{'k', name};
}

const FormulaFunction* find_formula_function(QualifiedName name) noexcept {
  for (const FormulaFunction& function : kFunctions) {
    if (function.name == name.name && function.packages.find(name.package) != std::string_view::npos)
      return &function;
  }
  return nullptr;
}

std::vector<std::string_view> formula_function_names(char package) {
  std::vector<std::string_view> names;
  for (const FormulaFunction& function : kFunctions) {
    if (function.packages.find(package) != std::string_view::npos) names.push_back(function.name);
  }
  return names;
}

}  // namespace keratin::inline v0::activations::detail
