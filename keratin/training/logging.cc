#include "keratin/training/logging.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/io/atomic_file.h"
#include "keratin/io/byte_source.h"
#include "keratin/training/event_file.h"

namespace keratin::inline v0 {

CSVLogger::CSVLogger(std::filesystem::path filename, const CSVLoggerOptions& options)
    : filename_(std::move(filename)), options_(options) {
  if (options.separator.size() != 1)
    throw ValueError("CSVLogger", "expects a separator of one character",
                     "got \"" + options.separator + "\"");
}

void CSVLogger::on_train_begin(TrainingRun&) {
  keys_.clear();
  text_.clear();
  if (!options_.append || !std::filesystem::exists(filename_)) return;
  const std::vector<std::byte> bytes = io::read_file(filename_);
  text_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text_.empty() && text_.back() != '\n') text_ += '\n';
}

void CSVLogger::on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) {
  if (keys_.empty()) {
    for (const auto& [name, value] : logs) keys_.push_back(name);
    std::ranges::sort(keys_);
    // As Keras: where the first epoch did not validate, a later one may.
    const bool validated =
        std::ranges::any_of(keys_, [](const auto& key) { return key.starts_with("val_"); });
    const std::size_t own = validated ? 0 : keys_.size();
    for (std::size_t i = 0; run.validates && i < own; ++i) keys_.push_back("val_" + keys_[i]);
    if (text_.empty()) {
      text_ = "epoch";
      for (const std::string& key : keys_) text_ += options_.separator + key;
      text_ += '\n';
    }
  }
  text_ += std::to_string(epoch);
  for (const std::string& key : keys_)
    text_ += options_.separator + (logs.contains(key) ? fmt::format("{}", logs[key]) : "NA");
  text_ += '\n';
  io::AtomicFile file(filename_);
  file.write(text_);
  file.commit();
}

TensorBoard::TensorBoard(std::filesystem::path log_dir, const TensorBoardOptions& options)
    : log_dir_(std::move(log_dir)), options_(options) {
  if (options.update_freq.value_or(1) < 1)
    throw ValueError("TensorBoard", "expects update_freq of at least 1",
                     "got " + std::to_string(*options.update_freq), "Leave it out to write epochs only.");
}

void TensorBoard::on_train_begin(TrainingRun&) {
  train_ = std::make_shared<detail::EventFile>(log_dir_ / "train");
  validation_.reset();
  batches_ = 0;
}

void TensorBoard::on_train_batch_end(TrainingRun&, std::int64_t, const Metrics& logs) {
  ++batches_;
  if (!options_.update_freq || batches_ % *options_.update_freq != 0) return;
  for (const auto& [name, value] : logs) train_->add_scalar("batch_" + name, value, batches_ - 1);
}

void TensorBoard::on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) {
  Metrics train;
  for (const auto& [name, value] : logs) {
    if (name.starts_with("val_"))
      validation().add_scalar("epoch_" + name.substr(4), value, epoch);
    else
      train.set(name, value);
  }
  const std::vector<Optimizer> several = run.optimizer.inner_optimizers();
  for (const Optimizer& one : several)
    train.set("learning_rate_" + one.name(Generation::keras3), one.learning_rate());
  if (several.empty()) train.set("learning_rate", run.optimizer.learning_rate());
  for (const auto& [name, value] : train) train_->add_scalar("epoch_" + name, value, epoch);
}

void TensorBoard::on_test_end(TrainingRun& run, const Metrics& logs) {
  for (const auto& [name, value] : logs)
    validation().add_scalar("evaluation_" + name + "_vs_iterations", value, run.optimizer.iterations());
}

void TensorBoard::on_train_end(TrainingRun&, const Metrics&) {
  train_.reset();
  validation_.reset();
}

detail::EventFile& TensorBoard::validation() {
  if (validation_ == nullptr) validation_ = std::make_shared<detail::EventFile>(log_dir_ / "validation");
  return *validation_;
}

}  // namespace keratin::inline v0
