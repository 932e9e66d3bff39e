// Printing, against what NumPy printed (testdata/numpy_print.txt, written by make_numpy_print.py).
#include <gtest/gtest.h>

#include <cfenv>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "keratin/core/text.h"
#include "keratin/tensor/tensor.h"

namespace keratin {
namespace {

struct Case {
  std::string heading, text;
  Tensor tensor;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);) words.push_back(word);
  return words;
}

Tensor tensor_of(const std::string& dtype_name, const std::string& shape_text, const std::string& elements) {
  std::vector<std::int64_t> sizes;
  if (shape_text != "scalar")
    for (const auto& size : split(shape_text, ',')) sizes.push_back(parse_int(size).value());
  const Shape shape(sizes);
  const DType dtype = dtype_of(dtype_name);
  if (elements.starts_with("arange")) {
    const double scale = parse_double(elements.substr(7)).value();
    std::vector<double> values(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i) * scale;
    return Tensor::from(values, shape).astype(dtype);
  }
  Tensor tensor = Tensor::empty(shape, dtype);
  auto* bytes = static_cast<char*>(tensor.mutable_data());
  for (const auto& word : split(elements, ' ')) {
    std::uint64_t bits = 0;
    std::from_chars(word.data(), word.data() + word.size(), bits, 16);
    std::memcpy(bytes, &bits, size_bytes(dtype));  // little endian
    bytes += size_bytes(dtype);
  }
  return tensor;
}

std::vector<Case> read_cases() {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/tensor/testdata/numpy_print.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    Case next;
    next.heading = line;
    const auto words = split(line, ' ');
    std::string elements;
    std::getline(file, elements);
    next.tensor = tensor_of(words.at(1), words.at(2), elements);
    std::getline(file, line);
    for (std::int64_t i = 0, lines = parse_int(line.substr(5)).value(); i < lines; ++i) {
      std::getline(file, line);
      next.text += (i > 0 ? "\n" : "") + line;
    }
    cases.push_back(std::move(next));
  }
  return cases;
}

TEST(TensorPrint, EveryArrayPrintsAsNumpyPrintsIt) {
  const auto cases = read_cases();
  ASSERT_GT(cases.size(), 700u);
  for (const Case& row : cases) EXPECT_EQ(row.tensor.to_string(), row.text) << row.heading;
}

TEST(TensorPrint, NoRoundingModeChangesTheText) {
  const auto cases = read_cases();
  for (const Case& row : cases) {
    std::fesetround(FE_UPWARD);
    const std::string text = row.tensor.to_string();
    std::fesetround(FE_TONEAREST);
    ASSERT_EQ(text, row.text) << row.heading;
  }
}

TEST(TensorPrint, ViewsPrintTheirElements) {
  const Tensor t = Tensor::arange(12).reshape({3, 4});
  EXPECT_EQ(t.transpose().to_string(), "[[ 0.  4.  8.]\n [ 1.  5.  9.]\n [ 2.  6. 10.]\n [ 3.  7. 11.]]");
  EXPECT_EQ(t.slice(1, 1, 4, 2).to_string(), "[[ 1.  3.]\n [ 5.  7.]\n [ 9. 11.]]");
  EXPECT_EQ(t.select(0, 1).select(0, 2).to_string(), "6.0");
  EXPECT_EQ(t.select(0, 0).broadcast_to({2, 4}).to_string(), "[[0. 1. 2. 3.]\n [0. 1. 2. 3.]]");
}

// NumPy has no bfloat16: it prints as the float32 that it equals.
TEST(TensorPrint, Bfloat16PrintsAsFloat32) {
  const Tensor t = Tensor::of({1, 0.1, -2.5});
  EXPECT_EQ(t.astype(DType::bfloat16).to_string(),
            t.astype(DType::bfloat16).astype(DType::float32).to_string());
  EXPECT_EQ(t.astype(DType::bfloat16).to_string(), "[ 1.          0.10009766 -2.5       ]");
}

TEST(TensorPrint, TheStreamGetsTheSameTextAndAnUndefinedTensorSaysSo) {
  std::ostringstream stream;
  stream << Tensor::of({1, 2}) << Tensor();
  EXPECT_EQ(stream.str(), "[1. 2.]<undefined>");
}

}  // namespace
}  // namespace keratin
