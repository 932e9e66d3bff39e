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
    // C's fmod. The quotient's rounding may take it over a whole number: one b too many, or too few.
    {"Mod", "a, b", "",
     "p = abs(a); q = abs(b); r = p - q * floor(p / q); r = where(r < 0, r + q, where(r < q, r, r - q)); "
     "where(p < q, a, where(a < 0, -r, r))"},
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

// Of int32 and int64, whole numbers that are never -0.
constexpr OnnxOperator kIntegers[] = {
    {"Abs", "x", "", "abs(x)"},
    {"Add", "a, b", "", "a + b"},
    // Towards zero.
    {"Div", "a, b", "", "where(abs(a) < abs(b), 0, T.trunc(a / b))"},
    {"Equal", "a, b", "", "a == b", true},
    {"Greater", "a, b", "", "a > b", true},
    {"GreaterOrEqual", "a, b", "", "a >= b", true},
    {"Less", "a, b", "", "a < b", true},
    {"LessOrEqual", "a, b", "", "a <= b", true},
    {"Mod", "a, b", "fmod=0", "a - b * where(fmod == 0, floor(a / b), T.trunc(a / b))"},
    {"Mul", "a, b", "", "where(a == 0 or b == 0, 0, a * b)"},
    {"Neg", "x", "", "where(x == 0, 0, -x)"},
    {"Sign", "x", "", "sign(x)"},
    {"Sub", "a, b", "", "where(a == b, 0, a - b)"},
    {"Where", "p, a, b", "", "where(p, a, b)"},
};

// Where log|a| is not finite, b·log|a| is NaN though C says 1; and its slopes are NaN at a = 0, whose limits
// are b where b = 1 and 0 beyond.
constexpr std::string_view kPower =
    "whole = floor(b) == b; odd = whole and floor(0.5 * b) != 0.5 * b; r = b * log(abs(a)); "
    "one = r != r and (b == 0 or a == 1 or (a == -1 and abs(b) == inf)); "
    "size = where(one, 1, where(a == 0 and b > 1, 0, exp(r))); "
    "signed = where(odd and (a < 0 or 1 / a < 0), -size, size); "
    "where(a == 0 and b == 1, a, where(a < 0 and a > -inf and not(whole), nan, signed))";

// What onnxruntime writes in place of the patterns above when it optimises a model.
constexpr OnnxOperator kMicrosoft[] = {
    {"FastGelu", "x", "", "gelu(x, approximate=true)"},
    {"Gelu", "x", "", "gelu(x)"},
    {"QuickGelu", "x", "alpha=1.702", "x * sigmoid(alpha * x)"},
};

const OnnxOperator* find(std::span<const OnnxOperator> operators, std::string_view name) noexcept {
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const OnnxOperator& known) { return known.name == name; });
  return found == operators.end() ? nullptr : &*found;
}

}  // namespace

bool is_standard_onnx(std::string_view domain) noexcept { return domain.empty() || domain == "ai.onnx"; }

const OnnxOperator* find_onnx_operator(std::string_view domain, std::string_view name) noexcept {
  if (is_standard_onnx(domain)) return find(kOperators, name);
  return domain == "com.microsoft" ? find(kMicrosoft, name) : nullptr;
}
const OnnxOperator* find_onnx_integer_operator(std::string_view name) noexcept {
  return find(kIntegers, name);
}
std::string_view onnx_power_formula() noexcept { return kPower; }

}  // namespace keratin::inline v0::io::detail
