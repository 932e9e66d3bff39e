// Matrix products of tensors.
#include "keratin/core/error.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/check.h"
#include "keratin/ops/gemm.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/loops.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::ops {
namespace {

// The last two axes as GEMM takes them, or false if only a copy can be.
bool lies_as_matrix(const Tensor& a, bool& transposed, std::int64_t& leading) {
  const std::int64_t rows = a.shape()[a.rank() - 2], columns = a.shape().back();
  const std::int64_t down = a.strides()[a.rank() - 2], across = a.strides().back();
  if ((across == 1 || columns == 1) && (down >= columns || rows == 1)) {
    transposed = false;
    leading = rows == 1 ? columns : down;
    return true;
  }
  if ((down == 1 || rows == 1) && (across >= rows || columns == 1)) {
    transposed = true;
    leading = columns == 1 ? rows : across;
    return true;
  }
  return false;
}

struct Operand {
  Tensor tensor;  // detached, broadcast to the batch
  bool transposed = false;
  std::int64_t leading = 1;
};

Operand operand_of(const Tensor& a, const Shape& batch) {
  Operand operand;
  operand.tensor = a.detach();
  if (!lies_as_matrix(operand.tensor, operand.transposed, operand.leading)) {
    operand.tensor = operand.tensor.contiguous();
    lies_as_matrix(operand.tensor, operand.transposed, operand.leading);
  }
  Shape shape = batch;
  for (const std::size_t back : {2, 1}) shape = shape.with_inserted(shape.rank(), a.shape()[a.rank() - back]);
  operand.tensor = operand.tensor.broadcast_to(shape);
  return operand;
}

// Where matrix `index` of a batch begins.
std::int64_t matrix_offset(const Tensor& a, std::int64_t index) {
  std::int64_t offset = 0;
  for (std::size_t axis = a.rank() - 2; axis-- > 0;) {
    offset += index % a.shape()[axis] * a.strides()[axis];
    index /= a.shape()[axis];
  }
  return offset;
}

template <class T>
void multiply_batch(const Operand& a, const Operand& b, Tensor& result) {
  const std::size_t rank = result.rank();
  const std::int64_t m = result.shape()[rank - 2], n = result.shape().back(), k = a.tensor.shape().back();
  auto* c = static_cast<T*>(result.mutable_data());
  const std::int64_t batch = result.shape().part(0, rank - 2).size();
  const auto one = [&](std::int64_t i) {
    const auto* x = static_cast<const T*>(a.tensor.data()) + matrix_offset(a.tensor, i);
    const auto* y = static_cast<const T*>(b.tensor.data()) + matrix_offset(b.tensor, i);
    detail::gemm(m, n, k, {x, a.leading, a.transposed}, {y, b.leading, b.transposed}, c + i * m * n, n);
  };
  if (batch == 1) {
    one(0);  // the product itself is the parallel loop
  } else {
    const std::int64_t work = std::max<std::int64_t>(1, m * n * std::max<std::int64_t>(k, 1));
    parallel_for(batch, std::max<std::int64_t>(1, 64 * detail::kGrain / work),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) one(i);
                 });
  }
}

Tensor swap_last_two(const Tensor& a) {
  AxisNumbers order = AxisNumbers::range(0, a.rank());
  std::swap(order[a.rank() - 2], order[a.rank() - 1]);
  return transpose(a, order);
}

void check_shapes(const Tensor& a, const Tensor& b) {
  if (a.rank() < 1 || b.rank() < 1)
    throw ShapeError("matmul", "expects tensors of rank 1 or more",
                     "got shapes " + a.shape().to_string() + " and " + b.shape().to_string(),
                     "Use multiply for scalars.");
  const std::int64_t inner = a.shape().back(), outer = b.rank() == 1 ? b.shape()[0] : b.shape()[b.rank() - 2];
  if (inner != outer)
    throw ShapeError("matmul",
                     "expects the last axis of a, " + std::to_string(inner) + ", in b's " +
                         (b.rank() == 1 ? "only axis" : "last but one"),
                     "got shapes " + a.shape().to_string() + " and " + b.shape().to_string(),
                     "Transpose or reshape one of them.");
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  detail::check_same_dtype("matmul", a, b);
  detail::check_arithmetic("matmul", a);
  check_shapes(a, b);
  if (a.rank() == 1) return squeeze(matmul(expand_dims(a, 0), b), b.rank() == 1 ? 0 : -2);
  if (b.rank() == 1) return squeeze(matmul(a, expand_dims(b, 1)), -1);

  const FloatEnvironment environment;
  const Shape batch = broadcast(a.shape().part(0, a.rank() - 2), b.shape().part(0, b.rank() - 2), "matmul");
  const Shape shape = batch.with_inserted(batch.rank(), a.shape()[a.rank() - 2])
                          .with_inserted(batch.rank() + 1, b.shape().back());
  Tensor result = Tensor::empty(shape, a.dtype());
  if (result.size() > 0) {
    const Operand left = operand_of(a, batch), right = operand_of(b, batch);
    detail::visit_arithmetic(a.dtype(),
                             [&](auto zero) { multiply_batch<decltype(zero)>(left, right, result); });
  }
  if (!wants_gradient({&a, &b})) return result;
  return record(
      std::move(result), "matmul", {&a, &b},
      [factor_a = detail::is_recorded(a) ? b : Tensor(), factor_b = detail::is_recorded(b) ? a : Tensor(),
       a_shape = a.shape(), b_shape = b.shape()](const Tensor& upstream) -> Tensors {
        Tensors gradients(2);
        if (factor_a.is_defined())
          gradients[0] = detail::sum_to(matmul(upstream, swap_last_two(factor_a)), a_shape);
        if (factor_b.is_defined())
          gradients[1] = detail::sum_to(matmul(swap_last_two(factor_b), upstream), b_shape);
        return gradients;
      });
}

}  // namespace keratin::inline v0::ops
