// .npz files and zip archives: round trips, and archives made to harm.
#include "keratin/io/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "keratin/io/npy.h"
#include "keratin/io/test_folder.h"

namespace keratin::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
class Npz : public FolderTest {};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST_F(Npz, TensorsComeBackByNameAndInOrder) {
  for (const bool compress : {false, true}) {
    const NamedTensors tensors = {{"x", Tensor::of({{1, 2}, {3, 4}})},
                                  {"a b/ä", Tensor::arange(5, DType::int64)},
                                  {"", Tensor::scalar(7)}};
    save_npz(folder_ / "a.npz", tensors, {.compress = compress});
    const NamedTensors back = load_npz(folder_ / "a.npz");
    std::vector<std::string> names;
    for (const auto& [name, tensor] : back) names.push_back(name);
    EXPECT_THAT(names, testing::ElementsAre("x", "a b/ä", ""));
    EXPECT_EQ(back["x"].to_string(), "[[1. 2.]\n [3. 4.]]");
    EXPECT_EQ(back["a b/ä"].to_string(), "[0 1 2 3 4]");
    const std::string first = text_of(folder_ / "a.npz");
    save_npz(folder_ / "a.npz", tensors, {.compress = compress});
    EXPECT_EQ(text_of(folder_ / "a.npz"), first) << "the same tensors give the same bytes";
  }
}

TEST_F(Npz, CompressionMakesZerosSmall) {
  save_npz(folder_ / "a.npz", {{"x", Tensor::zeros({1000, 1000})}}, {.compress = true});
  EXPECT_LT(std::filesystem::file_size(folder_ / "a.npz"), 10'000u);
  EXPECT_EQ(load_npz(folder_ / "a.npz")["x"].size(), 1'000'000);
}

TEST_F(Npz, NamesAreCheckedAndProposed) {
  NamedTensors tensors = {{"kernel", Tensor::of({1})}, {"bias", Tensor::of({2})}};
  EXPECT_TRUE(tensors.contains("bias"));
  EXPECT_FALSE(tensors.contains("b"));
  EXPECT_THAT(message_of<ValueError>([&] { static_cast<void>(tensors["kernal"]); }),
              AllOf(HasSubstr("expects one of kernel, bias"), HasSubstr("Did you mean \"kernel\"?")));
  EXPECT_THAT(message_of<ValueError>([&] { tensors.add("bias", Tensor()); }), HasSubstr("\"bias\" again"));
  EXPECT_THAT(message_of<TypeError>([&] {
                save_npz(folder_ / "a.npz", {{"x", Tensor()}});
              }),
              HasSubstr("\"x\""));
  EXPECT_THAT(message_of<ValueError>([&] { save_npz(folder_ / "a.npz", {}); }), HasSubstr("at least one"));
}

TEST_F(Npz, AnyDamageIsAnIoErrorAndNeverACrash) {
  for (const bool compress : {false, true}) {
    save_npz(folder_ / "a.npz", {{"x", Tensor::of({1, 2, 3})}, {"y", Tensor::full({40}, 1, DType::uint8)}},
             {.compress = compress});
    const auto whole = read_file(folder_ / "a.npz");
    const std::size_t refused = refused_when_damaged(
        whole, [](std::span<const std::byte> bytes) { static_cast<void>(read_npz(bytes, "damaged.npz")); });
    EXPECT_GE(refused, whole.size() * 3) << "a checksum covers the members";
  }
}

// A zip archive written field by field, so that its fields can lie.
class Forged {
 public:
  struct Member {
    std::string name, data;
    std::uint32_t crc = 0, compressed = 0, size = 0;
    std::uint16_t method = 0, flags = 0;
    std::uint32_t offset = 0;
  };

  void add(Member member) {
    member.offset = static_cast<std::uint32_t>(body_.size());
    body_ += "PK\3\4" + number(20, 2) + common(member) + number(member.name.size(), 2) + number(0, 2) +
             member.name + member.data;
    members_.push_back(std::move(member));
  }
  void add_central_only(const Member& member) { members_.push_back(member); }
  Member& operator[](std::size_t i) { return members_[i]; }

  std::string archive(std::uint64_t count_says = 0) const {
    std::string central;
    for (const Member& member : members_)
      central += "PK\1\2" + number(20, 2) + number(20, 2) + common(member) + number(member.name.size(), 2) +
                 number(0, 2) + number(0, 2) + number(0, 2) + number(0, 2) + number(0, 4) +
                 number(member.offset, 4) + member.name;
    const std::uint64_t count = count_says != 0 ? count_says : members_.size();
    return body_ + central + "PK\5\6" + number(0, 2) + number(0, 2) + number(count, 2) + number(count, 2) +
           number(central.size(), 4) + number(body_.size(), 4) + number(0, 2);
  }

 private:
  static std::string number(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xFF);
    return text;
  }
  static std::string common(const Member& m) {
    return number(m.flags, 2) + number(m.method, 2) + number(0, 2) + number(33, 2) + number(m.crc, 4) +
           number(m.compressed, 4) + number(m.size, 4);
  }
  std::string body_;
  std::vector<Member> members_;
};

Forged::Member stored(const std::string& name, const std::string& data, std::uint32_t crc) {
  const auto size = static_cast<std::uint32_t>(data.size());
  return {.name = name, .data = data, .crc = crc, .compressed = size, .size = size};
}

// The checksum of "123456789" is the published check value of CRC-32.
Forged::Member digits(const std::string& name) { return stored(name, "123456789", 0xCBF43926); }

