#include "keratin/layers/parametric_op.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "keratin/activations/expression_node.h"
#include "keratin/core/float_env.h"
#include "keratin/core/parallel.h"
#include "keratin/ops/gradient_tools.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0::detail {
namespace {

constexpr std::int64_t kGrain = 1 << 14;
constexpr std::int64_t kBlock = Tape::kBlock;

// A parameter for every element of one sample, in double.
Tensor spread(const Tensor& parameter, const Shape& sample) {
  return parameter.detach().astype(DType::float64).broadcast_to(sample).contiguous();
}

template <class T>
Tensor forward(const Tape& tape, const Tensor& given, const Tensors& parameters) {
  const FloatEnvironment environment;
  const Tensor x = given.detach().contiguous();
  const std::int64_t sample = x.size() == 0 ? 0 : x.size() / x.shape()[0];
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const T* from = x.values<T>().data();
  T* to = y.mutable_values<T>().data();
  parallel_for(x.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    using Block = std::array<double, Tape::kBlock>;
    Block values;
    std::vector<Block> blocks(parameters.size());
    std::vector<const double*> places;
    for (const Block& block : blocks) places.push_back(block.data());
    for (; begin < end; begin += kBlock) {
      const std::int64_t here = std::min(kBlock, end - begin);
      std::copy_n(from + begin, here, values.begin());
      for (std::size_t p = 0; p < parameters.size(); ++p) {
        const double* numbers = parameters[p].values<double>().data();
        std::int64_t j = begin % sample;
        for (std::int64_t i = 0; i < here; ++i) {
          blocks[p][static_cast<std::size_t>(i)] = numbers[j];
          if (++j == sample) j = 0;
        }
      }
      tape.run(values.data(), places, values.data(), static_cast<std::size_t>(here));
      for (std::int64_t i = 0; i < here; ++i)
        to[begin + i] = static_cast<T>(values[static_cast<std::size_t>(i)]);
    }
  });
  return y;
}

}  // namespace

std::shared_ptr<const ParametricFunction> ParametricFunction::derivative(std::size_t place) const {
  const std::lock_guard lock(mutex_);
  auto& known = derivatives_[place];
  if (known == nullptr) {
    const FloatEnvironment environment;
    known = std::make_shared<const ParametricFunction>(place == 0 ? formula_.derivative()
                                                                  : formula_.derivative_by(place - 1));
  }
  return known;
}

Tensor parametric(const std::shared_ptr<const ParametricFunction>& function, const Tensor& x,
                  const Tensors& parameters) {
  const Shape sample = x.shape().part(1, x.rank());
  Tensors spreads;
  for (const Tensor& parameter : parameters) spreads.push_back(spread(parameter, sample));
  Tensor y = x.dtype() == DType::float64 ? forward<double>(function->tape(), x, spreads)
                                         : forward<float>(function->tape(), x, spreads);
  Tensors inputs{x};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  const bool is_wanted =
      std::any_of(inputs.begin(), inputs.end(), [](const Tensor& input) { return wants_gradient({&input}); });
  if (!is_wanted) return y;
  return record(std::move(y), "parametric activation", inputs,
                [function, inputs, parameters](const Tensor& upstream) {
                  Tensors gradients(inputs.size());
                  for (std::size_t i = 0; i < inputs.size(); ++i) {
                    if (!ops::detail::is_recorded(inputs[i])) continue;
                    const Tensor slope = parametric(function->derivative(i), inputs[0], parameters);
                    gradients[i] = ops::detail::sum_to(ops::multiply(upstream, slope), inputs[i].shape());
                  }
                  return gradients;
                });
}

}  // namespace keratin::inline v0::detail
