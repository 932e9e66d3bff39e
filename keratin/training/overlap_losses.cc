// Losses of sets and of classes that no other file has: Dice and Tversky, focal and generalized
// cross-entropy.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "keratin/core/text.h"
#include "keratin/ops/ops.h"
#include "keratin/training/loss_base.h"
#include "keratin/training/loss_functions.h"
#include "keratin/training/loss_rows.h"

namespace keratin::inline v0::detail {
namespace {

/// Built from ops that record themselves.
class DiceLoss final : public LossOf<losses::Dice> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const Tensor y = labels_like(options_.name, y_true, y_pred);
    const Tensor both = ops::sum(y * y_pred, options_.axis);
    const Tensor all = ops::sum(y, options_.axis) + ops::sum(y_pred, options_.axis);
    return 1 - 2 * both / (all + kEpsilon);
  }
};

class TverskyLoss final : public LossOf<losses::Tversky> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const Tensor y = labels_like(options_.name, y_true, y_pred);
    const Tensor both = ops::sum(y * y_pred, options_.axis);
    const Tensor missed = ops::sum((1 - y_pred) * y, options_.axis);
    const Tensor excess = ops::sum(y_pred * (1 - y), options_.axis);
    return 1 - both / (both + missed * options_.alpha + excess * options_.beta + kEpsilon);
  }
};

/// q = p/Σp, or the softmax of logits, clipped.
template <class T>
struct CategoricalFocalKernel {
  Tensor labels;
  const T* y;
  std::int64_t size;
  std::vector<double> alpha;
  double gamma, keep, add;  // y·keep + add
  bool logits;

  struct Row {
    double offset, sum;  // e^(z − offset)/sum, or p/sum
  };
  Row row_of(const T* p) const {
    if (!logits) return {0, sum_of(size, [&](std::int64_t i) { return p[i]; })};
    const auto offset = static_cast<double>(*std::max_element(p, p + size));
    return {offset,
            sum_of(size, [&](std::int64_t i) { return std::exp(static_cast<double>(p[i]) - offset); })};
  }
  double share(const Row& row, T p) const {
    const auto x = static_cast<double>(p);
    return (logits ? std::exp(x - row.offset) : x) / row.sum;
  }
  // In the type that Keras computes in: 1 − 1e-7 is 1 − 1.19e-7 in float32.
  static double highest() { return static_cast<double>(T(1) - T(kEpsilon)); }
  static double clip(double q) { return std::clamp(q, kEpsilon, highest()); }
  double weight(std::int64_t row, std::int64_t i) const {
    return alpha[static_cast<std::size_t>(i) % alpha.size()] *
           (static_cast<double>(y[row * size + i]) * keep + add);
  }
  double value(std::int64_t row, const T* p) const {
    const Row of = row_of(p);
    return sum_of(size, [&](std::int64_t i) {
      const double q = clip(share(of, p[i]));
      return -weight(row, i) * std::pow(1 - q, gamma) * std::log(q);
    });
  }
  // d value / d q_i, 0 where q was clipped.
  double slope(std::int64_t row, std::int64_t i, double q) const {
    if (q < kEpsilon || q > highest()) return 0;
    const double rise = gamma == 0 ? 0 : gamma * std::pow(1 - q, gamma - 1) * std::log(q);
    return weight(row, i) * (rise - std::pow(1 - q, gamma) / q);
  }
  void gradient(std::int64_t row, const T* p, double upstream, T* out) const {
    const Row of = row_of(p);
    const double mean = sum_of(size, [&](std::int64_t i) {
      const double q = share(of, p[i]);
      return slope(row, i, q) * q;
    });
    for (std::int64_t i = 0; i < size; ++i) {
      const double q = share(of, p[i]);
      out[i] = static_cast<T>(upstream * (slope(row, i, q) - mean) * (logits ? q : 1 / of.sum));
    }
  }
};

class CategoricalFocalLoss final : public LossOf<losses::CategoricalFocalCrossentropy> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const std::string& name = options_.name;
    const Tensor labels = labels_like(name, y_true, y_pred);
    const Tensor y = with_axis_last(name, labels, options_.axis).contiguous();
    const Tensor p = with_axis_last(name, y_pred, options_.axis);
    const std::int64_t classes = rows_of(y.shape()).size;
    if (options_.alpha.size() != 1 && static_cast<std::int64_t>(options_.alpha.size()) != classes)
      throw ValueError(name, "expects one alpha, or one for each of " + std::to_string(classes) + " classes",
                       "got " + std::to_string(options_.alpha.size()));
    const double smoothing = options_.label_smoothing;
    const auto compute = [&]<class T>(T) {
      return row_loss<T>(class_name_, p,
                         CategoricalFocalKernel<T>{.labels = y,
                                                   .y = y.values<T>().data(),
                                                   .size = classes,
                                                   .alpha = options_.alpha,
                                                   .gamma = options_.gamma,
                                                   .keep = 1 - smoothing,
                                                   .add = smoothing / static_cast<double>(classes),
                                                   .logits = options_.from_logits});
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }
};

template <class T>
struct GeneralizedKernel {
  std::shared_ptr<const Labels> labels;
  std::int64_t size;
  double q;

  std::int64_t of(std::int64_t row) const { return (*labels)[static_cast<std::size_t>(row)]; }
  double value(std::int64_t row, const T* p) const {
    return (1 - std::pow(static_cast<double>(p[of(row)]), q)) / q;
  }
  void gradient(std::int64_t row, const T* p, double upstream, T* out) const {
    std::fill(out, out + size, T(0));
    out[of(row)] = static_cast<T>(-upstream * std::pow(static_cast<double>(p[of(row)]), q - 1));
  }
};

class GeneralizedLoss final : public LossOf<losses::CategoricalGeneralizedCrossEntropy> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    check_predictions(options_.name, y_pred);
    auto labels = make_small<Labels>(class_labels(options_.name, y_true, y_pred.shape(), {}));
    const auto compute = [&]<class T>(T) {
      return row_loss<T>(class_name_, y_pred,
                         GeneralizedKernel<T>{labels, y_pred.shape().back(), options_.q});
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }
  void check(const Tensor& y_true, const Shape& y_pred) const override {
    class_labels(options_.name, y_true, y_pred, {});
  }
};

}  // namespace

LossPointer make_loss(const losses::Dice& options) { return std::make_shared<DiceLoss>(options, "Dice"); }
LossPointer make_loss(const losses::Tversky& options) {
  return std::make_shared<TverskyLoss>(options, "Tversky");
}
LossPointer make_loss(const losses::CategoricalFocalCrossentropy& options) {
  check_smoothing(options.name, options.label_smoothing);
  if (options.alpha.empty())
    throw ValueError(options.name, "expects an alpha", "the list is empty", "The default is 0.25.");
  return std::make_shared<CategoricalFocalLoss>(options, "CategoricalFocalCrossentropy");
}
LossPointer make_loss(const losses::CategoricalGeneralizedCrossEntropy& options) {
  if (!(options.q > 0 && options.q < 1))
    throw ValueError(options.name, "expects q between 0 and 1", "got " + to_text(options.q),
                     "Near 0 it is the cross-entropy, near 1 the absolute error.");
  return std::make_shared<GeneralizedLoss>(options, "CategoricalGeneralizedCrossEntropy");
}

}  // namespace keratin::inline v0::detail
