// The commands of `keratin`: their options, and what runs them. Each returns an exit code (exit_codes.h) or
// throws one of the library's errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keratin::cli {

struct ActivationsOptions {
  /// A function, or a formula of x. Empty: all functions, as a list.
  std::string name = {};
  bool markdown = false;
  bool json = false;
  /// Formula and derivative for LaTeX, nothing else.
  bool latex = false;
  /// No character beyond ASCII, whatever the locale.
  bool ascii = false;
};
int run_activations(const ActivationsOptions& options);

struct DemoOptions {
  /// A table of one's own; empty for the digits.
  std::string data = {};
  /// Its column to predict; empty for the last.
  std::string target = {};
  std::string output = "keratin-report.html";
  std::optional<int> epochs = {};
  std::uint64_t seed = 1;
  std::optional<int> threads = {};
  /// Empty: all of them.
  std::vector<std::string> activations = {};
  bool quick = false;
  /// Leave out rows that cannot be read, in place of an error.
  bool skip_bad_rows = false;
  /// The arguments as they were given, for the report.
  std::string command = {};
};
int run_demo(const DemoOptions& options);

struct ApplyOptions {
  /// A formula of x, the name of a function, or an .onnx file that holds one.
  std::string formula = {};
  /// .npy files, which may be the same.
  std::string input = {}, output = {};
  /// The derivative in place of the function.
  bool gradient = false;
};
int run_apply(const ApplyOptions& options);

struct InfoOptions {
  bool json = false;
};
int run_info(const InfoOptions& options);

}  // namespace keratin::cli
