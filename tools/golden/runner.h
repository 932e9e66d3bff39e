// Running golden cases: what the library can, kind by kind.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/dtype.h"
#include "keratin/io/npz.h"

namespace keratin::golden {

/// One kind of case: which the library can run, judged by what they name, and how. One file a kind.
struct Kind {
  std::string_view name;
  bool (*is_supported)(const Config& golden_case);
  /// The outputs by name. `precision` is what layers and training compute in; activations follow the case.
  /// Whatever the library throws passes.
  io::NamedTensors (*run)(const Config& golden_case, const io::NamedTensors& arrays, DType precision);
  /// Whether the case says the precision.
  bool has_own_precision;
};

extern const Kind kActivation, kActivationAll16, kActivationVjp, kActivationShape, kLayer, kTraining;

/// The kind of a case, or null for one that there is no runner for.
const Kind* find_kind(std::string_view name) noexcept;
/// Whether there is a runner and the library has all that the case names: nothing is tried out, so a failure
/// of what is there is never taken for something missing.
bool is_supported(const Config& golden_case);

/// The config with "dtype" set to the precision, in it and in all layers inside.
Config with_precision(Config config, DType precision);

}  // namespace keratin::golden
