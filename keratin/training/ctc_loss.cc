// CTC: the probability that a sequence of logits spells a shorter sequence of labels.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "keratin/ops/ops.h"
#include "keratin/training/loss_base.h"
#include "keratin/training/loss_rows.h"

namespace keratin::inline v0::detail {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double log_add(double a, double b) {
  const double high = std::max(a, b), low = std::min(a, b);
  return low == kNever ? high : high + std::log1p(std::exp(low - high));
}

/// Rows are samples: time × classes logits. The path runs over the labels with blanks around and between:
/// states 0 … 2·length, even ones blank.
template <class T>
struct CtcKernel {
  std::shared_ptr<const std::vector<std::vector<std::int64_t>>> labels;
  std::int64_t time, classes;

  struct Sample {
    std::vector<std::int64_t> states;  // the class of each
    std::vector<double> log_p;         // time × classes
    std::int64_t count() const { return static_cast<std::int64_t>(states.size()); }
  };
  Sample sample_of(std::int64_t row, const T* z) const {
    Sample sample;
    sample.states.push_back(0);
    for (const std::int64_t label : (*labels)[static_cast<std::size_t>(row)]) {
      sample.states.push_back(label);
      sample.states.push_back(0);
    }
    sample.log_p.resize(static_cast<std::size_t>(time * classes));
    for (std::int64_t t = 0; t < time; ++t) {
      const T* at = z + t * classes;
      const auto largest = static_cast<double>(*std::max_element(at, at + classes));
      const double sum =
          sum_of(classes, [&](std::int64_t k) { return std::exp(static_cast<double>(at[k]) - largest); });
      for (std::int64_t k = 0; k < classes; ++k)
        sample.log_p[static_cast<std::size_t>(t * classes + k)] =
            static_cast<double>(at[k]) - largest - std::log(sum);
    }
    return sample;
  }
  double log_p(const Sample& sample, std::int64_t t, std::int64_t state) const {
    return sample
        .log_p[static_cast<std::size_t>(t * classes + sample.states[static_cast<std::size_t>(state)])];
  }
  // From state s − 2 to s without the blank between: only between different labels.
  static bool may_skip(const Sample& sample, std::int64_t s) {
    return s >= 2 && s < sample.count() && s % 2 == 1 &&
           sample.states[static_cast<std::size_t>(s)] != sample.states[static_cast<std::size_t>(s - 2)];
  }
  // ln of the probability to be in a state after t steps, those steps included.
  std::vector<double> forward(const Sample& sample) const {
    const std::int64_t n = sample.count();
    std::vector<double> alpha(static_cast<std::size_t>(time * n), kNever);
    for (std::int64_t s = 0; s < std::min<std::int64_t>(2, n); ++s)
      alpha[static_cast<std::size_t>(s)] = log_p(sample, 0, s);
    for (std::int64_t t = 1; t < time; ++t) {
      const double* before = alpha.data() + (t - 1) * n;
      for (std::int64_t s = 0; s < n; ++s) {
        double sum = before[s];
        if (s >= 1) sum = log_add(sum, before[s - 1]);
        if (may_skip(sample, s)) sum = log_add(sum, before[s - 2]);
        alpha[static_cast<std::size_t>(t * n + s)] = sum + log_p(sample, t, s);
      }
    }
    return alpha;
  }
  // ln of the probability of the steps after t from a state, to the end of the labels.
  std::vector<double> backward(const Sample& sample) const {
    const std::int64_t n = sample.count();
    std::vector<double> beta(static_cast<std::size_t>(time * n), kNever);
    for (std::int64_t s = std::max<std::int64_t>(0, n - 2); s < n; ++s)
      beta[static_cast<std::size_t>((time - 1) * n + s)] = 0;
    for (std::int64_t t = time - 2; t >= 0; --t) {
      const double* after = beta.data() + (t + 1) * n;
      for (std::int64_t s = 0; s < n; ++s) {
        double sum = after[s] + log_p(sample, t + 1, s);
        if (s + 1 < n) sum = log_add(sum, after[s + 1] + log_p(sample, t + 1, s + 1));
        if (may_skip(sample, s + 2)) sum = log_add(sum, after[s + 2] + log_p(sample, t + 1, s + 2));
        beta[static_cast<std::size_t>(t * n + s)] = sum;
      }
    }
    return beta;
  }
  double log_likelihood(const Sample& sample, const std::vector<double>& alpha) const {
    const std::int64_t n = sample.count(), last = (time - 1) * n;
    const double end = alpha[static_cast<std::size_t>(last + n - 1)];
    return n == 1 ? end : log_add(end, alpha[static_cast<std::size_t>(last + n - 2)]);
  }
  double value(std::int64_t row, const T* z) const {
    const Sample sample = sample_of(row, z);
    return -log_likelihood(sample, forward(sample));
  }
  // softmax − the share of each class among the paths.
  void gradient(std::int64_t row, const T* z, double upstream, T* out) const {
    const Sample sample = sample_of(row, z);
    const std::vector<double> alpha = forward(sample), beta = backward(sample);
    const double total = log_likelihood(sample, alpha);
    const std::int64_t n = sample.count();
    std::vector<double> share(static_cast<std::size_t>(classes));
    for (std::int64_t t = 0; t < time; ++t) {
      std::fill(share.begin(), share.end(), 0.0);
      for (std::int64_t s = 0; s < n && total != kNever; ++s) {
        const auto at = static_cast<std::size_t>(t * n + s);
        share[static_cast<std::size_t>(sample.states[static_cast<std::size_t>(s)])] +=
            std::exp(alpha[at] + beta[at] - total);
      }
      for (std::int64_t k = 0; k < classes; ++k) {
        const auto at = static_cast<std::size_t>(t * classes + k);
        // Without any path there is nothing to gain.
        const double slope =
            total == kNever ? 0 : std::exp(sample.log_p[at]) - share[static_cast<std::size_t>(k)];
        out[t * classes + k] = static_cast<T>(upstream * slope);
      }
    }
  }
};

class CtcLoss final : public LossOf<losses::CTC> {
 public:
  using LossOf::LossOf;
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    check_predictions(options_.name, y_pred);
    const Shape& shape = y_pred.shape();
    auto labels = std::make_shared<const Labels>(labels_of(y_true, shape));
    if (shape[1] == 0) throw ShapeError(options_.name, "expects at least one step of time", "got none");
    const Tensor rows = ops::reshape(y_pred, {shape[0], shape[1] * shape[2]});
    const auto compute = [&]<class T>(T) {
      return row_loss<T>(class_name_, rows, CtcKernel<T>{labels, shape[1], shape[2]});
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }
  void check(const Tensor& y_true, const Shape& y_pred) const override { labels_of(y_true, y_pred); }

