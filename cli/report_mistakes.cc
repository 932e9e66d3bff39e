// The report's look at errors: a confusion matrix, and the rows that went wrong; digits as images.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "cli/png.h"
#include "cli/report.h"
#include "cli/svg.h"

namespace keratin::cli {
namespace {

struct Guess {
  std::size_t label = 0;
  double probability = 0;
};

Guess guess_of(const Tensor& probabilities, std::size_t row) {
  const auto classes = static_cast<std::size_t>(probabilities.shape()[1]);
  const std::span<const float> values = probabilities.values<float>().subspan(row * classes, classes);
  const auto best = std::max_element(values.begin(), values.end());
  return {static_cast<std::size_t>(best - values.begin()), *best};
}

std::size_t label_of(const Part& part, std::size_t row) {
  return static_cast<std::size_t>(part.y.values<std::int32_t>()[row]);
}

std::string confusion_matrix(const Dataset& dataset, const Outcome& outcome) {
  const std::size_t classes = dataset.classes.size();
  std::vector<int> counts(classes * classes), of_label(classes);
  const auto rows = static_cast<std::size_t>(dataset.held_out.size());
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t label = label_of(dataset.held_out, i);
    ++counts[label * classes + guess_of(outcome.predictions, i).label];
    ++of_label[label];
  }
  std::string html = fmt::format(
      "<h3 class=\"apart\">Confusion matrix</h3>\n<p class=\"muted\">Held-out rows by what they are (down) "
      "and what "
      "<code>{}</code> says (across).</p>\n<div class=\"scroll\"><table "
      "class=\"confusion\">\n<thead><tr><td></td>",
      escaped(outcome.candidate.name));
  auto to = std::back_inserter(html);
  for (const std::string& name : dataset.classes)
    fmt::format_to(to, "<th scope=\"col\">{}</th>", escaped(name));
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t label = 0; label < classes; ++label) {
    fmt::format_to(to, "<tr><th scope=\"row\">{}</th>", escaped(dataset.classes[label]));
    for (std::size_t said = 0; said < classes; ++said) {
      const int count = counts[label * classes + said];
      const double share = of_label[label] > 0 ? static_cast<double>(count) / of_label[label] : 0;
      // Single errors among fifty have to be seen too.
      const double shade = label == said ? 0.1 + 0.5 * share : std::min(0.25 + 3 * share, 0.9);
      fmt::format_to(to, "<td class=\"{}\" style=\"--a:{:.2f}\">{}</td>",
                     count == 0      ? "none"
                     : label == said ? "right"
                                     : "wrong",
                     shade, count);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string image_of(const Dataset& dataset, std::int64_t row, std::string_view description) {
  const auto size = static_cast<std::size_t>(dataset.image_width * dataset.image_height);
  const std::span<const float> grey =
      dataset.pixels.values<float>().subspan(static_cast<std::size_t>(row) * size, size);
  std::vector<std::uint8_t> bytes;
  // Ink is dark, as on paper.
  for (const float value : grey) bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * (1 - value))));
  return fmt::format("<img src=\"{}\" alt=\"{}\" width=\"{}\" height=\"{}\">",
                     png_data_uri(bytes, dataset.image_width, dataset.image_height), escaped(description),
                     dataset.image_width, dataset.image_height);
}

/// Held-out rows that the network has wrong, the surest first.
std::vector<std::size_t> wrong_rows(const Dataset& dataset, const Outcome& outcome) {
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < static_cast<std::size_t>(dataset.held_out.size()); ++i) {
    if (guess_of(outcome.predictions, i).label != label_of(dataset.held_out, i)) wrong.push_back(i);
  }
  std::stable_sort(wrong.begin(), wrong.end(), [&](std::size_t a, std::size_t b) {
    return guess_of(outcome.predictions, a).probability > guess_of(outcome.predictions, b).probability;
  });
  return wrong;
}

std::string wrong_images(const Dataset& dataset, const Outcome& outcome) {
  std::string html = "<ul class=\"digits\">\n";
  for (const std::size_t row : wrong_rows(dataset, outcome)) {
    const Guess guess = guess_of(outcome.predictions, row);
    const std::string& truth = dataset.classes[label_of(dataset.held_out, row)];
    const std::string& said = dataset.classes[guess.label];
    fmt::format_to(std::back_inserter(html),
                   "<li>{}{} read as <b>{}</b><br><span class=\"muted\">{:.0f} % sure</span></li>\n",
                   image_of(dataset, dataset.held_out.rows[row], fmt::format("A {} read as {}", truth, said)),
                   escaped(truth), escaped(said), 100 * guess.probability);
  }
  return html + "</ul>\n";
}

