// Errors: their four parts, and what they derive from.
#include "keratin/core/error.h"

#include <gtest/gtest.h>

namespace keratin {
namespace {

TEST(Error, CarriesItsFourPartsAndJoinsThem) {
  const ShapeError error("conv2d", "expects 3 input channels", "x has shape (32, 28, 28, 1)",
                         "Feed 3 channels.");
  EXPECT_EQ(error.operation(), "conv2d");
  EXPECT_EQ(error.expected(), "expects 3 input channels");
  EXPECT_EQ(error.received(), "x has shape (32, 28, 28, 1)");
  EXPECT_EQ(error.advice(), "Feed 3 channels.");
  EXPECT_STREQ(error.what(),
               "conv2d: expects 3 input channels, x has shape (32, 28, 28, 1).\n  Feed 3 channels.");
}

TEST(Error, LeavesOutEmptyParts) {
  EXPECT_STREQ(Error("a", "expects b", "").what(), "a: expects b.");
  EXPECT_STREQ(Error("a", "", "got c").what(), "a: got c.");
  EXPECT_STREQ(Error("a", "expects b", "got c", "").what(), "a: expects b, got c.");
}

TEST(Error, DoesNotDoubleAFinalStop) {
  EXPECT_STREQ(Error("a", "expects b.", "").what(), "a: expects b.");
  EXPECT_STREQ(Error("a", "why?", "").what(), "a: why?");
}

template <class Thrown, class Caught>
bool is_caught_as() {
  try {
    throw Thrown("operation", "expects this", "got that");
  } catch (const Caught& error) {
    return error.operation() == "operation";
  } catch (...) {
    return false;
  }
}

TEST(Error, EveryTypeIsAnErrorAndAShapeErrorIsAValueError) {
  EXPECT_TRUE((is_caught_as<ValueError, Error>()));
  EXPECT_TRUE((is_caught_as<ShapeError, Error>()));
  EXPECT_TRUE((is_caught_as<TypeError, Error>()));
  EXPECT_TRUE((is_caught_as<IoError, Error>()));
  EXPECT_TRUE((is_caught_as<NumericError, Error>()));
  EXPECT_TRUE((is_caught_as<StateError, Error>()));
  EXPECT_TRUE((is_caught_as<ShapeError, ValueError>()));
  EXPECT_FALSE((is_caught_as<TypeError, ValueError>()));
  EXPECT_TRUE((std::is_base_of_v<std::runtime_error, Error>));
}

}  // namespace
}  // namespace keratin
