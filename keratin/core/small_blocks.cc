#include "keratin/core/small_blocks.h"

#include <array>
#include <bit>
#include <new>

#include "keratin/core/sanitized.h"

namespace keratin::inline v0::detail {
namespace {

// Classes of 32 bytes, 64, 128, … 64 KiB.
constexpr std::size_t kLeast = 32, kMost = std::size_t{64} << 10;
constexpr std::size_t kClasses = std::bit_width(kMost / kLeast);
// A thread that only gives back what others took keeps at most this of a class.
constexpr std::size_t kMostKept = std::size_t{1} << 20;

constexpr std::size_t class_of(std::size_t bytes) {
  return bytes <= kLeast ? 0 : std::bit_width((bytes - 1) / kLeast);
}
constexpr std::size_t size_of(std::size_t size_class) { return kLeast << size_class; }

struct Free {
  Free* next;
};

// The blocks that a thread has given back, one list a size class.
class Kept {
 public:
  void* take(std::size_t size_class) noexcept {
    List& list = lists_[size_class];
    Free* first = list.first;
    if (first == nullptr) return nullptr;
    list.first = first->next;
    --list.length;
    return first;
  }

  bool give(std::size_t size_class, void* block) noexcept {
    List& list = lists_[size_class];
    if (list.length >= kMostKept / size_of(size_class)) return false;
    list.first = new (block) Free{list.first};
    ++list.length;
    return true;
  }

  ~Kept();

 private:
  struct List {
    Free* first = nullptr;
    std::size_t length = 0;
  };
  std::array<List, kClasses> lists_;
};

// Null before a thread's first block and after its end, when other thread-local objects may still give back.
thread_local Kept* kept = nullptr;
thread_local bool ended = false;

Kept::~Kept() {
  kept = nullptr;
  ended = true;
  for (List& list : lists_)
    while (list.first != nullptr) {
      Free* block = list.first;
      list.first = block->next;
      ::operator delete(block);
    }
}

Kept* kept_of_this_thread() noexcept {
  if (kept == nullptr && !ended) {
    thread_local Kept own;
    kept = &own;
  }
  return kept;
}

}  // namespace

void* take_small_block(std::size_t bytes) {
  if (bytes > kMost || kUnderAsan) return ::operator new(bytes);
  const std::size_t size_class = class_of(bytes);
  if (Kept* const own = kept_of_this_thread())
    if (void* block = own->take(size_class)) return block;
  return ::operator new(size_of(size_class));
}

void give_small_block(void* block, std::size_t bytes) noexcept {
  if (bytes <= kMost && !kUnderAsan)
    if (Kept* const own = kept_of_this_thread())
      if (own->give(class_of(bytes), block)) return;
  ::operator delete(block);
}

}  // namespace keratin::inline v0::detail
