#include "keratin/io/onnx.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/message_of.h"
#include "keratin/io/byte_source.h"
#include "keratin/io/npz.h"
#include "keratin/io/test_folder.h"

namespace keratin::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Protobuf, written by hand: numbers below 128 are a varint of one byte.
std::string message(int field, std::string_view content) {
  std::string size;
  for (std::size_t left = content.size();;) {
    size += static_cast<char>((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
    if ((left >>= 7) == 0) break;
  }
  return std::string(1, static_cast<char>(field << 3 | 2)) + size + std::string(content);
}
std::string varint(int field, int value) { return {static_cast<char>(field << 3), static_cast<char>(value)}; }
std::string node(std::string_view operation, const std::vector<std::string>& inputs, std::string_view output,
                 const std::string& more = {}) {
  std::string text;
  for (const std::string& input : inputs) text += message(1, input);
  return message(1, text + message(2, output) + message(3, "n") + message(4, operation) + more);
}
constexpr int kFloat = 1, kUint8 = 2, kInt64 = 7;
std::string value(int field, std::string_view name, int type = kFloat) {
  return message(field, message(1, name) + message(2, message(1, varint(1, type))));
}
std::string input(std::string_view name, int type = kFloat) { return value(11, name, type); }
std::string output(std::string_view name) { return value(12, name); }
std::string constant(std::string_view name, const std::string& fields) {
  return message(5, fields + message(8, name));
}
std::string model(const std::string& graph) { return message(7, graph); }

Expr read(std::string_view text) {
  return read_onnx(std::as_bytes(std::span(text.data(), text.size())), "g.onnx");
}
std::string refusal(std::string_view text) {
  return message_of<IoError>([&] { read(text); });
}

TEST(Onnx, EveryOperatorComputesWhatOnnxruntimeDoes) {
  const NamedTensors file = load_npz(kTestData / "onnx.npz");
  const Tensor x = file["x"];
  int graphs = 0;
  for (const auto& [name, bytes] : file) {
    if (!name.ends_with(".onnx")) continue;
    ++graphs;
    const std::string stem = name.substr(0, name.size() - 5);
    const auto content = bytes.values<std::uint8_t>();
    const Expr expression = read_onnx(std::as_bytes(content), name);
    const auto expected = file[stem + ".y"].values<float>();
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const double at = x.values<float>()[static_cast<std::size_t>(i)];
      const double y = expression.evaluate(at), wanted = expected[static_cast<std::size_t>(i)];
      if (y == wanted || (std::isnan(y) && std::isnan(wanted))) continue;
      // Ten roundings of float32: onnxruntime's own tanh, erf and sigmoid take that many, some of sums
      // near 1.
      EXPECT_NEAR(y, wanted, 6e-7 * std::fmax(1, std::fabs(wanted))) << stem << " at " << at;
    }
  }
  EXPECT_EQ(graphs, 120);
}

// What fmod and powers come to in f32 and its fast ways, next to multiples of the divisor too.
TEST(Onnx, Float32TensorsGetFmodExactlyAndPowersOfTwoNumbersRounded) {
  const NamedTensors file = load_npz(kTestData / "onnx.npz");
  const auto activation = [&](const char* name) {
    const auto content = file[name].values<std::uint8_t>();
    return read_onnx(std::as_bytes(content), name).to_activation_fn();
  };
  std::vector<float> numbers;
  for (int i = -400; i <= 400; ++i) {
    const float multiple = static_cast<float>(i) * 0.7F;
    numbers.insert(numbers.end(), {multiple, std::nextafterf(multiple, 1e9F),
                                   std::nextafterf(multiple, -1e9F), multiple * 1000.3F});
  }
  const Tensor x = Tensor::from(numbers, {std::ssize(numbers)});
  const Tensor remainders = activation("fmod.onnx")(x), powers = activation("pow_whole.onnx")(x);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float at = numbers[i];
    EXPECT_EQ(remainders.values<float>()[i], std::fmod(at, 0.7F)) << at;
    const double power = std::pow(double{at}, std::floor(at));
    const auto expected = static_cast<float>(power);
    EXPECT_FLOAT_EQ(powers.values<float>()[i], expected) << at;
  }
}

