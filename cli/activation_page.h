// One activation as a person reads it: collected from the library's registry for lists, plots and pages.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/curve.h"

namespace keratin::cli {

struct ParameterText {
  std::string name = {}, keras2 = {}, keras3 = {};
  /// "0.2", "None", "false"; empty where Keras has no default.
  std::string default_value = {};
  std::string constraint = {};
};

/// A point where the derivatives from both sides differ, and which value the library takes there.
struct Kink {
  double x = 0, left = 0, at = 0, right = 0;
};

struct ActivationPage {
  std::string name = {};
  std::vector<std::string> aliases = {};
  /// Over x and the parameters.
  std::string formula = {};
  /// The same with the default flags decided, shorter for lists.
  std::string short_formula = {};
  /// The derivative as a formula; of one that looks along an axis, its entries.
  std::string gradient = {};
  std::string source = {};
  std::vector<ParameterText> parameters = {};
  /// At the default parameters. Of one that looks along an axis: `plotted` says what of it.
  RealFunction value = {}, derivative = {};
  std::string plotted = {};
  std::vector<Kink> kinks = {};
  /// Largest errors in ULP in f32: value, gradient. 0 where no bound is stated.
  double value_ulp = 0, gradient_ulp = 0;
};

/// Every activation of the library: those of the registry in its order, then softmax and kin.
std::span<const ActivationPage> activation_pages();

/// By name or alias. ValueError proposes the nearest name.
const ActivationPage& find_activation_page(std::string_view name);

/// "x = 0: 0 (0 on the left, 1 on the right)", or "none".
std::string kinks_text(const ActivationPage& page);

/// "gelu(x, approximate=false)".
std::string signature(const ActivationPage& page);
/// "alpha = 1: any number; in Keras 3 negative_slope".
std::string parameter_text(const ParameterText& parameter);

}  // namespace keratin::cli
