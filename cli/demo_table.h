// What the demo prints while it trains: a table that grows by a row a network, and a bar on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/candidates.h"
#include "cli/dataset.h"
#include "cli/terminal.h"
#include "cli/training_run.h"

namespace keratin::cli {

class DemoTable {
 public:
  DemoTable(const Terminal& terminal, const Dataset& dataset, const std::vector<Candidate>& candidates);

  void print_header() const;
  /// Drawn over by the next; only where a person watches, at most some thirty times a second.
  void show_progress(const Candidate& candidate, std::size_t index, std::int64_t done, std::int64_t epochs,
                     double val_score);
  void print_row(const Outcome& outcome);

 private:
  void clear_progress();

  Terminal terminal_;
  const Dataset& dataset_;
  std::size_t count_;
  int name_width_;
  bool progress_shown_ = false;
  double last_shown_ = 0;
};

}  // namespace keratin::cli
