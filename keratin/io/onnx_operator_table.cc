#include "keratin/io/onnx_operator_table.h"

#include <algorithm>
#include <span>

namespace keratin::inline v0::io::detail {
namespace {

// As https://onnx.ai/onnx/operators defines them, up to operator set 24.
constexpr OnnxOperator kOperators[] = {
    {"Abs", "x", "", "abs(x)"},
    {"Acos", "x", "", "acos(x)"},
    {"Acosh", "x", "", "acosh(x)"},
    {"Add", "a, b", "", "a + b"},
    {"And", "p, q", "", "p and q", true},
    {"Asin", "x", "", "asin(x)"},
    {"Asinh", "x", "", "asinh(x)"},
    {"Atan", "x", "", "atan(x)"},
    {"Atanh", "x", "", "atanh(x)"},
    {"Ceil", "x", "", "ceil(x)"},
    {"Celu", "x", "alpha=1", "celu(x, alpha=alpha)"},
    {"Cos", "x", "", "cos(x)"},
    {"Cosh", "x", "", "cosh(x)"},
    {"Div", "a, b", "", "a / b"},
    {"Elu", "x", "alpha=1", "elu(x, alpha=alpha)"},
    {"Equal", "a, b", "", "a == b", true},
    {"Erf", "x", "", "erf(x)"},
    {"Exp", "x", "", "exp(x)"},
    {"Floor", "x", "", "floor(x)"},
    {"Greater", "a, b", "", "a > b", true},
    {"GreaterOrEqual", "a, b", "", "a >= b", true},
    {"HardSigmoid", "x", "alpha=0.2, beta=0.5", "clip(alpha * x + beta, 0, 1)"},
    {"HardSwish", "x", "", "hard_silu(x)"},
    {"IsInf", "x", "detect_negative=1, detect_positive=1",
     "(detect_negative != 0 and x == -inf) or (detect_positive != 0 and x == inf)", true},
    {"IsNaN", "x", "", "x != x", true},
    {"LeakyRelu", "x", "alpha=0.01", "leaky_relu(x, negative_slope=alpha)"},
    {"Less", "a, b", "", "a < b", true},
    {"LessOrEqual", "a, b", "", "a <= b", true},
    {"Log", "x", "", "log(x)"},
    {"Mish", "x", "", "mish(x)"},
    {"Mul", "a, b", "", "a * b"},
    {"Neg", "x", "", "-x"},
    {"Not", "p", "", "not(p)", true},
    {"Or", "p, q", "", "p or q", true},
    {"PRelu", "x, slope", "", "where(x < 0, slope * x, x)"},
    {"Reciprocal", "x", "", "1 / x"},
    {"Relu", "x", "", "relu(x)"},
    {"Round", "x", "", "round(x)"},
    {"Shrink", "x", "bias=0, lambd=0.5", "where(x < -lambd, x + bias, where(x > lambd, x - bias, 0))"},
    {"Sigmoid", "x", "", "sigmoid(x)"},
    {"Sign", "x", "", "sign(x)"},
    {"Sin", "x", "", "sin(x)"},
    {"Sinh", "x", "", "sinh(x)"},
    {"Softplus", "x", "", "softplus(x)"},
    {"Softsign", "x", "", "softsign(x)"},
    {"Sqrt", "x", "", "sqrt(x)"},
    {"Sub", "a, b", "", "a - b"},
    {"Swish", "x", "alpha=1", "x * sigmoid(alpha * x)"},
    {"Tan", "x", "", "tan(x)"},
    {"Tanh", "x", "", "tanh(x)"},
    {"ThresholdedRelu", "x", "alpha=1", "where(x > alpha, x, 0)"},
    {"Where", "p, a, b", "", "where(p, a, b)"},
    {"Xor", "p, q", "", "(p or q) and not(p and q)", true},
};

// What onnxruntime writes in place of the patterns above when it optimises a model.
constexpr OnnxOperator kMicrosoft[] = {
    {"FastGelu", "x", "", "gelu(x, approximate=true)"},
    {"Gelu", "x", "", "gelu(x)"},
    {"QuickGelu", "x", "alpha=1.702", "x * sigmoid(alpha * x)"},
};

}  // namespace

bool is_standard_onnx(std::string_view domain) noexcept { return domain.empty() || domain == "ai.onnx"; }

const OnnxOperator* find_onnx_operator(std::string_view domain, std::string_view name) noexcept {
  std::span<const OnnxOperator> operators;
  if (is_standard_onnx(domain)) operators = kOperators;
  if (domain == "com.microsoft") operators = kMicrosoft;
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const OnnxOperator& known) { return known.name == name; });
  return found == operators.end() ? nullptr : &*found;
}

}  // namespace keratin::inline v0::io::detail
