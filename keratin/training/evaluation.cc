// Loss and metrics of samples: evaluate, and the validation of fit.
#include <algorithm>
#include <optional>
#include <vector>

#include "keratin/core/parallel.h"
#include "keratin/training/training_state.h"

namespace keratin::inline v0::detail {
namespace {

// One batch after the other, for callbacks that look at each.
Collected watched(const TrainingState& state, const Stepper& stepper, const Batches& batches,
                  std::int64_t steps, TrainingRun& run, const std::vector<CallbackPointer>& callbacks) {
  Collected all(state);
  for (std::int64_t i = 0; i < steps; ++i) {
    for (const auto& callback : callbacks) callback->on_test_batch_begin(run, i);
    const Batch batch = batches.batch(i);
    all.add(stepper.evaluate(batch), batch);
    Metrics logs;
    append(logs, all.values(), run.model.body().generation);
    for (const auto& callback : callbacks) callback->on_test_batch_end(run, i, logs);
    if (run.stop_evaluating) break;
  }
  return all;
}

// Batches are independent: each runs on one thread, and their means are added in their order.
Collected at_once(const TrainingState& state, const Stepper& stepper, const Batches& batches,
                  std::int64_t steps) {
  std::vector<Collected> parts;
  for (std::int64_t i = 0; i < steps; ++i) parts.emplace_back(state);
  parallel_for(steps, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Batch batch = batches.batch(i);
      parts[static_cast<std::size_t>(i)].add(stepper.evaluate(batch), batch);
    }
  });
  Collected all(state);
  for (const Collected& part : parts) all.add(part);
  return all;
}

}  // namespace

Metrics evaluate_samples(const TrainingState& state, const Samples& samples, std::int64_t batch_size,
                         const std::optional<std::int64_t>& limit, TrainingRun& run,
                         const std::vector<CallbackPointer>& callbacks) {
  const Batches batches(samples, batch_size);
  const Stepper stepper = stepper_of(run.model, state);
  const std::int64_t steps = steps_of(batches, limit, "evaluate: steps");
  if (run.steps == 0) run.steps = steps;
  run.stop_evaluating = false;
  for (const auto& callback : callbacks) callback->on_test_begin(run);
  const bool is_watched =
      run.stop_evaluating || std::ranges::any_of(callbacks, &CallbackPointer::watches_test_batches);
  const Metrics values = (is_watched ? watched(state, stepper, batches, steps, run, callbacks)
                                     : at_once(state, stepper, batches, steps))
                             .values();
  for (const auto& callback : callbacks) callback->on_test_end(run, values);
  return values;
}

}  // namespace keratin::inline v0::detail
