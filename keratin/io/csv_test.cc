// CSV tables: dialects, labels, bad rows named by line and column, round trips.
#include "keratin/io/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "keratin/io/test_folder.h"

namespace keratin::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
class Csv : public FolderTest {};

template <class T = float>
std::vector<T> list(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return {values.begin(), values.end()};
}

Table read(std::string_view text, const CsvOptions& options = {}) { return read_csv(text, "t.csv", options); }

TEST_F(Csv, TheSameTableInEveryDialect) {
  const char* texts[] = {"a,b\n1,2\n3,4\n",
                         "a,b\r\n1,2\r\n3,4",
                         "a,b\r1,2\r3,4\r",
                         "\xEF\xBB\xBF\x61,b\n1,2\n3,4\n",
                         "\n\n a , b \n\n 1 ,\t2\n   \n+3,4.0\n\n",
                         "\"a\",\"b\"\n\"1\",\"2\"\n\" 3\",4\n",
                         "a,b\n1e0,20e-1\n0.3e1,400E-2\n"};
  for (const char* text : texts) {
    const Table table = read(text);
    EXPECT_THAT(table.columns, ElementsAre("a", "b")) << text;
    EXPECT_EQ(table.values.shape(), Shape({2, 2})) << text;
    EXPECT_THAT(list(table.values), ElementsAre(1, 2, 3, 4)) << text;
    EXPECT_FALSE(table.labels.is_defined());
  }
  EXPECT_THAT(list(read("1;2\n3;4", {.delimiter = ';'}).values), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(list(read("1\t2\n3\t4", {.delimiter = '\t'}).values), ElementsAre(1, 2, 3, 4));
}

TEST_F(Csv, AHeaderIsFoundOutOrSaid) {
  EXPECT_THAT(read("1,2\n3,4").columns, ElementsAre("column 0", "column 1"));
  EXPECT_THAT(read("1,2\n3,4", {.header = true}).columns, ElementsAre("1", "2"));
  EXPECT_THAT(read("2020,b\n3,4").columns, ElementsAre("2020", "b")) << "a word stands over a number";
  EXPECT_THAT(read("1.5,setosa\n2,setosa", {.label = "-1"}).columns, ElementsAre("column 0"))
      << "the label is a word in every row";
  EXPECT_THAT(message_of<IoError>([] { read("a,b\n1,2", {.header = false}); }),
              HasSubstr("line 1: column \"column 0\""));
}

TEST_F(Csv, QuotesHoldDelimitersQuotesAndLines) {
  const Table table =
      read("\"x, \"\"y\"\"\",\"two\nlines\",label\n1,2,\"a,b\"\n3,4,\"c\"\"d\"\n", {.label = "label"});
  EXPECT_THAT(table.columns, ElementsAre("x, \"y\"", "two\nlines"));
  EXPECT_THAT(table.classes, ElementsAre("a,b", "c\"d"));
  EXPECT_THAT(list<std::int32_t>(table.labels), ElementsAre(0, 1));
  const Table many = read("\"a\"\"1\",\"b\"\"2\",\"c\"\"3\",\"d\"\"4\",\"e\"\"5\"\n1,2,3,4,5\n");
  EXPECT_THAT(many.columns, ElementsAre("a\"1", "b\"2", "c\"3", "d\"4", "e\"5"));
}

TEST_F(Csv, LabelsAreClassesInSortedOrder) {
  const char* text = "width,species,height\n1,setosa,2\n3,iris,4\n5,setosa,6\n";
  for (const char* label : {"species", "1", "-2"}) {
    const Table table = read(text, {.label = label});
    EXPECT_THAT(table.columns, ElementsAre("width", "height"));
    EXPECT_THAT(list(table.values), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_EQ(table.label_column, "species");
    EXPECT_THAT(table.classes, ElementsAre("iris", "setosa"));
    EXPECT_THAT(list<std::int32_t>(table.labels), ElementsAre(1, 0, 1));
  }
  EXPECT_THAT(read("1,10\n2,9\n3,-1\n", {.label = "-1"}).classes, ElementsAre("-1", "9", "10"))
      << "as numbers";
}

TEST_F(Csv, LabelsMayBeTheNumbersToPredict) {
  const Table table = read("x,price\n1,2.5\n3,4.5\n",
                           {.label = "price", .label_kind = LabelKind::numbers, .dtype = DType::float64});
  EXPECT_THAT(list<double>(table.labels), ElementsAre(2.5, 4.5));
  EXPECT_THAT(table.classes, IsEmpty());
  EXPECT_THAT(
      message_of<IoError>([] { read("x,y\n1,2\n1,high", {.label = "y", .label_kind = LabelKind::numbers}); }),
      HasSubstr("line 3: column \"y\": \"high\" is no number"));
}

TEST_F(Csv, BadRowsAreNamedByLineAndColumn) {
  const char* text =
      "a,b,c\n"
      "1,2,3\n"
      "1,x y,3\n"  // line 3
      "\n"
      "1,2\n"          // line 5
      "1,,3\n"         // line 6
      "\"1\n\",2,z\n"  // line 7, two lines long: 1 and a line end are no number
      "1,2,3,4\n"      // line 9
      "1,2,\"3\" 4\n"  // line 10
      "7,8,9\n";
  const std::string message = message_of<IoError>([&] { read(text); });
  EXPECT_THAT(
      message,
      AllOf(HasSubstr("\"t.csv\": 6 bad rows"), HasSubstr("line 3: column \"b\": \"x y\" is no number"),
            HasSubstr("line 5: 2 fields instead of 3"), HasSubstr("line 6: column \"b\": the field is empty"),
            HasSubstr("line 7: column \"a\""), HasSubstr("line 9: 4 fields instead of 3"),
            HasSubstr("and 1 more")));
  const Table table = read(text, {.skip_bad_rows = true});
  EXPECT_THAT(list(table.values), ElementsAre(1, 2, 3, 7, 8, 9));
  EXPECT_EQ(table.bad_rows.size(), 6u);
  EXPECT_EQ(table.bad_rows.back(), "line 10: text follows a closing quote");
}

TEST_F(Csv, ASkippedRowLeavesNoLabelBehind) {
  const Table table = read("a,y,b\n1,p,2\n3,q,bad\n5,r,6\n", {.label = "y", .skip_bad_rows = true});
  EXPECT_THAT(table.classes, ElementsAre("p", "r"));
  EXPECT_THAT(list<std::int32_t>(table.labels), ElementsAre(0, 1));
  const Table numbers = read("a,y,b\n1,10,2\n3,20,bad\n5,30,6\n",
                             {.label = "y", .label_kind = LabelKind::numbers, .skip_bad_rows = true});
  EXPECT_THAT(list(numbers.labels), ElementsAre(10, 30));
}

TEST_F(Csv, WhatIsNoTableIsRefused) {
  const struct {
    const char *text, *expected;
  } rows[] = {{"", "it is empty"},
              {"\n \n", "it is empty"},
              {"a,b\n", "found none"},
              {"a,\"b\n1,2\n", "line 1: a quote does not end"},
              {"a,b\n1,\"2", "line 2: a quote does not end"}};
  for (const auto& row : rows)
    EXPECT_THAT(message_of<IoError>([&] { read(row.text); }),
                AllOf(HasSubstr(row.expected), HasSubstr("t.csv")))
        << row.text;
  EXPECT_THAT(message_of<IoError>([] { read("age,species\n1,2", {.label = "specis"}); }),
              HasSubstr("Did you mean \"species\"?"));
  EXPECT_THAT(message_of<IoError>([] { read("age,species\n1,2", {.label = "2"}); }),
              AllOf(HasSubstr("from -2 to 1"), HasSubstr("The columns are \"age\", \"species\".")));
  EXPECT_THAT(message_of<ValueError>([] { read("1", {.delimiter = '.'}); }), HasSubstr("got \".\""));
  EXPECT_THAT(message_of<TypeError>([] { read("1", {.dtype = DType::int32}); }), HasSubstr("int32"));
}

TEST_F(Csv, EveryNumberWrittenReadsBackTheSame) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor values = Tensor::of(
      {{0.1, -0.0}, {1e300, 5e-324}, {infinity, -infinity}, {1.0 / 3, 123456789.0}}, DType::float64);
  save_csv(folder_ / "a.csv", values, {"x", "he said \"y\", twice"});
  const Table back = load_csv(folder_ / "a.csv", {.dtype = DType::float64});
  EXPECT_EQ(list<double>(back.values), list<double>(values));
  EXPECT_TRUE(std::signbit(back.values.at({0, 1})));
  EXPECT_THAT(back.columns, ElementsAre("x", "he said \"y\", twice"));
  EXPECT_EQ(text_of(folder_ / "a.csv").substr(0, 41), "x,\"he said \"\"y\"\", twice\"\n0.1,-0\n1e+300,5e");
  save_csv(folder_ / "b.csv", Tensor::of({0.1, 2}));
  EXPECT_EQ(text_of(folder_ / "b.csv"), "0.1\n2\n") << "float32 with the digits that it needs";
  save_csv(folder_ / "c.csv", Tensor::of({{1, 2}, {3, 4}}, DType::uint8).transpose(), {}, ';');
  EXPECT_EQ(text_of(folder_ / "c.csv"), "1;3\n2;4\n");
  EXPECT_TRUE(std::isnan(read("a\nnan\n").values.item()));
}

TEST_F(Csv, SavingSaysWhatItRefuses) {
  EXPECT_THAT(message_of<ShapeError>([&] {
                save_csv(folder_ / "a.csv", Tensor::zeros({2, 2, 2}));
              }),
              HasSubstr("(2, 2, 2)"));
  EXPECT_THAT(message_of<ShapeError>([&] {
                save_csv(folder_ / "a.csv", Tensor::zeros({2, 2}), {"x"});
              }),
              HasSubstr("expects 2 names"));
  EXPECT_THAT(message_of<ShapeError>([&] { save_csv(folder_ / "a.csv", Tensor()); }), HasSubstr("undefined"));
  EXPECT_EQ(files_in_folder(), 0u);
}

TEST_F(Csv, AnyDamageIsAnIoErrorAndNeverACrash) {
  const std::string text = "\xEF\xBB\xBF\x61,\"b\"\"\",y\r\n1.5e3,2,\"p\nq\"\r\n-3,4,r\n";
  std::vector<std::byte> whole(text.size());
  std::memcpy(whole.data(), text.data(), text.size());
  for (const char* label : {"", "-1"}) {
    const std::size_t refused = refused_when_damaged(whole, [&](std::span<const std::byte> bytes) {
      const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      static_cast<void>(read_csv(view, "damaged.csv", {.label = label}));
    });
    EXPECT_GT(refused, 20u);
  }
}

TEST_F(Csv, ALargeTableIsReadWhole) {
  std::string text = "a,b,c,d\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ".5,1e-3,-2,0.125\n";
  const Table table = load_csv(put("large.csv", text));
  EXPECT_EQ(table.values.shape(), Shape({200'000, 4}));
  EXPECT_EQ(table.values.at({199'999, 0}), 199'999.5);
}

}  // namespace
}  // namespace keratin::io