std::string refusal(const Forged& forged, const ZipLimits& limits = {}, std::uint64_t count_says = 0) {
  const std::string text = forged.archive(count_says);
  return message_of<IoError>([&] {
    const ZipReader archive(bytes_of(text), "forged.zip", limits);
    for (std::size_t i = 0; i < archive.members().size(); ++i) static_cast<void>(archive.read(i));
  });
}

TEST_F(Npz, TheForgeWritesAnArchiveThatIsRead) {
  Forged forged;
  forged.add(digits("a"));
  forged.add(digits("b"));
  EXPECT_EQ(refusal(forged), "accepted");
  const std::string text = forged.archive();
  const ZipReader archive(bytes_of(text), "forged.zip");
  const auto bytes = archive.read(archive.find("b").value());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "123456789");
  EXPECT_FALSE(archive.find("c").has_value());
}

TEST_F(Npz, ArchivesThatLieAreRefused) {
  Forged wrong_checksum;
  wrong_checksum.add(stored("a", "123456789", 1));
  EXPECT_THAT(refusal(wrong_checksum), HasSubstr("forged.zip: a"));

  Forged two_of_a_name;
  two_of_a_name.add(digits("a"));
  two_of_a_name.add(digits("a"));
  EXPECT_THAT(refusal(two_of_a_name), HasSubstr("two named \"a\""));

  Forged encrypted;
  encrypted.add(digits("a"));
  encrypted[0].flags = 1;
  EXPECT_THAT(refusal(encrypted), HasSubstr("not encrypted"));

  Forged method;
  method.add(digits("a"));
  method[0].method = 12;
  EXPECT_THAT(refusal(method), HasSubstr("packed by method 12"));

  Forged larger;
  larger.add(digits("a"));
  larger[0].size = larger[0].compressed = 4'000'000'000;
  EXPECT_THAT(refusal(larger), HasSubstr("larger than the archive"));

  Forged longer_than_packed;
  longer_than_packed.add(digits("a"));
  longer_than_packed[0].size = 10;
  EXPECT_THAT(refusal(longer_than_packed), HasSubstr("9 bytes cannot unpack to 10"));

  Forged beyond_deflate;
  beyond_deflate.add(digits("a"));
  beyond_deflate[0].method = 8;
  beyond_deflate[0].size = 3'000'000'000;
  EXPECT_THAT(refusal(beyond_deflate), HasSubstr("9 bytes cannot unpack to 3000000000"));

  Forged count;
  count.add(digits("a"));
  EXPECT_NE(refusal(count, {}, 60'000), "accepted");

  Forged overlapping;
  overlapping.add(stored("a", std::string(1000, 'x'), 0));
  for (const char* name : {"b", "c", "d"}) {
    auto copy = overlapping[0];
    copy.name = name;
    overlapping.add_central_only(copy);
  }
  EXPECT_THAT(refusal(overlapping), HasSubstr("overlap"));
}

TEST_F(Npz, LimitsBoundWhatAnArchiveMayAskFor) {
  save_npz(folder_ / "bomb.npz", {{"x", Tensor::zeros({5'000'000})}}, {.compress = true});
  EXPECT_LT(std::filesystem::file_size(folder_ / "bomb.npz"), 30'000u);
  EXPECT_THAT(message_of<IoError>([&] { load_npz(folder_ / "bomb.npz", {.most_bytes = 1'000'000}); }),
              AllOf(HasSubstr("bomb.npz"), HasSubstr("at most 1000000 bytes when unpacked")));
  EXPECT_EQ(load_npz(folder_ / "bomb.npz", {.most_bytes = 20'000'128})["x"].size(), 5'000'000);
  Forged many;
  for (int i = 0; i < 20; ++i) many.add(digits("member " + std::to_string(i)));
  EXPECT_THAT(refusal(many, {.most_members = 19}), HasSubstr("at most 19 members"));
}

TEST_F(Npz, MembersThatAreNoArraysAreNamed) {
  Forged forged;
  forged.add(digits("notes.txt"));
  const std::string text = forged.archive();
  EXPECT_THAT(message_of<IoError>([&] { read_npz(bytes_of(text), "x.npz"); }),
              HasSubstr("holds \"notes.txt\""));
  Forged broken;
  broken.add(digits("x.npy"));
  const std::string other = broken.archive();
  EXPECT_THAT(message_of<IoError>([&] { read_npz(bytes_of(other), "x.npz"); }),
              AllOf(HasSubstr("x.npz: x.npy"), HasSubstr("does not begin")));
}

TEST_F(Npz, WhatIsNoArchiveIsRefusedByName) {
  const auto path = put("a.npz", "this is no archive, only a sentence that is long enough");
  EXPECT_THAT(message_of<IoError>([&] { load_npz(path); }), HasSubstr("a.npz"));
  EXPECT_THAT(message_of<IoError>([&] { load_npz(put("empty.npz", "")); }), HasSubstr("empty.npz"));
  EXPECT_THAT(message_of<IoError>([&] { load_npz(folder_ / "absent.npz"); }), HasSubstr("No such file"));
}

TEST_F(Npz, AWriterRefusesASecondMemberOfANameAndASecondFinish) {
  const std::string content = "x";  // stays until finish
  ZipWriter writer;
  writer.add("a", {bytes_of(content)}, false);
  EXPECT_THAT(message_of<ValueError>([&] { writer.add("a", {}, false); }), HasSubstr("second \"a\""));
  EXPECT_GT(writer.finish().size(), 22u);
  EXPECT_THAT(message_of<StateError>([&] { writer.finish(); }), HasSubstr("finished"));
  EXPECT_THAT(message_of<StateError>([&] { writer.add("b", {}, false); }), HasSubstr("finished"));
}

}  // namespace
}  // namespace keratin::io
