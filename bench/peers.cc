#include "bench/peers.h"

namespace keratin::bench {

const std::vector<Library>& libraries() {
  static const std::vector<Library> all{eigen(), sleef(), onednn(), xnnpack()};
  return all;
}

nlohmann::ordered_json describe(const std::vector<Library>& libraries,
                                const std::vector<std::unique_ptr<Framework>>& frameworks) {
  auto present = nlohmann::ordered_json::object(), missing = present;
  for (const Library& library : libraries) {
    if (library.missing.empty())
      present[std::string(library.name)] = library.version;
    else
      missing[std::string(library.name)] = library.missing;
  }
  for (const auto& framework : frameworks) {
    if (framework->missing().empty())
      present[framework->name()] = framework->version();
    else
      missing[framework->name()] = framework->missing();
  }
  return {{"peers", std::move(present)}, {"missing", std::move(missing)}};
}

}  // namespace keratin::bench
