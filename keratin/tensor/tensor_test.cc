// Tensors: value semantics, construction, conversion, and what is refused.
#include "keratin/tensor/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <limits>
#include <thread>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace keratin {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> list(const Tensor& tensor) {
  const Tensor dense = tensor.contiguous();
  const auto values = dense.values<T>();
  return {values.begin(), values.end()};
}

TEST(Tensor, IsMadeFromValues) {
  EXPECT_FALSE(Tensor().is_defined());
  EXPECT_THAT(list<float>(Tensor::zeros({2, 2})), Each(0.0F));
  EXPECT_THAT(list<double>(Tensor::full({3}, 0.1, DType::float64)), Each(0.1));
  EXPECT_THAT(list<std::int32_t>(Tensor::arange(3, DType::int32, 5)), ElementsAre(5, 6, 7));
  EXPECT_THAT(list<float>(Tensor::of({1, 2, 3})), ElementsAre(1, 2, 3));
  const Tensor rows = Tensor::of({{1, 2, 3}, {4, 5, 6}}, DType::int64);
  EXPECT_EQ(rows.shape(), Shape({2, 3}));
  EXPECT_THAT(list<std::int64_t>(rows), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(Tensor::scalar(2.5).item(), 2.5);
  EXPECT_EQ(Tensor::scalar(2.5).rank(), 0u);
  EXPECT_EQ(Tensor::from(std::vector<float>{}, {0, 3}).size(), 0);
  EXPECT_THAT(list<bool>(Tensor::full({2}, 3, DType::boolean)), Each(true));
}

TEST(Tensor, SaysWhatItRefuses) {
  EXPECT_THAT(message_of([] {
                Tensor::from(std::vector<float>{1, 2}, {3});
              }),
              HasSubstr("expects 3 values for shape (3,), got 2"));
  EXPECT_THAT(message_of([] {
                Tensor::of({{1, 2}, {3, 4, 5}});
              }),
              HasSubstr("rows of one length, 2, got one of 3"));
  EXPECT_THAT(message_of([] { Tensor::zeros({-1, 2}); }), HasSubstr("(None, 2)"));
  EXPECT_THAT(message_of([] { Tensor::empty({std::int64_t{1} << 60, 4}); }), HasSubstr("at most"));
  EXPECT_THAT(message_of([] { Tensor::empty({std::int64_t{1} << 62, 4}); }), HasSubstr("at most"));
  EXPECT_THAT(message_of([] { Tensor::of({1}).values<double>(); }),
              HasSubstr("expects to be read as float32, its dtype, read as float64"));
  EXPECT_THAT(message_of([] { Tensor().values<float>(); }), HasSubstr("undefined"));
  EXPECT_THAT(message_of([] { Tensor().clone(); }), HasSubstr("undefined"));
  EXPECT_THAT(message_of([] {
                Tensor::of({{1, 2}, {3, 4}}).transpose().values<float>();
              }),
              HasSubstr("contiguous"));
  EXPECT_THAT(message_of([] { Tensor::of({1, 2}).item(); }), HasSubstr("one element, got shape (2,)"));
  EXPECT_THAT(message_of([] {
                Tensor::of({1, 2}).at({0, 0});
              }),
              HasSubstr("expects 1 indices for shape (2,), got 2"));
  EXPECT_THAT(message_of([] { Tensor::of({1, 2}).at({2}); }), HasSubstr("below 2"));
}

TEST(Tensor, ACopyKeepsItsValuesWhenTheOtherIsWritten) {
  Tensor a = Tensor::of({1, 2, 3});
  const Tensor b = a;
  EXPECT_EQ(a.data(), b.data()) << "a copy costs no elements";
  a.mutable_values<float>()[0] = 9;
  EXPECT_NE(a.data(), b.data());
  EXPECT_THAT(list<float>(a), ElementsAre(9, 2, 3));
  EXPECT_THAT(list<float>(b), ElementsAre(1, 2, 3));
  const void* own = a.data();
  a.mutable_values<float>()[1] = 8;
  EXPECT_EQ(a.data(), own) << "its own memory is written in place";
}

TEST(Tensor, NoViewSeesAWriteAndNoWriteGoesThroughAView) {
  Tensor base = Tensor::arange(6).reshape({2, 3});
  Tensor views[] = {base.reshape({3, 2}), base.transpose(),    base.slice(1, 0, 2),
                    base.select(0, 1),    base.expand_dims(0), base.broadcast_to({2, 2, 3}),
                    base.detach(),        base.watched()};
  for (Tensor& view : views) {
    const auto before = list<float>(view);
    base.mutable_values<float>()[0] += 1;
    EXPECT_EQ(list<float>(view), before);
    const auto kept = list<float>(base);
    for (float& value : view.mutable_values<float>()) value = -1;
    EXPECT_EQ(list<float>(base), kept);
    EXPECT_THAT(list<float>(view), Each(-1.0F));
  }
}

TEST(Tensor, WritingToAStridedViewMakesItContiguous) {
  Tensor view = Tensor::arange(6).reshape({2, 3}).transpose();
  EXPECT_FALSE(view.is_contiguous());
  view.mutable_values<float>()[1] = 50;
  EXPECT_TRUE(view.is_contiguous());
  EXPECT_THAT(list<float>(view), ElementsAre(0, 50, 1, 4, 2, 5));
}

TEST(Tensor, ConcurrentThreadsWriteToTheirOwnCopies) {
  const Tensor source = Tensor::full({1000}, 1);
  std::vector<std::thread> threads;
  std::vector<int> wrong(6, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([t, source, &wrong]() mutable {
      for (int round = 0; round < 200; ++round) {
        Tensor copy = source;
        for (float& value : copy.mutable_values<float>()) value += static_cast<float>(t);
        for (const float value : copy.values<float>()) wrong[t] += value != 1 + static_cast<float>(t);
        for (const float value : source.values<float>()) wrong[t] += value != 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(wrong, Each(0));
}

// One thread reads its copy and drops it; the other may then write in place.
TEST(Tensor, AConcurrentReaderThatIsDoneDoesNotRaceWithTheNextWrite) {
  for (int round = 0; round < 100; ++round) {
    Tensor tensor = Tensor::full({64}, 1);
    double sum = 0;
    std::thread reader([&sum, copy = tensor]() mutable {
      for (const float value : copy.values<float>()) sum += value;
      copy = Tensor();
    });
    for (float& value : tensor.mutable_values<float>()) value = 2;
    reader.join();
    ASSERT_EQ(sum, 64);
  }
}

TEST(Tensor, ConversionsCutRoundAndSaturate) {
  const Tensor values = Tensor::of(
      {1.9, -1.9, 300, -300, kNan, kInfinity, -kInfinity, 3e9, 1e19, -1e19, 255.5, -0.5}, DType::float64);
  EXPECT_THAT(list<std::uint8_t>(values.astype(DType::uint8)),
              ElementsAre(1, 0, 255, 0, 0, 255, 0, 255, 255, 0, 255, 0));
  const std::int32_t low = std::numeric_limits<std::int32_t>::min(),
                     high = std::numeric_limits<std::int32_t>::max();
  EXPECT_THAT(list<std::int32_t>(values.astype(DType::int32)),
              ElementsAre(1, -1, 300, -300, 0, high, low, high, high, low, 255, 0));
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                     highest = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(list<std::int64_t>(values.astype(DType::int64)),
              ElementsAre(1, -1, 300, -300, 0, highest, lowest, 3'000'000'000, highest, lowest, 255, 0));
  EXPECT_THAT(list<bool>(Tensor::of({0, -0.0, 1e-320, kNan, -3}, DType::float64).astype(DType::boolean)),
              ElementsAre(false, false, true, true, true));
  // The largest floats below 2^31 and 2^63, and those powers themselves.
  EXPECT_THAT(list<std::int32_t>(Tensor::of({2147483520, 2147483648.0}).astype(DType::int32)),
              ElementsAre(2147483520, high));
  EXPECT_THAT(list<std::int64_t>(Tensor::of({0x1p63 - 0x1p39, 0x1p63, -0x1p63}).astype(DType::int64)),
              ElementsAre(highest - (std::int64_t{1} << 39) + 1, highest, lowest));
  EXPECT_THAT(list<std::uint8_t>(Tensor::of({-1, 256, 7}, DType::int32).astype(DType::uint8)),
              ElementsAre(0, 255, 7));
  EXPECT_THAT(list<std::int32_t>(Tensor::of({true, false}, DType::boolean).astype(DType::int32)),
              ElementsAre(1, 0));
  EXPECT_EQ(Tensor::scalar(1e300, DType::float64).astype(DType::float32).item(), kInfinity);
  EXPECT_EQ(Tensor::scalar(1e-46, DType::float64).astype(DType::float32).item(), 0);
  EXPECT_EQ(Tensor::scalar(1e-45, DType::float64).astype(DType::float32).item(), 0x1p-149);
}

TEST(Tensor, WholeNumbersTo16BitsRoundOnce) {
  // One above the tie between two bfloat16: through a double it would become the tie, and go down.
  const std::int64_t tie = (std::int64_t{1} << 60) + (std::int64_t{1} << 52);
  const auto narrow = [](std::int64_t value) {
    return list<bfloat16>(Tensor::from(std::vector{value}, {1}).astype(DType::bfloat16))[0].bits;
  };
  const auto at = to_bfloat16(0x1p60).bits;
  EXPECT_EQ(narrow(tie), at);
  EXPECT_EQ(narrow(tie + 1), at + 1);
  EXPECT_EQ(narrow(tie - 1), at);
  EXPECT_EQ(narrow(-tie - 1), (at + 1) | 0x8000);
  EXPECT_EQ(narrow(-tie + 1), at | 0x8000);
  EXPECT_EQ(narrow(std::numeric_limits<std::int64_t>::max()), to_bfloat16(0x1p63).bits);
  EXPECT_EQ(narrow(std::numeric_limits<std::int64_t>::min()), to_bfloat16(-0x1p63).bits);
}

TEST(Tensor, EveryDTypeConvertsToEveryOther) {
  const DType all[] = {DType::float64, DType::float32, DType::float16, DType::bfloat16,
                       DType::int32,   DType::int64,   DType::uint8,   DType::boolean};
  for (const DType from : all)
    for (const DType to : all) {
      const Tensor source = Tensor::of({{0, 1}, {1, 0}}).astype(from).transpose();
      const Tensor result = source.astype(to);
      EXPECT_EQ(result.dtype(), to);
      EXPECT_EQ(result.shape(), source.shape());
      for (std::int64_t i = 0; i < 2; ++i)
        for (std::int64_t j = 0; j < 2; ++j)
          EXPECT_EQ(result.at({i, j}), i != j) << name(from) << " " << name(to);
      EXPECT_EQ(Tensor::zeros({0, 2}, from).astype(to).size(), 0);
    }
  const Tensor same = Tensor::of({1, 2});
  EXPECT_EQ(same.astype(DType::float32).data(), same.data());
}

TEST(Tensor, NoRoundingModeAndNoFlushingChangesAConversion) {
  const Tensor source = Tensor::of({0.1, 1 + 0x1p-30, -0.3, 1e-40, 1e-45}, DType::float64);
  const auto expected = list<float>(source.astype(DType::float32));
  EXPECT_THAT(expected, ElementsAre(0x1.99999ap-4F, 1.0F, -0x1.333334p-2F, 0x1.16c2p-133F, 0x1p-149F));
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    const Tensor converted = source.astype(DType::float32), filled = Tensor::full({1}, 0.1);
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(list<float>(converted), expected);
    EXPECT_EQ(filled.item(), 0x1.99999ap-4);
  }
#if defined(__x86_64__)
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  const Tensor converted = source.astype(DType::float32), back = converted.astype(DType::float64);
  const Tensor isnt_zero = converted.astype(DType::boolean);
  _mm_setcsr(before);
  EXPECT_EQ(list<float>(converted), expected);
  EXPECT_THAT(list<double>(back), ElementsAre(0x1.99999ap-4, 1.0, -0x1.333334p-2, 0x1.16c2p-133, 0x1p-149));
  EXPECT_THAT(list<bool>(isnt_zero), Each(true));
#endif
}

TEST(Tensor, ElementsAreReadFromEitherEnd) {
  const Tensor t = Tensor::arange(6).reshape({2, 3});
  EXPECT_EQ(t.at({1, 2}), 5);
  EXPECT_EQ(t.at({-1, -1}), 5);
  EXPECT_EQ(t.transpose().at({2, 1}), 5);
  EXPECT_EQ(Tensor::scalar(4).at({}), 4);
}

TEST(Tensor, DetachingStopsTheGradientThroughItsOriginToo) {
  const Tensor logits = Tensor::of({1, 2}).watched();
  Tensor y = Tensor::of({0.25, 0.75});
  y.set_node(logits.node());
  y.set_origin(std::make_shared<Tensor::Origin>(Tensor::Origin{"softmax", logits}));
  EXPECT_NE(y.origin()->logits.node(), nullptr);
  EXPECT_EQ(y.detach().node(), nullptr);
  EXPECT_EQ(y.detach().origin()->logits.node(), nullptr) << "a loss would differentiate what was detached";
  EXPECT_EQ(y.watched().origin(), nullptr) << "a loss would pass the leaf by";
  y.mutable_values<float>()[0] = 0;
  EXPECT_EQ(y.origin(), nullptr) << "what is written is no softmax any more";
  EXPECT_EQ(y.node(), nullptr);
}

}  // namespace
}  // namespace keratin
