// Plots made of characters: braille dots, or ASCII where the terminal has nothing else.
#pragma once

#include <string>
#include <vector>

#include "cli/curve.h"
#include "cli/terminal.h"

namespace keratin::cli {

struct TextCurve {
  RealFunction f;
  std::string label;
  Style style = Style::first;
  /// Told from a solid one without colours.
  bool dotted = false;
};

struct TextPlotOptions {
  Range x = {-5, 5};
  /// Of the whole plot, axis labels included.
  int columns = 72;
  int rows = 18;
  bool unicode = true;
};

/// The curves over x on one plane, with labelled axes and a legend; many lines, each ended by '\n'.
std::string text_plot(const std::vector<TextCurve>& curves, const TextPlotOptions& options,
                      const Terminal& terminal);

}  // namespace keratin::cli
