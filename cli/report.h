// The demo's report: one HTML file that needs nothing else.
#pragma once

#include <string>
#include <vector>

#include "cli/dataset.h"
#include "cli/training_run.h"

namespace keratin::cli {

struct Report {
  const Dataset& dataset;
  const Plan& plan;
  /// Best first, failures last.
  const std::vector<Outcome>& outcomes;
  double seconds = 0;
  /// How it was called, to do it again.
  std::string command = {};
};

/// The whole page.
std::string report_html(const Report& report);

// Its parts, each a <section>.
std::string results_section(const Report& report);
std::string curves_section(const Report& report);
std::string mistakes_section(const Report& report);
std::string gallery_section();
std::string settings_section(const Report& report);

/// The style sheet: light and dark, wide and narrow.
std::string_view report_style();

/// Outcomes best first: by the held-out score, equal ones by the loss; failures last.
std::vector<Outcome> ranked(std::vector<Outcome> outcomes);

/// "0.9796" of a score, "97.96 %" of an accuracy.
std::string score_text(const Dataset& dataset, double score);

}  // namespace keratin::cli
