// What the demo trains on: the digits, or a table of one's own, split and standardised.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "keratin/tensor/tensor.h"

namespace keratin::cli {

enum class Task {
  classes,  ///< labels are class numbers, int32
  numbers,  ///< labels are standardised numbers, float32
};

/// Some of the rows.
struct Part {
  Tensor x = {};  ///< (rows, features), standardised
  Tensor y = {};  ///< (rows,) classes, or (rows, 1) numbers
  /// Where each row stands in the data, from 0.
  std::vector<std::int64_t> rows = {};
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(rows.size()); }
};

struct Dataset {
  std::string title = {};
  /// Origin and licence, for the report; empty for a person's own file.
  std::string licence = {};
  Task task = Task::classes;
  std::vector<std::string> features = {};
  std::vector<std::string> classes = {};
  std::string target = {};
  Part train = {}, validation = {}, held_out = {};
  /// A number is target_mean + target_deviation times what the network says.
  double target_mean = 0, target_deviation = 1;
  /// Width and height in pixels where the rows are images, then `pixels` holds their grey values (0 to 1,
  /// all rows of the data).
  int image_width = 0, image_height = 0;
  Tensor pixels = {};
  /// Rows of the file that were left out, each with its line.
  std::vector<std::string> left_out = {};

  bool has_images() const noexcept { return image_width > 0; }
};

/// The digits of scikit-learn with their fixed held-out rows; the seed chooses which tenth of the training
/// rows validates. IoError if the data file is missing.
Dataset load_digits(std::uint64_t seed);

/// A CSV file. `target`: a column's name, or empty for the last. The seed splits the rows: 60 % train, 10 %
/// validate, 30 % are held out. IoError names bad rows by their line; also for too few rows or a target with
/// a single value.
Dataset load_table(const std::filesystem::path& path, const std::string& target, std::uint64_t seed,
                   bool skip_bad_rows);

}  // namespace keratin::cli
