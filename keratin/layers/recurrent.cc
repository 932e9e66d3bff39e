#include "keratin/layers/recurrent.h"

#include "keratin/core/error.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/recurrent_cells.h"

namespace keratin::inline v0 {
namespace {

using detail::CellArguments;
using detail::Recurrence;
using detail::RecurrentBody;

template <class Options>
Recurrence recurrence_of(const Options& options) {
  return {options.return_sequences, options.return_state,         options.go_backwards, options.stateful,
          options.unroll,           options.zero_output_for_mask, options.time_major};
}

// The layer's fields, then its cell's.
template <class Options>
struct LayerArguments {
  CellArguments<Options> cell;
  Options& options = cell.options;

  LayerArguments() = default;
  LayerArguments(std::int64_t units, const Options& given) : cell{.units = units, .options = given} {}
  LayerArguments(const LayerArguments& other) : cell(other.cell) {}
  LayerArguments& operator=(const LayerArguments&) = delete;

  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    auto& o = a.cell.options;
    field("return_sequences", o.return_sequences);
    field("return_state", o.return_state);
    field("go_backwards", o.go_backwards);
    field("stateful", o.stateful);
    field("unroll", o.unroll);
    field.keras2("time_major", o.time_major, o.time_major);
    field.keras3("zero_output_for_mask", o.zero_output_for_mask, o.zero_output_for_mask);
    CellArguments<Options>::fields(a.cell, field);
    field("activity_regularizer", o.activity_regularizer);
    // LSTM's and GRU's hint of which kernels to take; nothing that is computed, and Keras writes none.
    if constexpr (Fields::kReads && !std::is_same_v<Options, SimpleRNNOptions>) {
      std::optional<Config> use_cudnn;
      field("use_cudnn", use_cudnn);
    }
  }
};

// Of one of the three classes.
template <class Options>
class NamedRecurrentBody final : public RecurrentBody {
 public:
  NamedRecurrentBody(const LayerArguments<Options>& arguments, std::string_view class_name)
      : RecurrentBody(detail::named_by_class(detail::make_cell(arguments.cell)),
                      recurrence_of(arguments.cell.options)),
        a_(arguments),
        class_name_(class_name) {
    const Options& options = a_.cell.options;
    set_common(options);
    activity_regularizer = options.activity_regularizer;
  }

  std::string_view class_name() const override { return class_name_; }
  Config config(Generation target) const override {
    Config config = detail::write_fields(a_, target);
    config["activity_regularizer"] = activity_regularizer.serialize(target);
    if (target == Generation::keras3) config["zero_output_for_mask"] = recurrence().zero_output_for_mask;
    return config;
  }
  std::shared_ptr<LayerBody> clone() const override {
    LayerArguments<Options> arguments = a_;
    arguments.cell.clone_activations(&LayerBody::clone_of);
    const auto copy = std::make_shared<NamedRecurrentBody>(arguments, class_name_);
    copy->name = name;
    copy->trainable = trainable;
    copy->generation = generation;
    copy->batch_input_shape = batch_input_shape;
    return built_alike(copy);
  }

 private:
  LayerArguments<Options> a_;
  std::string_view class_name_;
};

template <class Options>
std::shared_ptr<LayerBody> body_of(std::int64_t units, const Options& options, std::string_view class_name) {
  return std::make_shared<NamedRecurrentBody<Options>>(LayerArguments<Options>(units, options), class_name);
}

void reset(const Layer& layer) { static_cast<const RecurrentBody&>(layer.body()).reset_states(); }

template <class L, class Options>
L from_layer_config(std::string_view class_name, const Config& config, Generation generation) {
  return detail::read_layer<LayerArguments<Options>>(
      class_name, config, generation, [&](const auto& a) { return L(a.cell.units, a.cell.options); });
}

template <class L, class Options>
L from_cell_config(std::string_view class_name, const Config& config, Generation generation) {
  return detail::read_layer<CellArguments<Options>>(class_name, config, generation,
                                                    [](const auto& a) { return L(a.units, a.options); });
}

template <class Options>
std::shared_ptr<LayerBody> cell_body(std::int64_t units, const Options& options) {
  auto body = detail::make_cell(CellArguments<Options>{.units = units, .options = options});
  body->name = options.name;
  return body;
}

std::shared_ptr<CellBody> cell_in(std::string_view class_name, const Layer& layer) {
  auto cell = std::dynamic_pointer_cast<CellBody>(layer.shared());
  if (cell != nullptr) return cell;
  throw TypeError(class_name, "cells", "received a " + std::string(layer.class_name()),
                  "Pass an LSTMCell, or a layer of your own over CellBody.");
}

class StackedBody final : public CellBody {
 public:
  explicit StackedBody(const std::vector<Layer>& cells) : layers_(cells) {
    if (cells.empty()) throw ValueError("StackedRNNCells", "at least one cell", "received none", "Add one.");
    for (const Layer& cell : cells) cells_.push_back(cell_in("StackedRNNCells", cell));
  }

