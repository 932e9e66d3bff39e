// What the sweeps over many inputs share: threads that take chunks, and rows and hashes put together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "keratin/simd/dispatch.h"
#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {

/// y[i] = f(x[i]), or f'(x[i]), on the instruction set in use.
template <class T>
using Kernel = std::function<void(const T* x, T* y, std::size_t n)>;

/// The kernel of the registry.
template <class T>
Kernel<T> kernel_of(const Variant& variant, Direction direction) {
  if (direction == Direction::value) {
    return [variant](const T* x, T* y, std::size_t n) {
      variant.function->forward(variant.parameters, x, y, n);
    };
  }
  return [variant](const T* x, T* y, std::size_t n) {
    thread_local std::vector<T> ones;
    ones.resize(std::max(ones.size(), n), T{1});
    variant.function->gradient(variant.parameters, x, ones.data(), y, n);
  };
}

/// body(i) for each i below threads, on that many threads. The first exception reaches the caller; stop() is
/// called before, so that the others end.
void on_threads(int threads, const std::function<void(std::size_t)>& body, const std::function<void()>& stop);

/// Adds what one thread found: counts, and the worst.
void merge(const Row& from, Row& row);

/// A hash with those of further chunks, in their order.
std::uint64_t joined(std::uint64_t hash, std::span<const std::uint64_t> parts);

/// Runs work(shared, judge), which takes chunks by shared.next, on all threads for each instruction set of
/// the plan, with a judge of its own each on the last; adds hashes, inputs and what the judges found to the
/// row.
template <class Judge, class Shared, class Work>
void sweep_chunks(Shared& shared, const Work& work, Row& row) {
  const Plan& plan = shared.plan;
  shared.hashes.resize(shared.chunks);
  std::vector<std::unique_ptr<Judge>> judges;
  for (std::size_t i = 0; i < plan.isas.size(); ++i) {
    if (plan.judge && i + 1 == plan.isas.size()) {
      for (int k = 0; k < plan.threads; ++k) judges.push_back(std::make_unique<Judge>(shared));
    }
    const simd::ScopedIsa isa(plan.isas[i]);
    shared.next = 0;
    on_threads(
        plan.threads, [&](std::size_t k) { work(shared, judges.empty() ? nullptr : judges[k].get()); },
        [&] { shared.next = shared.chunks; });
    row.hashes[i] = joined(row.hashes[i], shared.hashes);
  }
  for (const auto& judge : judges) merge(judge->row, row);
  row.inputs += shared.inputs;
}

}  // namespace keratin::accuracy
