// The program as a person or a script meets it: help, errors, exit codes, terminals, the page of the docs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/activation_markdown.h"
#include "cli/activation_page.h"
#include "cli/exit_codes.h"
#include "cli/test_program.h"
#include "keratin/core/version.h"
#include "keratin/io/npy.h"

namespace keratin::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using Words = std::vector<std::string>;

TEST(Program, HelpTeachesWithExamplesAndExitCodes) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {"--help"});
  EXPECT_EQ(result.code, kFine);
  EXPECT_THAT(result.err, IsEmpty());
  for (const char* part :
       {"demo", "activations", "info", "Examples:", "keratin demo --data my.csv", "Exit codes:"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
  for (const char* command : {"demo", "activations", "apply", "info"}) {
    EXPECT_EQ(run_program(folder, {command, "--help"}).code, kFine) << command;
  }
}

TEST(Program, SaysItsVersion) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {"--version"});
  EXPECT_EQ(result.code, kFine);
  EXPECT_EQ(result.out, std::string("keratin ") + version() + "\n");
}

TEST(Program, WithoutACommandShowsTheHelpAsAnError) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {});
  EXPECT_EQ(result.code, kWrongUsage);
  EXPECT_THAT(result.err, HasSubstr("Usage: keratin"));
  EXPECT_THAT(result.out, IsEmpty());
}

struct WrongUsage {
  Words arguments;
  ExitCode code;
  const char* says;
};

TEST(Program, NamesWhatIsWrongAndEndsWithTheCodeForIt) {
  const TestFolder folder;
  folder.write("empty.csv", "");
  const std::vector<WrongUsage> cases = {
      {{"activatons"}, kWrongUsage, "unknown command \"activatons\". Did you mean \"activations\"?"},
      {{"activations", "gleu"}, kWrongUsage, "unknown name \"gleu\".\n  Did you mean \"gelu\"?"},
      {{"activations", "--frobnicate"}, kWrongUsage, "--frobnicate"},
      {{"activations", "--json", "--markdown"}, kWrongUsage, "excludes"},
      {{"demo", "--activation", "swich"}, kWrongUsage, "Did you mean \"swish\"?"},
      {{"demo", "--epochs", "0"}, kWrongUsage, "--epochs"},
      {{"demo", "--epochs", "many"}, kWrongUsage, "--epochs"},
      {{"demo", "--threads", "-1"}, kWrongUsage, "--threads"},
      {{"demo", "--seed", "x"}, kWrongUsage, "--seed"},
      {{"demo", "--target", "price"}, kWrongUsage, "--data"},
      {{"demo", "--data", "missing.csv"}, kFileProblem, "missing.csv"},
      {{"demo", "--data", "empty.csv"}, kFileProblem, "empty.csv"},
      {{"apply", "x +", "in.npy", "out.npy"}, kWrongUsage, "at character 4, received the end"},
      {{"apply", "gleu", "in.npy", "out.npy"}, kWrongUsage, "Did you mean \"gelu\"?"},
      {{"apply", "x", "missing.npy", "out.npy"}, kFileProblem, "missing.npy"},
      {{"apply", "x", "in.npy"}, kWrongUsage, "output"},
      {{"demo", "--output", "no/such/folder.html"}, kFileProblem, "no/such"},
      {{"demo", "--output", "."}, kFileProblem, "is a folder"},
  };
  for (const WrongUsage& wrong : cases) {
    const ProgramResult result = run_program(folder, wrong.arguments);
    SCOPED_TRACE(testing::PrintToString(wrong.arguments) + "\n" + result.err);
    EXPECT_EQ(result.code, wrong.code);
    EXPECT_THAT(result.err, HasSubstr(wrong.says));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST(Program, AppliesFormulasAndTheirDerivativesToArrays) {
  const TestFolder folder;
  const auto run = [&](const char* formula, const Tensor& x, bool gradient = false) {
    io::save_npy(folder.path() / "in.npy", x);
    Words words = {"apply", formula, "in.npy", "out.npy"};
    if (gradient) words.push_back("--gradient");
    const ProgramResult result = run_program(folder, words);
    EXPECT_EQ(result.code, kFine) << result.err;
    return io::load_npy(folder.path() / "out.npy");
  };
  const Tensor x = Tensor::of({-2.0, 0.0, 1.5}, DType::float64);
  const Tensor y = run("x * x + 1", x), slope = run("x * x + 1", x, true);
  EXPECT_EQ(y.dtype(), DType::float64);
  EXPECT_THAT(y.values<double>(), ElementsAre(5, 1, 3.25));
  EXPECT_THAT(slope.values<double>(), ElementsAre(-4, 0, 3));
  EXPECT_THAT(run("relu", x, true).values<double>(), ElementsAre(0, 0, 1));
  EXPECT_THAT(run("x > 0 ? 1 : -1", x).values<double>(), ElementsAre(-1, -1, 1));
  const Tensor whole = run("tf.math.square(x)", Tensor::of({1.0, 2.0}, DType::int32));
  EXPECT_EQ(whole.dtype(), DType::float32);
  EXPECT_THAT(whole.values<float>(), ElementsAre(1, 4));
  // exp(0) = 1 beside it: halves.
  EXPECT_THAT(run("softmax", Tensor::of({{0.0, 0.0}}, DType::float64)).values<double>(),
              ElementsAre(0.5, 0.5));
}

TEST(Program, AppliesOnnxFilesAndTheirDerivatives) {
  const TestFolder folder;
  const std::string model = KERATIN_SOURCE_DIR "/keratin/io/testdata/function.onnx";
  io::save_npy(folder.path() / "in.npy", Tensor::of({0.0, 1.0}, DType::float64));
  ASSERT_EQ(run_program(folder, {"apply", model, "in.npy", "out.npy"}).code, kFine);
  // leaky_relu is the identity above 0: tanh(1) + tanh(tanh(1)), by Python's math.
  EXPECT_NEAR(io::load_npy(folder.path() / "out.npy").values<double>()[1], 1.4036091479677647, 1e-15);
  ASSERT_EQ(run_program(folder, {"apply", model, "in.npy", "out.npy", "--gradient"}).code, kFine);
  // There sech²(1) · (1 + sech²(tanh(1))).
  EXPECT_NEAR(io::load_npy(folder.path() / "out.npy").values<double>()[1], 0.6668422941983411, 1e-15);
  EXPECT_THAT(run_program(folder, {"activations", model, "--ascii"}).out, HasSubstr("leaky_relu(tanh(x)"));
  EXPECT_EQ(run_program(folder, {"apply", "none.onnx", "in.npy", "out.npy"}).code, kFileProblem);
}

TEST(Program, ListsEveryActivationWithItsFormula) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {"activations"});
  EXPECT_EQ(result.code, kFine);
  // The functions of the Keras 2 page and of Keras 3, from its documentation.
  for (const char* name : {"elu",         "softmax",        "selu",
                           "softplus",    "softsign",       "relu",
                           "tanh",        "sigmoid",        "hard_sigmoid",
                           "exponential", "linear",         "silu (swish)",
                           "gelu",        "mish",           "leaky_relu",
                           "relu6",       "log_softmax",    "celu",
                           "glu",         "hard_shrink",    "hard_silu (hard_swish)",
                           "hard_tanh",   "log_sigmoid",    "soft_shrink",
                           "sparse_plus", "sparse_sigmoid", "sparsemax",
                           "squareplus",  "tanh_shrink",    "threshold"}) {
    EXPECT_THAT("\n" + result.out, HasSubstr("\n" + std::string(name) + " ")) << name;
  }
  EXPECT_THAT(result.out, HasSubstr("x/(1 + exp(-x))"));
  EXPECT_THAT(result.out, HasSubstr("30 functions"));
}

