// keratin-bench: one subcommand for each thing that is measured.
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <fmt/format.h>

#include "bench/bench.h"

namespace keratin::bench {

void report(const std::string& bench, const std::vector<Row>& rows, const nlohmann::ordered_json& about,
            const std::string& json_path) {
  auto list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json entry{{"task", row.task}, {"threads", row.threads}, {"ours_ms", row.ours_ms}};
    std::string extra;
    const auto add = [&extra](const std::string& key, const nlohmann::ordered_json& value) {
      extra +=
          fmt::format("  {} {}", key,
                      value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : value.dump());
    };
    for (const auto& item : row.more.items()) {
      entry[item.key()] = item.value();
      if (!item.value().is_object()) {
        add(item.key(), item.value());
        continue;
      }
      for (const auto& inner : item.value().items()) add(inner.key(), inner.value());
    }
    list.push_back(std::move(entry));
    std::cout << fmt::format("{:<44} {:>2} threads {:>10.4f} ms{}\n", row.task, row.threads, row.ours_ms,
                             extra);
  }
  if (json_path.empty()) return;
  std::ofstream file(json_path);
  nlohmann::ordered_json all{{"bench", bench}};
  all.update(about);
  all["rows"] = std::move(list);
  file << all.dump(1) << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + json_path);
}

}  // namespace keratin::bench

int main(int argc, char** argv) {
  CLI::App app{"How fast, as ratios to what runs beside it on the same machine"};
  app.require_subcommand(1);
  keratin::bench::add_activations(app);
  keratin::bench::add_custom(app);
  keratin::bench::add_train(app);
  keratin::bench::add_predict(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
