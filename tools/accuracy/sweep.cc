// Inputs run on every instruction set, are hashed, and judged once.
#include "tools/accuracy/sweep.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "keratin/activations/functions.h"
#include "keratin/core/dtype.h"
#include "keratin/core/text.h"
#include "tools/accuracy/double_sweep.h"
#include "tools/accuracy/float_sweep.h"
#include "tools/accuracy/half_sweep.h"

namespace keratin::accuracy {
namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

// FNV-1a over whole words; every NaN counts as one.
template <class T>
std::uint64_t hash(std::uint64_t state, const std::vector<T>& values) {
  for (const T value : values) {
    const Bits<T> bits = std::isnan(value) ? ~Bits<T>{0} : std::bit_cast<Bits<T>>(value);
    state = (state ^ bits) * 0x100000001b3ULL;
    state ^= state >> 29;
  }
  return state;
}

template <class T>
void run(const Variant& v, Direction direction, const std::vector<T>& x, std::vector<T>& y) {
  y.resize(x.size());
  const std::span<const T> in(x);
  if (direction == Direction::value) {
    activations::detail::apply(*v.function, v.parameters, in, std::span<T>(y));
  } else {
    const std::vector<T> ones(x.size(), T{1});
    activations::detail::apply_gradient(*v.function, v.parameters, in, std::span<const T>(ones),
                                        std::span<T>(y));
  }
}

// The parameters as the kernels of that type see them.
Variant rounded(const Variant& variant, Type type) {
  Variant result = variant;
  if (type == Type::f64) return result;
  for (const activations::Parameter& p : variant.function->parameters) {
    const double value = p.get(variant.parameters);
    if (type == Type::f16) p.set(result.parameters, static_cast<double>(to_float(to_float16(value))));
    if (type == Type::bf16) p.set(result.parameters, static_cast<double>(to_float(to_bfloat16(value))));
    if (type == Type::f32) p.set(result.parameters, static_cast<double>(static_cast<float>(value)));
  }
  return result;
}

// Kinks, roots of derivatives, ends of the range of exp, and the parameters.
template <class T>
std::vector<T> neighbourhoods(const Variant& variant, int count) {
  std::vector<double> centres{0.0,
                              0.5,
                              1.0,
                              2.5,
                              3.0,
                              6.0,
                              9.0,
                              17.0,
                              87.34,
                              88.72,
                              103.97,
                              1.278464542761073795,
                              1.192243500000000000,
                              0.751791524693564457,
                              0.752461369900000000,
                              708.4,
                              709.78,
                              745.13,
                              38.5,
                              14.2,
                              0x1p-8,
                              1.5,
                              0x1p-126,
                              0x1p-1022,
                              0x1p127,
                              0x1p1023,
                              0x1p200};
  for (const auto& [name, value] : names(variant)) centres.push_back(std::fabs(value));
  std::vector<T> x;
  for (const double centre : centres) {
    const T start = static_cast<T>(centre);
    if (!std::isfinite(start)) continue;
    T up = start, down = start;
    for (int i = 0; i < count; ++i) {
      for (const T value : {up, down}) {
        x.push_back(value);
        x.push_back(-value);
      }
      up = std::nextafter(up, std::numeric_limits<T>::max());
      down = std::nextafter(down, T{0});
    }
  }
  return x;
}

// Gathers what blocks yield.
class Sweep {
 public:
  Sweep(const Variant& variant, Direction direction, Type type, const Plan& plan)
      : variant_(rounded(variant, type)),
        direction_(direction),
        plan_(plan),
        oracle_(variant.function->info->formula, variant.function->info->derivative, names(variant_)) {
    const activations::Bounds& bounds = variant.function->info->bounds;
    row_.function = variant.function->info->name;
    row_.parameters = variant.text;
    row_.direction = direction;
    row_.type = type;
    row_.hashes.assign(plan.isas.size(), 0xcbf29ce484222325ULL);
    const bool value = direction == Direction::value;
    row_.bound = 0.5;
    if (type == Type::f32) row_.bound = value ? bounds.value_f32 : bounds.gradient_f32;
    if (type == Type::f64) row_.bound = value ? bounds.value_f64 : bounds.gradient_f64;
  }

