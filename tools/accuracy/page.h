// docs/accuracy.md, made of rows.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace keratin::accuracy {

/// The page in Markdown; nothing in it that the rows do not say, but what they mean.
std::string page(const nlohmann::ordered_json& rows);

}  // namespace keratin::accuracy
