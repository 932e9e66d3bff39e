// The activations bench as a picture: one group of bars a function, nothing but SVG.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "bench/activation_rows.h"

namespace keratin::bench {

namespace {

constexpr int kLeft = 225, kWidth = 620, kBarHeight = 7, kGroupGap = 8, kTop = 60;

struct Series {
  std::string_view label, colour;
};
constexpr std::array kSeries{Series{"Keratin", "#2a6f97"}, Series{"fastest peer", "#e09f3e"},
                             Series{"fastest peer within 2 ULP", "#9e2a2b"},
                             Series{"fastest copy of the bytes", "#b8b8b8"}};

double time_of(const ActivationRow& row, const Ratio& ratio) {
  return ratio.name.empty() ? 0 : row.ns / ratio.ratio;
}

}  // namespace

std::string chart(const ActivationRun& run) {
  const auto rows = headline(run);
  // Slow ones are cut off and say their number: one of them must not flatten all the others.
  double scale_ns = 0.1;
  for (const ActivationRow* row : rows) scale_ns = std::max(scale_ns, std::min(row->ns, 0.6));
  scale_ns *= 1.6;

  const int group = kBarHeight * static_cast<int>(kSeries.size()) + kGroupGap;
  const int height = kTop + group * static_cast<int>(rows.size()) + 20;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n<title>Activations, nanoseconds an element</title>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"10\" y=\"18\" font-size=\"14\">Nanoseconds an element, float32, one thread: less is "
      "better</text>\n",
      kLeft + kWidth + 70, height);
  int x = kLeft;
  for (const Series& series : kSeries) {
    out += fmt::format(
        "<rect x=\"{}\" y=\"30\" width=\"10\" height=\"10\" fill=\"{}\"/>"
        "<text x=\"{}\" y=\"39\">{}</text>\n",
        x, series.colour, x + 14, series.label);
    x += 40 + 6 * static_cast<int>(series.label.size());
  }
  for (int tick = 0; tick * 0.1 < scale_ns; ++tick) {
    const double at = kLeft + kWidth * tick * 0.1 / scale_ns;
    out += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" stroke=\"#e4e4e4\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\" fill=\"#777\">{4:.1f}</text>\n",
        at, kTop - 4, height - 16, height - 4, tick * 0.1);
  }
  int y = kTop;
  for (const ActivationRow* row : rows) {
    const Verdict verdict = judge(*row);
    const std::array<double, kSeries.size()> times{row->ns, time_of(*row, verdict.fastest),
                                                   time_of(*row, verdict.accurate), row->limit_ns};
    const std::array<std::string, kSeries.size()> notes{"", verdict.fastest.name, verdict.accurate.name, ""};
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 8, y + 16,
                       title(*row));
    for (std::size_t i = 0; i < times.size(); ++i, y += kBarHeight) {
      if (!(times[i] > 0)) continue;
      const double width = kWidth * std::min(times[i] / scale_ns, 1.0);
      out += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/>"
          "<text x=\"{:.1f}\" y=\"{}\" font-size=\"7\" fill=\"#555\">{:.3g} {}</text>\n",
          kLeft, y, width, kBarHeight - 1, kSeries[i].colour, kLeft + width + 3, y + kBarHeight - 1, times[i],
          notes[i]);
    }
    y += kGroupGap;
  }
  return out + "</svg>\n";
}

}  // namespace keratin::bench
