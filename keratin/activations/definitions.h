// The element-wise activations as plain structs: parameters with Keras's names and defaults, and the formula.
// Elu{.alpha = 0.5} is a value that every `activation` takes.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "keratin/activations/definition.h"
#include "keratin/activations/definition_names.h"

namespace keratin::inline v0::activations {

#define KERATIN_DEFINITION(name) KERATIN_DEFINITION_FILE(name)
#define KERATIN_ACTIVATION(name, Struct)
#include "keratin/activations/definitions/list.inc"

}  // namespace keratin::inline v0::activations
