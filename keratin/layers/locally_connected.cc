#include "keratin/layers/locally_connected.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "keratin/core/error.h"
#include "keratin/layers/convolution_body.h"
#include "keratin/ops/ops.h"

namespace keratin::inline v0 {
namespace {

// What the convolutions' body asks for beside the layer's own options.
struct Options : LocallyConnectedOptions {
  Sizes dilation_rate = 1;
};

struct Arguments {
  std::int64_t filters = 0;
  Sizes kernel_size = 1;
  Options options;
  template <class Self, class Fields>
  static void fields(Self& a, Fields& field) {
    field.required("filters", a.filters);
    field.required("kernel_size", a.kernel_size);
    field("strides", a.options.strides);
    field("padding", a.options.padding);
    field("data_format", a.options.data_format);
    detail::kernel_fields(a.options, field);
    detail::bias_fields(a.options, field);
    field("implementation", a.options.implementation);
  }
};

std::string named(std::size_t n) { return "LocallyConnected" + std::to_string(n) + "D"; }

template <std::size_t N>
class LocallyConnectedBody final : public detail::ConvolutionBody<N, Arguments> {
 public:
  using Base = detail::ConvolutionBody<N, Arguments>;
  using Indices = std::vector<std::int64_t>;

  explicit LocallyConnectedBody(Arguments arguments) : Base(named(N), std::move(arguments), false) {
    const Options& options = this->a_.options;
    if (this->a_.filters < 1) {
      throw ValueError(this->class_name(), "filters of at least 1",
                       "received filters=" + std::to_string(this->a_.filters));
    }
    if (options.implementation < 1 || options.implementation > 3) {
      throw ValueError(this->class_name(), "implementation is 1, 2 or 3",
                       "received implementation=" + std::to_string(options.implementation),
                       "1 is the fastest for small windows.");
    }
    if (options.implementation == 1 && options.padding != "valid") {
      throw ValueError(this->class_name(), "padding=\"valid\" with implementation=1",
                       "received padding=\"" + options.padding + "\"", "Take implementation=2.");
    }
  }

  void build(const Shape& input) override {
    const Options& options = this->a_.options;
    const Shape shape = this->channels_last(input).with_inserted(0, 1).without(1), result = shape_of(shape);
    for (std::size_t axis = 0; axis < N; ++axis) {
      if (shape[axis + 1] != Shape::kUnknown) continue;
      this->refuse_input("an input with known spatial sizes", input,
                         "Each position has weights of its own: give Input those sizes.");
    }
    kernel_ = this->add_weight(connected(shape, result), "kernel", options.kernel_initializer,
                               options.kernel_regularizer, options.kernel_constraint);
    if (options.use_bias) {
      this->bias_ = this->add_weight(result.without(0), "bias", options.bias_initializer,
                                     options.bias_regularizer, options.bias_constraint);
    }
    this->add_activation("activation", options.activation,
                         detail::from_channels_last(shape_of(this->channels_last(input)), this->format()));
  }

  Tensor call(const Tensor& x, const CallContext& context) const override {
    const Shape result = shape_of(this->channels_last(x.shape()));
    const std::int64_t batch = x.shape()[0], size = result.size() / std::max<std::int64_t>(batch, 1);
    const Tensor rows = ops::reshape(x, {batch, batch == 0 ? kernel_rows() : x.size() / batch});
    Tensor y;
    if (this->a_.options.implementation == 1) {
      y = ops::reshape(of_windows(rows), result);
    } else {
      y = detail::to_channels_last(ops::reshape(ops::matmul(rows, matrix(rows.shape()[1], size)),
                                                detail::from_channels_last(result, this->format())),
                                   this->format());
    }
    if (this->bias_.is_defined()) y = y + bias_like(result);
    return this->finished(this->fused()(y), context);
  }

  std::shared_ptr<LayerBody> clone() const override {
    return this->cloned(std::make_shared<LocallyConnectedBody>(*this));
  }

 private:
  Shape shape_of(const Shape& input) const override {
    if (this->built_shape) {
      const Shape built = detail::to_channels_last(*this->built_shape, this->format());
      for (std::size_t axis = 1; axis <= N; ++axis) {
        if (input[axis] == built[axis] || input[axis] == Shape::kUnknown) continue;
        this->refuse_input("an input of the sizes " + this->built_shape->to_string(),
                           detail::from_channels_last(input, this->format()),
                           "Each position has weights of its own: feed those sizes, or build a new layer.");
      }
    }
    return this->moved(input, this->a_.filters);
  }

  bool is_channels_first() const { return this->format() == "channels_first"; }

  // For each position of the window, in order, the places in x's spatial axes that it sees. Keras 2 centers a
  // window of padding "same" on stride·position, unlike its convolutions.
  std::vector<Indices> windows(const Shape& input, const Shape& result) const {
    std::vector<Indices> all = {{0}};
    for (std::size_t axis = 0; axis < N; ++axis) {
      const std::int64_t size = this->a_.kernel_size[axis], stride = this->a_.options.strides[axis];
      const std::int64_t before = this->a_.options.padding == "valid" ? 0 : size / 2;
      std::vector<Indices> next;
      for (const Indices& window : all) {
        for (std::int64_t i = 0; i < result[axis + 1]; ++i) {
          const std::int64_t begin = i * stride - before;
          Indices places;
          for (const std::int64_t place : window) {
            for (std::int64_t k = std::max<std::int64_t>(begin, 0);
                 k < std::min(begin + size, input[axis + 1]); ++k)
              places.push_back(place * input[axis + 1] + k);
          }
          next.push_back(std::move(places));
        }
      }
      all = std::move(next);
    }
    return all;
  }

