// Circle: a loss of all pairs of a batch.
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "keratin/ops/ops.h"
#include "keratin/training/loss_base.h"
#include "keratin/training/loss_functions.h"
#include "keratin/training/loss_rows.h"

namespace keratin::inline v0::detail {
namespace {

using Labels = std::vector<std::int64_t>;

/// Rows are the distances of one sample to all.
template <class T>
struct CircleKernel {
  std::shared_ptr<const Labels> labels;
  double gamma, margin;
  bool remove_diagonal;

  std::int64_t size() const { return static_cast<std::int64_t>(labels->size()); }
  bool same(std::int64_t i, std::int64_t j) const {
    return (*labels)[static_cast<std::size_t>(i)] == (*labels)[static_cast<std::size_t>(j)];
  }
  bool is_positive(std::int64_t i, std::int64_t j) const {
    return same(i, j) && !(remove_diagonal && i == j);
  }

  // The exponent of a pair and its slope: (d + m)(d − m), or (1 + m − d)(1 − m − d); weights not below 0.
  std::pair<double, double> positive(double d) const {
    if (d + margin <= 0) return {0, 0};
    return {gamma * (d + margin) * (d - margin), 2 * gamma * d};
  }
  std::pair<double, double> negative(double d) const {
    if (1 + margin - d <= 0) return {0, 0};
    return {gamma * (1 + margin - d) * (1 - margin - d), -2 * gamma * (1 - d)};
  }

  struct LogSum {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    void add(double x) {
      if (x > largest) {
        sum = sum * std::exp(largest - x) + 1;
        largest = x;
      } else {
        sum += std::exp(x - largest);
      }
    }
    double value() const { return largest + std::log(sum); }
  };
  struct Sums {
    LogSum positive, negative;
    bool both() const { return positive.sum > 0 && negative.sum > 0; }
    double total() const { return positive.value() + negative.value(); }
  };
  Sums sums_of(std::int64_t row, const T* d) const {
    Sums sums;
    for (std::int64_t j = 0; j < size(); ++j) {
      if (is_positive(row, j)) sums.positive.add(positive(static_cast<double>(d[j])).first);
      if (!same(row, j)) sums.negative.add(negative(static_cast<double>(d[j])).first);
    }
    return sums;
  }
  double value(std::int64_t row, const T* d) const {
    const Sums sums = sums_of(row, d);
    if (!sums.both()) return 0;
    const double total = sums.total();
    return std::max(total, 0.0) + std::log1p(std::exp(-std::abs(total)));
  }
  void gradient(std::int64_t row, const T* d, double upstream, T* out) const {
    const Sums sums = sums_of(row, d);
    const double scale = sums.both() ? upstream * logistic(sums.total()) : 0;
    for (std::int64_t j = 0; j < size(); ++j) {
      double slope = 0;
      const auto add = [&](const std::pair<double, double>& pair, const LogSum& all) {
        slope += std::exp(pair.first - all.value()) * pair.second;
      };
      if (scale != 0 && is_positive(row, j)) add(positive(static_cast<double>(d[j])), sums.positive);
      if (scale != 0 && !same(row, j)) add(negative(static_cast<double>(d[j])), sums.negative);
      out[j] = static_cast<T>(scale * slope);
    }
  }
};

class CircleLoss final : public LossOf<losses::Circle> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    check_predictions(options_.name, y_pred);
    auto labels = std::make_shared<const Labels>(labels_of(y_true, y_pred.shape()));
    const Tensor zero = Tensor::zeros({}, y_pred.dtype());
    const Tensor distances = ops::maximum(1 - ops::matmul(y_pred, ops::transpose(y_pred)), zero);
    const auto compute = [&]<class T>(T) {
      return row_loss<T>(class_name_, distances,
                         CircleKernel<T>{labels, options_.gamma, options_.margin, options_.remove_diagonal});
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }
  // A sample without a partner or without an opponent does not count.
  Tensor mask(const Tensor& y_true, const Tensor& y_pred) const override {
    const RecordGradients off(false);
    const Tensor all = values(y_true, y_pred.detach());
    return ops::greater(all, Tensor::zeros({}, all.dtype())).astype(all.dtype());
  }
  void check(const Tensor& y_true, const Shape& y_pred) const override { labels_of(y_true, y_pred); }

 private:
  Labels labels_of(const Tensor& y_true, const Shape& y_pred) const {
    if (y_pred.rank() != 2)
      throw ShapeError(options_.name, "expects embeddings of shape (batch, size)",
                       "got " + y_pred.to_string());
    if (!y_true.is_defined()) throw StateError(options_.name, "expects labels", "y_true is undefined");
    const bool column = y_true.rank() == 2 && y_true.shape().back() == 1;
    const bool fits =
        (y_true.rank() == 1 || column) && (y_pred[0] == Shape::kUnknown || y_true.shape()[0] == y_pred[0]);
    if (!fits)
      throw ShapeError(options_.name,
                       "expects one class number for each of the embeddings " + y_pred.to_string(),
                       "got labels of shape " + y_true.shape().to_string());
    const Tensor numbers = y_true.detach().astype(DType::int64).contiguous();
    const auto values = numbers.values<std::int64_t>();
    return {values.begin(), values.end()};
  }
};

}  // namespace

LossPointer make_loss(const losses::Circle& options) {
  return std::make_shared<CircleLoss>(options, "Circle");
}

}  // namespace keratin::inline v0::detail
