#include "tools/golden/golden_set.h"

#include <fmt/format.h>

#include "keratin/core/error.h"
#include "keratin/io/byte_source.h"
#include "keratin/io/npy.h"

namespace keratin::golden {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;

Config parse(const std::vector<std::byte>& bytes, const std::string& name) {
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  Config config = Config::parse(text, text + bytes.size(), nullptr, false);
  if (!config.is_object() || !config.contains("cases") || !config["cases"].is_array())
    throw IoError("golden", "expects a manifest with a list of cases", fmt::format("\"{}\" is none", name));
  return config;
}

}  // namespace

GoldenSet::GoldenSet(const std::filesystem::path& folder) : folder_(folder) {
  is_packed_ =
      !std::filesystem::exists(folder / "manifest.json") && std::filesystem::exists(folder / "manifest.zip");
  Config manifest = parse(bytes("manifest.json"), (folder / "manifest.json").string());
  for (Config& one : manifest["cases"]) cases_.push_back(std::move(one));
}

const io::ZipReader& GoldenSet::archive(const std::string& top) const {
  auto found = archives_.find(top);
  if (found == archives_.end())
    found = archives_.emplace(top, io::ZipReader(folder_ / (top + ".zip"), {.most_bytes = kMostBytes})).first;
  return found->second;
}

std::vector<std::byte> GoldenSet::bytes(const std::string& file) const {
  if (!is_packed_) return io::read_file(folder_ / file, kMostBytes);
  const auto& packed = archive(file == "manifest.json" ? "manifest" : file.substr(0, file.find('/')));
  const auto index = packed.find(file);
  if (!index)
    throw IoError("golden", fmt::format("expects \"{}\"", file),
                  fmt::format("\"{}\" has none", packed.name()));
  return packed.read(*index);
}

io::NamedTensors GoldenSet::arrays(const Config& golden_case) const {
  const std::string file = golden_case.at("files").at("data").get<std::string>();
  if (file.ends_with(".npy")) return {{"data", io::read_npy(bytes(file), file)}};
  return io::read_npz(bytes(file), file);
}

std::string text_of(const Config& golden_case, const char* key) {
  const auto found = golden_case.find(key);
  if (found == golden_case.end() || !found->is_string())
    throw ValueError("golden", fmt::format("expects a case with the text \"{}\"", key),
                     golden_case.dump().substr(0, 80));
  return found->get<std::string>();
}

Generation generation_of(const Config& golden_case) {
  return text_of(golden_case, "api").starts_with("keras2") ? Generation::keras2 : Generation::keras3;
}

}  // namespace keratin::golden
