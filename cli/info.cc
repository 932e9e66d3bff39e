// `keratin info`: what this program runs on, for bug reports.
#include <dnnl.h>
#include <fmt/format.h>
#include <hwy/highway.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "keratin/core/parallel.h"
#include "keratin/core/version.h"
#include "keratin/simd/dispatch.h"

namespace keratin::cli {

int run_info(const InfoOptions& options) {
  std::vector<std::string> supported;
  for (const simd::Isa isa : simd::supported_isas()) supported.emplace_back(simd::name(isa));
  const std::string highway = fmt::format("{}.{}.{}", HWY_MAJOR, HWY_MINOR, HWY_PATCH);
  const dnnl_version_t* onednn = dnnl_version();
  const std::string onednn_version = fmt::format("{}.{}.{}", onednn->major, onednn->minor, onednn->patch);
  const std::string isa(simd::name(simd::active_isa()));
  if (options.json) {
    const nlohmann::ordered_json json = {{"version", version()},        {"isa", isa},
                                         {"supported_isas", supported}, {"threads", num_threads()},
                                         {"highway", highway},          {"onednn", onednn_version},
                                         {"compiler", __VERSION__}};
    fmt::print("{}\n", json.dump(2));
    return kFine;
  }
  fmt::print("keratin          {}\n", version());
  fmt::print("instruction set  {} (of {})\n", isa, fmt::join(supported, ", "));
  fmt::print("threads          {}\n", num_threads());
  fmt::print("Highway          {}\n", highway);
  fmt::print("oneDNN           {}\n", onednn_version);
  fmt::print("compiler         {}\n", __VERSION__);
  return kFine;
}

}  // namespace keratin::cli
