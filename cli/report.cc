// The report's frame: heading, facts, sections in order, and what several of them share.
#include "cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "cli/svg.h"

namespace keratin::cli {
namespace {

std::string fact(std::string_view value, std::string_view label) {
  return fmt::format("<div><b>{}</b><span>{}</span></div>\n", escaped(value), escaped(label));
}

std::string heading(const Report& report) {
  const Dataset& dataset = report.dataset;
  const auto trained = std::count_if(report.outcomes.begin(), report.outcomes.end(),
                                     [](const Outcome& outcome) { return !outcome.failed(); });
  std::string html = fmt::format("<h1>{}, once with each activation</h1>\n", escaped(dataset.title));
  html += fmt::format(
      "<p class=\"muted\">{} networks that differ in their activation alone learned to predict “{}” from {} "
      "rows of {} "
      "numbers. {} rows that none of them saw, and that no choice was made on, tell how well.</p>\n",
      report.outcomes.size(), escaped(dataset.target), dataset.train.size(), dataset.features.size(),
      dataset.held_out.size());
  html += "<div class=\"facts\">\n";
  if (trained > 0) {
    const Outcome& best = report.outcomes.front();
    html += fact(
        score_text(dataset, best.score),
        fmt::format("{} of the best, {}", dataset.task == Task::classes ? "held-out accuracy" : "held-out R²",
                    best.candidate.name));
  }
  html += fact(fmt::format("{} of {}", trained, report.outcomes.size()), "networks trained to the end");
  html += fact(
      fmt::format("{} / {} / {}", dataset.train.size(), dataset.validation.size(), dataset.held_out.size()),
      "rows to train, validate, hold out");
  html += fact(fmt::format("{:.1f} s", report.seconds), "for all networks");
  return html + "</div>\n";
}

constexpr std::string_view kNavigation = R"html(<nav aria-label="Sections"><a href="#results">Results</a>
<a href="#curves">Learning curves</a> <a href="#mistakes">Mistakes</a> <a href="#activations">Activations</a>
<a href="#settings">Settings</a></nav>
)html";

}  // namespace

std::string report_html(const Report& report) {
  std::string html = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += fmt::format(
      "<title>{}: every activation · Keratin</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      escaped(report.dataset.title), report_style());
  html += heading(report);
  html += kNavigation;
  html += results_section(report);
  html += curves_section(report);
  html += mistakes_section(report);
  html += gallery_section();
  html += settings_section(report);
  return html + "</main>\n</body>\n</html>\n";
}

std::vector<Outcome> ranked(std::vector<Outcome> outcomes) {
  std::stable_sort(outcomes.begin(), outcomes.end(), [](const Outcome& a, const Outcome& b) {
    if (a.failed() != b.failed()) return b.failed();
    return a.score != b.score ? a.score > b.score : a.loss < b.loss;
  });
  return outcomes;
}

std::string score_text(const Dataset& dataset, double score) {
  return dataset.task == Task::classes ? fmt::format("{:.2f} %", 100 * score) : fmt::format("{:.4f}", score);
}

}  // namespace keratin::cli
