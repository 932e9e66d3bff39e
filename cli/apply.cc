// `keratin apply`: a formula, or its derivative, on every number of an array file.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/formula_page.h"
#include "keratin/activations/activation_fn.h"
#include "keratin/activations/get.h"
#include "keratin/io/npy.h"

namespace keratin::cli {
namespace {

ActivationFn function_of(const ApplyOptions& options) {
  const std::vector<std::string_view> known = activations::names();
  // Also a function along an axis, such as softmax, which is no function of one number.
  if (!options.gradient && std::find(known.begin(), known.end(), options.formula) != known.end()) {
    return activations::get(options.formula);
  }
  const Expr formula = read_formula(options.formula);
  return (options.gradient ? formula.derivative() : formula).to_activation_fn();
}

}  // namespace

int run_apply(const ApplyOptions& options) {
  const ActivationFn function = function_of(options);
  Tensor x = io::load_npy(options.input);
  if (x.dtype() != DType::float64) x = x.astype(DType::float32);
  const Tensor y = function(x);
  io::save_npy(options.output, y);
  fmt::print("{}: {} of {} numbers, {}\n", options.output,
             options.gradient ? "derivative of " + options.formula : options.formula, x.size(),
             name(y.dtype()));
  return kFine;
}

}  // namespace keratin::cli
