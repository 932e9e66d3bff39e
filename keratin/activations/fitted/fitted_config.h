// Fitted tables as data in files. Internal.
#pragma once

#include "keratin/activations/fitted/fitted_table.h"
#include "keratin/core/config.h"

namespace keratin::inline v0::detail {

Config table_config(const FittedTable& table);
/// ValueError for what table_config does not write. Whether it is a function's table check_fit says.
FittedTable table_from_config(const Config& config);

}  // namespace keratin::inline v0::detail
