// Which names and classes mean which function in which generation. Internal.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "keratin/activations/axis_functions.h"
#include "keratin/activations/registry.h"
#include "keratin/core/config.h"

namespace keratin::inline v0::activations::detail {

/// An element-wise function, or one along an axis.
struct Named {
  const Function* function = nullptr;
  std::optional<AxisKind> axis_kind;

  bool is_found() const noexcept { return function != nullptr || axis_kind.has_value(); }
};

Named find_name(std::string_view name, std::optional<Generation> generation) noexcept;
/// By the class of Keras's operation, which is the name of our struct: "LeakyRelu", "Softmax".
Named find_class(std::string_view class_name) noexcept;
std::string_view class_name_of(const Function& function) noexcept;
std::string_view class_name_of(AxisKind kind) noexcept;
std::string_view name_of(AxisKind kind) noexcept;
/// Keras's name for it in that generation ("swish" in Keras 2, "silu" in 3), or nothing where it has none.
std::optional<std::string_view> name_in(const Function& function, Generation generation) noexcept;
std::optional<std::string_view> name_in(AxisKind kind, Generation generation) noexcept;
std::vector<std::string_view> all_names(std::optional<Generation> generation);

}  // namespace keratin::inline v0::activations::detail
