// The body of a layer whose first weight can have LoRA. Internal.
#pragma once

#include <cstdint>
#include <optional>

#include "keratin/layers/layer.h"
#include "keratin/layers/lora.h"

namespace keratin::inline v0::detail {

/// The two arguments, read; LoraBody::add_lora_to writes them.
template <class Options, class Fields>
void lora_fields(Options& options, Fields& field) {
  if constexpr (Fields::kReads) {
    field("lora_rank", options.lora_rank);
    field("lora_alpha", options.lora_alpha);
  }
}

/// A layer calls set_lora in its constructor, build_lora in build once its weights are made, and computes
/// with what adapted makes of the first of them.
class LoraBody : public LayerBody {
 public:
  void enable_lora(std::int64_t rank, const EnableLoraOptions& options);

 protected:
  /// `constraint` is that of the weight.
  template <class Options>
  void set_lora(const Options& options, const Constraint& constraint) {
    if (options.lora_rank) check_lora(*options.lora_rank, constraint);
    rank_ = options.lora_rank;
    alpha_ = options.lora_alpha;
  }
  /// Nothing without a rank.
  void build_lora();
  bool has_lora() const noexcept { return a_.is_defined(); }
  /// The first weight as the layer computes with it.
  Tensor adapted(const Variable& weight) const;
  /// Behind the other arguments, of either generation: Keras 2 has no LoRA, and refuses to read them.
  void add_lora_to(Config& config) const;

 private:
  void check_lora(std::int64_t rank, const Constraint& constraint) const;
  void add_matrices(const Initializer& a, const Initializer& b);
  double alpha() const { return alpha_.value_or(static_cast<double>(*rank_)); }

  std::optional<std::int64_t> rank_;
  std::optional<double> alpha_;
  Variable a_, b_;
};

}  // namespace keratin::inline v0::detail
