// Text plots: curves become dots on a fine grid, dots become characters.
#include "cli/text_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace keratin::cli {
namespace {

/// A grid of dots, several to a character, each with the number of its curve (from 1) or 0.
class Canvas {
 public:
  Canvas(int columns, int rows, bool unicode)
      : dots_x_(unicode ? 2 : 1),
        dots_y_(unicode ? 4 : 1),
        width_(columns * dots_x_),
        height_(rows * dots_y_),
        dots_(static_cast<std::size_t>(width_ * height_)) {}

  int width() const noexcept { return width_; }
  int height() const noexcept { return height_; }

  void set(int x, int y, int curve) {
    if (x >= 0 && x < width_ && y >= 0 && y < height_) dots_[index(x, y)] = curve;
  }

  int rows() const noexcept { return height_ / dots_y_; }
  int columns() const noexcept { return width_ / dots_x_; }

  /// The dots of one character, as bits in reading order, and the curve drawn last there.
  struct Cell {
    unsigned dots = 0;
    int curve = 0;
  };
  Cell cell(int column, int row) const {
    Cell cell;
    for (int dy = 0; dy < dots_y_; ++dy) {
      for (int dx = 0; dx < dots_x_; ++dx) {
        const int curve = dots_[index(column * dots_x_ + dx, row * dots_y_ + dy)];
        if (curve == 0) continue;
        cell.dots |= 1U << static_cast<unsigned>(dy * dots_x_ + dx);
        cell.curve = std::max(cell.curve, curve);
      }
    }
    return cell;
  }

 private:
  std::size_t index(int x, int y) const { return static_cast<std::size_t>(y * width_ + x); }

  int dots_x_, dots_y_, width_, height_;
  std::vector<int> dots_;
};

/// U+2800 and its dots, from bits in reading order of the 2 by 4 dots. Unicode numbers them down the columns
/// first, the lowest row last.
std::string braille(unsigned dots) {
  constexpr std::array<unsigned, 8> kBit = {0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80};
  unsigned code = 0x2800;
  for (unsigned i = 0; i < kBit.size(); ++i) {
    if ((dots >> i & 1U) != 0) code |= kBit[i];
  }
  return {static_cast<char>(0xE0U | code >> 12U), static_cast<char>(0x80U | (code >> 6U & 0x3FU)),
          static_cast<char>(0x80U | (code & 0x3FU))};
}

struct Plane {
  Range x, y;
  int width, height;
  int column(double at) const {
    return static_cast<int>(std::lround((at - x.low) / x.width() * (width - 1)));
  }
  int row(double at) const {
    // Far outside values would not fit an int.
    const double clamped = std::clamp(at, y.low - y.width(), y.high + y.width());
    return static_cast<int>(std::lround((y.high - clamped) / y.width() * (height - 1)));
  }
};

void draw(Canvas& canvas, const Plane& plane, const std::vector<Line>& lines, int curve, bool dotted) {
  // Dashes of one character, so that flat stretches show them too.
  const int dash = canvas.width() / canvas.columns();
  for (const Line& line : lines) {
    int drawn = -1, last_x = -1, last_y = -1;
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const Point a = line[i], b = line[i + 1];
      const int first = plane.column(a.x), last = plane.column(b.x);
      const int steps = std::max({1, last - first, std::abs(plane.row(b.y) - plane.row(a.y))});
      for (int step = 0; step <= steps; ++step) {
        const double t = static_cast<double>(step) / steps;
        const int x = plane.column(a.x + t * (b.x - a.x)), y = plane.row(a.y + t * (b.y - a.y));
        const bool moved = x != last_x || y != last_y;
        last_x = x;
        last_y = y;
        if (moved) ++drawn;
        if (!dotted || drawn / dash % 2 == 0) canvas.set(x, y, curve);
      }
    }
  }
}

struct Axes {
  std::vector<std::string> row_labels;
  int label_width = 0;
  int zero_row = -1, zero_column = -1;
};