/// Images that many networks have wrong, with how many.
std::string hard_images(const Report& report) {
  const Dataset& dataset = report.dataset;
  const auto rows = static_cast<std::size_t>(dataset.held_out.size());
  std::vector<int> wrong(rows);
  int networks = 0;
  for (const Outcome& outcome : report.outcomes) {
    if (outcome.failed()) continue;
    ++networks;
    for (const std::size_t row : wrong_rows(dataset, outcome)) ++wrong[row];
  }
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wrong[a] > wrong[b]; });
  constexpr std::size_t kShown = 18;
  std::string html;
  for (std::size_t i = 0; i < std::min(kShown, rows); ++i) {
    const std::size_t row = order[i];
    if (wrong[row] == 0 || networks < 2) break;
    const std::string& truth = dataset.classes[label_of(dataset.held_out, row)];
    fmt::format_to(
        std::back_inserter(html), "<li>{}a {}<br><span class=\"muted\">{} of {} wrong</span></li>\n",
        image_of(dataset, dataset.held_out.rows[row], "A " + truth), escaped(truth), wrong[row], networks);
  }
  if (html.empty()) return html;
  return "<h3 class=\"apart\">The hardest for all networks</h3>\n<ul class=\"digits\">\n" + html + "</ul>\n";
}

std::string wrong_table(const Dataset& dataset, const Outcome& outcome) {
  constexpr std::size_t kShown = 50;
  const std::vector<std::size_t> wrong = wrong_rows(dataset, outcome);
  if (wrong.empty()) return "<p>Not one held-out row is wrong.</p>\n";
  std::string html = fmt::format(
      "<div class=\"scroll\" style=\"margin-top:1rem\"><table><caption>{} held-out rows are wrong, the "
      "surest first{}."
      "</caption><thead><tr><th scope=\"col\">data row</th><th scope=\"col\" class=\"text\">is</th>"
      "<th scope=\"col\" class=\"text\">said</th><th scope=\"col\">sure by</th></tr></thead><tbody>\n",
      wrong.size(), wrong.size() > kShown ? fmt::format("; {} shown", kShown) : "");
  for (std::size_t i = 0; i < std::min(kShown, wrong.size()); ++i) {
    const Guess guess = guess_of(outcome.predictions, wrong[i]);
    fmt::format_to(
        std::back_inserter(html),
        "<tr><td>{}</td><td class=\"text\">{}</td><td class=\"text\">{}</td><td>{:.0f} %</td></tr>\n",
        dataset.held_out.rows[wrong[i]] + 1, escaped(dataset.classes[label_of(dataset.held_out, wrong[i])]),
        escaped(dataset.classes[guess.label]), 100 * guess.probability);
  }
  return html + "</tbody></table></div>\n";
}

std::string scatter(const Dataset& dataset, const Outcome& outcome) {
  constexpr std::size_t kShown = 2000;
  const std::span<const float> truth = dataset.held_out.y.values<float>(),
                               said = outcome.predictions.values<float>();
  Line dots;
  for (std::size_t i = 0; i < std::min(truth.size(), kShown); ++i) {
    dots.push_back({dataset.target_mean + dataset.target_deviation * truth[i], said[i]});
  }
  const Range predicted = y_range({dots}, 0);
  double low = predicted.low, high = predicted.high;
  for (const Point dot : dots) {
    low = std::min(low, dot.x);
    high = std::max(high, dot.x);
  }
  const double margin = 0.04 * (high - low);
  const Range range{low - margin, high + margin};
  const Chart chart{.title = "Predicted against true values",
                    .description = "One dot for each held-out row; on the diagonal the prediction is right.",
                    .x_label = "true " + dataset.target,
                    .y_label = "predicted",
                    .series = {{.css_class = "first", .lines = {dots}, .dots = true},
                               {.css_class = "muted", .lines = {{{low, low}, {high, high}}}}},
                    .x = range,
                    .y = range,
                    .width = 560,
                    .height = 460};
  return fmt::format("<figure class=\"single\">{}</figure>\n", svg(chart, "scatter"));
}

}  // namespace

std::string mistakes_section(const Report& report) {
  std::string html = "<section id=\"mistakes\">\n<h2>Mistakes</h2>\n";
  const Outcome& best = report.outcomes.front();
  if (best.failed()) return html + "<p>No network was trained to the end.</p>\n</section>\n";
  const Dataset& dataset = report.dataset;
  if (dataset.task == Task::numbers) {
    html += fmt::format(
        "<p class=\"muted\">What the best network, <code>{}</code>, says of the held-out rows.</p>\n",
        escaped(best.candidate.name));
    return html + scatter(dataset, best) + "</section>\n";
  }
  html += fmt::format(
      "<p class=\"muted\">The best network, <code>{}</code>, has {} of {} held-out rows wrong.</p>\n",
      escaped(best.candidate.name), wrong_rows(dataset, best).size(), dataset.held_out.size());
  if (dataset.has_images()) {
    html += wrong_images(dataset, best) + hard_images(report);
  } else {
    html += wrong_table(dataset, best);
  }
  constexpr std::size_t kMostClasses = 30;
  if (dataset.classes.size() <= kMostClasses) html += confusion_matrix(dataset, best);
  return html + "</section>\n";
}

}  // namespace keratin::cli
