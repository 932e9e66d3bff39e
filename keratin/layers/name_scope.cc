#include "keratin/layers/name_scope.h"

namespace keratin::inline v0::detail {
namespace {

// "net/dense/"
thread_local std::string prefix;

}  // namespace

NameScope::NameScope(std::string_view name) : NameScope(Scopes{path_of(name) + "/"}) {}
NameScope::NameScope(Scopes scopes) : before_(std::exchange(prefix, std::move(scopes.names))) {}
NameScope::~NameScope() { prefix = std::move(before_); }

std::string NameScope::path_of(std::string_view name) { return prefix + std::string(name); }
const std::string& NameScope::current() noexcept { return prefix; }

}  // namespace keratin::inline v0::detail
