// NumPy's .npy files: one array each.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/io/byte_source.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::io {

/// The array of a .npy file of format 1.0, 2.0 or 3.0; either byte order, C or Fortran order. Dtypes f8, f4,
/// f2, i8, i4, u1, b1; i1, i2, u2 become int32 and u4 int64; V2, which is how bfloat16 is saved from Python,
/// becomes bfloat16. Whatever else, and any damage (cut off, a size that cannot be, bytes after the end), is
/// an IoError that names the file, found before memory is taken for more than the file holds.
KERATIN_API Tensor load_npy(const std::filesystem::path& path);
/// The same from memory or another source, read to its end.
KERATIN_API Tensor read_npy(std::span<const std::byte> bytes, std::string name);
KERATIN_API Tensor read_npy(ByteSource& source);

/// Writes beside the path and renames: format 1.0, C order, little endian. TypeError for an undefined tensor,
/// IoError where the system refuses.
KERATIN_API void save_npy(const std::filesystem::path& path, const Tensor& tensor);

namespace detail {
/// The bytes before the elements of a contiguous tensor.
std::string npy_header(const Tensor& tensor);
std::span<const std::byte> bytes_of(const Tensor& tensor);
}  // namespace detail

}  // namespace keratin::inline v0::io
