// The data that comes with the library.
#include "keratin/io/data_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "keratin/io/npz.h"
#include "keratin/io/test_folder.h"

namespace keratin::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
class DataFile : public FolderTest {
 protected:
  void TearDown() override { unsetenv("KERATIN_DATA"); }
};

TEST_F(DataFile, IsFoundInTheSourceTreeAndFirstWhereTheEnvironmentSays) {
  unsetenv("KERATIN_DATA");
  EXPECT_TRUE(std::filesystem::equivalent(data_file("digits.npz"), KERATIN_SOURCE_DIR "/data/digits.npz"));
  setenv("KERATIN_DATA", folder_.c_str(), 1);
  EXPECT_TRUE(std::filesystem::equivalent(data_file("digits.npz"), KERATIN_SOURCE_DIR "/data/digits.npz"));
  put("digits.npz", "mine");
  EXPECT_EQ(data_file("digits.npz"), folder_ / "digits.npz");
}

TEST_F(DataFile, SaysWhereItLookedAndTakesNoFolders) {
  setenv("KERATIN_DATA", folder_.c_str(), 1);
  EXPECT_THAT(message_of<IoError>([] { data_file("absent.npz"); }),
              AllOf(HasSubstr("absent.npz"), HasSubstr(folder_.string()), HasSubstr("share/keratin"),
                    HasSubstr("KERATIN_DATA")));
  for (const char* name : {"", ".", "..", "../digits.npz", "/etc/passwd", "a/b"})
    EXPECT_NE(message_of<ValueError>([&] { data_file(name); }), "accepted") << name;
}

// 1,797 images, each in one part of the split; scikit-learn's page gives the number of each digit.
TEST_F(DataFile, TheDigitsAreWhole) {
  const NamedTensors digits = load_npz(data_file("digits.npz"));
  EXPECT_EQ(digits["x"].shape(), Shape({1797, 64}));
  EXPECT_EQ(digits["x"].dtype(), DType::uint8);
  const auto pixels = digits["x"].values<std::uint8_t>();
  EXPECT_EQ(*std::max_element(pixels.begin(), pixels.end()), 16);
  std::vector<int> counts(10);
  for (const auto digit : digits["y"].values<std::int32_t>()) ++counts.at(static_cast<std::size_t>(digit));
  EXPECT_THAT(counts, testing::ElementsAre(178, 182, 177, 183, 181, 182, 181, 179, 174, 180));
  std::set<std::int32_t> rows;
  for (const char* part : {"train_index", "test_index"})
    for (const auto row : digits[part].values<std::int32_t>()) EXPECT_TRUE(rows.insert(row).second) << row;
  EXPECT_EQ(rows.size(), 1797u);
  EXPECT_EQ(*rows.rbegin(), 1796);
}

}  // namespace
}  // namespace keratin::io
