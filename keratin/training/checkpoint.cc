#include "keratin/training/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/io/npz.h"

namespace keratin::inline v0 {
namespace {

constexpr const char* kModelConfig = "model_config";
const std::string kIteration = "optimizer/iteration", kLearningRate = "optimizer/learning_rate";
constexpr const char* kEpoch = "training/epoch";

std::string weight_name(std::size_t index) { return "weights/" + std::to_string(index); }

io::NamedTensors weights_of(const Model& model) {
  io::NamedTensors tensors;
  const Tensors weights = model.get_weights();
  for (std::size_t i = 0; i < weights.size(); ++i) tensors.add(weight_name(i), weights[i]);
  return tensors;
}

void set_weights(const Model& model, const io::NamedTensors& tensors) {
  Tensors weights;
  while (tensors.contains(weight_name(weights.size())))
    weights.push_back(tensors[weight_name(weights.size())]);
  model.set_weights(weights);
}

// The steps and the learning rate of one optimizer, under names that end in `place`.
void add_progress(io::NamedTensors& tensors, const Optimizer& optimizer, const std::string& place) {
  const bool is_several = !optimizer.inner_optimizers().empty();
  const std::vector<Variable> variables = optimizer.variables();
  tensors.add(kIteration + place, variables[0].value());
  if (!is_several && variables.size() > 1 && variables[1].name() == "learning_rate")
    tensors.add(kLearningRate + place, Tensor::scalar(optimizer.learning_rate(), DType::float64));
}

void set_progress(Optimizer& optimizer, const io::NamedTensors& tensors, const std::string& place) {
  optimizer.set_iterations(static_cast<std::int64_t>(tensors[kIteration + place].item()));
  if (tensors.contains(kLearningRate + place))
    optimizer.set_learning_rate(tensors[kLearningRate + place].item());
}

std::string inner_place(std::size_t i) { return "/" + std::to_string(i); }

void add_optimizer(io::NamedTensors& tensors, const Model& model, const Optimizer& optimizer) {
  add_progress(tensors, optimizer, "");
  const std::vector<Optimizer> inner = optimizer.inner_optimizers();
  for (std::size_t i = 0; i < inner.size(); ++i) add_progress(tensors, inner[i], inner_place(i));
  const std::vector<Variable> variables = model.trainable_variables();
  for (const OptimizerSlot& slot : optimizer.state()) {
    const auto place = std::find(variables.begin(), variables.end(), slot.variable);
    if (place != variables.end())
      tensors.add(fmt::format("optimizer/{}/{}", place - variables.begin(), slot.role), slot.value);
  }
}

void set_optimizer(const Model& model, Optimizer& optimizer, const io::NamedTensors& tensors) {
  if (!tensors.contains(kIteration)) return;
  const std::vector<Variable> variables = model.trainable_variables();
  // Which inner optimizers there are may depend on the variables.
  if (tensors.contains(kIteration + inner_place(0))) optimizer.build(variables);
  set_progress(optimizer, tensors, "");
  std::vector<Optimizer> inner = optimizer.inner_optimizers();
  for (std::size_t i = 0; i < inner.size(); ++i)
    if (tensors.contains(kIteration + inner_place(i))) set_progress(inner[i], tensors, inner_place(i));
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const std::string prefix = fmt::format("optimizer/{}/", i);
    for (const auto& [name, value] : tensors)
      if (name.starts_with(prefix)) optimizer.set_state({variables[i], name.substr(prefix.size()), value});
  }
}

io::NamedTensors checkpoint_of(const Model& model, const Optimizer& optimizer) {
  io::NamedTensors tensors = weights_of(model);
  const std::string config = model.serialize().dump();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(config.data());
  tensors.add(kModelConfig,
              Tensor::from(std::span(bytes, config.size()), {static_cast<std::int64_t>(config.size())}));
  add_optimizer(tensors, model, optimizer);
  return tensors;
}

void make_folder_of(const std::filesystem::path& path) {
  if (!path.has_parent_path()) return;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error)
    throw IoError("checkpoint", "expects to make the folder " + path.parent_path().string(), error.message());
}

}  // namespace

void save_weights(const Model& model, const std::filesystem::path& path) {
  io::save_npz(path, weights_of(model));
}
void save_checkpoint(const Model& model, const Optimizer& optimizer, const std::filesystem::path& path) {
  io::save_npz(path, checkpoint_of(model, optimizer));
}
void load_weights(const Model& model, const std::filesystem::path& path) {
  set_weights(model, io::load_npz(path));
}
void load_checkpoint(const Model& model, Optimizer& optimizer, const std::filesystem::path& path) {
  const io::NamedTensors tensors = io::load_npz(path);
  set_weights(model, tensors);
  set_optimizer(model, optimizer, tensors);
}
Config load_model_config(const std::filesystem::path& path) {
  const io::NamedTensors tensors = io::load_npz(path);
  if (!tensors.contains(kModelConfig))
    throw ValueError("load_model_config", "expects a checkpoint with the model's config",
                     path.string() + " has only weights", "Build the model, then load_weights.");
  const auto bytes = tensors[kModelConfig].values<std::uint8_t>();
  const Config config = Config::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (config.is_discarded())
    throw IoError("load_model_config", "expects JSON as model_config",
                  path.string() + " holds something else");
  return config;
}

