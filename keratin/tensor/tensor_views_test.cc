// Views: reshapes, slices and the like, against a model that copies every element.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/core/random.h"
#include "keratin/tensor/tensor.h"

namespace keratin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Sizes = std::vector<std::int64_t>;

std::vector<float> list(const Tensor& tensor) {
  const Tensor dense = tensor.contiguous();
  const auto values = dense.values<float>();
  return {values.begin(), values.end()};
}

// An array that holds its elements in row-major order and copies them at each step.
struct Model {
  Sizes shape;
  std::vector<float> values;

  static Model iota(const Sizes& shape) {
    Model m{shape, {}};
    m.values.resize(static_cast<std::size_t>(m.size()));
    std::iota(m.values.begin(), m.values.end(), 0.0F);
    return m;
  }
  std::int64_t size() const {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  }
  float at(const Sizes& index) const {
    std::int64_t flat = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) flat = flat * shape[i] + index[i];
    return values[static_cast<std::size_t>(flat)];
  }
  // The array of that shape whose element at i is this one's at source(i).
  template <class Source>
  Model mapped(const Sizes& to, const Source& source) const {
    Model result{to, {}};
    Sizes index(to.size(), 0);
    for (std::int64_t n = result.size(); n-- > 0;) {
      result.values.push_back(at(source(index)));
      for (std::size_t axis = to.size(); axis-- > 0;) {
        if (++index[axis] < to[axis]) break;
        index[axis] = 0;
      }
    }
    return result;
  }
};

// A stream of small random numbers.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : key_{seed, 0} {}
  std::int64_t roll(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_block(key_, counter_++)[0] %
                                           static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  RandomKey key_;
  std::uint64_t counter_ = 0;
};

// One random view of the tensor, and the same of the model.
void step(Dice& dice, Tensor& tensor, Model& model) {
  const auto rank = static_cast<std::int64_t>(model.shape.size());
  const auto axis = rank == 0 ? 0 : dice.roll(0, rank - 1);
  const auto a = static_cast<std::size_t>(axis);
  Sizes to = model.shape;
  switch (rank == 0 ? 4 : dice.roll(0, 6)) {
    case 0: {  // slice
      const std::int64_t begin = dice.roll(0, to[a]), end = dice.roll(begin, to[a]), by = dice.roll(1, 3);
      to[a] = (end - begin + by - 1) / by;
      tensor = tensor.slice(axis - (dice.roll(0, 1) == 1 ? rank : 0), begin, end, by);
      model = model.mapped(to, [&](Sizes i) {
        i[a] = begin + i[a] * by;
        return i;
      });
      break;
    }
    case 1: {  // transpose
      Sizes order(model.shape.size());
      std::iota(order.begin(), order.end(), std::int64_t{0});
      for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1],
                  order[static_cast<std::size_t>(dice.roll(0, static_cast<std::int64_t>(i) - 1))]);
      for (std::size_t i = 0; i < order.size(); ++i) to[i] = model.shape[static_cast<std::size_t>(order[i])];
      tensor = tensor.transpose(order);
      model = model.mapped(to, [&](const Sizes& i) {
        Sizes from(i.size());
        for (std::size_t k = 0; k < i.size(); ++k) from[static_cast<std::size_t>(order[k])] = i[k];
        return from;
      });
      break;
    }
    case 2: {  // select
      if (to[a] == 0) return;
      const std::int64_t at = dice.roll(0, to[a] - 1);
      to.erase(to.begin() + axis);
      tensor = tensor.select(axis, dice.roll(0, 1) == 1 ? at : at - model.shape[a]);
      model = model.mapped(to, [&](Sizes i) {
        i.insert(i.begin() + axis, at);
        return i;
      });
      break;
    }
    case 3: {  // squeeze
      if (to[a] != 1) return;
      to.erase(to.begin() + axis);
      tensor = tensor.squeeze(axis);
      model.shape = to;
      break;
    }
    case 4: {  // expand
      if (rank >= 5) return;
      const std::int64_t at = dice.roll(0, rank);
      to.insert(to.begin() + at, 1);
      tensor = tensor.expand_dims(dice.roll(0, 1) == 1 ? at : at - rank - 1);
      model.shape = to;
      break;
    }
    case 5: {  // broadcast
      if (to[a] != 1 || rank >= 5 || model.size() > 200) return;
      to[a] = dice.roll(0, 3);
      if (dice.roll(0, 1) == 1) to.insert(to.begin(), 2);
      const std::size_t added = to.size() - model.shape.size();
      tensor = tensor.broadcast_to(Shape(to));
      model = model.mapped(to, [&](Sizes i) {
        i.erase(i.begin(), i.begin() + static_cast<std::ptrdiff_t>(added));
        i[a] = 0;
        return i;
      });
      break;
    }
    default: {  // reshape: the factors of the size, dealt out anew
      Sizes factors;
      std::int64_t rest = model.size();
      for (std::int64_t p = 2; rest > 1; ++p)
        for (; rest % p == 0; rest /= p) factors.push_back(p);
      to.assign(static_cast<std::size_t>(dice.roll(1, 4)), 1);
      if (model.size() == 0) to[0] = 0;
      for (const std::int64_t factor : factors)
        to[static_cast<std::size_t>(dice.roll(0, static_cast<std::int64_t>(to.size()) - 1))] *= factor;
      Sizes asked = to;
      if (model.size() > 0 && dice.roll(0, 1) == 1) asked[0] = -1;
      tensor = tensor.reshape(Shape(asked));
      model.shape = to;
      break;
    }
  }
}

