// Lists of axes: order, turning back, and what is refused.
#include "keratin/core/axis_numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"

namespace keratin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AxisNumbers, HoldWhatTheyWereGiven) {
  EXPECT_TRUE(AxisNumbers().empty());
  EXPECT_THAT(AxisNumbers({-1, 2}), ElementsAre(-1, 2));
  EXPECT_THAT(AxisNumbers(std::vector<std::int64_t>{3, 0}), ElementsAre(3, 0));
  EXPECT_THAT(AxisNumbers::range(1, 4), ElementsAre(1, 2, 3));
  EXPECT_TRUE(AxisNumbers::range(2, 2).empty());
  AxisNumbers axes = {5};
  axes.push_back(7);
  EXPECT_THAT(axes, ElementsAre(5, 7));
  EXPECT_EQ(axes.front(), 5);
  EXPECT_EQ(axes.back(), 7);
  EXPECT_TRUE(axes.contains(7));
  EXPECT_FALSE(axes.contains(0));
  EXPECT_NE(axes, AxisNumbers({5}));
  axes.clear();
  EXPECT_EQ(axes, AxisNumbers());
}

TEST(AxisNumbers, AnOrderAndItsInverseGiveTheFirstOrderBack) {
  const AxisNumbers order = {2, 0, 3, 1}, back = order.inverse();
  EXPECT_THAT(back, ElementsAre(1, 3, 0, 2));
  for (std::size_t i = 0; i < order.size(); ++i)
    EXPECT_EQ(order[static_cast<std::size_t>(back[i])], static_cast<std::int64_t>(i));
}

TEST(AxisNumbers, MoreThanATensorHasAreRefused) {
  AxisNumbers axes = AxisNumbers::range(0, 8);
  EXPECT_THAT(message_of<ShapeError>([&] { axes.push_back(8); }), HasSubstr("at most 8"));
  EXPECT_EQ(axes.size(), 8U);
  EXPECT_THAT(message_of<ShapeError>([] {
                static_cast<void>(AxisNumbers({0, 1, 2, 3, 4, 5, 6, 7, 8}));
              }),
              HasSubstr("got 9"));
}

}  // namespace
}  // namespace keratin
