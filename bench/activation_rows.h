// What the activations bench found: its rows, how they are written and read, and the bars they are held to.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/peers.h"

namespace keratin::bench {

struct ActivationRow {
  Case what;
  std::string memory = "reused";  ///< or "fresh", "in_place"
  int threads = 1;
  /// Nanoseconds an element; nanoseconds the fastest copy of the same traffic takes, NaN where not known.
  double ns = 0, limit_ns = std::numeric_limits<double>::quiet_NaN();
  double cycles = 0;
  std::vector<std::pair<std::string, double>> peers;  ///< nanoseconds an element
};

/// A whole run: where, who took part, who could not.
struct ActivationRun {
  std::string machine, command, data;
  double gigahertz = 0;
  nlohmann::ordered_json peers = nlohmann::ordered_json::object();
  nlohmann::ordered_json missing = nlohmann::ordered_json::object();
  std::vector<ActivationRow> rows;
};

nlohmann::ordered_json to_json(const ActivationRun& run);
ActivationRun run_from_json(const nlohmann::ordered_json& json);

/// Our time over a peer's, and what it may be at most. `name` is empty where there is no such peer.
struct Ratio {
  std::string name;
  double ratio = 0;
  double bar = 0;  ///< 0 for none
  bool passes() const { return name.empty() || bar == 0 || ratio <= bar; }
};

/// Against the fastest peer; the fastest within 2 ULP, or else the most accurate; the fastest framework; the
/// copy of the same bytes.
struct Verdict {
  Ratio fastest, accurate, framework, copy;
  bool has_bar() const { return fastest.bar > 0 || copy.bar > 0; }
  bool passes() const { return fastest.passes() && accurate.passes() && framework.passes() && copy.passes(); }
};
Verdict judge(const ActivationRow& row);

/// The rows that the tables show and the bars are for: of one type, 65,536 elements or the nearest, into a
/// reused result, on one thread.
std::vector<const ActivationRow*> headline(const ActivationRun& run, DType dtype = DType::float32);

/// "tanh", "softmax, rows of 128", "tanh gradient".
std::string title(const ActivationRow& row);

/// The tables for people: plain text, and the page for docs/ with the chart's file name.
std::string text_table(const ActivationRun& run);
std::string markdown(const ActivationRun& run, const std::string& chart);
/// Bars of our time, the fastest peer's, the fastest accurate one's and the copy's, as SVG.
std::string chart(const ActivationRun& run);

}  // namespace keratin::bench
