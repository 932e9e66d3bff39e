// The fast oracle for f64: programs on blocks of long doubles, each value with a bound of its error. Eleven
// bits beyond f64 prove a result to be within a bound but for 2^-6 ULP, which MPFR is left with.
#pragma once

#include <cstddef>
#include <vector>

#include "tools/accuracy/program.h"

namespace keratin::accuracy {

/// A number and how far the exact one may be from it. An infinity without error stands for any number beyond
/// 1e4700; an error that is not finite for ignorance.
struct Extended {
  long double value = 0, error = 0;
};

/// One operation; operands that it does not have are ignored.
Extended evaluate(Op op, Extended a, Extended b, Extended c);

/// The registers of one program, for one thread.
class ExtendedWorkspace {
 public:
  /// Numbers a block: the registers of the longest programs stay in L2.
  static constexpr std::size_t kSize = 64;

  explicit ExtendedWorkspace(const Program& program);

  /// Runs the program on n <= kSize inputs.
  void run(const double* x, std::size_t n);
  const Extended& result(std::size_t i) const { return registers_[program_.size() - 1].at[i]; }

 private:
  struct Block {
    Extended at[kSize];
  };
  Program program_;
  std::vector<Block> registers_;
};

}  // namespace keratin::accuracy
