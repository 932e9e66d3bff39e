// Losses: from labels and predictions to one value a sample, and from those to the number that is trained on.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

/// How the values V of the samples, their weights w and mask m become the loss. Keras: the argument
/// `reduction`.
enum class Reduction {
  sum_over_batch_size,  ///< Σ V·w / size(V), or with a mask Σ V·w·m / Σ m: weights do not enter below
  sum,                  ///< Σ V·w·m
  none,                 ///< the values V·w·m
  mean_with_sample_weight,  ///< Σ V·w·m / Σ w·m
};

/// What a loss computes, behind one interface. Immutable, safe from many threads.
class KERATIN_API LossFunction {
 public:
  virtual ~LossFunction();
  /// One value a sample: shape of y_pred without its last axis (see Dice, Tversky, CTC for others), recorded
  /// with respect to y_pred. Labels are constants and converted to y_pred's dtype. ShapeError, ValueError for
  /// labels out of range.
  virtual Tensor values(const Tensor& y_true, const Tensor& y_pred) const = 0;
  /// 1 for each value that counts and 0 for those that do not, or undefined where all count.
  virtual Tensor mask(const Tensor& y_true, const Tensor& y_pred) const;
  /// Whether these labels fit predictions of that shape, whose batch axis may be unknown; throws what
  /// `values` would. fit asks before anything changes.
  virtual void check(const Tensor& y_true, const Shape& y_pred) const;
  virtual std::string name() const = 0;
  virtual Reduction reduction() const { return Reduction::sum_over_batch_size; }
  virtual Generation generation() const { return Generation::keras3; }
  /// As Keras of that generation writes it.
  virtual Config serialize(Generation generation) const = 0;
};

