#include "keratin/training/callbacks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

namespace keratin::inline v0 {

Callback::~Callback() = default;

namespace {

// A function of LambdaCallback, where there is one.
template <class Function, class... Arguments>
void call(const Function& function, Arguments&&... arguments) {
  if (function) function(std::forward<Arguments>(arguments)...);
}

}  // namespace

void LambdaCallback::on_train_begin(TrainingRun& run) { call(functions_.on_train_begin, run); }
void LambdaCallback::on_train_end(TrainingRun& run, const Metrics& logs) {
  call(functions_.on_train_end, run, logs);
}
void LambdaCallback::on_epoch_begin(TrainingRun& run, std::int64_t epoch) {
  call(functions_.on_epoch_begin, run, epoch);
}
void LambdaCallback::on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) {
  call(functions_.on_epoch_end, run, epoch, logs);
}
void LambdaCallback::on_train_batch_begin(TrainingRun& run, std::int64_t batch) {
  call(functions_.on_train_batch_begin, run, batch);
}
void LambdaCallback::on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) {
  call(functions_.on_train_batch_end, run, batch, logs);
}
void LambdaCallback::on_test_begin(TrainingRun& run) { call(functions_.on_test_begin, run); }
void LambdaCallback::on_test_end(TrainingRun& run, const Metrics& logs) {
  call(functions_.on_test_end, run, logs);
}
void LambdaCallback::on_test_batch_begin(TrainingRun& run, std::int64_t batch) {
  call(functions_.on_test_batch_begin, run, batch);
}
void LambdaCallback::on_test_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) {
  call(functions_.on_test_batch_end, run, batch, logs);
}
void LambdaCallback::on_predict_begin(TrainingRun& run) { call(functions_.on_predict_begin, run); }
void LambdaCallback::on_predict_end(TrainingRun& run) { call(functions_.on_predict_end, run); }
void LambdaCallback::on_predict_batch_begin(TrainingRun& run, std::int64_t batch) {
  call(functions_.on_predict_batch_begin, run, batch);
}
void LambdaCallback::on_predict_batch_end(TrainingRun& run, std::int64_t batch, const Tensors& outputs) {
  call(functions_.on_predict_batch_end, run, batch, outputs);
}

namespace {

bool is_terminal(const std::ostream& stream) {
  if (&stream == &std::cout) return isatty(STDOUT_FILENO) == 1;
  if (&stream == &std::cerr || &stream == &std::clog) return isatty(STDERR_FILENO) == 1;
  return false;
}

std::string duration_text(double seconds) {
  if (seconds >= 3600)
    return fmt::format("{}h{:02}m", static_cast<int>(seconds) / 3600, static_cast<int>(seconds) / 60 % 60);
  if (seconds >= 60)
    return fmt::format("{}m{:02}s", static_cast<int>(seconds) / 60, static_cast<int>(seconds) % 60);
  return fmt::format("{}s", static_cast<int>(seconds));
}

std::string step_text(double seconds) {
  if (seconds >= 1) return fmt::format("{:.0f}s/step", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.0f}ms/step", seconds * 1e3);
  return fmt::format("{:.0f}us/step", seconds * 1e6);
}

}  // namespace

ProgressBar::ProgressBar(const ProgressBarOptions& options)
    : stream_(options.stream == nullptr ? &std::cout : options.stream),
      in_place_(options.in_place.value_or(is_terminal(*stream_))),
      width_(std::max(1, options.width)) {}

void ProgressBar::on_epoch_begin(TrainingRun& run, std::int64_t epoch) {
  start_ = drawn_ = Clock::now();
  drawn_columns_ = 0;
  *stream_ << fmt::format("Epoch {}/{}\n", epoch + 1, run.epochs);
  if (in_place_) stream_->flush();
}

void ProgressBar::on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) {
  // Twenty pictures a second are seen; more only cost.
  if (!in_place_ || Clock::now() - drawn_ < std::chrono::milliseconds(50)) return;
  draw(run, batch + 1, logs, false);
}

void ProgressBar::on_epoch_end(TrainingRun& run, std::int64_t, const Metrics& logs) {
  draw(run, run.steps, logs, true);
}

void ProgressBar::draw(const TrainingRun& run, std::int64_t done, const Metrics& logs, bool last) {
  drawn_ = Clock::now();
  const double seconds = std::chrono::duration<double>(drawn_ - start_).count();
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, done));
  const double left = seconds / steps * static_cast<double>(run.steps - done);
  const std::string total = std::to_string(run.steps);
  const std::string count = fmt::format("{:>{}}/{}", done, total.size(), total);
  const std::string time =
      fmt::format("{} {}", duration_text(last ? seconds : left), step_text(seconds / steps));
  if (!in_place_) {
    *stream_ << fmt::format("{} - {} - {}\n", count, time, logs.to_string());
    stream_->flush();
    return;
  }
  const auto filled = run.steps == 0 ? width_ : static_cast<int>(width_ * done / run.steps);
  std::string bar;
  for (int i = 0; i < width_; ++i) bar += i < filled ? "━" : "─";
  const std::string text = fmt::format(" {} - {}", time, logs.to_string());
  const std::size_t columns = count.size() + 1 + static_cast<std::size_t>(width_) + text.size();
  // Spaces over what is left of a longer line.
  const std::size_t rest = drawn_columns_ > columns ? drawn_columns_ - columns : 0;
  *stream_ << '\r' << count << ' ' << bar << text << std::string(rest, ' ') << (last ? "\n" : "");
  stream_->flush();
  drawn_columns_ = columns;
}

}  // namespace keratin::inline v0
