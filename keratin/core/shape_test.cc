// Shapes: sizes, axes, broadcasting, printing, and what is refused.
#include "keratin/core/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"

namespace keratin {
namespace {

using testing::HasSubstr;

TEST(Shapes, SizeIsTheProduct) {
  EXPECT_EQ(Shape({}).size(), 1);
  EXPECT_EQ(Shape({3}).size(), 3);
  EXPECT_EQ(Shape({2, 3, 4}).size(), 24);
  EXPECT_EQ(Shape({2, 0, 4}).size(), 0);
  EXPECT_EQ(Shape({std::int64_t{1} << 40, std::int64_t{1} << 40, 0}).size(), 0);
  EXPECT_THAT(message_of<ShapeError>([] {
                static_cast<void>(Shape({std::int64_t{1} << 32, std::int64_t{1} << 31}).size());
              }),
              HasSubstr("(4294967296, 2147483648)"));
  EXPECT_THAT(message_of<ShapeError>([] {
                static_cast<void>(Shape({-1, 4}).size());
              }),
              HasSubstr("(None, 4)"));
}

TEST(Shapes, RefuseWhatCannotBe) {
  EXPECT_THAT(message_of<ShapeError>([] {
                Shape({1, 1, 1, 1, 1, 1, 1, 1, 1});
              }),
              HasSubstr("at most 8 axes, got 9"));
  EXPECT_THAT(message_of<ShapeError>([] { Shape({3, -2}); }), HasSubstr("got -2"));
  EXPECT_THAT(message_of<ShapeError>([] { Shape({std::numeric_limits<std::int64_t>::min()}); }),
              HasSubstr("-9223372036854775808"));
}

TEST(Shapes, PrintAsPythonTuples) {
  EXPECT_EQ(Shape({}).to_string(), "()");
  EXPECT_EQ(Shape({3}).to_string(), "(3,)");
  EXPECT_EQ(Shape({-1, 10}).to_string(), "(None, 10)");
  EXPECT_EQ(Shape({32, 28, 28, 1}).to_string(), "(32, 28, 28, 1)");
}

TEST(Shapes, AxesCountFromBothEnds) {
  const Shape shape{4, 5, 6};
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    EXPECT_EQ(shape.axis(axis, "test"), static_cast<std::size_t>(axis));
    EXPECT_EQ(shape.axis(axis - 3, "test"), static_cast<std::size_t>(axis));
  }
  EXPECT_EQ(message_of<ShapeError>([&] { static_cast<void>(shape.axis(3, "softmax")); }),
            "softmax: expects an axis from -3 to 2 for shape (4, 5, 6), got 3.");
  EXPECT_EQ(message_of<ShapeError>([&] { static_cast<void>(shape.axis(-4, "softmax")); }),
            "softmax: expects an axis from -3 to 2 for shape (4, 5, 6), got -4.");
  EXPECT_EQ(message_of<ShapeError>([] { static_cast<void>(Shape({}).axis(0, "sum")); }),
            "sum: expects no axis for a scalar, got 0.");
}

TEST(Shapes, PartsAndInsertions) {
  const Shape shape{4, 5, 6};
  EXPECT_EQ(shape.with_inserted(0, 9), Shape({9, 4, 5, 6}));
  EXPECT_EQ(shape.with_inserted(3, 9), Shape({4, 5, 6, 9}));
  EXPECT_EQ(shape.without(1), Shape({4, 6}));
  EXPECT_EQ(shape.part(1, 3), Shape({5, 6}));
  EXPECT_EQ(shape.part(1, 1), Shape({}));
  EXPECT_NE(shape, Shape({4, 5}));
  EXPECT_NE(Shape({4}), Shape({4, 1}));
}

// The pairs of NumPy's page on broadcasting, and a few corners (numpy.broadcast_shapes).
TEST(Shapes, BroadcastAsNumpyDoes) {
  const struct {
    Shape a, b, result;
  } rows[] = {{{256, 256, 3}, {3}, {256, 256, 3}},
              {{8, 1, 6, 1}, {7, 1, 5}, {8, 7, 6, 5}},
              {{5, 4}, {1}, {5, 4}},
              {{15, 3, 5}, {3, 1}, {15, 3, 5}},
              {{}, {2, 3}, {2, 3}},
              {{}, {}, {}},
              {{0}, {1}, {0}},
              {{3, 0}, {3, 1}, {3, 0}}};
  for (const auto& row : rows) {
    EXPECT_EQ(broadcast(row.a, row.b, "add"), row.result);
    EXPECT_EQ(broadcast(row.b, row.a, "add"), row.result);
  }
  EXPECT_EQ(
      message_of<ShapeError>([] {
        static_cast<void>(broadcast({2, 1}, {8, 4, 3}, "add"));
      }),
      "add: expects shapes that are equal or 1 on each axis, aligned at the last, got (2, 1) and (8, 4, 3).");
  EXPECT_THAT(message_of<ShapeError>([] { static_cast<void>(broadcast({0}, {2}, "add")); }),
              HasSubstr("(0,) and (2,)"));
}

TEST(Shapes, RowMajorStrides) {
  const auto strides = row_major_strides({2, 3, 4});
  EXPECT_THAT(std::vector<std::int64_t>(strides.begin(), strides.begin() + 3),
              testing::ElementsAre(12, 4, 1));
  // As large as a hostile file may say: no overflow, since nothing is there to walk along.
  const auto none = row_major_strides({std::int64_t{1} << 62, std::int64_t{1} << 62, 0});
  EXPECT_THAT(std::vector<std::int64_t>(none.begin(), none.begin() + 3), testing::Each(0));
}

}  // namespace
}  // namespace keratin
