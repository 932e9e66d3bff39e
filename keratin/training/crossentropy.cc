// The cross-entropies: from probabilities, from logits, and from the logits behind a softmax or sigmoid.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "keratin/training/loss_base.h"
#include "keratin/training/loss_functions.h"
#include "keratin/training/loss_rows.h"

namespace keratin::inline v0::detail {
namespace {

/// What the loss reads: y_pred itself, or what the softmax or sigmoid that made it was applied to, as Keras
/// on TensorFlow does: nothing is clipped then, and softmax([0, 100]) has the loss 100 for class 0, not 16.
struct Source {
  Tensor tensor;
  bool logits;
};
Source source_of(const Tensor& y_pred, bool from_logits, std::string_view function) {
  const auto& origin = y_pred.origin();
  if (origin != nullptr && origin->function == function) return {origin->logits, true};
  return {y_pred, from_logits};
}

// ---- Binary: one probability an entry.

template <class T>
BinaryProbabilityFunction<T> probability_function(Generation generation, BinarySmoothing<T> smooth) {
  return {smooth, generation == Generation::keras2 ? static_cast<T>(kEpsilon) : T(0)};
}

template <class T>
struct BinaryFunctions {
  BinaryProbabilityFunction<T> from_probability;
  BinaryLogitsFunction<T> from_logits;
};
template <class T>
BinaryFunctions<T> functions_of(const losses::BinaryCrossentropy& options) {
  const BinarySmoothing<T> smooth{static_cast<T>(options.label_smoothing)};
  return {probability_function(options.generation, smooth), {smooth}};
}

template <class T>
struct FocalFunctions {
  FocalProbabilityFunction<T> from_probability;
  FocalLogitsFunction<T> from_logits;
};
template <class T>
FocalFunctions<T> functions_of(const losses::BinaryFocalCrossentropy& options) {
  const BinarySmoothing<T> smooth{static_cast<T>(options.label_smoothing)};
  const bool weighted = options.apply_class_balancing;
  const FocalFactor<T> factor{static_cast<T>(options.gamma), static_cast<T>(weighted ? options.alpha : 1),
                              static_cast<T>(weighted ? 1 - options.alpha : 1)};
  return {{factor, probability_function(options.generation, BinarySmoothing<T>{}), smooth},
          {factor, {}, smooth}};
}

template <class Options>
class BinaryLoss final : public LossOf<Options> {
 public:
  using LossOf<Options>::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const Options& options = this->options_;
    const Tensor labels = labels_like(options.name, y_true, y_pred);
    const Tensor y = with_axis_last(options.name, labels, options.axis).contiguous();
    Source source = source_of(y_pred, options.from_logits, "sigmoid");
    source.tensor = with_axis_last(options.name, source.tensor, options.axis);
    const auto compute = [&]<class T>(T) {
      const auto functions = functions_of<T>(options);
      const auto apply = [&]<class Function>(const Function& function) {
        return row_loss<T>(
            this->class_name_, source.tensor,
            ElementKernel<T, Function>{y, y.values<T>().data(), rows_of(y.shape()).size, function});
      };
      return source.logits ? apply(functions.from_logits) : apply(functions.from_probability);
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }
};

// ---- Categorical: a distribution a row.

/// Labels as distributions, smoothed.
template <class T>
struct DenseLabels {
  Tensor labels;
  const T* y;
  std::int64_t size;
  T keep, add;  // y·keep + add
  T at(std::int64_t row, std::int64_t i) const { return y[row * size + i] * keep + add; }
  double total(std::int64_t row) const {
    return sum_of(size, [&](std::int64_t i) { return at(row, i); });
  }
  bool counts(std::int64_t) const { return true; }
};

/// Labels as class numbers.
struct IndexLabels {
  std::shared_ptr<const Labels> labels;
  std::int64_t size;
  std::optional<std::int64_t> ignored;
  std::int64_t of(std::int64_t row) const { return (*labels)[static_cast<std::size_t>(row)]; }
  double at(std::int64_t row, std::int64_t i) const { return of(row) == i ? 1 : 0; }
  double total(std::int64_t) const { return 1; }
  bool counts(std::int64_t row) const { return of(row) != ignored; }
};

/// Σ y·f(i) over a row, which for class numbers is one term.
template <class T, class F>
double expectation(const DenseLabels<T>& labels, std::int64_t row, F f) {
  return sum_of(labels.size, [&](std::int64_t i) {
    const auto y = static_cast<double>(labels.at(row, i));
    return y == 0 ? 0 : y * f(i);  // 0·∞ is 0 here, as the limit is
  });
}
template <class F>
double expectation(const IndexLabels& labels, std::int64_t row, F f) {
  return f(labels.of(row));
}

template <class T>
void clear(T* out, std::int64_t count) {
  std::fill(out, out + count, T(0));
}

template <class T, class Labels>
struct LogitsKernel {
  Labels labels;
  Tensor statistics;  // ln Σ e^z of each row, kept for the gradient
  double* log_sums;

