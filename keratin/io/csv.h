// Tables of numbers in CSV files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::io {

/// What stands in the label column.
enum class LabelKind : std::uint8_t {
  classes,  ///< any text; labels are indices into Table::classes, sorted (as numbers where all are)
  numbers,  ///< the values to predict
};

struct CsvOptions {
  char delimiter = ',';
  /// Whether the first row names the columns; found out if not said: it does where one of its fields is no
  /// number though the same column of the next row holds one, or where none of its fields is a number.
  std::optional<bool> header{};
  /// The column to predict: its name, or its number (0 is the first, -1 the last). Empty: none.
  std::string label{};
  LabelKind label_kind = LabelKind::classes;
  /// float32 or float64.
  DType dtype = DType::float32;
  /// Leave bad rows out and say so in Table::bad_rows, instead of an error.
  bool skip_bad_rows = false;
};

struct Table {
  std::vector<std::string> columns{};  ///< names of the features; "column 0", … without a header
  Tensor values{};                     ///< (rows, columns)
  std::string label_column{};
  Tensor labels{};  ///< (rows,): int32 for classes, the table's dtype for numbers
  std::vector<std::string> classes{};
  std::vector<std::string> bad_rows{};  ///< what was left out: "line 7: …"
};

/// Fields are separated by the delimiter and may stand in quotes ("" inside is a quote, a line may end
/// inside); blanks around numbers are dropped; lines end in LF, CRLF or CR; a byte order mark and empty lines
/// are skipped. Numbers have a point whatever the locale; nan and inf are numbers, an empty field is none.
/// IoError names the lines and columns of bad fields, the first few of them; also for rows of another length,
/// an unknown label, no rows at all.
KERATIN_API Table load_csv(const std::filesystem::path& path, const CsvOptions& options = {});
KERATIN_API Table read_csv(std::string_view text, std::string_view name, const CsvOptions& options = {});

/// Writes a tensor of rank 1 (a column) or 2, with a header unless `columns` is empty; every number reads
/// back the same. Beside the path, then renamed. ShapeError for another rank or number of names.
KERATIN_API void save_csv(const std::filesystem::path& path, const Tensor& values,
                          const std::vector<std::string>& columns = {}, char delimiter = ',');

}  // namespace keratin::inline v0::io
