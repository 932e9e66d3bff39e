// Keeps oneDNN to the calling thread. Internal.
#pragma once

#include <omp.h>

namespace keratin::inline v0::ops::detail {

/// While it lives, OpenMP loops on this thread are its own alone: oneDNN would start a team beside the
/// library's pool, and two pools fight over the cores. A thread of the user's gets its setting back.
class OneOpenMpThread {
 public:
  OneOpenMpThread() noexcept : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneOpenMpThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  int before_;
};

}  // namespace keratin::inline v0::ops::detail
