// Activations by name and as configs, in the spelling of both Keras generations.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "keratin/activations/activation_fn.h"
#include "keratin/core/config.h"
#include "keratin/core/export.h"

namespace keratin::inline v0 {
class BuiltinActivation;
}

namespace keratin::inline v0::activations {

/// The function of a name with arguments by Keras's keywords, as in `make("elu", {{"alpha", 0.5}})`, where
/// the rest keeps its defaults. Keywords are those of `generation`; without one those of either, and the
/// names of our own parameters (hard_sigmoid's limit, relu's as_keras). ValueError for an unknown one.
KERATIN_API ActivationFn make(std::string_view name, const Config& arguments,
                              std::optional<Generation> generation = std::nullopt);

/// What Keras of that generation writes: a name where the name alone means the same there, else an object
/// that Keras reads (Keras 3: an operation of keras.ops, Keras 2: a layer), else one that only this library
/// reads (hard_sigmoid of the other generation, expressions). Reading it back gives the same function.
/// ValueError for a function of tensors, which is code. Keras: keras.activations.serialize.
KERATIN_API Config serialize(const ActivationFn& activation, Generation generation = Generation::keras3);

/// The activation of a config, as get. Accepts what Keras 2 and 3 and serialize write: names, functions,
/// layers (where linked in), operations. A Python lambda is refused: it is bytecode.
/// Keras: keras.activations.deserialize.
KERATIN_API ActivationFn deserialize(const Config& config, Generation generation = Generation::keras3);

/// Every name that get takes, sorted; without a generation, of both.
KERATIN_API std::vector<std::string_view> names(std::optional<Generation> generation = std::nullopt);

/// Makes an activation from an object as Keras writes it: {"class_name", "config", …}.
using ActivationFactory = std::function<ActivationFn(const Config& object, Generation generation)>;
/// From now on objects of this class (layers: "PReLU"), and the bare name where no Keras 3 is asked for, are
/// made by `factory`. A later registration replaces an earlier one. Safe from every thread.
KERATIN_API void register_activation_factory(std::string_view class_name, ActivationFactory factory);

namespace detail {

class AxisActivation;

Config serialize_builtin(const BuiltinActivation& activation, Generation generation);
Config serialize_axis(const AxisActivation& activation, Generation generation);
/// A parameter's value in a config: a number, true or false, null for none.
Config parameter_config(const Parameter& parameter, double value);

}  // namespace detail
}  // namespace keratin::inline v0::activations