  template <class T>
  std::vector<T> results(const std::vector<T>& x) {
    std::vector<T> y;
    for (std::size_t i = 0; i < row_.hashes.size(); ++i) {
      const simd::ScopedIsa isa(plan_.isas[i]);
      run(variant_, direction_, x, y);
      row_.hashes[i] = hash(row_.hashes[i], y);
    }
    row_.inputs += x.size();
    return y;
  }

  template <class T>
  void certify_all(const std::vector<T>& x) {
    const std::vector<T> y = results(x);
    for (std::size_t i = 0; i < x.size(); ++i) certify(x[i], y[i]);
  }

  // f32 by the fast oracle.
  void screen() { sweep_floats(variant_, plan_, kernel_of<float>(variant_, direction_), row_); }

  // f64 by long doubles.
  void screen_doubles() { sweep_doubles(variant_, plan_, kernel_of<double>(variant_, direction_), row_); }

  void halves() { sweep_halves(variant_, plan_, row_); }

  Row row() const { return row_; }

 private:
  // Next to a zero of its own the f32 gradient is held to an absolute bound: Info::gradient_zero.
  template <class T>
  bool excused(double x, T y, double expected) const {
    return sizeof(T) == 4 && direction_ == Direction::gradient &&
           std::fabs(x - variant_.function->info->gradient_zero) < 0.125 &&
           std::fabs(static_cast<double>(y) - expected) <= 0x1p-24;
  }

  template <class T>
  void certify(T x, T y) {
    const Judgement judgement = direction_ == Direction::value
                                    ? oracle_.value(static_cast<double>(x), y)
                                    : oracle_.derivative(static_cast<double>(x), y);
    ++row_.certified;
    row_.not_correctly_rounded += !judgement.correctly_rounded;
    if (judgement.ulp > row_.max_ulp && !excused(static_cast<double>(x), y, judgement.expected)) {
      row_.max_ulp = judgement.ulp;
      row_.worst_input = static_cast<double>(x);
    }
  }

  Variant variant_;
  Direction direction_;
  Plan plan_;
  Oracle oracle_;
  Row row_;
};

}  // namespace

Names names(const Variant& variant) {
  Names result;
  for (const activations::Parameter& p : variant.function->parameters) {
    result.emplace_back(p.name, p.get(variant.parameters));
  }
  return result;
}

std::string describe(const Plan& plan, Type type) {
  if (type == Type::f16 || type == Type::bf16) return "all";
  if (type == Type::f64) return std::to_string(plan.samples) + " a binade";
  return "stride " + std::to_string(plan.stride) +
         (plan.offset == 0 ? "" : " from " + std::to_string(plan.offset));
}

std::vector<Variant> variants(const activations::Function& function) {
  std::vector<Variant> result;
  for (const double value : {0.0, 0.3, 1.7, 0.0625}) {
    Variant variant{&function, {}, {}};
    std::memcpy(variant.parameters, function.defaults, function.parameters_size);
    int place = 0;
    for (const activations::Parameter& p : function.parameters) {
      if (value == 0) break;
      const bool flag = p.kind == activations::ParameterKind::flag;
      const double chosen = flag ? value < 1 : value * (1 + place++);
      p.set(variant.parameters, chosen);
      variant.text += (variant.text.empty() ? "" : " ") + std::string(p.name) + "=" + to_text(chosen);
    }
    const bool known = std::any_of(result.begin(), result.end(), [&](const Variant& other) {
      return std::memcmp(other.parameters, variant.parameters, function.parameters_size) == 0;
    });
    if (!known) result.push_back(std::move(variant));
  }
  return result;
}

Row sweep(const Variant& variant, Direction direction, Type type, const Plan& plan) {
  Sweep sweep(variant, direction, type, plan);
  if (type == Type::f16 || type == Type::bf16) {
    sweep.halves();
  } else if (type == Type::f32) {
    if (plan.stride > 1) sweep.certify_all(neighbourhoods<float>(variant, plan.neighbours));
    sweep.screen();
  } else {
    sweep.certify_all(neighbourhoods<double>(variant, plan.neighbours));
    sweep.screen_doubles();
  }
  return sweep.row();
}

Row sweep_one(const Variant& variant, Direction direction, Type type, double input) {
  Sweep sweep(variant, direction, type, Plan());
  if (type == Type::f32) {
    sweep.certify_all(std::vector<float>{static_cast<float>(input)});
  } else {
    sweep.certify_all(std::vector<double>{input});
  }
  return sweep.row();
}

}  // namespace keratin::accuracy
