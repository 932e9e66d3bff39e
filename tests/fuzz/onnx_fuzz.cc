#include <span>

#include "keratin/io/onnx.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keratin;
  return fuzz::accept_errors([&] {
    const Expr expression = io::read_onnx(std::as_bytes(std::span(data, size)), "fuzz.onnx");
    expression.evaluate(0.5);
  });
}
