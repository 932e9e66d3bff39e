// The header of an .npy file: a Python dictionary with three entries. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "keratin/core/dtype.h"
#include "keratin/core/error.h"
#include "keratin/io/byte_source.h"

namespace keratin::inline v0::io::detail {

struct NpyHeader {
  DType dtype = DType::float32;  ///< of the tensor
  std::size_t width = 4;         ///< bytes an element in the file
  bool swapped = false;          ///< big endian
  bool widen = false;            ///< the file's integers are narrower than the tensor's
  bool is_signed = true;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::int64_t size = 0;  ///< elements
};

/// IoError that names the source and, where it matters, what the header holds.
NpyHeader parse_npy_header(std::string_view text, const ByteSource& source);

IoError npy_error(const ByteSource& source, const std::string& received, std::string_view advice = {});

}  // namespace keratin::inline v0::io::detail
