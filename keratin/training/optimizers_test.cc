#include "keratin/training/optimizers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/core/memory.h"
#include "keratin/core/parallel.h"
#include "keratin/core/random.h"
#include "keratin/simd/dispatch.h"

namespace keratin {
namespace {

using Values = std::vector<double>;

Tensor tensor(const Values& values, DType dtype) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).astype(dtype);
}
Values to_vector(const Tensor& a) {
  const Tensor wide = a.astype(DType::float64).contiguous();
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

const Values kStart{1, -2, 0.5, 0.25};
const std::vector<Values> kGradients{{0.5, -1.5, 2, 0},
                                     {0.25, 1, -3, 0.125},
                                     {-1, 0.75, 0.5, -0.25},
                                     {2, -0.5, 1.5, 0.5},
                                     {0.125, -4, -0.25, 1}};

struct Case {
  const char* name;
  std::function<Optimizer()> make;
  Values expected;  // after the five steps, by the formulas in 40 digits (mpmath)
  Shape shape = {4};
};

std::vector<Case> cases() {
  return {
      {"SGD", [] { return SGD(0.05); }, {0.90625, -1.7875, 0.4625, 0.18125}},
      {"SGD with momentum",
       [] { return SGD(0.05, {.momentum = 0.9}); },
       {0.793885, -1.7189425, 0.40859, 0.16488125}},
      {"SGD with Nesterov momentum",
       [] { return SGD(0.05, {.momentum = 0.9, .nesterov = true}); },
       {0.7207465, -1.53454825, 0.380231, 0.104643125}},
      {"Adam",
       [] { return Adam(0.05); },
       {0.87347338518541530545, -1.9233692631303418786, 0.45588929926694311986, 0.17773460313120617159}},
      {"Adam with other decays",
       [] { return Adam(0.05, {.beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 0.01}); },
       {0.88330088727839002636, -1.9287259426210632926, 0.45873783789749219166, 0.18258041092499125869}},
      {"Adam with amsgrad",
       [] { return Adam(0.05, {.beta_2 = 0.5, .amsgrad = true}); },
       {0.88499499664033456472, -1.9309896439462203687, 0.4568296878910145524, 0.19511544409479316568}},
      {"Adam with Keras 2's adaptive epsilon",
       [] {
         return Adam(0.05, {.epsilon = 0.01, .generation = Generation::keras2, .adaptive_epsilon = true});
       },
       {0.87581477403984033957, -1.9238331813003716231, 0.4561266085754600837, 0.18184400526986021946}},
      {"RMSprop",
       [] { return RMSprop(0.05); },
       {0.76033559101146632188, -1.8085407793883557486, 0.39736204703965643671, -0.044618862774648368753}},
      {"RMSprop with momentum",
       [] { return RMSprop(0.05, {.rho = 0.8, .momentum = 0.5, .epsilon = 0.01}); },
       {0.72612516745226717547, -1.8389327616998567904, 0.36490153890486826074, 0.048172178993150835689}},
      {"RMSprop centered, with momentum",
       [] { return RMSprop(0.05, {.rho = 0.8, .momentum = 0.5, .epsilon = 0.01, .centered = true}); },
       {0.6856899299823969661, -1.8046094477112793709, 0.34194753996572384517, 0.026139222887839917944}},
      {"RMSprop centered",
       [] { return RMSprop(0.05, {.rho = 0.8, .epsilon = 0.01, .centered = true}); },
       {0.81834851819906022863, -1.8420052152837491841, 0.41264884371353280195, 0.063237351691428924984}},
      {"clipnorm",
       [] { return SGD(0.05, {.clipnorm = 1.5}); },
       {0.96938145394841654786, -1.9299710173106442534, 0.44827594958569883159, 0.22696460303359915678}},
      {"clipvalue", [] { return SGD(0.05, {.clipvalue = 0.75}); }, {0.95625, -1.975, 0.45, 0.19375}},
      {"weight_decay",
       [] { return Adam(0.05, {.weight_decay = 0.1}); },
       {0.85041247076788704595, -1.8749039390593522034, 0.44430667639233462965, 0.17204078525692505563}},
      {"AdamW",
       [] { return AdamW(0.05, {.weight_decay = 0.1}); },
       {0.85041247076788705576, -1.8749039390593522136, 0.44430667639233463386, 0.17204078525692505856}},
      {"Adamax",
       [] { return Adamax(0.05); },
       {0.89789709718695002163, -1.9356521697746108807, 0.45677511676760896263, 0.20654692391993771392}},
      {"Nadam",
       [] { return Nadam(0.05); },
       {0.90908378166311276533, -1.9251629030886477692, 0.46296747149554343718, 0.14251307236696116584}},
      {"legacy Nadam",
       [] { return Nadam(0.05, {.generation = Generation::keras2, .legacy = true, .decay = 0.004}); },
       {0.90801743310263061319, -1.9195904018026176446, 0.46253177212751224862, 0.13339753497556599761}},
      {"Adagrad",
       [] { return Adagrad(0.05, {.epsilon = 0.01}); },
       {0.93540084251299208524, -1.9406220962565994073, 0.46943625724010575196, 0.18172258183621357114}},
      {"legacy Adagrad",
       [] { return Adagrad(0.05, {.epsilon = 0.01, .generation = Generation::keras2, .legacy = true}); },
       {0.93552930738468256258, -1.9407894762950606984, 0.46957149792324668563, 0.18195144480513461588}},
      {"legacy RMSprop",
       [] { return RMSprop(0.05, {.epsilon = 0.01, .generation = Generation::keras2, .legacy = true}); },
       {0.77203702737517504958, -1.8108773965735823152, 0.39933517898414512794, -0.016148246491488981993}},
      {"Adadelta",
       [] { return Adadelta(0.05, {.epsilon = 0.001}); },
       {0.98489345066297259963, -1.9888096476545096227, 0.49527440221465024781, 0.23064462329691457144}},
      {"Ftrl",
       [] { return Ftrl(0.05); },
       {0.40016162339885468549, -1.5279889637373718332, 0.39129743124012790396, -0.06881049692496447917}},
      {"Ftrl with all its arguments",
       [] {
         return Ftrl(0.05, {.learning_rate_power = -0.7,
                            .initial_accumulator_value = 0.2,
                            .l1_regularization_strength = 0.1,
                            .l2_regularization_strength = 0.2,
                            .l2_shrinkage_regularization_strength = 0.05,
                            .beta = 0.3});
       },
       {0.22354329217259026726, -1.3630277760665744674, 0.36896307138276940863, -0.045845840051424441631}},
      {"Lion", [] { return Lion(0.05); }, {0.85, -1.95, 0.45, 0.15}},
      {"Lamb",
       [] { return Lamb(0.05); },
       {0.77710463900695503965, -1.8911039602301392951, 0.44423564782163429959, 0.11571468515162029414}},
      {"Adafactor of a vector",
       [] { return Adafactor(0.05); },
       {0.90064159263600210997, -1.9158770134564923187, 0.46031139107254107133, 0.10068118239583687345}},
      {"Adafactor of a matrix",
       [] { return Adafactor(0.05, {.clip_threshold = 0.5}); },
       {0.97080193165927342389, -1.9692366700193786788, 0.46754837237050281314, 0.21679689066210285277},
       {2, 2}},
      // Keras 3.15.1 in float64: on JAX, as on TensorFlow and PyTorch ScheduleFreeAdamW reads the old
      // momentum after it has moved; Muon's matrices on TensorFlow, as JAX's products are off by 1e-9.
      {"Muon of a vector",
       [] { return Muon(0.05); },
       {0.8725418095002099, -1.9214118506986984, 0.45542146575578785, 0.17750455474671312}},
      {"Muon of a matrix",
       [] { return Muon(0.05, {.weight_decay = 0x1p-8}); },
       {0.9894840552277003, -1.9854066299982842, 0.49394038711759664, 0.24555305613316633},
       {1, 4}},
      {"Muon of a tall matrix, with all its arguments",
       [] {
         return Muon(0.05, {.weight_decay = std::nullopt,
                            .muon_a = 3,
                            .muon_b = -4,
                            .muon_c = 2,
                            .momentum = 0.8,
                            .ns_steps = 3,
                            .nesterov = false,
                            .rms_rate = std::nullopt});
       },
       {0.9361394418598652, -1.9484217569286661, 0.504808223061881, 0.2292520891377858},
       {4, 1}},
      {"Muon's Adam for what is excluded",
       [] {
         return Muon(0.05, {.adam_beta_1 = 0.8,
                            .adam_beta_2 = 0.9,
                            .adam_weight_decay = std::nullopt,
                            .epsilon = 1e-3,
                            .exclude_layers = {"w"},
                            .adam_lr_ratio = 0.5});
       },
       {0.9381982865729528, -1.9641713949997537, 0.47877299130880313, 0.212608478684693},
       {2, 2}},
      {"ScheduleFreeAdamW",
       [] { return ScheduleFreeAdamW(0.05); },
       {0.930844036708741, -1.9641069960682818, 0.4750803798045164, 0.17431723636731591}},
      {"ScheduleFreeAdamW with all its arguments",
       [] {
         return ScheduleFreeAdamW(
             0.05, {.beta_1 = 0.8, .beta_2 = 0.9, .epsilon = 1e-3, .warmup_steps = 3, .weight_decay = 0.1});
       },
       {0.9607994055283924, -1.961701101922718, 0.48516272732997123, 0.18515747216156425}},
      {"gradient_accumulation_steps",
       [] { return Adam(0.05, {.gradient_accumulation_steps = 2}); },
       {0.90013453008969864857, -1.9366839311860889392, 0.53169455920233080111, 0.15174452046635595779}},
      {"ema_overwrite_frequency",
       [] { return SGD(0.05, {.use_ema = true, .ema_momentum = 0.5, .ema_overwrite_frequency = 2}); },
       {0.95, -1.765625, 0.43125, 0.19375}},
      {"ema_overwrite_frequency of Keras 2",
       [] {
         return SGD(0.05, {.use_ema = true,
                           .ema_momentum = 0.5,
                           .ema_overwrite_frequency = 2,
                           .generation = Generation::keras2});
       },
       {0.95625, -1.784375, 0.45625, 0.19375}},
      {"all clips and decay of legacy",
       [] {
         return SGD(0.05, {.clipnorm = 1,
                           .clipvalue = 0.75,
                           .global_clipnorm = 0.8,
                           .generation = Generation::keras2,
                           .legacy = true,
                           .decay = 0.1});
       },
       {0.97414829784373667093, -1.988526697155121057, 0.47378808395484179116, 0.22120167544547542277}},
  };
}

Values trained(Optimizer optimizer, DType dtype, const Shape& shape = {4}) {
  const std::vector<Variable> variables{Variable(tensor(kStart, dtype).reshape(shape), "w")};
  for (const Values& gradient : kGradients)
    optimizer.apply(variables, Tensors{tensor(gradient, dtype).reshape(shape)});
  return to_vector(variables[0].value());
}

TEST(Optimizers, FiveStepsEndWhereTheFormulasEnd) {
  for (const Case& c : cases()) {
    for (const DType dtype : {DType::float64, DType::float32}) {
      const Values got = trained(c.make(), dtype, c.shape);
      // Five steps of a dozen roundings each; 1 − 0.999 keeps 14 of 24 bits in float32, but is rounded from
      // double.
      const double bound = dtype == DType::float64 ? 60 * 0x1p-53 : 60 * 0x1p-24;
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], c.expected[i], bound) << c.name << ", " << name(dtype) << ", entry " << i;
    }
  }
}

