// The worst inputs that sweeps have found, as committed text: every test run looks at them again.
#pragma once

#include <string>
#include <vector>

#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {

/// A line of the file: function, parameters, direction, dtype and input, separated by tabs.
struct Worst {
  std::string function, parameters;
  Direction direction;
  Type type;
  double input;
};

/// Lines that start with # say what the file is. std::runtime_error for a file that cannot be read, or a line
/// that says nothing.
std::vector<Worst> read_worst(const std::string& path);

/// Appends the row's worst input, unless it is there or the row is rounded correctly everywhere.
void append_worst(const std::string& path, const Row& row);

}  // namespace keratin::accuracy
