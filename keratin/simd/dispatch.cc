#include "keratin/simd/dispatch.h"

#include <hwy/targets.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>

#include "keratin/core/error.h"

namespace keratin::inline v0::simd {
namespace {

constexpr std::array<std::string_view, kIsaCount> kNames{"scalar", "sse4", "avx2", "avx512", "neon"};
constexpr std::array<std::int64_t, kIsaCount> kTargets{HWY_SCALAR | HWY_EMU128, HWY_SSE4, HWY_AVX2, HWY_AVX3,
                                                       HWY_NEON};

// Highway's library says what the machine has; a build for the compiler's own baseline alone does without it.
std::int64_t targets_of_this_machine() {
  if constexpr (HWY_TARGETS == HWY_STATIC_TARGET) {
    return HWY_TARGETS;
  } else {
    return hwy::SupportedTargets();
  }
}

struct Supported {
  std::array<Isa, kIsaCount> isas{};
  std::size_t count = 0;

  Supported() {
    const std::int64_t present = targets_of_this_machine();
    for (int i = 0; i < kIsaCount; ++i) {
      const std::int64_t built = HWY_TARGETS & kTargets[i];
      // Plain C++ runs anywhere, whatever Highway counts as supported.
      const bool runs = i == 0 || (present & kTargets[i]) != 0;
      if (built != 0 && runs) isas[count++] = static_cast<Isa>(i);
    }
  }
};

const Supported& supported() {
  static const Supported value;
  return value;
}

std::string joined_names() {
  std::string text;
  for (const Isa isa : supported_isas()) {
    if (!text.empty()) text += ", ";
    text += name(isa);
  }
  return text;
}

void require_supported(std::string_view operation, Isa isa) {
  for (const Isa known : supported_isas()) {
    if (known == isa) return;
  }
  throw ValueError(operation, "expects an instruction set that this machine and build have",
                   "received \"" + std::string(name(isa)) + "\"", "Here: " + joined_names() + ".");
}

Isa from_environment() {
  const char* text = std::getenv("KERATIN_ISA");
  if (text == nullptr || *text == '\0') return supported_isas().back();
  for (int i = 0; i < kIsaCount; ++i) {
    if (kNames[i] != text) continue;
    require_supported("KERATIN_ISA", static_cast<Isa>(i));
    return static_cast<Isa>(i);
  }
  throw ValueError("KERATIN_ISA", "expects the name of an instruction set",
                   "received \"" + std::string(text) + "\"",
                   "This machine and build have: " + joined_names() + ". Unset it for the best.");
}

// The instruction set that is forced, or -1.
std::atomic<int> forced{-1};

}  // namespace

std::string_view name(Isa isa) noexcept { return kNames[static_cast<std::size_t>(isa)]; }

std::span<const Isa> supported_isas() noexcept { return {supported().isas.data(), supported().count}; }

Isa active_isa() {
  const int isa = forced.load(std::memory_order_relaxed);
  if (isa >= 0) return static_cast<Isa>(isa);
  // A throw leaves it to the next call to try again.
  static const Isa chosen = from_environment();
  return chosen;
}

ScopedIsa::ScopedIsa(Isa isa) : previous_(-1) {
  require_supported("ScopedIsa", isa);
  previous_ = forced.exchange(static_cast<int>(isa));
}

ScopedIsa::~ScopedIsa() { forced.store(previous_); }

}  // namespace keratin::inline v0::simd
