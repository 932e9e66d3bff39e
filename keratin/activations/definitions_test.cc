// Definitions as plain C++: aggregates with Keras's defaults that run on any value type, plain doubles here.
#include "keratin/activations/definitions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "keratin/activations/registry.h"
#include "keratin/simd/scalar.h"

// The definitions once more, on doubles and on pairs of doubles, over the C++ library's functions.
namespace keratin::inline v0::simd::scalar {
using activations::FastKernel;
using activations::FastKernels;
using activations::Info;
using activations::kNone;
using activations::kOneRounding;
using activations::Parameter;
using activations::parameter;
using activations::ParameterKind;
#define KERATIN_DEFINITION(name) KERATIN_DEFINITION_FILE(name)
#define KERATIN_ACTIVATION(name, Struct)
#include "keratin/activations/definitions/list.inc"
}  // namespace keratin::inline v0::simd::scalar

namespace keratin::activations {
namespace {

static_assert(std::is_aggregate_v<Elu> && std::is_trivially_copyable_v<Relu>);
static_assert(Elu{.alpha = 0.5}.alpha == 0.5 && Relu{}.max_value == kNone && Gelu{}.approximate == false);

template <class D>
double slope_of(const D& definition, double x) {
  if constexpr (requires { definition.derivative(x); }) {
    return definition.derivative(x);
  } else {
    return definition(simd::scalar::Dual<double>{x, 1}).slope;
  }
}

// The kernels keep to half a ULP; the same definition over libm loses a few digits, 1e-12 is far from both.
template <class Plain, Definition D>
void expect_equal(const char* name) {
  const Plain plain{};
  const D parameters{};
  for (double x = -20.03; x < 20; x += 0.37) {
    const double value = function<D>().value(&parameters, x),
                 slope = function<D>().derivative(&parameters, x);
    EXPECT_NEAR(plain(x), value, 1e-12 * std::fabs(value) + 1e-300) << name << " at " << x;
    EXPECT_NEAR(slope_of(plain, x), slope, 1e-12 * std::fabs(slope) + 1e-12) << name << "' at " << x;
  }
}

TEST(Definitions, RunOnPlainDoublesAndTheirDuals) {
#define KERATIN_DEFINITION(name) KERATIN_NO_DEFINITION(name)
#define KERATIN_ACTIVATION(name, Struct) expect_equal<simd::scalar::Struct, Struct>(#name);
#include "keratin/activations/definitions/list.inc"
}

}  // namespace
}  // namespace keratin::activations
