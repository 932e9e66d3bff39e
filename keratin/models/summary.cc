#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/models/model.h"
#include "keratin/models/model_body.h"

namespace keratin::inline v0 {
namespace {

using Row = std::vector<std::string>;
using Widths = std::vector<int>;

// Which column holds numbers, aligned right.
constexpr std::size_t kNumbers = 2;

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
  for (std::size_t i = 0; i < widths.size(); ++i) {
    line += repeat(dash, widths[i] + 2);
    line += i + 1 < widths.size() ? middle : right;
  }
  return line + "\n";
}

// The header stands at the bottom of its cells, everything else at the top.
std::string render(const Row& row, const Widths& widths, std::string_view bar, bool is_header = false) {
  std::vector<std::vector<std::string>> cells(widths.size());
  std::size_t height = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    cells[i] = wrap(row[i], widths[i]);
    height = std::max(height, cells[i].size());
  }
  if (is_header) {
    for (auto& cell : cells) cell.insert(cell.begin(), height - cell.size(), "");
  }
  std::string text;
  for (std::size_t at = 0; at < height; ++at) {
    text += bar;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string cell = at < cells[i].size() ? cells[i][at] : "";
      const std::string space(static_cast<std::size_t>(widths[i] - length_of(cell)), ' ');
      const bool is_number = i == kNumbers;
      text += fmt::format(" {}{} {}", is_number ? space : cell, is_number ? cell : space, bar);
    }
    text += "\n";
  }
  return text;
}

// Keras cuts a line of the terminal but four characters at these shares; then borders and padding take what
// they need, shared as evenly as whole numbers allow, halves to the even one.
struct Layout {
  int longest_line;
  std::vector<double> shares;
};
const Layout kChain = {88, {0.45, 0.80, 1.0}}, kGraph = {108, {0.3, 0.56, 0.74, 1.0}};

Widths widths_for(const Layout& layout, int width) {
  const int line = std::min(layout.longest_line, width - 4);
  Widths widths;
  int used = 0, missing = static_cast<int>(layout.shares.size()) * 3 + 1,
      left = static_cast<int>(layout.shares.size());
  for (const double share : layout.shares) {
    const int column = static_cast<int>(share * line) - used;
    const int taken = static_cast<int>(std::nearbyint(static_cast<double>(missing) / left));
    widths.push_back(column - taken);
    used += column;
    missing -= taken;
    --left;
  }
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

std::string shapes_text(const Shapes& shapes) {
  if (shapes.empty()) return "?";
  if (shapes.size() == 1) return shapes.front().to_string();
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "[" : ", ") + shape.to_string();
  return text + "]";
}

Row row_of(const ModelBody& body, const Layer& layer) {
  Row row = {layer.name() + " (" + std::string(layer.class_name()) + ")", shapes_text(body.shapes_of(layer)),
             "0 (unbuilt)"};
  if (layer.is_built() || !layer.body().builds_from_shape()) row[2] = with_commas(layer.count_params());
  if (body.calls_in_a_row()) return row;
  std::string connections;
  for (const std::string& name : body.connections(layer))
    connections += (connections.empty() ? "" : ", ") + name;
  row.push_back(connections.empty() ? "-" : connections);
  return row;
}

}  // namespace

std::string Model::summary(int width) const {
  const bool is_chain = model_body().calls_in_a_row();
  const Widths widths = widths_for(is_chain ? kChain : kGraph, width);
  Row header = {"Layer (type)", "Output Shape", "Param #"};
  if (!is_chain) header.emplace_back("Connected to");
  std::string text = "Model: \"" + name() + "\"\n";
  text += rule(widths, "┏", "━", "┳", "┓");
  text += render(header, widths, "┃", true);
  text += rule(widths, "┡", "━", "╇", "┩");
  bool is_first = true;
  for (const Layer& layer : layers()) {
    if (!is_first) text += rule(widths, "├", "─", "┼", "┤");
    is_first = false;
    text += render(row_of(model_body(), layer), widths, "│");
  }
  text += rule(widths, "└", "─", "┴", "┘");

  Total trainable, frozen, optimizer;
  trainable.add(trainable_variables());
  frozen.add(non_trainable_variables());
  if (model_body().compiled.optimizer_variables) optimizer.add(model_body().compiled.optimizer_variables());
  const Total total = {trainable.count + frozen.count + optimizer.count,
                       trainable.size_bytes + frozen.size_bytes + optimizer.size_bytes};
  text += total.line("Total params");
  text += trainable.line("Trainable params");
  text += frozen.line("Non-trainable params");
  if (optimizer.count > 0) text += optimizer.line("Optimizer params");
  return text;
}

}  // namespace keratin::inline v0
