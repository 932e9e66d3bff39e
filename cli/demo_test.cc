// The demo from outside: what it prints, how well the networks do, what the report holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/candidates.h"
#include "cli/exit_codes.h"
#include "cli/test_program.h"

namespace keratin::cli {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The first number of each row of the table: the accuracy in percent, or R².
std::map<std::string, double> scores_of(const std::string& out) {
  std::map<std::string, double> scores;
  bool in_table = false;
  for (const std::string& line : lines_of(out)) {
    if (line.starts_with("activation ")) {
      in_table = true;
    } else if (line.empty()) {
      in_table = false;
    } else if (in_table) {
      std::istringstream words(line);
      std::string name;
      double score = -1;
      words >> name >> score;
      scores[name] = score;
    }
  }
  return scores;
}

/// Every tag is closed in its order, no id comes twice, every reference stays inside the page.
void expect_whole_and_self_contained(const std::string& html) {
  const std::set<std::string> empty_elements = {"meta", "img", "br"};
  std::vector<std::string> open;
  std::set<std::string> ids;
  std::size_t at = html.find("<html");
  while ((at = html.find('<', at)) != std::string::npos) {
    const std::size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /\n", 1));
    const std::size_t id = tag.find(" id=\"");
    if (id != std::string::npos) {
      const std::string value = tag.substr(id + 5, tag.find('"', id + 5) - id - 5);
      EXPECT_TRUE(ids.insert(value).second) << "id " << value << " comes twice";
    }
    if (name[0] == '/') {
      ASSERT_FALSE(open.empty()) << tag;
      ASSERT_EQ(open.back(), name.substr(1)) << html.substr(at > 200 ? at - 200 : 0, 260);
      open.pop_back();
    } else if (tag.back() != '/' && !empty_elements.contains(name)) {
      open.push_back(name);
    }
    if (name == "style") at = html.find("</style", at) - 1;
    ++at;
  }
  EXPECT_THAT(open, IsEmpty());
  for (const char* outside : {"http:", "https:", "\"//", "(//", "<script", "@import", "<link", "<iframe"}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  for (std::size_t i = html.find("src=\""); i != std::string::npos; i = html.find("src=\"", i + 1)) {
    EXPECT_EQ(html.substr(i + 5, 22), "data:image/png;base64,");
  }
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) ++count;
  return count;
}

TEST(Demo, ClassifiesHeldOutDigitsWithEveryActivation) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {"demo", "--seed", "1", "--output", "digits.html"});
  SCOPED_TRACE(result.out + result.err);
  ASSERT_EQ(result.code, kFine);
  const std::map<std::string, double> scores = scores_of(result.out);
  EXPECT_EQ(scores.size(), all_candidates().size());
  double best = 0;
  for (const auto& [name, score] : scores) best = std::max(best, score);
  // What the demo promises. Over ten seeds the best was never below 98.14, the lowest of these ten 95.55.
  EXPECT_GE(best, 97.5);
  for (const char* name :
       {"relu", "elu", "selu", "tanh", "softplus", "softsign", "sigmoid", "gelu", "silu", "mish"}) {
    ASSERT_TRUE(scores.contains(name)) << name;
    EXPECT_GE(scores.at(name), 95.0) << name;
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Two minutes on two cores are promised; processor time does not depend on what else the machine does.
  EXPECT_LT(result.cpu_seconds, 120);
#endif

  const std::string path = lines_of(result.out).back();
  EXPECT_EQ(path, std::filesystem::canonical(folder.path()) / "digits.html");
  const std::string html = read_file(path);
  expect_whole_and_self_contained(html);
  // An image of each mistake, two charts of each function and network, and the one of all networks.
  EXPECT_GE(count_of(html, "<img "), 6U);
  EXPECT_EQ(count_of(html, "<svg "), all_candidates().size() + 30 + 1);
  EXPECT_EQ(count_of(html, "<svg "), count_of(html, "<desc "));
  EXPECT_THAT(html, AllOf(HasSubstr("Confusion matrix"), HasSubstr("read as"), HasSubstr("CC BY 4.0"),
                          HasSubstr("keratin demo --seed 1 --output digits.html")));
}

