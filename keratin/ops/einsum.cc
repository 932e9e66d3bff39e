#include "keratin/ops/einsum.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "keratin/core/error.h"
#include "keratin/ops/check.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

// At most Shape::kMaxRank letters each: short enough to lie within the strings, without the heap.
struct Equation {
  std::string a, b, result;
};

[[noreturn]] void refuse(std::string_view equation, std::string_view expects) {
  throw ValueError("einsum", expects, "received \"" + std::string(equation) + "\"", "Write \"ab,bc->ac\".");
}

Equation parsed(std::string_view text) {
  const std::size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string_view::npos || arrow == std::string_view::npos || comma > arrow)
    refuse(text, "an equation of two operands and a result");
  const Equation equation{std::string(text.substr(0, comma)),
                          std::string(text.substr(comma + 1, arrow - comma - 1)),
                          std::string(text.substr(arrow + 2))};
  for (const std::string& part : {equation.a, equation.b, equation.result}) {
    std::string sorted = part;
    std::sort(sorted.begin(), sorted.end());
    const bool has_twins = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
    const bool is_fine =
        std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
    if (has_twins || !is_fine) refuse(text, "letters, each once in an operand");
  }
  for (const char letter : equation.result)
    if (equation.a.find(letter) == std::string::npos && equation.b.find(letter) == std::string::npos)
      refuse(text, "a result of letters that an operand has");
  return equation;
}

bool has(const std::string& text, char letter) { return text.find(letter) != std::string::npos; }

// x, whose axes are `from`, without those that neither the result nor the other operand has.
Tensor without_alone(Tensor x, std::string& from, const std::string& other, const std::string& result) {
  for (std::size_t axis = from.size(); axis-- > 0;) {
    if (has(other, from[axis]) || has(result, from[axis])) continue;
    x = sum(x, {{static_cast<std::int64_t>(axis)}});
    from.erase(axis, 1);
  }
  return x;
}

Tensor ordered(const Tensor& x, const std::string& from, const std::string& to) {
  if (from == to) return x;
  AxisNumbers order;
  for (const char letter : to) order.push_back(static_cast<std::int64_t>(from.find(letter)));
  return transpose(x, order);
}

}  // namespace

Tensor einsum(std::string_view text, const Tensor& first, const Tensor& second) {
  detail::check_same_dtype("einsum", first, second);
  detail::check_arithmetic("einsum", first);
  Equation equation = parsed(text);
  if (equation.a.size() != first.rank() || equation.b.size() != second.rank()) {
    throw ShapeError("einsum", "operands of the ranks of \"" + std::string(text) + "\"",
                     "received shapes " + first.shape().to_string() + " and " + second.shape().to_string());
  }
  const auto size_at = [a = equation.a, b = equation.b, &first, &second](char letter) {
    const std::size_t axis = a.find(letter);
    return axis < a.size() ? first.shape()[axis] : second.shape()[b.find(letter)];
  };
  for (std::size_t i = 0; i < second.rank(); ++i) {
    if (size_at(equation.b[i]) == second.shape()[i]) continue;
    throw ShapeError("einsum", "one size for each letter of \"" + std::string(text) + "\"",
                     "received shapes " + first.shape().to_string() + " and " + second.shape().to_string());
  }
  Tensor a = without_alone(first, equation.a, equation.b, equation.result);
  Tensor b = without_alone(second, equation.b, equation.a, equation.result);
  std::string batch, rows, inner, columns;
  for (const char letter : equation.a) {
    if (!has(equation.b, letter)) {
      rows += letter;
    } else {
      (has(equation.result, letter) ? batch : inner) += letter;
    }
  }
  for (const char letter : equation.b)
    if (!has(equation.a, letter)) columns += letter;
  const auto size_of = [&](const std::string& letters) {
    std::int64_t size = 1;
    for (const char letter : letters) size *= size_at(letter);
    return size;
  };
  a = reshape(ordered(a, equation.a, batch + rows + inner), {size_of(batch), size_of(rows), size_of(inner)});
  b = reshape(ordered(b, equation.b, batch + inner + columns),
              {size_of(batch), size_of(inner), size_of(columns)});
  // Without a batch it is a product of two matrices, which runs over all rows at once.
  const Tensor product = batch.empty() ? matmul(squeeze(a, 0), squeeze(b, 0)) : matmul(a, b);
  Shape wide;
  for (const char letter : batch + rows + columns) wide = wide.with_inserted(wide.rank(), size_at(letter));
  return ordered(reshape(product, wide), batch + rows + columns, equation.result);
}

}  // namespace keratin::inline v0::ops
