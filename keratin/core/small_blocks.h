// Small blocks for what a step records (nodes, closures, lists), kept and handed out again. Internal.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "keratin/core/export.h"

namespace keratin::inline v0::detail {

/// A block of at least `bytes`, aligned as operator new aligns: from those that this thread has given back
/// where one of that size class is among them, else from operator new. Blocks above 64 KiB always come from
/// there. No lock; a block may be given back by another thread than took it. std::bad_alloc as operator new.
KERATIN_API void* take_small_block(std::size_t bytes);
/// `bytes` as it was asked for.
KERATIN_API void give_small_block(void* block, std::size_t bytes) noexcept;

/// The allocator of containers and shared_ptrs that live for a step.
template <class T>
struct SmallBlocks {
  using value_type = T;

  SmallBlocks() = default;
  template <class U>
  SmallBlocks(const SmallBlocks<U>& /*other*/) noexcept {}

  T* allocate(std::size_t count) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    return static_cast<T*>(take_small_block(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept { give_small_block(block, count * sizeof(T)); }

  friend bool operator==(SmallBlocks, SmallBlocks) noexcept { return true; }
};

/// std::make_shared from small blocks.
template <class T, class... Arguments>
std::shared_ptr<T> make_small(Arguments&&... arguments) {
  return std::allocate_shared<T>(SmallBlocks<T>(), std::forward<Arguments>(arguments)...);
}

}  // namespace keratin::inline v0::detail