TEST(Optimizers, TheNormOfAllGradientsIsClippedAcrossVariables) {
  // Two variables that hold what one held: the norm over both is the norm of that one.
  const Values expected = cases()[11].expected;
  Optimizer optimizer = SGD(0.05, {.global_clipnorm = 1.5});
  const std::vector<Variable> variables{Variable(tensor({1, -2}, DType::float64), "a"),
                                        Variable(tensor({0.5, 0.25}, DType::float64), "b")};
  for (const Values& g : kGradients)
    optimizer.apply(variables,
                    Tensors{tensor({g[0], g[1]}, DType::float64), tensor({g[2], g[3]}, DType::float64)});
  Values got = to_vector(variables[0].value());
  const Values rest = to_vector(variables[1].value());
  got.insert(got.end(), rest.begin(), rest.end());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 60 * 0x1p-53) << i;
}

std::vector<Optimizer> every_kernel() {
  return {SGD(0.1, {.momentum = 0.9, .nesterov = true, .weight_decay = 0.01, .clipvalue = 0.5}),
          RMSprop(0.1, {.momentum = 0.5, .centered = true}),
          Adam(0.1, {.amsgrad = true, .weight_decay = 0.01}),
          Adamax(0.1),
          Nadam(0.1, {.use_ema = true}),
          Adagrad(0.1),
          Adadelta(0.1),
          Ftrl(0.1),
          Lion(0.1),
          Lamb(0.1, {.weight_decay = 0.01}),
          Adafactor(0.1),
          Muon(0.1),
          ScheduleFreeAdamW(0.1)};
}

