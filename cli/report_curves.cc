// The report's charts: learning curves of every network, and every activation with its derivative.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "cli/activation_page.h"
#include "cli/report.h"
#include "cli/svg.h"

namespace keratin::cli {
namespace {

Line line_of(const std::vector<double>& values) {
  Line line;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) line.push_back({static_cast<double>(i + 1), values[i]});
  }
  return line;
}

/// What most of the values need: a few wild first epochs would flatten the rest.
Range common_range(const std::vector<Outcome>& outcomes, std::vector<double> Curves::*values) {
  std::vector<double> all;
  for (const Outcome& outcome : outcomes) {
    for (const double value : outcome.curves.*values) {
      if (std::isfinite(value)) all.push_back(value);
    }
  }
  if (all.size() < 2) return {0, 1};
  std::sort(all.begin(), all.end());
  const double low = all[all.size() / 20], high = all[all.size() - 1 - all.size() / 20];
  const double margin = 0.08 * std::max(high - low, 1e-6);
  return {low - margin, high + margin};
}

Chart overview(const Report& report) {
  constexpr std::size_t kColoured = 5;
  Chart chart{.title = "Validation curves of all networks",
              .description = fmt::format(
                  "Validation loss against the epoch, one line a network; the best {} in colour.", kColoured),
              .x_label = "epoch",
              .y_label = "validation loss",
              .y = common_range(report.outcomes, &Curves::val_loss),
              .width = 1080,
              .height = 380};
  for (std::size_t i = 0; i < report.outcomes.size(); ++i) {
    const Outcome& outcome = report.outcomes[i];
    const bool coloured = i < kColoured && !outcome.failed();
    chart.series.push_back({.label = coloured ? outcome.candidate.name : "",
                            .css_class = coloured ? fmt::format("c{}", i) : "muted",
                            .lines = {line_of(outcome.curves.val_loss)},
                            .tooltip = outcome.candidate.name});
  }
  return chart;
}

std::string learning_card(const Report& report, std::size_t index, Range range) {
  const Outcome& outcome = report.outcomes[index];
  const std::string& name = outcome.candidate.name;
  const std::string state =
      outcome.failed() ? "failed" : fmt::format("held out: {}", score_text(report.dataset, outcome.score));
  const Chart chart{
      .title = name + ": learning curves",
      .description = fmt::format("Loss after each of {} epochs; training: {:.4g} at the end, validation: "
                                 "{:.4g}.",
                                 outcome.curves.loss.size(),
                                 outcome.curves.loss.empty() ? 0 : outcome.curves.loss.back(),
                                 outcome.curves.val_loss.empty() ? 0 : outcome.curves.val_loss.back()),
      .x_label = "epoch",
      .y_label = "loss",
      .series = {{"training", "first", {line_of(outcome.curves.loss)}},
                 {"validation", "second", {line_of(outcome.curves.val_loss)}, true}},
      .y = range,
      .height = 190};
  return fmt::format("<figure><header><h3><code>{}</code></h3><span>{}</span></header>\n{}</figure>\n",
                     escaped(name), escaped(state), svg(chart, fmt::format("loss{}", index)));
}

std::string gallery_card(const ActivationPage& page, std::size_t index) {
  constexpr Range kX{-5, 5};
  constexpr int kIntervals = 400;
  std::vector<Line> value = sample_curve(page.value, kX, kIntervals);
  std::vector<Line> slope = sample_curve(page.derivative, kX, kIntervals);
  std::vector<Line> both = value;
  both.insert(both.end(), slope.begin(), slope.end());
  // A square window: what grows faster (exponential) leaves it.
  Range y = y_range(both, 0);
  y = {std::max(y.low, kX.low), std::min(y.high, kX.high)};
  const double margin = std::max(0.06 * y.width(), 0.05);
  Chart chart{
      .title = page.name + " and its derivative",
      .description = fmt::format("{} for x from -5 to 5.", page.formula),
      .series = {{page.name, "first", std::move(value)}, {"derivative", "second", std::move(slope), true}},
      .x = kX,
      .y = Range{y.low - margin, y.high + margin},
      .height = 210,
      .zero_lines = true};
  const std::string shown = page.plotted.empty() ? "" : "Drawn: " + page.plotted + ". ";
  return fmt::format(
      "<figure><header><h3><code>{}</code></h3><span>{}</span></header>\n{}<figcaption><code>{}</"
      "code><br>{}{}"
      "</figcaption></figure>\n",
      escaped(page.name), escaped(fmt::format("{}", fmt::join(page.aliases, ", "))),
      svg(chart, fmt::format("f{}", index)), escaped(page.short_formula), escaped(shown),
      escaped(page.source));
}

}  // namespace

std::string curves_section(const Report& report) {
  std::string html =
      "<section id=\"curves\">\n<h2>Learning curves</h2>\n<p class=\"muted\">The best five in colour; point "
      "at a grey "
      "line for its name. Below, each network’s loss, all to the same scale. Training loss is measured with "
      "dropout, "
      "validation loss without: so the second may lie lower.</p>\n";
  html +=
      fmt::format("<figure class=\"wide\">{}</figure>\n<div class=\"grid\">\n", svg(overview(report), "all"));
  const Range train = common_range(report.outcomes, &Curves::loss);
  const Range validation = common_range(report.outcomes, &Curves::val_loss);
  const Range range{std::min({train.low, validation.low, 0.0}), std::max(train.high, validation.high)};
  for (std::size_t i = 0; i < report.outcomes.size(); ++i) html += learning_card(report, i, range);
  return html + "</div>\n</section>\n";
}

std::string gallery_section() {
  std::string html =
      "<section id=\"activations\">\n<h2>Every activation and its derivative</h2>\n<p "
      "class=\"muted\">Computed by the "
      "library itself, at each function’s default parameters. A jump in a line is a jump of the "
      "function.</p>\n"
      "<div class=\"grid\">\n";
  std::size_t index = 0;
  for (const ActivationPage& page : activation_pages()) html += gallery_card(page, index++);
  return html + "</div>\n</section>\n";
}

}  // namespace keratin::cli
