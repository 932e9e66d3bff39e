// .npy files: those that NumPy wrote, those that we write, and hostile ones.
#include "keratin/io/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "keratin/io/npz.h"
#include "keratin/io/test_folder.h"

namespace keratin::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
class Npy : public FolderTest {};

std::vector<double> list(const Tensor& tensor) {
  const Tensor wide = tensor.contiguous().astype(DType::float64);
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

// The arrays of testdata/make_fixtures.py.
void check_fixtures(const NamedTensors& arrays) {
  const struct {
    const char* name;
    DType dtype;
  } rows[] = {{"little_f8", DType::float64}, {"little_f4", DType::float32}, {"little_f2", DType::float16},
              {"little_i8", DType::int64},   {"little_i4", DType::int32},   {"u1", DType::uint8},
              {"i1", DType::int32},          {"little_i2", DType::int32},   {"little_u2", DType::int32},
              {"little_u4", DType::int64},   {"big_f8", DType::float64},    {"big_f4", DType::float32},
              {"big_f2", DType::float16},    {"big_i8", DType::int64},      {"big_i4", DType::int32},
              {"big_i2", DType::int32},      {"big_u2", DType::int32},      {"big_u4", DType::int64},
              {"bfloat16", DType::bfloat16}, {"fortran", DType::float32}};
  for (const auto& row : rows) {
    const Tensor& array = arrays[row.name];
    EXPECT_EQ(array.dtype(), row.dtype) << row.name;
    EXPECT_EQ(array.shape(), Shape({2, 3})) << row.name;
    EXPECT_TRUE(array.is_contiguous()) << row.name;
    EXPECT_THAT(list(array), ElementsAre(0, 1, 2, 3, 100, 5)) << row.name;
  }
  EXPECT_EQ(arrays["b1"].dtype(), DType::boolean);
  EXPECT_THAT(list(arrays["b1"]), ElementsAre(0, 1, 0, 1, 0, 1));
  EXPECT_EQ(arrays["scalar"].shape(), Shape({}));
  EXPECT_EQ(arrays["scalar"].item(), 7);
  EXPECT_EQ(arrays["empty"].shape(), Shape({3, 0, 2}));
  EXPECT_EQ(arrays["rank5"].shape(), Shape({2, 2, 2, 2, 2}));
  EXPECT_EQ(arrays["rank5"].at({1, 0, 1, 1, 0}), 22);
  EXPECT_THAT(list(arrays["negative"]), ElementsAre(-1, -128));
  EXPECT_THAT(list(arrays["unsigned"]), ElementsAre(65535, 4294967295.0));
  EXPECT_EQ(arrays.size(), std::size(rows) + 6);
}

TEST_F(Npy, EveryArrayThatNumpyWroteIsRead) {
  check_fixtures(load_npz(kTestData / "stored.npz"));
  check_fixtures(load_npz(kTestData / "deflated.npz"));
  const Tensor small = load_npy(kTestData / "float32.npy");
  EXPECT_EQ(small.shape(), Shape({2, 2}));
  EXPECT_THAT(list(small), ElementsAre(1.5, -2, 0, 0x1p-148));
  EXPECT_THAT(list(load_npy(kTestData / "version2.npy")), ElementsAre(0, 1, 2, 3, 100, 5));
}

// Byte for byte what numpy.save wrote: the header, its padding and the elements.
TEST_F(Npy, WhatWeWriteIsWhatNumpyWrites) {
  save_npy(folder_ / "a.npy", Tensor::of({{1.5, -2}, {0, 0x1p-148}}));
  EXPECT_EQ(text_of(folder_ / "a.npy"), text_of(kTestData / "float32.npy"));
  const ZipReader archive(kTestData / "stored.npz");
  for (const auto& member : archive.members()) {
    const std::string name = member.name.substr(0, member.name.size() - 4);
    const auto bytes = archive.read(archive.find(member.name).value());
    const Tensor array = read_npy(bytes, member.name);
    // Python's bfloat16 says "<V2"; NumPy, which has none, "|V2".
    const bool other_layout = name.starts_with("big_") || name == "fortran" || name == "bfloat16";
    const bool widened = name.ends_with("i1") || name.ends_with("i2") || name.ends_with("u2") ||
                         name.ends_with("u4") || name == "negative" || name == "unsigned";
    if (other_layout || widened) continue;
    save_npy(folder_ / "b.npy", array);
    const std::string written = text_of(folder_ / "b.npy");
    EXPECT_EQ(written, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())) << name;
  }
}

TEST_F(Npy, ViewsAndEveryDTypeComeBackAsTheyWere) {
  const DType all[] = {DType::float64, DType::float32, DType::float16, DType::bfloat16,
                       DType::int32,   DType::int64,   DType::uint8,   DType::boolean};
  for (const DType dtype : all) {
    const Tensor source = Tensor::arange(12, dtype).reshape({3, 4}).transpose().slice(0, 1, 3);
    save_npy(folder_ / "a.npy", source);
    const Tensor back = load_npy(folder_ / "a.npy");
    EXPECT_EQ(back.dtype(), dtype);
    EXPECT_EQ(back.shape(), Shape({2, 3}));
    EXPECT_EQ(list(back), list(source)) << name(dtype);
  }
  EXPECT_THAT(message_of<TypeError>([&] { save_npy(folder_ / "b.npy", Tensor()); }), HasSubstr("undefined"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "b.npy"));
}

