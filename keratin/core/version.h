// The version of the library, for the preprocessor and at run time.
#pragma once

#include "keratin/core/export.h"

#define KERATIN_VERSION_MAJOR 0
#define KERATIN_VERSION_MINOR 1
#define KERATIN_VERSION_PATCH 0
/// 10000·major + 100·minor + patch, to compare in `#if`.
#define KERATIN_VERSION (KERATIN_VERSION_MAJOR * 10000 + KERATIN_VERSION_MINOR * 100 + KERATIN_VERSION_PATCH)

namespace keratin::inline v0 {

/// The version of the library that runs, "major.minor.patch"; the macros tell the one compiled against.
KERATIN_API const char* version() noexcept;

}  // namespace keratin::inline v0
