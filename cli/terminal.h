// What the program may assume of the terminal or file that it writes to.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace keratin::cli {

struct Terminal {
  /// A person watches: lines may be drawn over.
  bool interactive = false;
  bool colour = false;
  /// The locale's encoding is UTF-8.
  bool unicode = false;
  int columns = 80;
};

/// Of a stream: interactive only on a terminal, coloured only there and without NO_COLOR.
Terminal describe(std::FILE* stream);

enum class Style { bold, dim, first, second, good, bad };

/// `text` in that style where the terminal has colours, else unchanged.
std::string styled(const Terminal& terminal, Style style, std::string_view text);

/// Columns that `text` (UTF-8, no wide characters) takes.
int display_width(std::string_view text);
/// `text` filled up with spaces to `columns`.
std::string padded(std::string_view text, int columns);
/// `text` in lines of at most `columns`, those after the first indented.
std::string wrapped(std::string_view text, int columns, int indent);

}  // namespace keratin::cli
