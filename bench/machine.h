// The machine that is measured: its name, its clock, and one core of it to stay on.
#pragma once

#include <memory>
#include <string>

namespace keratin::bench {

/// The processor as it names itself, its cores and this build's compiler.
std::string machine_name();

/// Cycles a nanosecond at this moment, from a chain of additions that each take one cycle; 0 where that is
/// not known to be so (other than x86-64).
double gigahertz();

/// Keeps this thread, and what it starts, on the last core that it may use, until destroyed. Does nothing
/// where the system has no such call.
class Pinned {
 public:
  Pinned();
  ~Pinned();
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

 private:
  struct Mask;
  std::unique_ptr<Mask> before_;
};

/// What this process took from the system at most, in MiB, beyond what it had when this was made; 0 where the
/// system does not say (other than Linux).
class PeakMemory {
 public:
  PeakMemory();
  double mib() const;

 private:
  long before_kib_;
};

}  // namespace keratin::bench
