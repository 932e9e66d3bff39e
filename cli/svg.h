// Charts as SVG text: axes with ticks, lines, a legend. Colours come from the page's style sheet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/curve.h"

namespace keratin::cli {

/// `text` with &, <, > and quotes written so that HTML and SVG show them.
std::string escaped(std::string_view text);

struct Series {
  /// In the legend; empty to leave it out there.
  std::string label = {};
  /// CSS class of the line: "first", "second", "muted", "c0" … "c5".
  std::string css_class = {};
  std::vector<Line> lines = {};
  bool dashed = false;
  /// Shown when pointed at.
  std::string tooltip = {};
  /// Single dots in place of a line.
  bool dots = false;
};

struct Chart {
  /// Read out by screen readers, not drawn.
  std::string title = {};
  std::string description = {};
  std::string x_label = {}, y_label = {};
  std::vector<Series> series = {};
  /// Unset: what the lines need.
  std::optional<Range> x = std::nullopt, y = std::nullopt;
  double width = 320, height = 220;
  /// Lines through 0.
  bool zero_lines = false;
};

/// An <svg> element that scales with its container. Its ids start with `id`, which has to be unique in the
/// page.
std::string svg(const Chart& chart, std::string_view id);

}  // namespace keratin::cli
