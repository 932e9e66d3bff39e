// Losses of one label and one prediction each, averaged over the last axis; the hinges and cosine similarity.
#include <array>
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

/// A loss whose Function<T> make(options) gives for float and double.
template <class Options, class Make>
class ElementLoss final : public LossOf<Options> {
 public:
  ElementLoss(Options options, std::string_view class_name, Make make)
      : LossOf<Options>(std::move(options), class_name), make_(std::move(make)) {}

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const std::string& name = this->options_.name;
    const Tensor y = labels_like(name, y_true, y_pred);
    const auto compute = [&]<class T>(T) {
      const T* labels = y.values<T>().data();
      auto function = make_(this->options_, y.values<T>());
      return row_loss<T>(this->class_name_, y_pred,
                         ElementKernel<T, decltype(function)>{y, labels, rows_of(y.shape()).size, function});
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }

 private:
  Make make_;
};

template <class Options, class Make>
LossPointer element_loss(const Options& options, std::string_view class_name, Make make) {
  return std::make_shared<ElementLoss<Options, Make>>(options, class_name, std::move(make));
}

/// Keras turns labels 0 and 1 into −1 and 1 if the batch holds no others.
template <class T>
HingeFunction<T> hinge_for(std::span<const T> labels) {
  for (const T y : labels)
    if (y != T(0) && y != T(1)) return {T(1), T(0)};
  return {T(2), T(-1)};
}

template <class T>
struct CategoricalHingeKernel {
  Tensor labels;
  const T* y;
  std::int64_t size;

  // Largest (1 − y)·p, Σ y·p, and how many reach the largest.
  std::array<double, 3> parts(const T* label, const T* p) const {
    double largest = -std::numeric_limits<double>::infinity(), ties = 0;
    for (std::int64_t i = 0; i < size; ++i) {
      const double other = static_cast<double>((T(1) - label[i]) * p[i]);
      if (other > largest) ties = 0;
      largest = std::max(largest, other);
      ties += other == largest;
    }
    return {largest, sum_of(size, [&](std::int64_t i) { return label[i] * p[i]; }), ties};
  }
  double value(std::int64_t row, const T* p) const {
    const auto [largest, own, ties] = parts(y + row * size, p);
    const double loss = largest - own + 1;
    return loss < 0 ? 0 : loss;  // NaN stays
  }
  void gradient(std::int64_t row, const T* p, double upstream, T* out) const {
    const T* label = y + row * size;
    const auto [largest, own, ties] = parts(label, p);
    const bool active = largest - own + 1 >= 0;
    for (std::int64_t i = 0; i < size; ++i) {
      const double other = static_cast<double>((T(1) - label[i]) * p[i]);
      const double of_largest = other == largest ? (1 - static_cast<double>(label[i])) / ties : 0;
      out[i] = active ? static_cast<T>(upstream * (of_largest - static_cast<double>(label[i]))) : T(0);
    }
  }
};

template <class T>
struct CosineKernel {
  Tensor labels;
  const T* y;
  std::int64_t size;
  double floor;

  struct Parts {
    double dot, label_norm, norm;
    bool floored;
  };
  Parts parts(const T* label, const T* p) const {
    const auto product = [&](const T* a, const T* b) {
      return sum_of(size,
                    [&](std::int64_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
    };
    const double norm = std::sqrt(product(p, p));
    return {product(label, p), std::max(std::sqrt(product(label, label)), floor), std::max(norm, floor),
            norm < floor};
  }
  double value(std::int64_t row, const T* p) const {
    const Parts s = parts(y + row * size, p);
    return -s.dot / (s.label_norm * s.norm);
  }
  void gradient(std::int64_t row, const T* p, double upstream, T* out) const {
    const T* label = y + row * size;
    const Parts s = parts(label, p);
    const double scale = -upstream / (s.label_norm * s.norm);
    const double back = s.floored ? 0 : s.dot / (s.norm * s.norm);
    for (std::int64_t i = 0; i < size; ++i)
      out[i] = static_cast<T>(scale * (static_cast<double>(label[i]) - back * static_cast<double>(p[i])));
  }
};

/// A loss of whole rows, whose Kernel<T> make gives.
template <class Options, class Make>
class RowLoss final : public LossOf<Options> {
 public:
  RowLoss(Options options, std::string_view class_name, Make make)
      : LossOf<Options>(std::move(options), class_name), make_(std::move(make)) {}

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const std::string& name = this->options_.name;
    Tensor y = labels_like(name, y_true, y_pred), p = y_pred;
    if constexpr (requires { this->options_.axis; }) {
      y = with_axis_last(name, y, this->options_.axis).contiguous();
      p = with_axis_last(name, p, this->options_.axis);
    }
    const auto compute = [&]<class T>(T) {
      return row_loss<T>(this->class_name_, p,
                         make_(this->options_, y, y.values<T>().data(), rows_of(y.shape()).size));
    };
    return y_pred.dtype() == DType::float64 ? compute(double{}) : compute(float{});
  }

 private:
  Make make_;
};

}  // namespace