TEST(TensorViews, AnyChainOfViewsHoldsTheElementsOfTheSameChainOfCopies) {
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Dice dice(seed);
    Sizes shape(static_cast<std::size_t>(dice.roll(0, 4)));
    for (auto& size : shape) size = dice.roll(1, 4);
    Model model = Model::iota(shape);
    Tensor tensor = Tensor::from(model.values, Shape(shape));
    for (int i = 0; i < 8; ++i) {
      step(dice, tensor, model);
      ASSERT_EQ(tensor.shape(), Shape(model.shape)) << "seed " << seed << " step " << i;
      ASSERT_EQ(list(tensor), model.values)
          << "seed " << seed << " step " << i << " shape " << tensor.shape().to_string();
      ASSERT_EQ(list(tensor.clone()), model.values) << "seed " << seed;
    }
  }
}

// The stride of an axis of size 1 says nothing: here it looks as if the rows followed each other.
TEST(TensorViews, ReshapeLooksPastAxesOfSizeOne) {
  const Tensor t = Tensor::arange(12).reshape({2, 2, 3}).slice(1, 0, 1);
  EXPECT_THAT(list(t.reshape({6})), ElementsAre(0, 1, 2, 6, 7, 8));
}

TEST(TensorViews, AReshapeThatNeedsNoCopyMakesNone) {
  const Tensor t = Tensor::arange(24).reshape({2, 3, 4});
  EXPECT_EQ(t.reshape({6, 4}).data(), t.data());
  const Tensor part = t.slice(2, 0, 2);
  EXPECT_EQ(part.reshape({6, 2}).data(), t.data());
  EXPECT_EQ(part.reshape({6, 1, 2}).data(), t.data());
  EXPECT_NE(part.reshape({12}).data(), t.data());
  EXPECT_EQ(t.transpose(Sizes{1, 0, 2}).reshape({3, 2, 2, 2}).data(), t.data());
}

TEST(TensorViews, SlicesTakeNegativeAndFarIndicesAsNumpyDoes) {
  const Tensor t = Tensor::arange(5);
  const std::int64_t far = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(list(t.slice(0, -2, 5)), ElementsAre(3, 4));         // t[-2:5]
  EXPECT_THAT(list(t.slice(0, 1, -1)), ElementsAre(1, 2, 3));      // t[1:-1]
  EXPECT_THAT(list(t.slice(0, -100, 2)), ElementsAre(0, 1));       // t[-100:2]
  EXPECT_THAT(list(t.slice(0, 0, far, 2)), ElementsAre(0, 2, 4));  // t[::2]
  EXPECT_THAT(list(t.slice(0, 2, far, far)), ElementsAre(2));
  EXPECT_EQ(t.slice(0, 3, 1).shape(), Shape({0}));  // t[3:1]
  EXPECT_EQ(t.slice(0, 9, 12).shape(), Shape({0}));
  EXPECT_EQ(t.slice(0, -far - 1, -far).shape(), Shape({0}));
}

