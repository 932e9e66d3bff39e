// What the bodies of the losses share: options in, name, reduction and config out. Internal.
#pragma once

#include <concepts>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/tensor/tensor.h"
#include "keratin/training/argument_config.h"
#include "keratin/training/loss_labels.h"
#include "keratin/training/losses.h"

namespace keratin::inline v0::detail {

/// The arguments of a loss beside reduction and name, as its config spells them: visit("delta",
/// options.delta).
template <class Options, class Visit>
void visit_arguments(Options& options, Visit&& visit) {
  if constexpr (requires { options.delta; }) visit("delta", options.delta);
  constexpr bool has_logits = requires { options.from_logits; };
  constexpr bool has_axis = requires { options.axis; };
  if constexpr (has_logits) visit("from_logits", options.from_logits);
  if constexpr (requires { options.label_smoothing; }) visit("label_smoothing", options.label_smoothing);
  if constexpr (requires { options.ignore_class; }) visit("ignore_class", options.ignore_class);
  if constexpr (has_logits && has_axis) visit("axis", options.axis);
  if constexpr (requires { options.apply_class_balancing; })
    visit("apply_class_balancing", options.apply_class_balancing);
  if constexpr (requires { options.alpha; }) visit("alpha", options.alpha);
  if constexpr (requires { options.beta; }) visit("beta", options.beta);
  if constexpr (requires { options.gamma; }) visit("gamma", options.gamma);
  if constexpr (requires { options.margin; }) {
    visit("margin", options.margin);
    visit("remove_diagonal", options.remove_diagonal);
  }
  if constexpr (requires { options.q; }) visit("q", options.q);
  if constexpr (has_axis && !has_logits) visit("axis", options.axis);
}

std::string_view reduction_name(Reduction reduction);
/// {"module": "keras.losses", "class_name": ..., ...} around a config, as that generation writes it.
Config loss_object(std::string_view class_name, Config arguments, const std::string& name,
                   Reduction reduction, Generation generation);

/// A loss of the library. `kClass` is Keras's class; values_of computes.
template <class Options>
class LossOf : public LossFunction {
 public:
  LossOf(Options options, std::string_view class_name)
      : options_(std::move(options)), class_name_(class_name) {}

  std::string name() const final { return options_.name; }
  Reduction reduction() const final { return options_.reduction; }
  Generation generation() const final { return options_.generation; }
  Config serialize(Generation generation) const final {
    Config arguments = Config::object();
    visit_arguments(options_,
                    [&](const char* key, const auto& value) { arguments[key] = one_or_list_config(value); });
    // Neither Keras writes that of the sparse cross-entropy, and the second does not take it.
    if constexpr (requires { options_.ignore_class; })
      if (options_.axis == -1) arguments.erase("axis");
    return loss_object(class_name_, std::move(arguments), options_.name, options_.reduction, generation);
  }
  void check(const Tensor& y_true, const Shape& y_pred) const override {
    aligned_labels(options_.name, y_true.shape(), y_pred);
  }

 protected:
  Options options_;
  std::string_view class_name_;
};

/// ValueError unless 0 ≤ smoothing ≤ 1.
void check_smoothing(std::string_view operation, double smoothing);

}  // namespace keratin::inline v0::detail
