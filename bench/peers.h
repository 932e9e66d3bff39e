// Who else computes activations: libraries in this process, and frameworks in Python processes beside it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/timing.h"
#include "keratin/core/dtype.h"

namespace keratin::bench {

/// What is to be computed: a function of Keras's name ("gelu_tanh" for the approximate gelu), forward or its
/// gradient, on n elements; for softmax and log_softmax in rows of `row`, which divides n.
struct Case {
  std::string function;
  bool gradient = false;
  DType dtype = DType::float32;
  std::size_t n = 0;
  std::size_t row = 0;
};

/// Where a case's data lie. `y` is f(x), which some gradients start from; `out` takes the result.
struct Arrays {
  const void* x;
  const void* upstream;
  const void* y;
  void* out;
};

using Call = std::function<void()>;

/// A library that is compiled into this program: what it says of itself, and its call for a case, empty where
/// it has none. Without KERATIN_BENCH_PEERS, or where one was not found, `missing` says so.
struct Library {
  std::string_view name, version, missing;
  Call (*make)(const Case&, const Arrays&);
};
const std::vector<Library>& libraries();

Library eigen();
Library sleef();
Library onednn();
Library xnnpack();

/// A framework in a Python process of its own, run by peers/worker.py; it waits while others are timed.
class Framework {
 public:
  Framework(const std::string& python, std::string name);
  ~Framework();
  Framework(const Framework&) = delete;
  Framework& operator=(const Framework&) = delete;

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  /// Why it cannot be used; empty if it can.
  const std::string& missing() const { return missing_; }

  /// Its ways to do `task`, any number; they are valid until the next call.
  std::vector<Contestant> prepare(const nlohmann::ordered_json& task);
  /// {way: MiB}: what the first call of each took at most, beyond what there was when it began.
  nlohmann::ordered_json peak_memory();

 private:
  nlohmann::ordered_json ask(const nlohmann::ordered_json& request);
  void stop();

  std::string name_, version_, missing_;
  int process_ = -1, to_ = -1, from_ = -1;
  std::string unread_;
};

/// {name: version} and {name: reason} of all, as the reports list them.
nlohmann::ordered_json describe(const std::vector<Library>& libraries,
                                const std::vector<std::unique_ptr<Framework>>& frameworks);

}  // namespace keratin::bench
