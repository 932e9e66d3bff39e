// The page docs/activations.md, written from the registry.
#pragma once

#include <string>

namespace keratin::cli {

std::string activations_markdown();

}  // namespace keratin::cli
