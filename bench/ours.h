// Our side of the activations bench: the functions by name, and the data that all are timed on.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench/peers.h"
#include "keratin/tensor/tensor.h"

namespace keratin::bench {

/// One activation, through the library's public functions.
struct Ours {
  std::string name;
  bool along_rows = false;
  std::function<void(const Case&, const void* x, void* out)> forward;
  std::function<void(const Case&, const Arrays&)> gradient;
  /// A call whose result is a new tensor.
  std::function<Call(const Case&, const Tensor& x)> through_tensors;
};

/// Every function of the registry, gelu_tanh, softmax and log_softmax.
const std::vector<Ours>& ours_by_name();
/// Throws std::invalid_argument for a name that is not among them.
void check_name(const std::string& name);

/// x and upstream of one type and size, and room for two results: 64-byte aligned, on huge pages where large.
class BenchData {
 public:
  BenchData(DType dtype, std::size_t n, bool uniform);
  Arrays arrays() const;
  /// x in the shape of a case.
  Tensor tensor(const Case& what) const;

 private:
  Tensor x_, upstream_, y_, out_;
};

void copy_bytes(const void* from, void* to, std::size_t size_bytes);
/// Nanoseconds of one call.
double time_once(const std::function<void()>& call);

}  // namespace keratin::bench
