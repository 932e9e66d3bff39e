// One mistake for each MISTAKE_ that CMakeLists.txt defines; with MISTAKE_none none.
#include <string>

#include "keratin/activations/backend.h"

namespace K = keratin::backend;

#if defined(MISTAKE_none)
const keratin::ActivationFn f = [](auto x) { return K::where(x > 0, x, 0.1 * x); };
#elif defined(MISTAKE_question_mark)
const keratin::ActivationFn f = [](auto x) { return x > 0 ? x : 0.1 * x; };
#elif defined(MISTAKE_if)
const keratin::ActivationFn f = [](auto x) {
  if (x > 0) return x;
  return 0.1 * x;
};
#elif defined(MISTAKE_float_lambda)
const keratin::ActivationFn f = [](float x) { return x * x; };
#elif defined(MISTAKE_softmax_in_lambda)
const keratin::ActivationFn f = [](auto x) { return K::softmax(x); };
#elif defined(MISTAKE_returns_text)
const keratin::ActivationFn f = [](auto x) { return (x * x).to_string(); };
#endif
