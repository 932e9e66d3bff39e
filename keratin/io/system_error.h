// What the system says about a file, as an IoError. Internal.
#pragma once

#include <filesystem>
#include <string_view>

#include "keratin/core/error.h"

namespace keratin::inline v0::io {

/// The error of `operation` ("read", "write") on `path` for a value of errno, with advice where there is
/// some.
IoError system_error(std::string_view operation, const std::filesystem::path& path, int error);

}  // namespace keratin::inline v0::io
