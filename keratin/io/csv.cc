#include "keratin/io/csv.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/io/atomic_file.h"
#include "keratin/io/byte_source.h"
#include "keratin/io/csv_rows.h"

namespace keratin::inline v0::io {
namespace {

using detail::CsvRows;
using Fields = std::vector<std::string_view>;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<double> number(std::string_view field) { return parse_double(trimmed(field)); }

// As an error shows it: printable, and not long.
std::string shown(std::string_view field) {
  std::string text = "\"";
  for (const char c : field.substr(0, 30)) text += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return text.append(field.size() > 30 ? "…\"" : "\"");
}

// Whether `first` names columns, judged with the row after it, if there is one.
bool looks_like_header(const std::vector<std::string>& first, const Fields& second) {
  const auto is_number = [](std::string_view field) { return number(field).has_value(); };
  if (std::none_of(first.begin(), first.end(), is_number)) return true;
  for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i)
    if (!is_number(first[i]) && !trimmed(first[i]).empty() && is_number(second[i])) return true;
  return false;
}

class TableReader {
 public:
  TableReader(std::string_view text, std::string_view name, const CsvOptions& options)
      : text_(text), name_(name), options_(options) {}

  Table read() {
    read_head();
    CsvRows rows(text_, options_.delimiter);
    if (has_header_) rows.next();
    while (rows.next()) read_row(rows);
    if (bad_count_ > 0 && !options_.skip_bad_rows) throw bad_rows_error();
    if (values_.empty() && labels_.empty() && label_texts_.empty())
      throw error("expects at least one row of numbers", "found none");
    return finished();
  }

 private:
  IoError error(std::string_view expected, const std::string& received, std::string_view advice = {}) const {
    return IoError("csv", expected, "\"" + std::string(name_) + "\": " + received, advice);
  }

  // The number of columns, their names, and which of them is the label.
  void read_head() {
    CsvRows rows(text_, options_.delimiter);
    if (!rows.next()) throw error("expects a table", "it is empty");
    if (!rows.problem().empty())
      throw error("expects a table", "line " + std::to_string(rows.line()) + ": " + rows.problem());
    const std::vector<std::string> first(rows.fields().begin(), rows.fields().end());
    has_header_ = options_.header.has_value()
                      ? *options_.header
                      : looks_like_header(first, rows.next() ? rows.fields() : Fields{});
    for (std::size_t i = 0; i < first.size(); ++i)
      names_.push_back(has_header_ ? std::string(trimmed(first[i])) : "column " + std::to_string(i));
    if (options_.label.empty()) return;
    label_ = label_index();
  }

  std::size_t label_index() const {
    const auto found = std::find(names_.begin(), names_.end(), options_.label);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    const auto columns = static_cast<std::int64_t>(names_.size());
    if (const auto index = parse_int(options_.label); index && *index >= -columns && *index < columns)
      return static_cast<std::size_t>(*index < 0 ? *index + columns : *index);
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    std::string advice = did_you_mean(options_.label, known);
    if (advice.empty()) advice = "The columns are " + listed(known) + ".";
    throw error("expects a label that is a column's name, or a number from " + std::to_string(-columns) +
                    " to " + std::to_string(columns - 1),
                "got " + shown(options_.label), advice);
  }