// All bits of three steps on a long variable, whose last vector is not full.
template <class T>
std::vector<T> bits_of(Optimizer optimizer) {
  constexpr std::int64_t kCount = 50021;
  Tensor start = Tensor::empty({kCount}, kDType<T>), gradient = Tensor::empty({kCount}, kDType<T>);
  fill_normal(start.mutable_values<T>(), RandomKey{1, 2}, 0, 1);
  const std::vector<Variable> variables{Variable(start, "w")};
  for (std::uint64_t step = 0; step < 3; ++step) {
    fill_normal(gradient.mutable_values<T>(), RandomKey{3, step}, 0, 1);
    optimizer.apply(variables, Tensors{gradient});
  }
  const auto values = variables[0].value().template values<T>();
  return {values.begin(), values.end()};
}

TEST(Optimizers, EveryInstructionSetGivesTheSameBits) {
  for (const Optimizer& optimizer : every_kernel()) {
    std::vector<std::vector<float>> floats;
    std::vector<std::vector<double>> doubles;
    for (const simd::Isa isa : simd::supported_isas()) {
      const simd::ScopedIsa scoped(isa);
      floats.push_back(bits_of<float>(optimizer.clone()));
      doubles.push_back(bits_of<double>(optimizer.clone()));
      EXPECT_EQ(floats.back(), floats.front()) << optimizer.name() << " on " << simd::name(isa);
      EXPECT_EQ(doubles.back(), doubles.front()) << optimizer.name() << " on " << simd::name(isa);
    }
  }
}

