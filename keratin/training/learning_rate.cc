#include "keratin/training/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/argument_config.h"

namespace keratin::inline v0 {
namespace detail {

class ScheduleFunction {
 public:
  virtual ~ScheduleFunction() = default;
  virtual double at(std::int64_t step) const = 0;
  virtual Config serialize() const = 0;
};

namespace {

using namespace optimizers::schedules;

/// The arguments in the order of Keras's get_config.
template <class Options, class Visit>
void visit_arguments(Options& options, Visit&& visit) {
  if constexpr (requires { options.initial_learning_rate; })
    visit("initial_learning_rate", options.initial_learning_rate);
  if constexpr (requires { options.decay_steps; }) visit("decay_steps", options.decay_steps);
  if constexpr (requires { options.first_decay_steps; }) {
    visit("first_decay_steps", options.first_decay_steps);
    visit("t_mul", options.t_mul);
    visit("m_mul", options.m_mul);
  }
  if constexpr (requires { options.boundaries; }) {
    visit("boundaries", options.boundaries);
    visit("values", options.values);
  }
  if constexpr (requires { options.staircase; }) {
    visit("decay_rate", options.decay_rate);
    visit("staircase", options.staircase);
  }
  if constexpr (requires { options.cycle; }) {
    visit("end_learning_rate", options.end_learning_rate);
    visit("power", options.power);
    visit("cycle", options.cycle);
  }
  if constexpr (requires { options.alpha; }) visit("alpha", options.alpha);
  visit("name", options.name);
  if constexpr (requires { options.warmup_target; }) {
    visit("warmup_target", options.warmup_target);
    visit("warmup_steps", options.warmup_steps);
  }
}

double share_of(std::int64_t step, std::int64_t steps, bool staircase) {
  const double share = static_cast<double>(step) / static_cast<double>(steps);
  return staircase ? std::floor(share) : share;
}

double rate_at(const ExponentialDecay& o, std::int64_t step) {
  return o.initial_learning_rate * std::pow(o.decay_rate, share_of(step, o.decay_steps, o.staircase));
}
double rate_at(const PiecewiseConstantDecay& o, std::int64_t step) {
  const auto interval = std::lower_bound(o.boundaries.begin(), o.boundaries.end(), step);
  return o.values[static_cast<std::size_t>(interval - o.boundaries.begin())];
}
double rate_at(const PolynomialDecay& o, std::int64_t step) {
  double steps = static_cast<double>(o.decay_steps), s = static_cast<double>(step);
  if (o.cycle)
    steps *= step == 0 ? 1 : std::ceil(s / steps);
  else
    s = std::min(s, steps);
  return (o.initial_learning_rate - o.end_learning_rate) * std::pow(1 - s / steps, o.power) +
         o.end_learning_rate;
}
double rate_at(const InverseTimeDecay& o, std::int64_t step) {
  return o.initial_learning_rate / (1 + o.decay_rate * share_of(step, o.decay_steps, o.staircase));
}
// From `rate` down to alpha·rate as `share` goes from 0 to 1.
double half_cosine(double rate, double share, double alpha, double factor = 1) {
  return rate * ((1 - alpha) * (0.5 * factor * (1 + std::cos(std::numbers::pi * share))) + alpha);
}
double rate_at(const CosineDecay& o, std::int64_t step) {
  const std::int64_t warmup = o.warmup_target ? o.warmup_steps : 0;
  if (step < warmup)
    return (*o.warmup_target - o.initial_learning_rate) * share_of(step, warmup, false) +
           o.initial_learning_rate;
  const std::int64_t decayed = std::min(step - warmup, o.decay_steps);
  return half_cosine(o.warmup_target.value_or(o.initial_learning_rate),
                     share_of(decayed, o.decay_steps, false), o.alpha);
}
double rate_at(const CosineDecayRestarts& o, std::int64_t step) {
  // Period i begins after 1 + t + … + t^(i−1) first periods and is t^i of them long.
  double share = share_of(step, o.first_decay_steps, false), restarts = std::floor(share);
  if (o.t_mul == 1) {
    share -= restarts;
  } else {
    restarts = std::floor(std::log(1 - share * (1 - o.t_mul)) / std::log(o.t_mul));
    const double length = std::pow(o.t_mul, restarts);
    share = (share - (1 - length) / (1 - o.t_mul)) / length;
  }
  return half_cosine(o.initial_learning_rate, share, o.alpha, std::pow(o.m_mul, restarts));
}

void check_steps(std::string_view operation, const char* argument, std::int64_t steps) {
  if (steps <= 0)
    throw ValueError(operation, std::string("expects ") + argument + " above 0",
                     "got " + std::to_string(steps));
}

template <class Options>
void check(std::string_view class_name, const Options& options) {
  if constexpr (requires { options.decay_steps; })
    check_steps(class_name, "decay_steps", options.decay_steps);
  if constexpr (requires { options.first_decay_steps; })
    check_steps(class_name, "first_decay_steps", options.first_decay_steps);
  if constexpr (requires { options.warmup_target; }) {
    if (options.warmup_target && options.warmup_steps < 0)
      throw ValueError(class_name, "expects warmup_steps of at least 0",
                       "got " + std::to_string(options.warmup_steps));
  }
  if constexpr (requires { options.boundaries; }) {
    if (options.boundaries.size() + 1 != options.values.size())
      throw ValueError(class_name, "expects one value more than boundaries",
                       "got " + std::to_string(options.boundaries.size()) + " boundaries and " +
                           std::to_string(options.values.size()) + " values",
                       "The last value holds after the last boundary.");
    if (std::adjacent_find(options.boundaries.begin(), options.boundaries.end(), std::greater_equal<>()) !=
        options.boundaries.end())
      throw ValueError(class_name, "expects boundaries that increase",
                       "got " + Config(options.boundaries).dump());
  }
}

template <class Options>
class Schedule final : public ScheduleFunction {
 public:
  Schedule(std::string_view class_name, const Options& options) : class_name_(class_name), options_(options) {
    check(class_name, options_);
  }
  double at(std::int64_t step) const override { return rate_at(options_, step); }
  Config serialize() const override {
    Config config = Config::object();
    visit_arguments(options_,
                    [&](const char* key, const auto& field) { config[key] = argument_config(field); });
    // Keras 2 names no schedule unless asked to.
    if (options_.name.empty()) config["name"] = nullptr;
    return object_config("keras.optimizers.schedules", class_name_, std::move(config));
  }

