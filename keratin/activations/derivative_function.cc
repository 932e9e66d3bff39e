// Derivatives as functions of their own, which gradients of gradients run.
#include <mutex>
#include <unordered_map>
#include <utility>

#include "keratin/activations/expression_function.h"
#include "keratin/activations/expression_node.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0 {
namespace {

// The last ones made: every step of a training asks for the same.
class Derivatives {
 public:
  std::shared_ptr<const ElementwiseFunction> get(const Expr& f) {
    constexpr std::size_t kKept = 64;
    const std::lock_guard lock(mutex_);
    if (const auto known = made_.find(&f.node()); known != made_.end()) return known->second.second;
    const FloatEnvironment environment;
    auto made = std::make_shared<const ExpressionFunction>(detail::recognised(f).derivative());
    if (made_.size() >= kKept) made_.clear();
    // With f itself, whose address is the key.
    made_.emplace(&f.node(), std::pair(f, made));
    return made;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<const ExprNode*, std::pair<Expr, std::shared_ptr<const ElementwiseFunction>>> made_;
};

}  // namespace

std::shared_ptr<const ElementwiseFunction> ExpressionFunction::derivative() const {
  return detail::derivative_function(expression_);
}

namespace detail {

std::shared_ptr<const ElementwiseFunction> derivative_function(const Expr& f) {
  // Never destroyed: activations in other static objects may outlive this one.
  static Derivatives* const derivatives = new Derivatives;
  return derivatives->get(f);
}

}  // namespace detail
}  // namespace keratin::inline v0
