// Several optimizers in one: which variable is whose.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/training/optimizers.h"

namespace keratin::inline v0 {

/// Optimizers by the paths of variables (Variable::path): a path itself, or a regular expression (ECMAScript)
/// that matches all of it, "encoder/.*" for what the layer "encoder" holds. Others are the default's.
/// Keras: keras.optimizers.OptimizerMap.
class KERATIN_API OptimizerMap {
 public:
  using Entry = std::pair<std::string, Optimizer>;

  /// ValueError as set.
  explicit OptimizerMap(Optimizer default_optimizer, const std::vector<Entry>& optimizer_map = {});

  /// ValueError for a pattern that is there or is no regular expression, and for a LossScaleOptimizer or a
  /// MultiOptimizer.
  void set(const std::string& pattern, const Optimizer& optimizer);
  /// ValueError if several patterns match the path, and none is the path itself.
  const Optimizer& operator[](std::string_view path) const;
  const Optimizer& operator()(const Variable& variable) const { return (*this)[variable.path()]; }

  const Optimizer& default_optimizer() const noexcept { return default_; }
  /// In the order in which they were set.
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// As Keras 3 writes it.
  Config serialize() const;
  /// The same patterns, for clones; an optimizer that stands in several places does so again.
  OptimizerMap clone() const;

 private:
  Optimizer default_;
  std::vector<Entry> entries_;
};

struct MultiOptimizerOptions {
  /// In place of that of each optimizer.
  std::optional<double> loss_scale_factor = std::nullopt;
  std::string name = "multi_optimizer";
};

/// Each variable takes the step of its own optimizer: that of a map, or that which a function gives for it,
/// asked once a variable. Each clips, averages and counts for itself. There is no one learning rate:
/// TypeError where it is asked for, inner_optimizers() have theirs. ValueError for a LossScaleOptimizer,
/// which may stand around it, or a MultiOptimizer inside. Keras: keras.optimizers.MultiOptimizer.
class KERATIN_API MultiOptimizer : public Optimizer {
 public:
  explicit MultiOptimizer(const OptimizerMap& optimizer_map, const MultiOptimizerOptions& options = {});
  explicit MultiOptimizer(std::function<Optimizer(const Variable&)> selector,
                          const MultiOptimizerOptions& options = {});
};

}  // namespace keratin::inline v0
