// The element-wise activations by name alone: whoever needs no more is not compiled again when one changes.
#pragma once

#include <cstddef>

// clang-format off
#define KERATIN_DEFINITION_QUOTED(path) #path
#define KERATIN_DEFINITION_FILE(name) KERATIN_DEFINITION_QUOTED(keratin/activations/definitions/name.inl)
// clang-format on
#define KERATIN_NO_DEFINITION(name) KERATIN_DEFINITION_FILE(none)

namespace keratin::inline v0::activations {

#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) struct Struct;
#include "keratin/activations/definitions/list.inc"

/// A definition's place in functions().
enum class Index : std::size_t {
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) name,
#include "keratin/activations/definitions/list.inc"
  count
};
inline constexpr std::size_t kFunctionCount = static_cast<std::size_t>(Index::count);

namespace detail {
template <class Definition>
struct IndexOf;
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct)        \
  template <>                                   \
  struct IndexOf<Struct> {                      \
    static constexpr Index value = Index::name; \
  };
#include "keratin/activations/definitions/list.inc"
}  // namespace detail

/// The structs of the list.
template <class T>
concept Definition = requires {
  detail::IndexOf<T>::value;
};

template <Definition T>
inline constexpr Index index_of = detail::IndexOf<T>::value;

/// The most that the parameters of one definition may take.
inline constexpr std::size_t kMaxParametersSize = 64;

}  // namespace keratin::inline v0::activations
