// Checkpoints: a model's weights, its config and an optimizer's state in one .npz file, and who writes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "keratin/core/export.h"
#include "keratin/training/callbacks.h"
#include "keratin/training/monitoring.h"

namespace keratin::inline v0 {

// The file: "weights/0", "weights/1", … in Keras's order, and for a whole checkpoint "model_config" (the
// bytes of Keras's JSON), "optimizer/iteration", "optimizer/learning_rate" unless a schedule decides, and
// "optimizer/<i>/<role>" for the i-th trainable variable. NumPy reads it. Written beside and then renamed:
// whatever happens in between, the file is the old one or the new one.

/// The weights alone. IoError as save_npz.
KERATIN_API void save_weights(const Model& model, const std::filesystem::path& path);
/// Weights, config and the state of the optimizer.
KERATIN_API void save_checkpoint(const Model& model, const Optimizer& optimizer,
                                 const std::filesystem::path& path);
/// The weights of such a file into a model of the same shapes; ShapeError if they do not fit, then nothing
/// has changed.
KERATIN_API void load_weights(const Model& model, const std::filesystem::path& path);
/// The weights, and the state of the optimizer where the file has one.
KERATIN_API void load_checkpoint(const Model& model, Optimizer& optimizer, const std::filesystem::path& path);
/// The model's config, for Sequential::from_config; ValueError where the file has only weights.
KERATIN_API Config load_model_config(const std::filesystem::path& path);

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  bool save_best_only = false;
  bool save_weights_only = false;
  std::string mode = "auto";
  /// After so many batches; unset: after each epoch.
  std::optional<std::int64_t> save_freq = std::nullopt;
  /// save_best_only saves nothing that is not better than this.
  std::optional<double> initial_value_threshold = std::nullopt;
};

/// Saves the model after each epoch, or the best of them. `filepath` may name the epoch (from 1), the batch
/// and numbers of the logs, as "model_{epoch:02d}-{val_loss:.2f}.npz"; folders are made. Keras:
/// keras.callbacks.ModelCheckpoint.
class KERATIN_API ModelCheckpoint : public Callback {
 public:
  /// ValueError for a filepath that does not end in .npz, and an unknown mode.
  explicit ModelCheckpoint(std::string filepath, const ModelCheckpointOptions& options = {});
  void on_epoch_begin(TrainingRun& run, std::int64_t epoch) override;
  void on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;

 private:
  void save(const TrainingRun& run, std::optional<std::int64_t> batch, const Metrics& logs);

  std::string filepath_;
  ModelCheckpointOptions options_;
  detail::Monitor monitor_;
  std::optional<double> best_;
  std::int64_t epoch_ = 0, batches_ = 0;
};

struct BackupAndRestoreOptions {
  /// The file goes when training has ended by itself.
  bool delete_checkpoint = true;
};

/// Training that goes on where it was interrupted: keeps the state after each epoch in backup_dir, and takes
/// it up again when fit is called on the same model. Keras: keras.callbacks.BackupAndRestore.
class KERATIN_API BackupAndRestore : public Callback {
 public:
  explicit BackupAndRestore(std::filesystem::path backup_dir, const BackupAndRestoreOptions& options = {});
  void on_train_begin(TrainingRun& run) override;
  void on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics& logs) override;
  void on_train_end(TrainingRun& run, const Metrics& logs) override;

 private:
  std::filesystem::path file_;
  BackupAndRestoreOptions options_;
};

namespace detail {
/// Fills in "{name}" and "{name:format}", formats as fmt's. ValueError names what there is.
std::string filled_in(const std::string& pattern, std::int64_t epoch, std::optional<std::int64_t> batch,
                      const Metrics& logs);
}  // namespace detail

}  // namespace keratin::inline v0
