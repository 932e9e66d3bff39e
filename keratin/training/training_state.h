// What compile leaves with a model: a loss and metrics for each output, and what they collect. Internal.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/training/batches.h"
#include "keratin/training/step.h"
#include "keratin/training/training.h"

namespace keratin::inline v0 {

namespace detail {

/// One metric of one output.
struct OutputMetric {
  std::string name;  ///< as it is reported
  Metric metric;
  std::size_t output;
  bool is_weighted;
};

/// What batches have collected: the mean losses by rows, then each metric.
class Collected {
 public:
  explicit Collected(const TrainingState& state);

  bool wants_predictions() const { return !metrics_.empty(); }
  void add(const StepResult& result, const Batch& batch);
  void add(const Collected& other);
  Metrics values() const;

 private:
  const TrainingState* state_;
  RunningMean loss_;
  std::vector<RunningMean> losses_;  // of each output that reports one
  std::vector<std::unique_ptr<MetricState>> metrics_;
};

/// Adds values in the order of the generation's History, `prefix` before their names.
void append(Metrics& logs, Metrics values, Generation generation, std::string_view prefix = "");

}  // namespace detail

struct TrainingState {
  CompileOptions options;
  bool scales_for_float16 = false;  ///< compile wrapped the optimizer
  std::vector<std::string> input_names, output_names;
  std::vector<detail::OutputLoss> losses;  ///< one for each output
  /// The outputs whose own losses are reported: none where there is one.
  std::vector<std::size_t> reported_losses;
  std::vector<detail::OutputMetric> metrics;  ///< in the order in which they are reported

  /// What compile was called with.
  CompileOptions given_options() const;
  /// Whether an output's labels are looked at.
  bool needs_labels(std::size_t output) const;
};

namespace detail {

/// ValueError for what does not fit the outputs.
std::shared_ptr<TrainingState> state_of(const Model& model, const CompileOptions& options);
/// The compiled state, or StateError; with a loss, or StateError.
const TrainingState& compiled_with_loss(std::string_view operation, const TrainingState* state);
Stepper stepper_of(const Model& model, const TrainingState& state);

/// In the order of the model's inputs and outputs; see check_samples.
Samples samples_of(std::string_view operation, const TrainingState& state, const TensorList& x,
                   const TensorList& y, const TensorList& sample_weight);
Shapes input_shapes_of(const Tensors& x);
/// Throws before anything changes what a loss would throw at the first batch. Builds the model if need be.
void check_labels(const Model& model, const TrainingState& state, const Samples& samples);

/// Loss and metrics of the run's model, callbacks around.
Metrics evaluate_samples(const TrainingState& state, const Samples& samples, std::int64_t batch_size,
                         const std::optional<std::int64_t>& limit, TrainingRun& run,
                         const std::vector<CallbackPointer>& callbacks);
std::int64_t steps_of(const Batches& batches, const std::optional<std::int64_t>& limit,
                      std::string_view argument);

/// A run of Model.fit.
History run_fit(const Model& model, const TrainingState& state, const TensorList& x, const TensorList& y,
                const FitOptions& options);

}  // namespace detail
}  // namespace keratin::inline v0
