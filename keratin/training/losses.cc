#include "keratin/training/losses.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/training/loss_base.h"
#include "keratin/training/loss_reduction.h"

namespace keratin::inline v0 {

LossFunction::~LossFunction() = default;
Tensor LossFunction::mask(const Tensor&, const Tensor&) const { return {}; }
void LossFunction::check(const Tensor&, const Shape&) const {}

namespace {

// ---- Reductions by name.

struct ReductionName {
  std::string_view name;
  Reduction reduction;
};
constexpr ReductionName kReductions[] = {{"sum_over_batch_size", Reduction::sum_over_batch_size},
                                         {"mean", Reduction::sum_over_batch_size},
                                         {"auto", Reduction::sum_over_batch_size},
                                         {"sum", Reduction::sum},
                                         {"none", Reduction::none},
                                         {"mean_with_sample_weight", Reduction::mean_with_sample_weight}};

Reduction reduction_of(const Config& value) {
  if (value.is_null()) return Reduction::none;
  std::vector<std::string_view> names;
  for (const auto& entry : kReductions) {
    names.push_back(entry.name);
    if (value.is_string() && value.get_ref<const std::string&>() == entry.name) return entry.reduction;
  }
  throw ValueError("losses", "expects a reduction by name", "got " + value.dump(),
                   did_you_mean(value.is_string() ? value.get<std::string>() : "", names));
}

// ---- The loss of a name with Keras 3's choice: binary, sparse or categorical cross-entropy by the shapes.

class CrossentropyByShapes final : public LossFunction {
 public:
  explicit CrossentropyByShapes(Generation generation) : generation_(generation) {}
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return choose(y_true.shape(), y_pred.shape())->values(y_true, y_pred);
  }
  void check(const Tensor& y_true, const Shape& y_pred) const override {
    choose(y_true.shape(), y_pred)->check(y_true, y_pred);
  }
  std::string name() const override { return "crossentropy"; }
  Generation generation() const override { return generation_; }
  Config serialize(Generation) const override { return "crossentropy"; }

 private:
  detail::LossPointer choose(const Shape& y_true, const Shape& y_pred) const {
    if (y_pred.rank() > 0 && y_pred.back() == 1)
      return detail::make_loss(losses::BinaryCrossentropy{.generation = generation_});
    if (y_true.rank() < y_pred.rank() || (y_true.rank() > 0 && y_true.back() == 1))
      return detail::make_loss(losses::SparseCategoricalCrossentropy{.generation = generation_});
    return detail::make_loss(losses::CategoricalCrossentropy{.generation = generation_});
  }
  Generation generation_;
};

/// One that was asked for by name: it is saved as that name.
class NamedLoss final : public LossFunction {
 public:
  NamedLoss(detail::LossPointer loss, std::string_view identifier)
      : loss_(std::move(loss)), identifier_(identifier) {}
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return loss_->values(y_true, y_pred);
  }
  Tensor mask(const Tensor& y_true, const Tensor& y_pred) const override {
    return loss_->mask(y_true, y_pred);
  }
  void check(const Tensor& y_true, const Shape& y_pred) const override { loss_->check(y_true, y_pred); }
  std::string name() const override { return loss_->name(); }
  Reduction reduction() const override { return loss_->reduction(); }
  Generation generation() const override { return loss_->generation(); }
  Config serialize(Generation) const override { return identifier_; }

 private:
  detail::LossPointer loss_;
  std::string identifier_;
};

class CallableLoss final : public LossFunction {
 public:
  CallableLoss(detail::LossCallable callable, std::string name)
      : callable_(std::move(callable)), name_(std::move(name)) {}
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    return callable_(y_true, y_pred);
  }
  std::string name() const override { return name_; }
  Config serialize(Generation) const override {
    throw ValueError("losses.serialize", "expects a loss of the library", "\"" + name_ + "\" is a callable",
                     "Compile the loaded model with it again.");
  }

 private:
  detail::LossCallable callable_;
  std::string name_;
};

