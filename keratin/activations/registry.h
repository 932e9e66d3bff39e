// All element-wise activations by name: description, parameters, loops. Everything that goes over all of them
// (files, command line, documentation, tests, accuracy sweep) starts here.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "keratin/activations/definition.h"
#include "keratin/activations/definition_names.h"
#include "keratin/core/dtype.h"
#include "keratin/core/export.h"

namespace keratin::inline v0::activations {

/// Where results go: into the caches; or past them, as is faster for what does not stay there (hundreds of
/// MiB), and never right in place.
enum class Stores { cached, streamed };

/// One definition. `parameters` everywhere points to its struct, such as an Elu. forward and gradient run on
/// this thread, on the instruction set in use, allocate nothing, and give the same bits wherever an element
/// stands: callers may split arrays. The caller holds a FloatEnvironment. The parameters are rounded to x's
/// type first. 16-bit results are rounded correctly, once.
struct KERATIN_API Function {
  Index index;
  const Info* info;
  std::span<const Parameter> parameters;
  /// A struct with Keras's defaults, and its size.
  const void* defaults;
  std::size_t parameters_size;

  /// y[i] = f(x[i]); y may be x.
  void forward(const void* parameters, const float* x, float* y, std::size_t n,
               Stores stores = Stores::cached) const;
  void forward(const void* parameters, const double* x, double* y, std::size_t n,
               Stores stores = Stores::cached) const;
  void forward(const void* parameters, const float16* x, float16* y, std::size_t n,
               Stores stores = Stores::cached) const;
  void forward(const void* parameters, const bfloat16* x, bfloat16* y, std::size_t n,
               Stores stores = Stores::cached) const;
  /// out[i] = upstream[i]·f'(x[i]); out may be x or upstream.
  void gradient(const void* parameters, const float* x, const float* upstream, float* out, std::size_t n,
                Stores stores = Stores::cached) const;
  void gradient(const void* parameters, const double* x, const double* upstream, double* out, std::size_t n,
                Stores stores = Stores::cached) const;
  void gradient(const void* parameters, const float16* x, const float16* upstream, float16* out,
                std::size_t n, Stores stores = Stores::cached) const;
  void gradient(const void* parameters, const bfloat16* x, const bfloat16* upstream, bfloat16* out,
                std::size_t n, Stores stores = Stores::cached) const;
  /// f(x) and f'(x), whatever the caller's floating-point environment.
  double value(const void* parameters, double x) const;
  double derivative(const void* parameters, double x) const;
};

/// A function with its parameters, or none.
struct BoundFunction {
  const Function* function = nullptr;
  const void* parameters = nullptr;
};

/// In the order of definitions/list.inc.
KERATIN_API std::span<const Function> functions() noexcept;

/// By Keras's name or alias, letter for letter; null if there is none.
KERATIN_API const Function* find(std::string_view name) noexcept;

/// The function of a definition.
template <Definition T>
const Function& function() noexcept {
  return functions()[static_cast<std::size_t>(index_of<T>)];
}

}  // namespace keratin::inline v0::activations
