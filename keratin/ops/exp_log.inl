// The loops of exp_log.h for the instruction set being compiled.
#include <hwy/highway.h>

#include <cstring>

#include "keratin/simd/target_includes.h"

HWY_BEFORE_NAMESPACE();
namespace keratin::inline v0::simd::HWY_NAMESPACE {
#include "keratin/simd/target.inl"

namespace {

HWY_INLINE Vec<double> read(const float* from) { return load_promoted(from); }
HWY_INLINE Vec<double> read(const double* from) { return load(from); }
HWY_INLINE void write(Vec<double> v, float* to) { store_rounded(v, to); }
HWY_INLINE void write(Vec<double> v, double* to) { store(v, to); }

struct Exp {
  static HWY_INLINE Vec<double> call(Vec<double> x) { return exp(x); }
};
struct Log {
  static HWY_INLINE Vec<double> call(Vec<double> x) { return log(x); }
};

template <class Function, class T>
HWY_INLINE void run_block(const T* x, T* y) {
  const Vec<double> v = read(x);
  write(where(is_nan(v), v, Function::call(v)), y);
}

// The tail goes through the same code as the body, in a padded buffer.
template <class Function, class T>
void run(const T* x, T* y, std::size_t count) {
  constexpr std::size_t kLanes = hn::MaxLanes(Tag<double>());
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) run_block<Function>(x + i, y + i);
  if (i == count) return;
  T buffer[kLanes] = {};
  std::memcpy(buffer, x + i, (count - i) * sizeof(T));
  run_block<Function>(buffer, buffer);
  std::memcpy(y + i, buffer, (count - i) * sizeof(T));
}

constexpr ops::detail::ExpLogKernels kExpLog = {run<Exp, float>, run<Exp, double>, run<Log, float>,
                                                run<Log, double>};

}  // namespace
}  // namespace keratin::inline v0::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
