// Cases of kind activation_all16: every input of a 16-bit type, the results as bits.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "keratin/activations/get.h"
#include "keratin/autograd/gradients.h"
#include "tools/golden/golden_set.h"
#include "tools/golden/runner.h"

namespace keratin::golden {
namespace {

constexpr std::int64_t kAll = 65536;

bool is_known(const Config& golden_case) {
  const Config& call = golden_case.at("call");
  const auto names = activations::names(generation_of(golden_case));
  const std::string dtype = text_of(call, "dtype"), what = text_of(call, "what");
  return std::find(names.begin(), names.end(), text_of(call, "function")) != names.end() &&
         (dtype == "float16" || dtype == "bfloat16") && (what == "value" || what == "derivative");
}

template <class H>
io::NamedTensors run(const Config& golden_case) {
  const Config& call = golden_case.at("call");
  const ActivationFn function =
      activations::make(text_of(call, "function"), call.at("args"), generation_of(golden_case));
  Tensor x = Tensor::empty({kAll}, kDType<H>);
  std::uint16_t next = 0;
  for (H& value : x.mutable_values<H>()) value.bits = next++;
  x = x.watched();
  Tensor y;
  {
    const RecordGradients recording;
    y = function(x);
  }
  if (text_of(call, "what") == "derivative") y = gradients(y, std::array{x}).front();
  Tensor bits = Tensor::empty({kAll}, DType::int32);
  const auto from = y.values<H>();
  std::transform(from.begin(), from.end(), bits.mutable_values<std::int32_t>().begin(),
                 [](H value) { return std::int32_t{value.bits}; });
  return {{"y", bits}};
}

io::NamedTensors bits(const Config& golden_case, const io::NamedTensors&, DType) {
  return golden_case.at("call").at("dtype") == "float16" ? run<float16>(golden_case)
                                                         : run<bfloat16>(golden_case);
}

}  // namespace

const Kind kActivationAll16 = {"activation_all16", is_known, bits, true};

}  // namespace keratin::golden
