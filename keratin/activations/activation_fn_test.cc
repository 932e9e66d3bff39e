#include "keratin/activations/activation_fn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/activations/backend.h"
#include "keratin/activations/builtin.h"
#include "keratin/activations/functions.h"
#include "keratin/activations/get.h"
#include "keratin/core/error.h"
#include "keratin/core/parallel.h"
#include "keratin/tensor/node.h"

namespace keratin {
namespace {

namespace act = activations;

Tensor ramp(std::int64_t count, DType dtype = DType::float32) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    values[static_cast<std::size_t>(i)] = std::remainder(0.37 * static_cast<double>(i), 9.0);
  return Tensor::from(values, {count}).astype(dtype);
}

template <class T>
bool same_bits(const Tensor& a, const Tensor& b) {
  const auto one = a.values<T>(), other = b.values<T>();
  return one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size_bytes()) == 0;
}

TEST(ActivationFn, EveryWayToSayTanhIsTheSameFunction) {
  const Tensor x = ramp(1000);
  const Tensor expected = ActivationFn("tanh")(x);
  for (const ActivationFn& f :
       {ActivationFn(std::string("tanh")), ActivationFn(act::Tanh{}), ActivationFn(act::tanh),
        act::get("tanh"), ActivationFn([](auto v) { return backend::tanh(v); })}) {
    EXPECT_EQ(f.name(), "tanh");
    EXPECT_TRUE(same_bits<float>(f(x), expected));
  }
  EXPECT_TRUE(same_bits<float>(act::tanh(x), expected));
  std::vector<float> span(1000);
  act::tanh(x.values<float>(), span);
  EXPECT_EQ(std::memcmp(span.data(), expected.values<float>().data(), sizeof(float) * span.size()), 0);
}

TEST(ActivationFn, LinearPassesAnythingThrough) {
  const Tensor x = Tensor::of({1, 2, 3}, DType::int32);
  const Tensor y = ActivationFn()(x);
  EXPECT_EQ(y.dtype(), DType::int32);
  EXPECT_EQ(y.data(), x.data());
}

TEST(ActivationFn, OtherDtypesAreATypeErrorThatSaysWhatIsTaken) {
  for (const DType dtype : {DType::int32, DType::boolean, DType::uint8}) {
    try {
      act::tanh(Tensor::zeros({3}, dtype));
      ADD_FAILURE() << name(dtype);
    } catch (const TypeError& error) {
      EXPECT_EQ(std::string(error.what()), "tanh: it takes float64, float32, float16 or bfloat16, x is " +
                                               std::string(name(dtype)) +
                                               ".\n  Convert it first: x.astype(DType::float32).");
    }
  }
}

TEST(ActivationFn, ShapesAndStridesOfEveryKindGiveTheSameElements) {
  const Tensor flat = ramp(24, DType::float64);
  const Tensor expected = act::gelu(flat);
  EXPECT_TRUE(same_bits<double>(act::gelu(flat.reshape({2, 3, 4})), expected));
  const Tensor turned = act::gelu(flat.reshape({4, 6}).transpose());
  EXPECT_EQ(turned.shape(), Shape({6, 4}));
  EXPECT_TRUE(same_bits<double>(turned.transpose().contiguous(), expected));
  EXPECT_EQ(act::gelu(Tensor::scalar(1)).shape(), Shape({}));
  EXPECT_EQ(act::gelu(Tensor::zeros({0, 3})).shape(), Shape({0, 3}));
  const Tensor sliced = flat.slice(0, 1, 24, 2);
  EXPECT_TRUE(same_bits<double>(act::gelu(sliced), expected.slice(0, 1, 24, 2).contiguous()));
}

TEST(ActivationFn, ThreadsChangeNoBit) {
  const Tensor x = ramp(100'001);
  const int before = num_threads();
  set_num_threads(1);
  const Tensor one = act::mish(x);
  set_num_threads(4);
  EXPECT_TRUE(same_bits<float>(act::mish(x), one));
  set_num_threads(before);
}

TEST(ActivationFn, RecordsWhereAGradientIsWantedAndOnlyThere) {
  const Tensor x = Tensor::of({-1, 0.5, 2}, DType::float64).watched();
  EXPECT_EQ(act::tanh(x).node(), nullptr);
  const RecordGradients recording;
  EXPECT_EQ(act::tanh(x.detach()).node(), nullptr);
  Tensor y;
  {
    const ActivationFn temporary = act::Elu{.alpha = 2};
    y = temporary(x);
  }
  ASSERT_NE(y.node(), nullptr);
  EXPECT_EQ(y.node()->operation, "elu");
  const Tensor g = y.node()->backward(Tensor::of({1, 1, 3}, DType::float64)).at(0);
  // f' = 2 e^x below 0, 1 above.
  EXPECT_DOUBLE_EQ(g.at({0}), 2 * std::exp(-1.0));
  EXPECT_EQ(g.at({1}), 1);
  EXPECT_EQ(g.at({2}), 3);
}

TEST(ActivationFn, SigmoidCarriesItsLogits) {
  const Tensor x = Tensor::of({-1, 2});
  const Tensor y = act::sigmoid(x);
  ASSERT_NE(y.origin(), nullptr);
  EXPECT_EQ(y.origin()->function, "sigmoid");
  EXPECT_EQ(y.origin()->logits.data(), x.data());
  EXPECT_EQ(act::tanh(x).origin(), nullptr);
}

TEST(ActivationFn, FunctionsOfTensorsAreCalledAsTheyAre) {
  const ActivationFn f = [](const Tensor& x) { return x.reshape({-1}); };
  EXPECT_EQ(f(Tensor::zeros({2, 3})).shape(), Shape({6}));
  EXPECT_EQ(f.elementwise(), nullptr);
  EXPECT_THROW(act::serialize(f), ValueError);
}

TEST(ActivationFn, NullPointersAreLinear) {
  EXPECT_TRUE(ActivationFn(nullptr).is_linear());
  EXPECT_TRUE(ActivationFn(std::shared_ptr<const ActivationFunction>()).is_linear());
  EXPECT_TRUE(act::get(static_cast<const char*>(nullptr)).is_linear());
}

}  // namespace
}  // namespace keratin
