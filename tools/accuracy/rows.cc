#include "tools/accuracy/rows.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace keratin::accuracy {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kJudged[] = {
    "certified", "undecided",    "max_ulp", "worst_input", "not_correctly_rounded",
    "near_zero", "near_zero_ulp"};

bool same_row(const Json& a, const Json& b) {
  for (const char* key : {"function", "parameters", "direction", "dtype", "isa", "plan"}) {
    if (a.at(key) != b.at(key)) return false;
  }
  return true;
}

// What same_row() compares.
Json identity(const Variant& variant, Direction direction, Type type, const Plan& plan, simd::Isa isa) {
  return {{"function", variant.function->info->name},
          {"parameters", variant.text},
          {"direction", name(direction)},
          {"dtype", name(type)},
          {"isa", simd::name(isa)},
          {"plan", describe(plan, type)}};
}

}  // namespace

const char* name(Direction direction) { return direction == Direction::value ? "value" : "gradient"; }

const char* name(Type type) {
  switch (type) {
    case Type::f64:
      return "float64";
    case Type::f16:
      return "float16";
    case Type::bf16:
      return "bfloat16";
    default:
      return "float32";
  }
}

std::string machine() {
  std::ifstream file("/proc/cpuinfo");
  std::string model, family, number;
  const auto take = [](const std::string& line, std::string_view key, std::string& to) {
    if (to.empty() && line.starts_with(key) && line.find(": ") != std::string::npos)
      to = line.substr(line.find(": ") + 2);
  };
  for (std::string line; std::getline(file, line);) {
    take(line, "model name", model);
    take(line, "cpu family", family);
    take(line, "model\t", number);
  }
  if (model.empty()) return "unknown";
  return model + " (family " + family + ", model " + number + ")";
}

RowFile::RowFile(std::string path, bool resume) : path_(std::move(path)) {
  std::ifstream file(path_);
  if (!resume || !file) return;
  rows_ = Json::parse(file, nullptr, false);
  if (!rows_.is_array()) throw std::runtime_error(path_ + " holds no list of rows; --resume adds to one");
}

const Json* RowFile::find(const Variant& variant, Direction direction, Type type, const Plan& plan,
                          simd::Isa isa) const {
  const Json wanted = identity(variant, direction, type, plan, isa);
  for (const Json& row : rows_) {
    if (same_row(row, wanted)) return &row;
  }
  return nullptr;
}

const Json* RowFile::find_judged(const Variant& variant, Direction direction, Type type,
                                 const Plan& plan) const {
  Json wanted = identity(variant, direction, type, plan, simd::Isa::scalar);
  for (const Json& row : rows_) {
    wanted["isa"] = row.at("isa");
    if (row.contains("max_ulp") && same_row(row, wanted)) return &row;
  }
  return nullptr;
}

void RowFile::add(const Row& row, const Plan& plan, const Json* judged) {
  Json last;
  if (judged != nullptr) {
    last = *judged;
  } else {
    last = {{"hash", fmt::format("{:016x}", row.hashes.back())},
            {"certified", row.certified},
            {"undecided", row.undecided},
            {"max_ulp", row.max_ulp},
            {"worst_input", row.worst_input},
            {"not_correctly_rounded", row.not_correctly_rounded},
            {"near_zero", row.near_zero},
            {"near_zero_ulp", row.near_zero_ulp}};
  }
  for (std::size_t i = 0; i < row.hashes.size(); ++i) {
    Json line{{"function", row.function},
              {"parameters", row.parameters},
              {"direction", name(row.direction)},
              {"dtype", name(row.type)},
              {"isa", simd::name(plan.isas[i])},
              {"plan", row.plan.empty() ? describe(plan, row.type) : row.plan},
              {"inputs", row.inputs},
              {"bound", row.bound},
              {"machine", machine()},
              {"hash", fmt::format("{:016x}", row.hashes[i])}};
    // Only the last one's results are judged; equal bits have equal errors.
    if (line.at("hash") == last.at("hash")) {
      for (const char* key : kJudged) line[key] = last.at(key);
    }
    bool replaced = false;
    for (Json& old : rows_) {
      if (same_row(old, line)) old = line, replaced = true;
    }
    if (!replaced) rows_.push_back(line);
  }
  write();
}

void RowFile::write() const {
  if (path_.empty()) return;
  const std::string beside = path_ + ".tmp";
  std::ofstream file(beside);
  // One row a line: what a change adds is what its diff shows.
  file << "[";
  for (std::size_t i = 0; i < rows_.size(); ++i) file << (i == 0 ? "\n" : ",\n") << rows_[i].dump();
  file << "\n]\n";
  file.close();
  if (!file || std::rename(beside.c_str(), path_.c_str()) != 0) {
    throw std::runtime_error("cannot write " + path_);
  }
}

}  // namespace keratin::accuracy
