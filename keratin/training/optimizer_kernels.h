// The arithmetic of one optimizer step over one variable, in place, one pass. Internal.
#pragma once

#include <cstdint>

namespace keratin::inline v0::detail {

/// What is done to a gradient and a weight before the update. Left alone by the defaults, exactly.
struct StepInput {
  double gradient_scale = 1;  ///< clipping by a norm
  double gradient_limit = 0;  ///< clipping by value, 0 for none
  double decay = 0;           ///< w −= w·decay
};

struct SgdStep {
  StepInput input;
  double learning_rate, momentum;
  bool nesterov;
};
struct RmspropStep {
  StepInput input;
  double learning_rate, rho, momentum, epsilon;
};
struct AdamStep {
  StepInput input;
  double rate, beta_1, beta_2, epsilon;  ///< rate with the bias corrections
};

// Float or double; pointers of slots that an optimizer does not keep are null. Several threads, the same bits
// on every instruction set: each operation is one IEEE operation.
template <class T>
void sgd_update(const SgdStep& step, T* w, const T* g, T* velocity, std::int64_t count);
template <class T>
void rmsprop_update(const RmspropStep& step, T* w, const T* g, T* mean_square, T* momentum, T* mean,
                    std::int64_t count);
template <class T>
void adam_update(const AdamStep& step, T* w, const T* g, T* m, T* v, T* largest, std::int64_t count);

/// Σ g², in double, the same for every number of threads.
template <class T>
double sum_of_squares(const T* g, std::int64_t count);

}  // namespace keratin::inline v0::detail
