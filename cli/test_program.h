// Runs the built program in a test, as a shell would: arguments, environment, what it writes, how it ends.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace keratin::cli {

/// A folder of its own for each test, gone at its end.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keratin-cli-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return file(name);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct ProgramResult {
  int code = -1;  ///< of the shell: 128 + signal where one ended it
  std::string out = {}, err = {};
  double cpu_seconds = 0;
};

using Environment = std::vector<std::string>;

namespace detail {

[[noreturn]] inline void execute(const std::vector<std::string>& arguments, const Environment& environment) {
  std::vector<std::string> words = {KERATIN_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv, envp;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Environment all = environment;
  // Sanitizers' settings and the like pass through, what the program itself looks at does not.
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool own = false;
    for (const char* name : {"LANG=", "LC_ALL=", "LC_CTYPE=", "NO_COLOR=", "TERM="})
      own |= text.starts_with(name);
    if (!own) all.push_back(text);
  }
  for (std::string& entry : all) envp.push_back(entry.data());
  envp.push_back(nullptr);
  execve(argv[0], argv.data(), envp.data());
  _exit(127);
}

inline void wait_for(pid_t child, ProgramResult& result) {
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  result.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace detail

/// Output into files, as in a pipe or a log; `folder` is the working directory.
inline ProgramResult run_program(const TestFolder& folder, const std::vector<std::string>& arguments,
                                 const Environment& environment = {"LC_ALL=C.UTF-8"},
                                 const std::string& out_path = {}) {
  const std::string out = out_path.empty() ? folder.file("stdout") : out_path, err = folder.file("stderr");
  const pid_t child = fork();
  if (child == 0) {
    const int out_file = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err_file = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (chdir(folder.path().c_str()) != 0 || out_file < 0 || err_file < 0) _exit(126);
    dup2(out_file, STDOUT_FILENO);
    dup2(err_file, STDERR_FILENO);
    detail::execute(arguments, environment);
  }
  ProgramResult result;
  detail::wait_for(child, result);
  if (out_path.empty()) result.out = read_file(out);
  result.err = read_file(err);
  return result;
}

/// On a terminal of 100 columns.
inline ProgramResult run_on_terminal(const TestFolder& folder, const std::vector<std::string>& arguments,
                                     const Environment& environment) {
  winsize size{.ws_row = 40, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    if (chdir(folder.path().c_str()) != 0) _exit(126);
    detail::execute(arguments, environment);
  }
  ProgramResult result;
  std::array<char, 4096> buffer{};
  // Reading fails with EIO when the other side has closed.
  for (ssize_t count = 0;
       (count = read(terminal, buffer.data(), buffer.size())) > 0 || (count < 0 && errno == EINTR);) {
    if (count > 0) result.out.append(buffer.data(), static_cast<std::size_t>(count));
  }
  detail::wait_for(child, result);
  close(terminal);
  return result;
}

}  // namespace keratin::cli
