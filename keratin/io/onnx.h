// ONNX files of element-wise functions, read into expressions.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "keratin/activations/expression.h"
#include "keratin/core/export.h"

namespace keratin::inline v0::io {

/// The function that an .onnx file holds: a graph of one floating input and one floating output, made of
/// element-wise operators and constants of one element, as PyTorch, TensorFlow (through tf2onnx) and CNTK
/// write an activation. Numbers are computed in the type of the tensor that it is applied to, whatever the
/// file's; a Cast between floating types changes nothing. int32 and int64 between a Cast and the next are
/// whole numbers of that type, exact up to 2^24 in float32 and 2^53 in float64, that never overflow. Mod with
/// fmod = 1 is exact in float32 where |a / b| < 2^26, elsewhere within 2^-53 |a| but next to multiples of b.
/// Pow has C's exceptional cases; its gradient by a varying exponent is NaN where the base is negative, and
/// at 0 below an exponent of 1. Other gradients are those of Expr, kinks included.
///
/// IoError, which names the file and the node, for what cannot be one number's function: another operator,
/// several inputs or outputs, a constant of several elements or in another file; for damage; and beyond
/// 16 MiB, 10,000 nodes, functions in functions 16 deep, and the limits of Expr.
KERATIN_API Expr load_onnx(const std::filesystem::path& path);
/// The same from memory; errors call it `name`.
KERATIN_API Expr read_onnx(std::span<const std::byte> bytes, const std::string& name);

}  // namespace keratin::inline v0::io
