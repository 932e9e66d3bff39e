// keratin: reads the arguments, runs one command, tells the shell how it went.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "keratin/core/error.h"
#include "keratin/core/text.h"
#include "keratin/core/version.h"

namespace keratin::cli {
namespace {

constexpr const char* kFooter = R"(Examples:
  keratin demo                                  train on handwritten digits with every activation, draw a report
  keratin demo --quick --activation gelu mish   with two of them, in a second
  keratin demo --data my.csv --target price     on a table of your own; its last column if no target is named
  keratin activations                           every function with its formula
  keratin activations gelu                      one of them: parameters, gradient, a plot
  keratin activations 'x*sin(x)'                a formula of your own: derivative, LaTeX, a plot
  keratin apply 'x*sigmoid(x)' in.npy out.npy   a formula of your own on every number of an array

Exit codes: 0 well; 1 something failed; 2 wrong usage: an unknown option or name, a value out of range;
3 a file that cannot be read or written, or does not hold what it should.

Environment: NO_COLOR turns colours off, KERATIN_ISA=scalar|sse4|avx2|avx512 chooses the instruction set.)";

constexpr const char* kDemoFooter =
    R"(Without --data it trains on the digits of scikit-learn: 1,797 images of 8 by 8 pixels.

With --data it trains on a CSV file with a header line: numbers in every column but the target's. The target
may be text or numbers; text, or a few whole numbers, are classes, other numbers are predicted as numbers. Rows
are split by the seed: 60 % to train, 10 % to validate, 30 % held out.

The last line of the output is the path of the report, a single HTML file that needs nothing else.

Examples:
  keratin demo --quick
  keratin demo --activation gelu mish --epochs 20 --output gelu.html
  keratin demo --data iris.csv --target species)";

constexpr const char* kApplyFooter =
    R"(FORMULA is written as x, numbers, + - * / ^, comparisons, where(condition, a, b) and functions: every
activation (`keratin activations`) with its parameters, exp, log, sqrt, sin, erf, ...; functions of TensorFlow,
Theano and CNTK under their names. A name alone ("gelu", "softmax", "tf.nn.silu") is that function. A file
that ends in .onnx is the element-wise function that it holds.

float64 arrays are computed in float64, all others in float32. OUT.npy may be IN.npy.

Examples:
  keratin apply 'x * tanh(softplus(x))' x.npy y.npy
  keratin apply 'elu(x, alpha=0.5)' x.npy slope.npy --gradient
  keratin apply 'x > 0 ? x : 0.1*x' x.npy y.npy
  keratin apply exported.onnx x.npy y.npy)";

struct Arguments {
  ActivationsOptions activations;
  ApplyOptions apply;
  DemoOptions demo;
  InfoOptions info;
  std::function<int()> run;
};

void add_demo(CLI::App& program, Arguments& arguments) {
  CLI::App* demo = program.add_subcommand("demo", "Train once with each activation and draw a report");
  DemoOptions& options = arguments.demo;
  demo->footer(kDemoFooter);
  CLI::Option* data =
      demo->add_option("--data", options.data, "A CSV file to train on, in place of the digits")
          ->type_name("FILE");
  CLI::Option* target =
      demo->add_option("--target", options.target, "The column of --data to predict (default: the last)")
          ->type_name("NAME");
  demo->add_option("--output", options.output, "Where the report goes")
      ->type_name("FILE")
      ->capture_default_str();
  demo->add_option("--epochs", options.epochs, "How often each network sees the training rows")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000));
  demo->add_option("--seed", options.seed, "Of every random number: same seed, same report")
      ->type_name("S")
      ->capture_default_str();
  demo->add_option("--threads", options.threads, "How many threads to compute with (default: the cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  demo->add_option("--activation", options.activations, "Only these activations")->type_name("NAME");
  CLI::Option* skip = demo->add_flag("--skip-bad-rows", options.skip_bad_rows,
                                     "Leave out rows of --data that cannot be read");
  demo->add_flag("--quick", options.quick, "Ten activations and fewer epochs: a few seconds");
  target->needs(data);
  skip->needs(data);
  demo->callback([&arguments] { arguments.run = [&arguments] { return run_demo(arguments.demo); }; });
}

