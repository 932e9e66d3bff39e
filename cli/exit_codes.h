// What `keratin` tells the shell when it ends; `keratin --help` lists these.
#pragma once

namespace keratin::cli {

enum ExitCode : int {
  kFine = 0,
  kFailed = 1,
  kWrongUsage = 2,
  kFileProblem = 3,
};

}  // namespace keratin::cli