Axes make_axes(const Plane& plane, int columns, int rows) {
  Axes axes;
  axes.row_labels.resize(static_cast<std::size_t>(rows));
  const Plane characters{plane.x, plane.y, columns, rows};
  for (const double tick : round_ticks(plane.y, rows / 4)) {
    const int row = characters.row(tick);
    if (row < 0 || row >= rows) continue;
    std::string& label = axes.row_labels[static_cast<std::size_t>(row)];
    if (label.empty()) label = fmt::format("{:.6g}", tick);
    axes.label_width = std::max(axes.label_width, static_cast<int>(label.size()));
  }
  if (plane.y.low <= 0 && plane.y.high >= 0) axes.zero_row = characters.row(0);
  if (plane.x.low <= 0 && plane.x.high >= 0) axes.zero_column = characters.column(0);
  return axes;
}

std::string x_labels(const Plane& plane, int columns, int margin) {
  const Plane characters{plane.x, plane.y, columns, 2};
  std::string line(static_cast<std::size_t>(margin + columns + 8), ' ');
  for (const double tick : round_ticks(plane.x, columns / 12)) {
    const std::string label = fmt::format("{:.6g}", tick);
    const int start = margin + characters.column(tick) - static_cast<int>(label.size()) / 2;
    line.replace(static_cast<std::size_t>(std::max(start, 0)), label.size(), label);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string render(const Canvas& canvas, const Axes& axes, const std::vector<TextCurve>& curves,
                   const Terminal& terminal, bool unicode) {
  std::string text;
  for (int row = 0; row < canvas.rows(); ++row) {
    const std::string& label = axes.row_labels[static_cast<std::size_t>(row)];
    text += fmt::format("{:>{}} ", label, axes.label_width);
    text += styled(terminal, Style::dim, label.empty() ? (unicode ? "│" : "|") : (unicode ? "┤" : "+"));
    std::string line;
    for (int column = 0; column < canvas.columns(); ++column) {
      const Canvas::Cell cell = canvas.cell(column, row);
      if (cell.dots != 0) {
        const TextCurve& curve = curves[static_cast<std::size_t>(cell.curve - 1)];
        const std::string mark = unicode ? braille(cell.dots) : std::string(curve.dotted ? "." : "*");
        line += styled(terminal, curve.style, mark);
      } else if (row == axes.zero_row || column == axes.zero_column) {
        const bool both = row == axes.zero_row && column == axes.zero_column;
        const char* mark = both                   ? (unicode ? "┼" : "+")
                           : row == axes.zero_row ? (unicode ? "─" : "-")
                                                  : (unicode ? "│" : "|");
        line += styled(terminal, Style::dim, mark);
      } else {
        line += ' ';
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string legend(const std::vector<TextCurve>& curves, const Terminal& terminal, bool unicode, int margin) {
  std::string text(static_cast<std::size_t>(margin), ' ');
  for (const TextCurve& curve : curves) {
    const char* mark = unicode ? (curve.dotted ? "⠤ ⠤" : "⠤⠤⠤") : (curve.dotted ? ". ." : "***");
    text += styled(terminal, curve.style, mark) + ' ' + curve.label + "   ";
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + '\n';
}

}  // namespace

std::string text_plot(const std::vector<TextCurve>& curves, const TextPlotOptions& options,
                      const Terminal& terminal) {
  constexpr int kLabelColumns = 8;
  Canvas canvas(std::max(options.columns - kLabelColumns, 16), std::max(options.rows, 4), options.unicode);
  std::vector<std::vector<Line>> sampled;
  std::vector<Line> all;
  for (const TextCurve& curve : curves) {
    sampled.push_back(sample_curve(curve.f, options.x, 4 * canvas.width()));
    all.insert(all.end(), sampled.back().begin(), sampled.back().end());
  }
  Range y = y_range(all, 0.02);
  // What grows out of the square is cut, so that the rest can be seen.
  y = {std::max(y.low, options.x.low), std::min(y.high, options.x.high)};
  const Plane plane{options.x, y, canvas.width(), canvas.height()};
  // The first curve comes last and lies on top.
  for (std::size_t i = curves.size(); i-- > 0;) {
    draw(canvas, plane, sampled[i], static_cast<int>(i) + 1, curves[i].dotted);
  }
  const Axes axes = make_axes(plane, canvas.columns(), canvas.rows());
  const int margin = axes.label_width + 2;
  return render(canvas, axes, curves, terminal, options.unicode) + x_labels(plane, canvas.columns(), margin) +
         legend(curves, terminal, options.unicode, margin);
}

}  // namespace keratin::cli