  static std::string listed(const std::vector<std::string_view>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 12); ++i)
      text += (i > 0 ? ", " : "") + shown(names[i]);
    return names.size() > 12 ? text + ", …" : text;
  }

  void read_row(const CsvRows& rows) {
    const Fields& fields = rows.fields();
    if (!rows.problem().empty()) return bad(rows.line(), rows.problem());
    if (fields.size() != names_.size())
      return bad(rows.line(), std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") +
                                  " instead of " + std::to_string(names_.size()));
    const std::size_t before = values_.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i == label_ && options_.label_kind == LabelKind::classes) {
        if (!trimmed(fields[i]).empty()) continue;
      } else if (const auto value = number(fields[i])) {
        (i == label_ ? labels_ : values_).push_back(*value);
        continue;
      }
      values_.resize(before);
      labels_.resize(rows_);
      const std::string column = "column " + shown(names_[i]) + ": ";
      return bad(rows.line(), column + (trimmed(fields[i]).empty() ? "the field is empty"
                                                                   : shown(fields[i]) + " is no number"));
    }
    if (label_ < fields.size() && options_.label_kind == LabelKind::classes)
      remember_class(trimmed(fields[label_]));
    ++rows_;
  }

  void remember_class(std::string_view text) {
    const auto [found, is_new] =
        class_of_.emplace(std::string(text), static_cast<std::int32_t>(class_of_.size()));
    label_texts_.push_back(found->second);
  }

  void bad(std::int64_t line, const std::string& what) {
    ++bad_count_;
    constexpr std::size_t kMostRemembered = 1000;
    if (bad_.size() < kMostRemembered) bad_.push_back("line " + std::to_string(line) + ": " + what);
  }

  IoError bad_rows_error() const {
    std::string text = std::to_string(bad_count_) + (bad_count_ == 1 ? " bad row" : " bad rows");
    constexpr std::size_t kShown = 5;
    for (std::size_t i = 0; i < std::min(kShown, bad_.size()); ++i) text += "\n  " + bad_[i];
    if (bad_count_ > kShown) text += "\n  and " + std::to_string(bad_count_ - kShown) + " more";
    return error("expects numbers in every row", text, "Mend these rows, or have bad rows skipped.");
  }

  Table finished() {
    Table table;
    table.bad_rows = std::move(bad_);
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (i != label_) table.columns.push_back(names_[i]);
    const auto rows = static_cast<std::int64_t>(rows_),
               columns = static_cast<std::int64_t>(table.columns.size());
    table.values = Tensor::from(values_, {rows, columns}).astype(options_.dtype);
    if (label_ >= names_.size()) return table;
    table.label_column = names_[label_];
    if (options_.label_kind == LabelKind::numbers) {
      table.labels = Tensor::from(labels_, {rows}).astype(options_.dtype);
    } else {
      sort_classes(table);
      table.labels = Tensor::from(label_texts_, {rows});
    }
    return table;
  }

  // Classes get their indices in sorted order, so that the order of the rows changes nothing.
  void sort_classes(Table& table) {
    std::vector<std::string> classes;
    for (const auto& [text, index] : class_of_) classes.push_back(text);
    const bool numbers = std::all_of(classes.begin(), classes.end(), [](const std::string& text) {
      const auto value = number(text);
      return value.has_value() && !std::isnan(*value);
    });
    std::sort(classes.begin(), classes.end(), [&](const std::string& a, const std::string& b) {
      if (!numbers) return a < b;
      const double x = *number(a), y = *number(b);
      return x != y ? x < y : a < b;
    });
    std::vector<std::int32_t> sorted_index(classes.size());
    for (std::size_t i = 0; i < classes.size(); ++i)
      sorted_index[static_cast<std::size_t>(class_of_.at(classes[i]))] = static_cast<std::int32_t>(i);
    for (std::int32_t& label : label_texts_) label = sorted_index[static_cast<std::size_t>(label)];
    table.classes = std::move(classes);
  }

  std::string_view text_, name_;
  const CsvOptions& options_;
  bool has_header_ = false;
  std::vector<std::string> names_;
  std::size_t label_ = static_cast<std::size_t>(-1);
  std::size_t rows_ = 0, bad_count_ = 0;
  std::vector<double> values_, labels_;
  std::vector<std::int32_t> label_texts_;  // indices in the order of first appearance
  std::unordered_map<std::string, std::int32_t> class_of_;
  std::vector<std::string> bad_;
};

std::string quoted(const std::string& name, char delimiter) {
  if (name.find_first_of(std::string("\"\r\n") + delimiter) == std::string::npos && trimmed(name) == name)
    return name;
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text.append("\"");
}

void check_delimiter(char delimiter) {
  const bool part_of_a_number =
      std::string_view("+-.eEinfaINFA\"\r\n").find(delimiter) != std::string_view::npos;
  if (part_of_a_number || delimiter == '\0' || (delimiter >= '0' && delimiter <= '9'))
    throw ValueError("csv", "expects a delimiter that is no part of a number, as , ; or a tab",
                     "got " + shown(std::string_view(&delimiter, 1)));
}

}  // namespace

Table read_csv(std::string_view text, std::string_view name, const CsvOptions& options) {
  check_delimiter(options.delimiter);
  if (options.dtype != DType::float32 && options.dtype != DType::float64)
    throw TypeError("csv", "expects dtype float32 or float64",
                    "got " + std::string(keratin::name(options.dtype)));
  return TableReader(text, name, options).read();
}

Table load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  const auto bytes = read_file(path);
  return read_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(), options);
}

void save_csv(const std::filesystem::path& path, const Tensor& values,
              const std::vector<std::string>& columns, char delimiter) {
  check_delimiter(delimiter);
  if (!values.is_defined() || values.rank() < 1 || values.rank() > 2)
    throw ShapeError(
        "save_csv", "expects a tensor of rank 1 or 2",
        values.is_defined() ? "got shape " + values.shape().to_string() : "got an undefined one");
  const Tensor table = values.rank() == 2 ? values : values.reshape({values.size(), 1});
  const std::int64_t rows = table.shape()[0], width = table.shape()[1];
  if (!columns.empty() && static_cast<std::int64_t>(columns.size()) != width)
    throw ShapeError("save_csv",
                     "expects " + std::to_string(width) + " names for shape " + values.shape().to_string(),
                     "got " + std::to_string(columns.size()));
  // A float32 is written with the digits that a float32 needs.
  const bool narrow = values.dtype() == DType::float32 || values.dtype() == DType::float16 ||
                      values.dtype() == DType::bfloat16;
  const bool whole = !is_floating(values.dtype());
  const Tensor numbers = table.contiguous().astype(whole ? DType::int64 : DType::float64);
  AtomicFile file(path);
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i)
    text.append(i > 0 ? std::string(1, delimiter) : std::string()).append(quoted(columns[i], delimiter));
  if (!columns.empty()) text += '\n';
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const auto i = static_cast<std::size_t>(row * width + column);
      if (column > 0) text += delimiter;
      if (whole) {
        text += std::to_string(numbers.values<std::int64_t>()[i]);
      } else {
        const double value = numbers.values<double>()[i];
        text += narrow ? to_text(static_cast<float>(value)) : to_text(value);
      }
    }
    text += '\n';
    if (text.size() > 1 << 16) {
      file.write(text);
      text.clear();
    }
  }
  file.write(text);
  file.commit();
}

}  // namespace keratin::inline v0::io
