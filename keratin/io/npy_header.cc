#include "keratin/io/npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "keratin/core/shape.h"

namespace keratin::inline v0::io::detail {
namespace {

// The little of Python's syntax that headers use: strings, True, False, tuples of whole numbers.
class Reader {
 public:
  Reader(std::string_view text, const ByteSource& source) : text_(text), source_(source) {}

  void expect(char wanted) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) fail(fmt::format("\"{}\" is missing", wanted));
    ++at_;
  }
  bool take(char wanted) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }

  std::string string() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a string is missing");
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a string does not end");
    const std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
    if (value.find('\\') != std::string_view::npos) fail("a string has an escape");
    at_ = end + 1;
    return std::string(value);
  }

  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    fail("True or False is missing");
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (error != std::errc{}) fail("a size is no whole number below 2^63");
      at_ = static_cast<std::size_t>(end - text_.data());
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2's long
      values.push_back(value);
      if (!take(',')) {
        if (values.size() == 1) fail("the shape is no tuple");
        expect(')');
        break;
      }
    }
    return values;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw npy_error(source_, fmt::format("has a header that cannot be read ({}): {}", what, shown()));
  }

  std::string shown() const {
    std::string part;
    for (const char c : text_.substr(0, 120)) part += c >= ' ' && c <= '~' ? c : '?';
    return part;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  std::string_view text_;
  const ByteSource& source_;
  std::size_t at_ = 0;
};

struct Kind {
  std::string_view code;
  DType dtype;
  std::size_t width;
  bool widen = false, is_signed = true;
};

constexpr Kind kKinds[] = {{"f8", DType::float64, 8},
                           {"f4", DType::float32, 4},
                           {"f2", DType::float16, 2},
                           {"V2", DType::bfloat16, 2},
                           {"i8", DType::int64, 8},
                           {"i4", DType::int32, 4},
                           {"u1", DType::uint8, 1},
                           {"b1", DType::boolean, 1},
                           {"i1", DType::int32, 1, true},
                           {"i2", DType::int32, 2, true},
                           {"u2", DType::int32, 2, true, false},
                           {"u4", DType::int64, 4, true, false}};

void set_kind(NpyHeader& header, std::string_view descr, const ByteSource& source) {
  const char order = descr.empty() ? '\0' : descr.front();
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) {
    return descr.size() == 3 && kind.code == descr.substr(1);
  });
  if (found == std::end(kKinds) || std::string_view("<>|=").find(order) == std::string_view::npos)
    throw npy_error(
        source,
        fmt::format("holds elements of type '{}'; known are f8, f4, f2, i8, i4, i2, i1, u4, u2, u1, b1",
                    descr.substr(0, 40)),
        "Convert it in NumPy: a.astype(\"float32\").");
  header.dtype = found->dtype;
  header.width = found->width;
  header.widen = found->widen;
  header.is_signed = found->is_signed;
  header.swapped = order == '>' && found->width > 1;
}

void set_shape(NpyHeader& header, std::vector<std::int64_t> sizes, const ByteSource& source) {
  header.shape = std::move(sizes);
  const auto text = [&] { return fmt::format("({:.100})", fmt::to_string(fmt::join(header.shape, ", "))); };
  if (header.shape.size() > Shape::kMaxRank)
    throw npy_error(source,
                    fmt::format("has {} axes; at most {} are known", header.shape.size(), +Shape::kMaxRank));
  if (std::any_of(header.shape.begin(), header.shape.end(), [](std::int64_t size) { return size < 0; }))
    throw npy_error(source, fmt::format("has a size below 0 in its shape {}", text()));
  try {
    header.size = Shape(header.shape).size();
  } catch (const ShapeError&) {
    header.size = -1;  // beyond 63 bits
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 47;
  if (header.size < 0 || header.size > kMost)
    throw npy_error(source, fmt::format("has the shape {}, more than any memory holds", text()));
}

}  // namespace

IoError npy_error(const ByteSource& source, const std::string& received, std::string_view advice) {
  return IoError("npy", "expects a whole .npy array", fmt::format("\"{}\" {}", source.name(), received),
                 advice);
}

NpyHeader parse_npy_header(std::string_view text, const ByteSource& source) {
  Reader reader(text, source);
  NpyHeader header;
  bool descr = false, order = false, shape = false;
  reader.expect('{');
  while (!reader.take('}')) {
    const std::string key = reader.string();
    reader.expect(':');
    if (key == "descr" && !descr) {
      if (reader.take('[')) throw npy_error(source, "holds records", "Save one array a field.");
      set_kind(header, reader.string(), source);
      descr = true;
    } else if (key == "fortran_order" && !order) {
      header.fortran_order = reader.boolean();
      order = true;
    } else if (key == "shape" && !shape) {
      set_shape(header, reader.tuple(), source);
      shape = true;
    } else {
      reader.fail(fmt::format("the entry \"{:.40}\" is unknown or comes twice", key));
    }
    if (!reader.take(',')) {
      reader.expect('}');
      break;
    }
  }
  if (!descr || !order || !shape) reader.fail("descr, fortran_order or shape is missing");
  if (!reader.at_end()) reader.fail("it goes on after its end");
  return header;
}

}  // namespace keratin::inline v0::io::detail