  double value(std::int64_t row, const T* z) const {
    const std::int64_t size = labels.size;
    T largest = z[0];
    for (std::int64_t i = 1; i < size; ++i) largest = std::max(largest, z[i]);
    const double sum = sum_of(size, [&](std::int64_t i) { return std::exp(z[i] - largest); });
    const double log_sum = static_cast<double>(largest) + std::log(sum);
    log_sums[row] = log_sum;
    if (!labels.counts(row)) return 0;
    return expectation(labels, row, [&](std::int64_t i) { return log_sum - static_cast<double>(z[i]); });
  }
  void gradient(std::int64_t row, const T* z, double upstream, T* out) const {
    if (!labels.counts(row)) return clear(out, labels.size);
    const double log_sum = log_sums[row];
    const T total = static_cast<T>(labels.total(row)), scale = static_cast<T>(upstream);
    for (std::int64_t i = 0; i < labels.size; ++i) {
      const T probability = std::exp(static_cast<T>(static_cast<double>(z[i]) - log_sum));
      out[i] = scale * (total * probability - static_cast<T>(labels.at(row, i)));
    }
  }
};

template <class T>
inline constexpr T kLowest = T(kEpsilon);
template <class T>
inline constexpr T kHighest = T(1) - T(kEpsilon);
template <class T>
T clip(T p) {
  return std::min(std::max(p, kLowest<T>), kHighest<T>);
}
template <class T>
bool is_inside(T p) {
  return p >= kLowest<T> && p <= kHighest<T>;
}

/// p/Σp, clipped, not normalised again.
template <class T>
struct DenseProbabilityKernel {
  DenseLabels<T> labels;

  double value(std::int64_t row, const T* p) const {
    const T sum = static_cast<T>(sum_of(labels.size, [&](std::int64_t i) { return p[i]; }));
    return expectation(labels, row,
                       [&](std::int64_t i) { return -static_cast<double>(std::log(clip(p[i] / sum))); });
  }
  void gradient(std::int64_t row, const T* p, double upstream, T* out) const {
    const T sum = static_cast<T>(sum_of(labels.size, [&](std::int64_t i) { return p[i]; }));
    // g = dL/dq of q = p/Σp; then dL/dp = (g − Σ g·q) / Σp.
    const auto slope = [&](std::int64_t i) {
      const T q = p[i] / sum;
      return is_inside(q) ? -labels.at(row, i) / q : T(0);
    };
    const T mean =
        static_cast<T>(sum_of(labels.size, [&](std::int64_t i) { return slope(i) * (p[i] / sum); }));
    const T scale = static_cast<T>(upstream) / sum;
    for (std::int64_t i = 0; i < labels.size; ++i) out[i] = scale * (slope(i) - mean);
  }
};

/// Clipped, then divided by the sum.
template <class T>
struct IndexProbabilityKernel {
  IndexLabels labels;

