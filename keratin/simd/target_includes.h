// The ordinary headers that target.inl needs, at the baseline instruction set. <hwy/highway.h> is not among
// them: it has to be included once for each instruction set.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "keratin/core/dtype.h"
#include "keratin/simd/coefficients.h"
#include "keratin/simd/constant.h"
#include "keratin/simd/value.h"
