// Reading the configurations that both Keras write: each value checked, each unknown key named. Internal.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/config.h"
#include "keratin/core/dtype.h"
#include "keratin/core/shape.h"
#include "keratin/layers/axes.h"
#include "keratin/layers/dtype_policy.h"

namespace keratin::inline v0::detail {

/// {"module", "class_name", "config", "registered_name"}: how Keras writes an object.
Config keras_object(std::string_view module, std::string_view class_name, Config config);
/// null for an unknown size, as Keras writes shapes.
Config shape_config(const Shape& shape);
/// A number, or a list of them.
Config axes_config(const AxisList& axes);
/// "float32" in Keras 2, a DTypePolicy object in Keras 3.
Config dtype_config(const DTypePolicy& policy, Generation generation);
/// Compact JSON of a value for a message, cut after 60 bytes. Never throws for text that is not UTF-8.
std::string excerpt(const Config& value);
/// `value` as one of T, or nothing: numbers that are exact in T, no conversions from text.
std::optional<double> number_in(const Config& value);
std::optional<std::int64_t> integer_in(const Config& value);

/// An object as Keras writes it, taken apart: a bare name has no config.
struct ObjectConfig {
  std::string class_name;
  Config config;  ///< an object, perhaps empty
};
/// ValueError, naming `what` ("initializer"), unless `identifier` is a name or has class_name and config.
ObjectConfig object_config(const Config& identifier, std::string_view what);

/// One class's config. Every accessor throws ValueError, naming class and key, for a value of another kind;
/// null and absent are the same: `otherwise`.
class ConfigReader {
 public:
  /// ValueError unless `config` is an object. Both must outlive the reader.
  ConfigReader(std::string class_name, const Config& config, Generation generation);
  virtual ~ConfigReader() = default;
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  const std::string& class_name() const noexcept { return class_name_; }
  Generation generation() const noexcept { return generation_; }

  /// The value of a key, or null where it is absent or null; the key counts as read.
  const Config* find(std::string_view key);
  double number(std::string_view key, double otherwise);
  std::optional<double> optional_number(std::string_view key);
  std::int64_t integer(std::string_view key, std::optional<std::int64_t> otherwise = {});
  std::optional<std::int64_t> optional_integer(std::string_view key);
  bool boolean(std::string_view key, bool otherwise);
  std::string text(std::string_view key, std::string_view otherwise);
  std::optional<Shape> optional_shape(std::string_view key);
  std::optional<AxisList> optional_axes(std::string_view key);
  /// A name or a DTypePolicy; ValueError for one that layers do not compute in.
  DTypePolicy dtype(std::string_view key);
  /// The dtype of a name; ValueError where the key is absent, too.
  DType dtype_name(std::string_view key);

  /// Keys that change nothing here.
  void ignore(std::initializer_list<std::string_view> keys);
  /// ValueError for the first key not read or ignored whose value is not null.
  void finish() const;

  /// ValueError: `key` of this class should hold `expected`.
  [[noreturn]] void refuse(std::string_view key, std::string_view expected, const Config& value) const;

 private:
  std::string class_name_;
  const Config& config_;
  Generation generation_;
  std::vector<std::string_view> read_;
};

}  // namespace keratin::inline v0::detail
