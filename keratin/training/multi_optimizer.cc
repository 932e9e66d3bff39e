#include "keratin/training/multi_optimizer.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "keratin/core/error.h"
#include "keratin/training/argument_config.h"
#include "keratin/training/optimizer_body.h"

namespace keratin::inline v0 {
namespace {

using detail::OptimizerBody;

constexpr const char* kMap = "OptimizerMap";
constexpr const char* kMulti = "MultiOptimizer";

std::regex expression_of(const std::string& pattern) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error& error) {
    throw ValueError(kMap, "expects a path or a regular expression",
                     "got \"" + pattern + "\": " + std::string(error.what()));
  }
}

void check_inner(std::string_view operation, const Optimizer& optimizer) {
  const bool scales = optimizer.scales_itself();
  if (!scales && optimizer.class_name() != kMulti) return;
  throw ValueError(operation, "expects optimizers of one rule",
                   std::string("got a ") + (scales ? "LossScaleOptimizer" : kMulti) + " inside",
                   scales ? "Wrap the MultiOptimizer." : "Name its optimizers themselves.");
}

// Clones, one of each optimizer.
class Clones {
 public:
  const Optimizer& of(const Optimizer& optimizer) {
    for (const auto& [original, clone] : made_)
      if (original == optimizer) return clone;
    return made_.emplace_back(optimizer, optimizer.clone()).second;
  }

 private:
  std::vector<std::pair<Optimizer, Optimizer>> made_;
};

detail::CommonOptions common_of(const MultiOptimizerOptions& options) {
  SGDOptions plain;
  plain.loss_scale_factor = options.loss_scale_factor;
  plain.name = options.name;
  return detail::CommonOptions::of(plain);
}

class MultiBody final : public OptimizerBody {
 public:
  using Selector = std::function<Optimizer(const Variable&)>;

  MultiBody(std::optional<OptimizerMap> map, Selector selector, const MultiOptimizerOptions& options)
      : OptimizerBody(0, common_of(options)), map_(std::move(map)), selector_(std::move(selector)) {
    if (!map_) return;
    for (const auto& [pattern, optimizer] : map_->entries()) add(optimizer);
    add(map_->default_optimizer());
  }

  std::string_view class_name() const override { return kMulti; }
  std::vector<std::string_view> roles() const override { return {}; }
  Config arguments(Generation) const override { return Config::object(); }
  void update(const detail::UpdateContext&, detail::VariableState&, const Tensor&) override {}
  std::vector<Optimizer> inner() const override { return inner_; }

  std::shared_ptr<OptimizerBody> clone() const override {
    const MultiOptimizerOptions options{common.loss_scale_factor, common.name};
    if (map_) return std::make_shared<MultiBody>(map_->clone(), Selector(), options);
    const auto clones = std::make_shared<Clones>();
    return std::make_shared<MultiBody>(
        std::nullopt,
        [clones, selector = selector_](const Variable& variable) { return clones->of(selector(variable)); },
        options);
  }

  Config whole_config(Generation generation) const override {
    if (generation == Generation::keras2)
      throw ValueError("optimizers.serialize", "expects an optimizer of Keras 2", "got a MultiOptimizer",
                       "Only Keras 3 has it.");
    if (!map_)
      throw ValueError("optimizers.serialize", "expects a MultiOptimizer of an OptimizerMap",
                       "got one of a function", "Compile the loaded model with it again.");
    Config config = Config::object();
    config["optimizer_map"] = map_->serialize();
    config["loss_scale_factor"] = detail::argument_config(common.loss_scale_factor);
    config["name"] = common.name;
    return config;
  }

  double rate_at(std::int64_t) const override {
    throw TypeError(common.name, "has no learning rate of its own", "one was asked for",
                    "Read or set those of inner_optimizers().");
  }

  void apply(std::span<const Variable> variables, std::span<const Tensor> gradients,
             double loss_scale) override {
    check_step(variables, gradients);
    struct Part {
      std::vector<Variable> variables;
      Tensors gradients;
      bool has_gradients = false;
    };
    std::map<const OptimizerBody*, Part> parts;
    for (std::size_t i = 0; i < variables.size(); ++i) {
      Part& part = parts[&body_for(variables[i])];
      part.variables.push_back(variables[i]);
      part.gradients.push_back(gradients[i]);
      part.has_gradients |= gradients[i].is_defined();
    }
    for (const auto& body : bodies_) {
      const Part& part = parts[body.get()];
      if (part.has_gradients) body->apply(part.variables, part.gradients, loss_scale);
    }
    ++steps;
  }