 private:
  using Labels = std::vector<std::vector<std::int64_t>>;

  Labels labels_of(const Tensor& y_true, const Shape& y_pred) const {
    if (y_pred.rank() != 3)
      throw ShapeError(options_.name, "expects logits of shape (batch, time, classes)",
                       "got " + y_pred.to_string());
    if (!y_true.is_defined()) throw StateError(options_.name, "expects labels", "y_true is undefined");
    if (y_true.rank() != 2 || (y_pred[0] != Shape::kUnknown && y_true.shape()[0] != y_pred[0]))
      throw ShapeError(options_.name,
                       "expects labels of shape (batch, length) for logits " + y_pred.to_string(),
                       "got " + y_true.shape().to_string());
    const Tensor numbers = y_true.detach().astype(DType::int64).contiguous();
    const std::int64_t* next = numbers.values<std::int64_t>().data();
    const std::int64_t length = y_true.shape()[1];
    Labels labels;
    for (std::int64_t row = 0; row < y_true.shape()[0]; ++row, next += length) {
      // As Keras counts: so many are not blank, and the first so many are taken.
      const auto used = std::count_if(next, next + length, [](std::int64_t label) { return label != 0; });
      for (std::int64_t i = 0; i < used; ++i)
        if (next[i] < 0 || next[i] >= y_pred[2])
          throw ValueError(
              options_.name,
              "expects class numbers from 1 to " + std::to_string(y_pred[2] - 1) + ", 0 for blanks",
              "got " + std::to_string(next[i]) + " in sample " + std::to_string(row));
      labels.emplace_back(next, next + used);
    }
    return labels;
  }
};

}  // namespace

LossPointer make_loss(const losses::CTC& options) { return std::make_shared<CtcLoss>(options, "CTC"); }

}  // namespace keratin::inline v0::detail