namespace detail {

std::string filled_in(const std::string& pattern, std::int64_t epoch, std::optional<std::int64_t> batch,
                      const Metrics& logs) {
  std::string text;
  std::size_t at = 0;
  while (at < pattern.size()) {
    const std::size_t open = pattern.find('{', at), close = pattern.find('}', open);
    text += pattern.substr(at, open - at);
    if (open == std::string::npos) break;
    if (close == std::string::npos)
      throw ValueError("ModelCheckpoint", "expects a } for each {", "got \"" + pattern + "\"");
    const std::string field = pattern.substr(open + 1, close - open - 1);
    const std::size_t colon = field.find(':');
    const std::string name = field.substr(0, colon);
    const std::string format = "{" + (colon == std::string::npos ? "" : field.substr(colon)) + "}";
    try {
      if (name == "epoch") {
        text += fmt::format(fmt::runtime(format), epoch + 1);
      } else if (name == "batch" && batch) {
        text += fmt::format(fmt::runtime(format), *batch + 1);
      } else {
        text += fmt::format(fmt::runtime(format), logs[name]);
      }
    } catch (const fmt::format_error& error) {
      throw ValueError("ModelCheckpoint", "expects a format that fits, as {epoch:02d} or {val_loss:.2f}",
                       "got {" + field + "}: " + error.what());
    }
    at = close + 1;
  }
  return text;
}

}  // namespace detail

ModelCheckpoint::ModelCheckpoint(std::string filepath, const ModelCheckpointOptions& options)
    : filepath_(std::move(filepath)),
      options_(options),
      monitor_("ModelCheckpoint", options.monitor, options.mode, 0),
      best_(options.initial_value_threshold) {
  if (!filepath_.ends_with(".npz"))
    throw ValueError("ModelCheckpoint", "expects a filepath that ends in .npz", "got \"" + filepath_ + "\"",
                     "Keras's own files come later.");
  if (options.save_freq.value_or(1) < 1)
    throw ValueError("ModelCheckpoint", "expects save_freq of at least 1",
                     "got " + std::to_string(*options.save_freq), "Leave it out to save after each epoch.");
}

void ModelCheckpoint::on_epoch_begin(TrainingRun&, std::int64_t epoch) { epoch_ = epoch; }

void ModelCheckpoint::on_train_batch_end(TrainingRun& run, std::int64_t batch, const Metrics& logs) {
  if (!options_.save_freq || ++batches_ < *options_.save_freq) return;
  batches_ = 0;
  save(run, batch, logs);
}

void ModelCheckpoint::on_epoch_end(TrainingRun& run, std::int64_t, const Metrics& logs) {
  if (!options_.save_freq) save(run, std::nullopt, logs);
}

void ModelCheckpoint::save(const TrainingRun& run, std::optional<std::int64_t> batch, const Metrics& logs) {
  if (options_.save_best_only) {
    const auto value = monitor_.value_in(run, logs);
    if (!value || !monitor_.improves(*value, best_)) return;
    best_ = value;
  }
  const std::filesystem::path path = detail::filled_in(filepath_, epoch_, batch, logs);
  make_folder_of(path);
  options_.save_weights_only ? save_weights(run.model, path)
                             : save_checkpoint(run.model, run.optimizer, path);
}

BackupAndRestore::BackupAndRestore(std::filesystem::path backup_dir, const BackupAndRestoreOptions& options)
    : file_(std::move(backup_dir) / "latest.npz"), options_(options) {}

void BackupAndRestore::on_train_begin(TrainingRun& run) {
  if (!std::filesystem::exists(file_)) return;
  const io::NamedTensors tensors = io::load_npz(file_);
  set_weights(run.model, tensors);
  set_optimizer(run.model, run.optimizer, tensors);
  run.initial_epoch = std::max(run.initial_epoch, static_cast<std::int64_t>(tensors[kEpoch].item()) + 1);
}

void BackupAndRestore::on_epoch_end(TrainingRun& run, std::int64_t epoch, const Metrics&) {
  make_folder_of(file_);
  io::NamedTensors tensors = checkpoint_of(run.model, run.optimizer);
  tensors.add(kEpoch, Tensor::scalar(static_cast<double>(epoch), DType::int64));
  io::save_npz(file_, tensors);
}

void BackupAndRestore::on_train_end(TrainingRun&, const Metrics&) {
  std::error_code ignored;
  if (options_.delete_checkpoint) std::filesystem::remove(file_, ignored);
}

}  // namespace keratin::inline v0
