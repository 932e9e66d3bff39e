// `keratin demo`: trains once with each activation, prints a table as it goes, writes the report.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "cli/candidates.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/demo_table.h"
#include "cli/exit_codes.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "cli/training_run.h"
#include "keratin/core/error.h"
#include "keratin/core/parallel.h"
#include "keratin/io/atomic_file.h"

namespace keratin::cli {
namespace {

/// Before minutes are spent on a report that has no place to go.
void check_output(const std::filesystem::path& path) {
  if (path.empty()) throw ValueError("demo --output", "the name of a file", "an empty one", "");
  if (std::filesystem::is_directory(path)) {
    throw IoError("demo --output", "a file", "\"" + path.string() + "\" is a folder",
                  "Name a file in it, as in --output " + (path / "report.html").string());
  }
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (access(folder.c_str(), W_OK) != 0) {
    throw IoError("demo --output", "a folder that can be written to", "\"" + folder.string() + "\"",
                  "Create it, or choose another place with --output.");
  }
}

Dataset load(const DemoOptions& options) {
  if (options.data.empty()) return load_digits(options.seed);
  try {
    return load_table(options.data, options.target, options.seed, options.skip_bad_rows);
  } catch (const IoError& error) {
    // The library knows nothing of options.
    if (error.received().find("bad row") == std::string::npos) throw;
    throw IoError(error.operation(), error.expected(), error.received(),
                  error.advice() + " --skip-bad-rows leaves them out.");
  }
}

void print_introduction(const Dataset& dataset, const Plan& plan) {
  for (const std::string& row : dataset.left_out) fmt::print(stderr, "keratin: left out {}\n", row);
  const bool classes = dataset.task == Task::classes;
  fmt::print("{}: {} rows to train, {} to validate, {} held out; predicting \"{}\" ({}) from {} numbers.\n",
             dataset.title, dataset.train.size(), dataset.validation.size(), dataset.held_out.size(),
             dataset.target, classes ? fmt::format("{} classes", dataset.classes.size()) : "a number",
             dataset.features.size());
  fmt::print("Network: {}-{}-{}; Adam, {} epochs in batches of {}; seed {}.\n\n", dataset.features.size(),
             fmt::join(plan.hidden, "-"), classes ? dataset.classes.size() : 1, plan.epochs, plan.batch_size,
             plan.seed);
}

void print_conclusion(const Report& report) {
  const Outcome& best = report.outcomes.front();
  const auto failed = std::count_if(report.outcomes.begin(), report.outcomes.end(),
                                    [](const Outcome& outcome) { return outcome.failed(); });
  if (best.failed()) {
    fmt::print("\nNo network could be trained ({:.1f} s).\n", report.seconds);
    return;
  }
  fmt::print("\nBest: {} with {} on the held-out rows. {} networks in {:.1f} s{}.\n", best.candidate.name,
             score_text(report.dataset, best.score), report.outcomes.size(), report.seconds,
             failed > 0 ? fmt::format(", {} failed", failed) : "");
}

}  // namespace

int run_demo(const DemoOptions& options) {
  const std::vector<Candidate> candidates = choose_candidates(options.activations, options.quick);
  check_output(options.output);
  if (options.threads) set_num_threads(*options.threads);
  const Dataset dataset = load(options);
  Plan plan = plan_for(dataset);
  plan.seed = options.seed;
  // Less than half the epochs reach nearly the same, since the learning rate falls faster.
  if (options.quick) plan.epochs = std::max<std::int64_t>(plan.epochs * 2 / 5, 1);
  if (options.epochs) plan.epochs = *options.epochs;

  print_introduction(dataset, plan);
  DemoTable table(describe(stdout), dataset, candidates);
  table.print_header();
  const auto start = std::chrono::steady_clock::now();
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    outcomes.push_back(train(candidates[i], dataset, plan, [&](std::int64_t done, double val_score) {
      table.show_progress(candidates[i], i, done, plan.epochs, val_score);
    }));
    table.print_row(outcomes.back());
  }
  outcomes = ranked(std::move(outcomes));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Report report{dataset, plan, outcomes, seconds, options.command};

  io::AtomicFile file(options.output);
  file.write(report_html(report));
  file.commit();
  print_conclusion(report);
  fmt::print("Report:\n{}\n", std::filesystem::absolute(options.output).lexically_normal().string());
  return outcomes.front().failed() ? kFailed : kFine;
}

}  // namespace keratin::cli
