#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/models/model.h"
#include "keratin/models/model_body.h"

namespace keratin::inline v0 {
namespace {

constexpr std::size_t kColumns = 3;
using Row = std::array<std::string, kColumns>;
using Widths = std::array<int, kColumns>;

// In characters, not bytes: names may be UTF-8.
int length_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string first_characters(std::string_view text, int count) {
  std::size_t end = 0;
  while (end < text.size() && (count > 0 || (text[end] & 0xC0) == 0x80)) {
    if ((text[end++] & 0xC0) != 0x80) --count;
  }
  // The bytes that continue the last character belong to it.
  while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
  return std::string(text.substr(0, end));
}

// Lines of at most `width` characters, broken at spaces; a longer word is cut and ends in an ellipsis.
std::vector<std::string> wrap(std::string_view text, int width) {
  std::vector<std::string> lines = {""};
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string word(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (length_of(line) + 1 + length_of(word) <= width) {
      line += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  for (std::string& line : lines) {
    if (length_of(line) > width) line = first_characters(line, width - 1) + "…";
  }
  return lines;
}

std::string repeat(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

// A horizontal line with the joints left, middle and right.
std::string rule(const Widths& widths, std::string_view left, std::string_view dash, std::string_view middle,
                 std::string_view right) {
  std::string line(left);
  for (std::size_t i = 0; i < kColumns; ++i) {
    line += repeat(dash, widths[i] + 2);
    line += i + 1 < kColumns ? middle : right;
  }
  return line + "\n";
}

// The header stands at the bottom of its cells, everything else at the top.
std::string render(const Row& row, const Widths& widths, std::string_view bar, bool is_header = false) {
  std::array<std::vector<std::string>, kColumns> cells;
  std::size_t height = 0;
  for (std::size_t i = 0; i < kColumns; ++i) {
    cells[i] = wrap(row[i], widths[i]);
    height = std::max(height, cells[i].size());
  }
  if (is_header) {
    for (auto& cell : cells) cell.insert(cell.begin(), height - cell.size(), "");
  }
  std::string text;
  for (std::size_t at = 0; at < height; ++at) {
    text += bar;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const std::string cell = at < cells[i].size() ? cells[i][at] : "";
      const std::string space(static_cast<std::size_t>(widths[i] - length_of(cell)), ' ');
      // The last column holds numbers, aligned right.
      const bool is_number = i + 1 == kColumns;
      text += fmt::format(" {}{} {}", is_number ? space : cell, is_number ? cell : space, bar);
    }
    text += "\n";
  }
  return text;
}

// Keras gives the columns 45, 35 and 20 % of the terminal but four; then borders and padding take ten
// characters, shared as evenly as whole numbers allow.
Widths widths_for(int width) {
  const int line = std::min(88, width - 4);
  const int first = static_cast<int>(0.45 * line), second = static_cast<int>(0.80 * line) - first;
  const Widths widths = {first - 3, second - 4, line - first - second - 3};
  if (*std::min_element(widths.begin(), widths.end()) < 1) {
    throw ValueError("summary", "a width of at least 20 columns", "received " + std::to_string(width));
  }
  return widths;
}

std::string with_commas(std::int64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string size_text(double size_bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "KB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (size_bytes >= 1024 && unit + 1 < kUnits.size()) {
    size_bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.2f} {}", size_bytes, kUnits[unit]);
}

struct Total {
  std::int64_t count = 0;
  double size_bytes = 0;

  void add(const std::vector<Variable>& variables) {
    for (const Variable& variable : variables) {
      count += variable.shape().size();
      size_bytes += static_cast<double>(variable.shape().size()) *
                    static_cast<double>(keratin::size_bytes(variable.dtype()));
    }
  }
  std::string line(const char* title) const {
    return fmt::format(" {}: {} ({})\n", title, with_commas(count), size_text(size_bytes));
  }
};

Row row_of(const Layer& layer, const std::string& output) {
  Row row = {layer.name() + " (" + std::string(layer.class_name()) + ")", output, "0 (unbuilt)"};
  if (layer.is_built() || !layer.body().builds_from_shape()) row[2] = with_commas(layer.count_params());
  return row;
}

}  // namespace

std::string Model::summary(int width) const {
  const Widths widths = widths_for(width);
  std::string text = "Model: \"" + name() + "\"\n";
  text += rule(widths, "┏", "━", "┳", "┓");
  text += render({"Layer (type)", "Output Shape", "Param #"}, widths, "┃", true);
  text += rule(widths, "┡", "━", "╇", "┩");
  bool is_first = true;
  for (const Layer& layer : layers()) {
    if (!is_first) text += rule(widths, "├", "─", "┼", "┤");
    is_first = false;
    const std::optional<Shape>& input = layer.body().built_shape;
    text += render(row_of(layer, input ? layer.compute_output_shape(*input).to_string() : "?"), widths, "│");
  }
  text += rule(widths, "└", "─", "┴", "┘");

  Total trainable, frozen, optimizer;
  trainable.add(trainable_variables());
  frozen.add(non_trainable_variables());
  if (model_body().optimizer_variables) optimizer.add(model_body().optimizer_variables());
  const Total total = {trainable.count + frozen.count + optimizer.count,
                       trainable.size_bytes + frozen.size_bytes + optimizer.size_bytes};
  text += total.line("Total params");
  text += trainable.line("Trainable params");
  text += frozen.line("Non-trainable params");
  if (optimizer.count > 0) text += optimizer.line("Optimizer params");
  return text;
}

}  // namespace keratin::inline v0
