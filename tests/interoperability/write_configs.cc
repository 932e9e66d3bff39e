// Prints compiled models as both Keras have them in files: [{"name", "generation", "object",
// "training_config"}, …]. For check_configs.py.
#include <keratin/keratin.h>

#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace keratin;

namespace {

Layer classes() { return Dense(3, {.activation = "softmax", .name = "class"}); }

Model chain() { return Sequential({Input({4}, {.name = "x"}), BatchNormalization(), classes()}, "chain"); }

Model branches() {
  const Input x({4}, {.name = "x"});
  return Model({x}, {Dense(1, {.name = "price"})(x), classes()(x)}, "branches");
}

Model sequences() {
  const Input x({5, 4}, {.name = "x"});
  const SymbolicTensor h = Bidirectional(LSTM(3, {.return_sequences = true}))(x);
  return Model(x, classes()(GRU(2)(h)), "sequences");
}

// A model called twice, and one in it; states by their keyword.
Model inside() {
  const Input x({5, 4}, {.name = "x"}), rows({5, 4});
  const Model flat(rows, Sequential{Input({20}), Dense(3)}(Flatten()(rows)), "flat");
  const SymbolicTensor h = flat(x);
  const SymbolicTensor state = LSTM(3)({x, h, flat(x)});
  return Model(x, classes()(state), "inside");
}

Model attention() {
  const Input x({5, 4}, {.name = "x"});
  const SymbolicTensor h = MultiHeadAttention(2, 2)({x, x});
  return Model(x, classes()(GlobalAveragePooling1D()(Add()({h, x}))), "attention");
}

struct Case {
  const char* name;
  std::function<Model()> make;
  CompileOptions options;
};

std::vector<Case> cases() {
  namespace schedules = optimizers::schedules;
  return {
      {"names",
       chain,
       {.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}},
      {"objects",
       chain,
       {.optimizer =
            SGD(schedules::ExponentialDecay{0.5, 100, 0.875, true}, {.momentum = 0.5, .nesterov = true}),
        .loss = losses::SparseCategoricalCrossentropy{},
        .metrics = {metrics::SparseCategoricalAccuracy{.name = "acc"},
                    metrics::SparseTopKCategoricalAccuracy{.k = 2}},
        .weighted_metrics = {"accuracy"}}},
      {"by_output",
       branches,
       {.optimizer = RMSprop(0.01),
        .loss = {{"price", "mean_squared_error"}, {"class", "sparse_categorical_crossentropy"}},
        .loss_weights = {{"price", 2.0}, {"class", 0.25}},
        .metrics = std::vector<MetricSets::Named>{{"class", {"accuracy"}}, {"price", {"mae"}}}}},
      {"inside", inside, {.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"}},
      {"attention", attention, {.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"}},
      {"sequences", sequences, {.optimizer = AdamW(0.01), .loss = "sparse_categorical_crossentropy"}},
  };
}

}  // namespace

int main() {
  Config all = Config::array();
  for (const Generation generation : {Generation::keras3, Generation::keras2}) {
    for (Case& one : cases()) {
      clear_session();
      Model model = one.make();
      // The options too in that generation's semantics, by way of a config.
      one.options.optimizer =
          optimizers::deserialize(one.options.optimizer.serialize(generation), generation);
      model.compile(one.options);
      Config row = Config::object();
      row["name"] = one.name;
      row["generation"] = generation == Generation::keras2 ? 2 : 3;
      row["object"] = model.serialize(generation);
      row["training_config"] = training_config(one.options, generation);
      all.push_back(std::move(row));
    }
  }
  std::cout << all.dump() << "\n";
}