  std::string_view class_name() const override { return "StackedRNNCells"; }
  void build_list(const Shapes& inputs) override {
    Shape shape = inputs.front();
    for (const auto& cell : cells_) {
      cell->ensure_built({shape});
      shape = cell->step_shape(shape);
    }
  }
  Shapes state_shapes(const Shape& step) const override {
    Shapes all;
    Shape shape = step;
    for (const auto& cell : cells_) {
      const Shapes states = cell->state_shapes(shape);
      all.insert(all.end(), states.begin(), states.end());
      shape = cell->step_shape(shape);
    }
    return all;
  }
  Shape step_shape(const Shape& step) const override {
    Shape shape = step;
    for (const auto& cell : cells_) shape = cell->step_shape(shape);
    return shape;
  }
  Tensors step(const Tensor& x, const Tensors& states, const StepNoise&, bool training) const override {
    Tensor y = x;
    Tensors all = {y};
    auto first = states.begin();
    for (const auto& cell : cells_) {
      const auto count = static_cast<std::ptrdiff_t>(cell->state_shapes(y.shape()).size());
      Tensors inputs = {y};
      inputs.insert(inputs.end(), first, first + count);
      first += count;
      const Tensors results = cell->call_list(inputs, {.training = training});
      y = results.front();
      all.insert(all.end(), results.begin() + 1, results.end());
    }
    all.front() = y;
    return all;
  }
  std::vector<LayerPart> parts() const override {
    std::vector<LayerPart> parts;
    for (const auto& cell : cells_) parts.push_back({"cells", cell});
    return parts;
  }
  Config config(Generation target) const override {
    Config config = Config::object();
    config["cells"] = Config::array();
    for (const Layer& cell : layers_) config["cells"].push_back(cell.serialize(target));
    return config;
  }

 private:
  std::vector<Layer> layers_;
  std::vector<std::shared_ptr<CellBody>> cells_;
};

class RNNBody final : public RecurrentBody {
 public:
  RNNBody(const Layer& cell, const RNNOptions& options)
      : RecurrentBody(cell_in("RNN", cell), recurrence_of(options)), layer_(cell), options_(options) {
    set_common(options);
  }
  std::string_view class_name() const override { return "RNN"; }
  Config config(Generation target) const override {
    Config config = Config::object();
    detail::FieldWriter field(config, target);
    recurrence_fields(options_, field);
    field.keras2("time_major", options_.time_major, options_.time_major);
    const bool zeros = recurrence().zero_output_for_mask;
    field.keras3("zero_output_for_mask", zeros, zeros);
    config["cell"] = layer_.serialize(target);
    return config;
  }

 private:
  Layer layer_;
  RNNOptions options_;
};

}  // namespace

SimpleRNN::SimpleRNN(std::int64_t units, const SimpleRNNOptions& options)
    : Layer(body_of(units, options, "SimpleRNN")) {}
SimpleRNN SimpleRNN::from_config(const Config& config, Generation generation) {
  return from_layer_config<SimpleRNN, SimpleRNNOptions>("SimpleRNN", config, generation);
}
void SimpleRNN::reset_states() const { reset(*this); }

LSTM::LSTM(std::int64_t units, const LSTMOptions& options) : Layer(body_of(units, options, "LSTM")) {}
LSTM LSTM::from_config(const Config& config, Generation generation) {
  return from_layer_config<LSTM, LSTMOptions>("LSTM", config, generation);
}
void LSTM::reset_states() const { reset(*this); }

GRU::GRU(std::int64_t units, const GRUOptions& options) : Layer(body_of(units, options, "GRU")) {}
GRU GRU::from_config(const Config& config, Generation generation) {
  return from_layer_config<GRU, GRUOptions>("GRU", config, generation);
}
void GRU::reset_states() const { reset(*this); }

SimpleRNNCell::SimpleRNNCell(std::int64_t units, const SimpleRNNOptions& options)
    : Layer(cell_body(units, options)) {}
SimpleRNNCell SimpleRNNCell::from_config(const Config& config, Generation generation) {
  return from_cell_config<SimpleRNNCell, SimpleRNNOptions>("SimpleRNNCell", config, generation);
}
LSTMCell::LSTMCell(std::int64_t units, const LSTMOptions& options) : Layer(cell_body(units, options)) {}
LSTMCell LSTMCell::from_config(const Config& config, Generation generation) {
  return from_cell_config<LSTMCell, LSTMOptions>("LSTMCell", config, generation);
}
GRUCell::GRUCell(std::int64_t units, const GRUOptions& options) : Layer(cell_body(units, options)) {}
GRUCell GRUCell::from_config(const Config& config, Generation generation) {
  return from_cell_config<GRUCell, GRUOptions>("GRUCell", config, generation);
}

StackedRNNCells::StackedRNNCells(const std::vector<Layer>& cells, std::string name)
    : Layer([&] {
        auto body = std::make_shared<StackedBody>(cells);
        body->name = std::move(name);
        return body;
      }()) {}
StackedRNNCells StackedRNNCells::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("StackedRNNCells", config, generation);
  const Config* list = reader.find("cells");
  if (list == nullptr || !list->is_array()) reader.refuse("cells", "a list of cells", nullptr);
  std::vector<Layer> cells;
  for (const Config& cell : *list) cells.push_back(layers::deserialize(cell, generation));
  RNNOptions common;
  reader.read_common(common);
  return reader.finish(StackedRNNCells(cells, common.name));
}

RNN::RNN(const Layer& cell, const RNNOptions& options) : Layer(std::make_shared<RNNBody>(cell, options)) {}
RNN RNN::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("RNN", config, generation);
  const Config* cell = reader.find("cell");
  if (cell == nullptr) reader.refuse("cell", "a cell", nullptr);
  RNNOptions options;
  options.return_sequences = reader.boolean("return_sequences", false);
  options.return_state = reader.boolean("return_state", false);
  options.go_backwards = reader.boolean("go_backwards", false);
  options.stateful = reader.boolean("stateful", false);
  options.unroll = reader.boolean("unroll", false);
  options.zero_output_for_mask = reader.boolean("zero_output_for_mask", false);
  options.time_major = reader.boolean("time_major", false);
  reader.read_common(options);
  return reader.finish(RNN(layers::deserialize(*cell, generation), options));
}
void RNN::reset_states() const { reset(*this); }

}  // namespace keratin::inline v0
