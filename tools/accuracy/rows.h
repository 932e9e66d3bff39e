// Rows of accuracy as JSON: a file that grows row by row, and what of it is already there.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {

/// "value", "gradient".
const char* name(Direction direction);
/// "float32" and so on.
const char* name(Type type);

/// The processor, as the system names it; where rows were made.
std::string machine();

class RowFile {
 public:
  /// Rows are kept in memory only where path is empty. With resume those of the file are read first;
  /// std::runtime_error if it is no list of rows.
  RowFile(std::string path, bool resume);

  /// The row of these, or null. The plan counts: a row of fewer inputs is none.
  const nlohmann::ordered_json* find(const Variant& variant, Direction direction, Type type, const Plan& plan,
                                     simd::Isa isa) const;
  /// One of any instruction set whose results were judged, or null.
  const nlohmann::ordered_json* find_judged(const Variant& variant, Direction direction, Type type,
                                            const Plan& plan) const;
  /// Adds one row for each of the plan's instruction sets, or replaces that of the same plan, and writes the
  /// file beside itself, then over itself. `judged`: a row whose results were judged, which rows with its
  /// hash share; else the last of the new ones is.
  void add(const Row& row, const Plan& plan, const nlohmann::ordered_json* judged);

  const nlohmann::ordered_json& rows() const { return rows_; }

 private:
  void write() const;

  std::string path_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

}  // namespace keratin::accuracy
