// Small blocks: reuse, alignment, sizes at the borders of classes, and blocks that change threads.
#include "keratin/core/small_blocks.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "keratin/core/sanitized.h"

namespace keratin::detail {
namespace {

TEST(SmallBlocks, EveryBlockIsAlignedAndWritableToItsEnd) {
  for (std::size_t size = 0; size <= (std::size_t{256} << 10); size += size < 300 ? 1 : size / 3) {
    void* block = take_small_block(size);
    ASSERT_NE(block, nullptr) << size;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0u) << size;
    std::memset(block, 0x5A, size);
    give_small_block(block, size);
  }
}

TEST(SmallBlocks, ABlockGivenBackServesTheNextRequestOfItsClass) {
  if (kUnderAsan) GTEST_SKIP() << "no block is kept, to see uses after the end";
  for (const std::size_t size : {1u, 32u, 33u, 64u, 65u, 1000u, 65536u}) {
    void* first = take_small_block(size);
    give_small_block(first, size);
    void* second = take_small_block(size);
    EXPECT_EQ(second, first) << size;
    void* third = take_small_block(size);
    EXPECT_NE(third, second) << size;
    give_small_block(second, size);
    give_small_block(third, size);
  }
}

TEST(SmallBlocks, ABlockOfOneThreadMayBeGivenBackByAnother) {
  std::vector<void*> blocks(1000);
  std::thread([&] {
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = take_small_block(i);
  }).join();
  std::thread([&] {
    for (std::size_t i = 0; i < blocks.size(); ++i) give_small_block(blocks[i], i);
  }).join();
  // The second thread's end gave them to the system, which the leak checker of the sanitized builds sees.
  const auto shared = make_small<std::vector<int, SmallBlocks<int>>>(std::size_t{1000}, 7);
  std::thread([copy = shared] { EXPECT_EQ(copy->back(), 7); }).join();
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace keratin::detail
