// keratin-accuracy: the largest error of every activation on every instruction set, as a table and as JSON.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/accuracy/sweep.h"

namespace {

using namespace keratin::accuracy;

struct Options {
  std::string function, isa, json;
  Plan plan;
  bool full = false;
};

const char* name(Direction direction) { return direction == Direction::value ? "value" : "gradient"; }
const char* name(Type type) { return type == Type::f32 ? "float32" : "float64"; }

struct Job {
  Variant variant;
  Direction direction;
  Type type;
};

std::vector<Job> jobs(const Options& options) {
  std::vector<Job> result;
  for (const auto& function : keratin::activations::functions()) {
    if (!options.function.empty() && keratin::activations::find(options.function) != &function) continue;
    for (const Variant& variant : variants(function)) {
      for (const Direction direction : {Direction::value, Direction::gradient}) {
        for (const Type type : {Type::f32, Type::f64}) result.push_back({variant, direction, type});
      }
      // All floats take minutes; other parameters than the defaults are left to the quick sweep.
      if (options.full) break;
    }
  }
  return result;
}

void print(const Row& row) {
  const std::string label = row.parameters.empty() ? row.function : row.function + " " + row.parameters;
  const bool same =
      std::adjacent_find(row.hashes.begin(), row.hashes.end(), std::not_equal_to<>()) == row.hashes.end();
  std::fputs(fmt::format("{:<46} {:<8} {:<7} {:>11} {:>9} {:>8.4f} at {:<14.8g} {:>9} {}{}\n", label,
                         name(row.direction), name(row.type), row.inputs, row.certified, row.max_ulp,
                         row.worst_input, row.not_correctly_rounded, same ? "same bits" : "BITS DIFFER",
                         row.max_ulp > row.bound ? fmt::format("  ABOVE ITS BOUND {}", row.bound) : "")
                 .c_str(),
             stdout);
  std::fflush(stdout);
}

nlohmann::ordered_json to_json(const Row& row, const Plan& plan) {
  auto rows = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < row.hashes.size(); ++i) {
    // The results of the last instruction set are judged; the others' are the same where their hash is.
    const bool judged = row.hashes[i] == row.hashes.back();
    rows.push_back({{"function", row.function},
                    {"parameters", row.parameters},
                    {"direction", name(row.direction)},
                    {"dtype", name(row.type)},
                    {"isa", keratin::simd::name(plan.isas[i])},
                    {"inputs", row.inputs},
                    {"certified", row.certified},
                    {"max_ulp", judged ? nlohmann::ordered_json(row.max_ulp) : nlohmann::ordered_json()},
                    {"worst_input", row.worst_input},
                    {"not_correctly_rounded", row.not_correctly_rounded},
                    {"bound", row.bound},
                    {"hash", fmt::format("{:016x}", row.hashes[i])}});
  }
  return rows;
}

// Whether every row keeps its bound with the same bits on every instruction set.
bool run(const Options& options) {
  const std::vector<Job> work = jobs(options);
  if (work.empty()) throw std::invalid_argument("no activation is called \"" + options.function + "\"");
  auto rows = nlohmann::ordered_json::array();
  bool good = true;
  for (const Job& job : work) {
    const Row row = sweep(job.variant, job.direction, job.type, options.plan);
    print(row);
    const auto lines = to_json(row, options.plan);
    rows.insert(rows.end(), lines.begin(), lines.end());
    good = good && row.max_ulp <= row.bound;
    for (const std::uint64_t hash : row.hashes) good = good && hash == row.hashes.back();
  }
  if (!options.json.empty()) {
    std::ofstream file(options.json);
    file << rows.dump(1) << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + options.json);
  }
  return good;
}

keratin::simd::Isa isa_named(const std::string& text) {
  std::string known;
  for (const keratin::simd::Isa isa : keratin::simd::supported_isas()) {
    if (keratin::simd::name(isa) == text) return isa;
    known += " " + std::string(keratin::simd::name(isa));
  }
  throw std::invalid_argument("--isa " + text + ": this machine and build have" + known);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The largest error of every activation, in ULP against its formula evaluated with MPFR."};
  Options options;
  app.add_option("--function", options.function, "Only this one (name or alias)");
  app.add_option("--isa", options.isa, "Only this instruction set; default: all, compared bit for bit");
  app.add_option("--stride", options.plan.stride, "float32: every so many bit patterns")
      ->check(CLI::Range(1ULL, 1ULL << 31))
      ->capture_default_str();
  app.add_option("--samples", options.plan.samples, "float64: inputs a binade")->check(CLI::PositiveNumber);
  app.add_flag("--full", options.full,
               "All 2^32 float32 inputs of the default parameters: minutes a function");
  app.add_option("--json", options.json, "Write the rows to this file");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!options.isa.empty()) options.plan.isas = {isa_named(options.isa)};
    if (options.full) {
      options.plan.stride = 1;
      options.plan.certify = 1 << 20;
      options.plan.samples = 40;
    }
    return run(options) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fputs(fmt::format("keratin-accuracy: {}\n", error.what()).c_str(), stderr);
    return 2;
  }
}
