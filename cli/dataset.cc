// Datasets: read, split by the seed, scaled by what the training rows say.
#include "cli/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/random.h"
#include "keratin/core/text.h"
#include "keratin/io/csv.h"
#include "keratin/io/data_file.h"
#include "keratin/io/npz.h"

namespace keratin::cli {
namespace {

using Rows = std::vector<std::int64_t>;

/// Streams of their own, far from those that the library counts up.
constexpr std::uint64_t kSplitStream = 0x7370'6c69'7400'0000U;

Rows shuffled(Rows rows, std::uint64_t seed) {
  Rows order(rows.size());
  fill_permutation(order, {seed, kSplitStream});
  Rows result;
  for (const std::int64_t i : order) result.push_back(rows[static_cast<std::size_t>(i)]);
  return result;
}

/// The first `count` rows, and what is left.
std::pair<Rows, Rows> cut(const Rows& rows, std::size_t count) {
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(count);
  return {Rows(rows.begin(), middle), Rows(middle, rows.end())};
}

Tensor gather_features(const Tensor& values, const Rows& rows, const std::vector<double>& mean,
                       const std::vector<double>& deviation) {
  const std::span<const float> from = values.values<float>();
  const std::size_t features = mean.size();
  std::vector<float> out;
  out.reserve(rows.size() * features);
  for (const std::int64_t row : rows) {
    for (std::size_t i = 0; i < features; ++i) {
      const double value = from[static_cast<std::size_t>(row) * features + i];
      out.push_back(static_cast<float>((value - mean[i]) / deviation[i]));
    }
  }
  return Tensor::from(out, {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(features)});
}

Part make_part(const Tensor& values, const Tensor& labels, const Dataset& dataset, Rows rows,
               const std::vector<double>& mean, const std::vector<double>& deviation) {
  Part part{.x = gather_features(values, rows, mean, deviation)};
  const auto count = static_cast<std::int64_t>(rows.size());
  if (dataset.task == Task::classes) {
    std::vector<std::int32_t> y;
    for (const std::int64_t row : rows)
      y.push_back(labels.values<std::int32_t>()[static_cast<std::size_t>(row)]);
    part.y = Tensor::from(y, {count});
  } else {
    std::vector<float> y;
    for (const std::int64_t row : rows) {
      const double value = labels.values<float>()[static_cast<std::size_t>(row)];
      y.push_back(static_cast<float>((value - dataset.target_mean) / dataset.target_deviation));
    }
    part.y = Tensor::from(y, {count, 1});
  }
  part.rows = std::move(rows);
  return part;
}

struct Moments {
  double mean = 0;
  /// 0 of what never changes.
  double deviation = 0;
  double scale() const noexcept { return deviation > 0 ? deviation : 1; }
};

/// Of `values[row * stride + offset]`.
Moments moments_of(std::span<const float> values, const Rows& rows, std::size_t stride, std::size_t offset) {
  // Welford's update: a sum of squares loses every digit where mean >> deviation.
  double mean = 0, squares = 0, count = 0;
  for (const std::int64_t row : rows) {
    const double value = values[static_cast<std::size_t>(row) * stride + offset];
    const double from_old = value - mean;
    mean += from_old / ++count;
    squares += from_old * (value - mean);
  }
  const double deviation = std::sqrt(squares / std::max(count, 1.0));
  // Below the last digit of a float there is nothing but rounding.
  return {mean, deviation > 1e-7 * std::abs(mean) ? deviation : 0.0};
}

/// "nan in column "age"" of the first number in a row that is not finite, or empty.
std::string gap_in(const io::Table& table, std::size_t row) {
  const std::size_t columns = table.columns.size();
  const std::span<const float> values = table.values.values<float>().subspan(row * columns, columns);
  for (std::size_t i = 0; i < columns; ++i) {
    if (!std::isfinite(values[i])) return fmt::format("{} in column \"{}\"", values[i], table.columns[i]);
  }
  if (table.labels.dtype() == DType::float32 && !std::isfinite(table.labels.values<float>()[row])) {
    return fmt::format("{} in column \"{}\"", table.labels.values<float>()[row], table.label_column);
  }
  return {};
}

/// The rows of finite numbers; others are named, or an IoError.
Rows usable_rows(const std::filesystem::path& path, const io::Table& table, bool skip_bad_rows,
                 std::vector<std::string>& left_out) {
  Rows rows;
  const auto count = static_cast<std::size_t>(table.values.shape()[0]);
  for (std::size_t row = 0; row < count; ++row) {
    const std::string gap = gap_in(table, row);
    if (gap.empty()) {
      rows.push_back(static_cast<std::int64_t>(row));
    } else if (skip_bad_rows) {
      left_out.push_back(fmt::format("data row {}: {}", row + 1, gap));
    } else {
      throw IoError(
          path.string(), "finite numbers", fmt::format("{} of data row {}", gap, row + 1),
          "A network cannot learn from it: fill the gap, or leave such rows out with --skip-bad-rows.");
    }
  }
  return rows;
}

/// Whole numbers and not many of them, each with several rows, are classes.
bool looks_like_classes(const io::Table& table) {
  constexpr std::size_t kFew = 20;
  const auto is_number = [](const std::string& text) { return parse_double(text).has_value(); };
  const auto is_whole = [](const std::string& text) { return parse_int(text).has_value(); };
  if (!std::all_of(table.classes.begin(), table.classes.end(), is_number)) return true;
  const bool whole = std::all_of(table.classes.begin(), table.classes.end(), is_whole);
  const auto rows = static_cast<std::size_t>(table.values.shape()[0]);
  return whole && table.classes.size() <= kFew && table.classes.size() * 3 <= rows;
}

void check_target(const std::filesystem::path& path, const io::Table& table, bool classes) {
  const std::string where = fmt::format("demo: {}", path.string());
  const std::int64_t rows = table.values.shape()[0];
  if (table.columns.empty()) {
    throw IoError(where, "a column besides the target", "the only column is \"" + table.label_column + "\"",
                  "Add columns to predict it from.");
  }
  constexpr std::int64_t kFewestRows = 20;
  if (rows < kFewestRows) {
    throw IoError(where, fmt::format("at least {} rows", kFewestRows), fmt::format("it has {}", rows),
                  "With fewer, the held-out rows say nothing.");
  }
  if (table.classes.size() < 2) {
    throw IoError(where, "a target with several values",
                  fmt::format("column \"{}\" is always \"{}\"", table.label_column, table.classes.at(0)),
                  "Choose another column with --target.");
  }
  if (classes && table.classes.size() * 2 > static_cast<std::size_t>(rows)) {
    throw IoError(where, "classes with several rows each",
                  fmt::format("column \"{}\" has {} different texts in {} rows", table.label_column,
                              table.classes.size(), rows),
                  "Choose another column with --target.");
  }
}

}  // namespace

Dataset load_digits(std::uint64_t seed) {
  const io::NamedTensors arrays = io::load_npz(io::data_file("digits.npz"));
  constexpr int kSide = 8;
  constexpr float kDarkest = 16;
  Dataset dataset{.title = "Handwritten digits",
                  .licence =
                      "Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak, 1998), UCI Machine "
                      "Learning Repository, CC BY 4.0; its test part as shipped in scikit-learn "
                      "(BSD-3-Clause).",
                  .target = "digit",
                  .image_width = kSide,
                  .image_height = kSide};
  for (int i = 0; i < 10; ++i) dataset.classes.push_back(std::to_string(i));
  for (int i = 0; i < kSide * kSide; ++i)
    dataset.features.push_back(fmt::format("pixel {} {}", i / kSide, i % kSide));

  const Tensor grey = arrays["x"].astype(DType::float32);
  std::vector<float> pixels(grey.values<float>().begin(), grey.values<float>().end());
  for (float& pixel : pixels) pixel /= kDarkest;
  dataset.pixels = Tensor::from(pixels, grey.shape());
  const Tensor train_index = arrays["train_index"].astype(DType::int64);
  const Tensor test_index = arrays["test_index"].astype(DType::int64);
  const std::span<const std::int64_t> training = train_index.values<std::int64_t>();
  const std::span<const std::int64_t> testing = test_index.values<std::int64_t>();

  // Centred pixel by pixel, but divided by one number: dividing rare border pixels by their own small
  // deviation makes them loud, and costs about 0.7 points of validation accuracy.
  const Rows all_training(training.begin(), training.end());
  const auto [validation, train] = cut(shuffled(all_training, seed), all_training.size() * 3 / 20);
  std::vector<double> mean, deviation;
  double variance = 0;
  for (std::size_t i = 0; i < dataset.features.size(); ++i) {
    const Moments moments = moments_of(pixels, train, dataset.features.size(), i);
    mean.push_back(moments.mean);
    variance += moments.deviation * moments.deviation;
  }
  variance /= static_cast<double>(mean.size());
  deviation.assign(mean.size(), std::sqrt(variance));
  const Tensor labels = arrays["y"].astype(DType::int32);
  dataset.train = make_part(dataset.pixels, labels, dataset, train, mean, deviation);
  dataset.validation = make_part(dataset.pixels, labels, dataset, validation, mean, deviation);
  dataset.held_out =
      make_part(dataset.pixels, labels, dataset, Rows(testing.begin(), testing.end()), mean, deviation);
  return dataset;
}

Dataset load_table(const std::filesystem::path& path, const std::string& target, std::uint64_t seed,
                   bool skip_bad_rows) {
  io::CsvOptions options{.label = target.empty() ? "-1" : target, .skip_bad_rows = skip_bad_rows};
  io::Table table = io::load_csv(path, options);
  const bool classes = looks_like_classes(table);
  check_target(path, table, classes);
  Dataset dataset{.title = path.filename().string(),
                  .task = classes ? Task::classes : Task::numbers,
                  .features = table.columns,
                  .classes = table.classes,
                  .target = table.label_column,
                  .left_out = table.bad_rows};
  if (!classes) {
    options.label_kind = io::LabelKind::numbers;
    table = io::load_csv(path, options);
    dataset.classes.clear();
    dataset.left_out = table.bad_rows;
  }

  const Rows all = usable_rows(path, table, skip_bad_rows, dataset.left_out);
  const auto [held_out, training] = cut(shuffled(all, seed), all.size() * 3 / 10);
  const auto [validation, train] = cut(training, all.size() / 10);
  std::vector<double> mean, deviation;
  for (std::size_t i = 0; i < dataset.features.size(); ++i) {
    const Moments moments = moments_of(table.values.values<float>(), train, dataset.features.size(), i);
    mean.push_back(moments.mean);
    deviation.push_back(moments.scale());
  }
  if (!classes) {
    const Moments moments = moments_of(table.labels.values<float>(), train, 1, 0);
    dataset.target_mean = moments.mean;
    dataset.target_deviation = moments.scale();
  }
  dataset.train = make_part(table.values, table.labels, dataset, train, mean, deviation);
  dataset.validation = make_part(table.values, table.labels, dataset, validation, mean, deviation);
  dataset.held_out = make_part(table.values, table.labels, dataset, held_out, mean, deviation);
  return dataset;
}

}  // namespace keratin::cli
