// A number for each spatial axis, or one for all: kernel sizes, strides, dilations, paddings. Internal types
// of public options.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// `3`, `{3, 5}`: one number for all axes, or one each.
class KERATIN_API Sizes {
 public:
  Sizes(std::int64_t size) : values_{size} {}
  Sizes(int size) : Sizes(std::int64_t{size}) {}
  Sizes(std::initializer_list<std::int64_t> sizes) : values_(sizes) {}
  Sizes(std::vector<std::int64_t> sizes) : values_(std::move(sizes)) {}

  const std::vector<std::int64_t>& values() const noexcept { return values_; }
  std::int64_t operator[](std::size_t axis) const noexcept { return values_[axis]; }
  std::size_t count() const noexcept { return values_.size(); }
  /// One an axis. ValueError, naming class and argument, for another number of them or one below `least`.
  Sizes expanded(std::size_t axes, std::string_view class_name, std::string_view argument,
                 std::int64_t least = 1) const;

  friend bool operator==(const Sizes&, const Sizes&) = default;

 private:
  std::vector<std::int64_t> values_;
};

/// What is put or cut before and after each spatial axis: `1` on all sides, `{1, 2}` on both sides of the
/// first axis and of the second (before and after, where there is one axis), `{{1, 0}, {2, 1}}`.
class KERATIN_API Paddings {
 public:
  using Pair = std::pair<std::int64_t, std::int64_t>;
  Paddings(std::int64_t size) : sizes_{size} {}
  Paddings(int size) : Paddings(std::int64_t{size}) {}
  Paddings(std::initializer_list<std::int64_t> sizes) : sizes_(sizes) {}
  Paddings(std::initializer_list<Pair> pairs) : pairs_(pairs) {}
  Paddings(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {}

  /// One pair an axis. ValueError as Sizes.
  std::vector<Pair> expanded(std::size_t axes, std::string_view class_name, std::string_view argument) const;

 private:
  std::vector<std::int64_t> sizes_;
  std::vector<Pair> pairs_;
};

}  // namespace keratin::inline v0
