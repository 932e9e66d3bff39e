// The rows of the activations bench: verdicts by hand, and that the program writes what it promises. No
// times.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "bench/activation_rows.h"

namespace keratin::bench {
namespace {

ActivationRow tanh_row() {
  return {.what = {.function = "tanh", .gradient = false, .dtype = DType::float32, .n = 65536},
          .ns = 0.2,
          .limit_ns = 0.1,
          .cycles = 0.7,
          .peers = {{"eigen", 0.25}, {"torch", 2.0}, {"mkl_ha", 0.5}, {"onnxruntime", 0.3}}};
}

TEST(ActivationRows, JudgeAgainstTheFastestTheFastestAccurateAndTheFastestFramework) {
  const Verdict verdict = judge(tanh_row());
  EXPECT_EQ(verdict.fastest.name, "eigen");
  EXPECT_DOUBLE_EQ(verdict.fastest.ratio, 0.8);
  EXPECT_DOUBLE_EQ(verdict.fastest.bar, 1.1);
  EXPECT_TRUE(verdict.fastest.passes());
  // eigen's tanh is off by 4.6 ULP, onnxruntime's by 104.
  EXPECT_EQ(verdict.accurate.name, "mkl_ha");
  EXPECT_DOUBLE_EQ(verdict.accurate.ratio, 0.4);
  EXPECT_EQ(verdict.framework.name, "onnxruntime");
  EXPECT_FALSE(verdict.framework.passes()) << "0.2 is more than half of 0.3";
}

TEST(ActivationRows, TakeTheMostAccuratePeerWhereNoneIsWithinTwoUlp) {
  ActivationRow row = tanh_row();
  row.peers = {{"eigen", 0.25}, {"onnxruntime", 0.3}};
  EXPECT_EQ(judge(row).accurate.name, "eigen");
}

TEST(ActivationRows, HoldSixteenBitFloatsToTheFastestPeerOrToTheCopy) {
  ActivationRow row = tanh_row();
  row.what.dtype = DType::bfloat16;
  EXPECT_EQ(judge(row).fastest.bar, 0.75);
  EXPECT_FALSE(judge(row).passes()) << "0.2 is more than three quarters of 0.25";
  row.what.function = "relu";
  EXPECT_FALSE(judge(row).passes()) << "0.2 is twice the copy's 0.1";
  row.ns = 0.11;
  EXPECT_TRUE(judge(row).passes());
  row.what.gradient = true;
  EXPECT_EQ(judge(row).copy.bar, 0) << "a gradient is held to its peers";
}

TEST(ActivationRows, AreTheSameAfterWritingAndReading) {
  ActivationRun run{.machine = "m", .command = "c", .data = "d", .gigahertz = 3.5, .rows = {tanh_row()}};
  run.rows[0].limit_ns = std::nan("");
  EXPECT_EQ(to_json(run_from_json(to_json(run))), to_json(run));
}

TEST(ActivationRows, AreDrawnWithEveryNameInTableAndChart) {
  const ActivationRun run{.machine = "m",
                          .command = "c",
                          .data = "d",
                          .gigahertz = 3.5,
                          .missing = {{"jax", "no"}},
                          .rows = {tanh_row()}};
  EXPECT_NE(text_table(run).find("jax no"), std::string::npos);
  EXPECT_NE(markdown(run, "a.svg").find("| tanh | 65536 | 0.2 |"), std::string::npos);
  EXPECT_NE(chart(run).find(">tanh<"), std::string::npos);
}

TEST(ActivationsBench, WritesARowForEachDirectionAndSize) {
  const auto file = std::filesystem::temp_directory_path() / "keratin_activations_bench_test.json";
  const std::string command = std::string(KERATIN_BENCH_PROGRAM) +
                              " activations --quick --function tanh --json '" + file.string() + "'";
  ASSERT_EQ(std::system((command + " > /dev/null").c_str()), 0);
  std::ifstream stream(file);
  const auto json = nlohmann::ordered_json::parse(stream);
  std::filesystem::remove(file);
  ASSERT_EQ(json.at("rows").size(), 4u);
  for (const auto& row : json.at("rows")) {
    EXPECT_EQ(row.at("function"), "tanh");
    EXPECT_EQ(row.at("dtype"), "float32");
    EXPECT_GT(row.at("ns").get<double>(), 0);
    for (const char* key : {"direction", "n", "memory", "threads", "peers", "limit_ns"})
      EXPECT_TRUE(row.contains(key)) << key;
  }
}

}  // namespace
}  // namespace keratin::bench
