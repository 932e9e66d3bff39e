// What the parts of keratin-bench share: each adds a subcommand; rows go to a table and to a JSON file.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace keratin::bench {

/// One measurement: what was done, on how many threads, how long it took; `more` holds figures of its own.
struct Row {
  std::string task;
  int threads = 1;
  double ours_ms = 0;
  nlohmann::ordered_json more = nlohmann::ordered_json::object();
};

/// Prints the rows as a table, and writes {"bench", "rows": [{"task", "threads", "ours_ms", …}]} where a path
/// is given, with `about` between the two.
void report(const std::string& bench, const std::vector<Row>& rows, const nlohmann::ordered_json& about,
            const std::string& json_path);

/// activations: time an element of every activation.
void add_activations(CLI::App& app);

/// custom: time an element of functions of a user's own.
void add_custom(CLI::App& app);

/// train: steps a second of a small classifier.
void add_train(CLI::App& app);

/// predict: time of a prediction.
void add_predict(CLI::App& app);

}  // namespace keratin::bench
