// keratin-accuracy: the largest error of every activation on every instruction set, as a table and as JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "keratin/core/parallel.h"
#include "tools/accuracy/axis_sweep.h"
#include "tools/accuracy/page.h"
#include "tools/accuracy/rows.h"
#include "tools/accuracy/sweep.h"
#include "tools/accuracy/worst.h"

namespace {

using namespace keratin::accuracy;
using keratin::simd::Isa;

struct Options {
  std::string function, isa, json, worst, dtype = "all", direction = "both";
  bool resume = false, defaults = false, markdown = false;
  Plan plan;
};

struct Job {
  Variant variant;
  Direction direction;
  Type type;
};

std::vector<Job> jobs(const Options& options) {
  std::vector<Job> result;
  for (const Type type : {Type::f32, Type::f64, Type::f16, Type::bf16}) {
    if (options.dtype != "all" && options.dtype != name(type)) continue;
    for (const auto& function : keratin::activations::functions()) {
      if (!options.function.empty() && keratin::activations::find(options.function) != &function) continue;
      for (const Variant& variant : variants(function)) {
        if (options.defaults && !variant.text.empty()) continue;
        for (const Direction direction : {Direction::value, Direction::gradient}) {
          if (options.direction != "both" && options.direction != name(direction)) continue;
          result.push_back({variant, direction, type});
        }
      }
    }
  }
  return result;
}

bool within_bound(const Row& row) {
  const bool halves = row.type == Type::f16 || row.type == Type::bf16;
  return halves ? row.not_correctly_rounded == 0 : row.max_ulp <= row.bound;
}

void print(const Row& row, const Plan& plan, bool same) {
  const std::string label = row.parameters.empty() ? row.function : row.function + " " + row.parameters;
  std::string note = same ? "same bits" : "BITS DIFFER";
  if (plan.judge && !within_bound(row)) note += fmt::format("  ABOVE ITS BOUND {}", row.bound);
  if (row.near_zero > 0) {
    note +=
        fmt::format("  {} near its zero within 2^-24, up to {:.4g} ULP", row.near_zero, row.near_zero_ulp);
  }
  std::fputs(fmt::format("{:<46} {:<8} {:<8} {:>11} {:>9} {:>8.4f} at {:<14.8g} {:>9} {}\n", label,
                         name(row.direction), name(row.type), row.inputs, row.certified, row.max_ulp,
                         row.worst_input, row.not_correctly_rounded, note)
                 .c_str(),
             stdout);
  std::fflush(stdout);
}

// The bar of the work as a whole, where there is someone to see it.
void progress(std::size_t done, const std::vector<Job>& work) {
  if (isatty(STDERR_FILENO) == 0 || work.empty()) return;
  constexpr std::size_t kWidth = 30;
  const std::size_t filled = done * kWidth / work.size();
  const std::string what =
      done == work.size() ? std::string() : std::string(work[done].variant.function->info->name);
  std::fputs(fmt::format("\r\033[K[{}{}] {}/{} {}", std::string(filled, '#'),
                         std::string(kWidth - filled, ' '), done, work.size(), what)
                 .c_str(),
             stderr);
  if (done == work.size()) std::fputs("\r\033[K", stderr);
}

// Whether the row keeps its bound with the same bits on every instruction set. Rows of the file are not made
// again; where a judged one is there, of whatever instruction set, the others' results need their hash only.
bool measure(const Job& job, const Options& options, RowFile& file) {
  Plan plan = options.plan;
  std::vector<Isa> missing;
  for (const Isa isa : plan.isas) {
    if (file.find(job.variant, job.direction, job.type, plan, isa) == nullptr) missing.push_back(isa);
  }
  if (missing.empty()) return true;
  const nlohmann::ordered_json* known = file.find_judged(job.variant, job.direction, job.type, plan);
  plan.isas = missing;
  plan.judge = known == nullptr;
  const Row row = sweep(job.variant, job.direction, job.type, plan);
  const std::string reference =
      known != nullptr ? known->at("hash").get<std::string>() : fmt::format("{:016x}", row.hashes.back());
  bool same = true;
  for (const std::uint64_t hash : row.hashes) same = same && fmt::format("{:016x}", hash) == reference;
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
  print(row, plan, same);
  const nlohmann::ordered_json judged = known != nullptr ? *known : nlohmann::ordered_json();
  file.add(row, plan, known != nullptr ? &judged : nullptr);
  const bool whole = job.type != Type::f64 && (job.type != Type::f32 || plan.stride == 1);
  if (plan.judge && whole && !options.worst.empty()) append_worst(options.worst, row);
  return same && (!plan.judge || within_bound(row));
}

// softmax and log_softmax take no time: never resumed.
bool measure_axis(const Options& options, RowFile& file) {
  if (options.dtype != "all" && options.dtype != name(Type::f32)) return true;
  bool good = true;
  for (const Row& row : sweep_axis(options.plan)) {
    if (!options.function.empty() && options.function != row.function) continue;
    bool same = true;
    for (const std::uint64_t hash : row.hashes) same = same && hash == row.hashes.back();
    print(row, options.plan, same);
    file.add(row, options.plan, nullptr);
    good = good && same && within_bound(row);
  }
  return good;
}

bool run(const Options& options) {
  const std::vector<Job> work = jobs(options);
  const bool axis = options.function.empty() || options.function.ends_with("softmax");
  if (work.empty() && !axis)
    throw std::invalid_argument("no activation is called \"" + options.function + "\"");
  RowFile file(options.json, options.resume);
  bool good = true;
  for (std::size_t i = 0; i < work.size(); ++i) {
    progress(i, work);
    good = measure(work[i], options, file) && good;
  }
  progress(work.size(), work);
  if (axis && options.direction != "gradient") good = measure_axis(options, file) && good;
  return good;
}

Isa isa_named(const std::string& text) {
  std::string known;
  for (const Isa isa : keratin::simd::supported_isas()) {
    if (keratin::simd::name(isa) == text) return isa;
    known += " " + std::string(keratin::simd::name(isa));
  }
  throw std::invalid_argument("--isa " + text + ": this machine and build have" + known);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The largest error of every activation, in ULP against its formula: all 2^32 float32 inputs."};
  Options options;
  options.plan.stride = 1;
  options.plan.certify = 1 << 20;
  options.plan.samples = 33'580;  // 10^8 inputs
  options.plan.threads = keratin::num_threads();
  app.add_option("--function", options.function, "Only this one (name or alias)");
  app.add_option("--isa", options.isa, "Only this instruction set; default: all, compared bit for bit");
  app.add_option("--dtype", options.dtype)
      ->check(CLI::IsMember({"float32", "float64", "float16", "bfloat16", "all"}))
      ->capture_default_str();
  app.add_option("--direction", options.direction)
      ->check(CLI::IsMember({"value", "gradient", "both"}))
      ->capture_default_str();
  app.add_flag("--defaults", options.defaults, "Only the default parameters");
  app.add_option("--stride", options.plan.stride, "float32: every so many bit patterns")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 31))
      ->capture_default_str();
  app.add_option("--samples", options.plan.samples, "float64: inputs a binade, 20 times as many near 1")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", options.plan.threads)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--json", options.json, "Write the rows to this file, each as soon as it is there");
  app.add_flag("--resume", options.resume, "Keep the rows of that file; make those that it lacks")
      ->needs("--json");
  app.add_option("--worst", options.worst, "Append the worst inputs of whole sweeps to this file");
  app.add_flag("--markdown", options.markdown, "Sweep nothing: print the rows of --json as docs/accuracy.md")
      ->needs("--json");
  CLI11_PARSE(app, argc, argv);
  try {
    if (options.markdown) {
      std::fputs(page(RowFile(options.json, true).rows()).c_str(), stdout);
      return 0;
    }
    if (!options.isa.empty()) options.plan.isas = {isa_named(options.isa)};
    return run(options) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fputs(fmt::format("keratin-accuracy: {}\n", error.what()).c_str(), stderr);
    return 2;
  }
}
