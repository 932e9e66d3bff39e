#include "keratin/layers/identity.h"

#include <nlohmann/json.hpp>

#include "keratin/layers/layer_reader.h"

namespace keratin::inline v0 {
namespace {

class IdentityBody final : public LayerBody {
 public:
  explicit IdentityBody(const IdentityOptions& options) { set_common(options); }

  std::string_view class_name() const override { return "Identity"; }
  InputCast input_cast() const override { return InputCast::floats; }
  bool builds_from_shape() const override { return false; }
  Tensor call(const Tensor& x, const CallContext&) const override { return x; }
  Config config(Generation) const override { return Config::object(); }
};

}  // namespace

Identity::Identity(const IdentityOptions& options) : Layer(std::make_shared<IdentityBody>(options)) {}

Identity Identity::from_config(const Config& config, Generation generation) {
  detail::LayerReader reader("Identity", config, generation);
  IdentityOptions options;
  reader.read_common(options);
  return reader.finish(Identity(options));
}

}  // namespace keratin::inline v0
