// Callbacks that write what happened: CSV, and event files for TensorBoard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/training/callbacks.h"

namespace keratin::inline v0 {

struct CSVLoggerOptions {
  std::string separator = ",";
  /// Goes on with a file that is there; else it is replaced.
  bool append = false;
};

/// One line an epoch: its number from 0, then the logs sorted by name, "NA" for what an epoch did not report.
/// The file is replaced as a whole at each epoch, so it is never half a line. Keras:
/// keras.callbacks.CSVLogger.
class KERATIN_API CSVLogger : public Callback {
 public:
  explicit CSVLogger(std::filesystem::path filename, const CSVLoggerOptions& options = {});
  void on_train_begin(TrainingRun& run) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;

 private:
  std::filesystem::path filename_;
  CSVLoggerOptions options_;
  std::string text_;
  std::vector<std::string> keys_;
};

struct TensorBoardOptions {
  /// Also "batch_loss" and so on after so many batches; unset: epochs only.
  std::optional<std::int64_t> update_freq = std::nullopt;
};

namespace detail {
class EventFile;
}

/// Scalars "epoch_loss", … and "epoch_learning_rate" in log_dir/train, those of the validation in
/// log_dir/validation, there too "evaluation_loss_vs_iterations", … of each validation and evaluate;
/// `tensorboard --logdir` shows them while training runs. Keras: keras.callbacks.TensorBoard.
class KERATIN_API TensorBoard : public Callback {
 public:
  explicit TensorBoard(std::filesystem::path log_dir = "logs", const TensorBoardOptions& options = {});
  void on_train_begin(TrainingRun& run) override;
  void on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;
  void on_train_end(TrainingRun& run, const Metrics& logs) override;
  void on_test_end(TrainingRun& run, const Metrics& logs) override;

 private:
  detail::EventFile& validation();

  std::filesystem::path log_dir_;
  TensorBoardOptions options_;
  std::shared_ptr<detail::EventFile> train_, validation_;
  std::int64_t batches_ = 0;
};

}  // namespace keratin::inline v0
