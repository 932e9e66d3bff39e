// Splitting CSV text into rows and fields. Internal.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace keratin::inline v0::io::detail {

/// Goes through the rows of a text that must outlive it.
class CsvRows {
 public:
  CsvRows(std::string_view text, char delimiter);

  /// Reads the next row that is not empty; false at the end.
  bool next();
  /// The fields of the row, without their quotes.
  const std::vector<std::string_view>& fields() const noexcept { return fields_; }
  /// The line, from 1, where the row begins.
  std::int64_t line() const noexcept { return row_line_; }
  /// What is wrong with the row's quotes, or empty.
  const std::string& problem() const noexcept { return problem_; }

 private:
  void read_row();
  std::string_view read_field();
  std::string_view read_quoted();
  bool at_line_end() const noexcept {
    return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
  }
  void skip_line_end() noexcept;

  std::string_view text_;
  char delimiter_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1, row_line_ = 1;
  std::vector<std::string_view> fields_;
  // Fields with doubled quotes, which are no part of the text. A deque: fields point into it as it grows.
  std::deque<std::string> unescaped_;
  std::string problem_;
};

}  // namespace keratin::inline v0::io::detail
