// The demo's table, in columns of fixed width; rows are flushed, so that a pipe sees them as they come.
#include "cli/demo_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "cli/report.h"

namespace keratin::cli {
namespace {

constexpr int kScoreWidth = 11, kEpochsWidth = 8, kSecondsWidth = 9;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

DemoTable::DemoTable(const Terminal& terminal, const Dataset& dataset,
                     const std::vector<Candidate>& candidates)
    : terminal_(terminal), dataset_(dataset), count_(candidates.size()), name_width_(12) {
  for (const Candidate& candidate : candidates) {
    name_width_ = std::max(name_width_, display_width(candidate.name) + 2);
  }
}

void DemoTable::print_header() const {
  const bool classes = dataset_.task == Task::classes;
  const std::string line = fmt::format("{:<{}}{:>{}}{:>{}}{:>{}}{:>{}}  note", "activation", name_width_,
                                       classes ? "test acc." : "test R2", kScoreWidth, "validation",
                                       kScoreWidth, "epochs", kEpochsWidth, "seconds", kSecondsWidth);
  fmt::print("{}\n", styled(terminal_, Style::dim, line));
  std::fflush(stdout);
}

void DemoTable::show_progress(const Candidate& candidate, std::size_t index, std::int64_t done,
                              std::int64_t epochs, double val_score) {
  constexpr double kInterval = 0.03;
  const double now = now_seconds();
  if (!terminal_.interactive || now - last_shown_ < kInterval) return;
  last_shown_ = now;
  progress_shown_ = true;
  constexpr int kBar = 24;
  const auto filled = static_cast<int>(kBar * done / epochs);
  std::string bar;
  for (int i = 0; i < kBar; ++i)
    bar += i < filled ? (terminal_.unicode ? "━" : "=") : (terminal_.unicode ? "─" : "-");
  const std::string line = fmt::format(
      "{} {} epoch {}/{}  validation {}  ({} of {})", padded(candidate.name, name_width_), bar, done, epochs,
      dataset_.task == Task::classes ? score_text(dataset_, val_score) : fmt::format("{:.4g}", val_score),
      index + 1, count_);
  // A line longer than the terminal would scroll with every redraw.
  if (display_width(line) < terminal_.columns) fmt::print("\r{}\x1b[K", line);
  std::fflush(stdout);
}

void DemoTable::clear_progress() {
  if (progress_shown_) fmt::print("\r\x1b[K");
  progress_shown_ = false;
}

void DemoTable::print_row(const Outcome& outcome) {
  clear_progress();
  const std::string name = styled(terminal_, Style::bold, padded(outcome.candidate.name, name_width_));
  if (outcome.failed()) {
    fmt::print("{}{:>{}}{:>{}}{:>{}}{:>{}.2f}  {}\n", name, "failed", kScoreWidth, "", kScoreWidth,
               outcome.curves.loss.size(), kEpochsWidth, outcome.seconds, kSecondsWidth,
               styled(terminal_, Style::bad, outcome.failure));
  } else {
    fmt::print("{}{:>{}}{:>{}}{:>{}}{:>{}.2f}  {}\n", name, score_text(dataset_, outcome.score), kScoreWidth,
               score_text(dataset_, outcome.validation_score), kScoreWidth, outcome.curves.loss.size(),
               kEpochsWidth, outcome.seconds, kSecondsWidth,
               styled(terminal_, Style::dim, outcome.candidate.note));
  }
  std::fflush(stdout);
}

}  // namespace keratin::cli