TEST(Optimizers, ParallelStepsGiveTheSameBits) {
  const int before = num_threads();
  for (const Optimizer& optimizer : every_kernel()) {
    set_num_threads(1);
    const auto one = bits_of<float>(optimizer.clone());
    set_num_threads(4);
    EXPECT_EQ(bits_of<float>(optimizer.clone()), one) << optimizer.name();
  }
  set_num_threads(before);
}

TEST(Optimizers, StepsAfterTheFirstTakeNoMemory) {
  Optimizer optimizer = Adam(0.1);
  const std::vector<Variable> variables{Variable(Tensor::zeros({100000}), "w")};
  const Tensors gradients{Tensor::full({100000}, 0.5)};
  optimizer.apply(variables, gradients);
  const void* before = variables[0].value().data();
  const MemoryStatistics statistics = memory_statistics();
  for (int i = 0; i < 3; ++i) optimizer.apply(variables, gradients);
  EXPECT_EQ(memory_statistics().system_requests, statistics.system_requests);
  EXPECT_EQ(memory_statistics().in_use_bytes, statistics.in_use_bytes);
  EXPECT_EQ(variables[0].value().data(), before);
}

TEST(Optimizers, OthersWhoHoldTheOldValueKeepIt) {
  Optimizer optimizer = SGD(1);
  const std::vector<Variable> variables{Variable(Tensor::of({1, 2}), "w")};
  const Tensor kept = variables[0].value();
  optimizer.apply(variables, Tensors{Tensor::of({1, 1})});
  EXPECT_EQ(to_vector(kept), (Values{1, 2}));
  EXPECT_EQ(to_vector(variables[0].value()), (Values{0, 1}));
}

TEST(Optimizers, VariablesWithoutAGradientStay) {
  Optimizer optimizer = Adam(0.1);
  const std::vector<Variable> variables{Variable(Tensor::of({1}), "a"), Variable(Tensor::of({1}), "b")};
  optimizer.apply(variables, Tensors{Tensor(), Tensor::of({1})});
  EXPECT_EQ(variables[0].value().item(), 1);
  EXPECT_NE(variables[1].value().item(), 1);
  EXPECT_EQ(optimizer.iterations(), 1);
}

