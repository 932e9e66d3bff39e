// The data sets that come with the library.
#pragma once

#include <filesystem>
#include <string_view>

#include "keratin/core/export.h"

namespace keratin::inline v0::io {

/// Where a file of the project's data folder is, as data_file("digits.npz"): in the folder that the
/// environment variable KERATIN_DATA names, else beside the installed library or program (share/keratin),
/// else in the source tree that it was built from. IoError lists the places where it is not; ValueError for a
/// name with folders.
KERATIN_API std::filesystem::path data_file(std::string_view name);

}  // namespace keratin::inline v0::io
