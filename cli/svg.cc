// SVG: one scale for each axis, then shapes as text.
#include "cli/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace keratin::cli {
namespace {

/// Mean width in pixels of the 11-pixel sans-serif letters, a little on the wide side.
constexpr double kLetter = 6.2;

struct Frame {
  double left, top, right, bottom;
  Range x, y;

  double px(double at) const { return left + (at - x.low) / x.width() * (right - left); }
  double py(double at) const { return bottom - (at - y.low) / y.width() * (bottom - top); }
};

/// A coordinate with a tenth of a pixel, without a trailing zero.
std::string coordinate(double value) { return fmt::format("{:.4g}", std::round(value * 10) / 10); }

std::string tick_text(double value) { return fmt::format("{:.4g}", value); }

std::vector<Line> all_lines(const Chart& chart) {
  std::vector<Line> lines;
  for (const Series& series : chart.series)
    lines.insert(lines.end(), series.lines.begin(), series.lines.end());
  return lines;
}

Range x_range(const std::vector<Line>& lines) {
  std::vector<Line> swapped;
  for (const Line& line : lines) {
    Line turned;
    for (const Point point : line) turned.push_back({point.y, point.x});
    swapped.push_back(std::move(turned));
  }
  return y_range(swapped, 0);
}

int y_tick_count(const Chart& chart) { return static_cast<int>(chart.height / 50); }

Frame make_frame(const Chart& chart) {
  const std::vector<Line> lines = all_lines(chart);
  const bool has_legend =
      std::any_of(chart.series.begin(), chart.series.end(), [](const Series& s) { return !s.label.empty(); });
  const Range y = chart.y.value_or(y_range(lines, 0.05));
  std::size_t longest = 1;
  for (const double tick : round_ticks(y, y_tick_count(chart)))
    longest = std::max(longest, tick_text(tick).size());
  return {.left = (chart.y_label.empty() ? 10 : 26) + kLetter * static_cast<double>(longest),
          .top = has_legend ? 26.0 : 10.0,
          .right = chart.width - 10,
          .bottom = chart.height - (chart.x_label.empty() ? 20 : 34),
          .x = chart.x.value_or(x_range(lines)),
          .y = y};
}

void append_axes(std::string& out, const Chart& chart, const Frame& frame) {
  auto to = std::back_inserter(out);
  for (const double tick : round_ticks(frame.y, y_tick_count(chart))) {
    const std::string y = coordinate(frame.py(tick));
    fmt::format_to(to, R"svg(<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>)svg",
                   chart.zero_lines && tick == 0 ? "axis" : "grid", coordinate(frame.left),
                   coordinate(frame.right), y, y);
    fmt::format_to(to, R"svg(<text class="tick" text-anchor="end" x="{}" y="{}" dy=".32em">{}</text>)svg",
                   coordinate(frame.left - 5), y, tick_text(tick));
  }
  for (const double tick : round_ticks(frame.x, static_cast<int>(chart.width / 60))) {
    const std::string x = coordinate(frame.px(tick));
    fmt::format_to(to, R"svg(<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>)svg",
                   chart.zero_lines && tick == 0 ? "axis" : "grid", x, x, coordinate(frame.top),
                   coordinate(frame.bottom));
    fmt::format_to(to, R"svg(<text class="tick" text-anchor="middle" x="{}" y="{}">{}</text>)svg", x,
                   coordinate(frame.bottom + 13), tick_text(tick));
  }
  if (!chart.x_label.empty()) {
    fmt::format_to(to, R"svg(<text class="label" text-anchor="middle" x="{}" y="{}">{}</text>)svg",
                   coordinate((frame.left + frame.right) / 2), coordinate(chart.height - 5),
                   escaped(chart.x_label));
  }
  if (!chart.y_label.empty()) {
    const std::string y = coordinate((frame.top + frame.bottom) / 2);
    fmt::format_to(
        to,
        R"svg(<text class="label" text-anchor="middle" transform="rotate(-90 10 {})" x="10" y="{}">{}</text>)svg",
        y, y, escaped(chart.y_label));
  }
}

std::string path_of(const std::vector<Line>& lines, const Frame& frame) {
  std::string path;
  for (const Line& line : lines) {
    char command = 'M';
    for (const Point point : line) {
      // Far outside points are pulled in: renderers count in 32 bits.
      const double y = std::clamp(point.y, frame.y.low - frame.y.width(), frame.y.high + frame.y.width());
      fmt::format_to(std::back_inserter(path), "{}{} {}", command, coordinate(frame.px(point.x)),
                     coordinate(frame.py(y)));
      command = 'L';
    }
  }
  return path;
}

void append_series(std::string& out, const Chart& chart, const Frame& frame, std::string_view id) {
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 R"svg(<clipPath id="{}-clip"><rect x="{}" y="{}" width="{}" height="{}"/></clipPath>)svg",
                 id, coordinate(frame.left - 1), coordinate(frame.top - 1),
                 coordinate(frame.right - frame.left + 2), coordinate(frame.bottom - frame.top + 2));
  fmt::format_to(to, R"svg(<g clip-path="url(#{}-clip)">)svg", id);
  // The first series comes last and lies on top.
  for (auto it = chart.series.rbegin(); it != chart.series.rend(); ++it) {
    const Series& series = *it;
    const std::string tooltip =
        series.tooltip.empty() ? "" : fmt::format("<title>{}</title>", escaped(series.tooltip));
    if (series.dots) {
      fmt::format_to(to, R"svg(<g class="dot {}">{})svg", series.css_class, tooltip);
      for (const Line& line : series.lines) {
        for (const Point point : line) {
          fmt::format_to(to, R"svg(<circle cx="{}" cy="{}" r="2.5"/>)svg", coordinate(frame.px(point.x)),
                         coordinate(frame.py(point.y)));
        }
      }
      out += "</g>";
    } else {
      fmt::format_to(to, R"svg(<path class="line {}{}" d="{}">{}</path>)svg", series.css_class,
                     series.dashed ? " dashed" : "", path_of(series.lines, frame), tooltip);
    }
  }
  out += "</g>";
}

void append_legend(std::string& out, const Chart& chart, const Frame& frame) {
  constexpr double kSample = 18, kGap = 14;
  double x = frame.left;
  for (const Series& series : chart.series) {
    if (series.label.empty()) continue;
    fmt::format_to(std::back_inserter(out),
                   R"svg(<line class="line {}{}" x1="{}" x2="{}" y1="11" y2="11"/>)svg", series.css_class,
                   series.dashed ? " dashed" : "", coordinate(x), coordinate(x + kSample));
    fmt::format_to(std::back_inserter(out),
                   R"svg(<text class="legend" x="{}" y="11" dy=".32em">{}</text>)svg",
                   coordinate(x + kSample + 4), escaped(series.label));
    x += kSample + 4 + kLetter * static_cast<double>(series.label.size()) + kGap;
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string svg(const Chart& chart, std::string_view id) {
  const Frame frame = make_frame(chart);
  std::string out = fmt::format(
      R"svg(<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc"><title id="{}-title">{}</title><desc id="{}-desc">{}</desc>)svg",
      coordinate(chart.width), coordinate(chart.height), id, id, id, escaped(chart.title), id,
      escaped(chart.description));
  append_axes(out, chart, frame);
  append_series(out, chart, frame, id);
  append_legend(out, chart, frame);
  return out + "</svg>\n";
}

}  // namespace keratin::cli
