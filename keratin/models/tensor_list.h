// What a model takes and gives: one tensor, several in order, or several by name.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keratin/core/export.h"
#include "keratin/tensor/tensor.h"

namespace keratin::inline v0 {

/// `x`, `{x1, x2}` in the order of the model's inputs or outputs, or `{{"image", x1}, {"text", x2}}` by their
/// names. Undefined tensors stand for those that are left out, where that may be. Keras: a tensor, a list or
/// a dict of them.
class KERATIN_API TensorList {
 public:
  using Named = std::pair<std::string, Tensor>;

  /// Nothing.
  TensorList() = default;
  TensorList(Tensor tensor) : tensors_{std::move(tensor)} {}
  TensorList(Tensors tensors) : tensors_(std::move(tensors)) {}
  TensorList(const std::vector<Tensor>& tensors) : tensors_(tensors) {}
  TensorList(std::initializer_list<Tensor> tensors) : tensors_(tensors) {}
  TensorList(std::vector<Named> tensors);
  TensorList(std::initializer_list<Named> tensors) : TensorList(std::vector<Named>(tensors)) {}

  /// Whether one of the tensors is.
  bool is_defined() const noexcept;
  const Tensors& tensors() const noexcept { return tensors_; }
  /// Empty where they are in order.
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// One tensor for each of `expected`, undefined for a name that is left out. ValueError, with the nearest
  /// name, for one that is not expected or given twice, or for another number of tensors; `operation` and
  /// `what` begin the message.
  Tensors in_order(const std::vector<std::string>& expected, std::string_view operation,
                   std::string_view what) const;

 private:
  Tensors tensors_;
  std::vector<std::string> names_;
};

namespace detail {
/// The place of each of `given` in `expected`. ValueError, with the nearest name, for one that is not there
/// or comes twice.
KERATIN_API std::vector<std::size_t> places_of(const std::vector<std::string>& given,
                                               const std::vector<std::string>& expected,
                                               std::string_view operation, std::string_view what);
}  // namespace detail

}  // namespace keratin::inline v0
