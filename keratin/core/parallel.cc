#include "keratin/core/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"

namespace keratin::inline v0 {
namespace {

int available_cores() noexcept {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

thread_local bool inside_loop = false;

struct Job {
  detail::ChunkFunction function;
  void* context;
  std::int64_t count, grain;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error{};
  std::atomic<bool> failed{false};

  // Takes chunks until none is left; after a failure the rest is skipped.
  void work() {
    const FloatEnvironment environment;
    for (;;) {
      const std::int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= count || failed.load(std::memory_order_relaxed)) return;
      try {
        function(context, begin, std::min(begin + grain, count));
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  }
};

class Pool {
 public:
  ~Pool() { stop(); }

  int threads() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  void set_threads(int count) { wanted_.store(count, std::memory_order_relaxed); }

  void run(Job& job) {
    const std::int64_t chunks = (job.count - 1) / job.grain + 1;
    const int most = threads();
    const int helpers = static_cast<int>(std::min<std::int64_t>(most, chunks)) - 1;
    // A second caller does not wait for the pool: its loop runs where it is.
    std::unique_lock loop(loop_mutex_, std::defer_lock);
    if (inside_loop || helpers <= 0 || !loop.try_lock()) {
      work_here(job);
    } else {
      resize(most - 1);
      {
        const std::lock_guard lock(mutex_);
        job_ = &job;
        tickets_ = helpers;
        running_ = 0;
        ++round_;
      }
      round_hint_.fetch_add(1, std::memory_order_release);
      wake_.notify_all();
      work_here(job);
      {
        const std::lock_guard lock(mutex_);
        tickets_ = 0;  // a helper that has not begun need not begin any more
      }
      spin_while([this] { return running_ != 0; });
      std::unique_lock lock(mutex_);
      done_.wait(lock, [this] { return running_ == 0; });
      job_ = nullptr;
    }
    if (job.error) std::rethrow_exception(job.error);
  }

 private:
  static void work_here(Job& job) {
    const bool outer = inside_loop;
    inside_loop = true;
    job.work();
    inside_loop = outer;
  }

  void resize(int helpers) {
    if (static_cast<int>(workers_.size()) == helpers) return;
    stop();
    stopping_ = false;
    try {
      for (int i = 0; i < helpers; ++i)
        workers_.emplace_back([this, seen = round_, hint = round_hint_.load()] { serve(seen, hint); });
    } catch (const std::system_error&) {
      // The system grants no more threads: the loops make do with those there are.
      wanted_.store(static_cast<int>(workers_.size()) + 1, std::memory_order_relaxed);
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      round_hint_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  void serve(std::uint64_t seen, std::uint64_t hint) {
    inside_loop = true;
    for (;;) {
      spin_while([&] { return round_hint_.load(std::memory_order_acquire) == hint; });
      hint = round_hint_.load(std::memory_order_acquire);
      Job* job = nullptr;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || round_ != seen; });
        if (stopping_) return;
        seen = round_;
        if (job_ == nullptr || tickets_ == 0) continue;
        --tickets_;
        ++running_;
        job = job_;
      }
      job->work();
      const std::lock_guard lock(mutex_);
      if (--running_ == 0) done_.notify_one();
    }
  }

  // Loops of a training step follow each other closely: a short spin saves the wake-up of about 50 us.
  template <class Condition>
  static void spin_while(const Condition& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
    while (holds()) {
      for (int i = 0; i < 16 && holds(); ++i) relax();
      if (std::chrono::steady_clock::now() > end) return;
    }
  }

  static void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
  }

  std::atomic<int> wanted_{available_cores()};
  std::mutex loop_mutex_;  // held for the length of a loop
  std::mutex mutex_;       // guards what follows
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  Job* job_ = nullptr;
  int tickets_ = 0;
  std::atomic<int> running_{0};  // changes under the mutex, and is watched without it
  std::uint64_t round_ = 0;
  std::atomic<std::uint64_t> round_hint_{0};  // changes with each round, to be watched without the mutex
  bool stopping_ = false;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace

int num_threads() noexcept { return pool().threads(); }

void set_num_threads(int count) {
  if (count < 1) throw ValueError("set_num_threads", "expects at least 1", "got " + std::to_string(count));
  pool().set_threads(count);
}

namespace detail {

void run_chunks(std::int64_t count, std::int64_t grain, ChunkFunction function, void* context) {
  Job job{
      .function = function, .context = context, .count = count, .grain = std::max<std::int64_t>(grain, 1)};
  pool().run(job);
}

}  // namespace detail
}  // namespace keratin::inline v0
