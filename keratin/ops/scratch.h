// Memory that one thread uses again and again within an op. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "keratin/core/memory.h"

namespace keratin::inline v0::ops::detail {

/// A block that grows to what was ever asked of it. As a thread_local it costs no allocation on a hot path.
class Scratch {
 public:
  std::byte* get(std::size_t size_bytes) {
    if (size_bytes > size_bytes_) {
      memory_.reset();
      size_bytes_ = 0;
      memory_ = allocate(size_bytes);
      size_bytes_ = size_bytes;
    }
    return memory_.get();
  }

  template <class T>
  T* get_array(std::int64_t count) {
    return reinterpret_cast<T*>(get(static_cast<std::size_t>(count) * sizeof(T)));
  }

 private:
  std::shared_ptr<std::byte> memory_;
  std::size_t size_bytes_ = 0;
};

}  // namespace keratin::inline v0::ops::detail
