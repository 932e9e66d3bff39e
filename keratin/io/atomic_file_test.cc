// Files written whole or not at all.
#include "keratin/io/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "keratin/io/test_folder.h"

namespace keratin::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
class AtomicFiles : public FolderTest {};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status = {};
  ::stat(path.c_str(), &status);
  return status.st_mode & 07777;
}

TEST_F(AtomicFiles, TheOldContentStaysUntilTheCommit) {
  const auto path = put("a.txt", "old");
  {
    AtomicFile file(path);
    file.write("new");
    EXPECT_EQ(text_of(path), "old");
    file.write(" content");
    file.commit();
  }
  EXPECT_EQ(text_of(path), "new content");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(AtomicFiles, WithoutACommitNothingHasHappened) {
  const auto path = put("a.txt", "old");
  { AtomicFile(path).write("new"); }
  { AtomicFile(folder_ / "b.txt").write("new"); }
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(AtomicFiles, PermissionsAreThoseOfTheOldFileOrTheMaskOfTheProcess) {
  const auto path = put("a.txt", "old");
  ::chmod(path.c_str(), 0640);
  {
    AtomicFile file(path);
    file.commit();
  }
  EXPECT_EQ(mode_of(path), 0640u);
  const mode_t before = ::umask(027);
  {
    AtomicFile file(folder_ / "b.txt");
    file.commit();
  }
  ::umask(before);
  EXPECT_EQ(mode_of(folder_ / "b.txt"), 0640u);
}

TEST_F(AtomicFiles, ASymbolicLinkStaysAndItsTargetChanges) {
  std::filesystem::create_directory(folder_ / "deep");
  std::ofstream(folder_ / "deep" / "target.txt") << "old";
  std::filesystem::create_symlink("deep/target.txt", folder_ / "link.txt");
  AtomicFile file(folder_ / "link.txt");
  file.write("new");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link.txt"));
  EXPECT_EQ(text_of(folder_ / "deep" / "target.txt"), "new");
}

TEST_F(AtomicFiles, WhatTheSystemRefusesIsNamed) {
  EXPECT_THAT(message_of<IoError>([&] { AtomicFile file(folder_ / "absent" / "a.txt"); }),
              AllOf(HasSubstr("absent/a.txt"), HasSubstr("No such file"), HasSubstr("not created")));
  EXPECT_THAT(message_of<IoError>([&] { AtomicFile file(folder_); }), HasSubstr("folder"));
  EXPECT_THAT(message_of<IoError>([&] { AtomicFile file(""); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of<IoError>([&] { AtomicFile file(put("a.txt", "") / "b"); }),
              HasSubstr("Not a directory"));
  if (::geteuid() != 0) {  // to whom every file is open
    const auto path = put("locked.txt", "old");
    ::chmod(path.c_str(), 0444);
    EXPECT_THAT(message_of<IoError>([&] { AtomicFile file(path); }), HasSubstr("Permission denied"));
  }
}

TEST_F(AtomicFiles, AFullDiskIsNamedAndLosesNothing) {
  EXPECT_THAT(message_of<IoError>([] {
                AtomicFile file("/dev/full");
                file.write("x");
                file.commit();
              }),
              AllOf(HasSubstr("/dev/full"), HasSubstr("No space left"), HasSubstr("Make room")));
  // The same with a limit on the size of files, which stops the writing half way.
  const auto path = put("a.txt", "old");
  struct rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit small = {1000, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = message_of<IoError>([&] {
    AtomicFile file(path);
    file.write(std::string(5000, 'x'));
    file.commit();
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, AllOf(HasSubstr("a.txt"), HasSubstr("too large")));
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(AtomicFiles, ADeviceIsWrittenToAndStaysADevice) {
  AtomicFile file("/dev/null");
  file.write("x");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(AtomicFiles, NothingCanBeWrittenAfterTheCommit) {
  AtomicFile file(folder_ / "a.txt");
  file.write("x");
  file.commit();
  EXPECT_NE(message_of<IoError>([&] { file.write("y"); }), "accepted");
  EXPECT_NE(message_of<IoError>([&] { file.commit(); }), "accepted");
  EXPECT_EQ(text_of(folder_ / "a.txt"), "x");
}

}  // namespace
}  // namespace keratin::io
