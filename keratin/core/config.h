// Configurations: what objects are made from and saved as.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace keratin::inline v0 {

/// A JSON value whose objects keep their order, as Keras's get_config() gives it. Include <nlohmann/json.hpp>
/// to look inside.
using Config = nlohmann::ordered_json;

/// Which Keras a file, a name or a loss follows where the two differ. Never a global: an argument, or part of
/// the object made.
enum class Generation { keras2 = 2, keras3 = 3 };

}  // namespace keratin::inline v0