  double sum_clipped(const T* p) const {
    return sum_of(labels.size, [&](std::int64_t i) { return clip(p[i]); });
  }
  double value(std::int64_t row, const T* p) const {
    if (!labels.counts(row)) return 0;
    return std::log(sum_clipped(p)) - std::log(static_cast<double>(clip(p[labels.of(row)])));
  }
  void gradient(std::int64_t row, const T* p, double upstream, T* out) const {
    if (!labels.counts(row)) return clear(out, labels.size);
    const double sum = sum_clipped(p);
    const std::int64_t label = labels.of(row);
    for (std::int64_t i = 0; i < labels.size; ++i) {
      const double own = i == label ? 1 / static_cast<double>(p[i]) : 0;
      out[i] = is_inside(p[i]) ? static_cast<T>(upstream * (1 / sum - own)) : T(0);
    }
  }
};

template <class T, class Labels>
Tensor from_logits(std::string_view operation, const Tensor& z, Labels labels) {
  Tensor statistics = Tensor::empty({rows_of(z.shape()).count}, DType::float64);
  double* log_sums = statistics.mutable_values<double>().data();
  return row_loss<T>(operation, z, LogitsKernel<T, Labels>{std::move(labels), statistics, log_sums});
}

class CategoricalLoss final : public LossOf<losses::CategoricalCrossentropy> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const std::string& name = options_.name;
    const Tensor labels = labels_like(name, y_true, y_pred);
    if (labels.rank() == 0)
      throw ShapeError(name, "expects predictions of shape (..., classes)", "got a scalar", "");
    // Keras 3 counts the classes on the last axis whatever `axis` says.
    const std::size_t class_axis = labels.shape().axis(options_.axis, name);
    const std::int64_t classes =
        options_.generation == Generation::keras2 ? labels.shape()[class_axis] : labels.shape().back();
    const Tensor y = with_axis_last(name, labels, options_.axis).contiguous();
    Source source = source_of(y_pred, options_.from_logits, "softmax");
    source.tensor = with_axis_last(name, source.tensor, options_.axis);
    const double smoothing = options_.label_smoothing;
    const auto compute = [&]<class T>(T) {
      const DenseLabels<T> dense{y, y.values<T>().data(), y.shape().back(), static_cast<T>(1 - smoothing),
                                 static_cast<T>(smoothing / static_cast<double>(classes))};
      return source.logits ? from_logits<T>(class_name_, source.tensor, dense)
                           : row_loss<T>(class_name_, source.tensor, DenseProbabilityKernel<T>{dense});
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }
};

class SparseLoss final : public LossOf<losses::SparseCategoricalCrossentropy> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const std::string& name = options_.name;
    check_predictions(name, y_pred);
    Source source = source_of(y_pred, options_.from_logits, "softmax");
    source.tensor = with_axis_last(name, source.tensor, options_.axis);
    auto labels =
        make_small<Labels>(class_labels(name, y_true, source.tensor.shape(), options_.ignore_class));
    const IndexLabels index{std::move(labels), source.tensor.shape().back(), options_.ignore_class};
    const auto compute = [&]<class T>(T) {
      return source.logits ? from_logits<T>(class_name_, source.tensor, index)
                           : row_loss<T>(class_name_, source.tensor, IndexProbabilityKernel<T>{index});
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }

  Tensor mask(const Tensor& y_true, const Tensor& y_pred) const override {
    if (!options_.ignore_class) return {};
    const Shape predictions = with_axis_last(options_.name, y_pred.detach(), options_.axis).shape();
    const auto labels = class_labels(options_.name, y_true, predictions, options_.ignore_class);
    Tensor mask = Tensor::empty(values_shape(predictions), y_pred.dtype());
    visit_mask(mask, labels);
    return mask;
  }

  void check(const Tensor& y_true, const Shape& y_pred) const override {
    const std::size_t moved = y_pred.axis(options_.axis, options_.name);
    const Shape rows = y_pred.without(moved);
    class_labels(options_.name, y_true, rows.with_inserted(rows.rank(), y_pred[moved]),
                 options_.ignore_class);
  }

 private:
  void visit_mask(Tensor& mask, const Labels& labels) const {
    const auto fill = [&]<class T>(T) {
      std::transform(labels.begin(), labels.end(), mask.mutable_values<T>().begin(),
                     [&](std::int64_t label) { return label == options_.ignore_class ? T(0) : T(1); });
    };
    mask.dtype() == DType::float64 ? fill(double{}) : fill(float{});
  }
};

}  // namespace

LossPointer make_loss(const losses::BinaryCrossentropy& options) {
  check_smoothing(options.name, options.label_smoothing);
  return std::make_shared<BinaryLoss<losses::BinaryCrossentropy>>(options, "BinaryCrossentropy");
}
LossPointer make_loss(const losses::BinaryFocalCrossentropy& options) {
  check_smoothing(options.name, options.label_smoothing);
  return std::make_shared<BinaryLoss<losses::BinaryFocalCrossentropy>>(options, "BinaryFocalCrossentropy");
}
LossPointer make_loss(const losses::CategoricalCrossentropy& options) {
  check_smoothing(options.name, options.label_smoothing);
  return std::make_shared<CategoricalLoss>(options, "CategoricalCrossentropy");
}
LossPointer make_loss(const losses::SparseCategoricalCrossentropy& options) {
  return std::make_shared<SparseLoss>(options, "SparseCategoricalCrossentropy");
}

}  // namespace keratin::inline v0::detail
