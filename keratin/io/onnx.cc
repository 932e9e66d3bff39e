// ONNX graphs run on expressions, node by node.
#include "keratin/io/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/activations/expression_node.h"
#include "keratin/core/error.h"
#include "keratin/io/byte_source.h"
#include "keratin/io/onnx_file.h"
#include "keratin/io/onnx_operators.h"

namespace keratin::inline v0::io {
namespace detail {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{16} << 20;
constexpr std::size_t kMaxNodes = 10'000;
constexpr int kMaxCalls = 16;

using Values = std::map<std::string_view, OnnxResult>;
using Attributes = std::map<std::string_view, const OnnxAttribute*>;

class Evaluator {
 public:
  Evaluator(const OnnxModel& model, const std::string& file) : model_(model), file_(file) {}

  Expr run() {
    Values values;
    for (const OnnxTensor& constant : model_.constants) values[constant.name] = constant_of(constant);
    // Older files list constants among the inputs too.
    std::vector<const OnnxValue*> inputs;
    for (const OnnxValue& input : model_.inputs) {
      if (!values.contains(input.name)) inputs.push_back(&input);
    }
    check_one("input", inputs.size());
    check_one("output", model_.outputs.size());
    if (inputs[0]->type != OnnxType::undefined && !is_floating(inputs[0]->type)) {
      throw IoError("onnx", "expects an input of a floating type",
                    fmt::format("\"{}\" of \"{}\" has ONNX's type {}", inputs[0]->name, file_,
                                static_cast<int>(inputs[0]->type)));
    }
    values[inputs[0]->name] = {OnnxResult::Kind::number, keratin::detail::make_input()};
    run_nodes(model_.nodes, values, {}, 0);
    const auto output = values.find(model_.outputs[0].name);
    if (output == values.end()) {
      throw IoError("onnx", "expects nodes that lead to the output",
                    fmt::format("none in \"{}\" gives \"{}\"", file_, model_.outputs[0].name));
    }
    if (output->second.kind != OnnxResult::Kind::number) {
      throw IoError("onnx", "expects an output of floating numbers",
                    fmt::format("\"{}\" of \"{}\" is {}", output->first, file_, output->second.describe()),
                    "A Cast to float32 makes numbers of true and false.");
    }
    Expr result(output->second.node);
    try {
      result.size();
    } catch (const ValueError& error) {
      throw IoError("onnx", "expects what an expression can hold",
                    fmt::format("\"{}\": {}", file_, error.what()));
    }
    return result;
  }

 private:
  void check_one(std::string_view what, std::size_t count) const {
    if (count == 1) return;
    throw IoError(
        "onnx",
        fmt::format("expects a function of one {0}", what == "input" ? "input" : "input to one output"),
        fmt::format("\"{}\" has {} {}s", file_, count, what), kAlone);
  }

  // Outer attributes are those of the function whose body this is.
  void run_nodes(const std::vector<OnnxNode>& nodes, Values& values, const Attributes& outer, int calls) {
    for (const OnnxNode& node : nodes) {
      if (++nodes_run_ > kMaxNodes) {
        throw IoError("onnx",
                      fmt::format("expects at most {} nodes, those of called functions included", kMaxNodes),
                      fmt::format("\"{}\" has more", file_), kAlone);
      }
      OnnxCall call{node, file_};
      for (const std::string_view input : node.inputs) call.inputs.push_back(value_of(call, input, values));
      for (const OnnxAttribute& attribute : node.attributes) {
        if (attribute.refers_to.empty()) {
          call.attributes[attribute.name] = &attribute;
        } else if (const auto given = outer.find(attribute.refers_to); given != outer.end()) {
          call.attributes[attribute.name] = given->second;
        }
      }
      try {
        run_node(call, values, calls);
      } catch (const ValueError& error) {
        call.refuse("what an expression can hold", fmt::format("is refused: {}", error.what()));
      }
    }
  }

  OnnxResult value_of(const OnnxCall& call, std::string_view name, const Values& values) const {
    if (name.empty()) return {};
    const auto known = values.find(name);
    if (known == values.end()) {
      call.refuse("nodes in the order of their computation",
                  fmt::format("takes \"{}\", which is not there yet", name));
    }
    return known->second;
  }

  void run_node(const OnnxCall& call, Values& values, int calls) {
    const OnnxNode& node = call.node;
    if (const OnnxFunction* function = find_function(node)) {
      run_function(*function, call, values, calls);
      return;
    }
    if (!node.outputs.empty()) values[node.outputs[0]] = run_operator(call);
  }

  const OnnxFunction* find_function(const OnnxNode& node) const {
    const auto found = std::find_if(
        model_.functions.begin(), model_.functions.end(),
        [&](const OnnxFunction& f) { return f.name == node.operation && f.domain == node.domain; });
    return found == model_.functions.end() ? nullptr : &*found;
  }

  void run_function(const OnnxFunction& function, const OnnxCall& call, Values& values, int calls) {
    if (calls == kMaxCalls) {
      call.refuse(fmt::format("functions in functions at most {} deep", kMaxCalls), "is deeper");
    }
    Values inside;
    for (std::size_t i = 0; i < function.inputs.size(); ++i)
      inside[function.inputs[i]] = i < call.inputs.size() ? call.inputs[i] : OnnxResult();
    Attributes attributes = call.attributes;
    for (const OnnxAttribute& attribute : function.attributes) attributes.emplace(attribute.name, &attribute);
    run_nodes(function.nodes, inside, attributes, calls + 1);
    for (std::size_t i = 0; i < std::min(function.outputs.size(), call.node.outputs.size()); ++i) {
      const auto output = inside.find(function.outputs[i]);
      values[call.node.outputs[i]] = output == inside.end() ? OnnxResult() : output->second;
    }
  }

  const OnnxModel& model_;
  const std::string& file_;
  std::size_t nodes_run_ = 0;
};

}  // namespace
}  // namespace detail

Expr read_onnx(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() > detail::kMaxFileBytes) {
    throw IoError("onnx", "expects a file of at most 16 MiB",
                  fmt::format("\"{}\" has {} bytes", name, bytes.size()), detail::kAlone);
  }
  const detail::OnnxModel model = detail::parse_onnx(bytes, name);
  return detail::Evaluator(model, name).run();
}

Expr load_onnx(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, detail::kMaxFileBytes + 1);
  return read_onnx(bytes, path.string());
}

}  // namespace keratin::inline v0::io
