// The errors that the library throws. Each message has four parts: operation, expected, received, advice.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "keratin/core/export.h"

namespace keratin::inline v0 {

/// Base of all errors of the library. what() reads
/// "operation: expected, received.\n  advice"; empty parts are left out.
/// Nothing has changed when one is thrown: arguments are checked first.
class KERATIN_API Error : public std::runtime_error {
 public:
  Error(std::string_view operation, std::string_view expected, std::string_view received,
        std::string_view advice = {});
  ~Error() override;

  const std::string& operation() const noexcept { return operation_; }
  const std::string& expected() const noexcept { return expected_; }
  const std::string& received() const noexcept { return received_; }
  const std::string& advice() const noexcept { return advice_; }

 private:
  std::string operation_, expected_, received_, advice_;
};

/// A value out of its range, an unknown name, a combination that makes no sense. Keras: ValueError.
class KERATIN_API ValueError : public Error {
 public:
  using Error::Error;
  ~ValueError() override;
};

/// A shape, rank or axis that does not fit.
class KERATIN_API ShapeError : public ValueError {
 public:
  using ValueError::ValueError;
  ~ShapeError() override;
};

/// A dtype or a kind of object that the operation cannot take. Keras: TypeError.
class KERATIN_API TypeError : public Error {
 public:
  using Error::Error;
  ~TypeError() override;
};

/// A file that cannot be read or written, or does not hold what its name says.
class KERATIN_API IoError : public Error {
 public:
  using Error::Error;
  ~IoError() override;
};

/// NaN or infinity where the computation cannot go on, as in a loss.
class KERATIN_API NumericError : public Error {
 public:
  using Error::Error;
  ~NumericError() override;
};

/// An object used in the wrong order: a model not built, not compiled.
class KERATIN_API StateError : public Error {
 public:
  using Error::Error;
  ~StateError() override;
};

}  // namespace keratin::inline v0
