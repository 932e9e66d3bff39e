#include "bench/ours.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>
#include <stdexcept>

#include "keratin/activations/axis_functions.h"
#include "keratin/activations/functions.h"
#include "keratin/core/random.h"

namespace keratin::bench {

namespace {

template <class T>
std::span<const T> read(const void* data, const Case& what) {
  return {static_cast<const T*>(data), what.n};
}
template <class T>
std::span<T> write(void* data, const Case& what) {
  return {static_cast<T*>(data), what.n};
}

template <class Visitor>
void visit_floating(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::float64:
      return visitor(double{});
    case DType::float32:
      return visitor(float{});
    case DType::float16:
      return visitor(float16{});
    case DType::bfloat16:
      return visitor(bfloat16{});
    default:
      throw std::invalid_argument("the activations bench takes floating types");
  }
}

template <class Definition>
Ours elementwise(std::string name, const activations::Elementwise<Definition>& f,
                 const activations::ElementwiseGradient<Definition>& slope, Definition parameters = {}) {
  return {.name = std::move(name),
          .forward =
              [f, parameters](const Case& what, const void* x, void* out) {
                visit_floating(what.dtype,
                               [&]<class T>(T) { f(read<T>(x, what), write<T>(out, what), parameters); });
              },
          .gradient =
              [slope, parameters](const Case& what, const Arrays& arrays) {
                visit_floating(what.dtype, [&]<class T>(T) {
                  slope(read<T>(arrays.x, what), read<T>(arrays.upstream, what), write<T>(arrays.out, what),
                        parameters);
                });
              },
          .through_tensors = [f, parameters](const Case&, const Tensor& x) -> Call {
            return [f, parameters, x] { f(x, parameters); };
          }};
}

template <activations::detail::AxisKind kind>
Ours along_rows(std::string name) {
  return {.name = std::move(name),
          .along_rows = true,
          .forward =
              [](const Case& what, const void* x, void* out) {
                constexpr activations::detail::AxisFunction<kind> f;
                visit_floating(what.dtype,
                               [&]<class T>(T) { f(read<T>(x, what), write<T>(out, what), what.row); });
              },
          .gradient =
              [](const Case& what, const Arrays& arrays) {
                constexpr activations::detail::AxisGradient<kind> slope;
                if constexpr (kind == activations::detail::AxisKind::softmax) {
                  // As training does it: softmax keeps its result.
                  if (what.dtype == DType::float32) {
                    return slope.from_result(read<float>(arrays.y, what), read<float>(arrays.upstream, what),
                                             write<float>(arrays.out, what), what.row);
                  }
                }
                visit_floating(what.dtype, [&]<class T>(T) {
                  slope(read<T>(arrays.x, what), read<T>(arrays.upstream, what), write<T>(arrays.out, what),
                        what.row);
                });
              },
          .through_tensors = [](const Case&, const Tensor& x) -> Call {
            return [x] { activations::detail::AxisFunction<kind>{}(x); };
          }};
}

// Drawn in float32 and rounded: the same values in every type.
Tensor drawn(DType dtype, std::size_t n, bool uniform) {
  Tensor values = Tensor::empty({static_cast<std::int64_t>(n)});
  const auto span = values.mutable_values<float>();
  uniform ? fill_uniform(span, next_random_key(), -8, 8) : fill_normal(span, next_random_key(), 0, 1);
  return values.astype(dtype);
}

}  // namespace

const std::vector<Ours>& ours_by_name() {
  using activations::detail::AxisKind;
  static const std::vector<Ours> all{
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) elementwise(#name, activations::name, activations::name##_gradient),
#include "keratin/activations/definitions/list.inc"
      elementwise("gelu_tanh", activations::gelu, activations::gelu_gradient,
                  activations::Gelu{.approximate = true}),
      along_rows<AxisKind::softmax>("softmax"), along_rows<AxisKind::log_softmax>("log_softmax")};
  return all;
}

void check_name(const std::string& name) {
  std::string known;
  for (const Ours& ours : ours_by_name()) {
    if (ours.name == name) return;
    known += " " + ours.name;
  }
  throw std::invalid_argument("bench: there is no activation \"" + name + "\"; there are" + known);
}

BenchData::BenchData(DType dtype, std::size_t n, bool uniform)
    : x_(drawn(dtype, n, uniform)),
      upstream_(drawn(dtype, n, false)),
      y_(Tensor::zeros(x_.shape(), dtype)),
      out_(Tensor::zeros(x_.shape(), dtype)) {}

Arrays BenchData::arrays() const {
  return {
      .x = x_.data(), .upstream = upstream_.data(), .y = y_.data(), .out = const_cast<void*>(out_.data())};
}

Tensor BenchData::tensor(const Case& what) const {
  const auto n = static_cast<std::int64_t>(what.n), row = static_cast<std::int64_t>(what.row);
  const Tensor x = x_.slice(0, 0, n);
  return row > 0 ? x.reshape({n / row, row}) : x;
}

void copy_bytes(const void* from, void* to, std::size_t size_bytes) { std::memcpy(to, from, size_bytes); }

double time_once(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace keratin::bench
