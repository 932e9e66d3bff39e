#include "keratin/io/data_file.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "keratin/core/error.h"

namespace keratin::inline v0::io {
namespace {

namespace fs = std::filesystem;

// The folder of the library or program that this code is in.
fs::path own_folder() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const fs::path file = fs::canonical(info.dli_fname, error);
  if (!error) return file.parent_path();
  const fs::path program = fs::canonical("/proc/self/exe", error);  // dli_fname of a program may be relative
  return error ? fs::path() : program.parent_path();
}

std::vector<fs::path> folders() {
  std::vector<fs::path> places;
  if (const char* set = std::getenv("KERATIN_DATA"); set != nullptr && *set != '\0') places.emplace_back(set);
  // lib/libkeratin.so or lib/x86_64-linux-gnu/libkeratin.so beside share/keratin.
  fs::path folder = own_folder();
  for (int up = 0; up < 3 && folder.has_relative_path(); ++up) {
    folder = folder.parent_path();
    places.push_back(folder / "share" / "keratin");
  }
  places.emplace_back(KERATIN_SOURCE_DATA);
  return places;
}

}  // namespace

fs::path data_file(std::string_view name) {
  const fs::path file(name);
  if (file.empty() || file != file.filename() || name == "." || name == "..")
    throw ValueError("data_file", "expects the name of a file without a folder",
                     "got \"" + std::string(name) + "\"");
  std::string looked;
  for (const fs::path& folder : folders()) {
    std::error_code error;
    if (fs::is_regular_file(folder / file, error)) return folder / file;
    looked += "\n    " + folder.string();
  }
  throw IoError("data_file", "expects \"" + std::string(name) + "\" among the data that comes along",
                "it is in none of" + looked, "Set KERATIN_DATA to the folder that holds it.");
}

}  // namespace keratin::inline v0::io
