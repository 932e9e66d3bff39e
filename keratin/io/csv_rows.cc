#include "keratin/io/csv_rows.h"

#include <algorithm>

namespace keratin::inline v0::io::detail {

CsvRows::CsvRows(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
}

bool CsvRows::next() {
  for (;;) {
    while (at_ < text_.size() && at_line_end()) skip_line_end();
    if (at_ >= text_.size()) return false;
    read_row();
    if (fields_.size() > 1 || !problem_.empty()) return true;
    if (fields_.front().find_first_not_of(" \t") != std::string_view::npos) return true;
  }
}

void CsvRows::skip_line_end() noexcept {
  if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  ++at_;
  ++line_;
}

void CsvRows::read_row() {
  fields_.clear();
  unescaped_.clear();
  problem_.clear();
  row_line_ = line_;
  for (;;) {
    fields_.push_back(read_field());
    if (at_line_end()) break;
    ++at_;  // the delimiter
  }
  if (at_ < text_.size()) skip_line_end();
}

std::string_view CsvRows::read_field() {
  std::size_t start = at_;
  while (start < text_.size() && (text_[start] == ' ' || text_[start] == '\t') && text_[start] != delimiter_)
    ++start;
  if (start < text_.size() && text_[start] == '"') {
    at_ = start;
    return read_quoted();
  }
  const std::size_t begin = at_;
  while (!at_line_end() && text_[at_] != delimiter_) ++at_;
  return text_.substr(begin, at_ - begin);
}

std::string_view CsvRows::read_quoted() {
  const std::size_t begin = ++at_;
  bool doubled = false;
  for (;; ++at_) {
    if (at_ >= text_.size()) {
      problem_ = "a quote does not end";
      return text_.substr(begin);
    }
    if (text_[at_] == '"') {
      if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
      doubled = true;
      ++at_;
    } else if (text_[at_] == '\n' || (text_[at_] == '\r' && text_.substr(at_ + 1, 1) != "\n")) {
      ++line_;
    }
  }
  std::string_view field = text_.substr(begin, at_ - begin);
  ++at_;
  const std::size_t after = at_;
  while (!at_line_end() && text_[at_] != delimiter_) ++at_;
  if (text_.substr(after, at_ - after).find_first_not_of(" \t") != std::string_view::npos)
    problem_ = "text follows a closing quote";
  if (!doubled) return field;
  std::string plain;
  for (std::size_t i = 0; i < field.size(); ++i) {
    plain += field[i];
    if (field[i] == '"') ++i;
  }
  return unescaped_.emplace_back(std::move(plain));
}

}  // namespace keratin::inline v0::io::detail
