#include "keratin/io/system_error.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace keratin::inline v0::io {
namespace {

std::string advice_for(int error) {
  switch (error) {
    case ENOENT:
      return "Check the name; folders are not created.";
    case EACCES:
    case EPERM:
      return "Change its permissions, or choose another place.";
    case EROFS:
      return "The file system is read-only: choose another place.";
    case ENOSPC:
    case EDQUOT:
      return "Make room, or choose another place.";
    case EISDIR:
      return "It is a folder: name a file in it.";
    default:
      return {};
  }
}

}  // namespace

IoError system_error(std::string_view operation, const std::filesystem::path& path, int error) {
  return IoError(operation, "cannot use \"" + path.string() + "\"", std::generic_category().message(error),
                 advice_for(error));
}

}  // namespace keratin::inline v0::io