  void finalize(std::span<const Variable> variables) override {
    for (const auto& body : bodies_) body->finalize(variables);
  }
  void swap_averages(std::span<const Variable> variables) override {
    if (!keeps_averages()) OptimizerBody::swap_averages(variables);  // says so
    for (const auto& body : bodies_)
      if (body->keeps_averages()) body->swap_averages(variables);
  }
  bool keeps_averages() const override {
    return std::ranges::any_of(bodies_, [](const auto& body) { return body->keeps_averages(); });
  }
  bool has_swapped_averages() const override {
    return std::ranges::any_of(bodies_, [](const auto& body) { return body->has_swapped_averages(); });
  }
  void exclude(std::vector<Variable> variables, std::vector<std::string> names) override {
    for (const auto& body : bodies_) body->exclude(variables, names);
    OptimizerBody::exclude(std::move(variables), std::move(names));
  }

  OptimizerBody& body_for(const Variable& variable) override {
    for (const auto& [known, body] : places_)
      if (known == variable) return *body;
    OptimizerBody& body = add(map_ ? (*map_)(variable) : selector_(variable));
    places_.emplace_back(variable, &body);
    return body;
  }

 private:
  OptimizerBody& add(const Optimizer& optimizer) {
    check_inner(common.name, optimizer);
    const auto found = std::ranges::find(inner_, optimizer);
    if (found != inner_.end()) return *bodies_[static_cast<std::size_t>(found - inner_.begin())];
    inner_.push_back(optimizer);
    OptimizerBody& body = *bodies_.emplace_back(optimizer.shared());
    body.common.loss_scale_factor = common.loss_scale_factor;
    if (!excluded.empty() || !excluded_names.empty()) body.exclude(excluded, excluded_names);
    return body;
  }

  std::optional<OptimizerMap> map_;
  Selector selector_;  // where there is no map
  std::vector<Optimizer> inner_;
  std::vector<std::shared_ptr<OptimizerBody>> bodies_;  // theirs
  std::vector<std::pair<Variable, OptimizerBody*>> places_;
};

}  // namespace

OptimizerMap::OptimizerMap(Optimizer default_optimizer, const std::vector<Entry>& optimizer_map)
    : default_(std::move(default_optimizer)) {
  check_inner(kMap, default_);
  for (const auto& [pattern, optimizer] : optimizer_map) set(pattern, optimizer);
}

void OptimizerMap::set(const std::string& pattern, const Optimizer& optimizer) {
  if (std::ranges::find(entries_, pattern, &Entry::first) != entries_.end())
    throw ValueError(kMap, "expects each pattern once", "got \"" + pattern + "\" again");
  expression_of(pattern);
  check_inner(kMap, optimizer);
  entries_.emplace_back(pattern, optimizer);
}

const Optimizer& OptimizerMap::operator[](std::string_view path) const {
  const std::string text(path);
  const auto same = std::ranges::find(entries_, text, &Entry::first);
  if (same != entries_.end()) return same->second;
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (!std::regex_match(text, expression_of(entry.first))) continue;
    if (found != nullptr)
      throw ValueError(kMap, "expects one optimizer for \"" + text + "\"",
                       "both \"" + found->first + "\" and \"" + entry.first + "\" match",
                       "Make one narrower, or name the path itself.");
    found = &entry;
  }
  return found == nullptr ? default_ : found->second;
}

Config OptimizerMap::serialize() const {
  Config config = Config::object();
  config["default_optimizer"] = default_.serialize();
  config["optimizer_map"] = Config::object();
  for (const auto& [pattern, optimizer] : entries_) config["optimizer_map"][pattern] = optimizer.serialize();
  return detail::object_config("keras.optimizers", kMap, std::move(config));
}

OptimizerMap OptimizerMap::clone() const {
  Clones clones;
  OptimizerMap map(clones.of(default_));
  for (const auto& [pattern, optimizer] : entries_) map.set(pattern, clones.of(optimizer));
  return map;
}

MultiOptimizer::MultiOptimizer(const OptimizerMap& optimizer_map, const MultiOptimizerOptions& options)
    : Optimizer(std::make_shared<MultiBody>(optimizer_map, MultiBody::Selector(), options)) {}
MultiOptimizer::MultiOptimizer(std::function<Optimizer(const Variable&)> selector,
                               const MultiOptimizerOptions& options)
    : Optimizer(std::make_shared<MultiBody>(std::nullopt, std::move(selector), options)) {}

}  // namespace keratin::inline v0
