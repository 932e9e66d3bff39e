// Curves, ticks, charts, images and plots of characters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "cli/curve.h"
#include "cli/png.h"
#include "cli/svg.h"
#include "cli/terminal.h"
#include "cli/text_plot.h"

namespace keratin::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Curve, BreaksAtJumpsAndGapsButNotAtSteepSlopes) {
  EXPECT_EQ(sample_curve([](double x) { return x > 0.123 ? 1.0 : 0.0; }, {-5, 5}, 100).size(), 2U);
  EXPECT_EQ(sample_curve([](double x) { return 1 / (1 + std::exp(-200 * x)); }, {-5, 5}, 100).size(), 1U);
  EXPECT_EQ(sample_curve([](double x) { return std::exp(x); }, {-5, 5}, 100).size(), 1U);
  EXPECT_EQ(sample_curve([](double x) { return std::log(x); }, {-1, 1}, 100).size(), 1U);
  EXPECT_EQ(sample_curve([](double x) { return std::sqrt(x * x - 1); }, {-2, 2}, 100).size(), 2U);
  EXPECT_TRUE(
      sample_curve([](double) { return std::numeric_limits<double>::quiet_NaN(); }, {0, 1}, 10).empty());
}

TEST(Curve, KeepsTheEndsOfStraightStretchesOnly) {
  const auto lines = sample_curve([](double x) { return std::max(x, 0.0); }, {-5, 5}, 100);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].size(), 3U);
  EXPECT_EQ(lines[0][1].x, 0);
}

TEST(Ticks, AreRoundNumbersInsideTheRange) {
  EXPECT_THAT(round_ticks({-5, 5}, 5), ElementsAre(-4, -2, 0, 2, 4));
  EXPECT_THAT(round_ticks({0, 1}, 5), ElementsAre(0, 0.2, 0.4, testing::DoubleNear(0.6, 1e-15), 0.8, 1));
  EXPECT_THAT(round_ticks({0.93, 0.981}, 5), testing::SizeIs(6));
  EXPECT_THAT(round_ticks({3, 3}, 5), ElementsAre(3));
}

TEST(Svg, EscapesTextAndNamesItsParts) {
  const std::string text = svg(
      {.title = "a < b & \"c\"",
       .description = "two lines",
       .x_label = "epoch",
       .series = {{"f<1>", "first", {{{0, 0}, {1, 1}}}}, {"", "second", {{{0, 1}, {1, 0}}}, true, "tip"}}},
      "id");
  EXPECT_THAT(text,
              AllOf(HasSubstr("a &lt; b &amp; &quot;c&quot;"), HasSubstr("role=\"img\""),
                    HasSubstr("<title id=\"id-title\">"), HasSubstr("f&lt;1&gt;"), HasSubstr(">epoch</text>"),
                    HasSubstr("<title>tip</title>"), Not(HasSubstr("nan"))));
}

constexpr const char* kPngOfTwoByTwo =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAAEUlEQVR4AQEGAPn/AAD/"
    "AIAHBQkBhwdNO48AAAAASUVORK5CYII=";

TEST(Png, HasTheChunksAndChecksumsOfTheStandard) {
  const std::array<std::uint8_t, 4> grey = {0, 255, 128, 7};
  // 2 × 2 grey pixels, encoded by hand with Python's zlib.crc32 and zlib.adler32 as in ISO/IEC 15948.
  EXPECT_EQ(png_data_uri(grey, 2, 2), kPngOfTwoByTwo);
}

TEST(TextPlot, DrawsAnIdentityOnItsDiagonal) {
  const std::string plot =
      text_plot({{[](double x) { return x; }, "x"}}, {.columns = 29, .rows = 21, .unicode = false}, {});
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < plot.size();) {
    const std::size_t end = plot.find('\n', start);
    lines.push_back(plot.substr(start, end - start));
    start = end + 1;
  }
  ASSERT_EQ(lines.size(), 23U);  // rows, x labels, legend
  std::size_t column = lines[0].find('*');
  for (int row = 1; row < 21; ++row) {
    const std::size_t next = lines[static_cast<std::size_t>(row)].find('*');
    EXPECT_EQ(next, column - 1) << plot;
    column = next;
  }
  EXPECT_EQ(lines[22].find("*** x"), 4U);
}

TEST(TextPlot, TellsCurvesApartWithoutColours) {
  const std::string plot =
      text_plot({{[](double x) { return x; }, "f"}, {[](double) { return 1.0; }, "g", Style::second, true}},
                {.unicode = false}, {});
  EXPECT_THAT(plot, AllOf(HasSubstr("*"), HasSubstr(". ."), Not(HasSubstr("\x1b"))));
}

TEST(Terminal, WrapsAtSpacesAndCountsCharactersNotBytes) {
  EXPECT_EQ(wrapped("one two three four five six", 30, 4), "one two three four five\n    six");
  EXPECT_EQ(display_width("━━ä"), 3);
  EXPECT_EQ(padded("ä", 3), "ä  ");
  EXPECT_EQ(styled({.colour = false}, Style::bold, "x"), "x");
}

}  // namespace
}  // namespace keratin::cli
