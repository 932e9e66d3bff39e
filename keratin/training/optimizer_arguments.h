// The arguments of the optimizers by name, for their configs. Internal.
#pragma once

#include "keratin/core/config.h"

namespace keratin::inline v0::detail {

/// What all optimizers share, in the order of Keras's get_config; visit("clipnorm", options.clipnorm).
template <class Options, class Visit>
void visit_shared(Options& options, Visit&& visit) {
  visit("weight_decay", options.weight_decay);
  visit("clipnorm", options.clipnorm);
  visit("global_clipnorm", options.global_clipnorm);
  visit("clipvalue", options.clipvalue);
  visit("use_ema", options.use_ema);
  visit("ema_momentum", options.ema_momentum);
  visit("ema_overwrite_frequency", options.ema_overwrite_frequency);
  if (options.generation == Generation::keras2) return;
  visit("loss_scale_factor", options.loss_scale_factor);
  visit("gradient_accumulation_steps", options.gradient_accumulation_steps);
}

/// An optimizer's own arguments in that order.
template <class Options, class Visit>
void visit_own(Options& options, Generation generation, Visit&& visit) {
  if constexpr (requires { options.muon_a; }) {
    visit("adam_beta_1", options.adam_beta_1);
    visit("adam_beta_2", options.adam_beta_2);
    visit("epsilon", options.epsilon);
    visit("exclude_layers", options.exclude_layers);
    visit("muon_a", options.muon_a);
    visit("muon_b", options.muon_b);
    visit("muon_c", options.muon_c);
    visit("adam_lr_ratio", options.adam_lr_ratio);
    visit("momentum", options.momentum);
    visit("ns_steps", options.ns_steps);
    visit("nesterov", options.nesterov);
    visit("exclude_embeddings", options.exclude_embeddings);
    visit("adam_weight_decay", options.adam_weight_decay);
    visit("rms_rate", options.rms_rate);
    return;
  }
  if constexpr (requires { options.rho; }) visit("rho", options.rho);
  if constexpr (requires { options.momentum; }) visit("momentum", options.momentum);
  if constexpr (requires { options.nesterov; }) visit("nesterov", options.nesterov);
  if constexpr (requires { options.learning_rate_power; })
    visit("learning_rate_power", options.learning_rate_power);
  if constexpr (requires { options.initial_accumulator_value; })
    visit("initial_accumulator_value", options.initial_accumulator_value);
  if constexpr (requires { options.l1_regularization_strength; }) {
    visit("l1_regularization_strength", options.l1_regularization_strength);
    visit("l2_regularization_strength", options.l2_regularization_strength);
    visit("l2_shrinkage_regularization_strength", options.l2_shrinkage_regularization_strength);
    visit("beta", options.beta);
  }
  if constexpr (requires { options.beta_1; }) {
    visit("beta_1", options.beta_1);
    visit("beta_2", options.beta_2);
  }
  if constexpr (requires { options.beta_2_decay; }) {
    visit("beta_2_decay", options.beta_2_decay);
    visit("epsilon_1", options.epsilon_1);
    visit("epsilon_2", options.epsilon_2);
    visit("clip_threshold", options.clip_threshold);
    visit("relative_step", options.relative_step);
  }
  if constexpr (requires { options.epsilon; }) visit("epsilon", options.epsilon);
  if constexpr (requires { options.warmup_steps; }) visit("warmup_steps", options.warmup_steps);
  if constexpr (requires { options.centered; }) visit("centered", options.centered);
  if constexpr (requires { options.adaptive_epsilon; }) {
    if (generation == Generation::keras2) visit("adaptive_epsilon", options.adaptive_epsilon);
  }
  if constexpr (requires { options.amsgrad; }) visit("amsgrad", options.amsgrad);
}

}  // namespace keratin::inline v0::detail