TEST(Optimizers, MistakesChangeNothing) {
  Optimizer optimizer = SGD(0.1);
  const std::vector<Variable> variables{Variable(Tensor::of({1, 2}), "a"), Variable(Tensor::of({1}), "b")};
  EXPECT_THROW(optimizer.apply(variables, Tensors{Tensor::of({1, 1})}), ValueError);
  EXPECT_THROW(optimizer.apply(variables, Tensors{Tensor(), Tensor()}), ValueError);
  EXPECT_THROW(optimizer.apply(variables, Tensors{Tensor::of({1, 1}), Tensor::of({1, 1})}), ShapeError);
  EXPECT_THROW(optimizer.apply(variables, Tensors{Tensor::of({1, 1}), Tensor::of({1}, DType::float64)}),
               TypeError);
  EXPECT_EQ(to_vector(variables[0].value()), (Values{1, 2}));
  EXPECT_EQ(optimizer.iterations(), 0);
}

TEST(Optimizers, ArgumentsOutOfRangeAreRefused) {
  EXPECT_THROW(SGD(0.1, {.momentum = 1.5}), ValueError);
  EXPECT_THROW(SGD(0.1, {.clipnorm = 1, .clipvalue = 1}), ValueError);
  EXPECT_NO_THROW(SGD(0.1, {.clipnorm = 1, .clipvalue = 1, .generation = Generation::keras2}));
  EXPECT_THROW(SGD(0.1, {.clipnorm = 1, .global_clipnorm = 1, .generation = Generation::keras2}), ValueError);
  EXPECT_THROW(SGD(0.1, {.clipnorm = -1}), ValueError);
  EXPECT_THROW(Adam(0.1, {.use_ema = true, .ema_momentum = 1.5}), ValueError);
  EXPECT_THROW(Adam(0.1, {.use_ema = true, .ema_overwrite_frequency = 0}), ValueError);
  EXPECT_THROW(Adam(0.1, {.loss_scale_factor = 0}), ValueError);
  EXPECT_THROW(Adam(0.1, {.gradient_accumulation_steps = 1}), ValueError);
  EXPECT_THROW(Adam(0.1, {.decay = 0.1}), ValueError);
  EXPECT_THROW(Lion(0.1, {.legacy = true}), ValueError);
  EXPECT_THROW(Lion(0.1, {.beta_1 = 0}), ValueError);
  EXPECT_THROW(Adam(0.1, {.use_ema = true, .legacy = true}), ValueError);
  EXPECT_THROW(Ftrl(0.1, {.learning_rate_power = 0.5}), ValueError);
  EXPECT_THROW(Adam(std::nan("")), ValueError);
}

TEST(Optimizers, NamesAndConfigsOfBothGenerationsMakeThem) {
  EXPECT_EQ(Optimizer("adam").name(), "Adam");
  EXPECT_EQ(Optimizer("SGD").learning_rate(), 0.01);
  EXPECT_EQ(Optimizer("rmsprop").learning_rate(), 0.001);
  EXPECT_THROW(Optimizer("adamm"), ValueError);
  const Optimizer adam = optimizers::deserialize(Config::parse(
      R"({"module": "keras.optimizers", "class_name": "Adam", "config": {"name": "adam",
          "learning_rate": 0.009999999776482582, "weight_decay": null, "clipnorm": null, "global_clipnorm": null,
          "clipvalue": null, "use_ema": false, "ema_momentum": 0.99, "ema_overwrite_frequency": null,
          "loss_scale_factor": null, "gradient_accumulation_steps": null, "beta_1": 0.9, "beta_2": 0.999,
          "epsilon": 1e-07, "amsgrad": true}, "registered_name": null})"));
  EXPECT_EQ(adam.learning_rate(), 0.009999999776482582);
  EXPECT_EQ(
      adam.serialize().dump(),
      R"({"module":"keras.optimizers","class_name":"Adam","config":{"name":"adam",)"
      R"("learning_rate":0.009999999776482582,"weight_decay":null,"clipnorm":null,"global_clipnorm":null,)"
      R"("clipvalue":null,"use_ema":false,"ema_momentum":0.99,"ema_overwrite_frequency":null,)"
      R"("loss_scale_factor":null,"gradient_accumulation_steps":null,"beta_1":0.9,"beta_2":0.999,)"
      R"("epsilon":1e-07,"amsgrad":true},"registered_name":null})");
  const Optimizer old = optimizers::deserialize(
      Config::parse(
          R"({"class_name": "SGD", "config": {"name": "SGD", "jit_compile": false, "is_legacy_optimizer": false,
              "learning_rate": 0.02, "momentum": 0.9, "nesterov": true, "ema_overwrite_frequency": null}})"),
      Generation::keras2);
  EXPECT_EQ(old.serialize(Generation::keras2)["config"]["momentum"], 0.9);
  EXPECT_THROW(optimizers::deserialize(Config::parse(R"({"class_name": "SGD", "config": {"lr_rate": 0.1}})")),
               ValueError);
  EXPECT_THROW(optimizers::deserialize(Config::parse(
                   R"({"class_name": "SGD", "config": {"learning_rate": {"class_name": "CosineDecay"}}})")),
               ValueError);
  EXPECT_THROW(optimizers::deserialize(Config::parse("[]")), ValueError);
}

