#include "bench/activation_rows.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "bench/bars.h"

namespace keratin::bench {

using Json = nlohmann::ordered_json;

Json to_json(const ActivationRun& run) {
  Json rows = Json::array();
  // Five digits: no clock here has more.
  const auto short_number = [](double value) { return Json::parse(fmt::format("{:.5g}", value)); };
  for (const ActivationRow& row : run.rows) {
    Json entry{{"function", row.what.function},
               {"direction", row.what.gradient ? "gradient" : "forward"},
               {"dtype", name(row.what.dtype)},
               {"n", row.what.n}};
    if (row.what.row > 0) entry["row"] = row.what.row;
    entry["memory"] = row.memory;
    entry["threads"] = row.threads;
    entry["ns"] = short_number(row.ns);
    entry["cycles"] = short_number(row.cycles);
    entry["peers"] = Json::object();
    for (const auto& [peer, ns] : row.peers) entry["peers"][peer] = short_number(ns);
    entry["limit_ns"] = std::isnan(row.limit_ns) ? Json() : short_number(row.limit_ns);
    rows.push_back(std::move(entry));
  }
  return {{"bench", "activations"}, {"machine", run.machine}, {"gigahertz", short_number(run.gigahertz)},
          {"command", run.command}, {"data", run.data},       {"peers", run.peers},
          {"missing", run.missing}, {"rows", std::move(rows)}};
}

ActivationRun run_from_json(const Json& json) {
  ActivationRun run{.machine = json.at("machine"),
                    .command = json.at("command"),
                    .data = json.at("data"),
                    .gigahertz = json.at("gigahertz"),
                    .peers = json.at("peers"),
                    .missing = json.at("missing"),
                    .rows = {}};
  for (const Json& entry : json.at("rows")) {
    ActivationRow row{.what = {.function = entry.at("function"),
                               .gradient = entry.at("direction") == "gradient",
                               .dtype = dtype_of(entry.at("dtype").get<std::string>()),
                               .n = entry.at("n"),
                               .row = entry.value("row", std::size_t{0})},
                      .memory = entry.at("memory"),
                      .threads = entry.at("threads"),
                      .ns = entry.at("ns"),
                      .cycles = entry.at("cycles"),
                      .peers = {}};
    if (!entry.at("limit_ns").is_null()) row.limit_ns = entry.at("limit_ns");
    for (const auto& peer : entry.at("peers").items()) row.peers.emplace_back(peer.key(), peer.value());
    run.rows.push_back(std::move(row));
  }
  return run;
}

namespace {

bool lists(std::string_view names, std::string_view name) {
  return names.find(fmt::format(" {} ", name)) != std::string_view::npos;
}

double known_error(std::string_view peer, const Case& what) {
  if (lists(kAccurateAnyway, what.function)) return 1;
  for (const KnownError& known : kKnownErrors)
    if (known.peer == peer && known.function == what.function && known.gradient == what.gradient)
      return known.ulp;
  return std::numeric_limits<double>::infinity();
}

bool is_framework(std::string_view peer) {
  return peer == "torch" || peer == "onnxruntime" || peer == "jax" || peer == "tensorflow";
}

// The fastest among those that `counts` lets through.
template <class Counts>
Ratio against(const ActivationRow& row, double bar, Counts counts) {
  Ratio best;
  double fastest = std::numeric_limits<double>::infinity();
  for (const auto& [peer, ns] : row.peers)
    if (ns < fastest && counts(peer)) {
      fastest = ns;
      best = {.name = peer, .ratio = row.ns / ns, .bar = bar};
    }
  return best;
}

}  // namespace

Verdict judge(const ActivationRow& row) {
  const Case& what = row.what;
  Bar bar{"", false, 0, 0};
  for (const Bar& each : kBars)
    if (each.gradient == what.gradient && lists(each.functions, what.function)) bar = each;
  if (what.row > 0 && what.row <= 10 && !what.gradient) bar.fastest = bar.accurate = kSoftmaxShortRows;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& peer : row.peers) least = std::min(least, known_error(peer.first, what));
  const double enough = std::max(least, 2.0);
  const bool bound_by_memory = lists(kBars[0].functions, what.function);
  const Ratio copy{.name = std::isfinite(row.limit_ns) ? "copy" : "", .ratio = row.ns / row.limit_ns};
  const auto any = [](std::string_view) { return true; };
  if (what.dtype == DType::float16 || what.dtype == DType::bfloat16) {
    const bool copies = !what.gradient && lists(kBoundByCopy, what.function);
    Verdict verdict{
        .fastest = against(row, copies ? 0 : kHalves, any), .accurate = {}, .framework = {}, .copy = copy};
    if (copies) verdict.copy.bar = kHalvesOverCopy;
    return verdict;
  }
  return {.fastest = against(row, bar.fastest, any),
          .accurate = against(row, bar.accurate,
                              [&](std::string_view peer) { return known_error(peer, what) <= enough; }),
          .framework = against(row, bound_by_memory || what.gradient ? 0 : kFrameworks, is_framework),
          .copy = copy};
}

std::vector<const ActivationRow*> headline(const ActivationRun& run, DType dtype) {
  const auto counts = [dtype](const ActivationRow& row) {
    return row.what.dtype == dtype && row.memory == "reused" && row.threads == 1;
  };
  constexpr double kWanted = 65536;
  const auto distance = [&](const ActivationRow& row) {
    return std::abs(std::log(static_cast<double>(row.what.n) / kWanted));
  };
  std::vector<const ActivationRow*> best;
  for (const ActivationRow& row : run.rows) {
    if (!counts(row)) continue;
    const auto same = std::find_if(best.begin(), best.end(),
                                   [&](const ActivationRow* other) { return title(*other) == title(row); });
    if (same == best.end())
      best.push_back(&row);
    else if (distance(row) < distance(**same))
      *same = &row;
  }
  return best;
}

std::string title(const ActivationRow& row) {
  std::string text = row.what.function;
  if (row.what.row > 0) text += fmt::format(", rows of {}", row.what.row);
  return row.what.gradient ? text + " gradient" : text;
}

}  // namespace keratin::bench
