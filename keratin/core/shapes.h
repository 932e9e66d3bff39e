// Several shapes: those of a layer's inputs, outputs or states.
#pragma once

#include <vector>

#include "keratin/core/shape.h"
#include "keratin/core/small_blocks.h"

namespace keratin::inline v0 {

/// Shapes in a row. A std::vector whose memory is kept for the next one, so that a step of training asks for
/// none; it goes to and from other vectors by itself.
class Shapes : public std::vector<Shape, detail::SmallBlocks<Shape>> {
 public:
  using vector::vector;
  Shapes() = default;
  Shapes(const std::vector<Shape>& others) : vector(others.begin(), others.end()) {}
  operator std::vector<Shape>() const { return {begin(), end()}; }
};

}  // namespace keratin::inline v0