// ---- The list of losses: all names lead through it.

template <class Options>
Loss from_config(const Config& config, Generation generation) {
  Options options;
  options.generation = generation;
  std::vector<std::string_view> keys{"name", "reduction", "dtype", "fn"};
  const auto read = [&](const char* key, auto& field) {
    keys.emplace_back(key);
    if (config.contains(key)) detail::read_argument("losses.deserialize", config.at(key), key, field);
  };
  detail::visit_arguments(options, read);
  if (config.contains("reduction")) options.reduction = reduction_of(config.at("reduction"));
  if (config.contains("name") && config.at("name").is_string())
    options.name = config.at("name").get<std::string>();
  detail::check_argument_names("losses.deserialize", config, options.name, keys);
  return options;
}

struct Definition {
  std::string_view class_name;
  std::vector<std::string_view> names;  // Keras's function first, then its aliases
  Loss (*make)(const Config& config, Generation generation);
};

const std::vector<Definition>& definitions() {
  static const std::vector<Definition> list = {
      {"MeanSquaredError", {"mean_squared_error", "mse", "MSE"}, from_config<losses::MeanSquaredError>},
      {"MeanAbsoluteError", {"mean_absolute_error", "mae", "MAE"}, from_config<losses::MeanAbsoluteError>},
      {"MeanAbsolutePercentageError",
       {"mean_absolute_percentage_error", "mape", "MAPE"},
       from_config<losses::MeanAbsolutePercentageError>},
      {"MeanSquaredLogarithmicError",
       {"mean_squared_logarithmic_error", "msle", "MSLE"},
       from_config<losses::MeanSquaredLogarithmicError>},
      {"Huber", {"huber", "huber_loss"}, from_config<losses::Huber>},
      {"LogCosh", {"log_cosh", "logcosh"}, from_config<losses::LogCosh>},
      {"KLDivergence",
       {"kl_divergence", "kld", "KLD", "kullback_leibler_divergence"},
       from_config<losses::KLDivergence>},
      {"Poisson", {"poisson"}, from_config<losses::Poisson>},
      {"Hinge", {"hinge"}, from_config<losses::Hinge>},
      {"SquaredHinge", {"squared_hinge"}, from_config<losses::SquaredHinge>},
      {"CategoricalHinge", {"categorical_hinge"}, from_config<losses::CategoricalHinge>},
      {"CosineSimilarity", {"cosine_similarity"}, from_config<losses::CosineSimilarity>},
      {"BinaryCrossentropy", {"binary_crossentropy", "bce", "BCE"}, from_config<losses::BinaryCrossentropy>},
      {"BinaryFocalCrossentropy",
       {"binary_focal_crossentropy"},
       from_config<losses::BinaryFocalCrossentropy>},
      {"CategoricalCrossentropy", {"categorical_crossentropy"}, from_config<losses::CategoricalCrossentropy>},
      {"SparseCategoricalCrossentropy",
       {"sparse_categorical_crossentropy"},
       from_config<losses::SparseCategoricalCrossentropy>},
      {"CategoricalFocalCrossentropy",
       {"categorical_focal_crossentropy"},
       from_config<losses::CategoricalFocalCrossentropy>},
      {"CategoricalGeneralizedCrossEntropy",
       {"categorical_generalized_cross_entropy"},
       from_config<losses::CategoricalGeneralizedCrossEntropy>},
      {"Dice", {"dice"}, from_config<losses::Dice>},
      {"Tversky", {"tversky"}, from_config<losses::Tversky>},
      {"Circle", {"circle"}, from_config<losses::Circle>},
      {"CTC", {"ctc"}, from_config<losses::CTC>},
  };
  return list;
}

const Definition* find(std::string_view name) {
  for (const Definition& definition : definitions())
    if (definition.class_name == name ||
        std::find(definition.names.begin(), definition.names.end(), name) != definition.names.end())
      return &definition;
  return nullptr;
}

