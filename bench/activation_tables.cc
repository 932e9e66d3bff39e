// The activations bench's tables: plain text for the terminal, a page for docs/.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/activation_rows.h"

namespace keratin::bench {

namespace {

std::string number(double value, const char* unit = "") {
  return std::isfinite(value) ? fmt::format("{:.3g}{}", value, unit) : "-";
}

// "0.93 onednn", and "> 0.9" where it should have been less.
std::string text(const Ratio& ratio, bool with_bar = true) {
  if (ratio.name.empty()) return "-";
  std::string out = fmt::format("{:.2f} {}", ratio.ratio, ratio.name);
  if (with_bar && ratio.bar > 0)
    out += ratio.passes() ? fmt::format(" (≤ {:.3g})", ratio.bar) : fmt::format(" (**> {:.3g}**)", ratio.bar);
  return out;
}

std::string outcome(const Verdict& verdict) {
  if (!verdict.has_bar() || (verdict.fastest.name.empty() && verdict.copy.name.empty())) return "";
  return verdict.passes() ? "pass" : "FAIL";
}

std::string plain(std::string text) {
  for (std::size_t at = text.find("**"); at != std::string::npos; at = text.find("**")) text.erase(at, 2);
  return text;
}

// Display columns, not bytes: "≤" is three bytes.
std::string padded(const std::string& text, std::size_t width) {
  std::size_t columns = 0;
  for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return text + std::string(columns < width ? width - columns : 1, ' ');
}

void named(std::string& out, std::string_view title, const nlohmann::ordered_json& list) {
  if (list.empty()) return;
  out += title;
  std::string_view separator = ": ";
  for (const auto& item : list.items()) {
    out += fmt::format("{}{} {}", separator, item.key(), item.value().get<std::string>());
    separator = "; ";
  }
  out += ".\n";
}

struct Count {
  int passed = 0, judged = 0;
};

Count count(const ActivationRun& run, DType dtype) {
  Count result;
  for (const ActivationRow* row : headline(run, dtype)) {
    const std::string how = outcome(judge(*row));
    result.judged += !how.empty();
    result.passed += how == "pass";
  }
  return result;
}

std::string within(const Count& total) {
  if (total.judged == 0) return "";
  return fmt::format("\n{} of {} rows with a bar are within it.\n", total.passed, total.judged);
}

// The rows of the 16-bit types that have a bar.
std::string halves(const ActivationRun& run) {
  std::string out;
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const auto rows = headline(run, dtype);
    if (rows.empty()) continue;
    out += fmt::format(
        "\n## {}, one thread, into a reused result\n\n"
        "Correctly rounded. Softmax's gradients and those of sigmoid, tanh and exponential start from x; the "
        "peers' from y of 16 bits.\n\n"
        "| function | n | ns | over the copy | over the fastest peer |\n|---|---|---|---|---|\n",
        name(dtype));
    for (const ActivationRow* row : rows) {
      const Verdict verdict = judge(*row);
      out += fmt::format("| {} | {} | {} | {} | {} |\n", title(*row), row->what.n, number(row->ns),
                         text(verdict.copy), text(verdict.fastest));
    }
    out += within(count(run, dtype));
  }
  return out;
}

}  // namespace

std::string text_table(const ActivationRun& run) {
  std::string out = fmt::format("{}, {:.2f} GHz; {}\n", run.machine, run.gigahertz, run.data);
  named(out, "Peers", run.peers);
  named(out, "Missing", run.missing);
  out +=
      "float32, one thread, into a reused result; ns and cycles an element; ratios of our time to theirs\n\n";
  out += padded("function", 32) + padded("n", 9) + padded("ns", 8) + padded("cycles", 8) + padded("copy", 8) +
         padded("/ fastest", 30) + padded("/ within 2 ULP", 30) + padded("/ framework", 26) + "\n";
  for (const ActivationRow* row : headline(run)) {
    const Verdict verdict = judge(*row);
    out += padded(title(*row), 32) + padded(std::to_string(row->what.n), 9) + padded(number(row->ns), 8) +
           padded(number(row->cycles), 8) + padded(number(row->limit_ns), 8) +
           padded(plain(text(verdict.fastest)), 30) + padded(plain(text(verdict.accurate)), 30) +
           padded(plain(text(verdict.framework)), 26) + outcome(verdict) + "\n";
  }
  if (const Count total = count(run, DType::float32); total.judged > 0)
    out += fmt::format("\n{} of {} within their bars\n", total.passed, total.judged);
  return out;
}

std::string markdown(const ActivationRun& run, const std::string& chart) {
  std::string out = fmt::format(
      "# Benchmarks\n\n"
      "Written by `{}`; do not edit. Machine: {}, {:.2f} GHz. {}\n\n",
      run.command, run.machine, run.gigahertz, run.data);
  named(out, "Peers", run.peers);
  out += '\n';
  named(out, "Missing", run.missing);
  out += fmt::format("\n![Time an element against the peers]({})\n\n", chart);
  out +=
      "## float32, one thread, into a reused result\n\n"
      "Time and cycles an element; `copy` is the best that the machine copies the same bytes in the same "
      "run. "
      "Ratios are our time over theirs, with the bar they are held to; a bar that is missed is bold. Where "
      "no "
      "peer is within 2 ULP, the most accurate stands there. Gradients of sigmoid and tanh start from x; the "
      "peers' from y, off by millions of ULP in the tails.\n\n"
      "| function | n | ns | cycles | copy, ns | over the fastest peer | over the fastest within 2 ULP | "
      "over the "
      "fastest framework |\n|---|---|---|---|---|---|---|---|\n";
  for (const ActivationRow* row : headline(run)) {
    const Verdict verdict = judge(*row);
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", title(*row), row->what.n,
                       number(row->ns), number(row->cycles), number(row->limit_ns), text(verdict.fastest),
                       text(verdict.accurate), text(verdict.framework));
  }
  out += within(count(run, DType::float32));
  out += halves(run);
  out +=
      "\n## Other types, sizes and memory\n\n"
      "| function | dtype | n | memory | threads | ns | over the copy | over the fastest peer |\n"
      "|---|---|---|---|---|---|---|---|\n";
  std::vector<const ActivationRow*> shown;
  for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16})
    for (const ActivationRow* row : headline(run, dtype)) shown.push_back(row);
  for (const ActivationRow& row : run.rows) {
    const bool is_shown = std::find(shown.begin(), shown.end(), &row) != shown.end();
    if (is_shown || row.what.n < 4096) continue;
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", title(row), name(row.what.dtype),
                       row.what.n, row.memory, row.threads, number(row.ns), number(row.ns / row.limit_ns),
                       text(judge(row).fastest, false));
  }
  out +=
      "\n## A call on few elements\n\nNanoseconds a call, float32, one thread.\n\n"
      "| function | n | through | ns |\n|---|---|---|---|\n";
  for (const ActivationRow& row : run.rows) {
    if (row.what.n > 64 || row.what.row > 0 || row.what.gradient || row.what.dtype != DType::float32)
      continue;
    if (row.what.function != "relu" && row.what.function != "tanh" && row.what.function != "gelu") continue;
    out += fmt::format("| {} | {} | {} | {:.0f} |\n", row.what.function, row.what.n,
                       row.memory == "fresh" ? "tensors" : "spans", row.ns * static_cast<double>(row.what.n));
  }
  return out;
}

}  // namespace keratin::bench
