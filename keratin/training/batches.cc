#include "keratin/training/batches.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "keratin/core/error.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/core/text.h"

namespace keratin::inline v0::detail {
namespace {

// Rows of axis 0 in the order given, copied.
Tensor gather(const Tensor& source, std::span<const std::int64_t> rows) {
  Shape shape = source.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  Tensor result = Tensor::empty(shape, source.dtype());
  const std::size_t row_bytes =
      static_cast<std::size_t>(source.size() / source.shape()[0]) * size_bytes(source.dtype());
  const auto* from = static_cast<const std::byte*>(source.data());
  auto* to = static_cast<std::byte*>(result.mutable_data());
  const auto grain = static_cast<std::int64_t>(std::size_t{1} << 18) /
                     std::max<std::int64_t>(1, static_cast<std::int64_t>(row_bytes));
  parallel_for(static_cast<std::int64_t>(rows.size()), std::max<std::int64_t>(1, grain),
               [&](std::int64_t begin, std::int64_t end) {
                 for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                   std::memcpy(to + i * row_bytes, from + static_cast<std::size_t>(rows[i]) * row_bytes,
                               row_bytes);
               });
  return result;
}

Tensor contiguous_or_none(const Tensor& a) { return a.is_defined() ? a.detach().contiguous() : a; }

// The class of each row: argmax of the label, or the label rounded.
std::vector<std::int64_t> classes_of(const Tensor& y) {
  const Tensor labels = y.detach().contiguous().astype(DType::float64);
  const auto values = labels.values<double>();
  const std::int64_t rows = y.shape()[0], width = rows == 0 ? 1 : y.size() / rows;
  if (y.rank() > 2)
    throw ShapeError("fit", "expects labels of shape (samples,) or (samples, classes) beside class_weight",
                     "got " + y.shape().to_string(), "Use sample_weight.");
  std::vector<std::int64_t> classes(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* first = values.data() + row * width;
    classes[static_cast<std::size_t>(row)] =
        width > 1 ? std::max_element(first, first + width) - first : std::llround(*first);
  }
  return classes;
}

}  // namespace

Samples Samples::rows(std::int64_t begin, std::int64_t end) const {
  const auto cut = [&](Tensors all) {
    for (Tensor& a : all)
      if (a.is_defined()) a = a.slice(0, begin, end);
    return all;
  };
  return {cut(x), cut(y), cut(sample_weight)};
}

void check_samples(std::string_view operation, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs, Samples& samples) {
  // "x", or "x of \"image\"" where there are several.
  const auto name_of = [](const char* what, const std::vector<std::string>& names, std::size_t i) {
    return names.size() == 1 ? std::string(what) : std::string(what) + " of \"" + names[i] + "\"";
  };
  const auto rows = [&](const std::string& name, const Tensor& a) {
    if (!a.is_defined() || a.rank() == 0)
      throw ShapeError(operation, "expects " + name + " of shape (samples, ...)",
                       a.is_defined() ? "got a scalar" : "it is undefined");
    return a.shape()[0];
  };
  const std::string first = name_of("x", inputs, 0);
  const std::int64_t count = rows(first, samples.x.front());
  const auto check = [&](const std::string& name, const Tensor& a) {
    if (rows(name, a) != count)
      throw ShapeError(
          operation, "expects as many rows of " + name + " as of " + first,
          first + " has " + std::to_string(count) + ", " + name + " " + std::to_string(a.shape()[0]),
          "Give one for each sample.");
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) check(name_of("x", inputs, i), samples.x[i]);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (samples.y[i].is_defined() || outputs.size() == 1) check(name_of("y", outputs, i), samples.y[i]);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (samples.sample_weight[i].is_defined())
      check(name_of("sample_weight", outputs, i), samples.sample_weight[i]);
  if (count == 0)
    throw ValueError(operation, "expects at least one sample",
                     first + " has shape " + samples.x.front().shape().to_string());
  for (auto* all : {&samples.x, &samples.y, &samples.sample_weight})
    for (Tensor& a : *all) a = contiguous_or_none(a);
}

std::int64_t split_point(std::int64_t count, double validation_split) {
  if (!(validation_split >= 0 && validation_split < 1))
    throw ValueError("fit", "expects a validation_split from 0 to below 1",
                     "got " + to_text(validation_split));
  const auto point =
      static_cast<std::int64_t>(std::floor(static_cast<double>(count) * (1 - validation_split)));
  if (point == 0 || point == count)
    throw ValueError("fit", "expects samples on both sides of validation_split",
                     std::to_string(count) + " samples are cut at " + std::to_string(point),
                     "Choose another share, or give validation_data.");
  return point;
}

namespace {

Tensor weights_of_classes(const Tensor& y, const std::map<std::int64_t, double>& class_weight,
                          const Tensor& sample_weight, Generation generation) {
  const bool keras2 = generation == Generation::keras2;
  if (sample_weight.is_defined() && !keras2)
    throw ValueError("fit", "expects class_weight or sample_weight", "both are given",
                     "Multiply them yourself.");
  std::int64_t next = 0;
  for (const auto& [number, weight] : class_weight)
    if (keras2 && number != next++)
      throw ValueError("fit", "expects class_weight for the classes 0, 1, … without gaps",
                       "class " + std::to_string(number) + " follows " + std::to_string(next - 2));
  const auto classes = classes_of(y);
  Tensor weights = Tensor::empty({y.shape()[0]}, DType::float64);
  const auto out = weights.mutable_values<double>();
  const Tensor given =
      sample_weight.is_defined() ? sample_weight.astype(DType::float64).contiguous() : Tensor();
  if (given.is_defined() && given.size() != y.shape()[0])
    throw ShapeError("fit", "expects one sample_weight a sample beside class_weight",
                     "got shape " + given.shape().to_string());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto found = class_weight.find(classes[i]);
    if (found == class_weight.end() && keras2)
      throw ValueError("fit", "expects a class_weight for every class",
                       "class " + std::to_string(classes[i]) + " has none", "Keras 3 would take 1.");
    out[i] = found == class_weight.end() ? 1 : found->second;
    if (given.is_defined()) out[i] *= given.values<double>()[i];
  }
  return weights;
}

}  // namespace

