#include "keratin/training/monitoring.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/text.h"

namespace keratin::inline v0 {
namespace detail {
namespace {

// Keras's metrics whose direction is up, by how their names end, in both spellings.
constexpr std::string_view kHigher[] = {
    "acc",         "accuracy",    "Accuracy",   "auc",        "AUC",       "precision",
    "Precision",   "recall",      "Recall",     "score",      "Score",     "io_u",
    "iou",         "IoU",         "positives",  "negatives",  "at_recall", "at_precision",
    "sensitivity", "specificity", "similarity", "correlation"};
constexpr std::string_view kLower[] = {"false_positives", "false_negatives"};

bool higher_by_name(std::string_view name) {
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  return !std::ranges::any_of(kLower, ends) && std::ranges::any_of(kHigher, ends);
}

}  // namespace

Monitor::Monitor(std::string_view owner, std::string name, std::string_view mode, double min_delta)
    : owner_(owner), name_(std::move(name)), min_delta_(std::abs(min_delta)) {
  if (mode != "auto" && mode != "min" && mode != "max")
    throw ValueError(owner, "expects mode \"auto\", \"min\" or \"max\"", "got \"" + std::string(mode) + "\"");
  higher_is_better_ = mode == "max" || (mode == "auto" && higher_by_name(name_));
}

std::optional<double> Monitor::value_in(const TrainingRun& run, const Metrics& logs) const {
  if (logs.contains(name_)) return logs[name_];
  const auto is_validation = [](std::string_view name) { return name.starts_with("val_"); };
  const bool has_validated =
      std::any_of(logs.begin(), logs.end(), [&](const auto& entry) { return is_validation(entry.first); });
  if (is_validation(name_) && run.validates && !has_validated) return std::nullopt;
  std::vector<std::string_view> names;
  std::string list;
  for (const auto& [name, value] : logs) {
    names.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  throw ValueError(owner_, "expects a number of the logs to monitor: " + list, "got \"" + name_ + "\"",
                   is_validation(name_) && !run.validates ? "Give fit validation_data or validation_split."
                                                          : did_you_mean(name_, names));
}

bool Monitor::improves(double value, const std::optional<double>& reference) const {
  if (!reference) return true;
  return higher_is_better_ ? value - min_delta_ > *reference : value + min_delta_ < *reference;
}

}  // namespace detail

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options)
    : options_(options), monitor_("EarlyStopping", options.monitor, options.mode, options.min_delta) {}

void EarlyStopping::on_train_begin(TrainingRun&) {
  best_.reset();
  best_weights_.clear();
  wait_ = 0;
  stopped_epoch_ = -1;
  best_epoch_ = 0;
}

void EarlyStopping::on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) {
  const auto value = monitor_.value_in(run, logs);
  if (!value || epoch < options_.start_from_epoch) return;
  const auto keep = [&] {
    best_epoch_ = epoch;
    if (!options_.restore_best_weights) return;
    best_weights_ = run.model.get_weights();
    for (Tensor& weight : best_weights_) weight = weight.clone();  // or the next step would have to copy
  };
  if (options_.restore_best_weights && best_weights_.empty()) keep();
  ++wait_;
  if (monitor_.improves(*value, best_)) {
    best_ = value;
    keep();
    if (!options_.baseline || monitor_.improves(*value, options_.baseline)) wait_ = 0;
    return;
  }
  // As in Keras the first epoch is never the last.
  if (wait_ < options_.patience || epoch == 0) return;
  stopped_epoch_ = epoch;
  run.stop_training = true;
}

void EarlyStopping::on_train_end(TrainingRun& run, const Metrics&) {
  // Keras 2 leaves the last weights where training ended by itself.
  const bool keras2 = run.model.body().generation == Generation::keras2;
  if (!best_weights_.empty() && (stopped_epoch_ >= 0 || !keras2)) run.model.set_weights(best_weights_);
}

ReduceLROnPlateau::ReduceLROnPlateau(const ReduceLROnPlateauOptions& options)
    : options_(options), monitor_("ReduceLROnPlateau", options.monitor, options.mode, options.min_delta) {
  if (!(options.factor < 1))
    throw ValueError("ReduceLROnPlateau", "expects a factor below 1", "got " + to_text(options.factor));
}

void ReduceLROnPlateau::on_train_begin(TrainingRun&) {
  best_.reset();
  wait_ = 0;
  cooldown_ = 0;
}

void ReduceLROnPlateau::on_epoch_end(TrainingRun& run, std::int64_t, const Metrics& logs) {
  const double rate = run.optimizer.learning_rate();
  run.reported.set("learning_rate", rate);
  const auto value = monitor_.value_in(run, logs);
  if (!value) return;
  if (cooldown_ > 0) {
    --cooldown_;
    wait_ = 0;
  }
  if (monitor_.improves(*value, best_)) {
    best_ = value;
    wait_ = 0;
  } else if (cooldown_ == 0 && ++wait_ >= options_.patience && rate > options_.min_lr) {
    run.optimizer.set_learning_rate(std::max(rate * options_.factor, options_.min_lr));
    cooldown_ = options_.cooldown;
    wait_ = 0;
  }
}

LearningRateScheduler::LearningRateScheduler(std::function<double(std::int64_t, double)> schedule)
    : schedule_(std::move(schedule)) {
  if (!schedule_) throw ValueError("LearningRateScheduler", "expects a function of the epoch", "it is empty");
}
void LearningRateScheduler::on_epoch_begin(TrainingRun& run, std::int64_t epoch) {
  run.optimizer.set_learning_rate(schedule_(epoch, run.optimizer.learning_rate()));
}
void LearningRateScheduler::on_epoch_end(TrainingRun& run, std::int64_t, const Metrics&) {
  run.reported.set("learning_rate", run.optimizer.learning_rate());
}

bool TerminateOnNaN::on_not_finite(TrainingRun&, std::int64_t, const NumericError&) { return true; }

}  // namespace keratin::inline v0
