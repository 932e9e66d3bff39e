// The n-dimensional array: a value that is cheap to copy, and views of it.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/dtype.h"
#include "keratin/core/export.h"
#include "keratin/core/shape.h"
#include "keratin/tensor/node.h"

namespace keratin::inline v0 {

/// Where a tensor's elements are. Only the host for now.
enum class Device : std::uint8_t { cpu };

/// An array of any rank, of one dtype. A value: a copy shares the elements until one of the two is written
/// to, so copies, reshapes, slices and transposes cost a few pointers and no write is ever seen through
/// another Tensor. A default-constructed one is undefined: no shape, no elements. Reading the same Tensor
/// from several threads is safe; writing is not.
class KERATIN_API Tensor {
 public:
  Tensor() = default;

  /// Uninitialised / zeros / all equal to `value` (converted to the dtype).
  static Tensor empty(const Shape& shape, DType dtype = DType::float32);
  static Tensor zeros(const Shape& shape, DType dtype = DType::float32);
  static Tensor full(const Shape& shape, double value, DType dtype = DType::float32);
  /// Rank 0.
  static Tensor scalar(double value, DType dtype = DType::float32) { return full({}, value, dtype); }
  /// start, start + 1, …: `count` of them.
  static Tensor arange(std::int64_t count, DType dtype = DType::float32, double start = 0);
  /// A copy of `values` in row-major order; ShapeError if the shape holds another number of elements.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  /// float32 from literals: `Tensor::of({1, 2, 3})`, `Tensor::of({{1, 2}, {3, 4}})`; ShapeError for ragged
  /// rows.
  static Tensor of(std::initializer_list<double> values, DType dtype = DType::float32);
  static Tensor of(std::initializer_list<std::initializer_list<double>> rows, DType dtype = DType::float32);

  bool is_defined() const noexcept { return storage_ != nullptr; }
  const Shape& shape() const noexcept { return shape_; }
  std::size_t rank() const noexcept { return shape_.rank(); }
  std::int64_t size() const { return shape_.size(); }
  DType dtype() const noexcept { return dtype_; }
  Device device() const noexcept { return Device::cpu; }
  /// In elements, one an axis; 0 on a broadcast axis.
  std::span<const std::int64_t> strides() const noexcept { return {strides_.data(), shape_.rank()}; }
  /// Whether the elements lie in row-major order without gaps.
  bool is_contiguous() const noexcept;

  /// The elements in row-major order. TypeError if T is not the dtype's C++ type, StateError if not
  /// contiguous (see contiguous()).
  template <class T>
  std::span<const T> values() const;
  /// The same to write to: first made contiguous and this Tensor's own, by a copy where they are shared.
  template <class T>
  std::span<T> mutable_values();
  /// The first element's address, whatever the strides.
  const void* data() const noexcept { return storage_.get() + offset_bytes_; }
  /// Row-major and owned: write through it with care; prefer mutable_values.
  void* mutable_data();

  /// The only element, converted to double; ShapeError if there is not just one.
  double item() const;
  /// One element, converted to double; indices may count from the end.
  double at(std::initializer_list<std::int64_t> index) const;

  /// This tensor, contiguous: itself, or a copy.
  Tensor contiguous() const;
  /// A copy that shares nothing.
  Tensor clone() const;
  /// Converted element by element, correctly rounded; NaN and out-of-range values become 0 or the nearest
  /// integer; the same tensor if the dtype is its own.
  Tensor astype(DType dtype) const;

  // Views: they share the elements. On a recorded tensor they throw StateError: use the ops of the same
  // names.
  /// Same elements in another shape; one size may be -1. Copies if the strides do not allow a view.
  Tensor reshape(const Shape& shape) const;
  /// Axes in another order; default reversed.
  Tensor transpose(std::span<const std::int64_t> order = {}) const;
  /// Indices begin, begin + step, … < end of one axis; negative counts from the end.
  Tensor slice(std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1) const;
  /// Axis taken out at one index.
  Tensor select(std::int64_t axis, std::int64_t index) const;
  Tensor expand_dims(std::int64_t axis) const;
  Tensor squeeze(std::int64_t axis) const;
  /// Repeated along axes of size 1, and new ones in front, without a copy.
  Tensor broadcast_to(const Shape& shape) const;

  /// As NumPy prints arrays: nested brackets, aligned columns, the middle of large ones left out.
  std::string to_string() const;

  /// How this tensor was computed, if recorded.
  const std::shared_ptr<Node>& node() const noexcept { return node_; }
  void set_node(std::shared_ptr<Node> node) noexcept { node_ = std::move(node); }
  /// The same values, not recorded.
  Tensor detach() const;
  /// The same values as a leaf: gradients with respect to it can be asked for.
  Tensor watched() const;

  /// If this is the direct result of softmax or sigmoid: which, and what it was applied to. Losses then
  /// compute from the logits, as Keras does.
  struct Origin;
  const std::shared_ptr<const Origin>& origin() const noexcept { return origin_; }
  void set_origin(std::shared_ptr<const Origin> origin) noexcept { origin_ = std::move(origin); }

 private:
  Tensor view(const Shape& shape, std::span<const std::int64_t> strides, std::int64_t offset_elements,
              std::string_view operation) const;
  void check_type(DType wanted) const;

  std::shared_ptr<std::byte> storage_;
  std::size_t offset_bytes_ = 0;
  Shape shape_;
  std::array<std::int64_t, Shape::kMaxRank> strides_{};
  DType dtype_ = DType::float32;
  std::shared_ptr<Node> node_;
  std::shared_ptr<const Origin> origin_;
};

struct Tensor::Origin {
  std::string_view function;  ///< "softmax" or "sigmoid"
  Tensor logits;
};

/// Tensors in a row: what layers with several inputs take, and what backward functions give. A std::vector
/// whose memory is kept for the next one, so that a step of training asks for none; it goes to and from other
/// vectors by itself.
class Tensors : public std::vector<Tensor, detail::SmallBlocks<Tensor>> {
 public:
  using vector::vector;
  Tensors() = default;
  Tensors(const std::vector<Tensor>& others) : vector(others.begin(), others.end()) {}
  operator std::vector<Tensor>() const { return {begin(), end()}; }
};

KERATIN_API std::ostream& operator<<(std::ostream& stream, const Tensor& tensor);

// Bodies in tensor.cc, for every element type.
#define KERATIN_TENSOR_OF(T)                                                            \
  extern template KERATIN_API Tensor Tensor::from<T>(std::span<const T>, const Shape&); \
  extern template KERATIN_API std::span<const T> Tensor::values<T>() const;             \
  extern template KERATIN_API std::span<T> Tensor::mutable_values<T>();
KERATIN_TENSOR_OF(double)
KERATIN_TENSOR_OF(float)
KERATIN_TENSOR_OF(float16)
KERATIN_TENSOR_OF(bfloat16)
KERATIN_TENSOR_OF(std::int32_t)
KERATIN_TENSOR_OF(std::int64_t)
KERATIN_TENSOR_OF(std::uint8_t)
KERATIN_TENSOR_OF(bool)
#undef KERATIN_TENSOR_OF

}  // namespace keratin::inline v0