TEST_F(Npy, WhatTensorsCannotHoldIsRefusedByName) {
  const auto load = [](const char* name) { return [=] { load_npy(kTestData / name); }; };
  EXPECT_THAT(message_of<IoError>(load("records.npy")),
              testing::AllOf(HasSubstr("records.npy"), HasSubstr("records")));
  EXPECT_THAT(message_of<IoError>(load("complex.npy")),
              testing::AllOf(HasSubstr("'<c8'"), HasSubstr("astype")));
  EXPECT_THAT(message_of<IoError>(load("text.npy")), HasSubstr("'<U3'"));
}

std::vector<std::byte> npy(const std::string& header, const std::string& data = {}, char major = 1) {
  std::string text("\x93NUMPY", 6);
  text += major;
  text += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) text += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  text += header + data;
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

TEST_F(Npy, AnyOrderAndSpacingOfTheHeaderIsRead) {
  const std::string data(8, '\0');
  for (const char* header : {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
                             "{\"shape\":(2,),\"descr\":\"<f4\",\"fortran_order\":False}",
                             "  { 'shape' : ( 2L , ) , 'fortran_order' : True , 'descr' : '=f4' } \n",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 1)}"})
    EXPECT_EQ(read_npy(npy(header, data), "test").size(), 2) << header;
  EXPECT_EQ(read_npy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "1234", 3), "test").rank(),
            0u);
}

TEST_F(Npy, HostileHeadersAreRefusedBeforeMemoryIsTaken) {
  const struct {
    const char *header, *expected;
  } rows[] = {
      {"", "missing"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2", "no tuple"},
      {"{'descr': '<f4', 'fortran_order': False}", "missing"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 'y'}", "unknown or comes twice"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "comes twice"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} + [1]", "after its end"},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "True or False"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", "no tuple"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': [2]}", "\"(\" is missing"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "below 0"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "below 2^63"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904)}",
       "memory"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2)}", "memory"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}", "8 bytes of elements"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}", "9 axes"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "'|O'"},
      {"{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}", "'f4'"},
      {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", "''"},
      {"{'descr': '<f4\\x00', 'fortran_order': False, 'shape': (2,)}", "escape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "needs 12"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "needs 4"},
      {"__import__('os').system('true')", "missing"}};
  for (const auto& row : rows) {
    const std::string message =
        message_of<IoError>([&] { read_npy(npy(row.header, std::string(8, '\0')), "hostile.npy"); });
    EXPECT_THAT(message, testing::AllOf(HasSubstr(row.expected), HasSubstr("hostile.npy"))) << row.header;
  }
  const auto reads = [](const std::vector<std::byte>& bytes) { return [&] { read_npy(bytes, "x"); }; };
  EXPECT_THAT(message_of<IoError>(reads(npy(std::string(100'000, ' '), "", 2))), HasSubstr("100000 bytes"));
  EXPECT_THAT(message_of<IoError>(reads(npy("{}", "", 9))), HasSubstr("format 9.0"));
  EXPECT_THAT(message_of<IoError>(reads({})), HasSubstr("ends after 0 of 8"));
  EXPECT_THAT(message_of<IoError>(reads(std::vector<std::byte>(100))), HasSubstr("does not begin"));
}

TEST_F(Npy, AnyDamageIsAnIoErrorAndNeverACrash) {
  const auto whole = read_file(kTestData / "float32.npy");
  const auto read = [](std::span<const std::byte> bytes) {
    const Tensor tensor = read_npy(bytes, "damaged.npy");
    ASSERT_EQ(tensor.size() * static_cast<std::int64_t>(size_bytes(tensor.dtype())), 16);
  };
  const std::size_t refused = refused_when_damaged(whole, read);
  EXPECT_GE(refused, whole.size()) << "every cut at least";
  EXPECT_LT(refused, whole.size() * 6) << "changed elements are still an array";
}

TEST_F(Npy, BoolsAreZeroOrOneWhateverTheFileHolds) {
  const Tensor bools = read_npy(
      npy("{'descr': '|b1', 'fortran_order': False, 'shape': (4,)}", std::string("\x02\x00\xFF\x01", 4)),
      "x");
  const auto* bytes = static_cast<const unsigned char*>(bools.data());
  EXPECT_THAT(std::vector<int>(bytes, bytes + 4), ElementsAre(1, 0, 1, 1));
}

TEST_F(Npy, ErrorsNameThePathAndWhatIsWrongWithIt) {
  EXPECT_THAT(message_of<IoError>([&] { load_npy(folder_ / "absent.npy"); }),
              testing::AllOf(HasSubstr("absent.npy"), HasSubstr("No such file")));
  EXPECT_THAT(message_of<IoError>([&] { load_npy(folder_); }), HasSubstr("is a folder"));
  EXPECT_THAT(message_of<IoError>([&] { load_npy("/dev/null"); }), HasSubstr("regular file"));
}

TEST_F(Npy, AHundredMegabytesGoThroughUnchanged) {
  const std::int64_t count = 25'000'000;
  const Tensor source = Tensor::arange(count, DType::int32);
  save_npy(folder_ / "large.npy", source);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "large.npy"), 128u + 4 * static_cast<std::uint64_t>(count));
  const Tensor back = load_npy(folder_ / "large.npy");
  EXPECT_EQ(std::memcmp(back.data(), source.data(), 4 * static_cast<std::size_t>(count)), 0);
}

}  // namespace
}  // namespace keratin::io