 private:
  std::string_view class_name_;
  Options options_;
};

class CallableSchedule final : public ScheduleFunction {
 public:
  explicit CallableSchedule(std::function<double(std::int64_t)> function) : function_(std::move(function)) {}
  double at(std::int64_t step) const override { return function_(step); }
  Config serialize() const override {
    throw ValueError("optimizers.serialize", "expects a schedule of the library as learning_rate",
                     "it is a function of the program", "Give the loaded optimizer the function again.");
  }

 private:
  std::function<double(std::int64_t)> function_;
};

template <class Options>
SchedulePointer make(std::string_view class_name, const Options& options) {
  return std::make_shared<Schedule<Options>>(class_name, options);
}

template <class Options>
LearningRate from_config(const Config& config) {
  constexpr const char* kOperation = "schedules.deserialize";
  Options options{};
  std::vector<std::string_view> keys;
  visit_arguments(options, [&]<class T>(const char* key, T& field) {
    keys.emplace_back(key);
    if (!config.contains(key)) return;
    if constexpr (std::is_same_v<T, std::string>) {
      if (config.at(key).is_null()) {
        field.clear();
        return;
      }
    }
    read_argument(kOperation, config.at(key), key, field);
  });
  check_argument_names(kOperation, config, "a schedule", keys);
  return options;
}

struct Definition {
  std::string_view class_name;
  LearningRate (*make)(const Config& config);
};
constexpr Definition kSchedules[] = {{"ExponentialDecay", from_config<ExponentialDecay>},
                                     {"PiecewiseConstantDecay", from_config<PiecewiseConstantDecay>},
                                     {"PolynomialDecay", from_config<PolynomialDecay>},
                                     {"InverseTimeDecay", from_config<InverseTimeDecay>},
                                     {"CosineDecay", from_config<CosineDecay>},
                                     {"CosineDecayRestarts", from_config<CosineDecayRestarts>}};

}  // namespace

SchedulePointer make_schedule(const ExponentialDecay& options) { return make("ExponentialDecay", options); }
SchedulePointer make_schedule(const PiecewiseConstantDecay& options) {
  return make("PiecewiseConstantDecay", options);
}
SchedulePointer make_schedule(const PolynomialDecay& options) { return make("PolynomialDecay", options); }
SchedulePointer make_schedule(const InverseTimeDecay& options) { return make("InverseTimeDecay", options); }
SchedulePointer make_schedule(const CosineDecay& options) { return make("CosineDecay", options); }
SchedulePointer make_schedule(const CosineDecayRestarts& options) {
  return make("CosineDecayRestarts", options);
}
SchedulePointer make_schedule(std::function<double(std::int64_t step)> function) {
  if (!function) throw ValueError("learning_rate", "expects a function of the step", "it is empty");
  return std::make_shared<CallableSchedule>(std::move(function));
}

}  // namespace detail

LearningRate::LearningRate(double value) : value_(value) {
  if (std::isnan(value)) throw ValueError("learning_rate", "expects a number", "got NaN");
}

double LearningRate::operator()(std::int64_t step) const {
  return schedule_ == nullptr ? value_ : schedule_->at(step);
}

Config LearningRate::serialize() const {
  return schedule_ == nullptr ? Config(value_) : schedule_->serialize();
}

namespace optimizers::schedules {

LearningRate deserialize(const Config& config) {
  const auto [name, arguments] = detail::named_arguments("schedules.deserialize", config);
  std::vector<std::string_view> known;
  for (const detail::Definition& definition : detail::kSchedules) {
    if (definition.class_name == name) return definition.make(arguments);
    known.push_back(definition.class_name);
  }
  throw ValueError("schedules.deserialize", "expects the class of a schedule", "got \"" + name + "\"",
                   did_you_mean(name, known));
}

}  // namespace optimizers::schedules
}  // namespace keratin::inline v0
