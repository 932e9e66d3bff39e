// Every name of Keras's losses, metrics, optimizers, callbacks, initializers, constraints, regularizers and
// layers (testdata/keras_names.json, written by make_keras_names.py) is known here, or is listed below with
// the reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/layers/layer_registry.h"
#include "keratin/layers/layers.h"
#include "keratin/training/training.h"

namespace keratin {
namespace {

constexpr const char* kBase = "a base class: one derives from ours, or gives a function";
constexpr const char* kImages = "prepares images";
constexpr const char* kData = "prepares data: words, bins, hashes";
constexpr const char* kAudio = "prepares sound";
constexpr const char* kFrameworks = "runs another framework's models or files";

// "kind/name" and why it is not due.
const std::map<std::string, const char*> kNotDue = {
    {"callbacks/BaseLogger", "fit collects means itself"},
    {"callbacks/CallbackList", "fit calls its callbacks itself"},
    {"callbacks/OrbaxCheckpoint", kFrameworks},
    {"callbacks/ProgbarLogger", "ProgressBar"},
    {"callbacks/RemoteMonitor", "posts to a server; the library opens no connections"},
    {"callbacks/SidecarEvaluatorModelExport", kFrameworks},
    {"constraints/Constraint", kBase},
    {"initializers/Initializer", kBase},
    {"initializers/STFT", kAudio},
    {"initializers/STFTInitializer", kAudio},
    {"initializers/stft", kAudio},
    {"initializers/RandomInitializer", kBase},
    {"layers/AbstractRNNCell", kBase},
    {"layers/AugMix", kImages},
    {"layers/AutoContrast", kImages},
    {"layers/CategoryEncoding", kData},
    {"layers/CenterCrop", kImages},
    {"layers/ContrastLimitedAdaptiveHistogramEqualization", kImages},
    {"layers/CutMix", kImages},
    {"layers/DenseFeatures", kData},
    {"layers/Discretization", kData},
    {"layers/Equalization", kImages},
    {"layers/FlaxLayer", kFrameworks},
    {"layers/HashedCrossing", kData},
    {"layers/Hashing", kData},
    {"layers/InputSpec", "what a layer expects is said by its output_shape, which throws"},
    {"layers/IntegerLookup", kData},
    {"layers/JaxLayer", kFrameworks},
    {"layers/Lambda", "holds Python code: register_class takes a layer of one's own"},
    {"layers/Layer", kBase},
    {"layers/MaxNumBoundingBoxes", kImages},
    {"layers/MelSpectrogram", kAudio},
    {"layers/MixUp", kImages},
    {"layers/Pipeline", kImages},
    {"layers/RandAugment", kImages},
    {"layers/RandomBrightness", kImages},
    {"layers/RandomColorDegeneration", kImages},
    {"layers/RandomColorJitter", kImages},
    {"layers/RandomContrast", kImages},
    {"layers/RandomCrop", kImages},
    {"layers/RandomElasticTransform", kImages},
    {"layers/RandomErasing", kImages},
    {"layers/RandomFlip", kImages},
    {"layers/RandomGaussianBlur", kImages},
    {"layers/RandomGrayscale", kImages},
    {"layers/RandomHeight", kImages},
    {"layers/RandomHue", kImages},
    {"layers/RandomInvert", kImages},
    {"layers/RandomPerspective", kImages},
    {"layers/RandomPosterization", kImages},
    {"layers/RandomRotation", kImages},
    {"layers/RandomSaturation", kImages},
    {"layers/RandomSharpness", kImages},
    {"layers/RandomShear", kImages},
    {"layers/RandomTranslation", kImages},
    {"layers/RandomWidth", kImages},
    {"layers/RandomZoom", kImages},
    {"layers/Resizing", kImages},
    {"layers/STFTSpectrogram", kAudio},
    {"layers/Solarization", kImages},
    {"layers/StringLookup", kData},
    {"layers/TFSMLayer", kFrameworks},
    {"layers/TextVectorization", kData},
    {"layers/TorchModuleWrapper", kFrameworks},
    {"layers/Wrapper", kBase},
    {"losses/Loss", kBase},
    {"losses/Reduction", "an enumeration here"},
    {"metrics/Mean", "RunningMean, of values rather than labels and predictions"},
    {"metrics/MeanMetricWrapper", kBase},
    {"metrics/MeanTensor", "RunningMeanTensor"},
    {"metrics/Metric", kBase},
    {"metrics/Sum", "RunningMean::sum"},
    {"optimizers/Optimizer", kBase},
    {"regularizers/Regularizer", kBase},
    {"schedules/LearningRateSchedule", kBase},
};

const Config& names() {
  static const Config config = [] {
    std::ifstream file(KERATIN_SOURCE_DIR "/keratin/training/testdata/keras_names.json");
    return Config::parse(file);
  }();
  return config;
}

// Whether making something of that name gets further than the name.
bool is_known(const std::function<void()>& make) {
  try {
    make();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part : {"unknown", "the name of", "the class of", "a known name"})
      if (text.find(part) != std::string::npos) return false;
    return true;
  }
  return true;
}

Config object_of(const std::string& name) { return {{"class_name", name}, {"config", Config::object()}}; }

// Callbacks, layers' other names and OptimizerMap are classes alone: no file names them by themselves.
const std::set<std::string> kClasses = [] {
  std::set<std::string> known;
#define KERATIN_CLASS(Class)        \
  static_assert(sizeof(Class) > 0); \
  known.insert(#Class)
  KERATIN_CLASS(BackupAndRestore);
  KERATIN_CLASS(CSVLogger);
  KERATIN_CLASS(Callback);
  KERATIN_CLASS(EarlyStopping);
  KERATIN_CLASS(History);
  KERATIN_CLASS(LambdaCallback);
  KERATIN_CLASS(LearningRateScheduler);
  KERATIN_CLASS(ModelCheckpoint);
  KERATIN_CLASS(ReduceLROnPlateau);
  KERATIN_CLASS(SwapEMAWeights);
  KERATIN_CLASS(TensorBoard);
  KERATIN_CLASS(TerminateOnNaN);
  KERATIN_CLASS(OptimizerMap);
  KERATIN_CLASS(AvgPool1D);
  KERATIN_CLASS(AvgPool2D);
  KERATIN_CLASS(AvgPool3D);
  KERATIN_CLASS(MaxPool1D);
  KERATIN_CLASS(MaxPool2D);
  KERATIN_CLASS(MaxPool3D);
  KERATIN_CLASS(GlobalAvgPool1D);
  KERATIN_CLASS(GlobalAvgPool2D);
  KERATIN_CLASS(GlobalAvgPool3D);
  KERATIN_CLASS(GlobalMaxPool1D);
  KERATIN_CLASS(GlobalMaxPool2D);
  KERATIN_CLASS(GlobalMaxPool3D);
  KERATIN_CLASS(Convolution1D);
  KERATIN_CLASS(Convolution2D);
  KERATIN_CLASS(Convolution3D);
  KERATIN_CLASS(Convolution1DTranspose);
  KERATIN_CLASS(Convolution2DTranspose);
  KERATIN_CLASS(Convolution3DTranspose);
  KERATIN_CLASS(SeparableConvolution1D);
  KERATIN_CLASS(SeparableConvolution2D);
#undef KERATIN_CLASS
  return known;
}();

bool is_known(const std::string& kind, const std::string& name, Generation generation) {
  const Config object = object_of(name);
  if (kind == "losses")
    return is_known([&] { losses::get(name, generation); }) ||
           is_known([&] { losses::deserialize(object, generation); });
  if (kind == "metrics") return is_known([&] { metrics::get(name); });
  if (kind == "optimizers")
    return is_known([&] { optimizers::deserialize(object, generation); }) || kClasses.contains(name);
  if (kind == "schedules") return is_known([&] { optimizers::schedules::deserialize(object); });
  if (kind == "initializers") return is_known([&] { initializers::deserialize(name, generation); });
  if (kind == "regularizers") return is_known([&] { regularizers::deserialize(name, generation); });
  if (kind == "constraints") return is_known([&] { constraints::deserialize(name, generation); });
  if (kind == "callbacks") return kClasses.contains(name);
  const auto classes = layers::class_names();
  return std::find(classes.begin(), classes.end(), name) != classes.end() || kClasses.contains(name);
}

TEST(KerasNames, AreKnownOrListedWithAReason) {
  std::set<std::string> missing, needless;
  for (const auto& [kind, generations] : names().items()) {
    for (const auto& [generation, list] : generations.items()) {
      for (const auto& entry : list) {
        const auto name = entry.get<std::string>();
        // How Keras's modules make things: deserialize and the constructors here.
        if (name == "get" || name == "serialize" || name == "deserialize") continue;
        const std::string place = kind + "/" + name;
        const bool known =
            is_known(kind, name, generation == "keras2" ? Generation::keras2 : Generation::keras3);
        if (known == kNotDue.contains(place)) (known ? needless : missing).insert(place + " " + generation);
      }
    }
  }
  for (const std::string& name : missing) ADD_FAILURE() << name << " is neither here nor listed";
  for (const std::string& name : needless) ADD_FAILURE() << name << " is here and listed as not due";
}

TEST(KerasNames, AreTold) {
  // The comparison can fail.
  EXPECT_FALSE(is_known("losses", "mean_squared_eror", Generation::keras3));
  EXPECT_FALSE(is_known("metrics", "Acuracy", Generation::keras3));
  EXPECT_FALSE(is_known("optimizers", "Adan", Generation::keras3));
  EXPECT_FALSE(is_known("schedules", "CosineDecai", Generation::keras3));
  EXPECT_FALSE(is_known("initializers", "zeross", Generation::keras3));
  EXPECT_FALSE(is_known("regularizers", "L3", Generation::keras3));
  EXPECT_FALSE(is_known("constraints", "NonNegg", Generation::keras3));
  EXPECT_FALSE(is_known("layers", "Dens", Generation::keras3));
}

}  // namespace
}  // namespace keratin
