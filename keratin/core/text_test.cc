// Text: numbers that no locale changes, and the nearest name to a mistyped one.
#include "keratin/core/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cfenv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <locale>
#include <string>

namespace keratin {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// While it lives, the C and the C++ locale write a comma for the point, the first as far as the system can.
class CommaLocale {
 public:
  CommaLocale() : before_cxx_(std::locale::global(std::locale(std::locale::classic(), new Comma))) {
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"})
      if (std::setlocale(LC_ALL, name) != nullptr) return;
    const auto folder = std::filesystem::temp_directory_path() / "keratin_text_test_locale";
    std::filesystem::create_directories(folder);
    const std::string made = (folder / "de_DE.UTF-8").string();
    if (std::system(("localedef -i de_DE -f UTF-8 " + made + " > /dev/null 2>&1").c_str()) != 0) return;
    setenv("LOCPATH", folder.c_str(), 1);
    std::setlocale(LC_ALL, "de_DE.UTF-8");
  }
  ~CommaLocale() {
    std::locale::global(before_cxx_);
    std::setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
  }

 private:
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  std::locale before_cxx_;
};

const struct {
  const char* text;
  double value;
} kNumbers[] = {{"0", 0},
                {"-0", -0.0},
                {"1.5", 1.5},
                {"+1.5", 1.5},
                {"-12345.678", -12345.678},
                {"1e10", 1e10},
                {"1E+10", 1e10},
                {"2.2250738585072014e-308", 0x1p-1022},
                {"5e-324", 0x1p-1074},
                {"2.4703282292062327e-324", 0},          // just below half the smallest
                {"2.4703282292062328e-324", 0x1p-1074},  // just above
                {"1.7976931348623157e308", 0x1.fffffffffffffp1023},
                {"0.1", 0x1.999999999999ap-4},
                {"9007199254740993", 0x1p53},  // a tie, to even
                {".5", 0.5},
                {"5.", 5},
                {"inf", kInfinity},
                {"-inf", -kInfinity},
                {"Infinity", kInfinity},
                // Out of range, and the exponent's sign alone does not tell to which side.
                {"1e999", kInfinity},
                {"-1e999", -kInfinity},
                {"1e-999", 0},
                {"-1e-999", -0.0},
                {"1e99999999999999999999", kInfinity},
                {"1e-99999999999999999999", 0}};

TEST(Text, ParsesNumbersWhateverTheLocale) {
  for (const bool comma : {false, true}) {
    const auto locale = comma ? std::make_unique<CommaLocale>() : nullptr;
    for (const auto& row : kNumbers) {
      const auto value = parse_double(row.text);
      ASSERT_TRUE(value.has_value()) << row.text;
      EXPECT_EQ(std::bit_cast<std::uint64_t>(*value), std::bit_cast<std::uint64_t>(row.value))
          << row.text << " gave " << *value;
    }
    EXPECT_TRUE(std::isnan(parse_double("nan").value()));
    EXPECT_FALSE(parse_double("1,5").has_value());
  }
}

TEST(Text, WritesNumbersWhateverTheLocale) {
  for (const bool comma : {false, true}) {
    const auto locale = comma ? std::make_unique<CommaLocale>() : nullptr;
    EXPECT_EQ(to_text(1234567.5), "1234567.5");
    EXPECT_EQ(to_text(0.1), "0.1");
    EXPECT_EQ(to_text(0.1F), "0.1");
    EXPECT_EQ(to_text(3.0), "3");
    EXPECT_EQ(to_text(-0.0), "-0");
    EXPECT_EQ(to_text(5e-324), "5e-324");
    EXPECT_EQ(to_text(kInfinity), "inf");
    EXPECT_EQ(to_text(-kInfinity), "-inf");
    EXPECT_EQ(to_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  }
}

TEST(Text, OutOfRangeNumbersGoToTheSideWhereTheyAre) {
  const std::string zeros(400, '0'), nines(400, '9');
  EXPECT_EQ(parse_double(nines), kInfinity);
  EXPECT_EQ(parse_double("-" + nines), -kInfinity);
  EXPECT_EQ(parse_double(nines + "e-5"), kInfinity);
  EXPECT_EQ(parse_double("00." + zeros + "1"), 0.0);
  EXPECT_EQ(parse_double("." + zeros + "1"), 0.0);
  EXPECT_EQ(parse_double("0." + zeros + "1e5"), 0.0);
  EXPECT_EQ(parse_double(zeros + "1e400"), kInfinity);
}

TEST(Text, ParsingRoundsToNearestWhateverTheRoundingMode) {
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    const auto parsed =
        std::array{parse_double("0.3"), parse_double("1.1e22"), parse_double("123456789012345678e-20")};
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(parsed[0], 0x1.3333333333333p-2);
    EXPECT_EQ(parsed[1], 1.1e22);
    EXPECT_EQ(parsed[2], 123456789012345678e-20);
  }
}

TEST(Text, EveryNumberWrittenReadsBackTheSame) {
  std::uint64_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double value = std::bit_cast<double>(state ^ (state >> 29));
    if (std::isnan(value)) continue;
    ASSERT_EQ(parse_double(to_text(value)), value) << to_text(value);
    const float narrow = static_cast<float>(value);
    ASSERT_EQ(static_cast<float>(parse_double(to_text(narrow)).value()), narrow) << to_text(narrow);
  }
}

