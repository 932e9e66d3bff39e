// The most that one core computes: the limit of a product of matrices.
#pragma once

namespace keratin::bench {

/// Billions of float operations a second of fused multiply-adds that wait for nothing, of the widest vectors;
/// the best of many short runs. Takes a few milliseconds.
double fma_peak_gflops();

}  // namespace keratin::bench
