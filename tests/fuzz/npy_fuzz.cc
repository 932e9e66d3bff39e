#include <span>

#include "keratin/io/npy.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keratin;
  return fuzz::accept_errors([&] { io::read_npy(std::as_bytes(std::span(data, size)), "fuzz.npy"); });
}
