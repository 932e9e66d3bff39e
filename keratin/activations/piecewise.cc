// Finding the pieces: the expression is run on polynomials between guesses of kinks, which each comparison
// splits.
#include "keratin/activations/piecewise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>
#include <vector>

namespace keratin::inline v0::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kMaxDegree = PiecewisePolynomial::kMaxDegree;
// More are compared where branches are not taken, and go away again when pieces are joined.
constexpr std::size_t kMaxKinks = 12;

struct Polynomial {
  std::array<double, kMaxDegree + 1> c{};

  std::size_t degree() const {
    std::size_t degree = kMaxDegree;
    while (degree > 0 && c[degree] == 0) --degree;
    return degree;
  }
  double at(double x) const { return ((c[3] * x + c[2]) * x + c[1]) * x + c[0]; }
  friend bool operator==(const Polynomial&, const Polynomial&) = default;
};

Polynomial constant(double value) { return {{value}}; }
Polynomial sum(const Polynomial& a, const Polynomial& b, double sign) {
  Polynomial y;
  for (std::size_t i = 0; i <= kMaxDegree; ++i) y.c[i] = a.c[i] + sign * b.c[i];
  return y;
}
std::optional<Polynomial> product(const Polynomial& a, const Polynomial& b) {
  const std::size_t m = a.degree(), n = b.degree();
  if (m + n > kMaxDegree) return std::nullopt;
  Polynomial y;
  for (std::size_t i = 0; i <= m; ++i) {
    for (std::size_t j = 0; j <= n; ++j) y.c[i + j] += a.c[i] * b.c[j];
  }
  return y;
}

// The expression near one number: each node a polynomial, or a condition as 1 or 0, or nothing.
class Local {
 public:
  Local(const std::vector<NodePtr>& order, double at) : at_(at) {
    for (const NodePtr& node : order) made_[node.get()] = value_of(*node);
    root_ = made_.at(order.back().get());
  }

  const std::optional<Polynomial>& root() const { return root_; }
  /// Where a comparison changes its mind. Nothing if one is of curves.
  const std::optional<std::set<double>>& kinks() const { return kinks_; }

 private:
  using Value = std::optional<Polynomial>;

  Value of(const ExprNode& node, std::size_t i) const { return made_.at(node.inputs[i].get()); }
  double number(const Polynomial& p) const { return p.at(at_); }

  void compare(const Polynomial& a, const Polynomial& b) {
    const Polynomial difference = sum(a, b, -1);
    if (difference.degree() > 1) kinks_.reset();
    if (difference.degree() != 1 || !kinks_) return;
    const double kink = -difference.c[0] / difference.c[1];
    if (std::isfinite(kink)) kinks_->insert(kink == 0 ? 0 : kink);
  }

  Value value_of(const ExprNode& node) {
    switch (node.op) {
      case ExprOp::input:
        return Polynomial{{0, 1}};
      case ExprOp::constant:
        // Infinities stand in comparisons alone, of which no finite number is a kink.
        return constant(node.value);
      case ExprOp::select: {
        const Value condition = of(node, 0);
        return condition ? of(node, condition->c[0] != 0 ? 1 : 2) : std::nullopt;
      }
      default:
        break;
    }
    const std::size_t inputs = op_info(node.op).inputs;
    if (inputs == 0 || node.function != nullptr) return std::nullopt;
    const Value a = of(node, 0), b = inputs > 1 ? of(node, 1) : constant(0),
                c = inputs > 2 ? of(node, 2) : constant(0);
    if (!a || !b || !c) return std::nullopt;
    return inputs == 1 ? unary(node.op, *a) : binary(node, *a, *b, *c);
  }

  Value unary(ExprOp op, const Polynomial& a) {
    switch (op) {
      case ExprOp::negative:
        return sum(constant(0), a, -1);
      case ExprOp::absolute:
        compare(a, constant(0));
        return number(a) < 0 ? sum(constant(0), a, -1) : a;
      case ExprOp::sign: {
        compare(a, constant(0));
        const double value = number(a);
        return constant(value > 0 ? 1 : value < 0 ? -1 : value);
      }
      case ExprOp::logical_not:
        return constant(a.c[0] == 0 ? 1 : 0);
      default:
        return std::nullopt;
    }
  }

  Value binary(const ExprNode& node, const Polynomial& a, const Polynomial& b, const Polynomial& c) {
    switch (node.op) {
      case ExprOp::add:
        return sum(a, b, 1);
      case ExprOp::subtract:
        return sum(a, b, -1);
      case ExprOp::multiply:
        return product(a, b);
      case ExprOp::divide:
        if (b.degree() != 0 || b.c[0] == 0) return std::nullopt;
        return product(a, constant(1 / b.c[0]));
      case ExprOp::power: {
        if (b.c[0] != 3) return std::nullopt;
        const Value square = product(a, a);
        return square ? product(*square, a) : std::nullopt;
      }
      case ExprOp::minimum:
      case ExprOp::maximum:
        compare(a, b);
        return (number(a) < number(b)) == (node.op == ExprOp::minimum) ? a : b;
      case ExprOp::clip:
        compare(a, b);
        compare(a, c);
        return number(a) < number(b) ? b : number(a) > number(c) ? c : a;
      case ExprOp::less:
        compare(a, b);
        return constant(number(a) < number(b) ? 1 : 0);
      case ExprOp::less_equal:
        compare(a, b);
        return constant(number(a) <= number(b) ? 1 : 0);
      case ExprOp::equal:
        compare(a, b);
        return constant(number(a) == number(b) ? 1 : 0);
      case ExprOp::logical_and:
        return constant(a.c[0] != 0 && b.c[0] != 0 ? 1 : 0);
      case ExprOp::logical_or:
        return constant(a.c[0] != 0 || b.c[0] != 0 ? 1 : 0);
      default:
        return std::nullopt;
    }
  }

