// f32 softmax and log_softmax on rows of many lengths and spreads.
#pragma once

#include <vector>

#include "tools/accuracy/sweep.h"

namespace keratin::accuracy {

/// For each function and length of row one row of results; for softmax one of the rows' sums as well, whose
/// error is that of the exact sum against 1 ("parameters": "rows of 128", "sums of rows of 128"). The witness
/// is long double of 64 bits.
std::vector<Row> sweep_axis(const Plan& plan);

}  // namespace keratin::accuracy
