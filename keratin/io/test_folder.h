// A folder of its own for each test, gone afterwards; and what tests of files share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/message_of.h"
#include "keratin/io/byte_source.h"

namespace keratin::io {

inline const std::filesystem::path kTestData = KERATIN_SOURCE_DIR "/keratin/io/testdata";

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("keratin_" + std::string(test->name()) + "_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~FolderTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::filesystem::path put(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  static std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t files_in_folder() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
};

/// Calls read(bytes) for every cut of `whole`, and for each byte changed in five ways; what it throws must be
/// an IoError with a message. Returns how many of the damaged ones were refused.
template <class Read>
std::size_t refused_when_damaged(const std::vector<std::byte>& whole, const Read& read) {
  std::size_t refused = 0;
  const auto attempt = [&](const std::vector<std::byte>& bytes, const std::string& what) {
    try {
      read(std::span<const std::byte>(bytes));
    } catch (const IoError& error) {
      EXPECT_GT(std::string(error.what()).size(), 20u) << what;
      ++refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << what << " threw " << typeid(error).name() << ": " << error.what();
    }
  };
  for (std::size_t size = 0; size < whole.size(); ++size)
    attempt({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)},
            "cut at " + std::to_string(size));
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const int change : {0x01, 0x10, 0x80, 0xFF, 0x20}) {
      auto bytes = whole;
      bytes[i] ^= static_cast<std::byte>(change);
      attempt(bytes, "byte " + std::to_string(i) + " changed by " + std::to_string(change));
    }
  return refused;
}

}  // namespace keratin::io
