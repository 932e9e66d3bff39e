// What the optimizers' bodies share: options in, configs and clones out, a rule run on a variable. Internal.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/argument_config.h"
#include "keratin/training/optimizer_arguments.h"
#include "keratin/training/optimizer_body.h"

namespace keratin::inline v0::detail {

inline void check_unit(std::string_view operation, const char* argument, double value) {
  if (value >= 0 && value <= 1) return;
  throw ValueError(operation, std::string("expects ") + argument + " from 0 to 1", "got " + to_text(value));
}

inline void refuse_legacy(const CommonOptions& common) {
  if (common.legacy)
    throw ValueError(common.name, "expects an optimizer that tf_keras.optimizers.legacy has", "it has none",
                     "Leave legacy out.");
}

template <class T>
T* data_of(Tensor& tensor) {
  return tensor.is_defined() ? tensor.mutable_values<T>().data() : nullptr;
}

/// The arrays of a variable's state, its slots in the order given; undefined ones are null.
template <class T>
StepArrays<T> arrays_of(VariableState& state, const Tensor& gradient, std::array<Tensor*, 3> slots) {
  StepArrays<T> arrays{.w = state.variable.mutable_value().mutable_values<T>().data(),
                       .g = gradient.is_defined() ? gradient.values<T>().data() : nullptr};
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (slots[i] != nullptr) arrays.slots[i] = data_of<T>(*slots[i]);
  arrays.average = data_of<T>(state.average);
  return arrays;
}

/// Runs a rule with the slots in their order.
template <template <class> class Rule>
void run(const Rule<double>& rule, const UpdateContext& context, VariableState& state,
         const Tensor& gradient) {
  std::array<Tensor*, 3> slots{};
  for (std::size_t i = 0; i < std::min(slots.size(), state.slots.size()); ++i) slots[i] = &state.slots[i];
  visit_float(gradient.dtype(), [&]<class T>(T) {
    update(rule, context.input, arrays_of<T>(state, gradient, slots), gradient.size());
  });
}

/// What the bodies share: options in, configs and clones out.
template <class Options, class Derived>
class BodyOf : public OptimizerBody {
 public:
  BodyOf(const LearningRate& rate, const Options& options)
      : OptimizerBody(rate, CommonOptions::of(options)), options_(options) {
    // Legacy takes 0 for "not given".
    if constexpr (requires { options_.epsilon; })
      if (options_.legacy && options_.epsilon == 0) options_.epsilon = 1e-7;
  }
  std::string_view class_name() const final { return Derived::kClass; }
  Config arguments(Generation generation) const final {
    Config config = Config::object();
    visit_own(options_, generation,
              [&](const char* key, const auto& field) { config[key] = argument_config(field); });
    return config;
  }
  std::shared_ptr<OptimizerBody> clone() const final {
    auto copy = std::make_shared<Derived>(learning_rate, options_);
    copy->excluded = excluded;
    copy->excluded_names = excluded_names;
    return copy;
  }

 protected:
  Options options_;
};

using Roles = std::vector<std::string_view>;

/// w −= rate·direction and what comes after a rule; what came before is done.
template <class T>
void move_along(double rate, const UpdateContext& context, VariableState& state, Tensor& direction) {
  const StepInput after{.average_momentum = context.input.average_momentum};
  update(DirectionStep<double>{rate}, after, arrays_of<T>(state, {}, {&direction, nullptr, nullptr}),
         direction.size());
}

}  // namespace keratin::inline v0::detail