TEST(Onnx, GradientsOfPowersAreThoseOfBothInputs) {
  // By mpmath: d/dx of x^(x + 2), and at 0, where its limit is 0.
  const std::string two = constant("two", varint(2, kFloat) + message(9, std::string("\0\0\0\x40", 4)));
  const Expr power = read(
      model(input("x") + output("y") + two + node("Add", {"x", "two"}, "b") + node("Pow", {"x", "b"}, "y")));
  for (const auto& [at, slope] : {std::pair(0.0, 0.0), {0.5, 0.761351209}, {1.0, 3.0}, {2.5, 167.766904}})
    EXPECT_NEAR(power.derivative().evaluate(at), slope, 1e-8 * std::fmax(1, slope)) << at;
  // x^1, with the exponent computed from x.
  const Expr one = read(model(input("x") + output("y") + node("Mul", {"x", "x"}, "s") +
                              node("Cos", {"s"}, "b") + node("Pow", {"x", "b"}, "y")));
  EXPECT_EQ(one.derivative().evaluate(0), 1);
}

TEST(Onnx, OperatorsBecomeTheBuiltInsOfTheirName) {
  const NamedTensors file = load_npz(kTestData / "onnx.npz");
  for (const auto& [name, text] : {std::pair("selu", "selu(x)"),
                                   {"elu_alpha", "elu(x, alpha=0.30000001192092896)"},
                                   {"gelu_tanh", "gelu(x, approximate=true)"},
                                   {"clip", "clip(x, 0.5, 2)"},
                                   {"pow_int", "x * x"},
                                   {"dropout", "x"},
                                   {"hardswish", "hard_silu(x)"}}) {
    const auto content = file[std::string(name) + ".onnx"].values<std::uint8_t>();
    EXPECT_EQ(read_onnx(std::as_bytes(content), name).to_string(), text);
  }
}

TEST(Onnx, FilesAreRead) {
  EXPECT_EQ(
      load_onnx(kTestData / "function.onnx").to_string(),
      "leaky_relu(tanh(x), negative_slope=0.5) + leaky_relu(tanh(leaky_relu(tanh(x), negative_slope=0.5)), "
      "negative_slope=0.10000000149011612)");
  EXPECT_THAT(message_of<IoError>([] { load_onnx("no_such.onnx"); }), HasSubstr("no_such.onnx"));
  EXPECT_THAT(message_of<IoError>([] { load_onnx(kTestData); }), HasSubstr("folder"));
}

