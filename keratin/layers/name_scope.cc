#include "keratin/layers/name_scope.h"

namespace keratin::inline v0::detail {
namespace {

// "net/dense/"
thread_local std::string prefix;

}  // namespace

NameScope::NameScope(std::string_view name) : before_(prefix.size()) { prefix.append(name).push_back('/'); }
NameScope::~NameScope() { prefix.resize(before_); }

std::string NameScope::path_of(std::string_view name) { return prefix + std::string(name); }

}  // namespace keratin::inline v0::detail