TEST(Optimizers, StateCanBeReadAndPutBack) {
  Optimizer first = Adam(0.05);
  const std::vector<Variable> variables{Variable(tensor(kStart, DType::float64), "w")};
  for (int i = 0; i < 2; ++i) first.apply(variables, Tensors{tensor(kGradients[i], DType::float64)});
  Optimizer second = first.clone();
  EXPECT_EQ(second.iterations(), 0);
  second.set_iterations(first.iterations());
  const auto state = first.state();
  ASSERT_EQ(state.size(), 2u);
  EXPECT_EQ(state[0].role, "momentum");
  EXPECT_EQ(state[1].role, "velocity");
  for (const OptimizerSlot& slot : state) second.set_state(slot);
  for (int i = 2; i < 5; ++i) second.apply(variables, Tensors{tensor(kGradients[i], DType::float64)});
  EXPECT_EQ(to_vector(variables[0].value()), trained(Adam(0.05), DType::float64));
  EXPECT_EQ(second.variables().size(), 4u);
  EXPECT_EQ(second.variables()[0].value().item(), 5);
  EXPECT_THROW(second.set_state({variables[0], "nonsense", tensor(kStart, DType::float64)}), ValueError);
  EXPECT_THROW(second.set_state({variables[0], "momentum", tensor({1}, DType::float64)}), ShapeError);
}

TEST(Optimizers, MuonKeepsAVelocityOnlyWhereAdamSteps) {
  const Variable kernel(Tensor::of({{1, 2}, {3, 4}}), "kernel"), bias(Tensor::of({1, 2}), "bias");
  const Variable head(Tensor::full({1, 2}, 1), "kernel"), embeddings(Tensor::full({2, 1}, 1), "embeddings");
  const std::vector<Variable> variables{kernel, bias, head, embeddings};
  Tensors gradients;
  for (const Variable& variable : variables) gradients.push_back(Tensor::full(variable.shape(), 1));
  Optimizer optimizer = Muon(0.1, {.exclude_variables = {head}});
  optimizer.apply(variables, gradients);
  std::string roles;
  for (const OptimizerSlot& slot : optimizer.state()) roles += slot.role.front();
  EXPECT_EQ(roles, "mmvmvmv");
}

TEST(Optimizers, CopiesShareTheirState) {
  const Optimizer one = SGD(0.1);
  Optimizer other = one;
  other.set_learning_rate(0.5);
  EXPECT_EQ(one.learning_rate(), 0.5);
}

TEST(Optimizers, OptionsStandInKerasOrder) {
  const AdamOptions adam{.beta_1 = 0.9,
                         .beta_2 = 0.999,
                         .epsilon = 1e-7,
                         .amsgrad = false,
                         .weight_decay = 0.1,
                         .clipnorm = 1,
                         .clipvalue = std::nullopt,
                         .global_clipnorm = std::nullopt,
                         .use_ema = false,
                         .ema_momentum = 0.99,
                         .ema_overwrite_frequency = std::nullopt,
                         .loss_scale_factor = std::nullopt,
                         .gradient_accumulation_steps = std::nullopt,
                         .name = "a"};
  const SGDOptions sgd{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1, .clipnorm = 1, .name = "s"};
  const RMSpropOptions rmsprop{
      .rho = 0.9, .momentum = 0.1, .epsilon = 1e-7, .centered = true, .weight_decay = 0.1, .name = "r"};
  EXPECT_EQ(adam.name + sgd.name + rmsprop.name, "asr");
}

}  // namespace
}  // namespace keratin
