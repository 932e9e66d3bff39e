// What training and evaluation report: numbers by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/core/small_blocks.h"

namespace keratin::inline v0 {

/// The loss and the metrics of an epoch, a batch or an evaluation, by name, in order.
class KERATIN_API Metrics {
 public:
  using Entry = std::pair<std::string, double>;

  /// ValueError proposes the nearest name.
  double operator[](std::string_view name) const;
  double loss() const { return (*this)["loss"]; }
  bool contains(std::string_view name) const noexcept;
  std::size_t size() const noexcept { return entries_.size(); }
  const Entry* begin() const noexcept { return entries_.data(); }
  const Entry* end() const noexcept { return entries_.data() + entries_.size(); }
  /// Adds, or replaces.
  void set(std::string_view name, double value);
  /// By name, as Keras 3 lists them.
  void sort();
  /// "accuracy: 0.9312 - loss: 0.2181"
  std::string to_string() const;

 private:
  std::vector<Entry, detail::SmallBlocks<Entry>> entries_;
};

/// What fit returns: each number epoch by epoch, under Keras's keys ("loss", "accuracy", "val_loss", …) in
/// Keras's order. Keras: keras.callbacks.History.
class KERATIN_API History {
 public:
  /// The numbers of the epochs run, from 0.
  std::vector<std::int64_t> epoch;

  /// One value an epoch (of validation: one for each epoch that validated). ValueError proposes the nearest
  /// key.
  const std::vector<double>& operator[](std::string_view key) const;
  bool contains(std::string_view key) const noexcept;
  std::vector<std::string> keys() const;
  void append(std::int64_t epoch_number, const Metrics& logs);

 private:
  std::vector<std::pair<std::string, std::vector<double>>> values_;
};

}  // namespace keratin::inline v0
