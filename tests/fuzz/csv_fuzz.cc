#include "keratin/io/csv.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keratin;
  return fuzz::accept_errors([&] { io::read_csv(fuzz::as_text(data, size), "fuzz.csv"); });
}