TEST(Demo, GivesTheSameResultsForTheSameSeedWhateverTheThreadsAndTheCompany) {
  const TestFolder folder;
  const auto scores = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"demo", "--quick", "--epochs", "2"});
    return scores_of(run_program(folder, arguments).out);
  };
  const auto all = scores({});
  const auto alone = scores({"--activation", "mish", "--threads", "1"});
  ASSERT_EQ(all.size(), 10U);
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_EQ(all.at("mish"), alone.at("mish"));
  EXPECT_EQ(scores({"--threads", "3"}), all);
  EXPECT_NE(scores({"--seed", "2"}), all);
}

TEST(Demo, DrawsOverItsProgressOnATerminalAlone) {
  const TestFolder folder;
  const std::vector<std::string> arguments = {"demo", "--activation", "relu", "--epochs", "20"};
  const ProgramResult watched = run_on_terminal(folder, arguments, {"TERM=xterm", "LC_ALL=C.UTF-8"});
  EXPECT_EQ(watched.code, kFine);
  EXPECT_THAT(watched.out, AllOf(HasSubstr("\r"), HasSubstr("━"), HasSubstr("epoch ")));
  const ProgramResult piped = run_program(folder, arguments);
  EXPECT_THAT(piped.out, AllOf(Not(HasSubstr("\r")), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(lines_of(piped.out).back(), EndsWith("keratin-report.html"));
}

TEST(Demo, ReportsANetworkThatFailsAndGoesOn) {
  const TestFolder folder;
  // Each column is 0 but for one row. Where the training rows hold nothing but zeros, the other row stays at
  // 1e30, and the exponential of that is infinite; tanh does not mind.
  constexpr int kRows = 60;
  std::string csv;
  for (int i = 0; i < kRows; ++i) csv += "x" + std::to_string(i) + ",";
  csv += "y\n";
  for (int i = 0; i < kRows; ++i) {
    for (int k = 0; k < kRows; ++k) csv += i == k ? "1e30," : "0,";
    csv += std::to_string(i % 2) + "\n";
  }
  folder.write("wild.csv", csv);
  const auto demo = [&](std::vector<std::string> activations) {
    std::vector<std::string> arguments = {"demo", "--data", "wild.csv", "--epochs", "3", "--activation"};
    arguments.insert(arguments.end(), activations.begin(), activations.end());
    return run_program(folder, arguments);
  };
  const ProgramResult both = demo({"exponential", "tanh"});
  SCOPED_TRACE(both.out + both.err);
  EXPECT_EQ(both.code, kFine);
  EXPECT_THAT(both.out, AllOf(HasSubstr("failed"), HasSubstr("Best: tanh"), HasSubstr("1 failed")));
  expect_whole_and_self_contained(read_file(folder.file("keratin-report.html")));
  const ProgramResult none = demo({"exponential"});
  EXPECT_EQ(none.code, kFailed);
  EXPECT_THAT(none.out, HasSubstr("No network could be trained"));
  expect_whole_and_self_contained(read_file(folder.file("keratin-report.html")));
}

std::string iris_like() {
  std::string csv = "length,width,kind\n";
  for (int i = 0; i < 90; ++i) {
    const int kind = i % 3;
    csv += std::to_string(kind * 2 + 0.01 * (i % 10)) + "," + std::to_string(5 - kind + 0.02 * (i % 7)) +
           "," +
           std::vector<std::string>{"setosa", "versicolor", "<b>&virginica"}[static_cast<std::size_t>(kind)] +
           "\n";
  }
  return csv;
}

TEST(Demo, TrainsOnATableWithClassesInWords) {
  const TestFolder folder;
  folder.write("iris.csv", iris_like());
  const ProgramResult result =
      run_program(folder, {"demo", "--data", "iris.csv", "--activation", "tanh", "--output", "r.html"});
  SCOPED_TRACE(result.out + result.err);
  ASSERT_EQ(result.code, kFine);
  // The kinds lie apart by construction.
  EXPECT_EQ(scores_of(result.out).at("tanh"), 100.0);
  EXPECT_THAT(result.out,
              HasSubstr("54 rows to train, 9 to validate, 27 held out; predicting \"kind\" (3 classes)"));
  const std::string html = read_file(folder.file("r.html"));
  expect_whole_and_self_contained(html);
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;&amp;virginica"));
}

TEST(Demo, PredictsNumbersFromATableAndNamedTarget) {
  const TestFolder folder;
  std::string csv = "price,size,rooms\n";
  for (int i = 0; i < 200; ++i) {
    const int size = (i * 37) % 100, rooms = (i * 11) % 5;
    csv += std::to_string(1000 + 3.5 * size + 40.25 * rooms) + "," + std::to_string(size) + "," +
           std::to_string(rooms) + "\n";
  }
  folder.write("flats.csv", csv);
  const ProgramResult result = run_program(folder, {"demo", "--data", "flats.csv", "--target", "price",
                                                    "--activation", "gelu", "--output", "r.html"});
  SCOPED_TRACE(result.out + result.err);
  ASSERT_EQ(result.code, kFine);
  EXPECT_THAT(result.out, HasSubstr("predicting \"price\" (a number) from 2 numbers"));
  // The target is a plane without noise: nearly all of its variance can be explained.
  EXPECT_GT(scores_of(result.out).at("gelu"), 0.99);
  const std::string html = read_file(folder.file("r.html"));
  expect_whole_and_self_contained(html);
  EXPECT_THAT(html, HasSubstr("Predicted against true values"));
}

TEST(Demo, NamesBadRowsByTheirLineAndLeavesThemOutOnRequest) {
  const TestFolder folder;
  std::string csv = iris_like();
  csv += "abc,1,setosa\n1,2\n";  // lines 92 and 93
  folder.write("bad.csv", csv);
  const ProgramResult refused = run_program(folder, {"demo", "--data", "bad.csv", "--output", "r.html"});
  EXPECT_EQ(refused.code, kFileProblem);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("line 92"), HasSubstr("\"abc\""), HasSubstr("line 93"),
                                 HasSubstr("--skip-bad-rows")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("r.html")));
  const ProgramResult skipped = run_program(
      folder, {"demo", "--data", "bad.csv", "--skip-bad-rows", "--activation", "relu", "--epochs", "2"});
  EXPECT_EQ(skipped.code, kFine);
  EXPECT_THAT(skipped.err, AllOf(HasSubstr("left out line 92"), HasSubstr("left out line 93")));
}