// The losses by Keras's class names; fields in the order of its signatures, `generation` last: which Keras's
// formula where the two differ (training.md lists where). Each is a value that converts to Loss:
// `losses::BinaryCrossentropy({.from_logits = true})`.
namespace losses {

/// mean((p − y)²)
struct MeanSquaredError {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_squared_error";
  Generation generation = Generation::keras3;
};
/// mean|p − y|
struct MeanAbsoluteError {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_absolute_error";
  Generation generation = Generation::keras3;
};
/// 100 · mean(|y − p| / max(|y|, 1e-7))
struct MeanAbsolutePercentageError {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_absolute_percentage_error";
  Generation generation = Generation::keras3;
};
/// mean((ln(p + 1) − ln(y + 1))²), both at least 1e-7
struct MeanSquaredLogarithmicError {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "mean_squared_logarithmic_error";
  Generation generation = Generation::keras3;
};
/// Mean of d²/2 where |d| ≤ delta, delta·|d| − delta²/2 elsewhere; d = p − y.
struct Huber {
  double delta = 1.0;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "huber_loss";
  Generation generation = Generation::keras3;
};
/// mean(ln cosh(p − y))
struct LogCosh {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "log_cosh";
  Generation generation = Generation::keras3;
};
/// Σ y·ln(y / p), both clipped to [1e-7, 1]
struct KLDivergence {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "kl_divergence";
  Generation generation = Generation::keras3;
};
/// mean(p − y·ln(p + 1e-7))
struct Poisson {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "poisson";
  Generation generation = Generation::keras3;
};
/// mean(max(1 − y·p, 0)); labels 0 and 1 become −1 and 1 if the batch holds no others.
struct Hinge {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "hinge";
  Generation generation = Generation::keras3;
};
/// mean(max(1 − y·p, 0)²), labels as for Hinge
struct SquaredHinge {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "squared_hinge";
  Generation generation = Generation::keras3;
};
/// max(max((1 − y)·p) − Σ y·p + 1, 0)
struct CategoricalHinge {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "categorical_hinge";
  Generation generation = Generation::keras3;
};
/// −Σ y·p / (‖y‖·‖p‖), each norm at least 1e-7 (Keras 2: 1e-6)
struct CosineSimilarity {
  std::int64_t axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "cosine_similarity";
  Generation generation = Generation::keras3;
};
/// −mean(y·ln p + (1 − y)·ln(1 − p)), p clipped to [1e-7, 1 − 1e-7]; Keras 2 adds 1e-7 inside each logarithm.
/// From logits, or where y_pred is the result of a sigmoid: max(z, 0) − z·y + ln(1 + e^−|z|), nothing
/// clipped.
struct BinaryCrossentropy {
  bool from_logits = false;
  double label_smoothing = 0.0;
  std::int64_t axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "binary_crossentropy";
  Generation generation = Generation::keras3;
};
/// Binary cross-entropy times (1 − p_t)^gamma, p_t the probability of the label; with class balancing also
/// times alpha for label 1 and 1 − alpha for 0.
struct BinaryFocalCrossentropy {
  bool apply_class_balancing = false;
  double alpha = 0.25;
  double gamma = 2.0;
  bool from_logits = false;
  double label_smoothing = 0.0;
  std::int64_t axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "binary_focal_crossentropy";
  Generation generation = Generation::keras3;
};
/// −Σ y·ln p, p divided by its sum, then clipped to [1e-7, 1 − 1e-7]. From logits, or where y_pred is the
/// result of a softmax: −Σ y·log_softmax(z), nothing clipped.
struct CategoricalCrossentropy {
  bool from_logits = false;
  double label_smoothing = 0.0;
  std::int64_t axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "categorical_crossentropy";
  Generation generation = Generation::keras3;
};
/// −ln p of the label, p clipped to [1e-7, 1 − 1e-7], then divided by its sum; from logits and after a
/// softmax as CategoricalCrossentropy. Labels (...) or (..., 1), of any number type. Entries of ignore_class
/// count nothing.
struct SparseCategoricalCrossentropy {
  bool from_logits = false;
  std::optional<std::int64_t> ignore_class = std::nullopt;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::int64_t axis = -1;
  std::string name = "sparse_categorical_crossentropy";
  Generation generation = Generation::keras3;
};

/// −Σ alpha·(1 − p)^gamma·y·ln p, p divided by its sum, then clipped to [1e-7, 1 − 1e-7]; from logits that of
/// their softmax. alpha: one number, or one a class.
struct CategoricalFocalCrossentropy {
  std::vector<double> alpha = {0.25};
  double gamma = 2.0;
  bool from_logits = false;
  double label_smoothing = 0.0;
  std::int64_t axis = -1;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "categorical_focal_crossentropy";
  Generation generation = Generation::keras3;
};
/// (1 − p^q)/q for the probability p of the label, a class number; 0 < q < 1. Zhang and Sabuncu, 2018.
struct CategoricalGeneralizedCrossEntropy {
  double q = 0.5;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "categorical_generalized_cross_entropy";
  Generation generation = Generation::keras3;
};
/// 1 − 2·Σ y·p/(Σ y + Σ p + 1e-7), sums over `axis`: all of the batch unless given.
struct Dice {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "dice";
  std::optional<std::vector<std::int64_t>> axis = std::nullopt;
  Generation generation = Generation::keras3;
};
/// 1 − I/(I + alpha·Σ (1 − p)·y + beta·Σ p·(1 − y) + 1e-7), I = Σ y·p, sums over `axis` as Dice: alpha weighs
/// what was missed, beta what was found in excess. Salehi et al., 2017.
struct Tversky {
  double alpha = 0.5;
  double beta = 0.5;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "tversky";
  std::optional<std::vector<std::int64_t>> axis = std::nullopt;
  Generation generation = Generation::keras3;
};
/// Pairs of a batch of embeddings (batch, size) of norm 1 with class numbers (batch,); distances d = 1 − e·f:
/// ln(1 + Σ_same e^(gamma·(d + margin)·(d − margin))·Σ_other e^(gamma·(1 + margin − d)·(1 − margin − d))),
/// weights not below 0. Samples of loss 0 are masked. Sun et al., 2020.
struct Circle {
  double gamma = 80.0;
  double margin = 0.4;
  bool remove_diagonal = true;
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "circle";
  Generation generation = Generation::keras3;
};
/// −ln of the probability that logits (batch, time, classes) spell the labels (batch, length), class numbers
/// from 1; 0 is the blank, and fills up shorter labels. Infinite where time does not suffice. Graves et al.,
/// 2006. Cost: batch·time·length.
struct CTC {
  Reduction reduction = Reduction::sum_over_batch_size;
  std::string name = "ctc";
  Generation generation = Generation::keras3;
};

}  // namespace losses

