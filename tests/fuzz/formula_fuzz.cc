#include <cstdlib>

#include "keratin/activations/parse.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keratin;
  return fuzz::accept_errors([&] {
    const Expr expression = activations::parse(fuzz::as_text(data, size));
    const std::string text = expression.to_string();
    if (!activations::parse(text).is_same(expression)) std::abort();
    expression.derivative();
  });
}
