// What compile was called with, to and from the configs that Keras writes into model files.
#pragma once

#include "keratin/core/config.h"
#include "keratin/core/export.h"
#include "keratin/training/training.h"

namespace keratin::inline v0 {

/// The object "compile_config" of a .keras file's config.json: optimizer, loss, loss_weights, metrics and
/// weighted_metrics, each as it was given: one, a list, or by the outputs' names; then how Keras runs a step,
/// which is left to it. ValueError for a loss, a metric or a schedule that is a function of the caller's.
/// Keras: Model.get_compile_config.
KERATIN_API Config compile_config(const CompileOptions& options, Generation generation = Generation::keras3);
/// The attribute "training_config" of an H5 file: the same with "optimizer_config" and objects in short.
KERATIN_API Config training_config(const CompileOptions& options, Generation generation = Generation::keras3);
/// The arguments of either. ValueError for what is unknown, naming it. What says how Keras runs a step
/// (run_eagerly, jit_compile, …) changes nothing here.
KERATIN_API CompileOptions compile_options(const Config& config, Generation generation = Generation::keras3);

}  // namespace keratin::inline v0
