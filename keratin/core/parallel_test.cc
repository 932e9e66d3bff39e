// Parallel loops: every chunk once, the same chunks for any number of threads, nesting, exceptions, many
// callers.
#include "keratin/core/parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "keratin/core/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace keratin {
namespace {

class Parallel : public testing::Test {
 protected:
  void TearDown() override { set_num_threads(before_); }
  int before_ = num_threads();
};

using Chunks = std::set<std::pair<std::int64_t, std::int64_t>>;

Chunks chunks_of(std::int64_t count, std::int64_t grain) {
  Chunks chunks;
  std::mutex mutex;
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(chunks.emplace(begin, end).second) << "chunk " << begin << " came twice";
  });
  return chunks;
}

TEST_F(Parallel, TheChunksDependOnCountAndGrainAlone) {
  for (const std::int64_t count : {0, 1, 2, 7, 64, 1000})
    for (const std::int64_t grain : {1, 3, 64, 5000}) {
      Chunks expected;
      for (std::int64_t begin = 0; begin < count; begin += grain)
        expected.emplace(begin, std::min(begin + grain, count));
      for (const int threads : {1, 2, 3, 5, 16}) {
        set_num_threads(threads);
        EXPECT_EQ(chunks_of(count, grain), expected) << count << " by " << grain << " on " << threads;
      }
    }
}

TEST_F(Parallel, OddArgumentsRunOnceOrNotAtAll) {
  EXPECT_EQ(chunks_of(-5, 1), Chunks{});
  EXPECT_EQ(chunks_of(3, 0), (Chunks{{0, 1}, {1, 2}, {2, 3}}));
  EXPECT_EQ(chunks_of(3, std::numeric_limits<std::int64_t>::max()), (Chunks{{0, 3}}));
}

TEST_F(Parallel, SumsAreTheSameBitsForAnyNumberOfThreads) {
  const std::int64_t count = 100'003, grain = 1000;
  const auto sum = [&] {
    std::vector<double> partial(static_cast<std::size_t>((count + grain - 1) / grain));
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
      double total = 0;
      for (std::int64_t i = begin; i < end; ++i) total += std::sqrt(static_cast<double>(i));
      partial[static_cast<std::size_t>(begin / grain)] = total;
    });
    double total = 0;
    for (const double value : partial) total += value;
    return total;
  };
  set_num_threads(1);
  const double expected = sum();
  for (int threads = 2; threads < 9; ++threads) {
    set_num_threads(threads);
    EXPECT_EQ(sum(), expected) << threads;
  }
}

TEST_F(Parallel, SeveralThreadsWorkAtOnce) {
  set_num_threads(2);
  std::atomic<int> arrived{0};
  // Each of the two chunks waits for the other: one thread alone would never see both.
  parallel_for(2, 1, [&](std::int64_t, std::int64_t) {
    ++arrived;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (arrived < 2 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST_F(Parallel, ALoopInsideABodyRunsOnItsThread) {
  set_num_threads(4);
  std::vector<int> visits(64 * 100, 0);
  std::atomic<int> elsewhere{0};
  parallel_for(64, 1, [&](std::int64_t i, std::int64_t) {
    const auto thread = std::this_thread::get_id();
    parallel_for(100, 7, [&](std::int64_t begin, std::int64_t end) {
      if (std::this_thread::get_id() != thread) ++elsewhere;
      for (std::int64_t j = begin; j < end; ++j) ++visits[static_cast<std::size_t>(i * 100 + j)];
    });
  });
  EXPECT_EQ(elsewhere, 0);
  EXPECT_THAT(visits, testing::Each(1));
}

TEST_F(Parallel, AnExceptionReachesTheCallerAndTheNextLoopWorks) {
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    for (const std::int64_t bad : {0, 57, 99}) {
      try {
        parallel_for(100, 1, [&](std::int64_t i, std::int64_t) {
          if (i == bad) throw std::invalid_argument("chunk " + std::to_string(i));
        });
        FAIL() << "nothing was thrown";
      } catch (const std::invalid_argument& error) {
        EXPECT_EQ(error.what(), "chunk " + std::to_string(bad));
      }
      EXPECT_EQ(chunks_of(100, 1).size(), 100u);
    }
  }
}

TEST_F(Parallel, WhenAllChunksThrowOneExceptionArrives) {
  set_num_threads(4);
  EXPECT_THROW(parallel_for(1000, 1, [](std::int64_t, std::int64_t) { throw std::runtime_error("all"); }),
               std::runtime_error);
}

TEST_F(Parallel, AnExceptionOfAnInnerLoopPassesTheOuter) {
  set_num_threads(3);
  EXPECT_THROW(parallel_for(8, 1,
                            [](std::int64_t, std::int64_t) {
                              parallel_for(8, 1, [](std::int64_t j, std::int64_t) {
                                if (j == 3) throw std::runtime_error("inner");
                              });
                            }),
               std::runtime_error);
}

TEST_F(Parallel, ConcurrentCallersEachGetTheirOwnResults) {
  set_num_threads(3);
  std::vector<std::thread> callers;
  std::vector<int> wrong(6, 0);
  for (std::size_t c = 0; c < wrong.size(); ++c) {
    callers.emplace_back([c, &wrong] {
      for (int round = 0; round < 200; ++round) {
        std::vector<std::int64_t> out(500, -1);
        parallel_for(500, 13, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i)
            out[static_cast<std::size_t>(i)] = i * static_cast<std::int64_t>(c);
        });
        for (std::size_t i = 0; i < out.size(); ++i) wrong[c] += out[i] != static_cast<std::int64_t>(i * c);
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST_F(Parallel, TheNumberOfThreadsMayChangeWhileOthersLoop) {
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    for (int i = 0; !stop; ++i) {
      set_num_threads(1 + i % 5);
      std::this_thread::yield();
    }
  });
  for (int round = 0; round < 300; ++round) {
    std::atomic<std::int64_t> total{0};
    parallel_for(200, 3, [&](std::int64_t begin, std::int64_t end) { total += end - begin; });
    ASSERT_EQ(total, 200);
  }
  stop = true;
  changer.join();
}

TEST_F(Parallel, SetNumThreadsSaysWhatItRefuses) {
  set_num_threads(3);
  for (const int count : {0, -1}) {
    try {
      set_num_threads(count);
      FAIL() << "accepted " << count;
    } catch (const ValueError& error) {
      EXPECT_EQ(error.what(), "set_num_threads: expects at least 1, got " + std::to_string(count) + ".");
    }
  }
  EXPECT_EQ(num_threads(), 3);
}

#if defined(__x86_64__)
TEST_F(Parallel, EveryThreadComputesInTheLibrarysFloatEnvironment) {
  set_num_threads(4);
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040 | 0x4000);  // FTZ, DAZ, rounding upward
  std::atomic<int> wrong{0};
  parallel_for(64, 1, [&](std::int64_t, std::int64_t) { wrong += (_mm_getcsr() & ~0x3Fu) != 0x1F80; });
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(after & ~0x3Fu, (before | 0x8040 | 0x4000) & ~0x3Fu) << "the caller's settings were lost";
}
#endif

}  // namespace
}  // namespace keratin