TEST(TensorViews, SayWhatTheyRefuse) {
  const Tensor t = Tensor::arange(6).reshape({2, 3});
  const std::int64_t big = std::int64_t{1} << 40;
  const struct {
    std::function<void()> call;
    const char* expected;
  } rows[] = {{[&] { t.reshape({4}); }, "reshape: expects a shape of 6 elements for (2, 3), got (4,)"},
              {[&] {
                 t.reshape({4, -1});
               },
               "reshape: expects a shape of 6 elements for (2, 3), got (4, None)"},
              {[&] {
                 t.reshape({-1, -1});
               },
               "at most one size of -1"},
              {[&] {
                 t.reshape({0, -1});
               },
               "reshape: expects a shape of 6 elements"},
              {[&] {
                 t.reshape({big, big});
               },
               "at most 2^63 - 1 elements"},
              {[&] { t.transpose(Sizes{0}); }, "transpose: expects 2 axes for shape (2, 3), got 1"},
              {[&] {
                 t.transpose(Sizes{0, 0});
               },
               "transpose: expects each axis once, got axis 0 twice"},
              {[&] {
                 t.transpose(Sizes{0, 2});
               },
               "transpose: expects an axis from -2 to 1 for shape (2, 3), got 2"},
              {[&] { t.slice(2, 0, 1); }, "slice: expects an axis from -2 to 1"},
              {[&] { t.slice(0, 0, 1, 0); }, "slice: expects a step of at least 1, got 0"},
              {[&] { t.select(1, 3); }, "select: expects an index below 3 on axis 1 of shape (2, 3), got 3"},
              {[&] { t.select(1, -4); }, "got -4"},
              {[&] { t.squeeze(0); }, "squeeze: expects axis 0 of size 1, got shape (2, 3)"},
              {[&] { t.expand_dims(4); }, "expand_dims: expects an axis from -3 to 2, got 4"},
              {[&] { t.broadcast_to({3}); },
               "broadcast_to: expects a shape that (2, 3) can be repeated to, got (3,)"},
              {[&] {
                 t.broadcast_to({2, 1});
               },
               "broadcast_to: "},
              {[&] {
                 t.broadcast_to({4, 3});
               },
               "broadcast_to: "},
              {[] { Tensor().reshape({1}); }, "undefined"}};
  for (const auto& row : rows) EXPECT_THAT(message_of(row.call), HasSubstr(row.expected));
}

TEST(TensorViews, EmptyTensorsOfAnySizeBesideCanBeViewed) {
  const std::int64_t big = std::int64_t{1} << 40;
  const Tensor t = Tensor::zeros({big, 0, big});
  EXPECT_EQ(t.size(), 0);
  EXPECT_TRUE(t.is_contiguous());
  EXPECT_EQ(t.select(0, big - 1).shape(), Shape({0, big}));
  EXPECT_EQ(t.slice(2, 5, big).shape(), Shape({big, 0, big - 5}));
  EXPECT_EQ(t.transpose().contiguous().shape(), Shape({big, 0, big}));
  EXPECT_EQ(t.reshape({0}).shape(), Shape({0}));
  EXPECT_EQ(Tensor::zeros({0, 3}).reshape({-1, 3}).shape(), Shape({0, 3}));
}

TEST(TensorViews, ARecordedTensorIsViewedByOpsAlone) {
  const Tensor leaf = Tensor::arange(6).watched();
  EXPECT_EQ(leaf.reshape({2, 3}).node(), nullptr) << "nothing records here";
  const RecordGradients recording;
  EXPECT_THAT(message_of([&] { leaf.reshape({2, 3}); }), HasSubstr("recorded by \"leaf\""));
  EXPECT_THAT(message_of([&] { leaf.slice(0, 0, 1); }), HasSubstr("keratin::ops"));
  EXPECT_EQ(leaf.detach().reshape({2, 3}).shape(), Shape({2, 3}));
}

}  // namespace
}  // namespace keratin
