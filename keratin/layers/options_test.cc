// The fields of each options struct stand in the order of Keras's signature, so that designated initializers
// read like keyword arguments. The signatures in testdata/signatures.txt are Keras's own.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace keratin {
namespace {

using Names = std::vector<std::string>;

std::string text_of(const std::string& path) {
  std::ifstream file(KERATIN_SOURCE_DIR "/keratin/layers/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The fields of `struct <Class>Options { ... };`, with default member initializers all.
Names fields_of(const std::string& header, const std::string& class_name) {
  const std::string text = text_of(header);
  const std::size_t begin = text.find("struct " + class_name + "Options {");
  EXPECT_NE(begin, std::string::npos) << header;
  std::istringstream body(text.substr(begin, text.find("\n};", begin) - begin));
  const std::regex field(R"(^  [\w:<> ]+ (\w+) = [^;]+;$)");
  Names names;
  std::string line;
  std::getline(body, line);
  while (std::getline(body, line)) {
    std::smatch match;
    if (line.starts_with("  //")) continue;
    EXPECT_TRUE(std::regex_match(line, match, field)) << header << ": " << line;
    if (!match.empty()) names.push_back(match[1]);
  }
  return names;
}

struct Signature {
  Names positional, keywords;
};

// "3 Dropout (rate, noise_shape=None, seed=None, **kwargs)"
std::map<std::string, Signature> signatures_of(char generation) {
  std::map<std::string, Signature> signatures;
  std::istringstream lines(text_of("testdata/signatures.txt"));
  std::string line;
  while (std::getline(lines, line)) {
    if (line[0] != generation) continue;
    const std::size_t open = line.find(" (");
    Signature& signature = signatures[line.substr(2, open - 2)];
    std::istringstream arguments(line.substr(open + 2, line.size() - open - 3));
    std::string argument;
    while (std::getline(arguments, argument, ',')) {
      argument.erase(0, argument.find_first_not_of(' '));
      const std::size_t equals = argument.find('=');
      if (argument.starts_with("**")) continue;
      if (equals == std::string::npos) {
        signature.positional.push_back(argument);
      } else {
        signature.keywords.push_back(argument.substr(0, equals));
      }
    }
  }
  return signatures;
}

bool is_in_order(const Names& part, const Names& whole) {
  auto at = whole.begin();
  for (const std::string& name : part) {
    at = std::find(at, whole.end(), name);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

struct Row {
  const char *class_name, *header;
  char generation;
  /// Arguments that Keras has and the struct has not: a constructor's first argument, or not supported.
  std::set<std::string> left_out = {};
  /// name, trainable and dtype, which Keras takes as **kwargs.
  bool has_common = true;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {"Activation", "activation.h", '3'},
      {"AlphaDropout", "alpha_dropout.h", '3'},
      {"Dense", "dense.h", '3', {"lora_rank", "lora_alpha", "quantization_config"}},
      {"Dense", "dense.h", '2'},
      {"Dropout", "dropout.h", '3'},
      {"ELU", "elu.h", '3'},
      {"Flatten", "flatten.h", '3'},
      {"Input", "input.h", '3', {"shape", "sparse", "ragged", "batch_shape", "tensor"}, false},
      {"LeakyReLU", "leaky_relu.h", '3'},
      {"PReLU", "prelu.h", '3'},
      {"ReLU", "relu.h", '3'},
      {"Reshape", "reshape.h", '3'},
      {"Softmax", "softmax.h", '2'},
      {"ThresholdedReLU", "thresholded_relu.h", '2'},
  };
  return table;
}

TEST(Options, FieldsStandInTheOrderOfKerasSignature) {
  for (const Row& row : rows()) {
    const Signature signature = signatures_of(row.generation)[row.class_name];
    Names fields = fields_of(row.header, row.class_name);
    if (row.has_common) {
      ASSERT_GE(fields.size(), 3U) << row.class_name;
      EXPECT_EQ(Names(fields.end() - 3, fields.end()), (Names{"name", "trainable", "dtype"}))
          << row.class_name;
      fields.resize(fields.size() - 3);
    }
    EXPECT_TRUE(is_in_order(fields, signature.keywords)) << row.class_name;
    for (const std::string& keyword : signature.keywords) {
      EXPECT_NE(std::count(fields.begin(), fields.end(), keyword) == 1, row.left_out.contains(keyword))
          << row.class_name << ": " << keyword;
    }
  }
}

TEST(Options, EveryLayerOfTheSignaturesHasARow) {
  std::set<std::string> known;
  for (const Row& row : rows()) known.insert(row.class_name);
  for (const char generation : {'2', '3'}) {
    for (const auto& [class_name, signature] : signatures_of(generation)) {
      EXPECT_TRUE(known.contains(class_name)) << class_name;
    }
  }
}

// The reading itself: it must not pass whatever the header says.
TEST(Options, AnOrderThatIsWrongIsSeen) {
  EXPECT_TRUE(is_in_order({"a", "c"}, {"a", "b", "c"}));
  EXPECT_FALSE(is_in_order({"c", "a"}, {"a", "b", "c"}));
  EXPECT_EQ(fields_of("relu.h", "ReLU"),
            (Names{"max_value", "negative_slope", "threshold", "name", "trainable", "dtype"}));
  EXPECT_EQ(signatures_of('3')["Dropout"].positional, Names{"rate"});
}

}  // namespace
}  // namespace keratin
