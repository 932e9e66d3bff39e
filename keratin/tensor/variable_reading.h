// What the ops of a thread see of variables: mixed precision reads them rounded. Internal.
#pragma once

#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0::detail {

/// While it lives, Variable::tensor() of this thread gives what `read` makes of the value; null: the value.
class KERATIN_API ReadVariables {
 public:
  using Read = Tensor (*)(const Tensor& value);

  explicit ReadVariables(Read read) noexcept;
  ~ReadVariables();
  ReadVariables(const ReadVariables&) = delete;
  ReadVariables& operator=(const ReadVariables&) = delete;

 private:
  Read before_;
};

}  // namespace keratin::inline v0::detail
