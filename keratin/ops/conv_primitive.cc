#include "keratin/ops/conv_primitive.h"

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "keratin/core/error.h"
#include "keratin/ops/one_openmp_thread.h"
#include "keratin/ops/scratch.h"

namespace keratin::inline v0::ops::detail {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Dims = memory::dims;
constexpr auto kFloat = memory::data_type::f32;

const dnnl::engine& engine() {
  // Never destroyed, as what is kept below: threads may still convolve while static objects go.
  static const dnnl::engine& instance = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl_stream_t stream() {
  static thread_local const dnnl::stream instance(engine());
  return instance.get();
}

void check(dnnl_status_t status, const char* operation) {
  if (status == dnnl_success) return;
  throw StateError(operation, "expects oneDNN to compute",
                   "it answered with status " + std::to_string(static_cast<int>(status)));
}

// The numbers of the spatial axes that there are: two, or three where the first is in use.
struct Axes {
  explicit Axes(const ConvSizes& sizes)
      : first(sizes.in[0] == 1 && sizes.out[0] == 1 && sizes.kernel[0] == 1 ? 1 : 0) {}
  Dims of(const std::array<std::int64_t, 3>& numbers) const {
    return {numbers.begin() + first, numbers.end()};
  }
  Dims after(Dims front, const std::array<std::int64_t, 3>& numbers) const {
    front.insert(front.end(), numbers.begin() + first, numbers.end());
    return front;
  }
  Tag channels_last() const { return first == 0 ? Tag::ndhwc : Tag::nhwc; }
  std::ptrdiff_t first;
};

// Zeros behind each axis, which oneDNN counts for itself; none where the windows end inside of x by more than
// a stride, which oneDNN does not have.
std::optional<std::array<std::int64_t, 3>> zeros_after(const ConvSizes& sizes) {
  const ConvGeometry& g = sizes.geometry;
  std::array<std::int64_t, 3> after{};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::int64_t reach = (sizes.kernel[i] - 1) * g.dilations[i] + 1;
    const std::int64_t missing = (sizes.out[i] - 1) * g.strides[i] + reach - sizes.in[i] - g.before[i];
    if (g.before[i] < 0 || missing <= -g.strides[i]) return std::nullopt;
    after[i] = std::max<std::int64_t>(missing, 0);
  }
  return after;
}

using Key = std::array<std::int64_t, 24>;

Key key_of(ConvTask task, const ConvSizes& sizes, bool has_bias) {
  Key key{static_cast<std::int64_t>(task),
          has_bias,
          sizes.batch,
          sizes.channels,
          sizes.filters,
          sizes.geometry.groups};
  std::size_t place = 6;
  for (const auto& numbers : {sizes.in, sizes.kernel, sizes.out, sizes.geometry.strides,
                              sizes.geometry.dilations, sizes.geometry.before})
    for (const std::int64_t number : numbers) key[place++] = number;
  return key;
}

// A primitive's arguments. Their addresses are set before each use, and no memory is asked for.
struct Arguments {
  std::vector<memory> memories;
  std::vector<dnnl_exec_arg_t> list;

  Arguments() = default;
  void add(int name, const memory::desc& desc) {
    memories.emplace_back(desc, engine(), nullptr);
    list.push_back({name, memories.back().get()});
  }
  void run(dnnl_primitive_t primitive, std::initializer_list<const void*> addresses) {
    std::size_t i = 0;
    for (const void* address : addresses)
      check(dnnl_memory_set_data_handle_v2(memories[i++].get(), const_cast<void*>(address), stream()),
            "conv");
    check(dnnl_primitive_execute(primitive, stream(), static_cast<int>(list.size()), list.data()), "conv");
  }
};

// A primitive with arguments for each thread that runs it at the same time.
class Runner {
 public:
  Runner(dnnl::primitive primitive, std::vector<std::pair<int, memory::desc>> arguments)
      : primitive_(std::move(primitive)), arguments_(std::move(arguments)) {}

  void run(std::initializer_list<const void*> addresses) {
    std::unique_ptr<Arguments> mine;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        mine = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (mine == nullptr) {
      mine = std::make_unique<Arguments>();
      for (const auto& [name, desc] : arguments_) mine->add(name, desc);
    }
    mine->run(primitive_.get(), addresses);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(mine));
  }

 private:
  dnnl::primitive primitive_;
  std::vector<std::pair<int, memory::desc>> arguments_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Arguments>> idle_;
};

}  // namespace

struct ConvPrimitive::State {
  bool has_bias;
  memory::desc packed, scratch;
  std::unique_ptr<Runner> convolution, packing;
};

ConvPrimitive::ConvPrimitive(std::unique_ptr<State> state) : state_(std::move(state)) {}
ConvPrimitive::~ConvPrimitive() = default;

