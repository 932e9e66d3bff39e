#include "keratin/activations/fitted/fitted_config.h"

#include <cmath>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "keratin/core/error.h"

namespace keratin::inline v0::detail {
namespace {

Config column_config(const FittedTable::Column& column, std::size_t rows) {
  Config numbers = Config::array();
  for (std::size_t row = 0; row < rows; ++row) numbers.push_back(column[row]);
  return numbers;
}

[[noreturn]] void refuse(std::string_view key, std::string_view expected) {
  throw ValueError("expression", fmt::format("{} of a table is {}", key, expected), "it is not",
                   "The file is damaged. Without its tables it can be read.");
}

const Config& member(const Config& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end()) refuse(key, "there");
  return *found;
}

float number(const Config& value, std::string_view key) {
  if (!value.is_number() || !std::isfinite(value.get<float>())) refuse(key, "a number");
  return value.get<float>();
}

std::size_t size(const Config& config, const char* key, std::size_t low, std::size_t high) {
  const Config& value = member(config, key);
  if (!value.is_number_unsigned() || value.get<std::size_t>() < low || value.get<std::size_t>() > high)
    refuse(key, fmt::format("a whole number from {} to {}", low, high));
  return value.get<std::size_t>();
}

void read_column(const Config& numbers, std::string_view key, std::size_t rows, FittedTable::Column* column) {
  if (!numbers.is_array() || numbers.size() != rows) refuse(key, fmt::format("a list of {} numbers", rows));
  for (std::size_t row = 0; row < rows; ++row) (*column)[row] = number(numbers[row], key);
}

}  // namespace

Config table_config(const FittedTable& table) {
  Config config = Config::object();
  config["rows"] = table.rows;
  config["degree"] = table.degree;
  config["reach"] = table.reach;
  config["scale"] = table.scale;
  config["square"] = table.square;
  config["slope"] = table.adds_slope ? Config(table.slope) : Config(nullptr);
  config["centre"] = column_config(table.centre, table.rows);
  config["base"] = column_config(table.base, table.rows);
  config["q"] = Config::array();
  for (std::size_t k = 0; k < table.degree; ++k) config["q"].push_back(column_config(table.q[k], table.rows));
  return config;
}

FittedTable table_from_config(const Config& config) {
  if (!config.is_object()) refuse("the form", "an object");
  FittedTable table;
  table.rows = size(config, "rows", 16, 32);
  if (table.rows != 16 && table.rows != 32) refuse("rows", "16 or 32");
  table.degree = size(config, "degree", FittedTable::kMinDegree, FittedTable::kMaxDegree);
  table.reach = number(member(config, "reach"), "reach");
  if (!(table.reach > 0)) refuse("reach", "above 0");
  table.scale = number(member(config, "scale"), "scale");
  if (!(table.scale > 0)) refuse("scale", "above 0");
  table.square = number(member(config, "square"), "square");
  const Config& slope = member(config, "slope");
  table.adds_slope = !slope.is_null();
  if (table.adds_slope) table.slope = number(slope, "slope");
  read_column(member(config, "centre"), "centre", table.rows, &table.centre);
  read_column(member(config, "base"), "base", table.rows, &table.base);
  const Config& q = member(config, "q");
  if (!q.is_array() || q.size() != table.degree) refuse("q", fmt::format("{} lists", table.degree));
  for (std::size_t k = 0; k < table.degree; ++k) read_column(q[k], "q", table.rows, &table.q[k]);
  table.set_near();
  return table;
}

}  // namespace keratin::inline v0::detail
