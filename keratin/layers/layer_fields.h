// A layer's arguments, listed once: its config is written and read from that list. Internal.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "keratin/layers/layer_reader.h"
#include "keratin/layers/sizes.h"

namespace keratin::inline v0::detail {

// A layer keeps its arguments, the last of them its options, in a struct that lists them in the order of
// Keras's get_config, and calls write_fields in config, read_layer in from_config:
//
//   struct Arguments {
//     std::int64_t units = 0;
//     MyLayerOptions options;
//     template <class Self, class Fields>
//     static void fields(Self& a, Fields& field) {
//       field.required("units", a.units);
//       field("use_bias", a.options.use_bias);
//     }
//   };

using Pair = Paddings::Pair;

class FieldWriter {
 public:
  static constexpr bool kReads = false;
  FieldWriter(Config& config, Generation generation) : config_(config), generation_(generation) {}

  Generation generation() const noexcept { return generation_; }
  template <class T>
  void operator()(const char* key, const T& value) {
    config_[key] = written(value);
  }
  /// A key without which there is no layer.
  template <class T>
  void required(const char* key, const T& value) {
    (*this)(key, value);
  }
  /// A key that one generation alone writes; both are read. The other one writes it too where it `counts`:
  /// its Keras refuses it by name, rather than compute something else.
  template <class T>
  void keras2(const char* key, const T& value, bool counts = false) {
    if (generation_ == Generation::keras2 || counts) (*this)(key, value);
  }
  template <class T>
  void keras3(const char* key, const T& value, bool counts = false) {
    if (generation_ == Generation::keras3 || counts) (*this)(key, value);
  }

 private:
  template <class T>
  Config written(const T& value) const {
    if constexpr (std::is_same_v<T, ActivationFn>) {
      return value.function().serialize(generation_);
    } else if constexpr (requires { value.serialize(generation_); }) {
      return value.serialize(generation_);
    } else {
      return plain(value);
    }
  }
  template <class T>
  static Config plain(const T& value) {
    return value;
  }
  static Config plain(const AxisList& value) { return axes_config(value); }
  static Config plain(const Shape& value) { return shape_config(value); }
  static Config plain(const Sizes& value) { return value.values(); }
  static Config plain(DType value) { return name(value); }
  static Config plain(const std::vector<Pair>& value);
  template <class T>
  static Config plain(const std::optional<T>& value) {
    return value ? plain(*value) : Config(nullptr);
  }

  Config& config_;
  Generation generation_;
};

/// What is absent keeps its value.
class FieldReader {
 public:
  static constexpr bool kReads = true;
  explicit FieldReader(LayerReader& reader) : reader_(reader) {}

  Generation generation() const noexcept { return reader_.generation(); }
  template <class T>
  void operator()(const char* key, T& value) {
    if (reader_.find(key) != nullptr) read(key, value);
  }
  template <class T>
  void required(const char* key, T& value) {
    const Config* given = reader_.find(key);
    if (given == nullptr) reader_.refuse(key, "given", nullptr);
    read(key, value);
  }
  template <class T>
  void keras2(const char* key, T& value, bool = false) {
    (*this)(key, value);
  }
  template <class T>
  void keras3(const char* key, T& value, bool = false) {
    (*this)(key, value);
  }

 private:
  void read(const char* key, bool& value) { value = reader_.boolean(key, value); }
  void read(const char* key, std::int64_t& value) { value = reader_.integer(key, value); }
  void read(const char* key, double& value) { value = reader_.number(key, value); }
  void read(const char* key, std::string& value) { value = reader_.text(key, value); }
  void read(const char* key, ActivationFn& value) { value = reader_.activation(key); }
  void read(const char* key, Initializer& value) { value = reader_.initializer(key, value); }
  void read(const char* key, Regularizer& value) { value = reader_.regularizer(key); }
  void read(const char* key, Constraint& value) { value = reader_.constraint(key); }
  void read(const char* key, Shape& value) { value = *reader_.optional_shape(key); }
  void read(const char* key, AxisList& value) { value = *reader_.optional_axes(key); }
  void read(const char* key, Sizes& value) { value = reader_.optional_axes(key)->values(); }
  void read(const char* key, std::vector<Pair>& value);
  void read(const char* key, std::vector<double>& value);
  void read(const char* key, DType& value) { value = reader_.dtype_name(key); }
  void read(const char* key, Config& value) { value = *reader_.find(key); }
  template <class T>
  void read(const char* key, std::optional<T>& value) {
    T inner{};
    read(key, inner);
    value = std::move(inner);
  }
  void read(const char* key, std::optional<AxisList>& value) { value = reader_.optional_axes(key); }

  LayerReader& reader_;
};

template <class Arguments>
Config write_fields(const Arguments& arguments, Generation generation) {
  Config config = Config::object();
  FieldWriter writer(config, generation);
  Arguments::fields(arguments, writer);
  return config;
}

/// The layer that `make` gives for the arguments in a config.
template <class Arguments, class Make>
auto read_layer(std::string_view class_name, const Config& config, Generation generation, Make make) {
  LayerReader reader(class_name, config, generation);
  Arguments arguments{};
  FieldReader fields_of_config(reader);
  Arguments::fields(arguments, fields_of_config);
  reader.read_common(arguments.options);
  return reader.finish(make(std::move(arguments)));
}

}  // namespace keratin::inline v0::detail
