// Training one network of the demo, with nothing but what the library offers everybody.
#include "cli/training_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/random.h"
#include "keratin/layers/layers.h"
#include "keratin/models/model.h"
#include "keratin/training/training.h"

namespace keratin::cli {
namespace {

Sequential build(const Candidate& candidate, const Dataset& dataset, const Plan& plan) {
  Sequential model{Input({static_cast<std::int64_t>(dataset.features.size())})};
  for (const std::int64_t units : plan.hidden) {
    model.add(Dense(units, {.activation = candidate.make(), .kernel_initializer = candidate.initializer}));
    if (candidate.alpha_dropout) {
      model.add(AlphaDropout(candidate.dropout));
    } else {
      model.add(Dropout(candidate.dropout));
    }
  }
  if (dataset.task == Task::classes) {
    model.add(Dense(static_cast<std::int64_t>(dataset.classes.size())));
    model.add(Activation("softmax"));
  } else {
    model.add(Dense(1));
  }
  return model;
}

/// The learning rate falls along half a cosine to nearly 0 (Loshchilov and Hutter 2017), so that the last
/// epoch may count: on validation rows that beats a constant rate with early stopping.
LambdaCallback cosine_decay(double learning_rate) {
  return LambdaCallback({.on_epoch_begin = [learning_rate](TrainingRun& run, std::int64_t epoch) {
    const double done = static_cast<double>(epoch) / static_cast<double>(run.epochs);
    run.optimizer.set_learning_rate(0.5 * learning_rate * (1 + std::cos(std::numbers::pi * done)));
  }});
}

/// Where the target is a number, small tables are soon learned by heart: the weights of the epoch with the
/// smallest validation loss count.
struct BestWeights {
  double val_loss = std::numeric_limits<double>::infinity();
  std::vector<Tensor> weights = {};
};

LambdaCallback keeper(BestWeights& best) {
  return LambdaCallback({.on_epoch_end = [&best](TrainingRun& run, std::int64_t, const Metrics& logs) {
    if (!(logs["val_loss"] < best.val_loss)) return;
    best = {logs["val_loss"], run.model.get_weights()};
  }});
}

LambdaCallback recorder(Curves& curves, const std::string& metric, const Progress& progress) {
  return LambdaCallback(
      {.on_epoch_end = [&curves, metric, progress](TrainingRun&, std::int64_t epoch, const Metrics& logs) {
        curves.loss.push_back(logs.loss());
        curves.val_loss.push_back(logs["val_loss"]);
        curves.score.push_back(logs[metric]);
        curves.val_score.push_back(logs["val_" + metric]);
        progress(epoch + 1, curves.val_score.back());
      }});
}

/// The predictions for numbers in the target's own units.
Tensor in_units(const Tensor& predictions, const Dataset& dataset) {
  std::vector<float> values(predictions.values<float>().begin(), predictions.values<float>().end());
  for (float& value : values) {
    value = static_cast<float>(dataset.target_mean + dataset.target_deviation * value);
  }
  return Tensor::from(values, predictions.shape());
}

/// 1 − Σ(y − p)² / Σ(y − mean)²
double explained(const Tensor& truth, const Tensor& predictions) {
  const std::span<const float> y = truth.values<float>(), p = predictions.values<float>();
  double mean = 0, residual = 0, total = 0;
  for (const float value : y) mean += value / static_cast<double>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    residual += std::pow(static_cast<double>(y[i]) - p[i], 2);
    total += std::pow(y[i] - mean, 2);
  }
  return total > 0 ? 1 - residual / total : 0;
}

void measure(Outcome& outcome, const Sequential& model, const Dataset& dataset) {
  const Metrics held_out = model.evaluate(dataset.held_out.x, dataset.held_out.y);
  outcome.loss = held_out.loss();
  const Tensor predictions = model.predict(dataset.held_out.x).contiguous();
  if (dataset.task == Task::classes) {
    outcome.score = held_out["accuracy"];
    outcome.validation_score = outcome.curves.val_score.back();
    outcome.predictions = predictions;
  } else {
    outcome.score = explained(dataset.held_out.y, predictions);
    outcome.validation_score =
        explained(dataset.validation.y, model.predict(dataset.validation.x).contiguous());
    outcome.error = std::sqrt(outcome.loss) * dataset.target_deviation;
    outcome.predictions = in_units(predictions, dataset);
  }
  if (!std::isfinite(outcome.loss)) {
    outcome.failure = "its loss on the held-out rows is not finite";
  }
}

}  // namespace

Plan plan_for(const Dataset& dataset) {
  constexpr std::int64_t kSteps = 1440, kFewestEpochs = 10, kMostEpochs = 200, kMany = 10'000;
  Plan plan;
  const std::int64_t rows = dataset.train.size();
  if (rows > kMany) plan.batch_size = 128;
  const std::int64_t steps = (rows + plan.batch_size - 1) / plan.batch_size;
  plan.epochs = std::clamp((kSteps + steps - 1) / steps, kFewestEpochs, kMostEpochs);
  return plan;
}

Outcome train(const Candidate& candidate, const Dataset& dataset, const Plan& plan,
              const Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  // Each network starts from the seed: its result does not depend on which others are trained.
  set_random_seed(plan.seed);
  Outcome outcome{.candidate = candidate};
  const bool classes = dataset.task == Task::classes;
  const std::string metric = classes ? "accuracy" : "mean_absolute_error";
  try {
    Sequential model = build(candidate, dataset, plan);
    outcome.parameters = model.count_params();
    model.compile({.optimizer = Adam(candidate.learning_rate),
                   .loss = classes ? "sparse_categorical_crossentropy" : "mean_squared_error",
                   .metrics = {metric}});
    BestWeights best;
    std::vector<CallbackPointer> callbacks = {cosine_decay(candidate.learning_rate),
                                              recorder(outcome.curves, metric, progress)};
    if (!classes) callbacks.emplace_back(keeper(best));
    model.fit(dataset.train.x, dataset.train.y,
              {.batch_size = plan.batch_size,
               .epochs = plan.epochs,
               .callbacks = callbacks,
               .validation_data = {dataset.validation.x, dataset.validation.y}});
    if (!best.weights.empty()) model.set_weights(best.weights);
    measure(outcome, model, dataset);
  } catch (const NumericError& error) {
    outcome.failure = error.expected() + ", " + error.received();
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

}  // namespace keratin::cli
