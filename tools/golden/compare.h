// Comparing results with golden data, by the rules of the set's check.py.
#pragma once

#include <string>

#include "keratin/core/config.h"
#include "keratin/io/npz.h"
#include "keratin/tensor/tensor.h"

namespace keratin::golden {

struct Comparison {
  /// Empty where the result is right; else what is wrong, with the first wrong element.
  std::string problem;
  /// The largest deviation as a share of what is allowed there, and where it is. Elements without a tolerance
  /// that may deviate (infinities, NaN, exact ones) do not count.
  double worst = 0;
  std::int64_t worst_at = -1;

  bool passed() const noexcept { return problem.empty(); }
};

/// Compares with one entry of a case's "outputs". Modes:
/// - tol_array: |y − expect| ≤ tol elementwise; check 0 is not looked at, check 2 may also meet `alt`;
/// - allclose: |y − expect| ≤ atol + rtol·|expect|, rtol64 and atol64 for a float64 result; `alt` as a whole
/// too;
/// - bits16: the 65,536 results as bits (int32 here), max_ulp apart at most, max_not_correct of them wrong at
/// most;
/// - exact: equal.
/// NaN equals NaN; shapes must be equal. ValueError for an unknown mode.
Comparison compare(const Config& output, const io::NamedTensors& expected, const Tensor& actual);

/// Compares the status of a case that Keras refuses or loads with the one expected; empty where it is right.
std::string compare_refusal(const std::string& expected_status, const Config& result);

}  // namespace keratin::golden
