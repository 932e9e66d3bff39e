// From a graph to the instructions of a SingleTape. Included by its two sources alone.
#pragma once

#include <array>
#include <cstddef>
#include <unordered_map>
#include <vector>

#include "keratin/activations/single_tape.h"

namespace keratin::inline v0 {

class SingleTape::Compiler {
 public:
  // Registers with a meaning; those after them are given out and taken back as values die.
  static constexpr Place kX = 0, kUpstream = 1, kResult = 2, kFirst = 3;
  // Steps of a chain, which are resolved on the stack.
  static constexpr std::size_t kLongestChain = 64;
  // In place of a factor: ones.
  static constexpr Place kNone = -0x7fffffff;

  explicit Compiler(SingleTape& tape) : tape_(tape) {}
  void compile(const detail::NodePtr& root);

 private:
  // What an arithmetic node computes: up to three operands, and the step for each that the accumulator may
  // be.
  struct Form {
    std::vector<const ExprNode*> operands;
    std::array<detail::ChainOp, 3> ops{};
  };

  void count_uses(const std::vector<detail::NodePtr>& order);
  void absorb(const ExprNode& node);
  void emit(const ExprNode& node);
  Form form_of(const ExprNode& node) const;
  void arithmetic(const ExprNode& node);
  void append(const ExprNode& node, const Form& form, std::size_t accumulator);
  void call(const ExprNode& node, Kind kind, const ExprNode& called, const ExprNode* factor);
  bool slope_times(const ExprNode& node);
  Place in_register(const ExprNode& node);
  Place place_for(const ExprNode& node);
  Place constant(double value);
  void keep_current();
  void close_chain();
  void use(const ExprNode& node);

  SingleTape& tape_;
  const ExprNode* root_ = nullptr;
  // Computed by the node that uses them: products by a sum, slopes by a product.
  std::unordered_map<const ExprNode*, bool> absorbed_;
  std::unordered_map<const ExprNode*, std::size_t> remaining_;
  std::unordered_map<const ExprNode*, Place> places_;
  std::vector<Place> free_;
  const ExprNode* current_ = nullptr;  // what the accumulator holds
  std::vector<Step> chain_;
};

}  // namespace keratin::inline v0