TEST(Demo, RefusesTablesThatCannotBeLearned) {
  const TestFolder folder;
  std::string gap = iris_like(), constant = "x,y\n", names = "x,name\n";
  const std::size_t first = gap.find('\n') + 1;
  gap.replace(first, gap.find(',', first) - first, "nan");
  for (int i = 0; i < 40; ++i) {
    constant += std::to_string(i) + ",7\n";
    names += std::to_string(i) + ",person " + std::to_string(i) + "\n";
  }
  const std::vector<std::pair<std::string, const char*>> cases = {
      {gap, "data row 1"},
      {constant, "always \"7\""},
      {names, "40 different texts in 40 rows"},
      {"x,y\n1,2\n3,4\n", "at least 20 rows"},
  };
  for (const auto& [csv, says] : cases) {
    folder.write("table.csv", csv);
    const ProgramResult result = run_program(folder, {"demo", "--data", "table.csv"});
    EXPECT_EQ(result.code, kFileProblem) << says;
    EXPECT_THAT(result.err, HasSubstr(says));
  }
  folder.write("one.csv", "y\n" + std::string("1\n2\n3\n"));
  EXPECT_EQ(run_program(folder, {"demo", "--data", "one.csv"}).code, kFileProblem);
}

TEST(Demo, KeepsTheOldReportUntilTheNewOneIsWhole) {
  const TestFolder folder;
  folder.write("r.html", "old");
  const pid_t child = fork();
  if (child == 0) {
    if (chdir(folder.path().c_str()) != 0) _exit(126);
    const int null_file = open("/dev/null", O_WRONLY);
    dup2(null_file, STDOUT_FILENO);
    detail::execute({"demo", "--output", "r.html"}, {});
  }
  usleep(300'000);
  kill(child, SIGINT);
  ProgramResult result;
  detail::wait_for(child, result);
  EXPECT_EQ(result.code, 128 + SIGINT);
  EXPECT_EQ(read_file(folder.file("r.html")), "old");
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().filename(), "r.html");
  }
}

}  // namespace
}  // namespace keratin::cli