[[noreturn]] void throw_unknown(std::string_view name) {
  std::vector<std::string_view> known{"crossentropy"};
  for (const Definition& definition : definitions()) {
    known.push_back(definition.class_name);
    known.insert(known.end(), definition.names.begin(), definition.names.end());
  }
  throw ValueError("losses", "expects the name of a loss", "unknown name \"" + std::string(name) + "\"",
                   did_you_mean(name, known));
}

}  // namespace

namespace detail {

LossPointer make_loss(LossCallable callable, std::string name) {
  return std::make_shared<CallableLoss>(std::move(callable), std::move(name));
}

std::string_view reduction_name(Reduction reduction) {
  for (const auto& entry : kReductions)
    if (entry.reduction == reduction) return entry.name;
  return "none";
}

Config loss_object(std::string_view class_name, Config arguments, const std::string& name,
                   Reduction reduction, Generation generation) {
  Config config = Config::object();
  if (generation == Generation::keras2) {
    config["reduction"] = reduction == Reduction::sum_over_batch_size ? "auto" : reduction_name(reduction);
    config["name"] = name;
  } else {
    config["name"] = name;
    config["reduction"] = reduction == Reduction::none ? Config() : Config(reduction_name(reduction));
  }
  for (auto& [key, value] : arguments.items()) config[key] = value;
  return object_config("keras.losses", class_name, std::move(config));
}

void check_smoothing(std::string_view operation, double smoothing) {
  if (smoothing >= 0 && smoothing <= 1) return;
  throw ValueError(operation, "expects a label_smoothing from 0 to 1", "got " + to_text(smoothing));
}

}  // namespace detail

Loss::Loss(const char* name) : Loss(losses::get(name)) {}
Loss::Loss(std::string_view name) : Loss(losses::get(name)) {}

Tensor Loss::operator()(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight,
                        const Tensor& mask) const {
  if (!is_defined()) throw StateError("loss", "expects a loss", "there is none", "Name one, as \"mse\".");
  const Generation generation = function_->generation();
  const Tensor values = function_->values(y_true, y_pred);
  const auto aligned = [&](const Tensor& weights) {
    return weights.is_defined() ? detail::weights_like(name(), weights, values, generation) : Tensor();
  };
  Tensor m = aligned(mask);
  if (const Tensor own = function_->mask(y_true, y_pred); own.is_defined()) {
    m = detail::weights_product(m, aligned(own));
  }
  return detail::reduce_values(values, aligned(sample_weight), m, function_->reduction());
}

Config Loss::serialize(Generation generation) const {
  return is_defined() ? function_->serialize(generation) : Config();
}

namespace losses {

Loss get(std::string_view name, Generation generation) {
  if (generation == Generation::keras3 && (name == "crossentropy" || name == "ce"))
    return Loss(std::make_shared<CrossentropyByShapes>(generation));
  const Definition* definition = find(name);
  if (definition == nullptr) throw_unknown(name);
  const Loss loss = definition->make(Config::object(), generation);
  return Loss(std::make_shared<NamedLoss>(loss.shared(), name));
}

Loss deserialize(const Config& config, Generation generation) {
  if (config.is_null()) return {};
  if (config.is_string()) return get(config.get<std::string>(), generation);
  if (!config.is_object() || !config.contains("class_name") || !config.at("class_name").is_string())
    throw ValueError("losses.deserialize", "expects a name, or an object with \"class_name\" and \"config\"",
                     "got " + config.dump());
  const std::string name = config.at("class_name").get<std::string>();
  // Keras 3 writes a loss given as a function so.
  if (name == "function" && config.contains("config") && config.at("config").is_string())
    return get(config.at("config").get<std::string>(), generation);
  const Definition* definition = find(name);
  if (definition == nullptr) throw_unknown(name);
  const Config arguments =
      config.contains("config") && config.at("config").is_object() ? config.at("config") : Config::object();
  return definition->make(arguments, generation);
}

}  // namespace losses

}  // namespace keratin::inline v0