LossPointer make_loss(const losses::MeanSquaredError& options) {
  return element_loss(options, "MeanSquaredError",
                      []<class T>(const auto&, std::span<const T>) { return SquaredErrorFunction<T>{}; });
}
LossPointer make_loss(const losses::MeanAbsoluteError& options) {
  return element_loss(options, "MeanAbsoluteError",
                      []<class T>(const auto&, std::span<const T>) { return AbsoluteErrorFunction<T>{}; });
}
LossPointer make_loss(const losses::MeanAbsolutePercentageError& options) {
  return element_loss(options, "MeanAbsolutePercentageError",
                      []<class T>(const auto&, std::span<const T>) { return PercentageErrorFunction<T>{}; });
}
LossPointer make_loss(const losses::MeanSquaredLogarithmicError& options) {
  return element_loss(options, "MeanSquaredLogarithmicError",
                      []<class T>(const auto&, std::span<const T>) { return LogarithmicErrorFunction<T>{}; });
}
LossPointer make_loss(const losses::Huber& options) {
  return element_loss(options, "Huber", []<class T>(const auto& o, std::span<const T>) {
    return HuberFunction<T>{static_cast<T>(o.delta)};
  });
}
LossPointer make_loss(const losses::LogCosh& options) {
  return element_loss(options, "LogCosh",
                      []<class T>(const auto&, std::span<const T>) { return LogCoshFunction<T>{}; });
}
LossPointer make_loss(const losses::KLDivergence& options) {
  return element_loss(options, "KLDivergence",
                      []<class T>(const auto&, std::span<const T>) { return KlDivergenceFunction<T>{}; });
}
LossPointer make_loss(const losses::Poisson& options) {
  return element_loss(options, "Poisson",
                      []<class T>(const auto&, std::span<const T>) { return PoissonFunction<T>{}; });
}
LossPointer make_loss(const losses::Hinge& options) {
  return element_loss(options, "Hinge",
                      []<class T>(const auto&, std::span<const T> labels) { return hinge_for(labels); });
}
LossPointer make_loss(const losses::SquaredHinge& options) {
  return element_loss(options, "SquaredHinge", []<class T>(const auto&, std::span<const T> labels) {
    return SquaredHingeFunction<T>{hinge_for(labels)};
  });
}

LossPointer make_loss(const losses::CategoricalHinge& options) {
  const auto make = []<class T>(const auto&, const Tensor& labels, const T* y, std::int64_t size) {
    return CategoricalHingeKernel<T>{labels, y, size};
  };
  return std::make_shared<RowLoss<losses::CategoricalHinge, decltype(make)>>(options, "CategoricalHinge",
                                                                             make);
}
LossPointer make_loss(const losses::CosineSimilarity& options) {
  const auto make = []<class T>(const auto& o, const Tensor& labels, const T* y, std::int64_t size) {
    return CosineKernel<T>{labels, y, size, o.generation == Generation::keras2 ? 1e-6 : 1e-7};
  };
  return std::make_shared<RowLoss<losses::CosineSimilarity, decltype(make)>>(options, "CosineSimilarity",
                                                                             make);
}

}  // namespace keratin::inline v0::detail