  double at_;
  std::unordered_map<const ExprNode*, Value> made_;
  std::optional<std::set<double>> kinks_ = std::set<double>();
  Value root_;
};

// A number inside (low, high) that is no round one.
double inside(double low, double high) {
  if (low == -kInfinity && high == kInfinity) return 0.3819660112501051;
  if (low == -kInfinity) return high - 0.6180339887498949 * (1 + std::fabs(high));
  if (high == kInfinity) return low + 0.6180339887498949 * (1 + std::fabs(low));
  return low + 0.3819660112501051 * (high - low);
}

struct Pieces {
  std::vector<double> kinks;
  std::vector<Polynomial> polynomials;
};

std::optional<Pieces> find_pieces(const std::vector<NodePtr>& order) {
  std::set<double> kinks;
  Pieces found;
  for (bool is_split = true; is_split;) {
    is_split = false;
    found = {{kinks.begin(), kinks.end()}, {}};
    for (std::size_t i = 0; i <= found.kinks.size(); ++i) {
      const double low = i == 0 ? -kInfinity : found.kinks[i - 1];
      const double high = i == found.kinks.size() ? kInfinity : found.kinks[i];
      const Local local(order, inside(low, high));
      if (!local.kinks()) return std::nullopt;
      for (const double kink : *local.kinks()) is_split |= kinks.insert(kink).second;
      if (kinks.size() > kMaxKinks) return std::nullopt;
      if (is_split) continue;
      if (!local.root()) return std::nullopt;
      found.polynomials.push_back(*local.root());
    }
  }
  return found;
}

bool is_near(double a, double b) { return std::fabs(a - b) <= 1e-14 * std::fmax(std::fabs(a), std::fabs(b)); }

// The first float of the piece right of the kink; nothing where the kink's own value is on neither side.
std::optional<float> first_of(double kink, const Polynomial& left, const Polynomial& right,
                              const std::vector<NodePtr>& order) {
  if (std::fabs(kink) > std::numeric_limits<float>::max()) return std::nullopt;
  const auto rounded = static_cast<float>(kink);
  if (static_cast<double>(rounded) != kink) {
    return static_cast<double>(rounded) > kink ? rounded : std::nextafter(rounded, HUGE_VALF);
  }
  const std::optional<Polynomial> own = Local(order, kink).root();
  if (!own) return std::nullopt;
  // Where both have its value, the side that the expression takes: zeros have signs.
  if (*own == left) return std::nextafter(rounded, HUGE_VALF);
  if (is_near(own->at(kink), right.at(kink))) return rounded;
  if (is_near(own->at(kink), left.at(kink))) return std::nextafter(rounded, HUGE_VALF);
  return std::nullopt;
}

// x·f where the root is upstream·f.
NodePtr without_upstream(const NodePtr& root, bool& takes_upstream) {
  takes_upstream = root->op == ExprOp::multiply &&
                   (root->input(0).op == ExprOp::upstream || root->input(1).op == ExprOp::upstream);
  if (!takes_upstream) return root;
  return root->inputs[root->input(0).op == ExprOp::upstream ? 1 : 0];
}

}  // namespace

std::optional<PiecewisePolynomial> piecewise_polynomial(const NodePtr& root) {
  PiecewisePolynomial result;
  const NodePtr f = without_upstream(without_stops(root), result.takes_upstream);
  const std::vector<NodePtr> order = topological_order(rebuild(f, make_input(), true));
  const std::optional<Pieces> found = find_pieces(order);
  if (!found) return std::nullopt;
  std::vector<Polynomial> polynomials{found->polynomials[0]};
  result.pieces = 1;
  for (std::size_t i = 0; i < found->kinks.size(); ++i) {
    const Polynomial& next = found->polynomials[i + 1];
    const std::optional<float> first = first_of(found->kinks[i], polynomials.back(), next, order);
    if (!first) return std::nullopt;
    if (next == polynomials.back()) continue;
    if (polynomials.size() == PiecewisePolynomial::kMaxPieces) return std::nullopt;
    result.bounds[polynomials.size() - 1] = *first;
    polynomials.push_back(next);
  }
  result.pieces = polynomials.size();
  for (std::size_t i = 0; i < result.pieces; ++i) {
    result.degrees[i] = polynomials[i].degree();
    for (std::size_t k = 0; k <= kMaxDegree; ++k) {
      result.coefficients[i][k] = static_cast<float>(polynomials[i].c[k]);
      if (!std::isfinite(result.coefficients[i][k])) return std::nullopt;
    }
  }
  return result;
}

}  // namespace keratin::inline v0::detail