namespace detail {
using LossPointer = std::shared_ptr<const LossFunction>;
KERATIN_API LossPointer make_loss(const losses::MeanSquaredError& options);
KERATIN_API LossPointer make_loss(const losses::MeanAbsoluteError& options);
KERATIN_API LossPointer make_loss(const losses::MeanAbsolutePercentageError& options);
KERATIN_API LossPointer make_loss(const losses::MeanSquaredLogarithmicError& options);
KERATIN_API LossPointer make_loss(const losses::Huber& options);
KERATIN_API LossPointer make_loss(const losses::LogCosh& options);
KERATIN_API LossPointer make_loss(const losses::KLDivergence& options);
KERATIN_API LossPointer make_loss(const losses::Poisson& options);
KERATIN_API LossPointer make_loss(const losses::Hinge& options);
KERATIN_API LossPointer make_loss(const losses::SquaredHinge& options);
KERATIN_API LossPointer make_loss(const losses::CategoricalHinge& options);
KERATIN_API LossPointer make_loss(const losses::CosineSimilarity& options);
KERATIN_API LossPointer make_loss(const losses::BinaryCrossentropy& options);
KERATIN_API LossPointer make_loss(const losses::BinaryFocalCrossentropy& options);
KERATIN_API LossPointer make_loss(const losses::CategoricalCrossentropy& options);
KERATIN_API LossPointer make_loss(const losses::SparseCategoricalCrossentropy& options);
KERATIN_API LossPointer make_loss(const losses::CategoricalFocalCrossentropy& options);
KERATIN_API LossPointer make_loss(const losses::CategoricalGeneralizedCrossEntropy& options);
KERATIN_API LossPointer make_loss(const losses::Dice& options);
KERATIN_API LossPointer make_loss(const losses::Tversky& options);
KERATIN_API LossPointer make_loss(const losses::Circle& options);
KERATIN_API LossPointer make_loss(const losses::CTC& options);
using LossCallable = std::function<Tensor(const Tensor& y_true, const Tensor& y_pred)>;
KERATIN_API LossPointer make_loss(LossCallable callable, std::string name);

template <class Options>
concept LossOptions = requires(const Options& options) {
  { make_loss(options) } -> std::same_as<LossPointer>;
};
}  // namespace detail

/// A loss as a value: nothing, a name ("mse", "sparse_categorical_crossentropy"), one of losses::, or a
/// callable (y_true, y_pred) -> one value a sample. Cheap to copy.
class KERATIN_API Loss {
 public:
  /// No loss.
  Loss() = default;
  /// Keras 3's of that name or alias; ValueError proposes the nearest.
  Loss(const char* name);
  Loss(std::string_view name);
  Loss(const std::string& name) : Loss(std::string_view(name)) {}
  Loss(detail::LossPointer function) : function_(std::move(function)) {}
  template <detail::LossOptions Options>
  Loss(const Options& options) : function_(detail::make_loss(options)) {}
  template <class F>
  requires(std::is_invocable_r_v<Tensor, const F&, const Tensor&, const Tensor&> && !std::same_as<F, Loss>)
      Loss(const F& callable, std::string name = "loss")
      : function_(detail::make_loss(detail::LossCallable(callable), std::move(name))) {}

  bool is_defined() const noexcept { return function_ != nullptr; }
  const LossFunction& function() const noexcept { return *function_; }
  const detail::LossPointer& shared() const noexcept { return function_; }
  std::string name() const { return function_->name(); }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const {
    return function_->values(y_true, y_pred);
  }

  /// The reduced loss: a recorded scalar, or the weighted values for Reduction::none.
  /// sample_weight: of the values' shape, or one that differs by a last axis of size 1; with Keras 2's losses
  /// also (samples,) for values (samples, ...). mask: 1 where a value counts, same shapes. Keras:
  /// Loss.__call__.
  Tensor operator()(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight = {},
                    const Tensor& mask = {}) const;

  /// As Keras writes it: {"module", "class_name", "config", "registered_name"}, or the name it was made from.
  Config serialize(Generation generation = Generation::keras3) const;

 private:
  detail::LossPointer function_;
};

namespace losses {
/// The loss of a name, as that generation defines it. Keras: keras.losses.get.
KERATIN_API Loss get(std::string_view name, Generation generation = Generation::keras3);
/// The loss of a config as Keras writes it, or of a name; ValueError for what is unknown, naming it.
/// Keras: keras.losses.deserialize.
KERATIN_API Loss deserialize(const Config& config, Generation generation = Generation::keras3);
}  // namespace losses

}  // namespace keratin::inline v0