TEST(Text, RefusesWhatIsNoNumber) {
  for (const char* text : {"", " 1", "1 ", "+", "-", "+-1", "++1", "--1", "-+1", "1.2.3", "1e", "0x10", "one",
                           "1,000", "1_000", "1f", ".", "e5"})
    EXPECT_FALSE(parse_double(text).has_value()) << text;
  for (const char* text :
       {"", "+", "-", "+-5", "++5", "5.0", " 5", "5 ", "9223372036854775808", "five", "0x5"})
    EXPECT_FALSE(parse_int(text).has_value()) << text;
  EXPECT_EQ(parse_int("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_int("+7"), 7);
  EXPECT_EQ(parse_int("007"), 7);
}

TEST(Text, FindsTheNearestName) {
  constexpr std::string_view known[] = {"relu", "elu", "tanh", "sigmoid", "hard_sigmoid", "swish", "softmax"};
  const struct {
    const char* typed;
    std::optional<std::string> expected;
  } rows[] = {{"swich", "swish"},
              {"tahn", "tanh"},
              {"Relu", "relu"},
              {"HardSigmoid", "hard_sigmoid"},
              {"hard-sigmoid", "hard_sigmoid"},
              {"sigmod", "sigmoid"},
              {"soft max", "softmax"},
              {"lu", "elu"},
              {"", std::nullopt},
              {"convolution", std::nullopt},
              {"x", std::nullopt}};
  for (const auto& row : rows) EXPECT_EQ(nearest(row.typed, known), row.expected) << row.typed;
  EXPECT_EQ(did_you_mean("swich", known), "Did you mean \"swish\"?");
  EXPECT_EQ(did_you_mean("convolution", known), "");
  EXPECT_EQ(nearest("relu", {}), std::nullopt);
}

// keras.src.utils.naming.to_snake_case: the two substitutions done by Python's re.
TEST(Text, SnakeCaseIsKerass) {
  const struct {
    const char *name, *expected;
  } rows[] = {{"Dense", "dense"},
              {"PReLU", "p_re_lu"},
              {"ReLU", "re_lu"},
              {"ELU", "elu"},
              {"LeakyReLU", "leaky_re_lu"},
              {"ThresholdedReLU", "thresholded_re_lu"},
              {"Conv2D", "conv2d"},
              {"Conv2DTranspose", "conv2d_transpose"},
              {"AlphaDropout", "alpha_dropout"},
              {"GlobalAveragePooling1D", "global_average_pooling1d"},
              {"RNN", "rnn"},
              {"LSTMCell", "lstm_cell"},
              {"ConvLSTM1D", "conv_lstm1d"},
              {"My_Layer", "my__layer"},
              {"my layer", "mylayer"},
              {"", ""}};
  for (const auto& row : rows) EXPECT_EQ(to_snake_case(row.name), row.expected) << row.name;
}

}  // namespace
}  // namespace keratin