void add_activations(CLI::App& program, Arguments& arguments) {
  CLI::App* command =
      program.add_subcommand("activations", "List every activation, or show one with its formula and a plot");
  ActivationsOptions& options = arguments.activations;
  CLI::Option* name = command
                          ->add_option("name", options.name,
                                       "A function, one of its aliases, a formula of x, or an .onnx file")
                          ->type_name("");
  CLI::Option* markdown = command->add_flag("--markdown", options.markdown, "The page docs/activations.md");
  CLI::Option* json = command->add_flag("--json", options.json, "For programs")->excludes(markdown);
  command->add_flag("--latex", options.latex, "Formula and derivative for LaTeX")
      ->needs(name)
      ->excludes(markdown)
      ->excludes(json);
  command->add_flag("--ascii", options.ascii, "Plot with ASCII characters, whatever the locale");
  command->callback(
      [&arguments] { arguments.run = [&arguments] { return run_activations(arguments.activations); }; });
}

void add_apply(CLI::App& program, Arguments& arguments) {
  CLI::App* apply = program.add_subcommand("apply", "Apply a formula to every number of a .npy file");
  ApplyOptions& options = arguments.apply;
  apply->footer(kApplyFooter);
  apply->add_option("formula", options.formula, "A formula of x, a function's name, or an .onnx file")
      ->required()
      ->type_name("FORMULA");
  apply->add_option("input", options.input, "The array to read")->required()->type_name("IN.npy");
  apply->add_option("output", options.output, "Where the result goes")->required()->type_name("OUT.npy");
  apply->add_flag("--gradient", options.gradient, "The derivative in place of the function");
  apply->callback([&arguments] { arguments.run = [&arguments] { return run_apply(arguments.apply); }; });
}

void add_info(CLI::App& program, Arguments& arguments) {
  CLI::App* info =
      program.add_subcommand("info", "Show versions, the instruction set and the threads in use");
  info->add_flag("--json", arguments.info.json, "For programs");
  info->callback([&arguments] { arguments.run = [&arguments] { return run_info(arguments.info); }; });
}

void complain(std::string_view text) { fmt::print(stderr, "{}\n", text); }

/// CLI11 does not know near names.
int wrong_usage(const CLI::App& program, const CLI::ParseError& error, int argc, char** argv) {
  constexpr std::array<std::string_view, 4> kCommands = {"demo", "activations", "apply", "info"};
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  std::string text = fmt::format("keratin{}: {}", command, error.what());
  if (chosen.empty() && argc > 1 && argv[1][0] != '-') {
    text = fmt::format("keratin: unknown command \"{}\". {}", argv[1], did_you_mean(argv[1], kCommands));
  }
  complain(fmt::format("{}\n  `keratin{} --help` lists what there is.", text, command));
  return kWrongUsage;
}

/// 3 for files, 2 for what the person wrote, 1 for the rest.
int run(const std::function<int()>& command) {
  try {
    const int code = command();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      complain(fmt::format("keratin: standard output cannot be written: {}.", std::strerror(errno)));
      return kFileProblem;
    }
    return code;
  } catch (const IoError& error) {
    complain(error.what());
    return kFileProblem;
  } catch (const ValueError& error) {
    complain(error.what());
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    complain("keratin: out of memory. A smaller table, or fewer of its columns, may fit.");
  } catch (const std::system_error& error) {  // fmt::print
    complain(fmt::format("keratin: standard output cannot be written: {}.", error.code().message()));
    return kFileProblem;
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return kFailed;
}

int main(int argc, char** argv) {
  // A reader that has seen enough (`keratin activations | head`) ends the program quietly, also where the
  // caller has blocked that.
  std::signal(SIGPIPE, SIG_DFL);
  CLI::App program("keratin: Keras in native C++. Activations, networks, training.", "keratin");
  program.footer(kFooter);
  program.set_version_flag("--version", std::string("keratin ") + version());
  program.require_subcommand(1);
  Arguments arguments;
  for (int i = 0; i < argc; ++i) arguments.demo.command += (i == 0 ? "keratin" : std::string(" ") + argv[i]);
  add_demo(program, arguments);
  add_activations(program, arguments);
  add_apply(program, arguments);
  add_info(program, arguments);
  if (argc == 1) {
    fmt::print(stderr, "{}", program.help());
    return kWrongUsage;
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help and --version
    return run([&] { return program.exit(request); });
  } catch (const CLI::ParseError& error) {
    return wrong_usage(program, error, argc, argv);
  }
  return run(arguments.run);
}

}  // namespace
}  // namespace keratin::cli

int main(int argc, char** argv) { return keratin::cli::main(argc, argv); }
