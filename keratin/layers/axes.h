// One axis or several, as Keras's `axis` and `shared_axes` take them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace keratin::inline v0 {

/// `-1`, `{1, 2}`; negative axes count from the last. Remembers whether it was given as a single number,
/// which is how it is saved.
class AxisList {
 public:
  AxisList(std::int64_t axis) : values_{axis}, is_single_(true) {}
  AxisList(int axis) : AxisList(std::int64_t{axis}) {}
  AxisList(std::initializer_list<std::int64_t> axes) : values_(axes) {}
  AxisList(std::vector<std::int64_t> axes) : values_(std::move(axes)) {}

  const std::vector<std::int64_t>& values() const noexcept { return values_; }
  bool is_single() const noexcept { return is_single_; }

  friend bool operator==(const AxisList&, const AxisList&) = default;

 private:
  std::vector<std::int64_t> values_;
  bool is_single_ = false;
};

}  // namespace keratin::inline v0