TEST(Onnx, RefusesWhatIsNoFunctionOfOneNumberAndSaysWhy) {
  const std::string x = input("x"), y = output("y");
  const std::string three =
      constant("w", varint(1, 3) + varint(2, kFloat) + message(9, std::string(12, '\0')));
  const struct {
    std::string graph;
    const char *says, *also;
  } rows[] = {
      {x + input("z") + y + node("Add", {"x", "z"}, "y"), "one input", "2 inputs"},
      {y + node("Constant", {}, "y"), "one input", "0 inputs"},
      {x + y + output("z") + node("Relu", {"x"}, "y"), "one output", "2 outputs"},
      {input("x", kInt64) + y + node("Relu", {"x"}, "y"), "floating type", "type 7"},
      {x + y + node("MatMul", {"x", "x"}, "y"), "node \"n\" (MatMul)", "Export the activation alone"},
      {x + y + node("Relu", {"x"}, "y", message(7, "org.example")), "\"org.example\"", "(Relu)"},
      {x + y + three + node("Mul", {"x", "w"}, "y"), "shape [3]", "one element"},
      {x + y + constant("w", varint(2, kFloat) + varint(14, 1)) + node("Mul", {"x", "w"}, "y"),
       "another file", "Mul"},
      {x + y + constant("w", varint(2, 8) + message(9, "abcd")) + node("Mul", {"x", "w"}, "y"),
       "without a number", "Mul"},
      {x + y + constant("w", varint(2, kInt64) + varint(7, 3)) + node("Mul", {"x", "w"}, "y"), "an integer",
       "floats"},
      {x + y + node("Relu", {"z"}, "y"), "\"z\"", "not there yet"},
      {x + y + node("Relu", {"x"}, "z"), "\"y\"", "lead to the output"},
      {x + y + node("Relu", {"x", "x"}, "y"), "1 inputs", "has 2"},
      {x + y + node("Where", {"x", "x", "x"}, "y"), "conditions", "floating number"},
      {x + y + node("IsNaN", {"x"}, "y"), "floating numbers", "true or false"},
      {x + y + constant("w", varint(2, kInt64) + varint(7, 3)) + node("Mul", {"w", "x"}, "y"),
       "int32 or int64", "floating number"},
      {x + y + constant("w", varint(2, kInt64) + varint(7, 3)) + node("Pow", {"w", "x"}, "y"), "an integer",
       "Cast them"},
      {x + y + constant("w", varint(2, kUint8) + varint(5, 3)) + node("Add", {"w", "w"}, "y"),
       "other than int32 and int64", "Add"},
      {x + y + node("Mod", {"x", "x"}, "y"), "fmod = 1", "a - b * floor(a / b)"},
      {x + y + node("Reshape", {"x", "x"}, "y"), "changes the shape", "Reshape"},
      {x + y + node("Cast", {"x"}, "y", message(5, message(1, "to") + varint(3, kUint8))), "type 2", "int64"},
      {x + y + node("Cast", {"x"}, "y", message(5, message(1, "to") + varint(3, kInt64))),
       "output of floating numbers", "an integer"},
      {x + y + node("Gelu", {"x"}, "y", message(5, message(1, "approximate") + message(4, "sinh"))),
       "\"tanh\"", "Gelu"},
      {x + y + node("Celu", {"x"}, "y", message(5, message(1, "alpha") + std::string("\x15\0\0\0\0", 5))),
       "alpha", "Celu"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(refusal(model(row.graph)),
                AllOf(HasSubstr(row.says), HasSubstr(row.also), HasSubstr("g.onnx")));
  }
  EXPECT_THAT(refusal(""), HasSubstr("has none"));
  EXPECT_THAT(refusal("\x93NUMPY"), HasSubstr("another kind of file"));
}

TEST(Onnx, HostileFilesAreRefusedWithoutHarm) {
  const std::string x = input("x"), y = output("y");
  // A length beyond the end, a varint without one, fields in forms that they do not have.
  EXPECT_THAT(refusal(std::string("\x3A\x7F\x0A", 3)), HasSubstr("cut off"));
  EXPECT_THAT(refusal(std::string(20, '\xFF')), HasSubstr("protobuf"));
  EXPECT_THAT(refusal(model(varint(1, 3) + varint(11, 1) + x + y)), HasSubstr("lead to the output"));
  // 2^17 nodes; 11,000; expressions nested 1,500 deep.
  std::string many, chain = node("Sin", {"x"}, "v");
  for (int i = 0; i < (1 << 17); ++i) many += node("Sin", {}, "");
  EXPECT_THAT(refusal(model(x + y + many)), HasSubstr("at most 100000"));
  for (int i = 0; i < 11'000; ++i) chain += node("Identity", {"v"}, "v");
  EXPECT_THAT(refusal(model(x + y + chain)), HasSubstr("at most 10000 nodes"));
  std::string deep = node("Sin", {"x"}, "v");
  for (int i = 0; i < 1'500; ++i) deep += node("Sin", {"v"}, "v");
  EXPECT_THAT(refusal(model(x + y + deep)), HasSubstr("nested"));
  // A function that calls itself; ten that call the next ten times, 10^10 nodes in all.
  const auto function = [](const std::string& name, const std::string& nodes) {
    return message(4, "a") + message(5, "b") + message(1, name) + nodes;
  };
  // Nodes of a function have another field's number than those of a graph.
  const auto call = [](const std::string& name) {
    return message(7, message(1, "a") + message(2, "b") + message(4, name));
  };
  const auto functions = [](const std::string& content) {
    // Field 25 has a key of two bytes.
    return std::string("\xCA\x01") + message(0, content).substr(1);
  };
  EXPECT_THAT(refusal(functions(function("f", call("f"))) + model(x + y + node("f", {"x"}, "y"))),
              HasSubstr("16 deep"));
  std::string bomb;
  for (int i = 0; i < 10; ++i) {
    std::string body;
    for (int k = 0; k < 10; ++k) body += i == 9 ? call("Sin") : call("f" + std::to_string(i + 1));
    bomb += functions(function("f" + std::to_string(i), body));
  }
  EXPECT_THAT(refusal(bomb + model(x + y + node("f0", {"x"}, "y"))), HasSubstr("10000 nodes"));
  EXPECT_THAT(refusal(std::string((std::size_t{16} << 20) + 1, '\0')), HasSubstr("16 MiB"));
}

TEST(Onnx, AnyDamageIsAnIoErrorAndNeverACrash) {
  for (const char* name : {"logical.onnx", "function.onnx"}) {
    const auto whole = read_file(kTestData / name);
    const std::size_t refused = refused_when_damaged(
        whole, [](std::span<const std::byte> bytes) { read_onnx(bytes, "damaged.onnx").evaluate(0.5); });
    EXPECT_GE(refused, whole.size() / 2) << name;
  }
}

}  // namespace
}  // namespace keratin::io
