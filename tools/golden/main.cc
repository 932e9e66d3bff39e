// keratin-golden: runs a set of golden data and writes the results for the set's check.py.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <typeinfo>

#include "keratin/core/error.h"
#include "keratin/io/atomic_file.h"
#include "keratin/io/npy.h"
#include "tools/golden/compare.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path set, results;
  std::vector<std::string> kinds;
  std::string prefix;
  bool compare = false;
  DType precision = DType::float32;
};

struct Counts {
  int written = 0, failed_to_run = 0, not_supported = 0, passed = 0, failed = 0;
};

std::string_view type_of(const std::exception& error) {
  if (dynamic_cast<const ShapeError*>(&error) != nullptr) return "ShapeError";
  if (dynamic_cast<const ValueError*>(&error) != nullptr) return "ValueError";
  if (dynamic_cast<const TypeError*>(&error) != nullptr) return "TypeError";
  if (dynamic_cast<const IoError*>(&error) != nullptr) return "IoError";
  if (dynamic_cast<const NumericError*>(&error) != nullptr) return "NumericError";
  if (dynamic_cast<const StateError*>(&error) != nullptr) return "StateError";
  return "exception";
}

// The case's folder. An id comes from the manifest: it must not lead out of the results.
fs::path folder_of(const Arguments& arguments, const std::string& id) {
  const fs::path relative(id);
  for (const fs::path& part : relative)
    if (relative.is_absolute() || part == "..")
      throw ValueError("golden", "expects an id inside the set", "got \"" + id + "\"");
  return arguments.results / relative;
}

void write_result(const fs::path& folder, const std::exception& error) {
  const Config result = {{"status", "error"}, {"type", type_of(error)}, {"message", error.what()}};
  fs::create_directories(folder);
  io::AtomicFile file(folder / "result.json");
  file.write(result.dump(-1, ' ', false, Config::error_handler_t::replace) + "\n");
  file.commit();
}

// Results that are bits, int32 here, as the uint16 that check.py reads.
void save_bits(const fs::path& path, const Tensor& tensor) {
  std::string header =
      "{'descr': '<u2', 'fortran_order': False, 'shape': (" + std::to_string(tensor.size()) + ",), }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00\x76\x00", 10);  // version 1.0, 118 bytes of header
  bytes += header;
  for (const std::int32_t value : tensor.values<std::int32_t>()) {
    bytes += static_cast<char>(value & 0xFF);
    bytes += static_cast<char>(value >> 8);
  }
  io::AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void save(const fs::path& folder, const Config& golden_case, const std::string& name, const Tensor& tensor) {
  const fs::path path = folder / (name + ".npy");
  golden_case.at("outputs").at(name).value("mode", "") == "bits16" ? save_bits(path, tensor)
                                                                   : io::save_npy(path, tensor);
}

void report(const Config& golden_case, const io::NamedTensors& arrays, const io::NamedTensors& results,
            Counts& counts) {
  std::string problems;
  for (const auto& [name, check] : golden_case.at("outputs").items()) {
    const std::string problem =
        results.contains(name) ? compare(check, arrays, results[name]).problem : "no result";
    if (!problem.empty()) problems += fmt::format(" {}: {};", name, problem);
  }
  ++(problems.empty() ? counts.passed : counts.failed);
  if (!problems.empty()) fmt::print("FAIL {}:{}\n", text_of(golden_case, "id"), problems);
}

void run_case(const Arguments& arguments, const GoldenSet& set, const Config& golden_case, Counts& counts) {
  const std::string id = text_of(golden_case, "id");
  const fs::path folder = folder_of(arguments, id);
  try {
    const io::NamedTensors arrays = set.arrays(golden_case);
    const auto results =
        find_kind(text_of(golden_case, "kind"))->run(golden_case, arrays, arguments.precision);
    fs::create_directories(folder);
    for (const auto& [name, tensor] : results) save(folder, golden_case, name, tensor);
    ++counts.written;
    if (arguments.compare) report(golden_case, arrays, results, counts);
  } catch (const std::exception& error) {
    ++counts.failed_to_run;
    fmt::print("ERROR {}: {}\n", id, error.what());
    write_result(folder, error);
  }
}

int run(const Arguments& arguments) {
  const GoldenSet set(arguments.set);
  const std::set<std::string> kinds(arguments.kinds.begin(), arguments.kinds.end());
  Counts counts;
  for (const Config& golden_case : set.cases()) {
    if (!kinds.empty() && !kinds.contains(text_of(golden_case, "kind"))) continue;
    if (!text_of(golden_case, "id").starts_with(arguments.prefix)) continue;
    if (is_supported(golden_case)) {
      run_case(arguments, set, golden_case, counts);
    } else {
      ++counts.not_supported;
    }
  }
  fmt::print("{} cases written, {} failed to run, {} are not supported\n", counts.written,
             counts.failed_to_run, counts.not_supported);
  if (arguments.compare) fmt::print("{} passed, {} failed\n", counts.passed, counts.failed);
  return counts.failed_to_run == 0 && counts.failed == 0 && counts.written > 0 ? 0 : 1;
}

}  // namespace
}  // namespace keratin::golden

int main(int argc, char** argv) {
  keratin::golden::Arguments arguments;
  CLI::App app(
      "Runs golden data (expected values from Keras) and writes what the library gives:\n"
      "RESULTS/<case id>/<output>.npy, or result.json where it throws. Compare with the set's check.py.");
  app.add_option("SET", arguments.set, "A set: a folder with manifest.json, or packed (tests/golden)")
      ->required();
  app.add_option("RESULTS", arguments.results, "Where to write")->required();
  app.add_option("--kind", arguments.kinds,
                 "Only these kinds: activation, activation_vjp, activation_shape, layer, training")
      ->delimiter(',');
  app.add_option("--prefix", arguments.prefix, "Only cases whose id begins so");
  app.add_flag_callback(
      "--float64", [&] { arguments.precision = keratin::DType::float64; },
      "Layers and training in float64, held to rtol64 and atol64");
  app.add_flag("--compare", arguments.compare, "Also compare, by the rules of check.py, and say what fails");
  CLI11_PARSE(app, argc, argv);
  try {
    return keratin::golden::run(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
