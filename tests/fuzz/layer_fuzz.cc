#include <nlohmann/json.hpp>

#include "keratin/layers/layer.h"
#include "keratin/layers/layer_registry.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keratin;
  const Config config = Config::parse(fuzz::as_text(data, size), nullptr, false);
  if (config.is_discarded()) return 0;
  return fuzz::accept_errors([&] { layers::deserialize(config).serialize(); });
}
