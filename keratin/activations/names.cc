#include "keratin/activations/names.h"

#include <algorithm>
#include <array>

namespace keratin::inline v0::activations::detail {
namespace {

struct AxisName {
  std::string_view name, class_name;
};
constexpr std::array<AxisName, 4> kAxisNames{
    {{"softmax", "Softmax"}, {"log_softmax", "LogSoftmax"}, {"sparsemax", "Sparsemax"}, {"glu", "Glu"}}};

constexpr std::array<std::string_view, kFunctionCount> kClassNames{
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) #Struct,
#include "keratin/activations/definitions/list.inc"
};

// What came with Keras 3; all else has a name in both, or is our own.
constexpr std::string_view kKeras3Only[] = {
    "celu",        "glu",         "hard_shrink",    "hard_silu", "hard_swish", "hard_tanh",   "log_sigmoid",
    "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink", "threshold"};

bool is_known_to(std::optional<Generation> generation, std::string_view name) noexcept {
  return generation != Generation::keras2 ||
         std::find(std::begin(kKeras3Only), std::end(kKeras3Only), name) == std::end(kKeras3Only);
}

std::size_t place(AxisKind kind) noexcept { return static_cast<std::size_t>(kind); }

}  // namespace

Named find_name(std::string_view name, std::optional<Generation> generation) noexcept {
  if (!is_known_to(generation, name)) return {};
  if (const Function* function = find(name)) return {function, {}};
  for (std::size_t i = 0; i < kAxisNames.size(); ++i) {
    if (kAxisNames[i].name == name) return {nullptr, static_cast<AxisKind>(i)};
  }
  return {};
}

Named find_class(std::string_view class_name) noexcept {
  for (std::size_t i = 0; i < kClassNames.size(); ++i) {
    if (kClassNames[i] == class_name) return {&functions()[i], {}};
  }
  for (std::size_t i = 0; i < kAxisNames.size(); ++i) {
    if (kAxisNames[i].class_name == class_name) return {nullptr, static_cast<AxisKind>(i)};
  }
  return {};
}

std::string_view class_name_of(const Function& function) noexcept {
  return kClassNames[static_cast<std::size_t>(function.index)];
}
std::string_view class_name_of(AxisKind kind) noexcept { return kAxisNames[place(kind)].class_name; }
std::string_view name_of(AxisKind kind) noexcept { return kAxisNames[place(kind)].name; }

std::optional<std::string_view> name_in(const Function& function, Generation generation) noexcept {
  if (!is_known_to(generation, function.info->name)) return std::nullopt;
  if (function.index == Index::silu && generation == Generation::keras2) return "swish";
  return function.info->name;
}

std::optional<std::string_view> name_in(AxisKind kind, Generation generation) noexcept {
  if (!is_known_to(generation, name_of(kind))) return std::nullopt;
  return name_of(kind);
}

std::vector<std::string_view> all_names(std::optional<Generation> generation) {
  std::vector<std::string_view> names;
  const auto add = [&](std::string_view name) {
    if (!name.empty() && is_known_to(generation, name)) names.push_back(name);
  };
  for (const Function& function : functions()) {
    add(function.info->name);
    for (const std::string_view alias : function.info->aliases) add(alias);
  }
  for (const AxisName& axis : kAxisNames) add(axis.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace keratin::inline v0::activations::detail
