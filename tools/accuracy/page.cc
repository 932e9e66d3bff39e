#include "tools/accuracy/page.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "tools/accuracy/rows.h"

namespace keratin::accuracy {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kIntroduction =
    R"(# How far results are off

Made by `./dev docs` from accuracy.json, which holds the rows that

    ./dev accuracy --json docs/accuracy.json --resume

has measured. Do not edit.

- An error is |y - f(x)| / ulp(f(x)), f exact with the parameters rounded to x's type; ulp(v) is the spacing of
  numbers next to v, at least the smallest subnormal. Gradients are those of upstream 1.
- float32 rows of "stride 1" are of all 2^32 inputs, 16-bit rows of all 65,536. float64 rows are of so many random
  inputs in each binade of the 2,047, 20 times as many between 2^-40 and 2^9, and both sides of kinks and limits.
- max ULP is right to 2^-20, in float64 to 2^-6. Next to a gradient's own zero, by 1/8 at most, an error of 2^-24 may
  stand for the bound; the last column counts such results and says their largest error in ULP.
- "not nearest" counts the results that are not the number next to the exact one. Up to that many more as "undecided"
  says may be: the exact result lies within 2^-40 of a tie, in float64 within 2^-6 ULP.
- Instruction sets in one row gave the same bits for every input, by a hash. A function has a row for each choice of
  inputs: where all 2^32 are not swept yet, or not on every instruction set, a sample of every so many bit patterns
  ("stride") and of both sides of kinks and limits stands for them.

How it is measured: [tools/accuracy](../tools/accuracy/README.md).
)";

std::string number(double value, const char* form) { return fmt::format(fmt::runtime(form), value); }

std::string same_bits(const Json& rows, const Json& judged) {
  std::string isas;
  for (const Json& row : rows) {
    bool same = true;
    for (const char* key : {"function", "parameters", "direction", "dtype", "plan"}) {
      same = same && row.at(key) == judged.at(key);
    }
    if (!same) continue;
    if (!isas.empty()) isas += ", ";
    isas += row.at("isa").get<std::string>();
    if (row.at("hash") != judged.at("hash")) isas += " (**other bits**)";
  }
  return isas;
}

// How many functions of a type gave one hash on every instruction set that they were run on, by these sets.
std::string table_of_bits(const Json& rows) {
  struct Results {
    std::set<std::string> isas, hashes;
  };
  // By type, plan and what was run.
  std::map<std::array<std::string, 3>, Results> results;
  for (const Json& row : rows) {
    const auto text = [&](const char* key) { return row.at(key).get<std::string>(); };
    Results& result = results[{text("dtype"), text("plan"),
                               text("function") + " " + text("parameters") + " " + text("direction")}];
    result.isas.insert(text("isa"));
    result.hashes.insert(text("hash"));
  }
  struct Count {
    std::size_t all = 0, different = 0;
  };
  std::map<std::array<std::string, 3>, Count> counts;
  for (const auto& [key, result] : results) {
    std::string isas;
    for (const std::string& isa : result.isas) isas += (isas.empty() ? "" : ", ") + isa;
    Count& count = counts[{key[0], key[1], isas}];
    ++count.all;
    count.different += result.hashes.size() > 1;
  }
  std::string table;
  for (const auto& [key, count] : counts) {
    table += fmt::format("| {} | {} | {} | {} | {} |\n", key[0], key[1], key[2], count.all, count.different);
  }
  return "\n## The same bits\n| type | inputs | instruction sets | functions, parameters, directions | of "
         "them with"
         " different bits |\n|---|---|---|---|---|\n" +
         table;
}

std::string line(const Json& rows, const Json& row) {
  const std::string parameters = row.at("parameters").get<std::string>();
  const std::uint64_t near = row.at("near_zero").get<std::uint64_t>();
  const double ulp = row.at("max_ulp").get<double>();
  std::string error = number(ulp, "{:.4f}");
  if (ulp > row.at("bound").get<double>()) error = "**" + error + "**";
  std::string wrong = std::to_string(row.at("not_correctly_rounded").get<std::uint64_t>());
  const std::uint64_t undecided = row.at("undecided").get<std::uint64_t>();
  if (undecided > 0) wrong += fmt::format(" (undecided: {})", undecided);
  return fmt::format("| {}{} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                     row.at("function").get<std::string>(), parameters.empty() ? "" : " " + parameters,
                     row.at("direction").get<std::string>(), row.at("plan").get<std::string>(),
                     row.at("inputs").get<std::uint64_t>(), error,
                     number(row.at("worst_input").get<double>(), "{:.9g}"), wrong, same_bits(rows, row),
                     near == 0 ? "" : fmt::format("{}, {:.3g}", near, row.at("near_zero_ulp").get<double>()));
}

}  // namespace

std::string page(const Json& rows) {
  std::string text = kIntroduction;
  std::set<std::string> machines;
  for (const Json& row : rows) machines.insert(row.at("machine").get<std::string>());
  for (const std::string& name : machines) text += "\nMachine: " + name + ".\n";
  text += table_of_bits(rows);
  for (const Type type : {Type::f32, Type::f64, Type::f16, Type::bf16}) {
    std::string table;
    std::set<std::string> shown;
    for (const Json& row : rows) {
      if (row.at("dtype") != name(type) || !row.contains("max_ulp")) continue;
      // One line for all instruction sets.
      const std::string key = row.at("function").get<std::string>() +
                              row.at("parameters").get<std::string>() +
                              row.at("direction").get<std::string>() + row.at("plan").get<std::string>();
      if (shown.insert(key).second) table += line(rows, row);
    }
    if (table.empty()) continue;
    text += fmt::format(
        "\n## {}\n| function | of | inputs | how many | max ULP | at | not nearest | instruction sets |"
        " near its zero |\n|---|---|---|---|---|---|---|---|---|\n{}",
        name(type), table);
  }
  return text;
}

}  // namespace keratin::accuracy
