// The fast oracle: programs on blocks of doubles, each value with a bound of its error, and the verdict on
// f32 results. Its own arithmetic, shared with no kernel; the sweep certifies samples of it with MPFR.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/accuracy/program.h"

namespace keratin::accuracy {

/// A number and how far the exact one may be from it. An infinity without error stands for any number beyond
/// 1e200; an error that is not finite for ignorance.
struct Bounded {
  double value, error;
};

/// Numbers a block.
inline constexpr std::size_t kBlockSize = 256;

/// What is certain about a block of f32 results.
struct Verdict {
  /// Results that are certainly not the nearest to the exact ones.
  std::uint64_t wrong = 0;
  /// The largest of upper[].
  double worst = 0;
  bool all_decided = true;
  /// Largest error possible, in ULP.
  alignas(64) double upper[kBlockSize];
  /// 1 where the exact result is too near to a tie to tell whether the result is the nearest.
  alignas(64) double undecided[kBlockSize];
};

/// The registers of one program, for one thread.
class Workspace {
 public:
  explicit Workspace(const Program& program);

  /// The inputs of the next run.
  double* inputs() { return values_[x_].at; }
  /// Runs the program on the inputs.
  void run();
  const double* values() const { return values_[result_].at; }
  const double* errors() const { return errors_[result_].at; }
  /// Judges f32 results for the last run.
  void judge(const float* results, Verdict& verdict) const;

 private:
  struct alignas(64) Block {
    double at[kBlockSize] = {};
  };
  Program program_;
  std::vector<Block> values_, errors_;
  std::size_t x_, result_;
};

/// A hash of 32-bit words, whose length is a multiple of 16 but at the end; f32 NaNs are made one. The same
/// on every machine.
std::uint64_t hash_words(std::span<const std::uint32_t> words);

}  // namespace keratin::accuracy
