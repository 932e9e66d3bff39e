// The report's table of all networks, and the settings at its end.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <vector>

#include "cli/report.h"
#include "cli/svg.h"
#include "keratin/core/parallel.h"
#include "keratin/core/version.h"
#include "keratin/simd/dispatch.h"

namespace keratin::cli {
namespace {

/// Where a bar of the table begins: a round number below the worst network that learned something.
double bar_start(const std::vector<Outcome>& outcomes) {
  std::vector<double> scores;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.failed()) scores.push_back(outcome.score);
  }
  if (scores.empty()) return 0;
  std::sort(scores.begin(), scores.end());
  // The tenth from below: one hopeless network would make all other bars look alike.
  const double low = scores[scores.size() / 10];
  const double step = 1 - low < 0.2 ? 0.05 : 0.1;
  return std::clamp(std::floor(low / step) * step - step, 0.0, 1.0);
}

std::string row(const Report& report, std::size_t rank, double start) {
  const Outcome& outcome = report.outcomes[rank];
  const bool classes = report.dataset.task == Task::classes;
  std::string html =
      fmt::format("<tr{}><td>{}</td><td class=\"text\"><code>{}</code></td>",
                  outcome.failed() ? " class=\"failed\"" : "", rank + 1, escaped(outcome.candidate.name));
  auto to = std::back_inserter(html);
  if (outcome.failed()) {
    fmt::format_to(to, "<td class=\"text\" colspan=\"{}\">{}</td>", classes ? 4 : 5,
                   escaped(outcome.failure));
  } else {
    const double width = std::clamp((outcome.score - start) / (1 - start), 0.0, 1.0);
    fmt::format_to(to, "<td class=\"bar\"><span style=\"--w:{:.1f}%\">{}</span></td>", 100 * width,
                   score_text(report.dataset, outcome.score));
    if (!classes) fmt::format_to(to, "<td>{:#.4g}</td>", outcome.error);
    fmt::format_to(to, "<td>{}</td><td>{:.4f}</td><td>{}</td>",
                   score_text(report.dataset, outcome.validation_score), outcome.loss, outcome.parameters);
  }
  fmt::format_to(to, "<td>{}</td><td>{:.2f}</td><td class=\"note\">{}</td></tr>\n",
                 outcome.curves.loss.size(), outcome.seconds, escaped(outcome.candidate.note));
  return html;
}

std::string caption(const Report& report) {
  const Dataset& dataset = report.dataset;
  if (dataset.task == Task::numbers) {
    return "R² is the share of the target’s variance on the held-out rows that a network explains: 1 is "
           "perfect, 0 is "
           "guessing the mean. The error is the root of the mean square, in the target’s own units.";
  }
  const double best = report.outcomes.front().failed() ? 0.5 : report.outcomes.front().score;
  const double deviation = std::sqrt(best * (1 - best) / static_cast<double>(dataset.held_out.size()));
  return fmt::format(
      "Sorted by accuracy on the {} held-out rows. With so many rows an accuracy like the best one’s is "
      "uncertain by "
      "about ±{:.1f} points (one standard deviation), so neighbours in this table are equals.",
      dataset.held_out.size(), 100 * deviation);
}

/// "learning rate 0.004, glorot_uniform, Dropout 0.1; selu: lecun_normal, AlphaDropout 0.05; …"
std::string individual_settings(const std::vector<Outcome>& outcomes) {
  const Candidate usual{};
  const auto drop = [](const Candidate& c) {
    return fmt::format("{} {}", c.alpha_dropout ? "AlphaDropout" : "Dropout", c.dropout);
  };
  std::string text =
      fmt::format("learning rate {}, {}, {}", usual.learning_rate, usual.initializer, drop(usual));
  for (const Outcome& outcome : outcomes) {
    const Candidate& candidate = outcome.candidate;
    std::vector<std::string> differences;
    if (candidate.learning_rate != usual.learning_rate) {
      differences.push_back(fmt::format("learning rate {}", candidate.learning_rate));
    }
    if (candidate.initializer != usual.initializer) differences.push_back(candidate.initializer);
    if (drop(candidate) != drop(usual)) differences.push_back(drop(candidate));
    if (differences.empty()) continue;
    fmt::format_to(std::back_inserter(text), "; {}: {}", candidate.name, fmt::join(differences, ", "));
  }
  return text;
}

void append_term(std::string& html, std::string_view term, std::string_view text) {
  fmt::format_to(std::back_inserter(html), "<dt>{}</dt><dd>{}</dd>\n", escaped(term), escaped(text));
}

}  // namespace

std::string results_section(const Report& report) {
  const bool classes = report.dataset.task == Task::classes;
  std::string html = fmt::format(
      "<section id=\"results\">\n<h2>Results</h2>\n<div class=\"scroll\"><table>\n<caption>{}</caption>\n"
      "<thead><tr><th scope=\"col\">#</th><th scope=\"col\" class=\"text\">activation</th><th "
      "scope=\"col\">{}</th>"
      "{}<th scope=\"col\">validation</th><th scope=\"col\">held-out loss</th><th scope=\"col\">weights</th>"
      "<th scope=\"col\">epochs</th><th scope=\"col\">seconds</th><th scope=\"col\" "
      "class=\"text\">note</th></tr>"
      "</thead>\n<tbody>\n",
      caption(report), classes ? "held-out accuracy" : "held-out R²",
      classes ? "" : "<th scope=\"col\">error</th>");
  const double start = bar_start(report.outcomes);
  for (std::size_t i = 0; i < report.outcomes.size(); ++i) html += row(report, i, start);
  return html + "</tbody>\n</table></div>\n</section>\n";
}

std::string settings_section(const Report& report) {
  const Dataset& dataset = report.dataset;
  const Plan& plan = report.plan;
  const bool classes = dataset.task == Task::classes;
  std::string html = "<section id=\"settings\">\n<h2>Settings</h2>\n<dl>\n";
  append_term(html, "command", report.command);
  append_term(html, "seed", fmt::format("{}; every network starts from it anew", plan.seed));
  append_term(html, "network",
              fmt::format("{} inputs, Dense {} with the activation and Dropout behind each, Dense {}{}",
                          dataset.features.size(), fmt::join(plan.hidden, " and "),
                          classes ? dataset.classes.size() : 1, classes ? ", softmax" : ""));
  append_term(html, "of each", individual_settings(report.outcomes));
  append_term(
      html, "training",
      fmt::format("Adam, {} epochs in batches of {}, the learning rate falling along half a cosine; {}",
                  plan.epochs, plan.batch_size,
                  classes ? "sparse categorical cross-entropy; the last epoch counts"
                          : "mean squared error; the epoch with the smallest validation loss counts"));
  append_term(html, "inputs",
              dataset.has_images()
                  ? "each pixel less its mean, all divided by one deviation, both of the training rows"
                  : "each column less its mean, divided by its deviation, both of the training rows");
  append_term(
      html, "choices",
      "architecture, learning rates and epochs were chosen on validation rows of the digits, taken from the "
      "training rows; the held-out rows were only measured on");
  append_term(
      html, "computed by",
      fmt::format("Keratin {}, {}, {} threads", version(), simd::name(simd::active_isa()), num_threads()));
  if (!dataset.left_out.empty()) {
    append_term(html, "rows left out", fmt::format("{}", fmt::join(dataset.left_out, "; ")));
  }
  if (!dataset.licence.empty()) append_term(html, "data", dataset.licence);
  return html + "</dl>\n</section>\n";
}

}  // namespace keratin::cli
