// Where a thread is among layers that build one another: what weights' paths are made of. Internal.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "keratin/core/export.h"

namespace keratin::inline v0::detail {

/// While it lives, weights that this thread makes lie in a layer of that name, itself in those around.
class KERATIN_API NameScope {
 public:
  explicit NameScope(std::string_view name);
  /// In place of all others: the scopes of another time, as current() gave them.
  static NameScope again(std::string scopes) { return NameScope(Scopes{std::move(scopes)}); }
  ~NameScope();
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;

  /// "net/dense/kernel": the names of the scopes, outermost first, then `name`.
  static std::string path_of(std::string_view name);
  /// "net/dense/".
  static const std::string& current() noexcept;

 private:
  struct Scopes {
    std::string names;
  };
  explicit NameScope(Scopes scopes);

  std::string before_;
};

}  // namespace keratin::inline v0::detail