TEST(Program, ShowsOneActivationWithParametersKinksSourceAndPlot) {
  const TestFolder folder;
  const ProgramResult leaky = run_program(folder, {"activations", "leaky_relu"});
  EXPECT_EQ(leaky.code, kFine);
  EXPECT_THAT(leaky.out,
              AllOf(HasSubstr("leaky_relu(x, negative_slope=0.2)"), HasSubstr("x > 0 ? x : negative_slope*x"),
                    HasSubstr("x > 0 ? 1 : negative_slope"), HasSubstr("Maas"),
                    HasSubstr("x = 0: 0.2 (0.2 on the left, 1 on the right)")));
  EXPECT_THAT(leaky.out, HasSubstr("⠤⠤⠤ leaky_relu"));
  EXPECT_EQ(run_program(folder, {"activations", "swish"}).out,
            run_program(folder, {"activations", "silu"}).out);
  EXPECT_THAT(run_program(folder, {"activations", "softmax"}).out, HasSubstr("first element of f((x, 0))"));
}

TEST(Program, ShowsAFormulaOfOnesOwnWithDerivativeLatexAndPlot) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {"activations", "x * sigmoid(1.702 * x)"});
  EXPECT_EQ(result.code, kFine) << result.err;
  // sigmoid(z) + z·sigmoid'(z) at 0: 1/2.
  EXPECT_THAT(result.out,
              AllOf(StartsWith("x * sigmoid(1.702 * x)\n"), HasSubstr("gradient"), HasSubstr("\\sigma"),
                    HasSubstr("table"), HasSubstr("f'(x)"), HasSubstr("its derivative")));
  EXPECT_THAT(run_program(folder, {"activations", "tf.nn.leaky_relu"}).out, HasSubstr("leaky_relu(x"));
  EXPECT_THAT(run_program(folder, {"activations", "x*sigmoid(x)"}).out, HasSubstr("silu: built in"));
}