  // What is connected with what, and the shape of the kernel. Both shapes are of one sample, channels last.
  Shape connected(const Shape& input, const Shape& result) {
    const std::vector<Indices> seen = windows(input, result);
    const std::int64_t channels = input.back(), filters = this->a_.filters;
    const std::int64_t places = input.size() / channels, positions = result.size() / filters;
    const auto flat = [&](std::int64_t place, std::int64_t channel, std::int64_t all, std::int64_t count) {
      return is_channels_first() ? channel * all + place : place * count + channel;
    };
    if (this->a_.options.implementation == 1) {
      Indices order;
      for (const Indices& window : seen) {
        const auto add = [&](std::int64_t place, std::int64_t channel) {
          order.push_back(flat(place, channel, places, channels));
        };
        if (is_channels_first()) {
          for (std::int64_t c = 0; c < channels; ++c)
            for (const std::int64_t place : window) add(place, c);
        } else {
          for (const std::int64_t place : window)
            for (std::int64_t c = 0; c < channels; ++c) add(place, c);
        }
      }
      const auto count = static_cast<std::int64_t>(order.size());
      order_ = Tensor::from(order, {count});
      return {positions, count / positions, filters};
    }
    const std::int64_t rows = input.size(), columns = result.size();
    // Of each element of the matrix (rows, columns), whether there is a weight; then which.
    std::vector<char> is_set(static_cast<std::size_t>(rows * columns), 0);
    for (std::size_t position = 0; position < seen.size(); ++position)
      for (const std::int64_t place : seen[position])
        for (std::int64_t c = 0; c < channels; ++c)
          for (std::int64_t f = 0; f < filters; ++f)
            is_set[static_cast<std::size_t>(
                flat(place, c, places, channels) * columns +
                flat(static_cast<std::int64_t>(position), f, positions, filters))] = 1;
    if (this->a_.options.implementation == 2) {
      std::vector<double> mask(is_set.begin(), is_set.end());
      order_ = Tensor::from(mask, {rows, columns}).astype(this->dtype);
      Shape shape = detail::from_channels_last(input, this->format()).without(0);
      const Shape behind = detail::from_channels_last(result, this->format()).without(0);
      for (std::size_t axis = 0; axis < behind.rank(); ++axis)
        shape = shape.with_inserted(shape.rank(), behind[axis]);
      return shape;
    }
    const std::int64_t count = std::count(is_set.begin(), is_set.end(), 1);
    Indices order(is_set.size(), count);
    std::int64_t next = 0;
    for (std::int64_t column = 0; column < columns; ++column) {
      for (std::int64_t row = 0; row < rows; ++row) {
        const auto at = static_cast<std::size_t>(row * columns + column);
        if (is_set[at] != 0) order[at] = next++;
      }
    }
    order_ = Tensor::from(order, {rows * columns});
    return {count};
  }

  std::int64_t kernel_rows() const {
    return detail::to_channels_last(*this->built_shape, this->format()).without(0).size();
  }

  // Implementations 2 and 3: all of x to all of y.
  Tensor matrix(std::int64_t rows, std::int64_t columns) const {
    const Tensor kernel = kernel_.tensor();
    if (this->a_.options.implementation == 2) return ops::reshape(kernel, {rows, columns}) * order_;
    // What is not connected takes the zero behind the weights.
    const Tensor padded = ops::concatenate({kernel, Tensor::zeros({1}, this->dtype)}, 0);
    return ops::reshape(ops::take(padded, order_), {rows, columns});
  }

  // Implementation 1, rows (batch, elements of x): (batch, positions, filters).
  Tensor of_windows(const Tensor& rows) const {
    const Shape& kernel = kernel_.shape();
    const std::int64_t turn[] = {1, 0, 2}, last[] = {0, 2, 1};
    const Tensor patches =
        ops::reshape(ops::take(ops::transpose(rows), order_), {kernel[0], kernel[1], rows.shape()[0]});
    return ops::transpose(ops::matmul(ops::transpose(patches, last), kernel_.tensor()), turn);
  }

  // Keras 2 lays a bias of (sizes, filters) out anew as (filters, sizes) for channels_first; it does not turn
  // it.
  Tensor bias_like(const Shape& result) const {
    Shape one = result;
    one[0] = 1;
    return detail::to_channels_last(
        ops::reshape(this->bias_.tensor(), detail::from_channels_last(one, this->format())), this->format());
  }

  Variable kernel_;
  /// Implementation 1: the elements of x that the windows see, one window after the other; 2: the mask of the
  /// kernel; 3: for each element of the matrix the weight's place.
  Tensor order_;
};

}  // namespace

template <std::size_t N>
LocallyConnected<N>::LocallyConnected(std::int64_t filters, const Sizes& kernel_size,
                                      const LocallyConnectedOptions& options)
    : Layer(std::make_shared<LocallyConnectedBody<N>>(Arguments{filters, kernel_size, Options{options}})) {}
template <std::size_t N>
LocallyConnected<N> LocallyConnected<N>::from_config(const Config& config, Generation generation) {
  return detail::read_layer<Arguments>(named(N), config, generation, [](const auto& a) {
    return LocallyConnected(a.filters, a.kernel_size, a.options);
  });
}

template class LocallyConnected<1>;
template class LocallyConnected<2>;

}  // namespace keratin::inline v0