void weigh_classes(Samples& samples, const std::map<std::int64_t, double>& class_weight,
                   Generation generation) {
  if (class_weight.empty()) return;
  if (samples.y.size() > 1)
    throw ValueError("fit", "expects class_weight only for a model of one output",
                     "it has " + std::to_string(samples.y.size()), "Give sample_weight for each output.");
  samples.sample_weight.front() =
      weights_of_classes(samples.y.front(), class_weight, samples.sample_weight.front(), generation);
}

Batches::Batches(Samples samples, std::int64_t batch_size)
    : samples_(std::move(samples)), batch_size_(batch_size) {
  if (batch_size < 1)
    throw ValueError("batch_size", "expects at least 1", "got " + std::to_string(batch_size));
}

std::int64_t Batches::rows_of(std::int64_t batch) const {
  return std::min(batch_size_, samples_.count() - batch * batch_size_);
}

void Batches::shuffle() {
  order_.resize(static_cast<std::size_t>(samples_.count()));
  fill_permutation(order_, next_random_key());
}

Batch Batches::batch(std::int64_t index) const {
  const std::int64_t begin = index * batch_size_, rows = rows_of(index);
  const auto cut = [&](const Tensors& all) {
    Tensors parts(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].is_defined()) continue;
      parts[i] = order_.empty() ? all[i].slice(0, begin, begin + rows)
                                : gather(all[i], std::span(order_).subspan(static_cast<std::size_t>(begin),
                                                                           static_cast<std::size_t>(rows)));
    }
    return parts;
  };
  return {cut(samples_.x), cut(samples_.y), cut(samples_.sample_weight)};
}

}  // namespace keratin::inline v0::detail