TEST(Program, TypesetsFunctionsAndFormulas) {
  const TestFolder folder;
  EXPECT_EQ(run_program(folder, {"activations", "exp(2*x)", "--latex"}).out,
            "f(x) = e^{2\\,x}\nf'(x) = 2\\,e^{2\\,x}\n");
  EXPECT_THAT(run_program(folder, {"activations", "celu", "--latex"}).out, HasSubstr("\\alpha"));
  EXPECT_EQ(run_program(folder, {"activations", "--latex"}).code, kWrongUsage);
  // Every formula of the registry can be read.
  for (const ActivationPage& page : activation_pages()) {
    if (!page.plotted.empty()) continue;
    EXPECT_EQ(run_program(folder, {"activations", page.name, "--latex"}).code, kFine) << page.name;
  }
}

TEST(Program, PlotsInAsciiWhereTheLocaleHasNothingElseOrOnRequest) {
  const TestFolder folder;
  const auto is_ascii = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  EXPECT_FALSE(is_ascii(run_program(folder, {"activations", "gelu"}, {"LANG=de_DE.utf8"}).out));
  EXPECT_TRUE(is_ascii(run_program(folder, {"activations", "gelu"}, {"LC_ALL=C"}).out));
  EXPECT_TRUE(is_ascii(run_program(folder, {"activations", "gelu"}, {"LC_ALL=C", "LANG=C.UTF-8"}).out));
  EXPECT_TRUE(is_ascii(run_program(folder, {"activations", "gelu"}, {}).out));
  EXPECT_TRUE(is_ascii(run_program(folder, {"activations", "gelu", "--ascii"}).out));
}

TEST(Program, WritesJsonThatParses) {
  const TestFolder folder;
  const auto all = nlohmann::json::parse(run_program(folder, {"activations", "--json"}).out);
  EXPECT_EQ(all.size(), activation_pages().size());
  const auto elu = nlohmann::json::parse(run_program(folder, {"activations", "elu", "--json"}).out);
  EXPECT_EQ(elu["name"], "elu");
  EXPECT_EQ(elu["parameters"][0]["default"], "1");
  const auto info = nlohmann::json::parse(run_program(folder, {"info", "--json"}).out);
  EXPECT_EQ(info["version"], version());
  EXPECT_GE(info["threads"], 1);
}

TEST(Program, InfoSaysWhichInstructionSetAnswersTheEnvironment) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {"info"}, {"KERATIN_ISA=scalar"});
  EXPECT_EQ(result.code, kFine);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("instruction set  scalar"), HasSubstr("Highway"), HasSubstr("oneDNN")));
  EXPECT_EQ(run_program(folder, {"info"}, {"KERATIN_ISA=mmx"}).code, kWrongUsage);
}

TEST(Program, ThePageOfTheDocumentationIsUpToDate) {
  const std::string path = std::string(KERATIN_SOURCE_DIR) + "/docs/activations.md";
  EXPECT_EQ(read_file(path), activations_markdown()) << "`./dev docs` writes it anew";
  const TestFolder folder;
  EXPECT_EQ(run_program(folder, {"activations", "--markdown"}).out, activations_markdown());
}

TEST(Program, ColoursOnlyForAPersonWhoWantsThem) {
  const TestFolder folder;
  const std::string escape = "\x1b[";
  const Words one = {"activations", "relu"};
  EXPECT_THAT(run_on_terminal(folder, one, {"TERM=xterm", "LC_ALL=C.UTF-8"}).out, HasSubstr(escape));
  EXPECT_THAT(run_on_terminal(folder, one, {"TERM=xterm", "NO_COLOR=1"}).out, Not(HasSubstr(escape)));
  EXPECT_THAT(run_on_terminal(folder, one, {"TERM=dumb"}).out, Not(HasSubstr(escape)));
  EXPECT_THAT(run_program(folder, one, {"TERM=xterm"}).out, Not(HasSubstr(escape)));
}

TEST(Program, SaysWhenItsOutputCannotBeWritten) {
  const TestFolder folder;
  const ProgramResult result = run_program(folder, {"activations"}, {}, "/dev/full");
  EXPECT_EQ(result.code, kFileProblem);
  EXPECT_THAT(result.err, StartsWith("keratin: standard output cannot be written"));
}

TEST(Program, EndsQuietlyWhenItsReaderHasSeenEnough) {
  const TestFolder folder;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int err_file = open(folder.file("stderr").c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(ends[1], STDOUT_FILENO);
    dup2(err_file, STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    detail::execute({"activations", "--markdown"}, {});
  }
  close(ends[0]);
  close(ends[1]);
  ProgramResult result;
  detail::wait_for(child, result);
  EXPECT_EQ(result.code, 128 + SIGPIPE);
  EXPECT_THAT(read_file(folder.file("stderr")), IsEmpty());
}

}  // namespace
}  // namespace keratin::cli
