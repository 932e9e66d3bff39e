// Trees to instructions: equal subtrees become one, what does not depend on x a constant.
#include "tools/accuracy/program.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <tuple>

#include "tools/accuracy/extended.h"
#include "tools/accuracy/rewrite.h"

namespace keratin::accuracy {
namespace {

const std::map<std::string_view, Op> kUnary{
    {"neg", Op::neg},     {"abs", Op::abs},           {"sqrt", Op::sqrt},   {"exp", Op::exp},
    {"expm1", Op::expm1}, {"softplus", Op::softplus}, {"tanh", Op::tanh},   {"logistic", Op::logistic},
    {"sech2", Op::sech2}, {"erfc", Op::erfc},         {"gauss", Op::gauss}, {"tanh_rest", Op::tanh_rest},
};
const std::map<std::string_view, Op> kBinary{
    {"+", Op::add},    {"-", Op::sub},   {"*", Op::mul},     {"/", Op::div},
    {"min", Op::min},  {"max", Op::max}, {"<", Op::less},    {"<=", Op::less_equal},
    {"==", Op::equal}, {"&&", Op::both}, {"||", Op::either},
};

class Compiler {
 public:
  explicit Compiler(const Names& names) : names_(names) {}

  std::uint16_t compile(const Formula& f) {
    if (f.kind == "number") return number(f.text);
    if (f.kind == "name") return name(f.text);
    const auto operand = [&](std::size_t i) { return compile(*f.operands[i]); };
    if (f.kind == "?") return select(f);
    if (f.kind == "^") return power(operand(0), *f.operands[1]);
    if (f.kind == "softsign") {
      const std::uint16_t u = operand(0);
      return emit({Op::div, u, emit({Op::add, constant(1, 0), emit({Op::abs, u})})});
    }
    if (f.kind == ">" || f.kind == ">=") {
      const std::uint16_t a = operand(0), b = operand(1);
      return emit({f.kind == ">" ? Op::less : Op::less_equal, b, a});
    }
    if (f.kind == "!=") {
      const std::uint16_t a = operand(0), b = operand(1), equal = emit({Op::equal, a, b});
      return emit({Op::select, equal, constant(0, 0), constant(1, 0)});
    }
    if (f.operands.size() == 1) {
      if (const auto found = kUnary.find(f.kind); found != kUnary.end())
        return emit({found->second, operand(0)});
    } else if (const auto found = kBinary.find(f.kind); found != kBinary.end()) {
      const std::uint16_t a = operand(0), b = operand(1);
      return emit({found->second, a, b});
    }
    throw std::invalid_argument("the fast oracle has no " + f.kind);
  }

  // Leaves out what folding left unused; the result comes last.
  Program program(std::uint16_t result) const {
    std::vector<bool> used(code_.size());
    used[result] = true;
    for (std::size_t i = result + std::size_t{1}; i-- > 0;) {
      if (used[i]) used[code_[i].a] = used[code_[i].b] = used[code_[i].c] = true;
    }
    Program kept;
    std::vector<std::uint16_t> place(code_.size());
    for (std::size_t i = 0; i <= result; ++i) {
      if (!used[i] && i != result) continue;
      Instruction step = code_[i];
      if (step.op > Op::x) {
        step.a = place[step.a], step.b = place[step.b], step.c = place[step.c];
      }
      place[i] = static_cast<std::uint16_t>(kept.size());
      kept.push_back(step);
    }
    return kept;
  }

 private:
  std::uint16_t emit(const Instruction& step) {
    const auto is_constant = [&](std::uint16_t i) { return code_[i].op == Op::constant; };
    // Absent operands are instruction 0, which is a constant.
    if (step.op > Op::x && is_constant(step.a) && is_constant(step.b) && is_constant(step.c)) {
      const auto operand = [&](std::uint16_t i) { return Extended{code_[i].value, code_[i].error}; };
      const Extended y = evaluate(step.op, operand(step.a), operand(step.b), operand(step.c));
      return constant(y.value, y.error);
    }
    const auto key = std::make_tuple(step.op, step.a, step.b, step.c, step.value, step.error);
    const auto [place, fresh] = known_.try_emplace(key, static_cast<std::uint16_t>(code_.size()));
    if (fresh) code_.push_back(step);
    return place->second;
  }
  std::uint16_t constant(long double value, long double error) {
    return emit({Op::constant, 0, 0, 0, value, error});
  }

  std::uint16_t number(const std::string& digits) {
    const long double value = std::strtold(digits.c_str(), nullptr);
    const bool exact = digits.find('.') == std::string::npos && value < 0x1p53L;
    return constant(value, exact ? 0 : std::fabs(value) * 0x1p-64L);
  }
  std::uint16_t name(const std::string& text) {
    if (text == "x") return emit({Op::x});
    if (text == "pi") return constant(3.14159265358979323846264338327950288L, 0x1p-62L);
    if (text == "inf") return constant(std::numeric_limits<long double>::infinity(), 0);
    for (const auto& [known, value] : names_) {
      if (known == text) return constant(value, 0);
    }
    throw std::invalid_argument("formula: unknown name \"" + text + "\"");
  }
  std::uint16_t select(const Formula& f) {
    const std::uint16_t condition = compile(*f.operands[0]);
    if (code_[condition].op == Op::constant && code_[condition].error == 0) {
      return compile(*f.operands[code_[condition].value != 0 ? 1 : 2]);
    }
    const std::uint16_t yes = compile(*f.operands[1]), no = compile(*f.operands[2]);
    return yes == no ? yes : emit({Op::select, condition, yes, no});
  }
  std::uint16_t power(std::uint16_t base, const Formula& exponent) {
    const double n = exponent.kind == "number" ? std::strtod(exponent.text.c_str(), nullptr) : 0;
    if (n != 2 && n != 3) throw std::invalid_argument("the fast oracle knows squares and cubes only");
    const std::uint16_t square = emit({Op::mul, base, base});
    return n == 2 ? square : emit({Op::mul, square, base});
  }

  const Names& names_;
  Program code_{{Op::constant}};
  std::map<std::tuple<Op, std::uint16_t, std::uint16_t, std::uint16_t, long double, long double>,
           std::uint16_t>
      known_;
};

}  // namespace

std::optional<Program> compile(std::string_view formula, std::string_view derivative, const Names& names,
                               bool slope) {
  try {
    const bool own = slope && derivative.empty();
    auto tree = rewrite(*parse_formula(slope && !derivative.empty() ? derivative : formula));
    if (own) tree = differentiate(*tree);
    Compiler compiler(names);
    return compiler.program(compiler.compile(*tree));
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

}  // namespace keratin::accuracy
