#include "keratin/tensor/tensor.h"

#include <algorithm>
#include <cstring>

#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/memory.h"
#include "keratin/tensor/strided.h"

namespace keratin::inline v0 {

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  Tensor tensor;
  const std::int64_t size = shape.size();
  const auto bytes = static_cast<std::size_t>(size) * size_bytes(dtype);
  if (static_cast<std::uint64_t>(size) > (std::uint64_t{1} << 47))
    throw ShapeError("tensor", "expects at most 2^47 elements", "got shape " + shape.to_string());
  tensor.storage_ = allocate(bytes);
  tensor.shape_ = shape;
  tensor.strides_ = row_major_strides(shape);
  tensor.dtype_ = dtype;
  return tensor;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor tensor = empty(shape, dtype);
  std::memset(tensor.storage_.get(), 0, static_cast<std::size_t>(tensor.size()) * size_bytes(dtype));
  return tensor;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  const FloatEnvironment environment;
  Tensor tensor = empty(shape, dtype);
  visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto out = tensor.mutable_values<T>();
    std::fill(out.begin(), out.end(), detail::convert<T>(value));
  });
  return tensor;
}

Tensor Tensor::arange(std::int64_t count, DType dtype, double start) {
  const FloatEnvironment environment;
  Tensor tensor = empty({count}, dtype);
  visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    double value = start;
    for (T& element : tensor.mutable_values<T>()) element = detail::convert<T>(value++);
  });
  return tensor;
}

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  if (static_cast<std::int64_t>(values.size()) != shape.size())
    throw ShapeError("tensor",
                     "expects " + std::to_string(shape.size()) + " values for shape " + shape.to_string(),
                     "got " + std::to_string(values.size()));
  Tensor tensor = empty(shape, kDType<T>);
  std::copy(values.begin(), values.end(), tensor.mutable_values<T>().begin());
  return tensor;
}

Tensor Tensor::of(std::initializer_list<double> values, DType dtype) {
  return from(std::span<const double>(values.begin(), values.size()),
              {static_cast<std::int64_t>(values.size())})
      .astype(dtype);
}

Tensor Tensor::of(std::initializer_list<std::initializer_list<double>> rows, DType dtype) {
  std::vector<double> values;
  const std::size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
  for (const auto& row : rows) {
    if (row.size() != columns)
      throw ShapeError("tensor", "expects rows of one length, " + std::to_string(columns),
                       "got one of " + std::to_string(row.size()));
    values.insert(values.end(), row.begin(), row.end());
  }
  return from(std::span<const double>(values),
              {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)})
      .astype(dtype);
}

bool Tensor::is_contiguous() const noexcept {
  if (std::find(shape_.begin(), shape_.end(), 0) != shape_.end()) return true;
  std::int64_t expected = 1;
  for (std::size_t i = shape_.rank(); i-- > 0;) {
    if (shape_[i] != 1 && strides_[i] != expected) return false;
    expected *= shape_[i];
  }
  return true;
}

void Tensor::check_type(DType wanted) const {
  if (!is_defined()) throw StateError("tensor", "expects a tensor with elements", "got an undefined one");
  if (wanted != dtype_)
    throw TypeError("tensor", "expects to be read as " + std::string(name(dtype_)) + ", its dtype",
                    "read as " + std::string(name(wanted)), "Convert it with astype first.");
}

template <class T>
std::span<const T> Tensor::values() const {
  check_type(kDType<T>);
  if (!is_contiguous())
    throw StateError("tensor.values", "expects a contiguous tensor",
                     "got a strided view of shape " + shape_.to_string(), "Call contiguous() first.");
  return {static_cast<const T*>(data()), static_cast<std::size_t>(size())};
}

void* Tensor::mutable_data() {
  // use_count() alone does not wait for what another thread did with its copy before it let go of it; taking
  // and dropping a reference does.
  const bool shared = storage_.use_count() > 1;
  if (!shared) static_cast<void>(std::shared_ptr<std::byte>(storage_));
  if (!is_contiguous() || shared) {
    Tensor own = clone();
    storage_ = std::move(own.storage_);
    offset_bytes_ = 0;
    strides_ = own.strides_;
  }
  node_.reset();  // what is written no longer is what was computed
  origin_.reset();
  return storage_.get() + offset_bytes_;
}

template <class T>
std::span<T> Tensor::mutable_values() {
  check_type(kDType<T>);
  return {static_cast<T*>(mutable_data()), static_cast<std::size_t>(size())};
}

double Tensor::item() const {
  if (!is_defined() || size() != 1)
    throw ShapeError(
        "tensor.item", "expects one element",
        is_defined() ? "got shape " + shape_.to_string() : std::string("got an undefined tensor"));
  const FloatEnvironment environment;
  return visit(dtype_, [&](auto zero) {
    using T = decltype(zero);
    return detail::to_double(*static_cast<const T*>(data()));
  });
}

double Tensor::at(std::initializer_list<std::int64_t> index) const {
  if (index.size() != rank())
    throw ShapeError("tensor.at",
                     "expects " + std::to_string(rank()) + " indices for shape " + shape_.to_string(),
                     "got " + std::to_string(index.size()));
  Tensor element = detach();
  for (const std::int64_t i : index) element = element.select(0, i);
  return element.item();
}

Tensor Tensor::contiguous() const {
  if (is_contiguous()) return *this;
  Tensor copy = clone();
  copy.node_ = node_;
  copy.origin_ = origin_;
  return copy;
}

Tensor Tensor::clone() const {
  check_type(dtype_);
  Tensor copy = empty(shape_, dtype_);
  // By size alone: copying needs no arithmetic.
  switch (size_bytes(dtype_)) {
    case 1:
      detail::copy_strided<std::uint8_t>(*this, copy.storage_.get());
      break;
    case 2:
      detail::copy_strided<std::uint16_t>(*this, copy.storage_.get());
      break;
    case 4:
      detail::copy_strided<std::uint32_t>(*this, copy.storage_.get());
      break;
    default:
      detail::copy_strided<std::uint64_t>(*this, copy.storage_.get());
      break;
  }
  return copy;
}

Tensor Tensor::astype(DType dtype) const {
  check_type(dtype_);
  if (dtype == dtype_) return *this;
  const FloatEnvironment environment;
  const Tensor source = contiguous();
  Tensor result = empty(shape_, dtype);
  visit(dtype_, [&](auto from) {
    visit(dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const auto in = source.values<From>();
      const auto out = result.mutable_values<To>();
      for (std::size_t i = 0; i < in.size(); ++i) out[i] = detail::convert<To>(in[i]);
    });
  });
  return result;
}

Tensor Tensor::detach() const {
  Tensor tensor = *this;
  tensor.node_.reset();
  if (origin_ != nullptr && origin_->logits.node_ != nullptr)
    tensor.origin_ = detail::make_small<Origin>(Origin{origin_->function, origin_->logits.detach()});
  return tensor;
}

Tensor Tensor::watched() const {
  Tensor tensor = *this;
  tensor.origin_.reset();  // a loss has to start from this tensor, not from what it was computed of
  tensor.node_ = std::make_shared<Node>();
  tensor.node_->operation = "leaf";
  return tensor;
}

#define KERATIN_TENSOR_OF(T)                                                     \
  template KERATIN_API Tensor Tensor::from<T>(std::span<const T>, const Shape&); \
  template KERATIN_API std::span<const T> Tensor::values<T>() const;             \
  template KERATIN_API std::span<T> Tensor::mutable_values<T>();
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
