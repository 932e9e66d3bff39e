#include "tools/accuracy/worst.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include "keratin/core/text.h"
#include "tools/accuracy/rows.h"

namespace keratin::accuracy {
namespace {

std::string line_of(const Row& row) {
  return row.function + "\t" + row.parameters + "\t" + name(row.direction) + "\t" + name(row.type) + "\t" +
         to_text(row.worst_input);
}

Worst parse(const std::string& line, const std::string& path) {
  std::array<std::string, 5> fields;
  std::size_t from = 0;
  for (std::string& field : fields) {
    const std::size_t tab = std::min(line.find('\t', from), line.size());
    field = line.substr(std::min(from, line.size()), tab - std::min(from, line.size()));
    from = tab + 1;
  }
  const auto input = parse_double(fields[4]);
  Worst worst{fields[0], fields[1], Direction::value, Type::f32, input.value_or(0)};
  bool known = input.has_value();
  if (fields[2] == name(Direction::gradient)) worst.direction = Direction::gradient;
  known = known && fields[2] == name(worst.direction);
  for (const Type type : {Type::f32, Type::f64, Type::f16, Type::bf16}) {
    if (fields[3] == name(type)) worst.type = type;
  }
  if (!known || fields[3] != name(worst.type)) {
    throw std::runtime_error(path +
                             ": expects function, parameters, direction, dtype and input with tabs between, "
                             "found \"" +
                             line + "\"");
  }
  return worst;
}

}  // namespace

std::vector<Worst> read_worst(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<Worst> result;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') result.push_back(parse(line, path));
  }
  return result;
}

void append_worst(const std::string& path, const Row& row) {
  if (row.max_ulp <= 0.5) return;
  const std::string line = line_of(row);
  std::ifstream old(path);
  for (std::string known; std::getline(old, known);) {
    if (known == line) return;
  }
  std::ofstream file(path, std::ios::app);
  file << line << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace keratin::accuracy
