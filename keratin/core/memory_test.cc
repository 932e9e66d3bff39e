// Memory: alignment, reuse, statistics, limits, and many threads at once.
#include "keratin/core/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/sanitized.h"

namespace keratin {
namespace {

using detail::kUnderAsan;

std::size_t remainder(const void* address, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment;
}

TEST(Memory, EveryBlockIsAlignedAndWritableToItsEnd) {
  for (std::size_t size = 0; size < 5000; size += size < 600 ? 1 : 97) {
    const auto block = allocate(size);
    ASSERT_NE(block, nullptr) << size;
    ASSERT_EQ(remainder(block.get(), kAlignment), 0u) << size;
    std::memset(block.get(), 0x5A, size);
  }
  const std::size_t mega = std::size_t{1} << 20;
  for (const std::size_t size : {mega, 2 * mega - 1, 2 * mega, 2 * mega + 1, 5 * mega + 123}) {
    const auto block = allocate(size);
    ASSERT_EQ(remainder(block.get(), size > mega * 7 / 4 ? 2 * mega : kAlignment), 0u) << size;
    std::memset(block.get(), 0x5A, size);
  }
}

TEST(Memory, AtMostAQuarterIsWasted) {
  for (std::size_t size = 257; size < (std::size_t{1} << 33); size = size * 9 / 8 + 1) {
    if (size > (std::size_t{1} << 24)) break;
    const std::size_t before = memory_statistics().in_use_bytes;
    const auto block = allocate(size);
    const std::size_t used = memory_statistics().in_use_bytes - before;
    EXPECT_GE(used, size);
    EXPECT_LE(used, size + size / 4) << size;
  }
}

TEST(Memory, ABlockGivenBackServesTheNextRequestOfItsSize) {
  release_cached_memory();
  EXPECT_EQ(memory_statistics().cached_bytes, 0u);
  const std::size_t in_use = memory_statistics().in_use_bytes;
  static_cast<void>(allocate(100'000));  // given back at once
  const MemoryStatistics first = memory_statistics();
  EXPECT_EQ(first.in_use_bytes, in_use);
  for (int i = 0; i < 100; ++i) static_cast<void>(allocate(100'000));
  const MemoryStatistics second = memory_statistics();
  if (kUnderAsan) {
    EXPECT_EQ(second.cached_bytes, 0u) << "a reused block would hide errors";
  } else {
    EXPECT_GE(first.cached_bytes, 100'000u);
    EXPECT_EQ(second.system_requests, first.system_requests) << "the cache was not used";
  }
  release_cached_memory();
  EXPECT_EQ(memory_statistics().cached_bytes, 0u);
  EXPECT_EQ(memory_statistics().in_use_bytes, in_use);
}

TEST(Memory, TooMuchIsAValueErrorWithTheNumber) {
  try {
    static_cast<void>(allocate((std::size_t{1} << 47) + 1));
    FAIL() << "accepted";
  } catch (const ValueError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("got 140737488355329"));
  }
  if (!kUnderAsan) {  // whose allocator ends the process
    EXPECT_THROW(static_cast<void>(allocate(std::size_t{1} << 47)), ValueError);
  }
}

TEST(Memory, ThreadsNeverShareABlock) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([t, &wrong] {
      std::vector<std::shared_ptr<std::byte>> held;
      for (std::size_t i = 0; i < 2000; ++i) {
        const std::size_t size = 256 + (i * 7919 + t) % 3000;
        auto block = allocate(size);
        std::memset(block.get(), static_cast<int>(t + 1), size);
        held.push_back(block);
        if (held.size() > 20) {
          const auto& oldest = held.front();
          for (std::size_t k = 0; k < 256; ++k) wrong[t] += oldest.get()[k] != static_cast<std::byte>(t + 1);
          held.erase(held.begin());
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

}  // namespace
}  // namespace keratin
