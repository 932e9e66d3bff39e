// Learning rates: a number, or a schedule that says one for each step.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/export.h"

namespace keratin::inline v0 {

namespace detail {
class ScheduleFunction;
using SchedulePointer = std::shared_ptr<const ScheduleFunction>;
}  // namespace detail

// Schedules by Keras's class names, fields in its order. s is the step, from 0.
namespace optimizers::schedules {

/// initial_learning_rate · decay_rate^(s / decay_steps); staircase: whole powers only.
struct ExponentialDecay {
  double initial_learning_rate;
  std::int64_t decay_steps;
  double decay_rate;
  bool staircase = false;
  std::string name = "ExponentialDecay";
};
/// values[i] up to and with step boundaries[i]; the last value after all of them.
struct PiecewiseConstantDecay {
  std::vector<std::int64_t> boundaries;
  std::vector<double> values;
  std::string name = "PiecewiseConstant";
};
/// (initial − end)·(1 − s/decay_steps)^power + end, and end afterwards; cycle: starts again over twice, three
/// times … the steps.
struct PolynomialDecay {
  double initial_learning_rate;
  std::int64_t decay_steps;
  double end_learning_rate = 0.0001;
  double power = 1.0;
  bool cycle = false;
  std::string name = "PolynomialDecay";
};
/// initial / (1 + decay_rate · s / decay_steps); staircase: whole fractions only.
struct InverseTimeDecay {
  double initial_learning_rate;
  std::int64_t decay_steps;
  double decay_rate;
  bool staircase = false;
  std::string name = "InverseTimeDecay";
};
/// initial · ((1 − alpha)·(1 + cos(π·s/decay_steps))/2 + alpha), constant afterwards. With warmup_target: a
/// line from initial to it over warmup_steps, then the decay from there.
struct CosineDecay {
  double initial_learning_rate;
  std::int64_t decay_steps;
  double alpha = 0.0;
  std::string name = "CosineDecay";
  std::optional<double> warmup_target = std::nullopt;
  std::int64_t warmup_steps = 0;
};
/// CosineDecay that starts again: each period t_mul times as long, from m_mul times the rate. Loshchilov and
/// Hutter, 2017.
struct CosineDecayRestarts {
  double initial_learning_rate;
  std::int64_t first_decay_steps;
  double t_mul = 2.0;
  double m_mul = 1.0;
  double alpha = 0.0;
  std::string name = "SGDRDecay";
};

}  // namespace optimizers::schedules

namespace detail {
KERATIN_API SchedulePointer make_schedule(const optimizers::schedules::ExponentialDecay& options);
KERATIN_API SchedulePointer make_schedule(const optimizers::schedules::PiecewiseConstantDecay& options);
KERATIN_API SchedulePointer make_schedule(const optimizers::schedules::PolynomialDecay& options);
KERATIN_API SchedulePointer make_schedule(const optimizers::schedules::InverseTimeDecay& options);
KERATIN_API SchedulePointer make_schedule(const optimizers::schedules::CosineDecay& options);
KERATIN_API SchedulePointer make_schedule(const optimizers::schedules::CosineDecayRestarts& options);
KERATIN_API SchedulePointer make_schedule(std::function<double(std::int64_t step)> function);

template <class Options>
concept ScheduleOptions = !std::is_arithmetic_v<Options> && requires(const Options& options) {
  { make_schedule(options) } -> std::same_as<SchedulePointer>;
};
}  // namespace detail

/// What an optimizer takes as `learning_rate`: a number, a schedule of optimizers::schedules, or a function
/// from the step (from 0) to a number. Cheap to copy. Keras: LearningRateSchedule.
class KERATIN_API LearningRate {
 public:
  /// ValueError for NaN.
  LearningRate(double value);
  template <std::integral T>
  LearningRate(T value) : LearningRate(static_cast<double>(value)) {}
  /// ValueError for steps that are not above 0, boundaries that do not increase or do not fit the values.
  template <detail::ScheduleOptions Options>
  LearningRate(const Options& options) : schedule_(detail::make_schedule(options)) {}

  bool is_schedule() const noexcept { return schedule_ != nullptr; }
  double operator()(std::int64_t step) const;
  /// The number, or the schedule's object as Keras writes it. ValueError for a function of the caller's.
  Config serialize() const;

 private:
  double value_ = 0;
  detail::SchedulePointer schedule_;
};

namespace optimizers::schedules {
/// The schedule of a config as Keras writes it; ValueError for what is unknown, naming it.
KERATIN_API LearningRate deserialize(const Config& config);
}  // namespace optimizers::schedules

}  // namespace keratin::inline v0