std::unique_ptr<ConvPrimitive::State> ConvPrimitive::create(ConvTask task, const ConvSizes& sizes,
                                                            bool has_bias) {
  const auto after = zeros_after(sizes);
  if (!after) return nullptr;
  const ConvGeometry& g = sizes.geometry;
  const Axes axes(sizes);
  const std::int64_t wide = sizes.group_filters(), deep = sizes.group_channels();
  const memory::desc x(axes.after({sizes.batch, sizes.channels}, sizes.in), kFloat, axes.channels_last());
  const memory::desc y(axes.after({sizes.batch, sizes.filters}, sizes.out), kFloat, axes.channels_last());
  const memory::desc bias({sizes.filters}, kFloat, Tag::a);
  // Ours, as strides over (groups, out/groups, in/groups, sizes).
  Dims kernel_sizes = axes.after(g.groups == 1 ? Dims{wide, deep} : Dims{g.groups, wide, deep}, sizes.kernel);
  const std::int64_t tap = deep * sizes.filters;
  Dims strides = axes.after(g.groups == 1 ? Dims{1, sizes.filters} : Dims{wide, 1, sizes.filters},
                            {tap * sizes.kernel[1] * sizes.kernel[2], tap * sizes.kernel[2], tap});
  const memory::desc plain(kernel_sizes, kFloat, strides), packed(kernel_sizes, kFloat, Tag::any);
  const Dims steps = axes.of(g.strides), before = axes.of(g.before), behind = axes.of(*after);
  // oneDNN counts what lies between two taps.
  Dims between = axes.of(g.dilations);
  for (std::int64_t& number : between) --number;

  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  constexpr auto kTraining = dnnl::prop_kind::forward_training;
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
  using Forward = dnnl::convolution_forward;
  const Forward::desc forward_desc =
      has_bias ? Forward::desc(kTraining, kDirect, x, packed, bias, y, steps, between, before, behind)
               : Forward::desc(kTraining, kDirect, x, packed, y, steps, between, before, behind);
  const Forward::primitive_desc forward(forward_desc, attributes, engine());

  auto state = std::make_unique<State>();
  state->has_bias = has_bias;
  const auto finish = [&](const auto& primitive_desc, const dnnl::primitive& primitive, int names_x,
                          int names_packed, int names_y, const memory::desc& layout) {
    // "ref:any" and "ref_…" are loops without vectors.
    if (std::string_view(primitive_desc.impl_info_str()).starts_with("ref")) return false;
    state->packed = layout;
    state->scratch = primitive_desc.scratchpad_desc();
    std::vector<std::pair<int, memory::desc>> arguments = {
        {names_x, x}, {names_packed, layout}, {names_y, y}, {DNNL_ARG_SCRATCHPAD, state->scratch}};
    if (has_bias) arguments.emplace_back(DNNL_ARG_BIAS, bias);
    state->convolution = std::make_unique<Runner>(primitive, std::move(arguments));
    const bool unpacks = task == ConvTask::kernel;
    const memory::desc &from = unpacks ? layout : plain, &to = unpacks ? plain : layout;
    dnnl::primitive_attr reorder_attributes;
    reorder_attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::reorder::primitive_desc reorder(engine(), from, engine(), to, reorder_attributes);
    if (reorder.scratchpad_desc().get_size() != 0) return false;
    state->packing = std::make_unique<Runner>(
        dnnl::reorder(reorder),
        std::vector<std::pair<int, memory::desc>>{{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
    return true;
  };
  bool is_good = false;
  if (task == ConvTask::forward) {
    is_good = finish(forward, Forward(forward), DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
                     forward.weights_desc());
  } else if (task == ConvTask::data) {
    using Data = dnnl::convolution_backward_data;
    const Data::primitive_desc data(Data::desc(kDirect, x, packed, y, steps, between, before, behind),
                                    attributes, engine(), forward);
    is_good =
        finish(data, Data(data), DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST, data.weights_desc());
  } else {
    using Kernel = dnnl::convolution_backward_weights;
    const Kernel::primitive_desc kernel(Kernel::desc(kDirect, x, packed, y, steps, between, before, behind),
                                        attributes, engine(), forward);
    is_good = finish(kernel, Kernel(kernel), DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST,
                     kernel.diff_weights_desc());
  }
  return is_good ? std::move(state) : nullptr;
}

std::shared_ptr<const ConvPrimitive> ConvPrimitive::find(ConvTask task, const ConvSizes& sizes,
                                                         bool has_bias) {
  // A program with more shapes than this at a time makes its primitives anew.
  constexpr std::size_t kMostKept = 1024;
  static std::mutex& mutex = *new std::mutex;
  static auto& kept = *new std::map<Key, std::shared_ptr<const ConvPrimitive>>;
  const Key key = key_of(task, sizes, has_bias);
  const std::lock_guard lock(mutex);
  if (const auto found = kept.find(key); found != kept.end()) return found->second;
  if (kept.size() >= kMostKept) kept.clear();
  std::unique_ptr<State> state;
  const OneOpenMpThread single;  // a primitive is made for a number of threads
  try {
    state = create(task, sizes, has_bias);
  } catch (const dnnl::error&) {
    // It has none for these sizes.
  }
  std::shared_ptr<const ConvPrimitive> made;
  if (state != nullptr) made.reset(new ConvPrimitive(std::move(state)));
  kept.emplace(key, made);
  return made;
}

std::size_t ConvPrimitive::packed_bytes() const noexcept { return state_->packed.get_size(); }

bool ConvPrimitive::packs_like(const ConvPrimitive& other) const {
  return state_->packed == other.state_->packed;
}

void ConvPrimitive::pack(const float* kernel, std::byte* packed) const {
  const OneOpenMpThread single;
  state_->packing->run({kernel, packed});
}

void ConvPrimitive::unpack(const std::byte* packed, float* kernel) const {
  const OneOpenMpThread single;
  state_->packing->run({packed, kernel});
}

void ConvPrimitive::run(float* x, std::byte* packed, const float* bias, float* y) const {
  static thread_local Scratch scratch;
  std::byte* room = scratch.get(state_->scratch.get_size());
  const OneOpenMpThread single;
  if (state_->has_bias)
    state_->convolution->run({x, packed, y, room, bias});
  else
    state_->convolution->run({x, packed, y, room});
}

}  // namespace keratin::inline v0::ops::detail
