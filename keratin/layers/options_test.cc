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

// The fields of `struct <Struct>Options { ... };`, with default member initializers all.
Names fields_of(const std::string& header, const std::string& struct_name) {
  const std::string text = text_of(header);
  const std::size_t begin = text.find("struct " + struct_name + "Options {");
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
  /// Whose options they are, where several classes share them.
  std::string struct_name = class_name;
  /// Fields that this class takes as **kwargs, or that another class of the same options has.
  std::set<std::string> extra = {};
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {"Activation", "activation.h", '3'},
      {"AlphaDropout", "alpha_dropout.h", '3'},
      {"Dense", "dense.h", '3', {"quantization_config"}},
      {"Dense", "dense.h", '2', {}, true, "Dense", {"lora_rank", "lora_alpha"}},
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
      {"LocallyConnected1D", "locally_connected.h", '2', {}, true, "LocallyConnected"},
      {"Conv1D", "convolution.h", '3', {}, true, "Conv"},
      {"Conv2D", "convolution.h", '3', {}, true, "Conv"},
      {"Conv3D", "convolution.h", '3', {}, true, "Conv"},
      {"Conv1DTranspose", "convolution.h", '3', {}, true, "ConvTranspose"},
      {"Conv2DTranspose", "convolution.h", '3', {}, true, "ConvTranspose"},
      // Keras has data_format before output_padding here alone.
      {"Conv3DTranspose",
       "convolution.h",
       '3',
       {"output_padding"},
       true,
       "ConvTranspose",
       {"output_padding"}},
      {"DepthwiseConv1D", "convolution.h", '3', {}, true, "DepthwiseConv"},
      {"SeparableConv1D", "convolution.h", '3', {}, true, "SeparableConv"},
      {"DepthwiseConv2D", "convolution.h", '3', {}, true, "DepthwiseConv"},
      {"SeparableConv2D", "convolution.h", '3', {}, true, "SeparableConv"},
      {"MaxPooling1D", "pooling.h", '3', {"pool_size"}, true, "Pooling"},
      {"GlobalMaxPooling1D", "pooling.h", '3', {}, true, "GlobalPooling"},
      {"AveragePooling1D", "pooling.h", '3', {}, true, "Pooling"},
      {"GlobalAveragePooling1D", "pooling.h", '3', {}, true, "GlobalPooling"},
      {"MaxPooling2D", "pooling.h", '3', {"pool_size"}, true, "Pooling"},
      {"GlobalMaxPooling2D", "pooling.h", '3', {}, true, "GlobalPooling"},
      {"AveragePooling2D", "pooling.h", '3', {}, true, "Pooling"},
      {"GlobalAveragePooling2D", "pooling.h", '3', {}, true, "GlobalPooling"},
      {"MaxPooling3D", "pooling.h", '3', {"pool_size"}, true, "Pooling"},
      {"GlobalMaxPooling3D", "pooling.h", '3', {}, true, "GlobalPooling"},
      {"AveragePooling3D", "pooling.h", '3', {}, true, "Pooling"},
      {"GlobalAveragePooling3D", "pooling.h", '3', {}, true, "GlobalPooling"},
      {"AdaptiveMaxPooling2D", "pooling.h", '3', {}, true, "AdaptivePooling"},
      {"AdaptiveAveragePooling2D", "pooling.h", '3', {}, true, "AdaptivePooling"},
      {"SimpleRNN", "recurrent.h", '3', {}, true, "SimpleRNN", {"zero_output_for_mask", "time_major"}},
      // use_cudnn is a hint to GPUs; configs may have it.
      {"LSTM", "recurrent.h", '3', {"use_cudnn"}, true, "LSTM", {"zero_output_for_mask", "time_major"}},
      {"GRU", "recurrent.h", '3', {"use_cudnn"}, true, "GRU", {"zero_output_for_mask", "time_major"}},
      {"RNN", "recurrent.h", '3', {}, true, "RNN", {"time_major"}},
      {"ConvLSTM2D", "conv_lstm.h", '3', {}, true, "ConvLSTM", {"unroll", "zero_output_for_mask"}},
      {"TimeDistributed", "wrappers.h", '3'},
      {"SpectralNormalization", "spectral_normalization.h", '3'},
      {"Bidirectional", "wrappers.h", '3', {"weights"}},
      {"EinsumDense",
       "einsum_dense.h",
       '3',
       {"gptq_unpacked_column_size", "quantization_config"},
       true,
       "EinsumDense",
       {"activity_regularizer"}},
      {"Attention", "attention.h", '3'},
      {"AdditiveAttention", "attention.h", '3', {}, true, "AdditiveAttention", {"seed"}},
      {"MultiHeadAttention", "attention.h", '3', {}, true, "MultiHeadAttention", {"softmax_robust_masking"}},
      {"GroupQueryAttention", "attention.h", '3'},
      {"ActivityRegularization", "rescaling.h", '3'},
      {"Add", "merge.h", '3', {}, true, "Merge"},
      {"Average", "merge.h", '3', {}, true, "Merge"},
      {"BatchNormalization", "batch_normalization.h", '3'},
      {"Concatenate", "merge.h", '3'},
      {"Cropping1D", "zero_padding.h", '3', {"cropping"}, true, "Cropping", {"data_format"}},
      {"Cropping2D", "zero_padding.h", '3', {"cropping"}, true, "Cropping"},
      {"Cropping3D", "zero_padding.h", '3', {"cropping"}, true, "Cropping"},
      {"Dot", "merge.h", '3'},
      // There are no sparse tensors; configs may say false.
      {"Embedding", "embedding.h", '2', {"sparse"}, true, "Embedding", {"lora_rank", "lora_alpha"}},
      {"Embedding",
       "embedding.h",
       '3',
       {"weights", "quantization_config"},
       true,
       "Embedding",
       {"activity_regularizer", "input_length"}},
      {"ReversibleEmbedding",
       "reversible_embedding.h",
       '3',
       {},
       true,
       "ReversibleEmbedding",
       {"activity_regularizer"}},
      {"GaussianDropout", "noise.h", '3'},
      {"GaussianNoise", "noise.h", '3'},
      {"GroupNormalization", "layer_normalization.h", '3'},
      {"LayerNormalization", "layer_normalization.h", '3', {}, true, "LayerNormalization", {"rms_scaling"}},
      {"Masking", "embedding.h", '3'},
      {"Maximum", "merge.h", '3', {}, true, "Merge"},
      {"Minimum", "merge.h", '3', {}, true, "Merge"},
      {"Multiply", "merge.h", '3', {}, true, "Merge"},
      {"Normalization", "rescaling.h", '3'},
      {"Permute", "rearrange.h", '3'},
      {"RMSNormalization", "layer_normalization.h", '3'},
      {"RepeatVector", "rearrange.h", '3'},
      {"Rescaling", "rescaling.h", '3'},
      {"SpatialDropout1D", "noise.h", '3', {}, true, "SpatialDropout", {"data_format"}},
      {"SpatialDropout2D", "noise.h", '3', {}, true, "SpatialDropout"},
      {"SpatialDropout3D", "noise.h", '3', {}, true, "SpatialDropout"},
      {"Subtract", "merge.h", '3', {}, true, "Merge"},
      {"UnitNormalization", "layer_normalization.h", '3'},
      {"UpSampling1D", "up_sampling.h", '3', {"size"}, true, "UpSampling", {"data_format", "interpolation"}},
      {"UpSampling2D", "up_sampling.h", '3', {"size"}, true, "UpSampling"},
      {"UpSampling3D", "up_sampling.h", '3', {"size"}, true, "UpSampling", {"interpolation"}},
      {"ZeroPadding1D", "zero_padding.h", '3', {"padding"}, true, "ZeroPadding"},
      {"ZeroPadding2D", "zero_padding.h", '3', {"padding"}, true, "ZeroPadding"},
      {"ZeroPadding3D", "zero_padding.h", '3', {"padding"}, true, "ZeroPadding"},
  };
  return table;
}

TEST(Options, FieldsStandInTheOrderOfKerasSignature) {
  for (const Row& row : rows()) {
    const Signature signature = signatures_of(row.generation)[row.class_name];
    Names fields = fields_of(row.header, row.struct_name);
    std::erase_if(fields, [&](const std::string& field) { return row.extra.contains(field); });
    // SpatialDropout lists name and dtype itself.
    Names keywords = signature.keywords;
    if (row.has_common) {
      std::erase_if(keywords, [](const std::string& name) { return name == "name" || name == "dtype"; });
      ASSERT_GE(fields.size(), 3U) << row.class_name;
      EXPECT_EQ(Names(fields.end() - 3, fields.end()), (Names{"name", "trainable", "dtype"}))
          << row.class_name;
      fields.resize(fields.size() - 3);
    }
    EXPECT_TRUE(is_in_order(fields, keywords)) << row.class_name;
    for (const std::string& keyword : keywords) {
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
