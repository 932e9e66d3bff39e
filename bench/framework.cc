// The other end of peers/worker.py: a child process, one line of JSON a question and one an answer.
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers.h"

namespace keratin::bench {

using Json = nlohmann::ordered_json;

Framework::Framework(const std::string& python, std::string name) : name_(std::move(name)) {
  std::signal(SIGPIPE, SIG_IGN);  // A worker that dies is an answer missing, not the end of the run.
  const std::string script = KERATIN_SOURCE_DIR "/bench/peers/worker.py";
  int down[2], up[2];
  // Closed in every child: a worker that held another's end would keep it from seeing that we are done.
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) {
    missing_ = fmt::format("no pipe to a process for it: {}", std::strerror(errno));
    return;
  }
  process_ = fork();
  if (process_ == 0) {
    dup2(down[0], 0);
    dup2(up[1], 1);
    execl(python.c_str(), python.c_str(), script.c_str(), name_.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  to_ = down[1];
  from_ = up[0];
  const Json hello = ask({{"op", "hello"}});
  version_ = hello.value("version", "");
  if (missing_.empty()) missing_ = hello.value("missing", "");
  if (!missing_.empty()) stop();
}

Framework::~Framework() { stop(); }

void Framework::stop() {
  if (process_ <= 0) return;
  close(to_);
  close(from_);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

Json Framework::ask(const Json& request) {
  const std::string line = request.dump() + '\n';
  const auto lost = [this] {
    if (missing_.empty()) missing_ = "its process ended; is it installed in the Python that was given?";
    return Json::object();
  };
  if (process_ <= 0 || write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return lost();
  for (;;) {
    if (const auto end = unread_.find('\n'); end != std::string::npos) {
      const Json answer = Json::parse(unread_.substr(0, end), nullptr, false);
      unread_.erase(0, end + 1);
      if (answer.is_object()) return answer;
      continue;  // Something that a framework printed.
    }
    char buffer[4096];
    const ssize_t size = read(from_, buffer, sizeof buffer);
    if (size <= 0) return lost();
    unread_.append(buffer, static_cast<std::size_t>(size));
  }
}

std::vector<Contestant> Framework::prepare(const Json& task) {
  std::vector<Contestant> all;
  if (!missing_.empty()) return all;
  Json request = task;
  request["op"] = "prepare";
  for (const auto& name : ask(request).value("names", Json::array())) {
    const std::string way = name.get<std::string>();
    all.push_back(
        {.name = way, .sample = [this, way] {
           return ask({{"op", "sample"}, {"name", way}}).value("ns", std::numeric_limits<double>::infinity());
         }});
  }
  return all;
}

Json Framework::peak_memory() { return ask({{"op", "peak"}}).value("mib", Json::object()); }

}  // namespace keratin::bench
